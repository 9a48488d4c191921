"""How often a scheduler is stepped: with each step of its optimizer, with each batch, or once a pass."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.trace import SchedulerSeen, Site


class SchedulerUse:
    """Of one scheduler, counted from the first step of its optimizer on.

    Between two steps of the optimizer lies an interval: within a pass, or from one pass to the next.
    """

    def __init__(self, seen: SchedulerSeen) -> None:
        self.seen = seen
        self.site: Site | None = None
        """Where it was stepped last."""
        self.steps = 0
        """All of them."""
        self.within = 0
        """Intervals within a pass."""
        self.steps_within = 0
        """Steps of the scheduler in them."""
        self.between = 0
        """Intervals from one pass to the next."""
        self.once_between = 0
        """Those of them with one step of the scheduler."""
        self.with_each_batch = 0
        """Intervals in a row with several backwards and a step of the scheduler after each of them."""
        self.batches_a_step = 0
        """Backwards in each of these."""
        self._since = 0
        self._after_backward = 0
        self._backwards = 0

    @property
    def is_once_a_pass(self) -> bool:
        """Whether it is stepped at the ends of passes alone."""
        return self.between >= 1 and self.once_between == self.between and self.within > 0 and not self.steps_within

    @property
    def is_with_each_step(self) -> bool:
        """Whether it is stepped as often as the optimizer."""
        return self.within > 0 and self.steps_within == self.within

    def scheduler_step(self, site: Site, backwards: int) -> None:
        """It was stepped, behind so many backwards of the whole run."""
        self.site = site
        self.steps += 1
        self._since += 1
        if backwards > self._backwards:
            self._after_backward += 1
            self._backwards = backwards

    def optimizer_step(self, first: bool, new_pass: bool, backwards: int) -> None:
        """Its optimizer stepped, with so many backwards since its last step."""
        since, after_backward = self._since, self._after_backward
        self._since = self._after_backward = 0
        if first:
            return
        if new_pass:
            self.between += 1
            self.once_between += since == 1
        else:
            self.within += 1
            self.steps_within += since
        if backwards >= 2 and since == after_backward == backwards:
            same = self.batches_a_step == backwards
            self.with_each_batch = self.with_each_batch + 1 if same else 1
            self.batches_a_step = backwards
        elif not new_pass:
            self.with_each_batch = 0


class SchedulerUses:
    """Of all schedulers that step."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.all: dict[int, SchedulerUse] = {}
        self._backwards_at: dict[int, int] = {}

    def scheduler_step(self, call: Call) -> SchedulerUse | None:
        """A scheduler was stepped; None where it was not defined."""
        seen = self._loop.definitions.schedulers.get(call.site.target)
        if seen is None:
            return None
        use = self.all.get(seen.id)
        if use is None:
            use = self.all[seen.id] = SchedulerUse(seen)
        use.scheduler_step(call.site, self._loop.backwards)
        return use

    def optimizer_step(self, optimizer: int, new_pass: bool) -> None:
        """An optimizer stepped."""
        loop = self._loop
        backwards = loop.backwards - self._backwards_at.get(optimizer, 0)
        self._backwards_at[optimizer] = loop.backwards
        first = loop.steps_of[optimizer] == 1
        for use in self.all.values():
            if loop.optimizer_of(use.seen.id) == optimizer:
                use.optimizer_step(first, new_pass, backwards)
