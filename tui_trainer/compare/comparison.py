"""A comparison as it stands: its runs by preset, each followed through its record, whoever trains them.

And their curves for a drawing: each run's own places along an axis, thinned so that spikes stay.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from tui_trainer.compare.colours import COLOURS
from tui_trainer.compare.elsewhere import Elsewhere
from tui_trainer.compare.metric import ACCURACY, Metric, metric_of
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import Goal, Status
from tui_trainer.plotting.curves import MinMaxTree
from tui_trainer.plotting.scales import ClockTimeline, EpochTimeline, SecondTimeline, StepTimeline, Timeline, Unit
from tui_trainer.plotting.smoothing import Smoothing, fitting_window
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.history import History
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.series import AllSeries, Series
from tui_trainer.records.told_epochs import told_epochs
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import RunSource
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.reasons import WORSE_THAN_MEDIAN

if TYPE_CHECKING:
    from tui_trainer.run_sources.far_records import FarRecords

LOOK_EVERY = 0.5
"""Seconds between looks at the session's file."""

READ_FOR = 0.015
"""Seconds of its own time that one poll reads for, and a run more: a screen answers keys while long records come in."""

BY_RULE = "pruned"
"""How a run stands that the session's rule has stopped early."""

UNKNOWN = "unknown"
"""How a run stands that another tool records, and of whose end it has said nothing."""

QUIET_AT_ONCE = 50
"""Runs that are over, and may be gone on with one day, that one poll looks at."""

NOTHING = History()
"""Of all runs that have not begun: one for ten thousand of them, which nothing is ever applied to."""

UNREACHED = "not reached"
"""How a run stands whose record is on another machine, and not here."""

State: TypeAlias = Status | str
"""A run's status; `to come` before its record has begun, `gone` where its record is."""


T = TypeVar("T")


class Found:
    """What was found out of something, as long as nothing happens to it."""

    def __init__(self) -> None:
        self._as_of: object = None
        self._found: dict[Hashable, object] = {}

    def once(self, as_of: object, what: Hashable, work: Callable[[], T]) -> T:
        """What `work` comes to; it is done anew only where `as_of` is another one than before."""
        if self._as_of != as_of:
            self._as_of = as_of
            self._found.clear()
        if what not in self._found:
            self._found[what] = work()
        return self._found[what]  # type: ignore[return-value]


class Compared:
    """One run of the comparison."""

    def __init__(self, entry: Contestant, record: Path | None, group: Group) -> None:
        self.entry = entry
        self.group = group
        self.record = record
        self.history = NOTHING
        self.is_queued = self.has_failed = False
        """Whether it waits in the queue of a cluster; whether its job there is over, and has not trained it."""
        self.facts: dict[str, object] = {}
        """What `run.json` holds."""
        self._host: RunSource | None = None
        self._standing: object = None
        self._reached: dict[tuple[str, Goal, float], _Reached] = {}
        self._found = Found()

    def once(self, what: Hashable, work: Callable[[Compared], T]) -> T:
        """What `work` finds out of its history: done anew only where something was told since."""
        return self._found.once((self.record, self.history.version), what, lambda: work(self))

    @property
    def state(self) -> State:
        """How it stands, in a word or two."""
        if self.is_queued and (self.record is None or self.history.ended is not None):
            return "queued"
        if self.has_failed and (self.record is None or self.history.ended is None):
            return "failed"
        if self.record is None:
            return UNREACHED if self.entry.address else "to come"
        if not self.facts and not (self.record.exists() or self.record.parent.is_file()):  # a database holds runs
            return "gone"
        if self.history.written_at is not None and self.history.last_step and self.history.ended is None:
            return UNKNOWN
        if self.history.status == "stopped" and self.history.ended is not None:
            return BY_RULE if self.history.ended.why.code == WORSE_THAN_MEDIAN else "stopped"
        return self.history.status if self.history.version else "starting"

    @property
    def has_preset(self) -> bool:
        """Whether it is a run of ours: another seed of a watched program, or of another tool's run, nobody here can
        train."""
        return self.history.program is None and self.history.written_at is None

    @property
    def is_over(self) -> bool:
        """Whether it will not go on by itself."""
        return not self.is_queued and (self.history.ended is not None or self.state in ("gone", "failed", UNREACHED))

    @property
    def is_read(self) -> bool:
        """Whether all that its record holds was taken in; True of one that has none yet."""
        return self.record is None or (self._host is not None and not self._host.lags)

    def now_at(self, record: Path | None) -> bool:
        """Follow this record; whether it is another one than before."""
        if record == self.record:
            return False
        self.close()
        self.record, self.history, self.facts = record, NOTHING, {}
        self._reached.clear()
        return True

    def poll(self) -> int:
        """Apply what came since the last time."""
        if self.record is None:
            return 0
        if self._host is None:
            try:
                self._host = open_source(self.record, readonly=True, as_ours=True)
            except RunNotFound:  # somebody has deleted it
                return 0
            self.history = self._host.history
        count = self._host.poll()
        if not self.facts or (count and "resolved" not in self.facts):
            self.facts = read_facts(self.record)
        return count

    def stands_otherwise(self) -> bool:
        """Whether an epoch ended, it began or ended, or its record was read to the end, since this was asked last."""
        before = self._standing
        history = self.history
        begun = bool(history.steps), bool(history.last_step)
        self._standing = len(history.epochs), begun, self.state, bool(self.facts), self.is_read
        return self._standing != before

    def rest(self) -> None:
        """Hold no file of a record until the next poll; another tool's may be more than a file."""
        if isinstance(self._host, JournalSource):
            self._host.close()

    def first_at(self, name: str, goal: Goal, target: float) -> int | None:
        """The step at which a series first came to a target; None where it has not. A look costs what came since."""
        series = self.history.series.get(name)
        if series is None or goal == "none":
            return None
        known = self._reached.get((name, goal, target))
        if known is None or known.series is not series or known.rewrites != series.rewrites:
            known = self._reached[name, goal, target] = _Reached(series)
        return known.look(1 if goal == "max" else -1, target)

    def close(self) -> None:
        """Look no more."""
        if self._host is not None:
            self._host.close()
            self._host = None


