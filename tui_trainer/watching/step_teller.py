"""Tells of steps as the events of a record: losses, LRs and other numbers, several steps in an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite

from tui_trainer.events import LARGEST_LOSS, AnyEvent, MetricDeclared, MetricsLogged, StepsTaken
from tui_trainer.watching.definitions import name
from tui_trainer.watching.steps import Step, in_groups

STEPS_A_LINE = 1000
"""In an event at most."""

MOST_COLUMNS = 100
"""Other numbers of each step; a record takes no more."""


class StepTeller:
    """Emits steps, each once and in their order."""

    def __init__(self, emit: Callable[[AnyEvent], None], now: Callable[[], float]) -> None:
        self._emit, self._now = emit, now
        self._shown_as: str | None = None
        """What the program calls its loss; None while it was not told, empty where it has several names."""
        self._last_of: dict[str, int] = {}
        """The last step at which each other number was told: they do not go back."""

    def tell(self, steps: list[Step]) -> None:
        """Emit steps of which all is known that will be."""
        for group in in_groups(steps, STEPS_A_LINE):
            self._tell_name(group[-1].loss.name)
            columns = self._columns(group)
            self._emit(self._taken(group, columns))
            for step in group:
                self.tell_beside(step, left_out=columns)

    def tell_beside(self, step: Step, left_out: Iterable[str] = ()) -> None:
        """Emit the other numbers of a step, but for some."""
        values: dict[str, float] = {}
        for value in step.others:
            called = name(value.name)
            if called and called not in left_out and value.is_known and self._last_of.get(called, 0) < step.number:
                values[called] = value.told
        if values:
            self._last_of.update(dict.fromkeys(values, step.number))
            where = {"step": step.number, "epoch": step.epoch, "elapsed": step.elapsed}
            self._emit(MetricsLogged(at=self._now(), values=values, **where))  # type: ignore[arg-type]

    def _tell_name(self, shown_as: str) -> None:
        """Say what the program calls its loss; one of which each step calls it otherwise has no name."""
        if not shown_as or self._shown_as in ("", shown_as):
            return
        self._shown_as = shown_as if self._shown_as is None else ""
        declared = {"name": "train_loss", "goal": "min", "kind": "train", "shown_as": name(self._shown_as)}
        self._emit(MetricDeclared(at=self._now(), **declared))  # type: ignore[arg-type]

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
                if len(of_it) != 1 or not of_it[0].is_known:
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


def as_recorded(loss: float) -> float | None:
    """With as many digits as give the same float32 back; None where it is none that is finite."""
    return float(f"{loss:.9g}") if -LARGEST_LOSS <= loss <= LARGEST_LOSS else None
