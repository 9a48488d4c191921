"""What a run printed, as text: followed, bounded, cleaned."""

from __future__ import annotations

from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.records.tail import CHUNK, LINES_KEPT, LONGEST_LINE, LogTail, as_text


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.txt"


def add(log: Path, text: str | bytes) -> None:
    with log.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


@pytest.mark.never_says("log.passed_over")
def test_it_follows_a_file_that_comes_later_and_grows_within_lines(log: Path) -> None:
    printed = LogTail(log)
    assert not printed.look()
    add(log, "one\ntw")
    assert printed.look()
    assert list(printed.lines) == ["one", "tw"]
    assert not printed.look()
    add(log, "o\n")
    assert printed.look()
    add(log, b"caf\xc3")
    printed.look()
    add(log, b"\xa9\n\n")
    printed.look()
    assert list(printed.lines) == ["one", "two", "café", ""]
    assert printed.count == 4


def test_a_file_that_was_cut_off_or_replaced_is_read_anew(log: Path) -> None:
    printed = LogTail(log)
    add(log, "long long ago\n")
    printed.look()
    log.write_text("new\n")
    printed.look()
    assert list(printed.lines) == ["new"]
    log.rename(log.with_name("old"))
    add(log, "newer\n")
    printed.look()
    assert list(printed.lines) == ["newer"]


@pytest.mark.never_says("log.left_out")
def test_memory_is_bounded_whatever_is_printed(log: Path) -> None:
    printed = LogTail(log)
    add(log, b"x" * 5 * CHUNK)
    printed.look()
    add(log, b"y" * 50 + b"\n" + b"z\n" * 3 * LINES_KEPT)
    printed.look()
    assert len(printed.lines) == LINES_KEPT
    assert max(map(len, printed.lines)) <= LONGEST_LINE
    assert printed.lines[-1] == "z"


@pytest.mark.says("log.passed_over")
def test_what_came_too_fast_is_passed_over_and_that_is_said(log: Path) -> None:
    printed = LogTail(log)
    add(log, "first\n")
    printed.look()
    add(log, b"x" * 99 + b"\n" + (b"y" * 999 + b"\n") * 300 + b"last\n")
    printed.look()
    assert list(printed.lines)[:2] == ["first", "… what was printed before was passed over …"]
    assert printed.lines[-1] == "last"
    assert not printed.look()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\x1b[1;31mred\x1b[0m and [bold]markup[/]", "red and [bold]markup[/]"),
        ("\x1b]0;a title\x07shown", "shown"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("windows\r", "windows"),
        ("\x1b[2J\x1b[Hcleared", "cleared"),
        ("  File\tline", "  File  line"),
        ("\tindented", "    indented"),
        ("\x9b31mred\x08\x00", "red"),
        ("abc\u202edef", "abcdef"),
        ("\x1b", ""),
    ],
)
def test_lines_are_shown_as_text(line: str, text: str) -> None:
    assert as_text(line) == text


@given(st.text())
def test_nothing_a_terminal_obeys_is_left(line: str) -> None:
    assert not [c for c in as_text(line) if category(c) in ("Cc", "Cs")]
