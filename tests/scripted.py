"""Scripted runs: plausible streams of events, as the loop would emit them, without torch and without a clock.

`scripted_run()` is a whole run; cut the list anywhere to have one that is still going. The same arguments give the
same events.
"""

from __future__ import annotations

import math
import random
import struct
from typing import Literal, TypeAlias

from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallFollowed,
    CallsMade,
    CallsTimed,
    CheckpointSaved,
    CommandAnswered,
    Continued,
    EndStatus,
    EpochEnded,
    LRChanged,
    LRUnchanged,
    PaceChanged,
    Paused,
    PhaseStarted,
    PlanMade,
    PlateauCounted,
    PresetSwitched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    RunStarted,
    SettingChanged,
    StepsTaken,
    SwitchPlanned,
)

Scheduler: TypeAlias = Literal["StepLR", "OneCycleLR", "ReduceLROnPlateau", "none"]

START = 1_763_760_000.0
"""Unix time of the first event."""

PRESET_NAMES: dict[Scheduler, str] = {
    "StepLR": "steplr",
    "OneCycleLR": "onecycle",
    "ReduceLROnPlateau": "plateau",
    "none": "none",
}
TITLES: dict[Scheduler, str] = {
    "StepLR": "StepLR: half the LR every few epochs",
    "OneCycleLR": "OneCycleLR: up, then far down, in one run",
    "ReduceLROnPlateau": "ReduceLROnPlateau: half the LR when the loss stops falling",
    "none": "No scheduler: the same LR throughout",
}
FORWARD_SHARE = {"zero_grad": 0.02, "forward": 0.31, "loss": 0.02, "backward": 0.54, "optimizer.step": 0.1}


def scripted_run(
    *,
    epochs: int = 3,
    batches: int = 20,
    batch_size: int = 64,
    last_batch_size: int = 32,
    scheduler: Scheduler = "StepLR",
    batch_s: float = 0.01,
    validation_s: float = 0.05,
    steps_a_line: int = 7,
    slow_batch: int | None = None,
    pause_after: int | None = None,
    switch_at: int | None = None,
    switch_to: Scheduler = "OneCycleLR",
    not_finite_at: int | None = None,
    status: EndStatus | None = "finished",
    run: str = "20251121-212000-steplr-3f2a",
    seed: int = 0,
) -> list[AnyEvent]:
    """The events of a run.

    Args:
        epochs: of the whole run.
        batches: an epoch, the last and smaller one included.
        batch_size: images a batch.
        last_batch_size: images in the last batch of each epoch.
        scheduler: whose LR is followed: StepLR halves it every 2 epochs, ReduceLROnPlateau with patience 1.
        batch_s: seconds of the run's clock that a batch takes.
        validation_s: seconds that a validation takes.
        steps_a_line: at most so many steps in one event.
        slow_batch: a step that is followed call by call, in slow motion.
        pause_after: a step after which the run stands still for 10 seconds.
        switch_at: the epoch from which on `switch_to` is followed instead.
        switch_to: the scheduler after the switch.
        not_finite_at: a step whose loss is not finite; the run ends there as `diverged`.
        status: how it says goodbye; None for a run that says none.
        run: its id.
        seed: of the losses.
    """
    script = _Script(scheduler, epochs, batches, batch_size, last_batch_size, seed)
    script.batch_s, script.validation_s, script.steps_a_line = batch_s, validation_s, steps_a_line
    script.begin(run)
    for epoch in range(1, epochs + 1):
        if epoch == switch_at:
            script.switch(epoch, switch_to)
        diverged = script.train(epoch, slow_batch, pause_after, not_finite_at)
        if diverged:
            script.end("diverged", "the loss is not finite", 3)
            return script.events
        script.validate(epoch)
    if status is not None:
        script.end(status, "all epochs trained" if status == "finished" else "asked to", 0)
    return script.events


def float32(value: float) -> float:
    """The value as a journal has it: rounded to a float32, in nine significant digits."""
    return float(f"{struct.unpack('f', struct.pack('f', value))[0]:.9g}")


def epoch_ended(epoch: int, *, val_loss: float = 1.0, val_accuracy: float, at: float = START) -> EpochEnded:
    """The end of an epoch for which it matters how it validated."""
    return EpochEnded(
        at=at,
        epoch=epoch,
        step=80 * epoch,
        train_loss=1.0,
        train_accuracy=0.5,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        lr=0.1,
        images_per_second=100.0,
        elapsed=float(epoch),
    )


