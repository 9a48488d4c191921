"""A run in a line of a list, from its record, without reading each of its steps; and how fast it is and how long it
still takes, from its own clock."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from math import isfinite, nan
from pathlib import Path
from typing import Any, Literal

import msgspec

from tui_trainer.events import (
    SCHEMA,
    AnyEvent,
    EpochEnded,
    Goal,
    MetricColumns,
    MetricsLogged,
    Status,
    StepsTaken,
)
from tui_trainer.records.errors import reason
from tui_trainer.records.flaws import MISSING_AT_MOST
from tui_trainer.records.history import BY_EPOCH, History
from tui_trainer.records.journal_cache import Glance, Unpacker
from tui_trainer.records.lines import Lines, SealedPlaces, seal_of, unsealed
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import last_words, later_form, read_facts
from tui_trainer.records.series import OBJECTIVES, AllSeries, LoggedSeries, Point, shown_name
from tui_trainer.records.tail import Tail
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import program_in_short
from tui_trainer.text.numbers import counted, float32_text
from tui_trainer.text.plain import plain

WINDOW_SECONDS = 3.0
"""Speed is that of the last seconds: long enough to be calm, short enough to show a change."""

LEAST_SECONDS = 0.25
"""Less than this of the run's clock is no measure of speed."""

EPOCHS_BACK = 3
"""Whole epochs to come are reckoned to take as long as the last few did."""


def images_per_second(history: History) -> float:
    """Training speed: of the last seconds within the epoch, or of the epoch ended last; 0 while unknown."""
    ended = history.epochs[-1] if history.epochs else None
    of_epoch = ended.images_per_second if ended is not None and isfinite(ended.images_per_second) else 0.0
    if ended is not None and ended.step >= history.steps:
        return of_epoch
    first, seconds = _recent(history)
    if seconds >= LEAST_SECONDS:
        return _images(history, first + 1, history.steps) / seconds
    return of_epoch


def steps_per_second(history: History) -> float:
    """Steps of the last seconds within the epoch; 0 while unknown."""
    first, seconds = _recent(history)
    return (history.steps - first) / seconds if seconds >= LEAST_SECONDS else 0.0


def seconds_left(history: History) -> float | None:
    """Seconds of the run's clock to come, validation included; None while unknown, 0 at the end."""
    if history.ended is not None:
        return 0.0
    recipe = history.recipe
    if recipe is None or not history.epoch_starts:
        return None
    if recipe.epochs is None or recipe.batches_per_epoch is None:
        return _seconds_of_steps(history, recipe.total_steps) if recipe.total_steps is not None else None
    batch_s = _seconds_a_batch(history)
    if batch_s is None:
        return None
    validation_s = _validation_seconds(history)
    epoch_s = _recent_epoch_seconds(history)
    if epoch_s is None:
        epoch_s = recipe.batches_per_epoch * batch_s + validation_s
    rest = max(0, recipe.epochs - history.epoch) * epoch_s
    if not history.epochs or history.epochs[-1].epoch < history.epoch:
        rest += max(0, history.batches_in_epoch - history.batch) * batch_s + validation_s
    return rest


def _seconds_of_steps(history: History, total: int) -> float | None:
    """Of a run that counts no epochs: each step to come takes as long as those of its later half did, with all that is
    done between them."""
    half, last = history.steps // 2, history.steps
    if half < 1 or (seconds := history.elapsed[last - 1] - history.elapsed[half - 1]) < LEAST_SECONDS:
        return None
    return max(0, total - last) * seconds / (last - half)


def _recent(history: History) -> tuple[int, float]:
    """`(step, seconds)`: the seconds since that step, all of it within the epoch that is being trained."""
    elapsed, last = history.elapsed, history.steps
    start = history.epoch_starts[-1] if history.epoch_starts else 1
    if last < start:
        return last, 0.0
    now = elapsed[last - 1]
    index = bisect_left(elapsed, now - WINDOW_SECONDS, start - 1, last)
    if index == 0 and start == 1 and now <= WINDOW_SECONDS:
        return 0, now  # the clock starts with the first batch
    return index + 1, now - elapsed[index]


def _images(history: History, first: int, last: int) -> int:
    """Images in the steps `first` to `last` of the epoch being trained, whose last batch may be smaller."""
    recipe, resolved = history.recipe, history.resolved
    if recipe is None or last < first:
        return 0
    images = (last - first + 1) * recipe.images_a_step
    if resolved is not None and resolved.train_images and history.batch == history.batches_in_epoch:
        images -= max(0, history.batches_in_epoch * recipe.images_a_step - resolved.train_images)
    return images