class _Reached:
    """Where a series that grows came to a target, looked at from where the last look ended."""

    def __init__(self, series: Series) -> None:
        self.series, self.rewrites = series, series.rewrites
        self._seen = 0
        self._step: int | None = None

    def look(self, sign: int, target: float) -> int | None:
        values = self.series.values
        if self._step is None:
            for index in range(self._seen, len(values)):
                if isfinite(values[index]) and sign * values[index] >= sign * target:
                    self._step = self.series.steps[index]
                    break
            self._seen = len(values)
        return self._step


class Standing(NamedTuple):
    """What is known of all runs of a preset, and changes only as one of them begins, ends, or ends an epoch."""

    states: Mapping[State, int]
    """Each of them, and how many stand so; that of the first run first."""
    over: int
    """How many have ended."""
    recorded: tuple[Compared, ...]
    """Those that have a record."""
    finished: tuple[Compared, ...]
    """Those that came to the end that they were to have."""
    live: tuple[Compared, ...]
    """Those that have a record, and have not ended."""
    took: tuple[float, ...]
    """Seconds that those took that have ended."""
    begun: list[Compared]
    ended_early: bool
    """As `Group` has them."""

    @classmethod
    def of(cls, runs: Sequence[Compared]) -> Standing:
        """Of these runs as they stand now."""
        of_each = [(run, run.state, run.is_over) for run in runs]
        begun = [run for run in runs if run.history.last_step]
        ends = [run.history.ended for run in runs]
        return cls(
            states=Counter(state for _, state, _ in of_each),
            over=sum(is_over for *_, is_over in of_each),
            recorded=tuple(run for run in runs if run.record is not None),
            finished=tuple(run for run, state, _ in of_each if state == "finished"),
            live=tuple(run for run, _, is_over in of_each if run.record is not None and not is_over),
            took=tuple(run.history.elapsed_s for run, _, is_over in of_each if is_over and run.history.steps),
            begun=begun,
            ended_early=bool(begun) and all(end is not None and end.status != "finished" for end in ends),
        )


