"""Terminals that show little, links that carry little, and no terminal at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import SMALL
from tests.compare.made import record
from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.terminal import Terminal
from tests.waiting import PATIENCE_S
from tui_trainer.records.record import Record
from tui_trainer.ui.terminal import terminal as terminals
from tui_trainer.ui.terminal.terminal import AT_ONCE_S, ThrottledWriter

pytestmark = pytest.mark.slow

COLOURS = re.compile(rb"\x1b\[[\d;]*\b(?:3[0-8]|4[0-8]|9\d|10\d)\b[\d;]*m")
WORDS = ("best val accuracy", "loss.backward()", "scheduler.step(val_loss)", "epoch", "plateau")


@pytest.fixture
def run(runs: Path) -> str:
    """A finished run with all there is to draw."""
    return over(runs, scripted_run(epochs=4, scheduler="ReduceLROnPlateau"), preset="plateau", name="naïve →")


def test_without_unicode_the_screen_is_ascii_and_readable(run: str) -> None:
    with Terminal("attach", run, env={"LC_ALL": "C"}) as terminal:
        screen = terminal.until(lambda screen: all(word in screen for word in WORDS))
        terminal.press("r")
        terminal.until("runs")
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.text.isascii()
    chart = [line for line in screen.splitlines() if re.search(r"[.:'*+=]{3}", line)]
    assert len(chart) > 5, screen


LINUX_CONSOLE = {"TERM": "linux", "COLORTERM": "", "LC_ALL": "C"}


def without_question_marks(terminal: Terminal) -> None:
    """In no line but that of the keys, where one opens the help."""
    lines = [line for line in terminal.screen.splitlines() if "? help" not in line]
    assert len(lines) > 20
    assert [line for line in lines if "?" in line] == []


def test_on_the_linux_console_without_unicode_no_chart_is_drawn_in_question_marks(runs: Path) -> None:
    over(runs, scripted_run(epochs=4, scheduler="OneCycleLR"), preset="onecycle", name="other")
    over(runs, scripted_run(epochs=4, scheduler="ReduceLROnPlateau", switch_at=3), preset="plateau", name="plain")
    with Terminal("attach", "plain", env=LINUX_CONSOLE) as terminal:
        terminal.until(lambda screen: all(word in screen for word in ("best val accuracy", "loss.backward()", "epoch")))
        without_question_marks(terminal)
        for key, word in (("\x1b[D", "step 80"), ("]", "smoothed 10"), ("x", "80 step"), ("5", "nothing to measure")):
            terminal.press(key)
            terminal.until(word)
            without_question_marks(terminal)
        terminal.press("m")
        terminal.until("val_accuracy")
        without_question_marks(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.text.isascii()


@pytest.mark.parametrize("columns", [80, 140])
def test_nor_are_those_of_a_comparison(runs: Path, columns: int) -> None:
    names = [record(runs, scheduler=kind, epochs=4).name for kind in ("OneCycleLR", "ReduceLROnPlateau", "StepLR")]
    with Terminal("compare", *names, env=LINUX_CONSOLE, columns=columns) as terminal:
        terminal.until(lambda screen: "steplr" in screen and "? help" in screen)
        without_question_marks(terminal)
        for key, word in (("\x1b[D", "epoch 4"), ("0", "Fair"), ("d", "differ")):
            terminal.press(key)
            terminal.until(word)
            without_question_marks(terminal)
        terminal.press("q")
        assert terminal.wait() == 0
        assert terminal.text.isascii()


@pytest.mark.parametrize("term", ["xterm", "linux", "screen"])
def test_sixteen_colours_are_enough(run: str, term: str) -> None:
    with Terminal("attach", run, env={"TERM": term, "COLORTERM": ""}) as terminal:
        terminal.until(lambda screen: all(word in screen for word in WORDS))
        assert not terminal.unseen()
        terminal.press("r")
        terminal.until("newest first")
        assert not terminal.unseen()
        terminal.press("q")
        assert terminal.wait() == 0
        assert COLOURS.findall(terminal.text)
        assert not re.findall(rb"\x1b\[[\d;]*[34]8;[25];[\d;]*m", terminal.text), "more than sixteen"


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux here")
@pytest.mark.parametrize(
    "through",
    [
        "",
        pytest.param("screen -U", marks=pytest.mark.skipif(not shutil.which("screen"), reason="no GNU screen here")),
    ],
    ids=["tmux", "screen in tmux"],
)
def test_multiplexers_show_what_a_terminal_shows(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    def whole(screen: str) -> bool:
        return "best val accuracy" in screen and screen.rstrip().endswith("palette")

    # Else the first of two screens would have a line of hints more.
    state = tmp_path / "state" / "tui-trainer" / "screen.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"hints_seen": true}')
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    command = f"{through} {sys.executable} -m tui_trainer attach {run}"
    with (
        Multiplexer(tmp_path, command, 100, 30) as multiplexer,
        Terminal("attach", run, columns=100, lines=30, env={"XDG_STATE_HOME": str(tmp_path / "state")}) as terminal,
    ):
        alone = terminal.until(lambda screen: whole(screen) and screen.split() == multiplexer.pane().split())
        assert alone.count("⠒") > 20  # braille
        multiplexer.tmux("resize-window", "-x", "80", "-y", "24")
        multiplexer.until(lambda pane: "q leave" in pane.splitlines()[-1] and len(pane.splitlines()) == 24)
        multiplexer.tmux("send-keys", "q")
        multiplexer.until("$ended")


class Multiplexer:
    """A real tmux of the test's own, with a command in its only pane."""

    def __init__(self, folder: Path, command: str, columns: int, lines: int) -> None:
        self._socket = folder / "tmux"
        (folder / "screens").mkdir(mode=0o700)
        env = {**os.environ, "SCREENDIR": str(folder / "screens"), "LC_ALL": "C.UTF-8"}
        size = ["-x", str(columns), "-y", str(lines)]
        (folder / "tmux.conf").write_text("set -g status off\n")  # a line of the terminal's own height
        self.tmux("-f", str(folder / "tmux.conf"), "new", "-d", *size, f"{command}; echo '$ended'; read line", env=env)

    def __enter__(self) -> Multiplexer:
        return self

    def __exit__(self, *_: object) -> None:
        self.tmux("kill-server")

    def tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout

    def pane(self) -> str:
        return self.tmux("capture-pane", "-p")

    def until(self, what: str | Callable[[str], bool]) -> str:
        """What the pane shows, as soon as it shows that."""
        holds = (lambda pane: what in pane) if isinstance(what, str) else what
        deadline = time.monotonic() + PATIENCE_S
        while not holds(pane := self.pane()):
            assert time.monotonic() < deadline, pane
            time.sleep(0.05)
        return pane


