"""A run from the first batch to the last, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tui_trainer.engine.clock import Awake, TrainingClock
from tui_trainer.engine.control import CommandHandler, CommandQueue, RunStopped
from tui_trainer.engine.devices import broken_context, is_out_of_memory
from tui_trainer.engine.loop import fit
from tui_trainer.engine.metrics import Diverged
from tui_trainer.engine.model_metrics import declared_metrics
from tui_trainer.engine.prepare import Prepared, tell_phase
from tui_trainer.engine.reproducibility import not_deterministic
from tui_trainer.engine.trainer import Trainer
from tui_trainer.events import TRAINING, Alert, AnyEvent, EndStatus, RunEnded, SettingChanged
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted


def train(
    prepared: Prepared,
    emit: Callable[[AnyEvent], None],
    control: CommandQueue,
    checkpoint_folder: Path,
    awake: Callable[[], float] | None = None,
    lost: Callable[[], bool] | None = None,
) -> RunEnded:
    """Train what was prepared, and return how it ended; the caller emits that as the last event.

    `awake` gives the seconds in which the process could run, by which all is timed; `lost` tells whether another
    process trains this run now, and no checkpoint may be saved here.
    """
    emit(prepared.resolved)
    compute_options = prepared.compute_options
    on_cpu = compute_options.device.type == "cpu"
    measured = say("setting.kernels_cpu" if on_cpu else "setting.kernels_cuda")
    emit(SettingChanged(at=time.time(), setting="kernels", old="", new=str(compute_options), reason=measured))
    if why := prepared.passed_over:
        emit(SettingChanged(at=time.time(), setting="device", old="auto", new=str(compute_options.device), reason=why))
    if prepared.spec.precision is None:
        why = say("setting.precision_cuda" if compute_options.precision == "bf16" else "setting.precision_default")
        emit(SettingChanged(at=time.time(), setting="precision", old="auto", new=compute_options.precision, reason=why))
    if compute_options.deterministic:
        why = say("setting.deterministic", cost=say("setting.cpu_repeats" if on_cpu else "setting.slower"))
        emit(SettingChanged(at=time.time(), setting="algorithms", old="", new="deterministic", reason=why))
    for each in prepared.differences:
        emit(SettingChanged(at=time.time(), setting=each.name, old=each.old, new=each.new, reason=each.reason))
    if (chosen := prepared.threads) is not None:
        new, reason = str(chosen.threads), chosen.reason
        emit(SettingChanged(at=time.time(), setting="threads", old="auto", new=new, reason=reason))
    if prepared.spec.metrics == "default":
        for declared in declared_metrics(prepared.images.classes, gpu=not on_cpu):
            emit(declared)
    if left_out := prepared.train_state.left_out:
        emit(Alert(at=time.time(), kind="optimizer", text=left_out))
    tell_phase(emit, TRAINING)
    clock = TrainingClock(prepared.checkpoint["elapsed"] if prepared.checkpoint else 0.0, awake or Awake())
    ranks = prepared.ranks
    run = Trainer(prepared, CommandHandler(ranks.lead(control), clock, emit), clock, emit, checkpoint_folder, lost)

    def ended(status: EndStatus, reason: str, exit_code: int, step: int | None = None) -> RunEnded:
        lacking = run.checkpoints_lacking
        return RunEnded(
            at=time.time(),
            status=status,
            reason=f"{reason}; {lacking}" if lacking else reason,
            step=run.step if step is None else step,
            epoch=run.last_epoch,
            exit_code=exit_code or int(bool(lacking)),  # what was asked for was not all done
        )

    try:
        try:
            if ranks.several and prepared.checkpoint is None:
                run.save_last()  # whenever one of them is lost, there is something to go on from
            with run.hearing():
                fit(run)
        except RunStopped as stopped:
            run.save_last()
            return ended("stopped", stopped.command.reason, stopped.command.exit_code)
    except Diverged as diverged:
        return ended("diverged", str(diverged), exit_code=3, step=diverged.step)
    except (RuntimeError, MemoryError) as error:
        run.tell_what_was_trained()
        if is_out_of_memory(error):
            return ended("crashed", _out_of_memory(run, prepared), 1, step=run.steps_made)
        if why := broken_context(error):
            return ended("crashed", why, 1, step=run.steps_made)
        if why := not_deterministic(error):
            return ended("crashed", why, 1, step=run.steps_made)
        raise
    except BaseException:
        run.tell_what_was_trained()
        raise
    return ended("finished", run.done_because, exit_code=0)


def _out_of_memory(run: Trainer, prepared: Prepared) -> str:
    """What there was no memory for, and what needs less."""
    if run.is_validating:
        instead = "" if prepared.compute_options.device.type == "cpu" else say("end.or_cpu")
        return say("end.out_of_memory_validating", instead=instead)
    images = min(run.recipe.batch_size, len(prepared.images.train))
    what = "--batch-size" if images > 1 else "--model"
    return say("end.out_of_memory", images=counted(images, "image"), what=what)
