"""What a terminal sends, as messages: however it is cut, and whatever comes before it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tests.waiting import until
from tui_trainer.ui.terminal.driver import Understood

NO_KEYS = {
    "a key of two numbers": b"\x1b[97:65:1;1u",
    "a key beyond all characters": b"\x1b[99999999999;1u",
    "the mouse on no size": b"\x1b[48;0;0;0;0t\x1b[<0;10;10M",
    "half a character": "→".encode()[:2],
}


def heard(messages: list[Message]) -> list[str]:
    """Keys by their names, other messages by what they say."""
    return [
        f"{message.x:g},{message.y:g}"
        if isinstance(message, events.MouseEvent)
        else getattr(message, "key", type(message).__name__)
        for message in messages
    ]


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """All ways to cut it into two, and the one into single bytes."""
    yield [data]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]
    yield [bytes([byte]) for byte in data]


@pytest.mark.parametrize("sent", NO_KEYS.values(), ids=NO_KEYS)
def test_what_follows_what_is_no_key_is_heard(sent: bytes) -> None:
    whole = Understood().messages(sent + b"~q?")
    assert heard(whole)[-2:] == ["q", "question_mark"]
    for pieces in cuts(sent + b"~q?"):
        understood = Understood()
        assert heard([message for piece in pieces for message in understood.messages(piece)]) == heard(whole)


@given(
    st.lists(st.sampled_from([*NO_KEYS.values(), b"q", b"\x1b[A", b"\x1b[<0;3;4M", b"\x1b[Z", "é".encode()])), st.data()
)
def test_pieces_say_what_the_whole_says(sent: list[bytes], data: st.DataObject) -> None:
    text = b"".join(sent)
    at = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    understood = Understood()
    pieces = [text[begin:end] for begin, end in zip([0, *at], [*at, len(text)], strict=True)]
    found = [message for piece in pieces if piece for message in understood.messages(piece)]
    assert heard(found) == heard(Understood().messages(text) if text else [])


def test_an_escape_with_nothing_behind_it_is_a_key() -> None:
    understood = Understood()
    assert understood.messages(b"\x1b") == []
    found: list[Message] = []
    until(lambda: bool(found) or bool(found.extend(understood.messages(b""))))
    assert heard(found) == ["escape"]


def test_a_pause_of_ours_cuts_nothing_in_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine was busy between two reads: what an escape begins goes on where more has come."""
    clock = count(0.0, 10.0)
    monkeypatch.setattr("textual._parser.get_time", lambda: next(clock))
    for pieces in cuts(b"\x1b[A"):
        understood, found = Understood(), []
        for piece in pieces:
            found += understood.messages(piece)
        assert heard(found) == ["up"]


def test_the_mouse_is_where_it_was_after_what_is_no_key() -> None:
    """A terminal that tells of pixels goes on to."""
    understood = Understood()
    understood.messages(b"\x1b[48;40;140;400;1400t")
    click = b"\x1b[<0;101;101M"
    before = heard(understood.messages(click))
    assert before == heard(understood.messages(NO_KEYS["a key of two numbers"] + click)) == ["10,10"]
