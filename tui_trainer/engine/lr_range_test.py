"""An LR range test: the LR is raised from step to step on a copy of what would be trained, which stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice

import torch
from torch import Tensor
from torch.nn import functional

from tui_trainer.engine.clipping import Clipping
from tui_trainer.engine.datasets import Split, batches
from tui_trainer.engine.lr_preview import PlannedRun
from tui_trainer.engine.precision import ComputeOptions, LossScaler
from tui_trainer.engine.prepare import Prepared, begun_with
from tui_trainer.engine.reproducibility import generator_for
from tui_trainer.engine.schedules import build_optimizer
from tui_trainer.engine.train_state import TrainState, parameters_of
from tui_trainer.lr_suggestions import LRCurve, raised
from tui_trainer.presets.schema import Preset, Training


@dataclass(frozen=True)
class RangeTest:
    """From which LR to which, and in how many steps.

    The defaults are fastai's, with twice its steps: the smoothed loss follows 50 of them late.
    """

    lowest: float = 1e-7
    highest: float = 10.0
    steps: int = 200

    def run(
        self,
        prepared: Prepared,
        seed: int,
        tell: Callable[[LRCurve], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> LRCurve:
        """Test the network that `prepared` has, or, for another seed than its own, one that begins with that.

        With the preset's optimizer, weight decay and momentum, its batch size, accumulation, label smoothing and
        clipping, and the batches of a run of that seed, cropped and flipped as there; its schedule has no say. Groups
        of parameters have the same part of the LR as they begin with.

        Args:
            prepared: what would be trained; its weights, its optimizer's state and torch's random numbers stay as they
                are.
            seed: of weights and batches.
            tell: is given the curve after every step.
            stopped: asked before every step; the curve ends there, and has no `ended`.

        Raises:
            UserError, RuntimeError, MemoryError: as in training.
        """
        device = prepared.compute_options.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            original, code = prepared.train_state, prepared.code
            if seed != prepared.spec.seed:
                original = _begun_with(seed, prepared)
            loss = code.loss_of if code.loss is not None else None
            return self._on_a_copy(
                original, original.planned, prepared.images.train, prepared.compute_options, seed, tell, stopped, loss
            )

    def _on_a_copy(
        self,
        original: TrainState,
        planned: PlannedRun,
        split: Split,
        compute_options: ComputeOptions,
        seed: int,
        tell: Callable[[LRCurve], None],
        stopped: Callable[[], bool],
        own_loss: Callable[[Tensor, Tensor], Tensor] | None,
    ) -> LRCurve:
        model, optimizer = _twins(original, compute_options)
        # A copy would be compiled anew, which takes longer than all of its steps.
        forward = replace(compute_options, compiled=False).forward(model)
        scaler = LossScaler(compute_options)
        training = planned.preset.training
        parts = _parts_of_lr(planned.preset, len(optimizer.param_groups))
        clipping = Clipping.of(training, model)
        cross_entropy = partial(functional.cross_entropy, label_smoothing=training.label_smoothing)
        loss_of = own_loss or cross_entropy
        torch.manual_seed(generator_for("range test", seed, 0).initial_seed())  # what is left out at random
        curve = LRCurve(self.steps)
        model.train()
        lrs = raised(self.lowest, self.highest, self.steps)
        for lr, of_step in zip(lrs, _endless(split, training, seed), strict=False):
            if stopped():
                break
            for group, of_run in zip(optimizer.param_groups, parts, strict=True):
                group["lr"] = lr * of_run
            optimizer.zero_grad()
            losses, images_of_step = [], sum(len(labels) for _, labels in of_step)
            for images, labels in of_step:
                loss = loss_of(forward(images), labels)
                if training.accumulate > 1:
                    loss = loss / (images_of_step / len(labels))
                scaler.scale(loss).backward()
                losses.append(loss.detach())
            if clipping is not None:
                scaler.unscale(optimizer)
                clipping.clip()
            scaler.step(optimizer)
            curve.add(lr, float(sum(losses)))
            tell(curve)
            if curve.ended is not None:
                break
        return curve


def _begun_with(seed: int, prepared: Prepared) -> TrainState:
    """As the run would begin with another seed."""
    model = begun_with(seed, prepared.spec, prepared.code, prepared.images)
    options = prepared.compute_options
    return TrainState(options.place(model), prepared.train_state.planned, options)


def _parts_of_lr(preset: Preset, groups: int) -> list[float]:
    """What the LR of each group of parameters is, as a part of that which is raised: as the schedule begins."""
    parts = [1.0] * groups
    for number in preset.groups_with_lr:
        parts[number] = preset.of_group(number).start_lr / preset.of_group(0).start_lr
    return parts


def _twins(original: TrainState, options: ComputeOptions) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """A copy of the network and one of its optimizer, with the preset's own momentum, which a scheduler may move."""
    model = copy.deepcopy(original.model)
    preset = original.planned.preset
    own = options.optimizer_options(preset.optimizer)
    optimizer = build_optimizer(preset.optimizer, parameters_of(preset, model), **own)
    state = copy.deepcopy(original.optimizer.state_dict()["state"])
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return model, optimizer


def _endless(split: Split, training: Training, seed: int) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """The batches of each step, of one epoch after the other."""
    for epoch in count(1):
        of_epoch = batches(split, training.batch_size, seed, epoch)
        while of_step := list(islice(of_epoch, training.accumulate)):
            yield of_step
