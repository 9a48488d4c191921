"""What a terminal sends that is no key, and a screen that breaks: training goes on, and the terminal ends up clean."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.test_killed_screen import LONG, assert_restored, only, program, until_trained
from tests.processes import still_runs
from tests.scripted import scripted_run
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.records.record import Record
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

BROKEN = "tests.cli.broken_screen"


@pytest.fixture
def live(runs: Path) -> Iterator[Record]:
    """A run that some other process trains: this one."""
    record = Record.create(runs, {"preset_name": "steplr", "name": "elsewhere"})
    for event in scripted_run(epochs=3)[:40]:
        record.emit(event)
    yield record
    record.close()


def until_it_answers(terminal: Terminal) -> None:
    """Open the page of keys, and close it."""
    terminal.press("?")
    terminal.until("esc closes")
    terminal.press("?")
    terminal.until(lambda screen: "esc closes" not in screen and "loss.backward()" in screen)


NO_KEYS = {
    "no utf-8": b"\xff\xfe\xc0\x80",
    "latin-1": "é".encode("latin-1"),
    "half a character": "→".encode()[:2],
    "old mouse reports": b"\x1b[M !!\x1b[M#!!\x1b[M \xff\xff\x1b[M qq",
    "old mouse report in pieces": b"\x1b[M ",
    "a key beyond all characters": b"\x1b[99999999999;1u",
    "a key of two numbers": b"\x1b[97:65:1;1u",
    "an endless sequence": b"\x1b[" + b"9" * 5000,
    "an endless string": b"\x1b]52;c;" + b"A" * 5000,
    "an empty size, then the mouse": b"\x1b[48;0;0;0;0t\x1b[<0;10;10M\x1b[<0;10;10m",
    "a size beyond memory": b"\x1b[48;999999;999999;1;1t",
    "digits of another script": "\x1b[<0;٣;٣M".encode(),
    "all bytes beyond ASCII": b"\0" + bytes(range(127, 256)),
}


def test_what_is_no_key_is_left_out(live: Record) -> None:
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        modes = terminal.modes_before
        terminal.until("loss.backward()")
        for what, sent in NO_KEYS.items():
            print(what)  # so that a failure tells which
            # Two characters that are no keys end what was begun. An escape would make another key of the one behind it.
            terminal.press(sent + b"~~?")
            terminal.until("esc closes")
            terminal.press("?")
            terminal.until(lambda screen: "esc closes" not in screen and "loss.backward()" in screen)
        terminal.press("q")
        assert terminal.wait() == 0
        assert_restored(terminal, modes)


def test_bytes_that_are_no_text_disturb_no_run(runs: Path) -> None:
    with Terminal("launch", *LONG) as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        for sent in (b"\xff", "é".encode("latin-1"), b"\x1b[M \xf1\xf1"):
            terminal.press(sent)
        terminal.press(" ")
        terminal.until("paused")
        terminal.press(b"\x03")
        terminal.until("background")
        terminal.press("s")
        assert terminal.wait() == 0
        assert_restored(terminal, modes)
    assert replay(run).status == "stopped"


@pytest.mark.parametrize("how", ["input", "writer", "app", "end"])
def test_a_run_outlives_a_screen_that_breaks(runs: Path, how: str) -> None:
    with Terminal(how, "launch", *LONG, module=BROKEN) as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        child = program(terminal)
        terminal.press("x")
        assert terminal.wait() == 0
        said = assert_restored_but_for_a_trace(terminal, modes)
        assert "the screen broke: " in said
        assert f"{run.name} keeps training in the background." in said
        assert f"tui-trainer attach {run.name}\r\n" in said
        at = replay(run).steps
        until(lambda: replay(run).steps > at)
        child.terminate()
        until(lambda: replay(run).status == "stopped")
    if how != "end":
        assert "broken on purpose" in (run / "log.txt").read_text() + said


@pytest.mark.parametrize("how", ["input", "writer", "app", "end"])
def test_a_viewer_whose_screen_breaks_says_so_and_fails(live: Record, how: str) -> None:
    with Terminal(how, "attach", "elsewhere", module=BROKEN) as terminal:
        modes = terminal.modes_before
        terminal.until("loss.backward()")
        terminal.press("x")
        assert terminal.wait() == 1
        said = assert_restored_but_for_a_trace(terminal, modes)
    assert "the screen broke: " in said
    assert "keeps training" not in said


def assert_restored_but_for_a_trace(terminal: Terminal, modes: object) -> str:
    """As `assert_restored`; a fault of ours shows where it is."""
    terminal.text = terminal.text.replace(b"Traceback", b"a trace")
    return assert_restored(terminal, modes)


def test_a_signal_after_a_screen_that_was_left_early_is_no_error_of_the_record(runs: Path) -> None:
    """The second signal leaves the screen at once, and the record begins after that."""
    with Terminal("launch", *LONG, preloaded=False) as terminal:
        terminal.until("importing torch")
        child = program(terminal)
        for _ in range(2):
            os.kill(child.pid, signal.SIGTERM)
        assert terminal.wait() == 143
        assert b"closed file" not in terminal.text
        assert b"crashed" not in terminal.text
    assert not psutil.pid_exists(child.pid)
    if runs.exists():
        assert replay(only(runs)).status == "stopped"


def test_signals_without_end_abort_nothing(runs: Path) -> None:
    """However often one asks: the process leaves, and native code is not torn down beneath a thread of training."""
    with Terminal("launch", *LONG) as terminal:
        until_trained(terminal, runs)
        child = program(terminal)

        while still_runs(child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGINT)
            terminal._read(0.05)
        assert terminal.wait() == 130
        assert b"terminate called" not in terminal.text


def test_no_size_of_the_terminal_ends_the_screen(live: Record) -> None:
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        modes = terminal.modes_before
        terminal.until("loss.backward()")
        for size in [(0, 0), (1, 1), (65535, 65535), (3, 500)]:
            terminal.resize(*size)
            terminal.until(lambda _: psutil.Process(terminal.pid).memory_info().rss < 700 << 20)
            terminal.resize(140, 40)
            until_it_answers(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
        assert_restored(terminal, modes)


def fills(screen: str) -> bool:
    """Whether all of the terminal is drawn on: its first line, its last, and up to its right edge; and between them.

    The first and the last line are drawn again as time goes by, the listing at the right is not.
    """
    lines = screen.splitlines()
    edges = "tui-trainer" in lines[0] and "leave" in lines[-1] and len(lines[0].rstrip()) > len(lines[0]) - 5
    return edges and "loss.backward()" in screen


def test_whatever_the_sizes_before_the_last_one_is_drawn_on_as_a_whole(live: Record) -> None:
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        terminal.until("loss.backward()")
        terminal.until(fills)
        for sizes in (1, 1000):  # smaller for a moment, and a storm
            for number in range(sizes):
                terminal.resize(60 + number % 90, 16 + number % 30)
                terminal._read(0.0)
            terminal.resize(140, 40)
            assert not fills(terminal.screen)
            terminal.until(fills)
            until_it_answers(terminal)
            terminal.until(fills)
        terminal.press("q")
        assert terminal.wait() == 0


def test_a_terminal_that_tells_its_size_and_was_smaller_for_a_moment_is_drawn_on_as_a_whole(live: Record) -> None:
    """One that reports it among the keys (mode 2048): the signal that it has another size is not listened to then."""
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        terminal.until("loss.backward()")
        terminal.press(b"\x1b[?2048;2$y")
        terminal.until(lambda screen: b"\x1b[?2048h" in terminal.text and fills(screen))
        for told in ([(16, 60), (40, 140)], [(40, 140)]):  # both sizes, or the last one alone
            terminal.resize(60, 16)
            terminal.resize(140, 40)
            assert not fills(terminal.screen)
            terminal.press(b"".join(b"\x1b[48;%d;%d;%d;%dt" % (y, x, y * 20, x * 10) for y, x in told))
            terminal.until(fills)
            until_it_answers(terminal)
        terminal.press("q")
        assert terminal.wait() == 0


def test_a_paste_of_a_megabyte_leaves_the_screen_answering(live: Record) -> None:
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        terminal.until("loss.backward()")
        terminal.press(b"\x1b[200~" + b"no command at all\r" * 60_000 + b"\x1b[201~")
        until_it_answers(terminal)
        terminal.press("q")
        assert terminal.wait() == 0


def test_a_terminal_that_somebody_else_left_in_its_usual_modes_is_left_clean(live: Record) -> None:
    """Then it echoes, and a key comes with the next line; an end of input (ctrl+d) is no end of the terminal."""
    with Terminal("attach", "elsewhere", "--readonly") as terminal:
        modes = terminal.modes_before
        terminal.until("loss.backward()")
        terminal.modes = modes
        terminal.press("\x04\x04")
        terminal.press("?\n")
        terminal.until("esc closes")
        terminal.press("?\n")
        terminal.until(lambda screen: "esc closes" not in screen)
        terminal.press("q\n")
        assert terminal.wait() == 0
        assert_restored(terminal, modes)
