"""Why the LR of a watched program moved: which scheduler stepped, and where it stands; or who wrote it by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isclose, isfinite, nan
from typing import Literal, TypeAlias

from tui_trainer.lr_reasons import SchedulerEvent, Standing, changed, dialled, explain, explain_plateau, unchanged
from tui_trainer.presets.schedulers import SchedulerTable
from tui_trainer.text.captions import say
from tui_trainer.text.reasons import Reason
from tui_trainer.watching.interpreter.definitions import Definitions
from tui_trainer.watching.interpreter.known_schedulers import (
    PLATEAU,
    PlateauFollower,
    config_of,
    interval_told,
    is_torchs_own,
    plateau_rules,
    steps_made,
    total_steps,
)
from tui_trainer.watching.interpreter.passes import Passes
from tui_trainer.watching.interpreter.written_lrs import place, where_written
from tui_trainer.watching.trace import SchedulerSeen, SchedulerState, Site

Interval: TypeAlias = Literal["step", "epoch"]


@dataclass(slots=True)
class Course:
    """Whether an LR rises or falls from step to step."""

    sign: int = 0
    last: int = -1
    """The step after which it moved last."""

    def turn(self, old: float, new: float, step: int) -> str | None:
        """It moves after a step: `by` for a move that begins, `falls` and `rises` for one that turns; None for one that
        goes on as before, which is no news."""
        before = self.sign if self.last == step - 1 else 0
        self.sign, self.last = (new > old) - (new < old), step
        if self.sign == before:
            return None
        return "by" if not before else "falls" if self.sign < 0 else "rises"


@dataclass(slots=True)
class Scheduler:
    """What is known of one."""

    seen: SchedulerSeen
    made: int | None
    """Steps of its own so far; None where that is not known."""
    included: bool = False
    """Whether the step that comes is among these."""
    interval: Interval | None = None
    calls: int = 0
    last_step: int = 0
    """After which step of the run it stepped last."""
    course: Course = field(default_factory=Course)
    plateau: PlateauFollower = field(default_factory=PlateauFollower)
    waiting: tuple[float, float, Site] | None = None
    """Of ReduceLROnPlateau: the LR before and after a step whose state is still to come, and where that was."""
    config: SchedulerTable | None = None
    """Its arguments, as far as they are known."""
    looked_at: Interval | None = None
    """The interval with which these were looked for."""
    watches: tuple[str | None, float | None] = (None, None)
    """Of ReduceLROnPlateau: what the program calls the number it steps with, and its `min_lr`."""


class LRCauses:
    """Follows the LR of the first group of the optimizer that makes the run's steps."""

    def __init__(self, definitions: Definitions, passes: Passes, now: Callable[[], float]) -> None:
        self._definitions, self._passes, self._now = definitions, passes, now
        self.main = 0
        """The optimizer whose steps are counted; 0 before the first."""
        self.schedulers: dict[int, Scheduler] = {}
        self._lr = nan
        """What the next step uses, as far as is known."""
        self._own = nan
        """The same without the LR dial."""
        self._hand = Course()
        self._written_at: str | None = None
        self.written = 0
        """After which step of the run the LR was written last, by nobody who dials or schedules; 0 where it was not."""
        self._dial: tuple[float, str] | None = None
        """What the LR dial was turned to, and by whom, as long as no step has used it."""
        self.factor = 1.0
        """What the LR dial multiplies it with."""
        self.dialled_from = 1
        """The first step that used this factor."""
        self._begun = 0
        """The step of the run behind which the optimizer began to make its steps."""

    def define(self, seen: SchedulerSeen) -> None:
        """A scheduler was seen."""
        if len(self.schedulers) < 1000 or seen.id in self.schedulers:
            self.schedulers[seen.id] = Scheduler(
                seen, steps_made(seen.state), interval=interval_told(seen.state), last_step=self._begun
            )

    def define_site(self, site: Site) -> None:
        """The place of a scheduler's step is defined right behind the scheduler: that step is done."""
        known = self.schedulers.get(site.target)
        if known is not None and not known.calls:
            known.included = True

    def begin(self, optimizer: int, lr: float) -> None:
        """The optimizer whose steps are counted steps for the first time, with this LR."""
        self.main, self._lr, self._own = optimizer, lr, lr

    def take_over(self, optimizer: int, called: str, lr: float, step: int, epoch: int) -> list[SchedulerEvent]:
        """Another optimizer makes the steps behind this one, beginning with this LR."""
        old = self._lr
        self.begin(optimizer, lr)
        self._own, self._begun = lr / self.factor, step
        self._hand, self._written_at = Course(), None
        for each in self.schedulers.values():
            if self._is_main(each):
                each.last_step = step
        if not (isfinite(old) and isfinite(lr)) or isclose(lr, old, rel_tol=1e-9):
            return []
        by = re.sub(r"\W", "_", called) or "an_optimizer"
        return self._told(old, lr, Reason("taken_over", {"optimizer": by}), step, epoch)

    def dial(self, factor: float, by: str) -> None:
        """A person turned the LR dial: the next change is theirs."""
        self._dial = factor, by

    @property
    def leading(self) -> Scheduler | None:
        """The scheduler that the run's LR comes from, the one that stepped last; None where there is none."""
        of = [each for each in self.schedulers.values() if self._is_main(each)]
        return max(of, key=lambda each: (each.calls > 0, each.last_step, each.seen.id), default=None)

    # What happens

    def stepped(self, site: Site, lr: float, step: int, epoch: int) -> list[SchedulerEvent]:
        """A scheduler stepped, after a step of the run; `lr` is that of the first group since."""
        scheduler = self.schedulers.get(site.target)
        if scheduler is None:
            return []
        self._count(scheduler, step)
        if not self._is_main(scheduler):
            return []
        old, self._own, self._lr = self._own, lr, lr * self.factor
        if not (isfinite(old) and isfinite(lr) and step):
            return []
        if scheduler.seen.class_name == PLATEAU and is_torchs_own(scheduler.seen):
            scheduler.waiting = (old, lr, site)
            return []
        return self._under_dial(self._explain(scheduler, site, old, lr, step, epoch))

    def _under_dial(self, events: list[SchedulerEvent]) -> list[SchedulerEvent]:
        """What a scheduler did, with the LRs that are used."""
        return events if self.factor == 1.0 else [dialled(event, self.factor) for event in events]

    def state(self, told: SchedulerState, step: int, epoch: int) -> list[SchedulerEvent]:
        """A scheduler stands so after its step."""
        scheduler = self.schedulers.get(told.id)
        if scheduler is None:
            return []
        made = steps_made(told.state)
        scheduler.made = made if made is not None else scheduler.made
        waiting, scheduler.waiting = scheduler.waiting, None
        seen = scheduler.plateau.take(told.state, told.metric)
        if waiting is None:
            return []
        old, new, site = waiting
        rules = plateau_rules(told.state, monitor_of(site))
        if rules is not None and scheduler.interval == "epoch":
            scheduler.watches = rules.monitor, rules.min_lr
        if seen is None or rules is None or scheduler.interval != "epoch" or not self._passes.counts_epochs:
            return self._under_dial(self._without_curve(scheduler, site, old, new, step, epoch))
        return self._under_dial(explain_plateau(rules, seen, old, new, epoch=epoch, step=step, now=self._now()))

    def moved(self, lr: float, step: int, epoch: int, used: float) -> list[SchedulerEvent]:
        """The next step uses this LR, which the optimizer did not have before; the last one used another."""
        old, self._lr = self._lr, lr
        dial = self._dial if isfinite(old) and old > 0 and not isclose(lr, old, rel_tol=1e-12) else None
        if dial is not None:
            self.factor, self.dialled_from, self._dial = dial[0], step + 1, None
        if not isclose(lr, self._own * self.factor, rel_tol=1e-12):
            self._own = lr / self.factor
        if dial is not None:
            _, by = dial
            reason = Reason("dialled_off", {"by": by})
            if self.factor != 1.0:
                reason = Reason("dialled", {"by": by, "factor": self.factor})
            return self._told(old, lr, reason, step, epoch)
        if not isfinite(old) or isclose(lr, old, rel_tol=1e-9) or not step:
            return []
        self.written = step
        old = used if isfinite(used) else old  # what a scheduler gave in between, no step has used
        if isclose(lr, old, rel_tol=1e-9):
            return []
        turn = self._hand.turn(old, lr, step)
        if turn is None:
            return []
        if self._written_at is None:
            self._written_at = where_written(self._files()) or say("why.unknown_line")
        return self._told(old, lr, Reason(f"written_{turn}", {"place": self._written_at}), step, epoch)

    # Why

    def _is_main(self, scheduler: Scheduler) -> bool:
        of = scheduler.seen.optimizer
        return (
            of == self.main
            or self._definitions.wrapped(of) == self.main
            or (not self.main and len(self.schedulers) == 1)
        )

    def _count(self, scheduler: Scheduler, step: int) -> None:
        if scheduler.included:
            scheduler.included = False
        elif scheduler.made is not None:
            scheduler.made += 1
        scheduler.interval = self._interval(scheduler, step)
        scheduler.calls += 1
        scheduler.last_step = step

    def _interval(self, scheduler: Scheduler, step: int) -> Interval | None:
        """When it steps, as it says itself, or as far as its steps so far agree."""
        if (told := interval_told(scheduler.seen.state)) is not None:
            return told
        training, since = self._passes.training, step - scheduler.last_step
        an_epoch = self._passes.counts_epochs and training is not None and training.exhausted
        now: Interval | None = None
        if an_epoch and (since > 1 or self._passes.steps_an_epoch == 1):
            now = "epoch"
        elif since == 1:
            now = "step"
        if not scheduler.calls or not scheduler.last_step or now == scheduler.interval:
            return now  # a step before all of the run's says nothing
        return None

    def _explain(
        self, scheduler: Scheduler, site: Site, old: float, new: float, step: int, epoch: int
    ) -> list[SchedulerEvent]:
        at = self._standing(scheduler, new)
        if at is not None:
            return explain(at, old, epoch=epoch, step=step, now=self._now())
        if (reached := self._milestone(scheduler)) is not None and new != old:
            scheduler.course.turn(old, new, step)
            return self._told(old, new, reached, step, epoch)
        return self._without_curve(scheduler, site, old, new, step, epoch)

    def _standing(self, scheduler: Scheduler, lr: float) -> Standing | None:
        """Where it stands on its curve; None where that is not known."""
        if scheduler.interval is None or not scheduler.made:
            return None
        optimizer = self._definitions.optimizers.get(self.main)
        if scheduler.looked_at != scheduler.interval:
            scheduler.looked_at = scheduler.interval
            group = optimizer.groups[0] if optimizer is not None and optimizer.groups else None
            scheduler.config = config_of(scheduler.seen, group, scheduler.interval)
        if scheduler.config is None:
            return None
        base = scheduler.seen.state.get("base_lrs")
        first = base[0] if isinstance(base, list) and base and type(base[0]) in (int, float) else nan
        return Standing(
            config=scheduler.config,
            step_count=scheduler.made,
            total_steps=total_steps(scheduler.seen),
            lr=lr,
            base_lr=first,
            interval=scheduler.interval,
            unit=scheduler.interval,
            batches_per_epoch=self._passes.steps_an_epoch,
        )

    def _milestone(self, scheduler: Scheduler) -> Reason | None:
        """Of SequentialLR: the next of its schedulers begins; of MultiStepLR that did not tell its milestones: one."""
        if not is_torchs_own(scheduler.seen) or not scheduler.made:
            return None
        if scheduler.seen.class_name == "MultiStepLR":
            return Reason("milestone_reached", {"milestone": scheduler.made})
        told = scheduler.seen.state.get("_milestones")
        if scheduler.seen.class_name == "SequentialLR" and isinstance(told, list) and scheduler.made in told:
            return Reason("next_scheduler", {"milestone": scheduler.made, "scheduler": "SequentialLR"})
        return None

    def _without_curve(
        self, scheduler: Scheduler, site: Site, old: float, new: float, step: int, epoch: int
    ) -> list[SchedulerEvent]:
        """Of a scheduler whose curve is not known: who moved the LR, and where that was called."""
        turn: str | None = "by"
        if scheduler.interval != "epoch":
            turn = scheduler.course.turn(old, new, step) if new != old else None
        if turn is None:
            return []
        called = re.sub(r"\W", "_", scheduler.seen.class_name) or "a_scheduler"
        by = {"scheduler": called, "place": place(site.file, site.lineno)}
        if new == old:
            return [unchanged(new, Reason("kept_by", by), epoch, step, self._now())]
        return self._told(old, new, Reason(f"changed_{turn}", by), step, epoch)

    def _told(self, old: float, new: float, reason: Reason, step: int, epoch: int) -> list[SchedulerEvent]:
        return [changed(old, new, reason.but(old=old, new=new), epoch, step, self._now())] if step else []

    def _files(self) -> list[str]:
        script = [self._definitions.hello.script] if self._definitions.hello is not None else []
        return [*script, *(site.file for site in self._definitions.sites.values())]


_MONITOR = re.compile(r"\.step\(\s*(?:metrics\s*=\s*)?(?:\w+\.)*(\w*[A-Za-z]\w*)\s*[,)]")


def monitor_of(site: Site) -> str:
    """What the program calls the number that it steps ReduceLROnPlateau with: `val_loss`; `metric` where that is not
    known."""
    found = _MONITOR.search(site.text)
    return found[1] if found is not None else "metric"
