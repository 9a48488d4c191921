"""A comparison as it stands: its runs by preset, each followed through its record, whoever trains them.

And their curves for a drawing: each run's own places along an axis, thinned so that spikes stay.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from itertools import compress
from math import isfinite
from operator import is_not
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from tui_trainer.compare.colours import COLOURS
from tui_trainer.compare.elsewhere import Elsewhere
from tui_trainer.compare.metric import ACCURACY, Metric, metric_of
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.compare.together import Follower, InOrder, Those, Together
from tui_trainer.events import Goal, Status
from tui_trainer.garbage import none_meanwhile
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

READ_FOR = 0.004
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


FIRST_SAID: tuple[State, ...] = (
    "running",
    "paused",
    "starting",
    UNKNOWN,
    "failed",
    "diverged",
    "crashed",
    "stopped",
    BY_RULE,
    "gone",
    UNREACHED,
    "queued",
    "to come",
)
"""Of several runs, the first of these that one stands so is said of all."""


class Compared:
    """One run of the comparison."""

    def __init__(self, entry: Contestant, record: Path | None, group: Group, number: int = 0) -> None:
        self.entry = entry
        self.group = group
        self.number = number
        """Its place among all runs, from 0."""
        self.record = record
        self.history = NOTHING
        self.is_queued = self.has_failed = False
        """Whether it waits in the queue of a cluster; whether its job there is over, and has not trained it."""
        self.facts: dict[str, object] = {}
        """What `run.json` holds."""
        self._host: RunSource | None = None
        self._standing: object = None
        self._reached: dict[tuple[str, Goal, float], _Reached] = {}

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
    def is_to_come(self) -> bool:
        """Whether there is nothing of it yet, and nothing to be said."""
        is_waited_for = self.is_queued or self.has_failed or self.entry.address
        return self.history is NOTHING and self.record is None and not is_waited_for

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
    def counts(self) -> bool:
        """Whether its numbers stand for its preset: those of finished seeds do; a run that has no others counts as it
        stands."""
        return len(self.group.runs) == 1 or self.state == "finished"

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


class _How(NamedTuple):
    """How one run stands."""

    state: State
    recorded: bool = False
    """Whether it has a record; as the next ones, see `Standing`."""
    told: bool = False
    begun: bool = False
    live: bool = False
    finished: bool = False
    resolved: bool = False
    whole: bool = False
    over: bool = False
    ended: bool = False
    broke_off: bool = False
    unread: bool = False
    goes_on: bool = False
    paused: bool = False
    paused_here: bool = False
    steps: bool = False
    foreign: bool = False
    foreign_begun: bool = False
    took: float | None = None

    @classmethod
    def of(cls, run: Compared) -> _How:
        if run.is_to_come:
            return _TO_COME
        history, state, over = run.history, run.state, run.is_over
        recorded, begun, end = run.record is not None, history.last_step > 0, history.ended
        return cls(
            state=state,
            recorded=recorded,
            told=recorded and history.version > 0,
            begun=begun,
            live=recorded and not over,
            finished=state == "finished",
            resolved=recorded and history.resolved is not None,
            whole=begun and run.counts,
            over=over,
            ended=recorded and end is not None,
            broke_off=end is not None and end.status != "finished",
            unread=not run.is_read,
            goes_on=recorded and history.steps > 0 and history.status in ("running", "paused"),
            paused=recorded and history.status == "paused",
            paused_here=recorded and history.status == "paused" and not run.entry.address,
            steps=begun and history.steps > 0,
            foreign=recorded and history.written_at is not None,
            foreign_begun=begun and history.written_at is not None,
            took=history.elapsed_s if over and history.steps else None,
        )


_TO_COME = _How("to come")
"""As most of ten thousand runs stand before they train."""


class Standing(Follower[Compared]):
    """How runs stand: which have come how far, and how many."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self.states: Counter[State] = Counter()
        """How many stand so; without those that none does."""
        self.recorded = InOrder[Compared]()
        """Those that have a record."""
        self.told = InOrder[Compared]()
        """Those of whose record anything was read."""
        self.begun = InOrder[Compared]()
        """Those that have trained something."""
        self.live = InOrder[Compared]()
        """Those that have a record, and are not over."""
        self.finished = InOrder[Compared]()
        """Those that came to the end that they were to have."""
        self.resolved = InOrder[Compared]()
        """Those of which it is known what they came to."""
        self.whole = InOrder[Compared]()
        """Those that have trained something, and whose numbers stand for their preset."""
        self.over = self.ended = self.broke_off = self.unread = self.goes_on = self.paused = self.paused_here = 0
        """How many will not go on by themselves; have ended; have ended before they were to; have more in their record
        than was read; train, or stand paused as they do; stand paused; do so on this machine."""
        self.steps = self.foreign = self.foreign_begun = 0
        """How many tell single steps; are of another tool; are so and have trained something."""
        self.took = 0.0
        self.took_of = 0
        """Seconds that those took that are over, and how many these are."""
        self._how: dict[Compared, _How] = {}
        self._members = {
            "recorded": self.recorded,
            "told": self.told,
            "begun": self.begun,
            "live": self.live,
            "finished": self.finished,
            "resolved": self.resolved,
            "whole": self.whole,
        }

    @property
    def status(self) -> State:
        """One word for all of them: what goes on, else what went wrong, else how they ended."""
        return next((state for state in FIRST_SAID if state in self.states), next(iter(self.states), "to come"))

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            how, before = _How.of(run), self._how.get(run)
            if how == before:
                continue
            self._how[run] = how
            for name, members in self._members.items():
                if (belongs := getattr(how, name)) != getattr(before, name, False):
                    members.put(run, belongs)
            if before is not None:
                self._count(before, -1)
                if not self.states[before.state]:
                    del self.states[before.state]
            self._count(how, 1)

    def _count(self, how: _How, by: int) -> None:
        self.states[how.state] += by
        self.over += by * how.over
        self.ended += by * how.ended
        self.broke_off += by * how.broke_off
        self.unread += by * how.unread
        self.goes_on += by * how.goes_on
        self.paused += by * how.paused
        self.paused_here += by * how.paused_here
        self.steps += by * how.steps
        self.foreign += by * how.foreign
        self.foreign_begun += by * how.foreign_begun
        if how.took is not None:
            self.took, self.took_of = self.took + by * how.took, self.took_of + by


