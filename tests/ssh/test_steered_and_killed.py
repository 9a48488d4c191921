"""The LR dial, other epochs, and an end gone beyond: killed with SIGKILL after them, a run goes on to the bit, of one
process or of several."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
import torch

from tests.ssh.test_ranks import ME, TINY
from tests.ssh.together import done, run_named, together
from tests.waiting import until
from tui_trainer.commands import AnyCommand, OneBatch, Pause, SetEpochs, SetLR, SetPace
from tui_trainer.engine import checkpoints
from tui_trainer.engine.lr_preview import full_plan
from tui_trainer.engine.schedules import RunLength
from tui_trainer.presets.catalogue import load
from tui_trainer.records.history import History
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

BATCHES = 8
FACTOR = 0.37


def asked(host: JournalSource, *commands: AnyCommand) -> None:
    """Ask, and wait until all is answered."""
    host.poll()
    wanted = len(host.history.answers) + len(commands)
    for command in commands:
        host.send(command)
    until(lambda: bool(host.poll()) and len(host.history.answers) >= wanted)


def steered_and_killed(run: Path, ranks: int, further: int, *command: str, log: Path) -> tuple[int, int, Path]:
    """Start it, pause it where it is, turn the dial, change the epochs, train on, and kill all of it.

    Returns:
        The step at which it was steered, the epochs that it is to train, and a copy of its folder as it was then.
    """
    with together(ranks, *command, log=log) as trained:
        folder = run_named(run.parent, run.name)
        host = JournalSource(folder)
        begun = replay(folder).steps
        until(lambda: bool(host.poll()) and host.history.ended is None and host.history.steps > begun)
        asked(host, Pause(by=ME))
        step = host.history.steps
        epochs = host.history.epoch + 6
        asked(host, SetLR(by=ME, factor=FACTOR), SetEpochs(by=ME, epochs=epochs))
        assert [answer.accepted for answer in host.history.answers][-2:] == [True, True]
        copy = log / "as it was" / folder.name
        shutil.copytree(folder, copy)
        asked(host, SetPace(by=ME, seconds_a_call=1e-9), *(OneBatch(by=ME) for _ in range(further)))
        # The pause may have been told together with the last answer: nothing more comes then.
        until(lambda: host.poll() >= 0 and host.history.paused is not None and host.history.steps >= step + further)
        assert host.history.steps == step + further
        trained.send(signal.SIGKILL)
        assert trained.wait() == [-signal.SIGKILL] * ranks
    return step, epochs, copy


def assert_same_to_the_bit(killed: Path, copy: Path) -> History:
    """That both come to the same; what was told of the one that was killed."""
    one, other = replay(killed), replay(copy)
    assert one.status == other.status == "finished"
    assert list(one.losses) == list(other.losses)
    assert list(one.lrs) == list(other.lrs)
    assert [(e.train_loss, e.val_loss) for e in one.epochs] == [(e.train_loss, e.val_loss) for e in other.epochs]
    weights, others = (checkpoints.load(each / "checkpoints" / checkpoints.LAST)["model"] for each in (killed, copy))
    for name, weight in weights.items():
        assert torch.equal(weight, others[name]), name
    assert not one.known.flaws.in_words()
    return one


def test_two_processes_hold_to_the_dial_and_other_epochs(runs: Path, tmp_path: Path) -> None:
    command = ["run", *TINY, "--preset", "steplr", "--epochs", "4000", "--name", "night"]
    step, epochs, copy = steered_and_killed(runs / "night", 2, 2 * BATCHES + 3, *command, log=tmp_path)
    run = run_named(runs, "night")
    for folder in (run, copy):
        done(2, "resume", str(folder), log=tmp_path)
    history = assert_same_to_the_bit(run, copy)
    planned = full_plan(load("steplr"), RunLength(epochs, BATCHES))
    assert list(history.lrs) == [*planned[:step], *(lr * FACTOR for lr in planned[step:])]
    (changed,) = history.epochs_changed
    assert (changed.step, changed.old, changed.recipe.epochs, changed.by) == (step, 4000, epochs, ME)
    assert [change.step for change in history.lr_changes if change.why.code == "dial_turned"] == [step]


def test_one_process_holds_to_them_beyond_the_end(runs: Path, tmp_path: Path) -> None:
    """It is killed before another checkpoint is saved than that with which it answered."""
    done(1, "run", *TINY, "--preset", "onecycle", "--epochs", "2", "--name", "night", log=tmp_path)
    last = list(replay(run_named(runs, "night")).lrs)[-1]
    command = ["resume", "night", "--epochs", "4000", "--then", "constant"]
    step, epochs, copy = steered_and_killed(runs / "night", 1, 2, *command, log=tmp_path)
    run, end = run_named(runs, "night"), 2 * BATCHES
    for folder in (run, copy):
        done(1, "resume", str(folder), log=tmp_path)
    history = assert_same_to_the_bit(run, copy)
    assert list(history.lrs)[end:] == [last] * (step - end) + [last * FACTOR] * (epochs * BATCHES - step)
    told = [(change.old, change.recipe.epochs, change.then) for change in history.epochs_changed]
    assert told == [(2, 4000, "constant"), (4000, epochs, "")]
