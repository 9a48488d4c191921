"""Emits what was understood of a watched run, in the order in which a record has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite, nan
from typing import Any, Literal

from msgspec.structs import replace

from tui_trainer.events import (
    LARGEST_LOSS,
    TRAINING,
    AnyEvent,
    CallsTimed,
    EpochEnded,
    Goal,
    LoopFound,
    MetricDeclared,
    MetricsLogged,
    PhaseStarted,
    ResolvedConfig,
    StepsTaken,
)
from tui_trainer.records.series_names import KINDS, Role
from tui_trainer.watching.interpreter.configured import configured, event
from tui_trainer.watching.interpreter.definitions import Definitions, name
from tui_trainer.watching.interpreter.listing import Listing
from tui_trainer.watching.interpreter.lr_causes import LRCauses
from tui_trainer.watching.interpreter.passes import Passes
from tui_trainer.watching.interpreter.printed import is_from_output
from tui_trainer.watching.interpreter.steps import Step, in_groups
from tui_trainer.watching.interpreter.validation import Found, Told
from tui_trainer.watching.trace import Options

STEPS_WAITING = 256
"""Steps after which a value that is still to come is given up."""

STEPS_A_LINE = 1000
"""In an event at most."""

LEAST_SECONDS = 0.25
"""An epoch that takes less of the run's clock tells no speed."""

MOST_COLUMNS = 100
"""Other numbers of each step; a record takes no more."""

_NAMED: dict[str, Literal["min", "max"]] = {"val_loss": "min", "val_accuracy": "max"}