class Group(Together[Compared]):
    """The runs of one preset, a seed each; a run that was there before is a group of its own."""

    def __init__(self, label: str, number: int, among: Together[Compared] | None = None) -> None:
        super().__init__()
        self.label = label
        self.words = plain(label)
        """The label as text that is safe to show."""
        self.number = number
        """From 0; the colour follows from it, and stays."""
        self._among = among
        """All runs of the comparison."""
        self._standing: Standing | None = None
        """Of ten thousand presets most are never asked how they stand: none of their runs has begun."""

    def happened_to(self, run: Compared, *, milestone: bool = True) -> None:
        super().happened_to(run, milestone=milestone)
        if self._among is not None:
            self._among.happened_to(run, milestone=milestone)

    @property
    def standing(self) -> Standing:
        """How they stand."""
        if self._standing is None:
            self._standing = Standing(self)
        self._standing.look()
        return self._standing

    @property
    def colour(self) -> int:
        """The number of its colour."""
        return self.number % COLOURS

    @property
    def begun(self) -> Sequence[Compared]:
        """The runs that have trained something."""
        return self.standing.begun

    @property
    def counted(self) -> Sequence[Compared]:
        """The runs whose numbers stand for the preset: finished seeds; a run that has no others, as it stands."""
        return self.runs if len(self.runs) == 1 else self.standing.finished

    @property
    def averaged(self) -> Sequence[Compared]:
        """The runs whose mean is the preset's curve: those that count; before one does, a single seed, and no mean."""
        standing = self.standing
        return standing.whole or [run for run in standing.live if run in standing.begun][:1] or standing.begun[:1]

    @property
    def beside(self) -> list[Compared]:
        """The runs whose curves are drawn each by itself: seeds that are in no mean, as long as they train."""
        standing, averaged = self.standing, self.averaged
        mine = standing.live if standing.whole else standing.begun
        return [run for run in mine if run in standing.begun and run not in averaged]

    @property
    def ended_early(self) -> bool:
        """Whether none of its seeds came to the end that it was to have, and none goes on."""
        return bool(self.standing.begun) and self.standing.broke_off == len(self.runs)


