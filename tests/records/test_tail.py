"""Following journals that are torn, damaged, of other versions, or not there yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.records.streams import fold, state_of
from tests.scripted import scripted_run
from tui_trainer.events import AnyEvent, encode
from tui_trainer.records import lines
from tui_trainer.records.tail import Tail


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def lines_of(events: list[AnyEvent]) -> bytes:
    return b"".join(map(encode, events))


def test_a_file_that_is_not_there_yet(journal: Path) -> None:
    events = scripted_run()
    with Tail(journal) as tail:
        assert tail.read() == []
        assert tail.unread == 0
        journal.write_bytes(lines_of(events))
        assert list(tail) == events
        assert tail.read() == []
        assert tail.unread == 0


def test_a_torn_last_line_is_waited_for(journal: Path) -> None:
    first, second = scripted_run()[:2]
    torn = encode(second)
    with Tail(journal) as tail, journal.open("ab", buffering=0) as file:
        file.write(encode(first) + torn[:7])
        assert tail.read() == [first]
        assert tail.read() == []
        assert tail.unread == 7
        file.write(torn[7:-1])
        assert tail.read() == []
        file.write(torn[-1:])
        assert tail.read() == [second]
        assert (tail.lines, tail.skipped) == (2, 0)


def test_a_torn_line_that_the_writer_cut_off_and_wrote_anew(journal: Path) -> None:
    first, second, third = scripted_run()[:3]
    with Tail(journal) as tail:
        journal.write_bytes(encode(first) + encode(second)[:20])
        assert tail.read() == [first]
        with journal.open("r+b") as file:
            file.truncate(len(encode(first)))
        assert tail.read() == []
        with journal.open("ab") as file:
            file.write(encode(third))
        assert tail.read() == [third]
        assert tail.skipped == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"not json",
        b"{}",
        b"[1, 2]",
        b'{"type":"PhaseStarted"}',
        b'{"type":"PhaseStarted","at":1,"phase":7}',
        b'{"type":"OfALaterVersion","at":1}',
        b'{"type":"PhaseStarted","at":1e999,"phase":"x"}',
        b'{"type":"PhaseStarted","at":1,"phase":"\xff"}',
        b"\x00" * 3000,
        b"\xff\xfe\xfd",
        b'{"type":"PhaseStarted","at":1,"phase":"x","more":' + b"[" * 100_000,
        b'{"type":"PhaseSta',
    ],
)
def test_what_is_no_event_is_skipped_counted_and_named(journal: Path, garbage: bytes) -> None:
    events = scripted_run()
    each = list(map(encode, events))
    journal.write_bytes(b"".join([*each[:5], garbage + b"\n", *each[5:9], garbage + b"\n", *each[9:]]))
    with Tail(journal) as tail:
        assert list(tail) == events
    assert tail.skipped == 2
    assert tail.skipped_lines == [6, 11]
    assert tail.lines == len(each) + 2


def test_only_the_first_few_numbers_are_kept(journal: Path) -> None:
    journal.write_bytes(b"x\n" * 1000)
    with Tail(journal) as tail:
        assert list(tail) == []
    assert tail.skipped == 1000
    assert tail.skipped_lines == [1, 2, 3, 4, 5]


def test_empty_lines_are_no_damage(journal: Path) -> None:
    events = scripted_run()
    journal.write_bytes(b"\n\n" + lines_of(events[:3]) + b"\n" + lines_of(events[3:]) + b"  \n")
    with Tail(journal) as tail:
        assert list(tail) == events
    assert tail.skipped == 0


def test_fields_that_a_later_version_added_are_passed_over(journal: Path) -> None:
    event = scripted_run()[0]
    journal.write_bytes(encode(event).replace(b'{"type"', b'{"later":[1,{"a":null}],"type"'))
    with Tail(journal) as tail:
        assert list(tail) == [event]


def test_a_journal_longer_than_a_chunk(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK", 64)  # shorter than any line
    events = scripted_run(epochs=5)
    journal.write_bytes(lines_of(events))
    with Tail(journal) as followed:
        read = list(followed)
    assert read == events
    assert state_of(fold(read)) == state_of(fold(events))


def test_garbage_without_an_end_is_passed_over_at_last(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK", 64)
    monkeypatch.setattr(lines, "LONGEST_LINE", 1024)
    events = scripted_run()
    short = [event for event in events if len(encode(event)) < 1024]
    with Tail(journal) as followed, journal.open("ab", buffering=0) as file:
        file.write(lines_of(short[:2]) + b"x" * 5000)
        assert list(followed) == short[:2]
        file.write(b"y" * 2000 + b"\n" + lines_of(short[2:]))
        assert list(followed) == short[2:]
    assert followed.skipped == 1
    assert followed.skipped_lines == [3]


def test_reading_goes_on_where_it_was_after_closing(journal: Path) -> None:
    events = scripted_run()
    tail = Tail(journal)
    journal.write_bytes(lines_of(events[:4]))
    assert list(tail) == events[:4]
    tail.close()
    tail.close()
    journal.write_bytes(lines_of(events))
    assert list(tail) == events[4:]
    tail.close()


def test_a_file_that_cannot_be_read_says_so(journal: Path) -> None:
    journal.mkdir()
    with Tail(journal) as tail, pytest.raises(OSError, match="folder"):
        tail.read()
