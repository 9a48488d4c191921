"""What is left out of a log that grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_trainer.records.log_size import LARGEST, SMALL, BoundedLog, shortened
from tui_trainer.records.tail import LogTail


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[int]:
    """A log as a process has it that prints to it."""
    fd = os.open(tmp_path / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    yield fd
    os.close(fd)


def test_of_a_line_written_over_and_over_the_last_state_is_kept() -> None:
    bar = b"".join(b"\r%3d%%" % share for share in range(101))
    assert shortened(b"begins\n" + bar + b"\nends\n") == b"begins\n100%\nends\n"


@pytest.mark.never_says("log.left_out")
def test_lines_may_end_as_elsewhere() -> None:
    assert shortened(b"one\r\ntwo\r\n") == b"one\ntwo\n"


@pytest.mark.says("log.left_out")
def test_of_a_long_log_its_beginning_and_its_end_are_kept_and_what_is_not_is_counted() -> None:
    lines = b"".join(b"line %d\n" % number for number in range(LARGEST // 8))
    kept = shortened(lines)
    assert len(kept) < LARGEST // 2
    assert kept.startswith(b"line 0\nline 1\n")
    assert kept.endswith(lines[-100:])
    first, _, rest = kept.partition("\n… ".encode())
    count, _, last = rest.partition(" bytes are left out here …\n".encode())
    assert int(count.replace(b",", b"")) + len(first) + len(last) == len(lines)


def test_a_small_log_is_left_as_it_is(tmp_path: Path, printed: int) -> None:
    os.write(printed, b"\r 1%\r 2%\n")
    BoundedLog().look(tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_bytes() == b"\r 1%\r 2%\n"


def test_what_prints_to_it_goes_on_at_its_new_end_and_who_follows_it_reads_on(tmp_path: Path, printed: int) -> None:
    file, log = tmp_path / "log.txt", BoundedLog()
    tail = LogTail(file)
    os.write(printed, b"begins\n" + b"\r 50% of it" * (SMALL // 10))
    tail.look()
    log.look(file)
    os.write(printed, b"\nends\n")
    assert file.read_bytes() == b"begins\n 50% of it\nends\n"
    while tail.look():
        pass
    assert list(tail.lines) == ["begins", " 50% of it", "ends"]


@pytest.mark.parametrize("at_once", [SMALL, 4 * LARGEST])
def test_however_much_is_printed_it_stays_below_its_limit(tmp_path: Path, printed: int, at_once: int) -> None:
    file, log = tmp_path / "log.txt", BoundedLog()
    os.write(printed, b"begins\n")
    for _ in range(6 * LARGEST // at_once + 1):
        os.write(printed, (b"x" * 99 + b"\n") * (at_once // 100))
        log.look(file)
        assert file.stat().st_size <= LARGEST
    os.write(printed, b"ends\n")
    assert file.read_bytes().startswith(b"begins\nxxx")
    assert file.read_bytes().endswith(b"xxx\nends\n")


def test_what_is_no_file_of_ours_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_bytes(b"\r" * 2 * SMALL)
    (tmp_path / "log.txt").symlink_to(other)
    BoundedLog().look(tmp_path / "log.txt")
    BoundedLog().look(tmp_path / "gone.txt")
    assert other.stat().st_size == 2 * SMALL
