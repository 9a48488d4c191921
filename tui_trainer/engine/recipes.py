"""A preset and a number of images, worked out: how many steps, and the LR curve that they will follow."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tui_trainer.engine.rehearsal import SAMPLE_ABOVE, Rehearsal, rehearse, rehearse_stalled
from tui_trainer.engine.schedules import RunLength
from tui_trainer.events import PlanMade, Recipe
from tui_trainer.presets import Preset, PresetError


@dataclass(frozen=True)
class Planned:
    """A preset ready to be followed over some epochs of a run."""

    preset: Preset
    recipe: Recipe
    length: RunLength
    """Of the part of the run that follows the preset."""
    curve: PlanMade
    first_epoch: int = 1
    first_step: int = 1


def plan(
    name: str,
    preset: Preset,
    train_images: int,
    *,
    first_epoch: int = 1,
    last_epoch: int | None = None,
    first_step: int = 1,
    sample_above: int = SAMPLE_ABOVE,
) -> Planned:
    """Work out `preset` from `first_epoch` on: over its own number of epochs, or up to `last_epoch` of a longer run.

    Raises:
        PresetError: the rehearsal of optimizer and scheduler found what would go wrong.
    """
    epochs = preset.training.epochs if last_epoch is None else last_epoch - first_epoch + 1
    length = length_of(preset, train_images, epochs)
    rehearsal = rehearse(preset, length, sample_above=sample_above)
    if errors := [problem for problem in rehearsal.problems if problem.severity == "error"]:
        raise PresetError(errors)
    before = first_step - 1
    return Planned(
        preset=preset,
        length=length,
        recipe=Recipe(
            preset=name,
            title=preset.title,
            optimizer=preset.optimizer.name,
            scheduler=preset.scheduler.name,
            interval=preset.scheduler.interval,
            monitor=preset.scheduler.monitor,
            warmup_epochs=preset.warmup.epochs if preset.warmup else 0,
            epochs=first_epoch + epochs - 1,
            batch_size=preset.training.batch_size,
            batches_per_epoch=length.batches_per_epoch,
            total_steps=before + length.total_steps,
        ),
        curve=_curve(rehearsal, before),
        first_epoch=first_epoch,
        first_step=first_step,
    )


def length_of(preset: Preset, train_images: int, epochs: int | None = None) -> RunLength:
    """How long a preset is followed: over `epochs`, else its own number of them."""
    return RunLength(
        epochs=preset.training.epochs if epochs is None else epochs,
        batches_per_epoch=-(-train_images // preset.training.batch_size),
    )


def plan_if_flat(planned: Planned) -> PlanMade | None:
    """What would come of a plan that depends on the losses if they stopped getting better at once; None for others."""
    rehearsal = rehearse_stalled(planned.preset, planned.length)
    return None if rehearsal is None else _curve(rehearsal, planned.first_step - 1)


def _curve(rehearsal: Rehearsal, before: int) -> PlanMade:
    return PlanMade(
        at=time.time(),
        steps=[before + step for step in rehearsal.steps],
        lrs=list(rehearsal.lrs),
        last_step=before + rehearsal.last_step,
        exact=rehearsal.exact,
        note=rehearsal.note,
    )