class _Kinds(Follower[Compared]):
    """Runs by what series they have and what they say of these: most have the same."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self._kind: dict[Compared, Hashable] = {}
        self._alike: dict[Hashable, InOrder[Compared]] = {}

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            kind = run.history.series.kind_of_all if run.record is not None else None
            before = self._kind.get(run)
            if kind == before:
                continue
            if before is not None:
                self._alike[before].put(run, False)
                if not self._alike[before]:
                    del self._alike[before]
            if kind is not None:
                self._alike.setdefault(kind, InOrder()).put(run, True)
            self._kind[run] = kind

    @property
    def first(self) -> list[Compared]:
        """The first of each kind, in the order in which they train."""
        return sorted((alike[0] for alike in self._alike.values()), key=lambda run: run.number)


class _Logged(Follower[Compared]):
    """How many values of a series runs have."""

    def __init__(self, runs: Together[Compared], name: str) -> None:
        super().__init__(runs, name)
        self._name = name
        self._of: dict[Compared, int] = {}
        self.count = 0

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            series = run.history.series.get(self._name)
            count = len(series.values) if series is not None else 0
            self.count += count - self._of.get(run, 0)
            self._of[run] = count


class _Begun(Follower[Compared]):
    """Presets of which a run has trained something."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self.groups = InOrder[Group]()
        self._frozen: tuple[Group, ...] | None = None

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            begun = run.history.last_step > 0 or bool(run.group.begun)
            if begun != (run.group in self.groups):
                self.groups.put(run.group, begun)
                self._frozen = None

    @property
    def frozen(self) -> tuple[Group, ...]:
        """The same one as long as no other one has begun."""
        if self._frozen is None:
            self._frozen = tuple(self.groups)
        return self._frozen


class _Open(Those[Compared]):
    """Which runs another machine may train, now or later."""

    def belongs(self, run: Compared) -> bool:
        return run.entry.is_trained_here and run.state not in ("finished", "diverged", BY_RULE)


