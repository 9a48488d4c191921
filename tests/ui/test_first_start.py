"""In a real terminal: the hints of the first start, what is remembered for the second one, and what is copied."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.terminal import Terminal
from tests.ui.conftest import cut
from tests.ui.test_runs import recorded
from tui_trainer.records.record import Record


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A run that goes on, as far as anybody can tell."""
    return recorded(tmp_path / "runs", "live", cut(scripted_run(epochs=4, batches=20), 50))


def attached(record: Record, state: Path) -> Terminal:
    runs = str(record.folder.parent)
    env = {"XDG_STATE_HOME": str(state)}
    return Terminal("attach", record.id, "--runs-dir", runs, columns=100, lines=30, env=env)


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.until("Leave?")
    terminal.press("l")
    assert terminal.wait() == 0


def test_hints_come_once_and_a_hidden_panel_stays_hidden(record: Record, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with attached(record, state) as terminal:
        terminal.until("1/5")
        terminal.press("\r")
        terminal.until("2/5")
        terminal.press("\x1b")
        terminal.until(lambda screen: "2/5" not in screen)
        assert "lr  " in terminal.screen
        terminal.press("2")
        terminal.until(lambda screen: "lr  " not in screen)
        leave(terminal)
    file = state / "tui-trainer" / "screen.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with attached(record, state) as terminal:
        terminal.until("epoch 3/4")
        assert "/5  " not in terminal.screen
        assert "lr  " not in terminal.screen
        leave(terminal)


def test_a_file_that_cannot_be_written_is_no_reason_to_fail(record: Record, tmp_path: Path) -> None:
    file = tmp_path / "state" / "tui-trainer" / "screen.json"
    file.mkdir(parents=True)
    with attached(record, tmp_path / "state") as terminal:
        terminal.until("epoch 3/4")
        terminal.until("lr  ")
        assert "1/5" not in terminal.screen  # they would come at every start
        terminal.press("2")
        terminal.until(lambda screen: "lr  " not in screen)  # that it was is soon overwritten by what went wrong
        leave(terminal)
    assert b"Traceback" not in terminal.text


def test_what_is_copied_reaches_the_clipboard_of_the_terminal(record: Record, tmp_path: Path) -> None:
    def copied(terminal: Terminal, times: int) -> str:
        def sent(_: str = "") -> list[bytes]:
            return re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", terminal.text)

        terminal.until(lambda _: len(sent()) == times)
        return base64.b64decode(sent()[-1]).decode()

    with attached(record, tmp_path / "state") as terminal:
        terminal.until("1/5")
        terminal.press(",,")
        terminal.until("step 20")
        terminal.press("C")
        assert copied(terminal, 1).startswith("step 20 · epoch 1, batch 20 · train_loss")
        shown = terminal.until(lambda screen: any(line.startswith(" epoch 1 ") for line in screen.splitlines()))
        line = next(i for i, line in enumerate(shown.splitlines(), 1) if line.startswith(" epoch 1 "))
        terminal.press(f"\x1b[<0;13;{line}M\x1b[<32;20;{line}M\x1b[<0;20;{line}m")
        terminal.press("\x03")
        assert copied(terminal, 2) == terminal.screen.splitlines()[line - 1][12:20]
