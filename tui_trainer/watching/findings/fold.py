"""The frames of one process, and what they tell is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from tui_trainer.events import MistakeFound
from tui_trainer.watching.findings.clipping import ClipBeforeBackward
from tui_trainer.watching.findings.data import NotShuffled
from tui_trainer.watching.findings.gradients import Gradients
from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.memory import GraphsKept, ItemEachStep
from tui_trainer.watching.findings.out_of_sight import StepsNotCounted, StepsNotSeen
from tui_trainer.watching.findings.plateau import TrainingMetric
from tui_trainer.watching.findings.raised import Raised
from tui_trainer.watching.findings.resume import SchedulerNotLoaded
from tui_trainer.watching.findings.rule import Handler, Rule, Value
from tui_trainer.watching.findings.scaler import ClipBeforeUnscale
from tui_trainer.watching.findings.schedule_end import ScheduleEndsEarly
from tui_trainer.watching.findings.scheduled_twice import ScheduledTwice
from tui_trainer.watching.findings.scheduler_interval import SchedulerInterval
from tui_trainer.watching.findings.scheduler_order import SchedulerBeforeOptimizer
from tui_trainer.watching.findings.validation import Validations
from tui_trainer.watching.interpreter.definitions import count
from tui_trainer.watching.interpreter.hand_over import HandOvers, TakenOver
from tui_trainer.watching.trace import LATE, AnyDefinition, Goodbye, Observed, Options, Rows, Site

MOST_LATE = 4096
MOST_FOUND = 100
_NAME = 1000
_TEXT = 1000


class Findings:
    """Takes the frames of one process in their order, and says what is wrong with its loop: each thing once.

    What cannot be told is not said: a right loop raises nothing.
    """

    def __init__(self, options: Options | None = None, clock: Callable[[], float] = time.time) -> None:
        """Nothing was read yet.

        Args:
            options: how it is watched.
            clock: gives the Unix time.
        """
        self._now = clock
        self._loop = loop = Loop(options or Options())
        self._hand_overs = HandOvers()
        self._found: list[MistakeFound] = []
        self._told: set[tuple[str, str, int]] = set()
        validations = Validations(loop, self._tell)
        self._training_metric = TrainingMetric(loop, self._tell, validations)
        self._rules: tuple[Rule, ...] = (
            validations,
            self._training_metric,
            SchedulerBeforeOptimizer(loop, self._tell),
            SchedulerInterval(loop, self._tell),
            ScheduledTwice(loop, self._tell),
            ScheduleEndsEarly(loop, self._tell),
            SchedulerNotLoaded(loop, self._tell),
            ClipBeforeUnscale(loop, self._tell),
            ClipBeforeBackward(loop, self._tell),
            Gradients(loop, self._tell),
            GraphsKept(loop, self._tell),
            ItemEachStep(loop, self._tell),
            NotShuffled(loop, self._tell),
            Raised(loop, self._tell),
            StepsNotSeen(loop, self._tell),
            StepsNotCounted(loop, self._tell),
        )
        self._handlers: dict[str, list[Handler]] = {}
        for rule in self._rules:
            for name, handler in rule.calls().items():
                self._handlers.setdefault(name, []).append(handler)
        self._sites: dict[float, tuple[Site, list[Handler]]] = {}
        self._late: dict[int, Site] = {}
        self._row = 0

    def take(self, frame: AnyDefinition | Rows) -> list[MistakeFound]:
        """A frame; what was found with it."""
        for given in self._hand_overs.take(frame):
            if isinstance(given, np.ndarray):
                self._take_rows(given)
            elif isinstance(given, TakenOver):
                self._loop.take_over(given.optimizer)
            else:
                self._define(given)
        found, self._found = self._found, []
        return found

    def _define(self, frame: AnyDefinition) -> None:
        loop = self._loop
        loop.definitions.take(frame)
        loop.define(frame)
        if isinstance(frame, Site) and LATE < frame.id <= 2**53:
            handlers = self._handlers.get(frame.call, [])
            if handlers or frame.call == "data":
                self._sites[frame.id] = frame, handlers
        for rule in self._rules:
            if isinstance(frame, Observed):
                rule.observed(frame)
            else:
                rule.define(frame)
        if isinstance(frame, Goodbye):
            loop.finish()
            for rule in self._rules:
                rule.finish()

    def _take_rows(self, rows: Rows) -> None:
        sites, loop = self._sites, self._loop
        for number, begin, end, value in rows.tolist():
            known = sites.get(number)
            if known is not None:
                site, handlers = known
                call = Call(site, begin, end, value)
                if site.call == "optimizer.step":
                    if loop.definitions.wrapped(site.target) == site.target:
                        loop.optimizer_step(call)
                    else:
                        handlers = []
                elif site.call == "backward":
                    loop.backwards += 1
                    if value != value and len(self._late) < MOST_LATE:
                        self._late[self._row] = site
                elif site.call == "data":
                    loop.data(call)
                for handler in handlers:
                    handler(call)
            elif number == LATE and self._late.pop(int(begin) if begin == begin else -1, None) is not None:
                self._training_metric.late(value)
            self._row += 1

    def _tell(
        self, code: str, where: Site | None, values: Mapping[str, Value], *, file: str = "", lineno: int = 0
    ) -> None:
        if where is not None:
            file, lineno = where.file, where.lineno
        found = (code, file, lineno)
        if found in self._told or len(self._told) >= MOST_FOUND:
            return
        self._told.add(found)
        self._found.append(
            MistakeFound(
                at=self._now(),
                mistake=code,
                step=self._loop.step,
                file=file[:_NAME],
                lineno=count(lineno) or 0,
                values={name: each[:_TEXT] if isinstance(each, str) else each for name, each in values.items()},
            )
        )