class Group:
    """The runs of one preset, a seed each; a run that was there before is a group of its own."""

    def __init__(self, label: str, number: int) -> None:
        self.label = label
        self.number = number
        """From 0; the colour follows from it, and stays."""
        self.runs: list[Compared] = []
        self.version = 0
        """Grows with everything that happens to them."""
        self.milestones = 0
        """Grows as one of them begins, ends, or ends an epoch."""
        self._stood, self._found = Found(), Found()

    @property
    def standing(self) -> Standing:
        """How they stand, as of the last milestone: of a thousand seeds each frame would look at all of them."""
        return self._stood.once(self.milestones, "", lambda: Standing.of(self.runs))

    def once(self, what: Hashable, work: Callable[[Group], T]) -> T:
        """What `work` finds out of its runs: done anew only where something happened to one of them."""
        return self._found.once(self.version, what, lambda: work(self))

    @property
    def colour(self) -> int:
        """The number of its colour."""
        return self.number % COLOURS

    @property
    def begun(self) -> list[Compared]:
        """The runs that have trained something."""
        return self.standing.begun

    @property
    def counted(self) -> list[Compared]:
        """The runs whose numbers stand for the preset: finished seeds; a run that has no others, as it stands."""
        return list(self.runs if len(self.runs) == 1 else self.standing.finished)

    @property
    def averaged(self) -> list[Compared]:
        """The runs whose mean is the preset's curve: those that count; before one does, a single seed, and no mean."""
        there = [run for run in self.counted if run.history.last_step]
        return there or [run for run in self.begun if not run.is_over][:1] or self.begun[:1]

    @property
    def beside(self) -> list[Compared]:
        """The runs whose curves are drawn each by itself: seeds that are in no mean, as long as they train."""
        averaged = set(self.averaged)
        has_mean = any(run in averaged for run in self.counted)
        return [run for run in self.begun if run not in averaged and not (has_mean and run.is_over)]

    @property
    def ended_early(self) -> bool:
        """Whether none of its seeds came to the end that it was to have, and none goes on."""
        return self.standing.ended_early


