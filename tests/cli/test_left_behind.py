"""What is said of what goes on, or is cut off, once the screen was left."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.compare.made import compared, record
from tui_trainer.cli import foreground, launch
from tui_trainer.cli.compare import finish, stop_and_finish
from tui_trainer.commands import Stop
from tui_trainer.compare.queue import Queue
from tui_trainer.records.record import Record


class Training:
    """What trains a comparison, and ends once it was told to, if it does."""

    exit_code, failure = 0, ""

    def __init__(self, *, obeys: bool) -> None:
        self._obeys = obeys
        self.is_over = False
        self.asked: Stop | None = None

    def stop(self, command: Stop) -> None:
        self.asked, self.is_over = command, self._obeys

    def wait(self, _: float) -> None: ...


class Signals:
    def has_asked(self) -> None: ...


def ended(runs: Path, training: Training) -> int:
    comparison = compared(runs, [record(runs)], ["none"])
    return stop_and_finish(comparison, cast(Queue, training), None, 143, cast(Any, Signals()))


@pytest.mark.says("end.by_signal")
@pytest.mark.never_says("shell.cut_off", "end.by_shell")
def test_a_comparison_that_a_signal_stops_ends_with_its_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = Training(obeys=True)
    assert ended(tmp_path, training) == 143
    assert training.asked is not None
    assert training.asked.reason == "stopped by a signal"
    assert "cut off" not in "".join(capsys.readouterr())


@pytest.mark.says("shell.cut_off")
@pytest.mark.never_says("end.by_signal")
def test_what_has_not_ended_in_time_is_said_to_be_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparison = compared(tmp_path, [record(tmp_path)], ["none"])
    assert finish(comparison, cast(Queue, Training(obeys=False)), None) == 0
    assert capsys.readouterr().err == "what trains has not ended within 60 s: it is cut off, as by a kill\n"


@pytest.mark.says("shell.in_background")
def test_a_runs_log_is_told_that_its_screen_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs: list[Path] = []
    monkeypatch.setattr(foreground, "print_to", logs.append)
    made = Record.create(tmp_path, {"preset_name": "none"})
    launch.log_from_here(made)
    made.close()
    assert logs == [made.folder / "log.txt"]
    words = "the screen was left: this run is in the background from here on, without a terminal\n"
    assert capsys.readouterr().out.endswith(f" {words}")
