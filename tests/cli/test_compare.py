"""`compare` in a real terminal: left training, closed, looked at again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import SMALL
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.commands import Stop
from tui_trainer.compare.session import Session, all_sessions
from tui_trainer.records.inbox import send
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_index import folders
from tui_trainer.run_sources.run_source import replay

LONG = [*SMALL, "--epochs", "4000"]


def ended(runs: Path) -> list[str]:
    """How the runs of the session ended, once nobody trains it any more."""
    folder = all_sessions(runs)[0]
    until(lambda: not is_live(folder))
    session = Session.open(folder)
    return [replay(record).status for entry in session.entries if (record := session.record_of(entry)) is not None]


def go_on_to_the_last(runs: Path) -> None:
    """Whoever trains them goes on with each run, and with the next one once it is stopped."""
    seen: set[Path] = set()
    for _ in range(2):
        until(lambda: any(is_live(run) for run in {*folders(runs)} - seen))
        (run,) = {*folders(runs)} - seen
        at = replay(run).steps
        until(lambda run=run, at=at: replay(run).steps > at)  # type: ignore[misc]
        send(run, Stop(by="test"))
        seen.add(run)


def test_left_in_the_background_it_trains_all_and_can_be_looked_at_again(runs: Path) -> None:
    with Terminal("compare", "none", "onecycle", *LONG) as terminal:
        terminal.until("training 1 of 2")
        terminal.until("━")
        terminal.press("q")
        terminal.until("tui-trainer compare SESSION shows it again")
        terminal.press("k")
        assert terminal.wait() == 0
        assert b"tui-trainer compare" in terminal.text
    go_on_to_the_last(runs)
    assert ended(runs) == ["stopped", "stopped"]
    with Terminal("compare", all_sessions(runs)[0].name, "--max-rate", "8", columns=80, lines=24) as again:
        again.until("all 2 runs are over")
        again.until("onecycle")
        again.press("q")
        assert again.wait() == 0
        said = again.text.split(b"\x1b[?1049l")[-1].decode()
    assert "all 2 runs are over" in said
    assert f"open it again: tui-trainer compare {all_sessions(runs)[0].name}" in said


def test_a_closed_terminal_ends_no_comparison(runs: Path) -> None:
    with Terminal("compare", "none", "onecycle", *LONG) as terminal:
        terminal.until("━")
        terminal.close()
        terminal.wait()
        go_on_to_the_last(runs)
        assert ended(runs) == ["stopped", "stopped"]


@pytest.mark.slow
def test_marked_in_the_picker_and_compared(runs: Path) -> None:
    with Terminal("launch", *SMALL, "--epochs", "2") as terminal:
        terminal.until("presets")
        terminal.press("  c")
        terminal.until("all 2 runs are over")
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"all 2 runs are over; best val accuracy 0." in terminal.text
        assert b"open it again: tui-trainer compare " in terminal.text
    assert ended(runs) == ["finished", "finished"]


def test_a_comparison_in_the_app_that_could_not_begin_is_no_success_of_launch(runs: Path, tmp_path: Path) -> None:
    with Terminal("launch", *SMALL, "--dataset", "mnist", "--data-dir", str(tmp_path)) as terminal:
        terminal.until("presets")
        terminal.press("  c")
        terminal.until("mnist is not in")
        terminal.press("q")
        assert terminal.wait() == 2
        assert b"mnist is not in" in terminal.text.split(b"\x1b[?1049l")[-1]
