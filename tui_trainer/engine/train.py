"""A run from the first word to the last: resolve, train, and say how it ended."""

from __future__ import annotations

import platform
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from tui_trainer import __version__
from tui_trainer.engine.control import Control
from tui_trainer.engine.errors import BadInput, Diverged
from tui_trainer.events import EndStatus, Event, PhaseStarted, RunEnded, RunResolved
from tui_trainer.presets import PresetError
from tui_trainer.spec import RunSpec


def train(
    spec: RunSpec,
    emit: Callable[[Event], None],
    control: Control,
    checkpoint_folder: Path,
    log: Callable[[str], None],
) -> RunEnded:
    """Train as `spec` asks; whatever happens, the last event emitted is the `RunEnded` that is returned.

    `RunResolved` is emitted when all that was asked for is known to be there: a run that ends before it has nothing
    to record. `log` takes what is too long for an event.
    """
    try:
        return _train(spec, emit, control, checkpoint_folder)
    except Exception as error:  # the last line of defence: a run always says how it ended
        log(traceback.format_exc())
        why = " ".join(str(error).split())
        return _ended(emit, "crashed", f"{type(error).__name__}: {why}", exit_code=1)


def _train(spec: RunSpec, emit: Callable[[Event], None], control: Control, checkpoint_folder: Path) -> RunEnded:
    def phase(name: str, detail: str = "") -> None:
        emit(PhaseStarted(at=time.time(), phase=name, detail=detail))

    phase("importing torch")
    import torch

    from tui_trainer.engine import datasets, devices, models
    from tui_trainer.engine.clock import RunClock
    from tui_trainer.engine.loop import fit
    from tui_trainer.engine.recipes import plan
    from tui_trainer.engine.steering import Steering, Stopped
    from tui_trainer.engine.trainer import Trainer

    try:
        device = devices.resolve(spec.device)
        threads = devices.set_threads(spec.threads)
        planned = plan(spec.preset_name, spec.preset, spec.train_images)
        emit(planned.curve)
        phase("loading data", spec.dataset)
        images = datasets.load(spec, device)
        if len(images.train) != spec.train_images:
            planned = plan(spec.preset_name, spec.preset, len(images.train))
            emit(planned.curve)
        phase("building the model", spec.model)
        model = models.build(spec.model, images.shape, spec.seed).to(device)
    except (BadInput, PresetError) as error:
        return _ended(emit, "crashed", str(error), exit_code=2)

    clock = RunClock()
    run = Trainer(spec, planned, images, model, Steering(control, clock, emit), clock, emit, checkpoint_folder)
    emit(
        RunResolved(
            at=time.time(),
            dataset=spec.dataset,
            model=spec.model,
            parameters=models.parameter_count(model),
            device=str(device),
            device_name=devices.name_of(device),
            threads=threads,
            precision="fp32",
            seed=spec.seed,
            train_images=len(images.train),
            val_images=len(images.val),
            recipe=run.recipe,
            versions=versions(),
        )
    )
    phase("training")

    def ended(status: EndStatus, reason: str, exit_code: int) -> RunEnded:
        epoch = min(run.epoch, run.recipe.epochs)
        return _ended(emit, status, reason, exit_code=exit_code, step=run.step, epoch=epoch)

    try:
        try:
            fit(run)
        except Stopped as stopped:
            run.save_last()
            return ended("stopped", stopped.command.reason, stopped.command.exit_code)
    except Diverged as diverged:
        return _ended(emit, "diverged", str(diverged), exit_code=3, step=diverged.step, epoch=run.epoch)
    except torch.OutOfMemoryError:
        reason = f"out of memory on {device} with batches of {run.recipe.batch_size}; try a smaller --batch-size"
        return ended("crashed", reason, exit_code=1)
    return ended("finished", "all epochs done", exit_code=0)


def versions() -> dict[str, str]:
    """What results may depend on."""
    import torch

    return {"tui-trainer": __version__, "torch": torch.__version__, "python": platform.python_version()}


def _ended(
    emit: Callable[[Event], None],
    status: EndStatus,
    reason: str,
    *,
    exit_code: int,
    step: int = 0,
    epoch: int = 0,
) -> RunEnded:
    event = RunEnded(at=time.time(), status=status, reason=reason, step=step, epoch=epoch, exit_code=exit_code)
    emit(event)
    return event
