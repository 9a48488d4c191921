"""What a terminal sends, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.ui.terminal.driver import Typed


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"q", "q"),
        ("é →".encode(), "é →"),
        (b"a\xffb\xc0\xfe", "ab"),
        ("é".encode("latin-1") + b"q", "q"),
        (b"\x1b[M !!q", "\x1b[<0;1;1Mq"),
        (b"\x1b[M#\xff\xf1q", "\x1b[<0;223;209mq"),
        (b'\x1b[M`!"q', "\x1b[<64;1;2Mq"),
        (b"\x1b[MC!!q", "\x1b[<35;1;1Mq"),
        (b"\x1b[<0;10;10M", "\x1b[<0;10;10M"),
    ],
)
def test_bytes_as_text(sent: bytes, text: str) -> None:
    assert Typed().text(sent) == text
    typed = Typed()
    # Only what stands for no key is waited for: ESC and ESC [ may be all that there is to come.
    pieces = [sent[:3], *(bytes([byte]) for byte in sent[3:])]
    assert "".join(map(typed.text, pieces)) == text


@given(st.text().filter(lambda text: "\ufffd" not in text and "\x1b[M" not in text), st.integers(0, 20))
def test_text_comes_as_it_is_in_whatever_pieces(text: str, at: int) -> None:
    typed, data = Typed(), text.encode()
    assert typed.text(data[:at]) + typed.text(data[at:]) == text


@given(st.lists(st.binary()))
def test_no_bytes_are_an_error(pieces: list[bytes]) -> None:
    typed = Typed()
    for piece in pieces:
        assert "\ufffd" not in typed.text(piece)