class Comparison(Together[Compared]):
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
        super().__init__()
        self._standing = Standing(self)
        self.session = session
        self.far = far
        self.by = by
        self.columns = tuple(columns)
        self.elsewhere = Elsewhere(session)
        self.is_driven = False
        """Whether some process trains, as of the last look."""
        self.lags = False
        """Whether the last poll left something for the next one: long records are being read."""
        self._followed: OrderedDict[Compared, None] = OrderedDict()
        """Those that have a record, less the quiet ones; the one that was looked at longest ago comes first."""
        self._quiet: OrderedDict[Compared, None] = OrderedDict()
        """Those that are over and read."""
        self._next_look = 0.0
        self._entries: Sequence[Contestant] = session.entries
        """As of the last look; another object where anything of them is otherwise."""
        self._queued: set[int] = set()
        self._failed: set[int] = set()
        """The trials that wait in the queue of a cluster, and whose jobs there are over and have not trained them."""
        self._far: dict[int, Compared] = {}
        """Those whose records are on other machines: their copies come as they are heard of."""
        self.groups: list[Group] = []
        with none_meanwhile():
            self._begin_with(session.entries)
        self.seeds = max((len(group.runs) for group in self.groups), default=0)
        """How many runs a preset has, at the most."""
        if self._may_go_on and not is_live(session.folder):
            self.elsewhere.look()

    def _begin_with(self, entries: Sequence[Contestant]) -> None:
        groups: dict[str, Group] = {}
        for number, entry in enumerate(entries):
            if (group := groups.get(entry.label)) is None:
                group = groups[entry.label] = Group(entry.label, len(groups), self)
            run = Compared(entry, self._record_of(entry), group, number)
            self.runs.append(run)
            group.add(run)
            self._take_up(run)
            if entry.address:
                self._far[number] = run
        self.groups = list(groups.values())

    @property
    def is_paused(self) -> bool:
        """Whether what trains stands still, and has not ended."""
        return self.standing.paused > 0

    @property
    def standing(self) -> Standing:
        """How its runs stand."""
        self._standing.look()
        return self._standing

    @property
    def recorded(self) -> Sequence[Compared]:
        """Those that have a record, in the order in which they train."""
        return self.standing.recorded

    @property
    def series(self) -> list[AllSeries]:
        """What runs have logged that have a record; of several that have series of the same names, and have said the
        same of them, the first run's."""
        return [run.history.series for run in self.kept(_Kinds).first]

    @property
    def begun(self) -> tuple[Group, ...]:
        """The presets of which a run has trained something; the same ones as long as no other has begun."""
        return self.kept(_Begun).frozen

    def logged(self, name: str) -> int:
        """How many values of a series all runs together have."""
        return self.kept(_Logged, name).count

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
        return self.standing.over == len(self.runs)

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
            self._poll(self._followed.popitem(last=False)[0])
            if time.thread_time() > until:
                self.lags = True
                break
        for _ in range(min(QUIET_AT_ONCE, len(self._quiet))):
            self._poll(self._quiet.popitem(last=False)[0])
        return self.version != before

    def _poll(self, run: Compared) -> None:
        came, otherwise = run.poll(), run.stands_otherwise()
        if came or otherwise:
            run.group.happened_to(run, milestone=otherwise)
        self._take_up(run)

    def _take_up(self, run: Compared) -> None:
        """Look at a run that has a record, from now on; one that is over and read rests, for somebody may go on with
        it."""
        self._followed.pop(run, None)
        self._quiet.pop(run, None)
        if run.record is None:
            return
        if run.is_over and run.is_read:
            run.rest()
            self._quiet[run] = None
        else:
            self._followed[run] = None

    def poll_all(self) -> None:
        """Take in all that is recorded, however long that takes."""
        self.poll(look=True)  # runs that began since the last look are among it
        while self.poll():
            pass

    def close(self) -> None:
        """Look no more."""
        for run in self.runs:
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
        for number in self._otherwise():
            run = self.runs[number]
            run.entry = self._entries[number]
            if run.entry.address:
                self._far[number] = run
            how = number in self._queued, number in self._failed
            if run.now_at(self._record_of(run.entry)) or how != (run.is_queued, run.has_failed):
                run.is_queued, run.has_failed = how
                run.group.happened_to(run)
                self._take_up(run)

    def _otherwise(self) -> set[int]:
        """The numbers of the runs of which the session or the cluster says another thing than at the last look, or may
        do so."""
        found = set(self._far)
        entries = self.session.entries
        if entries is not self._entries:
            count = min(len(entries), len(self.runs))
            found.update(compress(range(count), map(is_not, entries, self._entries)))
            self._entries = entries
        queued = {number for number, task in self.elsewhere.tasks.items() if task.waits}
        failed = set(self.elsewhere.failed)
        found |= (queued ^ self._queued) | (failed ^ self._failed)
        self._queued, self._failed = queued, failed
        return {number for number in found if 0 <= number < len(self.runs)}

    def _record_of(self, entry: Contestant) -> Path | None:
        """The folder of a run's record, or that of its copy."""
        if entry.address and self.far is not None:
            return self.far.path_of(entry.address)
        return self.session.record_of(entry)

    @property
    def of_lines(self) -> list[str]:
        """What is to be said of the connections to other machines, and of runs that are not here for want of one."""
        far = self.far
        unreached = [run.entry for _, run in sorted(self._far.items()) if run.state == UNREACHED]
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
        return bool(self.kept(_Open).runs)


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