class Comparison:
    """All runs of a session. It belongs to the thread that polls."""

    def __init__(
        self, session: Session, by: str | None = None, columns: Sequence[str] = (), far: FarRecords | None = None
    ) -> None:
        """Follow a session.

        Args:
            session: whose runs.
            by: what they are compared by (`NAME[:min|max]`), where not by the session's own metric.
            columns: which ones the table is to have, as `compare/columns.py` takes names; none: the usual ones.
            far: the records of runs on other machines; without it these are not reached.
        """
        self.session = session
        self.far = far
        self.by = by
        self.columns = tuple(columns)
        self.version = 0
        """Grows with everything that changed."""
        self.milestones = 0
        """Grows as an epoch of a run ends, as a run begins or ends, and as all of its record was read."""
        self.elsewhere = Elsewhere(session)
        self.is_driven = False
        """Whether some process trains, as of the last look."""
        self.lags = False
        """Whether the last poll left something for the next one: long records are being read."""
        self._compared: list[Compared] = []
        self._recorded: list[Compared] = []
        self._followed: deque[Compared] = deque()
        """Those that have a record, less the quiet ones; the one that was looked at longest ago comes first."""
        self._quiet: deque[Compared] = deque()
        """Those that are over and read."""
        self._next_look = 0.0
        self._seen: tuple[object, object, object] = (None, None, None)
        """What a look at ten thousand runs came of, to spare the next one."""
        self._goes_on: tuple[int, bool] = (-1, True)
        """Whether any run may go on, as of so many milestones."""
        groups: dict[str, Group] = {}
        for entry in session.entries:
            group = groups.setdefault(entry.label, Group(entry.label, len(groups)))
            run = Compared(entry, self._record_of(entry), group)
            group.runs.append(run)
            self._compared.append(run)
        self.groups = list(groups.values())
        self._follow()
        if self._may_go_on and not is_live(session.folder):
            self.elsewhere.look()

    @property
    def is_paused(self) -> bool:
        """Whether what trains stands still, and has not ended."""
        return any(run.history.status == "paused" for run in self._recorded)

    @property
    def runs(self) -> list[Compared]:
        """All runs, in the order in which they train."""
        return self._compared

    @property
    def recorded(self) -> list[Compared]:
        """Those that have a record, in the same order."""
        return self._recorded

    @property
    def series(self) -> list[AllSeries]:
        """What each run has logged that has a record."""
        return [run.history.series for run in self._recorded]

    @property
    def target(self) -> float | None:
        """What was asked to be reached, of `target_metric`."""
        return self.session.plan.target

    @property
    def target_metric(self) -> Metric:
        """What the session was begun with, which its target is one of: of accuracy where it named none."""
        asked = self.session.plan.metric
        return ACCURACY if asked is None else metric_of(asked, self.series)

    @property
    def metric(self) -> Metric:
        """By what the runs are compared."""
        return metric_of(self.by if self.by is not None else self.session.plan.metric, self.series)

    @property
    def is_over(self) -> bool:
        """Whether every run has ended."""
        return all(group.standing.over == len(group.runs) for group in self.groups)

    def poll(self, *, look: bool = False) -> bool:
        """Take in what happened, for a fraction of a second at most; whether anything did.

        `look` at the session's file, however short the last look is ago: which record each run has stands there.
        """
        now = time.monotonic()
        before, self.lags = self.version, False
        if look or now >= self._next_look:
            self._next_look = now + LOOK_EVERY
            self._look()
        until = time.thread_time() + READ_FOR
        for _ in range(len(self._followed)):
            self._poll(self._followed.popleft())
            if time.thread_time() > until:
                self.lags = True
                break
        for _ in range(min(QUIET_AT_ONCE, len(self._quiet))):
            self._poll(self._quiet.popleft())
        return self.version != before

    def _poll(self, run: Compared) -> None:
        came, otherwise = run.poll(), run.stands_otherwise()
        if came or otherwise:
            self.version += 1
            run.group.version += 1
        self.milestones += otherwise
        run.group.milestones += otherwise
        self._put_back(run)

    def _put_back(self, run: Compared) -> None:
        """Among those that are followed; one that is over and read rests, for somebody may go on with it."""
        if run.is_over and run.is_read:
            run.rest()
            self._quiet.append(run)
        else:
            self._followed.append(run)

    def _follow(self) -> None:
        """Look at what has a record, from now on."""
        self._followed.clear()
        self._quiet.clear()
        self._recorded = [run for run in self._compared if run.record is not None]
        for run in self._recorded:
            self._put_back(run)

    def poll_all(self) -> None:
        """Take in all that is recorded, however long that takes."""
        self.poll(look=True)  # runs that began since the last look are among it
        while self.poll():
            pass

    def close(self) -> None:
        """Look no more."""
        for run in self._compared:
            run.close()

    def _look(self) -> None:
        self.session.refresh()
        if self.far is not None:
            before = self.far.version
            self.far.hear()
            self.version += self.far.version != before
        driven = is_live(self.session.folder)
        if not driven and self._may_go_on:
            self.elsewhere.look_soon()
            driven = self.elsewhere.trains
        self.version += driven != self.is_driven
        self.is_driven = driven
        entries, tasks, failed = self.session.entries, self.elsewhere.tasks, self.elsewhere.failed
        seen = entries, tasks, failed
        if self.far is None and all(now is before for now, before in zip(seen, self._seen, strict=True)):
            return  # each of them is another object where anything of it is otherwise
        self._seen = seen
        changed = False
        for number, (run, entry) in enumerate(zip(self._compared, entries, strict=False)):
            run.entry = entry
            task = tasks.get(number)
            how = task is not None and task.waits, number in failed
            if run.now_at(self._record_of(entry)) or how != (run.is_queued, run.has_failed):
                run.is_queued, run.has_failed = how
                run.group.version += 1
                run.group.milestones += 1
                changed = True
        if changed:
            self.version += 1
            self.milestones += 1
            self._follow()

    def _record_of(self, entry: Contestant) -> Path | None:
        """The folder of a run's record, or that of its copy."""
        if entry.address and self.far is not None:
            return self.far.path_of(entry.address)
        return self.session.record_of(entry)

    @property
    def of_lines(self) -> list[str]:
        """What is to be said of the connections to other machines, and of runs that are not here for want of one."""
        far = self.far
        unreached = [run.entry for run in self._compared if run.entry.address and run.state == UNREACHED]
        return [
            *(
                say(
                    "comparison.not_reached",
                    who=plain(entry.label),
                    address=plain(entry.address),
                    why=(far.why_not(entry.address) if far is not None else "") or say("comparison.not_asked"),
                )
                for entry in unreached
            ),
            *(far.in_words() if far is not None else ()),
        ]

    @property
    def _may_go_on(self) -> bool:
        """Whether another machine may train anything of it, now or later."""
        if self._goes_on[0] != self.milestones:
            done = ("finished", "diverged", BY_RULE)
            may = any(run.entry.is_trained_here and run.state not in done for run in self._compared)
            self._goes_on = self.milestones, may
        return self._goes_on[1]


