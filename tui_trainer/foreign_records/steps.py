"""Which column or key of a record is its step, its epoch or its time, by name."""

from __future__ import annotations

from collections.abc import Iterable

from tui_trainer.text.captions import say

STEPS = (
    "step",
    "global_step",
    "_step",
    "trainer/global_step",
    "iteration",
    "iter",
    "train_step",
    "num_updates",
    "update",
    "batch",
    "env_step",
    "total_timesteps",
    "time/total_timesteps",
    "timesteps_total",
    "training_iteration",
)
"""The first of these that a record has is its step."""

EPOCHS = ("epoch", "epochs", "trainer/epoch", "current_epoch")
"""What counts epochs; the step of a record that has none of `STEPS`."""

TIMES = ("_timestamp", "timestamp", "wall_time", "time", "unix_time")
"""When a row was written, where its numbers can be Unix times in seconds."""

MOST_EPOCHS = 100_000
"""Of which it is kept from where their steps were counted."""

EARLIEST, LATEST = 1e8, 1e11
"""Unix times in seconds: what is less are seconds since something else."""


def named(names: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    """The first of the wanted names that is there, in any case and with spaces around; None where none is."""
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(name.strip().lower(), name)
    return next((by_plain[each] for each in wanted if each in by_plain), None)


def step_name(names: Iterable[str]) -> str | None:
    """What says the step: one of `STEPS`, else one of `EPOCHS`; None where none does."""
    there = list(names)
    return named(there, STEPS) or named(there, EPOCHS)


class StepsOfRows:
    """Steps of rows that go on from one to the next, where a record counts them anew in each epoch or leaves them out.

    That they are counted anew is seen where the epoch rises and the step falls. How many an epoch has is not known:
    those of the next one go on from the last that was written.
    """

    def __init__(self, *, counts_in_epochs: bool = False) -> None:
        """Of a record that is known to count so, an epoch that begins at the last one's step begins anew, too."""
        self._counts_in_epochs = counts_in_epochs
        self._counted_anew = self._left_out = False
        self._epoch: int | None = None
        self._said = self._from = 0
        """The last step as the record has it, and what is added to those of this epoch."""
        self._step: int | None = None
        """The last one, as it is told; None before the first."""
        self._from_by_epoch: dict[int, int] = {}

    @property
    def notes(self) -> list[str]:
        """What was made of steps, in words."""
        found = [say("foreign.steps_go_on")] if self._counted_anew else []
        return [*found, say("foreign.at_last_step")] if self._left_out else found

    def step(self, said: int, epoch: int | None) -> int:
        """That of the next row, by what it says of its step and its epoch."""
        if epoch is not None and epoch != self._epoch:
            self._begin(epoch, said)
        self._said, self._step = said, self._from + said
        return self._step

    def step_left_out(self, otherwise: int) -> int:
        """That of the next row, which says none; `otherwise` as long as no row has said one."""
        self._left_out |= self._step is not None
        return otherwise if self._step is None else self._step

    def _begin(self, epoch: int, said: int) -> None:
        before, self._epoch = self._epoch, epoch
        if before is None or self._step is None:
            return
        if epoch < before:  # trained again
            self._from = self._from_by_epoch.get(epoch, 0)
        elif said < self._said + (self._counted_anew or self._counts_in_epochs):
            self._counted_anew, self._from = True, self._step
        if self._counted_anew and len(self._from_by_epoch) < MOST_EPOCHS:
            self._from_by_epoch[epoch] = self._from
