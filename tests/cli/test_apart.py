"""`--detach`, `--retry`, and `attach` right after `run`: training that its shell does not wait for."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import SMALL
from tests.scripted import scripted_run
from tests.ssh.together import together
from tests.waiting import until
from tui_trainer.cli import apart, awaiting
from tui_trainer.events import AnyEvent
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize

Cli = Callable[..., Result]

WHOLE = scripted_run(epochs=2, batches=4)


def test_a_run_that_is_detached_outlives_its_shell_and_is_gone_on_with_as_it_was_killed(
    runs: Path, tmp_path: Path
) -> None:
    long = [*SMALL, "--preset", "none", "--batch-size", "1", "--epochs", "500"]
    with together(1, "run", *long, "--detach", log=tmp_path) as started:
        assert started.processes[0].wait() == 0
    (folder,) = runs.iterdir()
    try:
        assert started.said[0] == f"{folder.name}\n"
        until(lambda: any((folder / "checkpoints").glob("*.pt")))
        pid = summarize(folder).pid
        assert pid is not None
        assert os.getsid(pid) == pid
        told = [line for line in (folder / "log.txt").read_text().splitlines() if "train_loss" in line]
        assert len(told) == len(set(told)) > 0
        os.kill(pid, signal.SIGKILL)
        until(lambda: summarize(folder).status == "crashed")
        with together(1, "resume", folder.name, "--detach", log=tmp_path) as again:
            assert again.processes[0].wait() == 0
        assert again.said[0] == f"{folder.name}\n"
        assert summarize(folder).status == "running"
        assert summarize(folder).pid not in (None, pid)
    finally:
        if (last := summarize(folder).pid) is not None and summarize(folder).status == "running":
            os.kill(last, signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--preset", "typo"], "typo: no preset of this name"),
        (["--preset", "none", "--json"], "--json needs somebody who reads"),
    ],
)
def test_bad_input_is_said_before_anything_is_detached(cli: Cli, runs: Path, options: list[str], said: str) -> None:
    result = cli("run", *options, *SMALL, "--detach")
    assert result.exit_code == 2
    assert said in result.stderr
    assert not runs.exists()


@pytest.mark.says("shell.killed_before_record")
def test_what_is_killed_before_there_is_a_record_is_told_where_it_was_begun(capfd: pytest.CaptureFixture[str]) -> None:
    assert apart.begin(lambda _: os.kill(os.getpid(), signal.SIGKILL)) == 1  # type: ignore[arg-type, return-value]
    assert capfd.readouterr() == ("", "its process was killed before there was a record\n")


@pytest.mark.never_says("shell.killed_before_record")
def test_what_fails_before_there_is_a_record_is_told_where_it_was_begun(capfd: pytest.CaptureFixture[str]) -> None:
    def train(begun: Callable[[Path], None]) -> int:
        print("no data here")
        raise SystemExit(2)

    assert apart.begin(train) == 2
    assert capfd.readouterr() == ("", "no data here\n")


def recorded(runs: Path, events: list[AnyEvent]) -> Path:
    record = Record.create(runs, {"preset_name": "none"})
    for event in events:
        record.emit(event)
    record.close()
    return record.folder


class Trained:
    """Stands in for a training: ends once after the other in these ways."""

    def __init__(self, folder: Path, *ways: int) -> None:
        self.folder, self.ways = folder, iter(ways)
        self.log = folder.parent / "attempts"

    def __call__(self, goes_on: Path | None, begun: Callable[[Path], None]) -> int:
        with self.log.open("a") as log:
            log.write(f"{goes_on.name if goes_on else 'new'}\n")
        begun(self.folder)
        attempt = len(self.log.read_text().splitlines())
        way = list(self.ways)[attempt - 1]
        if way < 0:
            os.kill(os.getpid(), -way)
            signal.pause()
        if way == 0:
            record = Record.reopen(self.folder)
            record.emit(WHOLE[-1])
            record.close()
        return way

    @property
    def attempts(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def crashed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The record of a run whose process is gone."""
    monkeypatch.setattr(apart, "RETRY_AFTER_S", 0.01)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield recorded(runs, WHOLE[: len(WHOLE) // 2])
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@pytest.mark.says("end.gone")
@pytest.mark.says("shell.retry", "shell.retry_number", "shell.killed")
@pytest.mark.never_says("shell.killed")
def test_one_that_crashes_is_gone_on_with_as_often_as_was_asked(
    crashed: Path, captions_said: set[str], capfd: pytest.CaptureFixture[str]
) -> None:
    train = Trained(crashed, 1, -signal.SIGKILL, 0)
    assert apart.retried(1, train, lambda _: None) == 128 + signal.SIGKILL
    assert train.attempts == ["new", crashed.name]
    assert "shell.killed" not in captions_said
    train.log.unlink()
    assert apart.retried(5, train, lambda _: None) == 0
    assert train.attempts == ["new", crashed.name, crashed.name]
    gone = "its process is gone and said no goodbye"
    said = [
        f"{crashed.name} crashed: {gone}; retry 1 of 1 in 0.01 s, from its checkpoint",
        f"{crashed.name} crashed: {gone}; retry 1 of 5 in 0.01 s, from its checkpoint",
        f"{crashed.name} crashed: its process was killed by SIGKILL; retry 2 of 5 in 0.02 s, from its checkpoint",
    ]
    assert capfd.readouterr().err.splitlines() == said
    assert (crashed / "log.txt").read_text().splitlines() == said


@pytest.mark.never_says("shell.retry", "shell.retry_number")
@pytest.mark.parametrize("way", [0, 3, -signal.SIGTERM, 130, 2])
def test_one_that_did_not_crash_is_not(crashed: Path, way: int, captions_said: set[str]) -> None:
    if way in (3, 2):
        record = Record.reopen(crashed)
        record.emit(scripted_run(epochs=2, batches=4, not_finite_at=2, status="diverged")[-1])
        record.close()
    train = Trained(crashed, way)
    assert apart.retried(5, train, lambda _: None) == (way if way >= 0 else 128 - way)
    assert train.attempts == ["new"]
    assert not captions_said


@pytest.mark.says("shell.waited_for")
@pytest.mark.never_says("shell.waited_for")
def test_attach_right_after_run_waits_for_its_record(
    runs: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(awaiting, "_commands", lambda: iter([["tui-trainer", "attach"]]))
    with pytest.raises(SystemExit) as refused:  # nothing trains: no sign of a run to come
        awaiting.awaited(runs, None, print)
    assert refused.value.code == 2
    assert captions_said <= {"record.none_yet", "record.look_elsewhere"}  # of what is waited for, unsaid
    monkeypatch.setattr(
        awaiting, "_commands", lambda: iter([["python", "-m", "tui_trainer", "run", "--preset", "none"]])
    )
    monkeypatch.setattr(awaiting, "LOOK_EVERY_S", 0.0)
    looks = iter(range(3))
    began: list[Path] = []
    monkeypatch.setattr(awaiting.time, "sleep", lambda _: next(looks) == 2 and began.append(recorded(runs, WHOLE)))
    assert awaiting.awaited(runs, None, print) == began[0]
    assert "waiting for its record" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "makes"),
    [
        (["/usr/bin/python", "/venv/bin/tui-trainer", "run", "--preset", "x"], True),
        (["python", "-m", "tui_trainer", "launch"], True),
        (["python", "-m", "tui_trainer", "attach"], False),
        (["python", "-m", "pytest", "tui_trainer", "run"], False),
        (["vim", "tui-trainer"], False),
        ([], False),
    ],
)
def test_which_commands_make_records(command: list[str], makes: bool) -> None:
    assert awaiting.makes_a_record(command) is makes