Point: TypeAlias = tuple[float, float]


def timeline_of(history: History, unit: Unit) -> Timeline:
    """Where the steps of a run lie on an axis; runs with other batch sizes have other epochs.

    Where another tool's record does not tell its epochs or its clock, its steps are counted.
    """
    if not history.steps and history.written_at is not None:
        return _told_timeline(history, unit)
    if unit == "seconds":
        return SecondTimeline(history.elapsed)
    batches = history.batches_in_epoch or (history.recipe.batches_per_epoch if history.recipe else 0)
    if unit == "epoch" and batches:
        ends = [start - 1 for start in history.epoch_starts] or [0]
        return EpochTimeline([*ends, ends[-1] + batches], batches)
    return StepTimeline()


def _told_timeline(history: History, unit: Unit) -> Timeline:
    if unit == "epoch" and (told := told_epochs(history)) is not None:
        ends = [step - 1 for step in told.begins]
        before = ends[-2] if len(ends) > 1 else ends[-1]
        return EpochTimeline(ends, ends[-1] - before or history.last_step - ends[-1])
    clock = history.logged_elapsed
    return ClockTimeline(clock.steps, clock.values) if unit == "seconds" and len(clock.steps) > 1 else StepTimeline()


def counted_in(histories: Iterable[History]) -> Unit:
    """What all of these can be counted in: epochs, or steps where another tool's record does not tell its epochs."""
    untold = any(
        not history.steps and history.written_at is not None and told_epochs(history) is None for history in histories
    )
    return "step" if untold else "epoch"


def smoothed(history: History, unit: Unit, points: int) -> list[Point]:
    """The smoothed training loss in at most so many points; of a run that tells no single steps, as it was logged."""
    if not history.steps:
        return logged(history, unit, "train_loss", points)
    smoothing = Smoothing(history.losses, fitting_window(history.recipe))
    while not smoothing.catch_up():
        pass
    place = timeline_of(history, unit).place
    every = max(1, len(smoothing.values) // points)
    steps = [*range(every - 1, len(smoothing.values), every)]
    if steps and steps[-1] != len(smoothing.values) - 1:
        steps.append(len(smoothing.values) - 1)
    return [(place(i + 1), smoothing.values[i]) for i in steps if isfinite(smoothing.values[i])]


def rates(history: History, unit: Unit, points: int) -> list[Point]:
    """The LR, level through each step, the lowest and the highest of each stretch kept; of a run that tells no single
    steps, as it was logged."""
    if not history.steps:
        return logged(history, unit, "lr", points)
    pyramid = MinMaxTree(history.lrs)
    pyramid.catch_up()
    place = timeline_of(history, unit).place
    every = max(1, len(history.lrs) // points)
    found: list[Point] = []
    for start in range(0, len(history.lrs), every):
        stop = min(start + every, len(history.lrs))
        extent = pyramid.extent(start, stop)
        if extent is None:
            continue
        rising = history.lrs[stop - 1] >= history.lrs[start]
        first, last = extent if rising else extent[::-1]
        found += [(place(start), first), (place(stop), last)]
    return found


def epoch_ends(history: History, unit: Unit, name: Literal["val_loss", "val_accuracy"], points: int) -> list[Point]:
    """A number of each epoch at its end; of a run that tells no epochs as a whole, as it was logged."""
    if not history.epochs:
        return logged(history, unit, name, points)
    place = timeline_of(history, unit).place
    found = [(place(epoch.step), getattr(epoch, name)) for epoch in history.epochs]
    return [(x, y) for x, y in found if isfinite(y)]


def logged(history: History, unit: Unit, name: str, points: int) -> list[Point]:
    """The finite values of a series; of more than so many, the lowest and the highest of each stretch."""
    series = history.series.get(name)
    if series is None:
        return []
    place, steps, values = timeline_of(history, unit).place, series.steps, series.values
    every = max(1, 2 * len(values) // points)
    found: list[int] = []
    for start in range(0, len(values), every):
        there = [i for i in range(start, min(start + every, len(values))) if isfinite(values[i])]
        found += sorted({f(there, key=values.__getitem__) for f in (min, max)}) if there else []
    return [(place(steps[i]), values[i]) for i in found]