def _seconds_a_batch(history: History) -> float | None:
    first, seconds = _recent(history)
    if seconds >= LEAST_SECONDS and history.steps > first:
        return seconds / (history.steps - first)
    training_s = _training_seconds(history)
    return training_s / max(1, history.batches_in_epoch) if training_s is not None else None


def _training_seconds(history: History) -> float | None:
    """What the last epoch took for its training alone; None where that was not told."""
    images = history.resolved.train_images if history.resolved is not None else None
    if not images or not history.epochs or not history.epochs[-1].images_per_second > 0:
        return None
    return images / history.epochs[-1].images_per_second


def _validation_seconds(history: History) -> float:
    """What the last epoch took beyond its training."""
    spans, training_s = _epoch_spans(history), _training_seconds(history)
    return max(0.0, spans[-1] - training_s) if spans and training_s is not None else 0.0


def _recent_epoch_seconds(history: History) -> float | None:
    """The median of the last whole epochs under the recipe that holds now: one in slow motion is no measure."""
    spans = _epoch_spans(history)
    return sorted(spans)[len(spans) // 2] if spans else None


def _epoch_spans(history: History) -> list[float]:
    """Seconds of the last few whole epochs, validation included, oldest first."""
    since = history.switches[-1].epoch if history.switches else 1
    epochs = [ended for ended in history.epochs[-EPOCHS_BACK - 1 :] if ended.epoch >= since - 1]
    spans = [later.elapsed - earlier.elapsed for earlier, later in pairwise(epochs) if later.epoch == earlier.epoch + 1]
    if epochs and epochs[0].epoch == 1 and since == 1 and len(spans) < EPOCHS_BACK:
        spans.insert(0, epochs[0].elapsed)
    return [span for span in spans if span >= 0]


SPARK_POINTS = 48

_STEPS = b'{"type":"StepsTaken"'
_ROWS = b'{"type":"MetricsLogged"'
_NUMBERS = (_ROWS, b'{"type":"MetricColumns"')
_FIRST_STEP = re.compile(rb'"step":(\d{1,15})')
_METRICS = b',"metrics":{'
_METRIC_NAMES = re.compile(rb'"((?:[^"\\]|\\.)*)":\[')
_PROCESS = (b'{"type":"RunStarted"', b'{"type":"RunEnded"')
"""Where it begins and ends: how far the run came until then is to be known."""
_PASSED_OVER = (b'{"type":"CallsTimed"', b'{"type":"CallsMade"', b'{"type":"CallFollowed"', b'{"type":"PlanMade"')
_LAST_LINES = 16


LEAST_BYTES_A_STEP = 8
"""In a journal; they have some 60."""


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """By which series a run is judged, and the best that it came to."""

    name: str
    goal: Goal
    best: float | None
    """None before the first finite value, and where neither less nor more is better."""
    step: int | None
    """Where the best was logged."""


RANGE_TEST = "range test"
"""The `tool` of an LR range test in a list of runs: it is none, and lies beside them."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the list: what `runs --json` tells of it. None is what is not known (yet).

    Times are Unix time in seconds, losses means over images, accuracies fractions.
    """

    id: str
    name: str | None = None
    status: Status | Literal["unknown"]
    """`unknown`: another tool's record that has no word of an end."""
    preset: str | None = None
    dataset: str | None = None
    model: str | None = None
    device: str | None = None
    seed: int | None = None
    epochs: int | None = None
    """How many were asked for."""
    epochs_done: int
    steps_done: int
    best_val_accuracy: float | None = None
    val_accuracy: float | None = None
    val_loss: float | None = None
    train_loss: float | None = None
    """As the last whole epoch had them; of a run that tells of no epochs, what was validated last."""
    images_per_second: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    """Of a crashed run: its last sign of life."""
    elapsed_s: float
    """The run's own clock, without pauses."""
    pid: int | None = None
    host: str | None = None
    reason: str | None = None
    """Why it ended, in words."""
    parameters: int | None = None
    folder: str
    loss: list[float]
    """The training loss over the run in a few points, for a sparkline; those that are not finite are left out."""
    cut_off_at_step: int | None = None
    """The last step of the record, of a run that went on to its end and could not be recorded any more."""
    flaws: list[str]
    """What is wrong with the record, as far as a glance at it shows; each in words."""
    objective: Objective | None = None
    """None while the run has no series to be judged by."""
    metrics: dict[str, float | int] = {}
    """The last value of every series, by its name; nan and infinities as they were logged."""
    config: dict[str, Any] = {}
    """What was asked for, flat: `optimizer.lr`, `training.batch_size`, `seed`; texts, numbers and lists of numbers."""
    command: list[str] | None = None
    """Of a watched program, what was typed, without what is secret in it."""
    tool: str | None = None
    """Whose record it is, where it is none of ours: `TensorBoard`; or that it is of an LR range test."""
    written_at: float | None = None
    """When such a record changed last."""

    @property
    def epochs_told(self) -> str:
        """How many epochs it has trained, and of how many: `3/10`; `3/?` where that is not known, `3` of another
        tool's, and empty where it tells of none."""
        if self.epochs is None and not self.epochs_done:
            return ""
        if self.tool is not None:
            return f"{self.epochs_done}" if self.epochs_done else ""
        return f"{self.epochs_done}/{'?' if self.epochs is None else self.epochs}"

    @property
    def is_range_test(self) -> bool:
        """Whether it is no run: `range_tests.py`."""
        return self.tool == RANGE_TEST

    @property
    def trains(self) -> str:
        """What it follows, in short: a preset, or a program of somebody's; of another tool's record that tool."""
        if self.tool is not None:
            return self.tool
        return program_in_short(self.command) if self.command else plain(self.preset or "?")


def told(runs: Sequence[RunSummary]) -> str:
    """How many there are: `2 runs, 1 range test`."""
    tests = sum(run.is_range_test for run in runs)
    others = len(runs) - tests
    said = [counted(others, "run")] if others or not tests else []
    return ", ".join([*said, *([counted(tests, RANGE_TEST)] if tests else [])])


def summarize(folder: Path) -> RunSummary:
    """The summary of the record in a folder, as it stands now. What of it cannot be read is among its `flaws`."""
    live = is_live(folder)  # before reading: a run that ends in between has said goodbye by then
    flaws: list[str] = []
    facts = read_facts(folder, flaws.append)
    skim = _Skim(folder / "events.jsonl")
    history = skim.history
    asked = _mapping(facts.get("asked"))
    resolved, recipe, last = history.resolved, history.recipe, history.epochs[-1] if history.epochs else None
    cut_off = None
    if history.ended is None and not live and (goodbye := last_words(folder)) is not None:
        history.apply(goodbye)
        history.known.flaws.nothing_behind()
        cut_off = history.steps
        flaws.append(f"{say('record.cut_off', step=f'{history.steps:,}')}; {goodbye.reason}")
    flaws += _form(facts, history)
    begun, ended = history.first_started, history.ended
    objective, values = skim.objective(), skim.last_values()
    best_accuracy = history.best.val_accuracy if history.best else None
    if last is None and objective is not None and objective.name == "val_accuracy":
        best_accuracy = objective.best
    return RunSummary(
        id=folder.name,
        name=_text(facts.get("name")),
        status=_status(history, live),
        preset=(recipe.preset or None) if recipe else _text(asked.get("preset_name")),
        dataset=(resolved.dataset or None) if resolved else _text(asked.get("dataset")),
        model=(resolved.model or None) if resolved else _text(asked.get("model")),
        device=(resolved.device or None) if resolved else _text(asked.get("device")),
        seed=resolved.seed if resolved else _whole(asked.get("seed")),
        epochs=recipe.epochs if recipe else _epochs_asked(asked),
        epochs_done=last.epoch if last else 0,
        steps_done=history.steps,
        best_val_accuracy=best_accuracy,
        val_accuracy=_finite(last.val_accuracy if last else values.get("val_accuracy", nan)),
        val_loss=_finite(last.val_loss if last else values.get("val_loss", nan)),
        train_loss=_finite(last.train_loss) if last else None,
        images_per_second=_finite(images_per_second(history)) or None,
        started_at=begun.at if begun else _number(facts.get("created_at")),
        ended_at=ended.at if ended else None if live else skim.last_at,
        elapsed_s=history.elapsed_s,
        pid=history.started.pid if history.started else None,
        host=history.started.host if history.started else None,
        reason=ended.reason if ended else None if live else skim.trouble or say("end.gone"),
        parameters=resolved.parameters if resolved else None,
        folder=str(folder),
        loss=skim.spark,
        cut_off_at_step=cut_off,
        flaws=flaws + skim.flaws,
        objective=objective,
        metrics=values,
        config=config_of(asked),
        command=list(history.program.command) if history.program is not None else None,
    )


def _status(history: History, live: bool) -> Status:
    if history.ended is None and not live:
        return "crashed"
    return history.status


class _Last(LoggedSeries):
    """A series of which only the last value is looked at."""

    def log(self, step: int, value: float | int) -> None:
        self._forget()
        super().log(step, value)

    def log_many(self, steps: Sequence[int], values: Sequence[float | int]) -> None:
        self._forget()
        super().log_many(steps[-1:], values[-1:])

    def _forget(self) -> None:
        del self.steps[:], self.values[:]
        self._whole.clear()


class _Glance(AllSeries):
    """All series: whole those by which a run may be judged, and of others the last value, however many there are."""

    def _made(self, name: str) -> LoggedSeries:
        declared = self.declared(name)
        judged_by = name in OBJECTIVES or (declared is not None and declared.objective)
        return LoggedSeries(name) if judged_by else _Last(name)


class _Row(msgspec.Struct):
    """What a glance at a row of numbers shows."""

    at: float
    values: dict[str, msgspec.Raw]


_glance = msgspec.json.Decoder(_Row)

_HELD = {*OBJECTIVES, *BY_EPOCH}
"""Series by which a run may be judged, or that epochs tell too: each number of them is looked at."""

MOST_PUT_OFF = 1000


class _Skim:
    """A pass over a journal that decodes what stands out, and of the steps a few at even distances and the last."""

    def __init__(self, journal: Path) -> None:
        self.history = History(sampled=True)
        self._series: AllSeries = _Glance()
        self.history.series = self._series
        self._journal = journal
        self._told_by_step: dict[bytes, bytes] = {}
        """Of numbers that lines of steps hold beside losses and LRs, by name: the last such line of this process."""
        self._by_step: set[str] = set()
        """Their names, as far as those lines were looked at."""
        self._resumed_at = 0
        """The step that was known as this process began."""
        self._first_step = 0
        """The first step of the line of steps before, of this process."""
        self._tells_twice = False
        """Whether a process told steps again, which count as it told them first."""
        self._rows: dict[tuple[str, ...], bytes] = {}
        """Of rows of numbers that were put off, the last one of the same names, in their order."""
        self._put_off: set[str] = set()
        """Their names."""
        self._told_in_rows: set[str] = set()
        """The names of numbers that were told otherwise."""
        self.spark: list[float] = []
        self.last_at: float | None = None
        self.trouble = ""
        """Why the journal cannot be read, if it cannot."""
        self._unread = 0
        """Lines that were looked at and are no events."""
        self._ends_in_garbage = False
        self._place = SealedPlaces()
        self._read = self._next_sample = 0
        lines = Lines(journal)
        try:
            self._skim(lines)
        except OSError as cause:
            self.trouble = say("record.no_events", why=reason(cause))
        finally:
            lines.close()

    def _skim(self, lines: Lines) -> None:
        last: deque[bytes] = deque(maxlen=_LAST_LINES)
        if not lines.unread():
            return
        size = lines.bytes_left  # what comes while it is read is for the next time
        stride = max(1, size // SPARK_POINTS)
        packed = Unpacker(self._journal)
        try:
            while lines.offset < size:
                if (block := packed.glance(lines.fd, lines.offset, _ROWS)) is not None:
                    lines.offset += len(block.lines)
                    if self._are_put_off(block):
                        continue
                    chunk: bytes | None = block.lines
                else:
                    chunk = lines.next()
                if chunk is None:
                    break
                for line in chunk.split(b"\n")[:-1]:
                    self._look_at(line, last, stride)
        finally:
            packed.close()
        self._take_all(last)
        self._settle_series()
        self._unread += lines.garbage
        self._ends_in_garbage = lines.in_garbage

    def _take_all(self, lines: deque[bytes]) -> None:
        for line in lines:
            self._take(line)
        lines.clear()

    def _look_at(self, line: bytes, last: deque[bytes], stride: int) -> None:
        self._read += len(line) + 1
        self._place.look_at(line)
        if line.startswith(_PASSED_OVER):
            return
        if line.startswith(_STEPS):
            found = _FIRST_STEP.search(line, len(_STEPS), len(_STEPS) + 60)
            first = int(found[1]) if found is not None else 0
            self._tells_twice |= first <= self._first_step
            self._first_step = first
            if (at := line.find(_METRICS)) >= 0:
                for name in _METRIC_NAMES.findall(line, at + len(_METRICS)):
                    self._told_by_step[name] = line
        if line.startswith(_NUMBERS):
            if line.startswith(_ROWS) and self._is_put_off(line):
                return
            self._take_rows()
        if not line.startswith(_STEPS):
            if line.startswith(_PROCESS):
                self._take_all(last)
                self._take_rows()
                self._take_told_by_step()
                self._resumed_at = self.history.steps
                self._first_step = 0
            self._take(line)
        elif self._read >= self._next_sample:
            self._next_sample = self._read + stride
            self._sample(self._take(line))
            last.clear()
        else:
            last.append(line)

    @property
    def flaws(self) -> list[str]:
        """What is wrong with the record, as far as a glance shows it; each in words."""
        found = [self.trouble] if self.trouble else []
        if self._unread:
            found.append(say("record.unread_seen", lines=counted(self._unread, "line")))
        if self._ends_in_garbage:
            found.append(f"The record {say('record.ends_in_no_line')}")
        self.history.known.flaws.series_left_out |= self._series.left_out
        return [*found, *self._place.flaws, *self.history.known.flaws.missing_in_words()]

    def objective(self) -> Objective | None:
        """By what the run is judged, and the best of it; exactly."""
        name = self._series.objective
        if name is None:
            return None
        best = self._series.best(name)
        epoch = self.history.best if name == "val_accuracy" else None
        if best is not None and epoch is not None and epoch.val_accuracy == best.value:
            best = Point(epoch.step, best.value)  # of equals, the one with the lower loss
        value, step = (self._told(name, best.value), best.step) if best is not None else (None, None)
        return Objective(name=name, goal=self._series.goal(name), best=value, step=step)

    def last_values(self) -> dict[str, float | int]:
        """The last value of each series, exactly."""
        return {
            name: series.exact(len(series.steps) - 1)
            if isinstance(series, LoggedSeries)
            else self._told(name, series.values[-1])
            for name, series in self._series.items()
        }

    def _told(self, name: str, value: float) -> float:
        """A value as it was told: losses of steps are float32, whose digits beyond that are of no meaning."""
        single = name == "train_loss" and not isinstance(self._series[name], LoggedSeries)
        return float(float32_text(value)) if single and isfinite(value) else value

    def _is_put_off(self, line: bytes) -> bool:
        """Whether of this row of numbers, and of others of the same names, only the last one need be looked at."""
        sealed = seal_of(line)
        if sealed is None or not sealed.holds or self.history.known.is_resumed:
            return False  # it may be damaged, or told by an earlier process already
        try:
            row = _glance.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False  # it is none: that is seen, and counted, where it is taken
        return self._puts_off(tuple(row.values), row.at, line)

    def _are_put_off(self, block: Glance) -> bool:
        """Whether of these lines, which are sound, only the last one need be looked at."""
        if not block.names or self.history.known.is_resumed:
            return False
        lines = block.lines
        last = lines[lines.rfind(b"\n", 0, -1) + 1 : -1]
        begins, ends = seal_of(lines[: lines.index(b"\n")]), seal_of(last)
        if begins is None or ends is None or not self._puts_off(block.names, block.at, last):
            return False
        self._read += len(lines)
        self._place.take(begins.number, ends.number)
        return True

    def _puts_off(self, names: tuple[str, ...], at: float, line: bytes) -> bool:
        if not _HELD.isdisjoint(names) or self._series.declared_objective in names:
            return False
        self.last_at = at if self.last_at is None else max(self.last_at, at)
        self._rows.pop(names, None)
        self._rows[names] = line
        if len(self._rows) > MOST_PUT_OFF:
            self._take_rows()
        return True

    def _take_rows(self) -> None:
        for names, line in self._rows.items():
            self._take(line)
            self._put_off.update(filter(self._series.keeps, names))
        self._rows.clear()

    def _settle_series(self) -> None:
        """See that last values and the objective are those of the whole record; if a glance cannot, read all of it."""
        self._take_rows()
        self._take_told_by_step()
        both = not self._by_step.isdisjoint(self._told_in_rows)  # which of the two was told last, is not known
        name = self._series.objective
        judged_by = self._series[name] if name is not None else None
        if (
            both
            or (self._tells_twice and self._by_step)
            or name in self._by_step
            or name in self._put_off
            or (judged_by is not None and type(judged_by) is not LoggedSeries)
        ):
            self._read_all()

    def _take_told_by_step(self) -> None:
        for line in dict.fromkeys(self._told_by_step.values()):
            opened = unsealed(line)
            if opened is None or not isinstance(event := opened.event, StepsTaken):
                continue
            if event.step + len(event.losses) - 1 > self._resumed_at:  # else an earlier process has told it
                self._by_step.update(event.metrics)
                self._log_last(event)
        self._told_by_step.clear()

    def _log_last(self, event: StepsTaken) -> None:
        """Take what steps that were passed over tell, where nothing later is known."""
        step = event.step + len(event.losses) - 1
        for name, values in event.metrics.items():
            last = self._series.last(shown_name(name, steps=True))
            if last is None or last.step < step:
                self._series.log(step, {name: nan if (value := values[-1]) is None else value})

    def _read_all(self) -> None:
        history = History()
        with Tail(self._journal, packed=True) as tail:
            for event in tail:
                history.apply(event)
        self._series = history.series

    def _take(self, line: bytes) -> AnyEvent | None:
        if not line.strip():
            return None
        if (opened := unsealed(line)) is None:
            self._unread += 1
            return None
        event = opened.event
        if isinstance(event, StepsTaken) and event.step > self._read // LEAST_BYTES_A_STEP + MISSING_AT_MOST:
            self._unread += 1  # each step before it would take room, and the record has none for so many
            return None
        self.history.apply(event)
        if isinstance(event, MetricsLogged | MetricColumns):
            self._told_in_rows.update(filter(self._series.keeps, event.values))
        elif isinstance(event, EpochEnded):
            self._told_in_rows.update(BY_EPOCH)
        self.last_at = event.at if self.last_at is None else max(self.last_at, event.at)
        return event

    def _sample(self, event: AnyEvent | None) -> None:
        if isinstance(event, StepsTaken):
            losses = [loss for loss in event.losses if loss is not None]
            if losses:
                self.spark.append(sum(losses) / len(losses))


def _form(facts: dict[str, Any], history: History) -> list[str]:
    """What is to be said of the record's form."""
    schemas = [facts.get("schema", SCHEMA), history.started.schema if history.started is not None else SCHEMA]
    said = next(filter(None, map(later_form, schemas)), "")
    return [say("record.may_lack", why=said)] if said else []


def _epochs_asked(asked: dict[str, Any]) -> int | None:
    return _whole(_mapping(_mapping(asked.get("preset")).get("training")).get("epochs"))


MOST_ASKED = 200
"""Values of what was asked for that are looked at; a run of ours has some 30."""
_NOT_CONFIG = ("name", "preset_name", "title", "description", "data_dir", "code_dir", "optimizer.folder")
_PUBLISHED = "published."
"""What a preset says of whose recipe it is."""


def config_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, flat, the preset's sections among the options; what was left open is left out."""
    options = {key: value for key, value in asked.items() if key != "preset"}
    flat = islice(_flat({**options, **_mapping(asked.get("preset"))}, ""), MOST_ASKED)
    return {key: value for key, value in flat if key not in _NOT_CONFIG and not key.startswith(_PUBLISHED)}


def _flat(values: dict[str, Any], above: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and not depth:
            yield from _flat(value, f"{key[:LONGEST_ASKED]}.", 1)
        elif depth == 1 and isinstance(value, list) and any(isinstance(each, dict) for each in value[:LONGEST_LIST]):
            for number, each in enumerate(value[:LONGEST_LIST], 1):  # groups of parameters, stages of a schedule
                yield from _flat(_mapping(each), f"{above}{key[:LONGEST_ASKED]}.{number}.", 2)
        elif isinstance(value, bool | int | float):
            yield above + key[:LONGEST_ASKED], value
        elif isinstance(value, str):
            yield above + key[:LONGEST_ASKED], value[:LONGEST_ASKED]
        elif isinstance(value, list) and all(isinstance(each, bool | int | float | str) for each in value[:MOST_ASKED]):
            yield (
                above + key[:LONGEST_ASKED],
                [each[:LONGEST_ASKED] if isinstance(each, str) else each for each in value[:LONGEST_LIST]],
            )


LONGEST_ASKED = 200
"""Characters of a value, or a name of one, that are looked at."""
LONGEST_LIST = 20


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) and isfinite(value) else None
    except OverflowError:  # a whole number may be larger than any float
        return None


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
