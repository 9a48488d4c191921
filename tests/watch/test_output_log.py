"""What a watched command prints is kept as text, whole lines and bounded, whatever it prints."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from tui_trainer.records.tail import LogTail
from tui_trainer.watching.host.output_log import LARGEST, MOST_PER_SECOND, OutputLog


class Clock:
    """Seconds that go by as a test says."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> OutputLog:
    return OutputLog(tmp_path / "log.txt", clock)


def shown(folder: Path) -> list[str]:
    """The lines, as the page of the log has them."""
    tail = LogTail(folder / "log.txt")
    while tail.look():
        pass
    return list(tail.lines)


def test_lines_come_whole_and_the_last_one_as_it_grows(log: OutputLog, clock: Clock, tmp_path: Path) -> None:
    assert log.wakes_in is None
    log.take(b"one\ntw")
    assert log.wakes_in == pytest.approx(0.2)
    log.write_waiting()
    assert not (tmp_path / "log.txt").exists()
    clock.now = 0.3
    log.write_waiting()
    assert shown(tmp_path) == ["one", "tw"]
    log.take(b"o\nthree")
    log.write_waiting(all_of_it=True)
    assert shown(tmp_path) == ["one", "two", "three"]
    assert (tmp_path / "log.txt").read_text() == "one\ntwo\nthree"


def test_a_prompt_that_stands_there_keeps_nobody_awake(log: OutputLog, clock: Clock, tmp_path: Path) -> None:
    log.take(b"name? ")
    clock.now = 1.0
    log.write_waiting()
    assert log.wakes_in is None
    assert shown(tmp_path) == ["name?"]


def test_a_progress_bar_leaves_its_last_state_and_few_on_the_way(log: OutputLog, clock: Clock, tmp_path: Path) -> None:
    for percent in range(101):
        log.take(f"\r{percent:3}% |{'#' * (percent // 10)}|".encode())
        clock.now += 0.1
        log.write_waiting()
    log.take(b"\n")
    log.write_waiting(all_of_it=True)
    assert shown(tmp_path) == ["100% |##########|"]
    assert (tmp_path / "log.txt").read_text().count("\r") <= 8


def test_nothing_in_it_is_obeyed_by_a_terminal(log: OutputLog, tmp_path: Path) -> None:
    log.take(b"\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x9b31m\x00\x07\x08\n")
    log.take("right to left \u202e here\n".encode())
    log.take(os.urandom(100_000))
    log.take(b"\n\x1b[3")
    log.write_waiting(all_of_it=True)
    text = (tmp_path / "log.txt").read_text()
    assert not [each for each in text if unicodedata.category(each) == "Cc" and each not in "\r\n"]
    assert "\u202e" not in text
    assert text.startswith("red link")
    assert text.endswith("\n")


@pytest.mark.never_says("log.too_fast")
def test_a_line_without_an_end_is_bounded(
    log: OutputLog, clock: Clock, tmp_path: Path, captions_said: set[str]
) -> None:
    for _ in range(200):
        log.take(b"x" * 10_000)
        clock.now += 0.1
        log.write_waiting()
    log.write_waiting(all_of_it=True)
    assert (tmp_path / "log.txt").stat().st_size < 200_000
    assert "log.too_fast" not in captions_said


@pytest.mark.says("log.too_fast")
def test_of_what_comes_too_fast_the_newest_is_kept_and_the_rest_counted(
    log: OutputLog, clock: Clock, tmp_path: Path
) -> None:
    for number in range(400_000):
        log.take(b"line %06d\n" % number)
    clock.now = 0.3
    log.write_waiting()
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert "came too fast to be kept" in lines[0]
    assert lines[-1] == "line 399999"
    left_out = int(lines[0].split()[1].replace(",", ""))
    assert left_out + 12 * (len(lines) - 1) == 400_000 * 12
    assert (tmp_path / "log.txt").stat().st_size <= MOST_PER_SECOND + 100


def test_a_long_log_keeps_its_beginning_and_its_end(log: OutputLog, clock: Clock, tmp_path: Path) -> None:
    for number in range(120):
        log.take((f"{number} " + "x" * 90 + "\n").encode() * 1000)
        clock.now += 1.0
        log.write_waiting()
        assert (tmp_path / "log.txt").stat().st_size <= LARGEST
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert lines[0].startswith("0 x")
    assert lines[-1].startswith("119 x")
    assert any("are left out here" in line for line in lines)
    assert {len(line) for line in lines if "left out" not in line} <= {92, 93, 94}


def test_a_disk_that_takes_nothing_raises_nothing(clock: Clock, tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "gone" / "log.txt", clock)
    log.take(b"one\n")
    log.write_waiting(all_of_it=True)
