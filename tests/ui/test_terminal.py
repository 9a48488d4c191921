"""A real terminal: kept for the screen alone, left clean, and no harm done when it goes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.ui.terminal.terminal import Terminal as Kept
from tui_trainer.ui.terminal.terminal import ThrottledWriter

ALTERNATE_SCREEN, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
APP = "tests.ui.noisy_app"


def test_stray_prints_go_to_the_log_and_not_over_the_screen(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with Terminal(str(log), module=APP) as terminal:
        terminal.until("● training")
        until(lambda: log.read_text().count("noise of print") >= 3)
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"noise" not in terminal.text
    text = log.read_text()
    for words in ("noise before the log", "noise of print 1", "noise of descriptor 1", "noise of descriptor 2"):
        assert words in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_log_stray_prints_are_shown_after_leaving() -> None:
    with Terminal("-", module=APP) as terminal:
        terminal.until("● training")
        terminal.press("q")
        assert terminal.wait() == 0
        screen, after = terminal.text.split(LEFT)
        assert b"noise" not in screen
        assert b"noise of descriptor 2" in after


def test_it_is_left_as_it_was_found(tmp_path: Path) -> None:
    with Terminal(str(tmp_path / "log.txt"), module=APP) as terminal:
        terminal.until("● training")
        terminal.press("q")
        assert terminal.wait() == 0
        text = terminal.text
    for on, off in ((b"1049h", b"1049l"), (b"1000h", b"1000l"), (b"2004h", b"2004l"), (b"25l", b"25h")):
        assert text.rindex(b"\x1b[?" + off) > text.rindex(b"\x1b[?" + on)
    assert text.index(ALTERNATE_SCREEN) < text.index(LEFT)


def test_when_the_app_breaks_the_traceback_comes_after_the_screen(tmp_path: Path) -> None:
    with Terminal(str(tmp_path / "log.txt"), "break", module=APP) as terminal:
        assert terminal.wait() == 1
        screen, after = terminal.text.split(LEFT)
        assert b"broken on purpose" not in screen
        assert b"RuntimeError: broken on purpose" in after


@pytest.mark.parametrize("keys", ["", "?"])
def test_a_closed_terminal_ends_the_app_and_nothing_spins(tmp_path: Path, keys: str) -> None:
    log = tmp_path / "log.txt"
    with Terminal(str(log), module=APP) as terminal:
        terminal.until("● training")
        if keys:
            terminal.press(keys)
            terminal.until(lambda screen: "● training" not in screen or "this page" in screen)
        terminal.close()
        assert terminal.wait() == 0
    text = log.read_text()
    assert "without a terminal" in text or "the terminal is gone" in text
    assert "after the terminal: at rest" in text


def test_a_signal_leaves_it_clean(tmp_path: Path) -> None:
    with Terminal(str(tmp_path / "log.txt"), module=APP) as terminal:
        terminal.until("● training")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 143
        assert LEFT in terminal.text


def test_a_terminal_that_is_gone_takes_all_in_silence() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    screen = ThrottledWriter(writer)
    screen.write("nobody reads this")
    assert screen.written == 1
    os.close(writer)


def test_a_terminal_that_is_slower_than_the_screen_is_noticed() -> None:
    reader, writer = os.pipe()
    screen = ThrottledWriter(writer)
    for _ in range(4):
        screen.handed += 1
    assert screen.lags
    for _ in range(4):
        screen.write("x")
    assert not screen.lags
    assert os.read(reader, 10) == b"xxxx"
    os.close(reader)
    os.close(writer)


def test_a_log_that_comes_once_the_screen_was_left_is_no_error(tmp_path: Path) -> None:
    with Kept() as kept:
        pass
    kept.log_to(tmp_path / "log.txt")
    assert not (tmp_path / "log.txt").exists()


def test_a_log_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    with Kept() as kept:
        with pytest.raises(OSError, match="directory"):
            kept.log_to(tmp_path)
        kept.log_to(tmp_path / "log.txt")
    assert (tmp_path / "log.txt").exists()


def test_a_writer_that_fails_says_so_once_and_stops_nobody() -> None:
    reader, writer = os.pipe()
    failures: list[BaseException] = []
    screen = ThrottledWriter(writer, on_failure=failures.append)
    for _ in range(3):
        screen.write(None)  # type: ignore[arg-type]
    screen.write("nothing after it")
    assert screen.written == 4
    assert [type(failure) for failure in failures] == [AttributeError]
    os.close(writer)
    assert os.read(reader, 10) == b""
    os.close(reader)
