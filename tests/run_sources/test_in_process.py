"""A run in a thread of this process: whatever fails in there, whoever waits for its end hears of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tui_trainer.events import Alert, AnyEvent, CheckpointSaved, RunEnded
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.checks import parse
from tui_trainer.records.record import Record
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun
from tui_trainer.run_sources.run_source import replay
from tui_trainer.run_spec import RunSpec
from tui_trainer.torchrun import Rank

LONGEST_S = 120.0


def run(runs: Path, **options: Any) -> tuple[LocalRun, list[AnyEvent]]:
    spec = RunSpec.of("steplr", load("steplr"), epochs=1, limit_train=128, limit_val=64, threads=1, device="cpu")
    local = LocalRun(RunRequest.of(spec), runs, ["test"], **options)
    heard: list[AnyEvent] = []
    local.listen(heard.append)
    return local, heard


def fails(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def ending(local: LocalRun, heard: list[AnyEvent]) -> RunEnded:
    local.start()
    ended = local.wait(LONGEST_S)
    assert ended is not None
    assert [event for event in heard if isinstance(event, RunEnded)] == [ended]
    return ended


def notices(heard: list[AnyEvent], kind: str) -> list[str]:
    return [event.text for event in heard if isinstance(event, Alert) and event.kind == kind]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), RuntimeError("broken")], ids=repr)
def test_whatever_ends_the_thread_that_trains_is_the_end_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """A library's `sys.exit()` too, which ends a thread without a word."""
    monkeypatch.setattr("tui_trainer.engine.train.fit", fails(error))
    local, heard = run(tmp_path)
    ended = ending(local, heard)
    assert (ended.status, ended.exit_code) == ("crashed", 1)
    assert type(error).__name__ in ended.reason
    assert local.folder is not None
    assert replay(local.folder).ended == ended
    assert type(error).__name__ in (local.folder / "log.txt").read_text()


def test_an_end_that_cannot_be_told_in_full_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.run_sources.in_process.LocalRun._train", fails(RuntimeError("broken")))
    local, heard = run(tmp_path)
    assert ending(local, heard).reason == "RuntimeError: broken"


@pytest.mark.says("notice.no_log")
def test_a_log_that_cannot_be_opened_ends_no_run(tmp_path: Path) -> None:
    local, heard = run(tmp_path, on_record=fails(PermissionError(13, "Permission denied")))
    assert ending(local, heard).status == "finished"
    assert notices(heard, "recording") == ["what is printed goes to no log: Permission denied"]


def test_watching_that_fails_ends_no_run_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.records.alerts._Speed.take", fails(RuntimeError("broken")))
    local, heard = run(tmp_path)
    assert ending(local, heard).status == "finished"
    assert [text.rpartition(": RuntimeError: ")[2] for text in notices(heard, "watching")] == ["broken"]


@pytest.mark.says("end.all_epochs")
@pytest.mark.never_says(
    "notice.no_log",
    "notice.unwatched",
    "notice.recording_stopped",
    "notice.record_behind",
    "notice.new_record",
    "notice.trains_again",
    "notice.rank_lost",
    "notice.facts_unwritten",
    "notice.facts_lost",
    "notice.event_unrecorded",
)
def test_of_a_run_in_which_nothing_fails_nothing_is_told(tmp_path: Path) -> None:
    begun: list[Record] = []
    local, heard = run(tmp_path, on_record=begun.append)
    assert ending(local, heard).status == "finished"
    assert len(begun) == 1
    assert not [*notices(heard, "recording"), *notices(heard, "watching"), *notices(heard, "woken")]


@pytest.mark.says("notice.from_preset")
@pytest.mark.never_says("notice.from_preset")
def test_what_was_taken_from_the_preset_is_in_the_record(tmp_path: Path) -> None:
    text = '[training]\nepochs = 1\n[optimizer]\nname = "SGD"\nlr = 0.1\n[scheduler]\nname = "StepLR"\nstep_size = 5\n'
    text += '[for]\ndataset = "mnist-5k"\nmodel = "mlp"\n'
    spec = RunSpec.of("made", parse(text), limit_train=64, limit_val=64, threads=1, device="cpu", model=None)
    local = LocalRun(RunRequest.of(spec), tmp_path, ["test"])
    heard: list[AnyEvent] = []
    local.listen(heard.append)
    assert ending(local, heard).status == "finished"
    assert notices(heard, "options") == ["from the preset: dataset mnist-5k, model mlp"]
    told = [event.kind for event in heard if isinstance(event, Alert) and event.kind in ("options", "preset")]
    assert told == ["options", "preset"]  # a screen with one line for both shows the warning
    assert local.folder is not None
    asked: Any = read_facts(local.folder)["asked"]
    assert (asked["dataset"], asked["model"], asked["from_preset"]) == ("mnist-5k", "mlp", ["dataset", "model"])
    plain, others = run(tmp_path)
    assert ending(plain, others).status == "finished"
    assert notices(others, "options") == []


@pytest.mark.says("notice.rank_lost", "notice.resumes_with_any")
@pytest.mark.never_says("notice.resumes_with_any", "notice.rank_lost")
def test_a_lost_process_is_told_with_the_checkpoint_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    two = Rank(rank=0, ranks=2, local_rank=0, local_ranks=2)
    monkeypatch.setattr("tui_trainer.run_sources.in_process.this_rank", lambda: two)
    local, _ = run(tmp_path)
    assert local.give_up().reason == "another of the 2 processes was lost"
    assert "notice.resumes_with_any" not in captions_said
    local, _ = run(tmp_path)
    local._emit(CheckpointSaved(at=1.0, step=1_200, epoch=3, file="checkpoints/last.pt", best=False))
    assert local.give_up().reason == (
        "another of the 2 processes was lost; resume goes on from the checkpoint after step 1,200, "
        "with any number of them"
    )