def test_no_color_is_honoured(run: str) -> None:
    with Terminal("attach", run, env={"NO_COLOR": "1"}) as terminal:
        terminal.until("best val accuracy")
        terminal.press("q")
        assert terminal.wait() == 0
        greys = {match for match in COLOURS.findall(terminal.text) if not _is_grey(match)}
    assert not greys


def _is_grey(sequence: bytes) -> bool:
    rgb = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", sequence)
    return bool(rgb) and all(red == green == blue for red, green, blue in rgb)


@pytest.mark.parametrize("command", ["launch", "attach"])
def test_a_terminal_that_cannot_be_drawn_on_is_told_so(run: str, command: str) -> None:
    with Terminal(command, env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 2
        assert b"TERM says" in terminal.text
        assert b"\x1b" not in terminal.text


def test_run_on_a_dumb_terminal_prints_plain_lines(runs: Path) -> None:
    with Terminal("run", "--preset", "onecycle", *SMALL, "--epochs", "2", env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 0
        assert b"\x1b" not in terminal.text
        assert b"finished: all epochs done" in terminal.text


def test_prints_never_fail_for_want_of_a_character(run: str) -> None:
    encoding = "latin-1"
    for arguments in (("run", "--preset", "steplr-fast", *SMALL, "--epochs", "4"), ("runs",), ("presets", "list")):
        done = subprocess.run(
            [sys.executable, "-m", "tui_trainer", *arguments],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode(encoding)
    assert b"?" not in done.stdout


def test_bytes_a_second_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(terminals, "time", SimpleNamespace(monotonic=lambda: now))
    reader, writer = os.pipe()
    screen = ThrottledWriter(writer, most_per_second=10_000)
    for tick in range(300):
        now = 100 + tick * 0.005
        if not screen.lags:
            screen.handed += 1
            screen.write("x" * 500)
            os.read(reader, 500)
        most = 10_000 * (now - 100 + AT_ONCE_S) + 501  # a piece, and what rounding makes
        assert screen.bytes_written <= most
    assert screen.bytes_written > most - 1000  # and the rate is used
    os.close(reader)
    os.close(writer)


def test_a_slow_link_gets_fewer_frames_of_the_same_screen(runs: Path) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    events = scripted_run(epochs=6, batches=20)
    with Terminal("attach", "--max-rate", "16") as terminal:
        for event in events[: len(events) // 8]:
            record.emit(event)
        terminal.until("epoch")
        began, sent = time.monotonic(), len(terminal.text)
        for event in events[len(events) // 8 :]:
            record.emit(event)
            terminal._read(0.005)
        terminal.until("best val accuracy")
        bytes_sent, seconds = len(terminal.text) - sent, time.monotonic() - began
        largest = 140 * 40 * 8
        assert bytes_sent <= 16_000 * (seconds + AT_ONCE_S) + largest
        terminal.press("q")
        assert terminal.wait() == 0
    record.close()
