"""The state of a run as a pure fold over its events: the same for a live view, attach, export and resume."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import Any, ClassVar, TypeAlias

from msgspec.structs import replace

from tui_trainer.best import is_better
from tui_trainer.events import (
    MOMENTUM,
    Alert,
    AnyEvent,
    CallFollowed,
    CallsMade,
    CallsTimed,
    CheckpointSaved,
    CommandAnswered,
    ConfusionCounted,
    Continued,
    EpochEnded,
    EpochsChanged,
    LoopFound,
    LRChanged,
    LRUnchanged,
    MetricColumns,
    MetricDeclared,
    MetricsLogged,
    MistakeFound,
    PaceChanged,
    Paused,
    PhaseStarted,
    PlanMade,
    PlateauCounted,
    PresetSwitched,
    ProgramWatched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    RunStarted,
    SettingChanged,
    Status,
    StepsTaken,
    SwitchPlanned,
)
from tui_trainer.records.columns import CallsSeen, CallTally, RunTimer, StepColumns
from tui_trainer.records.health import KINDS, Finding, Health, Word
from tui_trainer.records.resume_filter import ResumeFilter
from tui_trainer.records.series import AllSeries, LoggedSeries, StepSeries
from tui_trainer.text.reasons import DIALS

RULES_KEPT = 100
MISTAKES_KEPT = 100
"""That were told of at once; a run has at most half as many."""

WhyEvent: TypeAlias = LRChanged | LRUnchanged | PlateauCounted | PresetSwitched | EpochsChanged | EpochEnded


class History:
    """What is known of a run. Arrays grow by appending, the rest is bounded or grows with the epochs.

    All of it belongs to one thread. Steps that a damaged record lost stand as nan.
    """

    def __init__(self, *, forgets: bool = False, sampled: bool = False) -> None:
        """Nothing happened yet.

        Args:
            forgets: hold only the last steps, for one who tells of them as they come and draws no curve: memory is
                bounded then, however long the run.
            sampled: steps are left out on purpose, for a glance at a record.
        """
        self.version = 0
        """Grows with every event applied: what was drawn from an older one may be stale."""
        self._columns = StepColumns(forgets=forgets)
        self.losses = self._columns.losses
        """Training loss of step `i + 1`, float32; nan where it was not finite, or is not known."""
        self.lrs = self._columns.lrs
        """What the optimizer used for step `i + 1`; nan where that is not known."""
        self.elapsed = self._columns.elapsed
        """The run's clock at the end of step `i + 1`, in seconds; never falls."""
        self.epoch_starts = self._columns.epoch_starts
        """The first step of each epoch begun; `epoch_starts[e - 1]` is epoch e's."""
        self.batches_in_epoch = 0
        """How many batches the current epoch has; 0 while unknown."""
        self.series = AllSeries(forgets=forgets)
        """All that was told in numbers over steps, by name: the losses, LRs and accuracies above and below, too."""
        self.epochs: list[EpochEnded] = []
        self.best: EpochEnded | None = None
        """The best epoch, as `tui_trainer.best` has it."""
        self.lowest: EpochEnded | None = None
        """The epoch with the lowest validation loss, of those that are better than guessing, in loss and accuracy."""
        self.health = Health(sampled=sampled)
        """Whether the figures are those of a run that is well; `finding` has the clock's word, too."""
        self.confusion: ConfusionCounted | None = None
        """What the last validation took for what."""
        self.plans: list[PlanMade] = []
        """The planned LR, another from each preset switch on, and from each drop that the losses brought; each begins
        after the one before it."""
        self.why: deque[WhyEvent] = deque(maxlen=200)
        """Why the LR moved or did not, newest last."""
        self.lr_changes: list[LRChanged] = []
        self.switches: list[PresetSwitched] = []
        self.epochs_changed: list[EpochsChanged] = []
        self.switch_to_come: SwitchPlanned | None = None
        """The switch that was promised last, until it takes effect."""
        self.program: ProgramWatched | None = None
        """The program that is watched; None of a run of our own."""
        self.loop: LoopFound | None = None
        """Its loop, as far as it was seen."""
        self.mistakes: dict[tuple[str, str, int], MistakeFound] = {}
        """What is wrong with it, by code, file and line, in the order in which it was found."""
        self.orders: deque[CallsMade] = deque(maxlen=64)
        """The latest orders of calls, newest last; the record has them all."""
        self.latest_checkpoint: CheckpointSaved | None = None
        self.best_checkpoint: CheckpointSaved | None = None
        self.phase = ""
        self.phase_detail = ""
        self.started: RunStarted | None = None
        self.first_started: RunStarted | None = None
        """As `started`, but of the first process: a resumed run has begun more than once."""
        self.resolved: RunConfigured | None = None
        self.recipe: ResolvedConfig | None = None
        self.plateau: PlateauCounted | None = None
        self.min_lr: float | None = None
        """The LR under which ReduceLROnPlateau does not go, as its recipe says, or once that showed; without the LR
        dial, as the next one."""
        self.undropped_lr: float | None = None
        """The LR at which a drop of it was no more than eps, and was not made; None before, and after a switch."""
        self.dial = 1.0
        """What the LR dial multiplies the schedule's LR with, from the next step on."""
        self._drop = 1.0
        """What its drops multiply the LR with."""
        self.paused: Paused | None = None
        self.pace = 0.0
        """Slow motion: seconds a call; 0 is full speed."""
        self.answers: deque[CommandAnswered] = deque(maxlen=100)
        self.notices: deque[Alert] = deque(maxlen=200)
        self.settings: dict[str, SettingChanged] = {}
        """The last change of each setting."""
        self.stalled_since: float | None = None
        """When anything happened last (Unix time), of a run that stalls; None of one that does not."""
        self.rules_told: dict[str, Alert] = {}
        """Rules of a person's that were told of, by their text, until they are over; at the end of the run, those that
        were not."""
        self._happened_at = 0.0
        self._told: dict[str, Alert] = {}
        """Warnings that no figure of the run gave, by kind, until they are over: a stall, slow training, a low disk."""
        self.ended: RunEnded | None = None
        self.clock_behind = 0.0
        """Seconds by which the clock of the machine that trains is behind the reader's, who says so; no event tells."""
        self.written_at: float | None = None
        """When another tool's record changed last, Unix time in seconds, as its reader sees it; None of ours."""
        self.share_read: float | None = None
        """How much of that was read, from 0 to 1, while it is read; None where all of it is, or nobody knows."""
        self.hyperparameters: Mapping[str, object] = {}
        """What another tool's record says that its run was set to, by name, as its reader sees it; empty of ours."""
        self.known = ResumeFilter(sampled=sampled)
        """How far the events told so far have come."""
        self._logged_until = 0
        self.logged_epochs = LoggedSeries("epoch", forgets=forgets)
        """Beside the epochs of the steps told one by one: where each began of those told with other numbers."""
        self.logged_elapsed = LoggedSeries("elapsed", forgets=forgets)
        """The same of the run's clock."""
        self.clock_marks: list[tuple[float, float]] = []
        """What the run's clock showed at a Unix time, wherever the one goes on or stands while the other does not."""
        self._calls = CallsSeen()
        self._clock = RunTimer()

    # What follows from the events

    @property
    def steps(self) -> int:
        """How many steps were told one by one, each with its loss and LR."""
        return len(self.losses)

    @property
    def last_step(self) -> int:
        """The last step of which anything is told; 0 before the first."""
        return max(self.steps, self._logged_until)

    @property
    def epoch(self) -> int:
        """The epoch of the last step; 0 before the first."""
        return len(self.epoch_starts)

    @property
    def batch(self) -> int:
        """Batches trained in the current epoch."""
        return self.steps - self.epoch_starts[-1] + 1 if self.epoch_starts else 0

    @property
    def status(self) -> Status:
        """What the record says; whether the process still lives, only its lock can tell."""
        if self.ended is not None:
            return self.ended.status
        return "paused" if self.paused is not None else "running"

    @property
    def planned_end(self) -> int:
        """The last step of the plan that counts; 0 where there is none, or how long the run will be is not known."""
        return self.plans[-1].last_step if self.plans and not self.plans[-1].open_ended else 0

    @property
    def finding(self) -> Finding | None:
        """What is wrong with the run, and why, the worst first; None of one that is well. At its end that it stalled or
        was slow is no matter any more."""
        found = self.health.finding
        if self.stalled_since is not None:
            return _told_of("stalled", self._told)
        if "low-disk" in self._told:
            return _told_of("low disk", self._told)
        if found is None and self.rules_told and self.ended is None:
            newest = self.rules_told[next(reversed(self.rules_told))]
            return Finding("alert", newest.text.removeprefix("alert: "))
        if found is None and "slow" in self._told:
            return _told_of("slow", self._told)
        return found

    def is_praiseworthy(self, ended: EpochEnded) -> bool:
        """Whether to say of an epoch that its loss is the lowest: one that guesses has none worth the word."""
        return self.health.beats_guessing(ended) and self.health.is_low(ended.val_loss)

    @property
    def calls(self) -> dict[str, CallTally]:
        """How often each call was made and the seconds in it, by the names of `events.CALLS`, and `data`."""
        return self._calls.tallies

    @property
    def moves_momentum(self) -> bool:
        """Whether a momentum that moves was told, or is planned."""
        return MOMENTUM in self.series or any(plan.momentum is not None for plan in self.plans)

    @property
    def running(self) -> str:
        """The call that runs now; empty before the first, in a pause and at the end."""
        return self._calls.running

    @property
    def followed(self) -> list[CallFollowed]:
        """Slow motion: what was seen of the batch (or epoch end) being followed, oldest first."""
        return self._calls.followed

    @property
    def elapsed_s(self) -> float:
        """The run's clock as of the last event that read it."""
        return self._clock.seconds

    def elapsed_at(self, now: float) -> float:
        """The run's clock at `now` (Unix time): it goes on between events, stands in a pause and while calls are
        followed by eye, and never falls before the end."""
        return self._clock.at(now - self.clock_behind)

    def epoch_at(self, step: int) -> int | None:
        """The epoch of a step; None where none was told."""
        if 0 < step <= self.steps:
            return bisect_right(self.epoch_starts, step)
        return _int(_before(self.logged_epochs, step))

    def clock_at(self, step: int) -> float | None:
        """What the run's clock showed at the end of a step, or of the last one before it that was told of."""
        if 0 < step <= self.steps:
            return self.elapsed[step - 1]
        logged = _before(self.logged_elapsed, step)
        return self.elapsed[-1] if logged is None and self.steps and step > 0 else logged

    def recipe_of(self, epoch: int) -> ResolvedConfig | None:
        """What was followed in an epoch; None while unknown."""
        for switch in reversed(self.switches):
            if switch.epoch <= epoch:
                return switch.recipe
        return self.resolved.recipe if self.resolved is not None else None

    # The fold

    def apply(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """Take one event. One that tells nothing new (a resumed run's repeated batch) changes nothing.

        Returns:
            What is believed and new since this event: it, a part of it, and one before it that was in doubt.
        """
        taken = self.known.take(event)
        for new in taken:
            self.health.take(new)
            self._appliers[type(new)](self, new)
            if self.series.left_out:
                self.known.flaws.series_left_out = True
            if type(new) is not Alert:
                self.stalled_since, self._happened_at = None, max(self._happened_at, new.at)
            self.version += 1
        return taken

    def _mark_clock(self, event: AnyEvent, elapsed: float | None = None) -> None:
        self.clock_marks.append((self._clock.seconds if elapsed is None else elapsed, event.at))

    def _run_started(self, event: RunStarted) -> None:
        self._mark_clock(event)
        self.first_started = self.first_started or event
        self.started = event
        self.ended = self.paused = self.switch_to_come = None
        self.pace = 0.0
        self.phase = self.phase_detail = ""  # what the process before it did last is over
        self._told.clear()
        self._calls.followed.clear()
        self._stand_still()

    def _phase_started(self, event: PhaseStarted) -> None:
        self.phase, self.phase_detail = event.phase, event.detail
        self._mark_clock(event)

    def _run_resolved(self, event: RunConfigured) -> None:
        # What a run came to as it began, whatever it switched to before it went on; of a watched one more comes later.
        again = self.resolved is not None and bool(event.recipe.preset)
        self.resolved = replace(event, recipe=self.resolved.recipe) if again and self.resolved is not None else event
        # A switch that is known is not told again by a run that goes on from a checkpoint before it.
        self.recipe = self.switches[-1].recipe if self.switches else event.recipe
        if self.recipe.min_lr is not None:
            self.min_lr = self.recipe.min_lr
        self.batches_in_epoch = self.recipe.batches_per_epoch or 0

    def _plan_made(self, event: PlanMade) -> None:
        # A resumed run plans again what it follows; what was followed before or after that stays.
        self.plans = sorted([*(plan for plan in self.plans if _begin(plan) != _begin(event)), event], key=_begin)

    def _plan_on(self, change: LRChanged) -> None:
        """What depends on the losses was planned without them: from a change that they brought it is planned anew."""
        plan, step = self.plans[-1], change.step + 1
        held = bisect_right(plan.steps, step) - 1
        if held < 0 or step > plan.last_step or plan.lrs[held] == change.new:
            return
        self._plan_made(replace(plan, at=change.at, steps=[step], lrs=[change.new], groups={}))

    def _steps_taken(self, event: StepsTaken) -> None:
        begun = self.epoch
        if not begun:
            self.series.add_of_steps(
                StepSeries("train_loss", self.losses, self._columns.no_losses),
                StepSeries("lr", self.lrs, self._columns.no_lrs),
            )
        self._columns.take(event, self._clock.seconds)
        if self.epoch > begun and self.recipe is not None:
            self.batches_in_epoch = self.recipe.batches_per_epoch or 0
        for name, values in event.metrics.items():
            steps = range(event.step, event.step + len(values))
            self.series.log_many(name, steps, [nan if value is None else value for value in values])
        self._clock.read(self.elapsed[-1], event.at)
        self._calls.leave_behind(self.steps)

    def _metric_declared(self, event: MetricDeclared) -> None:
        self.series.declare(event)

    def _metrics_logged(self, event: MetricsLogged) -> None:
        self.series.log(event.step, event.values)
        self._logged_until = max(self._logged_until, event.step)
        if event.epoch is not None:
            self._log_epoch(event.step, event.epoch)
        if event.elapsed is not None:
            self.logged_elapsed.log(event.step, event.elapsed)
            self._clock.read(event.elapsed, event.at)

    def _metric_columns(self, event: MetricColumns) -> None:
        for name, values in event.values.items():
            self.series.log_many(name, event.steps, values)
        self._logged_until = max(self._logged_until, event.steps[-1])
        for step, epoch in zip(event.steps, event.epochs, strict=False):
            self._log_epoch(step, epoch)
        if event.elapsed:
            self.logged_elapsed.log_many(event.steps, event.elapsed)
            self._clock.read(max(event.elapsed), event.at)

    def _log_epoch(self, step: int, epoch: int) -> None:
        """Keep where an epoch begins."""
        known = self.logged_epochs
        if known.steps and step >= known.steps[-1]:
            before: float | None = known.values[-1]
        else:
            before = _before(known, step)
        if before != epoch:
            known.log(step, epoch)

    def _epoch_ended(self, event: EpochEnded) -> None:
        self.epochs.append(event)
        self.why.append(event)
        self._clock.read(event.elapsed, event.at)
        self._mark_clock(event, event.elapsed)
        self.series.log(event.step, {name: getattr(event, name) for name in BY_EPOCH if is_told(event, name)})
        if is_better(event, self.best):
            self.best = event
        if (self.lowest is None or event.val_loss < self.lowest.val_loss) and self.is_praiseworthy(event):
            self.lowest = event

    def _confusion_counted(self, event: ConfusionCounted) -> None:
        self.confusion = event

    def _lr_changed(self, event: LRChanged) -> None:
        self.why.append(event)
        if event.group:  # the LR of each step is that of the other parameters
            return
        self.lr_changes.append(event)
        if event.why.code in DIALS:
            factor = event.why.params.get("factor", 1.0)
            self.dial = factor if isinstance(factor, float) and factor > 0 else 1.0
        if self.recipe is not None and self.recipe.monitor:
            if self.recipe.min_lr is None:
                self._find_min_lr(event)
            if self.plans:
                self._plan_on(event)

    def _find_min_lr(self, event: LRChanged) -> None:
        """Of a recipe that does not tell it: all drops are by one factor, but for the last, which ends at `min_lr`."""
        if event.old <= 0 or event.why.code != "patience_used_up":
            return
        factor = event.new / event.old
        if factor > self._drop * (1 + 1e-6):
            self.min_lr = event.new
        self._drop = min(self._drop, factor)

    def _lr_held(self, event: LRUnchanged) -> None:
        self.why.append(event)
        if event.group:
            return
        if event.why.code == "at_min_lr":
            self.min_lr = event.lr / self.dial
        elif event.why.code == "drop_too_small":
            self.undropped_lr = event.lr / self.dial

    def _plateau_counted(self, event: PlateauCounted) -> None:
        self.plateau = event
        self.why.append(event)

    def _switch_planned(self, event: SwitchPlanned) -> None:
        self.switch_to_come = event

    def _preset_switched(self, event: PresetSwitched) -> None:
        self.switch_to_come = None
        self._told.pop("slow", None)  # batches may be of another size from here on
        self._calls.forget("scheduler.step")  # those of the scheduler before stood elsewhere in the loop
        self.switches.append(event)
        self.why.append(event)
        self.recipe = event.recipe
        self.plateau = self.undropped_lr = None
        self.min_lr = event.recipe.min_lr
        self._drop = self.dial = 1.0
        if self.epoch in (0, event.epoch):
            self.batches_in_epoch = event.recipe.batches_per_epoch or 0

    def _epochs_were_changed(self, event: EpochsChanged) -> None:
        self.epochs_changed.append(event)
        self.why.append(event)
        self.recipe = event.recipe

    def _calls_made(self, event: CallsMade) -> None:
        self.orders.append(event)

    def _calls_timed(self, event: CallsTimed) -> None:
        self._calls.timed(event)

    def _call_followed(self, event: CallFollowed) -> None:
        self._calls.follow(event)
        self._clock.hold(event.at)

    def _setting_changed(self, event: SettingChanged) -> None:
        self.settings[event.setting] = event

    def _checkpoint_saved(self, event: CheckpointSaved) -> None:
        self.latest_checkpoint = event
        if event.best:
            self.best_checkpoint = event

    def _paused(self, event: Paused) -> None:
        self.paused = event
        self._mark_clock(event)
        self._calls.stand_still()
        self._clock.hold(event.at)

    def _continued(self, event: Continued) -> None:
        self.paused = None
        self._mark_clock(event)
        self._clock.go_on(event.at)

    def _pace_changed(self, event: PaceChanged) -> None:
        self.pace = event.seconds_a_call

    def _command_answered(self, event: CommandAnswered) -> None:
        self.answers.append(event)

    def _noticed(self, event: Alert) -> None:
        self.notices.append(event)
        if event.kind in ("stall", "slow", "low-disk"):
            self._told[event.kind] = event
        elif event.kind == "alert":
            self.rules_told.pop(event.rule, None)
            if len(self.rules_told) < RULES_KEPT:
                self.rules_told[event.rule] = event
        elif event.kind == "recovered" and event.over == "alert":
            self.rules_told.pop(event.rule, None)
        elif event.kind == "recovered":
            self._told.pop(event.over or "slow", None)  # older records do not tell what is over
        if event.kind == "stall":
            self.stalled_since = self._happened_at
            self._clock.hold(event.at)
        elif event.kind == "woken":
            self.stalled_since = None
            self._clock.wake(event.at)

    def _program_watched(self, event: ProgramWatched) -> None:
        self.program = event

    def _loop_found(self, event: LoopFound) -> None:
        self.loop = event

    def _mistake_found(self, event: MistakeFound) -> None:
        if len(self.mistakes) < MISTAKES_KEPT:
            self.mistakes.setdefault((event.mistake, event.file, event.lineno), event)

    def _run_ended(self, event: RunEnded) -> None:
        self.ended = event
        self.paused = None
        self._told.clear()
        self._stand_still()

    def _stand_still(self) -> None:
        self._calls.stand_still()
        self._clock.stop()

    _appliers: ClassVar[dict[type, Callable[[Any, Any], None]]] = {
        RunStarted: _run_started,
        PhaseStarted: _phase_started,
        RunConfigured: _run_resolved,
        PlanMade: _plan_made,
        StepsTaken: _steps_taken,
        MetricDeclared: _metric_declared,
        MetricsLogged: _metrics_logged,
        MetricColumns: _metric_columns,
        CallsMade: _calls_made,
        CallsTimed: _calls_timed,
        CallFollowed: _call_followed,
        LRChanged: _lr_changed,
        LRUnchanged: _lr_held,
        PlateauCounted: _plateau_counted,
        EpochEnded: _epoch_ended,
        ConfusionCounted: _confusion_counted,
        SwitchPlanned: _switch_planned,
        PresetSwitched: _preset_switched,
        EpochsChanged: _epochs_were_changed,
        SettingChanged: _setting_changed,
        CheckpointSaved: _checkpoint_saved,
        Paused: _paused,
        Continued: _continued,
        PaceChanged: _pace_changed,
        CommandAnswered: _command_answered,
        Alert: _noticed,
        ProgramWatched: _program_watched,
        LoopFound: _loop_found,
        MistakeFound: _mistake_found,
        RunEnded: _run_ended,
    }


def _before(series: LoggedSeries, step: int) -> float | None:
    """The value at a step, or the last one before it."""
    index = bisect_right(series.steps, step) - 1
    return series.values[index] if index >= 0 else None


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)


BY_EPOCH = ("val_loss", "val_accuracy", "train_accuracy", "images_per_second")
"""Of an epoch's end, what is a series."""


def is_told(event: EpochEnded, name: str) -> bool:
    """A loss that is nan was not finite; an accuracy that is nan was not measured."""
    return bool(event.validated) if name == "val_loss" else isfinite(getattr(event, name))


def _told_of(word: Word, told: Mapping[str, Alert]) -> Finding:
    notice = told.get(KINDS[word])
    return Finding(word, notice.text.removeprefix(f"{word}: ") if notice is not None else "")


def _begin(plan: PlanMade) -> int:
    return plan.steps[0] if plan.steps else 1