class _Script:
    """A run being made up: its clocks, its LR, its events so far."""

    batch_s: float
    validation_s: float
    steps_a_line: int

    def __init__(
        self, scheduler: Scheduler, epochs: int, batches: int, batch_size: int, last_batch_size: int, seed: int
    ) -> None:
        self.events: list[AnyEvent] = []
        self.scheduler = scheduler
        self.epochs, self.batches = epochs, batches
        self.batch_size, self.last_batch_size = batch_size, last_batch_size
        self.random = random.Random(seed)
        self.at, self.elapsed = START, 0.0
        self.step = self.epoch = 0
        self.base = 0.001
        self.halvings = 0
        self.schedule_begins = 0
        self.bad_epochs = 0
        self.best, self.best_epoch = math.inf, 0
        self.best_accuracy = 0.0

    # The schedule

    def lr(self, step: int) -> float:
        """What the optimizer uses for a step."""
        if self.scheduler != "OneCycleLR":
            return self.base * 0.5**self.halvings
        done = (step - 1 - self.schedule_begins) / max(1, self.epochs * self.batches - 1 - self.schedule_begins)
        if done < 0.3:
            return 0.004 + (0.1 - 0.004) * (1 - math.cos(math.pi * done / 0.3)) / 2
        return 4e-7 + (0.1 - 4e-7) * (1 + math.cos(math.pi * (done - 0.3) / 0.7)) / 2

    def recipe(self) -> ResolvedConfig:
        return ResolvedConfig(
            preset=PRESET_NAMES[self.scheduler],
            title=TITLES[self.scheduler],
            optimizer="SGD" if self.scheduler == "OneCycleLR" else "Adam",
            scheduler=self.scheduler,
            interval={"OneCycleLR": "step", "none": None}.get(self.scheduler, "epoch"),
            monitor="val_loss" if self.scheduler == "ReduceLROnPlateau" else None,
            warmup_epochs=0,
            epochs=self.epochs,
            batch_size=self.batch_size,
            batches_per_epoch=self.batches,
            total_steps=self.epochs * self.batches,
        )

    def plan(self) -> PlanMade:
        first, last = self.step + 1, self.epochs * self.batches
        note = ""
        if self.scheduler == "StepLR":
            steps = [first, *(s for s in range(1, last + 1, 2 * self.batches) if s > first)]
            lrs = [self.base * 0.5 ** ((s - 1) // (2 * self.batches)) for s in steps]
        elif self.scheduler == "OneCycleLR":
            steps = list(range(first, last + 1))
            lrs = [self.lr(step) for step in steps]
        else:
            steps, lrs = [first], [self.base]
            note = "depends on val_loss" if self.scheduler == "ReduceLROnPlateau" else ""
        return PlanMade(at=self.at, steps=steps, lrs=lrs, last_step=last, note=note)

    # The run

    def begin(self, run: str) -> None:
        self._emit(RunStarted(at=self.at, run=run, schema=1, pid=4242, host="box"))
        self._emit(PhaseStarted(at=self.at, phase="importing torch"))
        self._pass(1.5)
        self._emit(PhaseStarted(at=self.at, phase="loading data", detail="mnist-5k"))
        self._pass(0.2)
        self._emit(
            RunConfigured(
                at=self.at,
                dataset="mnist-5k",
                model="cnn",
                parameters=411_802,
                device="cpu",
                device_name="a processor",
                threads=2,
                precision="fp32",
                seed=0,
                train_images=(self.batches - 1) * self.batch_size + self.last_batch_size,
                val_images=1_000,
                recipe=self.recipe(),
                versions={"python": "3.11.0", "torch": "2.14.1"},
            )
        )
        self._emit(self.plan())
        reason = "two were faster than one"
        self._emit(SettingChanged(at=self.at, setting="threads", old="1", new="2", reason=reason))
        self._emit(PhaseStarted(at=self.at, phase="training"))

    def train(self, epoch: int, slow: int | None, pause_after: int | None, not_finite_at: int | None) -> bool:
        """One epoch's batches; whether the loss was not finite."""
        self.epoch = epoch
        first = (epoch - 1) * self.batches + 1
        losses: list[float | None] = []
        lrs: list[float] = []
        elapsed: list[float] = []
        for batch in range(1, self.batches + 1):
            step = first + batch - 1
            lr, loss = self.lr(step), self.loss(step)
            if step == slow:
                self.follow(step, batch, loss)
            if batch <= 2:
                calls = [*FORWARD_SHARE, *(["scheduler.step"] if self.scheduler == "OneCycleLR" else [])]
                self._emit(CallsMade(at=self.at, step=step, epoch=epoch, batch=batch, calls=calls))
            self._pass(self.batch_s)
            self.elapsed += self.batch_s
            losses.append(None if step == not_finite_at else loss)
            lrs.append(lr)
            elapsed.append(self.elapsed)
            self.step = step
            stops = step in (pause_after, not_finite_at)
            if len(losses) == self.steps_a_line or batch == self.batches or stops:
                self._take(losses, lrs, elapsed, batch)
                losses, lrs, elapsed = [], [], []
            if step == not_finite_at:
                return True
            if step == pause_after:
                self.pause()
            self._tell_peak(step)
        return False

    def loss(self, step: int) -> float:
        return float32(0.08 + 2.2 * math.exp(-step / (1.2 * self.batches)) * self.random.uniform(0.8, 1.2))

    def follow(self, step: int, batch: int, loss: float) -> None:
        """Slow motion, for one batch."""
        self._emit(PaceChanged(at=self.at, seconds_a_call=0.2, by="screen"))
        values = {
            "zero_grad": "grad norm 1.79 → 0",
            "forward": "outputs 64×10",
            "loss": f"loss {loss:.4f}",
            "backward": "grad norm 1.83",
            "optimizer.step": "a weight 0.0312 → 0.0309, all moved 0.0812 of 21.3",
        }
        for call in FORWARD_SHARE:
            for value in (None, values.get(call, "")):
                self._emit(CallFollowed(at=self.at, step=step, epoch=self.epoch, batch=batch, call=call, value=value))
            self._pass(0.2)
            self.elapsed += 0.2
        self._emit(PaceChanged(at=self.at, seconds_a_call=0.0, by="screen"))

    def pause(self) -> None:
        """Ten seconds in which the run's clock stands still, then one batch by itself is asked for."""
        self._answer("Pause", "paused")
        self._emit(Paused(at=self.at, step=self.step, by="screen"))
        self._pass(10.0)
        self._emit(Continued(at=self.at, step=self.step, by="screen"))

    def validate(self, epoch: int) -> None:
        """The epoch's end: validation, the scheduler's word, checkpoints."""
        steps_by_epoch = self.scheduler in ("StepLR", "ReduceLROnPlateau")
        calls = ["validate", *(["scheduler.step"] if steps_by_epoch else [])]
        lr = self.lr(self.step)
        self._pass(self.validation_s)
        self.elapsed += self.validation_s
        self._emit(CallsMade(at=self.at, step=self.step, epoch=epoch, batch=None, calls=calls))
        self._emit(CallsTimed(at=self.at, counts={"validate": 1}, seconds={"validate": 0.05}, running="validate"))
        val_loss = 0.1 + 1.5 * math.exp(-epoch) if epoch < 4 else 0.13
        accuracy = 0.985 - 0.4 * math.exp(-epoch)
        images = (self.batches - 1) * self.batch_size + self.last_batch_size
        self._emit(
            EpochEnded(
                at=self.at,
                epoch=epoch,
                step=self.step,
                train_loss=val_loss * 1.1,
                train_accuracy=accuracy - 0.01,
                val_loss=val_loss,
                val_accuracy=accuracy,
                lr=lr,
                images_per_second=images / (self.batches * self.batch_s),
                elapsed=self.elapsed,
            )
        )
        self._step_by_epoch(epoch, val_loss)
        best = accuracy > self.best_accuracy
        self.best_accuracy = max(accuracy, self.best_accuracy)
        self._emit(CheckpointSaved(at=self.at, step=self.step, epoch=epoch, file="checkpoints/last.pt"))
        if best:
            self._emit(CheckpointSaved(at=self.at, step=self.step, epoch=epoch, file="checkpoints/best.pt", best=True))

    def switch(self, epoch: int, scheduler: Scheduler) -> None:
        """From this epoch on, another preset."""
        old, self.scheduler = PRESET_NAMES[self.scheduler], scheduler
        self.schedule_begins = self.step
        self._answer("SwitchPreset", f"{PRESET_NAMES[scheduler]} from epoch {epoch} on")
        self._emit(SwitchPlanned(at=self.at, epoch=epoch, preset=PRESET_NAMES[scheduler]))
        recipe = self.recipe()
        self._emit(PresetSwitched(at=self.at, step=self.step + 1, epoch=epoch, old=old, recipe=recipe))
        self._emit(self.plan())

    def end(self, status: EndStatus, reason: str, exit_code: int) -> None:
        if status == "diverged":
            self._emit(Alert(at=self.at, kind="diverged", text=f"step {self.step}: the loss is not finite"))
        self._emit(
            RunEnded(
                at=self.at,
                status=status,
                reason=reason,
                step=self.step,
                epoch=self.epoch,
                exit_code=exit_code,
            )
        )

    # Parts

    def _take(self, losses: list[float | None], lrs: list[float], elapsed: list[float], batch: int) -> None:
        count = len(losses)
        self._emit(
            StepsTaken(
                at=self.at,
                step=self.step - count + 1,
                epoch=self.epoch,
                batch=batch - count + 1,
                losses=losses,
                lrs=lrs[:1] if len(set(lrs)) == 1 else lrs,
                elapsed=elapsed,
            )
        )
        seconds = {call: share * self.batch_s * count for call, share in FORWARD_SHARE.items()}
        counts = dict.fromkeys(FORWARD_SHARE, count)
        if self.scheduler == "OneCycleLR":
            counts["scheduler.step"] = count
        self._emit(CallsTimed(at=self.at, counts=counts, seconds=seconds, running="backward"))

    def _tell_peak(self, step: int) -> None:
        if self.scheduler == "OneCycleLR" and self.lr(step - 1) < self.lr(step) >= self.lr(step + 1):
            old, new = self.lr(step), self.lr(step + 1)
            reason = f"OneCycleLR at its peak, {old:.4g}; from here it anneals to 4e-7"
            self._emit(LRChanged(at=self.at, step=step, epoch=self.epoch, old=old, new=new, reason=reason))

    def _step_by_epoch(self, epoch: int, val_loss: float) -> None:
        if self.scheduler == "StepLR":
            if epoch % 2 == 0:
                self._halve(epoch, "step_size 2 reached,")
            else:
                self._hold(epoch, "next drop in 1 epoch")
        elif self.scheduler == "ReduceLROnPlateau":
            self._count_plateau(epoch, val_loss)

    def _count_plateau(self, epoch: int, val_loss: float) -> None:
        if val_loss < self.best:
            self.best, self.best_epoch, self.bad_epochs = val_loss, epoch, 0
        else:
            self.bad_epochs += 1
        self._emit(
            PlateauCounted(
                at=self.at,
                epoch=epoch,
                monitor="val_loss",
                value=val_loss,
                best=self.best,
                best_epoch=self.best_epoch,
                bad_epochs=self.bad_epochs,
                patience=1,
                cooldown=0,
            )
        )
        best = f"(best {self.best:.4f} at epoch {self.best_epoch})"
        if self.bad_epochs > 1:
            self.bad_epochs = 0
            self._halve(epoch, f"val_loss not better than {self.best:.4f} for 2 epochs (patience 1):")
        elif self.bad_epochs:
            self._hold(epoch, f"not better for 1 of 1 epoch {best}")
        else:
            self._hold(epoch, f"val_loss {val_loss:.4f}, best so far")

    def _halve(self, epoch: int, reason: str) -> None:
        old = self.lr(self.step)
        self.halvings += 1
        new = self.lr(self.step)
        reason = f"{reason} {old:g} → {new:g}"
        self._emit(LRChanged(at=self.at, step=self.step, epoch=epoch, old=old, new=new, reason=reason))

    def _hold(self, epoch: int, reason: str) -> None:
        self._emit(LRUnchanged(at=self.at, step=self.step, epoch=epoch, lr=self.lr(self.step), reason=reason))

    def _answer(self, command: str, answer: str) -> None:
        number = f"{len(self.events):08x}"
        self._emit(CommandAnswered(at=self.at, id=number, command=command, by="screen", accepted=True, answer=answer))

    def _pass(self, seconds: float) -> None:
        self.at += seconds

    def _emit(self, event: AnyEvent) -> None:
        self.events.append(event)
