"""A run's model, data, optimizer and scheduler, with the calls that the loop makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from math import inf, isfinite, nan, nextafter
from pathlib import Path
from typing import Any

from msgspec import structs
from pydantic import ValidationError
from torch import Tensor, nn

from tui_trainer.best import Best, is_better
from tui_trainer.commands import LARGEST_FACTOR, SetEpochs, SetLR, SwitchPreset
from tui_trainer.engine import checkpoints, reproducibility, tracing
from tui_trainer.engine.accumulation import Accumulation
from tui_trainer.engine.augmentation import check_augmentation
from tui_trainer.engine.checkpoints import Saver
from tui_trainer.engine.clipping import CLIPPED_SHARE, Clipping
from tui_trainer.engine.clock import TrainingClock
from tui_trainer.engine.code_numbers import CodeNumbers
from tui_trainer.engine.control import CommandHandler, CommandRefused
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.devices import memory_held
from tui_trainer.engine.early_stopping import Patience
from tui_trainer.engine.extension import Extended
from tui_trainer.engine.lr_preview import PlannedRun, dialled, plan
from tui_trainer.engine.metrics import Diverged, MetricAccumulator, validate
from tui_trainer.engine.model_metrics import Confusion, Norms
from tui_trainer.engine.parameter_groups import check_groups, check_groups_of
from tui_trainer.engine.prepare import Prepared, facts
from tui_trainer.engine.reasons import explain
from tui_trainer.engine.schedules import Schedule
from tui_trainer.engine.thread_tuner import ThreadTuner, timed_on_a_copy
from tui_trainer.engine.tracing import CallTracer
from tui_trainer.engine.weight_average import RAW, WeightAverage, declared_raw
from tui_trainer.events import (
    EARLY_STOPPING,
    MOMENTUM,
    Alert,
    AnyEvent,
    CommandAnswered,
    ConfusionCounted,
    EpochEnded,
    EpochsChanged,
    MetricDeclared,
    MetricsLogged,
    PresetSwitched,
    ResolvedConfig,
    SettingChanged,
    SwitchPlanned,
)
from tui_trainer.files import most_wrong
from tui_trainer.logged_numbers import heard_by
from tui_trainer.lr_reasons import changed
from tui_trainer.presets.checks import check
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset
from tui_trainer.run_spec import made_for_others
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.reasons import Reason


class Trainer:
    """Everything that the loop needs, and what happens between its calls.

    Attributes:
        step: steps of the optimizer so far, or batches, where each is one.
        epoch: the epoch that runs, or will run next, counted from 1.
        batch: steps of it so far; 0 between two epochs.
        begins_step, ends_step: whether the batch that runs is the first of its step, and the last.
        best: the best epoch so far; None before the first.
        is_validating: whether the network is being validated, or failed in it.
    """

    def __init__(
        self,
        prepared: Prepared,
        command_handler: CommandHandler,
        clock: TrainingClock,
        emit: Callable[[AnyEvent], None],
        checkpoint_folder: Path,
        lost: Callable[[], bool] | None = None,
    ) -> None:
        self._spec, self._resolved, self._images = prepared.spec, prepared.resolved, prepared.images
        self._train_state = prepared.train_state
        self._device = prepared.compute_options.device
        self._arithmetic = reproducibility.circumstances(self._device)
        model = self._train_state.model
        self._ranks = prepared.ranks
        self._forward = prepared.compute_options.forward(self._ranks.wrap(model))
        self._compute_options = prepared.compute_options
        self._forward_here = prepared.compute_options.forward(model)
        self._command_handler, self._clock, self._emit = command_handler, clock, emit
        self._saver = Saver(checkpoint_folder, prepared.ranks, emit, last_is_sound=prepared.last_is_sound, lost=lost)
        self._calls = CallTracer(emit, command_handler, clock.now)
        self._metrics = MetricAccumulator(emit, self._ranks, lambda: clock.elapsed)
        self._run_folder = checkpoint_folder.parent
        self._code = prepared.code
        self._numbers = CodeNumbers(emit) if self._code.is_there else None
        self._draws = self._code.is_there or bool(self._spec.preset.model_options.get("dropout"))
        """Whether the network may draw random numbers of torch's."""
        self._norms: Norms | None = None
        self._confusion: Confusion | None = None
        if self._spec.metrics == "default":
            self._norms = Norms(model, emit, self._train_state.loss_scaler.one)
            self._confusion = Confusion(len(self._images.classes), self._device)
        self._clipping: Clipping | None = None
        self._accumulation: Accumulation | None = None
        self._raw: tuple[float, float] | None = None
        """Loss and accuracy of the weights themselves in the last validation, where their average is validated."""
        self._patience = Patience.of(self._train_state.planned.preset.training)
        self._thread_tuner = self._make_thread_tuner(prepared)
        self._explained: list[AnyEvent] = []
        self._switch: PlannedRun | None = None
        self._dialled: list[Any] | None = None
        """When the LR dial was turned last (Unix time), after which step, in which epoch, the LR then, and by whom."""
        self._epochs_changed: list[Any] | None = None
        """When the number of epochs was changed last (Unix time), after which step, in which epoch, from how many, by
        whom, and what they follow and the preset before, where that is another."""
        self._epoch_began = self._epoch_trained = 0.0
        self._lr = 0.0
        self._lr_names = self._lrs_of_groups()
        """The series of the LR of each group of parameters that has its own, and the group's number."""
        self._tells_more = False
        """Whether there are such, or the schedule moves the momentum."""
        self.step, self.epoch, self.batch = 0, 1, 0
        self.steps_made = 0
        """The last step that was made; `step` may be under way."""
        self.begins_step = self.ends_step = True
        self.best: Best | None = None
        self.is_validating = False
        self._ended_early = ""
        self._skipped = self._train_state.loss_scaler.skipped
        if prepared.checkpoint is not None:
            self._go_on_from(prepared.checkpoint, prepared.extended)
        self._watch()
        if prepared.extended is not None:
            self._extend(prepared.extended)

    @property
    def recipe(self) -> ResolvedConfig:
        """What the preset that is followed came to for this run."""
        return self._train_state.planned.recipe

    @property
    def done_because(self) -> str:
        """Why nothing is left to train, once that is so."""
        return self._ended_early or say("end.all_epochs")

    @property
    def clips_gradients(self) -> bool:
        """Whether the preset has gradients clipped before they are used."""
        return self._clipping is not None

    @property
    def averages_weights(self) -> bool:
        """Whether the preset has an average of the weights made from step to step."""
        average = self._train_state.average
        return average is not None and average.kind == "ema"

    @property
    def averages_epoch(self) -> bool:
        """Whether the preset has the weights after this epoch taken into a mean."""
        average = self._train_state.average
        return average is not None and average.kind == "swa" and self.epoch >= average.first_epoch

    @property
    def checkpoints_lacking(self) -> str:
        """Which checkpoints could not be saved, of which epoch, and why; empty where all are on the disk."""
        return self._saver.lacking

    @property
    def scheduler(self) -> Schedule:
        """The preset's schedule."""
        return self._train_state.scheduler

    def hearing(self) -> AbstractContextManager[None]:
        """Within it, what code of a person's own logs is recorded."""
        return nullcontext() if self._numbers is None else heard_by(self._numbers.hear)

    # The calls of the loop, in their order; `_watch` puts the watched functions in.

    zero_grad: Callable[[], None]
    forward: Callable[[Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor], None]
    clip_gradients: Callable[[], None]
    optimizer_step: Callable[[], object]
    average_weights: Callable[[], None]

    def scheduler_step(self, val_loss: float | None = None, val_accuracy: float | None = None) -> None:
        """Step the scheduler, and find out why the LR moved or did not."""
        old = self.scheduler.scheduled_lrs
        self._scheduler_step(val_loss, val_accuracy)
        self._explained += explain(self.scheduler, old, epoch=self.epoch, step=self.step)

    def validate(self) -> tuple[float, float]:
        """Mean loss and accuracy over the images that validate: of the average of the weights, where there is one.

        Raises:
            Diverged: a loss of the epoch, or that of validation, was not finite.
        """
        if not self.averages_epoch:
            self._begin_epoch_end()
        self.is_validating = True
        self._seed_torch("validation", self.epoch)
        val_loss, val_accuracy = self._validate()
        self.is_validating = False
        if not isfinite(val_loss):
            raise Diverged(self.step, self._lr, say("end.loss_after"))
        return val_loss, val_accuracy

    def average_epoch(self) -> None:
        """Take the weights into the mean that is validated.

        Raises:
            Diverged: a loss of the epoch was not finite.
        """
        self._begin_epoch_end()
        self._seed_torch("average", self.epoch)
        self.average_weights()

    # What happens around them.

    def _begin_epoch_end(self) -> None:
        """The last batch of the epoch is behind us."""
        self.flush(wait=True)
        self._epoch_trained = self._clock.elapsed
        self._calls.begin(self.step, self.epoch, None)

    def epochs(self) -> Iterator[int]:
        """The epochs to train from here on; a planned switch of presets takes effect as one begins.

        Raises:
            RunStopped: the run was asked to end before its first batch.
        """
        self._command_handler.handle_commands(self)
        while self.epoch <= self.recipe.lengths.epochs:
            if self._patience is not None and self._patience.is_at_its_end and not self.batch and self._switch is None:
                self._end_early(self._patience)
                return
            self._begin_epoch()
            yield self.epoch

    def _end_early(self, patience: Patience) -> None:
        """Validation got no better: the epochs so far are all that the run has."""
        self._ended_early = patience.reason
        old = self.recipe.lengths.epochs
        recipe = structs.replace(self.recipe, epochs=self.last_epoch, total_steps=self.step)
        at, by = time.time(), EARLY_STOPPING
        self._emit(EpochsChanged(at=at, step=self.step, epoch=self.last_epoch, old=old, recipe=recipe, by=by))

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of the epoch that are still to be trained."""
        accumulation = self._accumulation
        first = self.batch * (accumulation.batches if accumulation is not None else 1) + 1
        split, size, share = self._images.train, self.recipe.batch_size, self._ranks.share
        loader = batches(split, size, self._spec.seed, epoch, first, share)
        for number, (images, labels) in enumerate(self._calls.watch_data(loader), first):
            if accumulation is not None:
                accumulation.stand_at(number)
                self.begins_step, self.ends_step = accumulation.begins_step, accumulation.ends_step
            if self.begins_step:
                self._begin_step(epoch)
            if self.ends_step:
                yield images, labels
            else:
                with self._ranks.no_sync():
                    yield images, labels

    def _begin_step(self, epoch: int) -> None:
        self.batch += 1
        self.step += 1
        self._lr = self.scheduler.lr
        if self._tells_more:
            self._metrics.add_known(self._known())
        if self._numbers is not None:
            self._numbers.begin()
        self._seed_torch("step", self.step)
        self._calls.begin(self.step, epoch, self.batch)

    def _seed_torch(self, purpose: str, at: int) -> None:
        if self._draws:
            reproducibility.seed_torch(purpose, self._spec.seed, at)

    def _known(self) -> dict[str, float]:
        """What the next step uses beside its LR, by the names of their series."""
        lrs, momentum = self.scheduler.lrs, self.scheduler.momentum
        known = {name: lrs[number] for name, number in self._lr_names.items()}
        return known if momentum is None else {**known, MOMENTUM: momentum}

    def end_batch(self, outputs: Tensor, labels: Tensor, loss: Tensor) -> None:
        """Take down what the batch gave and, behind a step, do what was asked of the run meanwhile.

        Raises:
            RunStopped: the run is to end.
            Diverged: a loss was not finite.
        """
        if not self.ends_step:
            if self._numbers is not None:
                self._numbers.end_batch(self._ranks.images(labels))
            self._metrics.add_part(loss=loss, outputs=outputs, labels=labels)
            return
        self.steps_made = self.step
        if self._numbers is not None:
            self._metrics.add_logged(self._numbers.of_step(self._ranks.images(labels)))
        self._metrics.add_batch(
            self.step,
            self.epoch,
            self.batch,
            loss=loss,
            outputs=outputs,
            labels=labels,
            lr=self._lr,
            elapsed=self._clock.elapsed,
        )
        self._calls.end()
        if self._thread_tuner is not None and not self._command_handler.following:
            self._thread_tuner.add_step(self._clock.elapsed)
        if not self._ranks.sync_due(at_once=self._command_handler.following):
            return
        if self._metrics.due or self._command_handler.following:
            self.flush()
        self._command_handler.handle_commands(self)

    def end_epoch(self, val_loss: float, val_accuracy: float) -> None:
        """Report the epoch and save a checkpoint."""
        self._calls.end()
        self.flush()
        self._tell_epoch_end(val_loss, val_accuracy)
        ended = Best(self.epoch, val_loss, val_accuracy)
        if best := is_better(ended, self.best):
            self.best = ended
        if self._patience is not None:
            self._patience.count(self.epoch, val_loss, val_accuracy)
        self.epoch, self.batch = self.epoch + 1, 0
        self._save(best=best)
        self._command_handler.handle_commands(self)

    def _tell_epoch_end(self, val_loss: float, val_accuracy: float) -> None:
        metrics = self._metrics
        seconds = self._epoch_trained - self._epoch_began
        self._emit(
            EpochEnded(
                at=time.time(),
                epoch=self.epoch,
                step=self.step,
                train_loss=metrics.loss_sum / metrics.images,
                train_accuracy=metrics.hits / metrics.images,
                val_loss=val_loss,
                val_accuracy=val_accuracy,
                lr=self._lr,
                images_per_second=round(metrics.images / seconds, 1) if seconds > 0 else 0.0,
                elapsed=round(self._clock.elapsed, 4),
            )
        )
        if self._clipping is not None and self._norms is not None:
            self._tell_clipped_share()
        if self._raw is not None and self._norms is not None:
            values = dict(zip(RAW, self._raw, strict=True))
            elapsed = round(self._clock.elapsed, 4)
            self._emit(MetricsLogged(at=time.time(), step=self.step, values=values, epoch=self.epoch, elapsed=elapsed))
        if self._numbers is not None and (logged := self._numbers.of_validation()):
            elapsed = round(self._clock.elapsed, 4)
            self._emit(MetricsLogged(at=time.time(), step=self.step, values=logged, epoch=self.epoch, elapsed=elapsed))
        if self._confusion is not None:
            self._tell_confusion(self._confusion)

    def _tell_clipped_share(self) -> None:
        """Of the epoch's steps, how many had gradients that were clipped."""
        values = {CLIPPED_SHARE: self._metrics.clipped / self.batch}
        elapsed = round(self._clock.elapsed, 4)
        self._emit(MetricsLogged(at=time.time(), step=self.step, values=values, epoch=self.epoch, elapsed=elapsed))

    def _tell_confusion(self, confusion: Confusion) -> None:
        """What the validation took for what, how right it was about each class, and what the process holds."""
        names = self._images.classes
        counts = confusion.matrix(self._ranks)
        if not self._ranks.several:  # each of several has seen a part of the images
            self._keep_most_wrong(confusion)
        now = time.time()
        self._emit(ConfusionCounted(at=now, epoch=self.epoch, step=self.step, classes=[*names], counts=counts))
        values = memory_held(self._device)
        for number, (name, row) in enumerate(zip(names, counts, strict=True)):
            if images := sum(row):
                values[f"val_accuracy/{name}"] = row[number] / images
        elapsed = round(self._clock.elapsed, 4)
        self._emit(MetricsLogged(at=now, step=self.step, values=values, epoch=self.epoch, elapsed=elapsed))

    def _keep_most_wrong(self, confusion: Confusion) -> None:
        """Before the matrix is told: who hears of that finds them there."""
        val = self._images.val
        to_pixels = val.normalisation.pixels
        with suppress(OSError):  # a full disk is told of where the journal meets it
            most_wrong.write(self._run_folder, confusion.most_wrong(self.epoch, val.images, val.labels, to_pixels))

    def flush(self, *, wait: bool = False) -> None:
        """Report what happened since the last time; with `wait`, all of it, whatever is still on the device."""
        try:
            self._metrics.report(wait=wait)
        finally:
            self._calls.report()
            for event in self._explained:
                self._emit(event)
            self._explained.clear()
        if self._train_state.loss_scaler.is_on:
            self._tell_skipped_steps()

    def _tell_skipped_steps(self) -> None:
        """Say which steps changed no weight, because their gradients overflowed in fp16."""
        scaler = self._train_state.loss_scaler
        new = scaler.skipped - self._skipped
        self._skipped += new
        if new:
            why = say("setting.steps_skipped", steps=counted(new, "step"), step=f"{self.step:,}")
            scale = f"{scaler.scale_now:g}"
            self._emit(SettingChanged(at=time.time(), setting="loss scale", old="", new=scale, reason=why))

    def tell_what_was_trained(self) -> None:
        """Report, as well as can be, all steps that were finished before something failed; nothing is raised."""
        if self._ranks.several:  # the others are not there to sync with; what was trained until the last sync is told
            return
        with suppress(Exception):
            self.flush(wait=True)

    def set_lr(self, command: SetLR) -> str:
        """Turn the LR dial, from the next step on."""
        factor, scheduler = self._factor(command), self.scheduler
        if factor == scheduler.factor:
            raise CommandRefused(say("reply.dial_there", factor=format_lr(factor)))
        self.flush(wait=True)
        old = scheduler.lr
        scheduler.dial(factor)
        self._dialled = [time.time(), self.step, self.last_epoch, old, command.by]
        self._save()  # before it is told: what a record tells, a run that goes on from here holds to
        self._tell_dial()
        now = {"lr": format_lr(scheduler.lr), "step": f"{self.step + 1:,}"}
        if self.step >= self.last_step:
            return say("reply.lr_unused", **now)
        if factor == 1.0:
            return say("reply.lr_own", **now)
        until = "" if self._switch is None else say("reply.until_switch", preset=self._switch.recipe.preset)
        return say("reply.lr", **now, factor=format_lr(factor), until=until)

    def _factor(self, command: SetLR) -> float:
        """What the LR dial is to be set to."""
        if not self.step:
            raise CommandRefused(say("reply.dial_too_early"))
        factor, scheduled = command.factor, self.scheduler.scheduled_lr
        if command.lr is not None:
            if scheduled <= 0:
                raise CommandRefused(say("reply.lr_zero"))
            factor = _factor_for(command.lr, scheduled)
        if factor is None or not 0 < factor < LARGEST_FACTOR:
            raise CommandRefused(say("reply.dial_range", most=f"{LARGEST_FACTOR:,.0f}", whose="the schedule's"))
        return factor

    def _tell_dial(self) -> None:
        """The LR that the dial gave, and the plan with it."""
        if self._dialled is None:
            return
        at, step, epoch, old, by = self._dialled
        factor, new = self.scheduler.factor, self.scheduler.lr
        reason = (
            Reason("dial_off", {"by": by}) if factor == 1.0 else Reason("dial_turned", {"by": by, "factor": factor})
        )
        self._emit(changed(old, new, reason.but(old=old, new=new), epoch, step, at))
        self._tell_dialled_plan()

    def _tell_dialled_plan(self) -> None:
        """What is still planned, under the LR dial."""
        curve, scheduler = self._train_state.planned.curve, self.scheduler
        if self.step < curve.last_step:
            of_groups = {name: scheduler.scheduled_lrs[number] for name, number in self._lr_names.items()}
            self._emit(dialled(curve, self.step + 1, scheduler.scheduled_lr, scheduler.factor, of_groups))

    def set_epochs(self, command: SetEpochs) -> str:
        """Train another number of epochs in all."""
        old, epochs = self.recipe.lengths.epochs, command.epochs
        if epochs == old:
            raise CommandRefused(say("reply.epochs_already", epochs=counted(old, "epoch")))
        if epochs < max(1, self.last_epoch):
            raise CommandRefused(say("reply.epoch_is_trained", epoch=self.last_epoch))
        switch = self._switch
        if switch is not None and epochs < switch.first_epoch:
            taken = {"preset": switch.recipe.preset, "epoch": switch.first_epoch}
            raise CommandRefused(say("reply.epochs_end_before_switch", **taken))
        try:
            if switch is not None:
                self._plan_switch(switch.recipe.preset, switch.preset.model_dump(mode="json"), last_epoch=epochs)
            self._train_state.train_until(epochs, len(self._images.train))
        except (PresetError, ValueError) as error:
            self._switch = switch
            raise CommandRefused(say("reply.epochs_do_not_fit", why=error)) from error
        self.flush(wait=True)
        self._epochs_changed = [time.time(), self.step, self.last_epoch, old, command.by, "", ""]
        self._save()  # before it is told: what a record tells, a run that goes on from here holds to
        self._tell_epochs()
        return say("reply.epochs", epochs=counted(epochs, "epoch"), old=f"{old:,}", step=f"{self.last_step:,}")

    def _tell_epochs(self) -> None:
        """The epochs that the run trains from here on, and the plan with them."""
        if self._epochs_changed is None:
            return
        at, step, epoch, old, by, then, preset = [*self._epochs_changed, "", ""][:7]
        self._emit(EpochsChanged(at=at, step=step, epoch=epoch, old=old, recipe=self.recipe, by=by, then=then))
        if then:
            self._emit(PresetSwitched(at=at, step=step + 1, epoch=epoch + 1, old=preset, recipe=self.recipe))
        self._tell_dialled_plan()

    def _extend(self, to: Extended) -> None:
        """What is trained from here on has been settled; have it kept and told."""
        now = time.time()
        self._epochs_changed = [now, self.step, self.last_epoch, to.old, to.by, to.then, to.old_preset]
        self._save()  # as in `set_epochs`
        self._tell_epochs()
        for warning in to.warnings:
            self._emit(Alert(at=now, kind="preset", text=warning))
        answer = to.answer
        self._emit(CommandAnswered(at=now, id="", command=to.asked, by=to.by, accepted=True, answer=answer))

    def switch_to(self, command: SwitchPreset) -> str:
        """Plan to follow another preset from the next epoch on."""
        if self._next_epoch > self.recipe.lengths.epochs:
            raise CommandRefused(say("reply.last_epoch", epoch=self.last_epoch, preset=command.name))
        try:
            preset = self._plan_switch(command.name, command.preset)
        except (PresetError, ValidationError) as error:
            raise CommandRefused(say("reply.preset_does_not_fit", preset=command.name, why=error)) from error
        self.save_last()  # what was promised is kept, whatever kills the process before the next epoch
        others = made_for_others(preset, self._resolved)
        planned = {"preset": command.name, "epoch": self._next_epoch}
        return say("reply.switch", **planned, others=f"; {others}" if others else "")

    @property
    def before_epoch_end(self) -> bool:
        """Whether the last batch of an epoch was taken, and its end is still to come."""
        return self.batch == self.recipe.batches_per_epoch

    @property
    def last_step(self) -> int:
        """The step that is the run's last one, as planned now: a switch may be to batches of another size."""
        planned = self._switch if self._switch is not None else self._train_state.planned
        return planned.recipe.lengths.total_steps

    @property
    def unit(self) -> str:
        """What a person counts: batches, where each is a step; else steps."""
        return self._train_state.planned.preset.training.unit

    @property
    def last_epoch(self) -> int:
        """The epoch of the last step; 0 before the first."""
        return self.epoch if self.batch else self.epoch - 1

    @property
    def _next_epoch(self) -> int:
        return self.last_epoch + 1

    def _plan_switch(self, name: str, wanted: dict[str, Any], *, last_epoch: int | None = None) -> Preset:
        preset = Preset.model_validate(wanted)
        if self._code.loss is not None and preset.training.label_smoothing:
            raise CommandRefused(say("code.own_smoothing"))
        if self._code.model is None:
            check_groups(preset, self._spec.model)
        else:
            check_groups_of(preset, self._train_state.model, self._spec.model)
        check_augmentation(preset, self._images.shape)
        batches_left = self.recipe.lengths.batches_per_epoch - self.batch if self.batch else 0
        self._switch = plan(
            name,
            preset,
            len(self._images.train),
            first_epoch=self._next_epoch,
            last_epoch=last_epoch or self.recipe.epochs,
            first_step=self.step + batches_left + 1,
        )
        self._emit(SwitchPlanned(at=time.time(), epoch=self._next_epoch, preset=name))
        left = preset.with_training(epochs=self._switch.length.epochs)
        conditions = RunConditions(
            len(self._images.train),
            self._spec.conditions.batchnorm,
            epochs_before=self._next_epoch - 1,
            steps_before=self.step + batches_left,
        )
        for problem in check(left, conditions):
            if problem.severity == "warning":
                self._emit(Alert(at=time.time(), kind="preset", text=str(problem)))
        return preset

    def save_checkpoint(self) -> str:
        """Save one now, in the middle of an epoch or not."""
        if not self.save_last():
            raise CommandRefused(say("reply.not_saved"))
        return say("reply.saved", step=f"{self.step:,}")

    def save_last(self) -> bool:
        """Save one from which the run goes on here; whether it could be.

        Raises:
            Diverged: a loss was not finite; nothing was saved.
        """
        self.flush(wait=True)
        return self._save()

    def state(self) -> checkpoints.State:
        """What a run needs to go on from here exactly; all has been reported."""
        return {
            **facts(self._spec, self._images),
            **self._train_state.state_dict(),
            **({"arithmetic": self._arithmetic} if self._arithmetic else {}),
            **({"code": self._code.digest} if self._code.digest else {}),
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "lr": self._lr,
            "elapsed": self._clock.elapsed,
            "epoch_began": self._epoch_began,
            "loss_sum": self._metrics.loss_sum,
            "images": self._metrics.images,
            "hits": self._metrics.hits,
            **({"clipped": self._metrics.clipped} if self.clips_gradients else {}),
            **({"early_stopping": self._patience.state()} if self._patience is not None else {}),
            "best_epoch": self.best.epoch if self.best else 0,
            "best_val_loss": self.best.val_loss if self.best else nan,
            "best_val_accuracy": self.best.val_accuracy if self.best else -1.0,
            "dialled": self._if_here(self._dialled),
            "epochs": self.recipe.epochs,
            "epochs_changed": self._if_here(self._epochs_changed),
            "switch": self._switch and [self._switch.recipe.preset, self._switch.preset.model_dump(mode="json")],
        }

    def _if_here(self, done: list[Any] | None) -> list[Any] | None:
        """What somebody did, if it was after this very step: a record may be cut off before that was told."""
        return done if done and done[1] == self.step else None

    def _make_thread_tuner(self, prepared: Prepared) -> ThreadTuner | None:
        """The threads, where nobody has fixed them."""
        if prepared.threads is None:
            return None
        size = self.recipe.batch_size
        timed = timed_on_a_copy(self._train_state.model, prepared.compute_options, prepared.images.train, size)
        return ThreadTuner(timed, prepared.threads, self._emit)

    def _go_on_from(self, state: checkpoints.State, extended: Extended | None) -> None:
        self.step, self.epoch, self.batch = state["step"], state["epoch"], state["batch"]
        self.steps_made = self.step
        if state["best_val_accuracy"] >= 0:
            # Older checkpoints do not tell its loss: an epoch that is as accurate then takes its place.
            self.best = Best(state.get("best_epoch", 0), state.get("best_val_loss", nan), state["best_val_accuracy"])
        self._epoch_began = state["epoch_began"]
        self._metrics.begin_epoch(state["loss_sum"], state["images"], state["hits"], state.get("clipped", 0))
        counts_on = extended is None or not extended.counts_anew
        if self._patience is not None and state.get("early_stopping") is not None and counts_on:
            self._patience.load(state["early_stopping"])
        self._lr = state["lr"]
        if extended is not None and extended.then:
            return  # what was told of the preset before stays as it is
        self._dialled = state.get("dialled")
        self._epochs_changed = state.get("epochs_changed")
        self._tell_epochs()
        self._tell_dial()
        if self._dialled is None and self.scheduler.factor != 1.0:
            self._tell_dialled_plan()
        if state["switch"]:
            self._plan_switch(*state["switch"])

    def _lrs_of_groups(self) -> dict[str, int]:
        preset = self._train_state.planned.preset
        return {preset.lr_name(number): number for number in preset.groups_with_lr}

    def _declare_rates(self) -> None:
        """Tell of groups of parameters with an LR of their own, and of a momentum that moves."""
        preset, self._lr_names = self._train_state.planned.preset, self._lrs_of_groups()
        moves = self.scheduler.momentum is not None
        self._tells_more = moves or bool(self._lr_names)
        if moves:
            shown = "beta1" if "betas" in type(preset.optimizer).model_fields else ""
            self._emit(MetricDeclared(at=time.time(), name=MOMENTUM, shown_as=shown))
        for name, number in self._lr_names.items():
            shown = f"lr {preset.optimizer.groups[number - 1].label}"
            self._emit(MetricDeclared(at=time.time(), name=name, kind="lr", shown_as=shown))

    def _watch(self) -> None:
        """Have every call of the loop seen."""
        self._declare_rates()
        model, optimizer, calls = self._train_state.model, self._train_state.optimizer, self._calls
        self.zero_grad = calls.watch("zero_grad", optimizer.zero_grad, tracing.tell_cleared(model))
        ranks = self._ranks
        self.forward = calls.watch("forward", self._forward, tracing.tell_forward)
        training = self._train_state.planned.preset.training
        self._images = self._images.augmented(training, self._spec.dataset)
        smoothing = training.label_smoothing
        loss = partial(ranks.loss, label_smoothing=smoothing) if smoothing else ranks.loss
        if self._own_loss is not None:
            loss = partial(ranks.own_loss, self._own_loss)
        self._accumulation = Accumulation.of(training, len(self._images.train))
        self.begins_step = self.ends_step = True
        if self._accumulation is not None:
            loss = partial(self._part_of_loss, self._accumulation, loss)
        self.loss = calls.watch("loss", loss, tracing.tell_loss(ranks.sum))
        scaler = self._train_state.loss_scaler
        backward: Callable[[Tensor], None] = ranks.backward
        step: Callable[[], object] = optimizer.step
        if scaler.is_on:
            backward, step = lambda loss: ranks.backward(scaler.scale(loss)), partial(scaler.step, optimizer)
        tell_gradients = tracing.tell_gradients(model, lambda: scaler.scale_now)
        self.backward = calls.watch("backward", backward, tell_gradients)
        self._clipping = Clipping.of(training, model)
        if self._clipping is not None:
            self._watch_clipping(self._clipping)

        def lr_now() -> float:
            return self.scheduler.lr

        self.optimizer_step = calls.watch("optimizer.step", step, tracing.tell_weights(model, lr_now))
        if self._norms is not None:
            self.optimizer_step = partial(self._look_around, self._norms, self.optimizer_step)
        self._scheduler_step = calls.watch("scheduler.step", self.scheduler.step, tracing.tell_lr(lr_now))
        validated = partial(self._over_val, model, self._forward_here, self._confusion)
        self._raw = None
        if (average := self._train_state.average) is not None:
            look, update = tracing.tell_average(model, average.model), partial(average.update, model)
            if average.kind == "swa":
                update = partial(self._average_with_statistics, average)
            self.average_weights = calls.watch(f"{average.kind}.update", update, look)
            validated = partial(self._validate_both, average, self._compute_options.forward(average.model))
            if self._norms is not None:
                for declared in declared_raw():
                    self._emit(declared)
        self._validate = calls.watch("validate", validated, tracing.tell_validation)

    def _average_with_statistics(self, average: WeightAverage) -> None:
        """Each rank goes over all batches of the epoch, so that all keep the same."""
        of_epoch = batches(self._images.train, self.recipe.batch_size, self._spec.seed, self.epoch)
        average.update_with_statistics(self._train_state.model, of_epoch)

    def _validate_both(self, average: WeightAverage, forward: Callable[[Tensor], Tensor]) -> tuple[float, float]:
        """What the average of the weights comes to; that of the weights themselves is kept."""
        model = self._train_state.model
        if not average.has_begun:
            return self._over_val(model, self._forward_here, self._confusion)
        self._raw = self._over_val(model, self._forward_here)
        return self._over_val(average.model, forward, self._confusion)

    def _over_val(
        self, model: nn.Module, forward: Callable[[Tensor], Tensor], confusion: Confusion | None = None
    ) -> tuple[float, float]:
        return validate(model, self._images.val, self._ranks, forward, confusion, self._own_loss, self._numbers)

    @property
    def _own_loss(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        return self._code.loss_of if self._code.loss is not None else None

    def _part_of_loss(
        self, step: Accumulation, loss: Callable[[Tensor, Tensor], Tensor], outputs: Tensor, labels: Tensor
    ) -> Tensor:
        """What a batch adds to the mean loss over all images of its step."""
        return loss(outputs, labels) / (step.images / self._ranks.images(labels))

    def _watch_clipping(self, clipping: Clipping) -> None:
        """Have gradients clipped, which in fp16 must be what they are by then."""
        model, optimizer, scaler = self._train_state.model, self._train_state.optimizer, self._train_state.loss_scaler

        def clip() -> dict[str, Tensor]:
            scaler.unscale(optimizer)
            return clipping.clip()

        watched = self._calls.watch("clip_grad", clip, tracing.tell_clipped(model, lambda: scaler.scale_now))
        is_told = self._norms is not None

        def clip_gradients() -> None:
            found = watched()
            if is_told:
                for name, value in found.items():
                    self._metrics.add_to_step(name, value, clipping.limits[name])

        self.clip_gradients = clip_gradients
        if is_told:
            for declared in clipping.declared():
                self._emit(declared)

    def _look_around(self, norms: Norms, optimizer_step: Callable[[], object]) -> None:
        looked = norms.around(self.step, optimizer_step)
        if looked is not None:
            self._metrics.add_norms(looked)

    def _begin_epoch(self) -> None:
        if self._switch is not None and self.batch == 0:
            old, planned, self._switch = self.recipe.preset, self._switch, None
            self._train_state.use(planned)
            self._patience = Patience.of(planned.preset.training)
            self._dialled = None  # the dial was that of the schedule before
            self._watch()
            self._emit(
                PresetSwitched(at=time.time(), step=self.step + 1, epoch=self.epoch, old=old, recipe=self.recipe)
            )
            self._emit(planned.curve)
        if self.batch == 0:
            self._metrics.begin_epoch()
            self._epoch_began = self._clock.elapsed
        self.scheduler.begin_epoch(self.epoch)
        self._train_state.model.train()

    def _save(self, *, best: bool = False) -> bool:
        return self._saver.save(self.state, self.last_epoch, best=best)


def _factor_for(lr: float, scheduled: float) -> float:
    """What makes `lr` of `scheduled`: to the bit, where there is such a factor beside the quotient."""
    near = lr / scheduled
    exact = (factor for factor in (near, nextafter(near, inf), nextafter(near, 0.0)) if scheduled * factor == lr)
    return next(exact, near)
