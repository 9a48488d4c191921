"""Runs that go wrong, and what they say."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.engine import tiny as t
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.engine.checkpoints import BEST, load
from tui_trainer.engine.trainer import Trainer
from tui_trainer.errors import UserError
from tui_trainer.events import EpochEnded, StepsTaken
from tui_trainer.presets.checks import parse

EXPLODING = '[optimizer]\nname = "SGD"\nlr = 0.01\n[scheduler]\nname = "ExponentialLR"\ngamma = 1e30\n'


@pytest.mark.says("end.not_finite", "end.loss_of")
@pytest.mark.never_says("end.loss_after", "end.all_epochs")
def test_a_loss_that_is_not_finite_ends_the_run_with_its_step_and_lr(tiny: TinyRun) -> None:
    ended = tiny.train(EXPLODING, epochs=5)
    assert (ended.status, ended.exit_code) == ("diverged", 3)
    assert None not in tiny.losses[:-1]
    assert tiny.losses[-1] is None
    assert ended.step == len(tiny.losses)
    assert f"step {ended.step} " in ended.reason
    assert "LR 1e+28" in ended.reason
    assert all(math.isfinite(e.val_loss) for e in tiny.of(EpochEnded))


def test_what_diverged_overwrites_no_checkpoint(tiny: TinyRun) -> None:
    tiny.train(EXPLODING, epochs=5)
    best = load(tiny.folder / BEST)
    assert best["step"] == tiny.of(EpochEnded)[-1].step
    assert all(torch.isfinite(weight).all() for weight in best["model"].values())


def test_nothing_is_reported_after_the_step_that_diverged(tiny: TinyRun) -> None:
    tiny.train(EXPLODING, epochs=5)
    steps = tiny.of(StepsTaken)
    assert steps[-1].losses[-1] is None
    assert sum(len(e.losses) for e in steps) == steps[-1].step + len(steps[-1].losses) - 1


@pytest.mark.says("end.not_finite", "end.loss_after")
@pytest.mark.never_says("end.loss_of", "end.all_epochs")
def test_a_validation_that_is_not_finite_ends_the_run_before_its_checkpoint(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.engine.trainer.validate", lambda *args: (math.nan, 1.0))
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.exit_code, ended.step) == ("diverged", 3, BATCHES)
    assert ended.reason == f"the validation loss after step {BATCHES} was not finite (LR 0.01)"
    assert list(tiny.folder.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "python"],
)
def test_out_of_memory_is_a_sentence_with_the_batch_size(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def no_memory(self: Trainer, *args: object) -> None:
        raise error

    monkeypatch.setattr(Trainer, "end_batch", no_memory)
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.exit_code) == ("crashed", 1)
    assert ended.reason == "out of memory with batches of 8 images; try a smaller --batch-size"


@pytest.mark.parametrize("made", [0, 3])
def test_a_step_that_found_no_memory_is_not_said_to_have_been_made(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, made: int
) -> None:
    backward = torch.Tensor.backward

    def no_memory(self: torch.Tensor, *args: Any, **options: Any) -> None:
        tried.append(self)
        if len(tried) > made:
            raise MemoryError
        backward(self, *args, **options)

    tried: list[torch.Tensor] = []
    monkeypatch.setattr(torch.Tensor, "backward", no_memory)
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.step) == ("crashed", made)


@pytest.mark.says("end.out_of_memory")
@pytest.mark.never_says("end.out_of_memory", "end.out_of_memory_validating", "end.all_epochs")
@pytest.mark.parametrize(
    ("batch_size", "words"),
    [
        (16, "16 images; try a smaller --batch-size"),
        (64, "20 images; try a smaller --batch-size"),  # there are no more
        (1, "1 image; try a smaller --model"),
    ],
)
def test_batches_for_which_there_was_no_memory_are_not_said_to_be_larger_than_the_data(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, batch_size: int, words: str, captions_said: set[str]
) -> None:
    def no_memory(self: Trainer, *args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Trainer, "end_batch", no_memory)
    text = f"[training]\nepochs = 1\nbatch_size = {batch_size}\n{t.NONE}"
    monkeypatch.setattr(t, "preset", lambda *_: parse(text))
    assert tiny.train(t.NONE).reason == f"out of memory with batches of {words}"
    assert not captions_said & {"end.out_of_memory_validating", "end.all_epochs"}


@pytest.mark.says("device.none")
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_device_that_is_not_there_is_bad_input(device: str) -> None:
    from tui_trainer.engine.devices import resolve

    with pytest.raises(UserError, match=rf"--device {device}: .*sees no CUDA device"):
        resolve(device)


@pytest.mark.says("end.all_epochs")
@pytest.mark.never_says("end.not_finite")
def test_epochs_are_not_ended_that_were_not_finished(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=2)
    assert [e.step for e in tiny.of(EpochEnded)] == [BATCHES, 2 * BATCHES]