class Teller:
    """Emits steps, each once and in their order; epochs, and what else follows from them."""

    def __init__(
        self,
        emit: Callable[[AnyEvent], None],
        now: Callable[[], float],
        definitions: Definitions,
        options: Options,
        passes: Passes,
        causes: LRCauses,
    ) -> None:
        self._emit = emit
        self._held: list[AnyEvent] = []
        """The end of an epoch that waits for what is still to come of its validation, and all that comes behind it."""
        self._now = now
        self._definitions, self._options, self._passes, self._causes = definitions, options, passes, causes
        self.main = 0
        """The optimizer whose steps are counted."""
        self.took_over_at = 0
        """Its first step, if another one made those before; else 0."""
        self.last: Step | None = None
        self.previous: Step | None = None
        """The last two steps, told or not."""
        self._steps: list[Step] = []
        """Those that were not told yet."""
        self._configured: dict[str, Any] | None = None
        self._shown_as: str | None = None
        """What the program calls its loss; None while it was not told, empty where it has several names."""
        self._declared: dict[str, str] = {}
        self._last_of: dict[str, int] = {}
        """The last step at which each other number was told: they do not go back."""
        self.has_losses = False
        """Whether a loss of any step was told."""
        self._epoch_losses = (0.0, 0)
        """The sum of the losses of the epoch's steps that were told, and how many they are."""
        self._epoch_first: Step | None = None
        """The first step of the epoch."""

    @property
    def waiting(self) -> int:
        """Steps that were not told yet."""
        return len(self._steps)

    def emit(self, event: AnyEvent) -> None:
        """Emit an event, in its turn."""
        if self._held:
            self._held.append(event)
        else:
            self._emit(event)

    def add(self, step: Step) -> None:
        """A step was taken."""
        if self.previous is not None and self.previous.told and self.previous.others:
            self._tell_beside(self.previous)
        self.previous, self.last = self.last, step
        if step.batch == 1:
            self._epoch_first = step
        self._steps.append(step)

    # Steps

    def tell(self, until: int, newest: int) -> bool:
        """Emit what is known of the steps up to one, of which the newest was made; whether anything was told so far."""
        ready = 0
        for step in self._steps:
            if step.number > until or (step.waits and newest - step.number < STEPS_WAITING):
                break
            ready += 1
        if self._configured is not None:
            for known in (self.previous, self.last):  # what came behind a step that is told already
                if known is not None and known.told and known.others:
                    self._tell_beside(known)
        if ready:
            self.tell_configuration()
            steps = self._steps[:ready]
            del self._steps[:ready]
            for group in in_groups(steps, STEPS_A_LINE):
                self._tell_group(group)
        return self._configured is not None

    @property
    def total_steps(self) -> int | None:
        """The last step of the run, as far as that was told."""
        recipe: ResolvedConfig | None = self._configured["recipe"] if self._configured is not None else None
        return recipe.total_steps if recipe is not None else None

    def tell_configuration(self) -> None:
        """Emit what the run came to, where that is not what was told last."""
        leading = self._causes.leading
        fields = configured(
            self._definitions, self._options, self.main, self._passes, leading, took_over_at=self.took_over_at
        )
        if fields != self._configured:
            first, self._configured = self._configured is None, fields
            self.emit(event(fields, self._now()))
            if first:
                self.emit(PhaseStarted(at=self._now(), phase=TRAINING))

    def _tell_group(self, steps: list[Step]) -> None:
        self._tell_loss_name(steps[-1].loss.name)
        columns = self._columns(steps)
        taken = self._taken(steps, columns)
        losses = [loss for loss in taken.losses if loss is not None]
        self.has_losses = self.has_losses or bool(losses)
        so_far, count = self._epoch_losses
        self._epoch_losses = so_far + sum(losses), count + len(losses)
        self._declare(columns)
        self.emit(taken)
        for step in steps:
            step.told = True
            self._tell_beside(step, left_out=columns)

    def _tell_beside(self, step: Step, left_out: Iterable[str] = ()) -> None:
        """Emit the other numbers of a step, but for some."""
        values: dict[str, float] = {}
        for value in step.others:
            called = name(value.name)
            if called and called not in left_out and value.is_known and self._last_of.get(called, 0) < step.number:
                values[called] = value.told
        step.others = [value for value in step.others if value.is_on_its_way]
        if values:
            self._last_of.update(dict.fromkeys(values, step.number))
            self.log(step, values)

    def log(self, step: Step, values: dict[str, float]) -> None:
        """Emit other numbers of a step, by the names of their series."""
        self._declare(values)
        at = self._now()
        self.emit(MetricsLogged(at=at, step=step.number, values={**values}, epoch=step.epoch, elapsed=step.elapsed))

    def _columns(self, steps: list[Step]) -> dict[str, list[float | None]]:
        """Numbers that each of the steps has once."""
        columns: dict[str, list[float | None]] = {}
        for first in steps[0].others[:MOST_COLUMNS]:
            called = name(first.name)
            if not called or called in columns or self._last_of.get(called, 0) >= steps[0].number:
                continue
            column: list[float | None] = []
            for step in steps:
                of_it = [value for value in step.others if value.name == first.name]
                if len(of_it) != 1 or not of_it[0].is_known or abs(of_it[0].told) == float("inf"):
                    break
                column.append(of_it[0].told if isfinite(of_it[0].told) else None)
            else:
                columns[called] = column
                self._last_of[called] = steps[-1].number
        return columns

    def _taken(self, steps: list[Step], columns: dict[str, list[float | None]]) -> StepsTaken:
        first = steps[0]
        lrs = [step.lr for step in steps] if isfinite(first.lr) else []
        return StepsTaken(
            at=self._now(),
            step=first.number,
            epoch=first.epoch,
            batch=first.batch,
            losses=[as_recorded(step.loss.told) if step.loss.is_known else None for step in steps],
            lrs=lrs[:1] if all(lr == lrs[0] for lr in lrs) else lrs,
            elapsed=[step.elapsed for step in steps],
            metrics=columns,
            losses_seen=first.loss.is_known,
        )

    # What series are

    def _tell_loss_name(self, shown_as: str) -> None:
        """Say what the program calls its loss; one that is called otherwise from step to step has no name."""
        if not shown_as or self._shown_as in ("", shown_as):
            return
        self._shown_as = shown_as if self._shown_as is None else ""
        self.emit(
            MetricDeclared(at=self._now(), name="train_loss", goal="min", kind="train", shown_as=name(self._shown_as))
        )

    def _declare(self, names: Iterable[str]) -> None:
        """Say of series of ours what they are, as they are told first."""
        for called in names:
            if called in self._declared or not (fields := _OURS.get(called) or _by_its_name(called)):
                continue
            self._declared[called] = ""
            self.emit(MetricDeclared(at=self._now(), name=called, **fields))

    def tell_names(self, names: list[tuple[str, Role, Goal]]) -> None:
        """Say what the series are that a program logs, as far as their names tell."""
        for called, role, goal in names:
            self._declared[called] = ""
            self.emit(MetricDeclared(at=self._now(), name=called, goal=goal, kind=KINDS.get(role, "other")))

    # Validation and epochs

    def tell_validation(self, found: Found) -> None:
        """Emit what a validation within an epoch came to, at the last step."""
        values = {key: told.value for key, told in self._named(found).items()}
        if self.last is not None and values:
            self.log(self.last, values)

    def _named(self, found: Found) -> dict[str, Told]:
        """The numbers of a validation by the names of their series; where they are from is said first."""
        numbers = {"val_loss": found.loss, "val_accuracy": found.accuracy}
        known = {key: told for key, told in numbers.items() if told is not None}
        for key, told in known.items():
            shown_as = name(told.shown_as) if told.shown_as != key else ""
            if self._declared.get(key, "") != shown_as:
                self._declared[key] = shown_as
                at = self._now()
                self.emit(MetricDeclared(at=at, name=key, goal=_NAMED[key], kind="val", shown_as=shown_as))
        return known

    def end_epoch(self, epoch: int, lr: float) -> None:
        """An epoch is over, all of whose steps are told: hold its end, until what is known of its validation is
        told."""
        total, count = self._epoch_losses
        self._epoch_losses = 0.0, 0
        last = self.last
        if last is None:
            return
        self.tell_configuration()
        self._held = [
            EpochEnded(
                at=self._now(),
                epoch=epoch,
                step=last.number,
                train_loss=total / count if count else nan,
                train_accuracy=nan,
                val_loss=nan,
                val_accuracy=nan,
                lr=lr,
                images_per_second=self._images_per_second(last),
                elapsed=last.elapsed,
                validated=None,
            )
        ]

    def tell_epoch(self, found: Found) -> None:
        """Emit the end of the epoch that is held, with its validation, and all that came behind it."""
        held, self._held = self._held, []
        named = self._named(found)
        loss, accuracy = named.get("val_loss"), named.get("val_accuracy")
        for each in held:
            if isinstance(each, EpochEnded):
                each = replace(
                    each,
                    val_loss=loss.value if loss is not None else nan,
                    val_accuracy=accuracy.value if accuracy is not None else nan,
                    validated=True if loss is not None else None,
                )
            self._emit(each)

    def _images_per_second(self, last: Step) -> float:
        """Of the epoch that ends with this step: from its first step on, since what came before may have been a
        validation. nan where the batches' size is not known, or other ranks have images of their own."""
        first, fields = self._epoch_first, self._configured
        if first is None or fields is None or fields["ranks"] != 1:
            return nan
        batch: int = fields["recipe"].batch_size
        seconds = last.elapsed - first.elapsed
        if not batch or last.batch < 2 or seconds < LEAST_SECONDS:
            return nan
        images = batch * last.batch
        if fields["train_images"] is not None:  # its last batch holds what is left
            images = min(images, max(fields["train_images"], batch * (last.batch - 1)))
        return round((images - batch) / seconds, 1)

    def tell_loop(self, listing: Listing) -> None:
        """Emit the listing, if it has changed, and how long the calls took since the last time."""
        if listing.changed:
            self.emit(LoopFound(at=self._now(), sites=listing.sites()))
        counts, seconds, running = listing.timed()
        if counts:
            self.emit(CallsTimed(at=self._now(), counts=counts, seconds=seconds, running=running))


_OURS: dict[str, dict[str, Any]] = {
    "grad_norm": {"group": "network"},
    "loss_scale": {"group": "optimizer"},
    "skipped_steps": {"group": "optimizer"},
}


def _by_its_name(called: str) -> dict[str, Any]:
    if is_from_output(called):
        return {"goal": "min", "kind": "train"}
    if called.startswith("steps_per_second/"):
        return {"kind": "system", "unit": "steps/s"}
    return {"kind": "lr"} if called.startswith("lr-") and not called.endswith(("-momentum", "-weight_decay")) else {}


def as_recorded(loss: float) -> float | None:
    """With as many digits as give the same float32 back; None where it is none that is finite."""
    return float(f"{loss:.9g}") if -LARGEST_LOSS <= loss <= LARGEST_LOSS else None
