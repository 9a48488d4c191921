"""What a record says of its steps and epochs beside the lines that tell them: how far it came, and where a line stands.

The last lines of a process may be lost with nothing behind them that would show a gap. But an epoch's end, a checkpoint
and a goodbye say which step is the last one; where the record does not come so far, something is missing. And a line
that says a step, or an epoch, where the run cannot have been as it was written is a wrong one, and is said to be.
"""

from __future__ import annotations

from typing import TypeAlias

from tui_trainer.events import (
    CallsMade,
    CheckpointSaved,
    EpochEnded,
    LRChanged,
    LRHeld,
    PresetSwitched,
    Recipe,
    RunEnded,
)
from tui_trainer.runs.flaws import Flaws

Placed: TypeAlias = LRChanged | LRHeld | PresetSwitched | CallsMade
"""They say at which step and in which epoch they stand."""

Closing: TypeAlias = EpochEnded | CheckpointSaved | RunEnded
"""They come when all steps until then are told, and say which is the last."""

MISSING_AT_MOST = 1_000_000
"""Steps that may be missing from a record, or as many as it has: a line that claims more is left out. Each costs."""


class Claims:
    """What the process that writes has said so far, for `Known`, which says how far the lines that tell steps came."""

    def __init__(self, flaws: Flaws) -> None:
        self._flaws = flaws
        self._from = 0
        """The step of the checkpoint that the process went on from."""
        self._total = 0
        """The last step of the run under all recipes that were followed; 0 where none was told."""
        self.last_step = 0
        """The last step that was said to be done."""
        self._last_epoch = 0
        """The last epoch."""
        self._farthest = 0
        """The highest step at which a line says that it stands."""

    def begin(self, resumed_from: int) -> None:
        """Another process writes: it trains again what comes behind its checkpoint."""
        self._from = self.last_step = resumed_from
        self._last_epoch = self._farthest = 0
        self._flaws.nothing_behind()

    def follow(self, recipe: Recipe) -> None:
        """A recipe of the run."""
        self._total = max(self._total, recipe.total_steps)

    def cannot_stand(self, event: Placed, *, steps: int, epoch: int, epoch_begins: int, resumed_at: int) -> bool:
        """Whether the step or the epoch that a line says is one where the process cannot have been.

        Args:
            event: what the line tells.
            steps: the last step that was told.
            epoch: that step's.
            epoch_begins: the first step of that epoch.
            resumed_at: the last step that was known as the process began: until there it trains again.
        """
        step = event.step
        if step < max(1, self._from) or (0 < self._total < step):
            return True
        if step <= resumed_at:
            return False
        if step <= steps:
            return event.epoch != epoch or step < epoch_begins
        return not epoch <= event.epoch <= epoch + step - steps  # an epoch has a step at least

    def stands(self, event: Placed) -> None:
        """A line that says where it stands, and may."""
        self._farthest = max(self._farthest, event.step)
        if isinstance(event, CallsMade) and event.batch is None:
            self._last_epoch = max(self._last_epoch, event.epoch)

    def go_on(self, step: int) -> None:
        """This step comes next; where it was said to be done, nothing that was said of the last ones holds."""
        self._flaws.steps_behind = None
        if step <= self.last_step:
            self.last_step = 0

    def close(self, event: Closing, *, steps: int, epoch: int, epochs: int) -> None:
        """A line says which step is the last so far; a goodbye is held against all that was told.

        Args:
            event: what the line tells.
            steps: the last step that was told.
            epoch: that step's.
            epochs: the last epoch whose end was told.
        """
        goodbye = event if isinstance(event, RunEnded) else None
        if goodbye is not None and goodbye.status == "crashed":  # it may have had no time to tell its last steps
            return
        self.last_step = max(self.last_step, event.step)
        if goodbye is not None:
            self._last_epoch = max(self._last_epoch, goodbye.epoch - (goodbye.status != "finished"))
            self._compare_epochs(steps, epoch, epochs)
            self.compare_steps(steps)
            if goodbye.status != "diverged" and self._farthest > max(steps, self.last_step):  # that is found out later
                self._flaws.tells_of(self._farthest, max(steps, self.last_step))
            self._farthest = 0

    def compare_steps(self, steps: int) -> None:
        """Nothing comes any more from the process: all steps that were said to be done should be there."""
        if self.last_step <= steps:
            return
        if self.last_step <= (self._total or steps + MISSING_AT_MOST):
            self._flaws.steps_behind = steps + 1, self.last_step
        else:
            self._flaws.tells_of(self.last_step, steps)

    def _compare_epochs(self, steps: int, epoch: int, epochs: int) -> None:
        if self._last_epoch <= epochs:
            return
        if self._last_epoch <= epoch + max(0, self.last_step - steps):
            self._flaws.epochs_behind = epochs + 1, self._last_epoch
        else:
            self._flaws.misnumbered += 1
