"""What a person should be told of a run before it is over: a fold over its events that says each thing once; and how
long a run may say nothing before it is called stalled.

| kind | told when | over when |
| --- | --- | --- |
| `diverging`, `chance-level`, `overfitting`, `plateaued` | `records/health.py` finds it | it finds it no more |
| `stall` | nothing has happened for much longer than a step, or a validation, takes | a step comes |
| `slow` | training is slower than its own recent median, for a while | it is nearly as fast again |
| `low-disk` | its record's disk has little room left (`run_sources/disk_room.py`) | it has half as much again |
| `alert` | a rule of a person's is so (`records/rule_watch.py`) | it is so no more |
| `best` | an epoch is the best so far, after one that was not, and better than guessing; once a minute at most | an
epoch is not |

That a warning is over is said too, as `recovered`; that the process was stopped or its machine slept, as `woken`, by
the process itself (`run_sources/monitoring.py`). The end of a run, `end`, is an event of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf
from typing import TypeAlias

from tui_trainer.best import is_better
from tui_trainer.events import (
    Alert,
    AnyEvent,
    Continued,
    EpochEnded,
    PaceChanged,
    Paused,
    PresetSwitched,
    ProgramWatched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
)
from tui_trainer.records.health import KINDS, Finding, Health, Word
from tui_trainer.records.outcome import best_in_words
from tui_trainer.records.rule_watch import RuleWatch
from tui_trainer.text.captions import say

LEAST_S = 15.0
LEAST_AT_END_S = 60.0
"""Within an epoch, and around its end, where validation is and a checkpoint is written: never a stall before that."""

STEPS_SILENT = 10
VALIDATIONS_SILENT = 5


class StallDetector:
    """How long steps and epochs' ends take, and so how long nothing may happen."""

    def __init__(self) -> None:
        self._usual_s = 0.0
        """Seconds a step, of the latest ones."""
        self._step = 0
        self._at_epoch_end = False
        self._ended_epoch: int | None = None
        """The epoch whose end was told last, unless a step came since."""
        self._batches = 0
        self._total_steps: int | None = None
        self._is_watched = False
        """Whether it is a program of somebody else's: what that does behind its last step is not known."""
        self._pace = 0.0
        self._epoch, self._elapsed, self._epoch_began = 0, 0.0, 0.0
        self._end_s = 0.0
        """The longest that an epoch's end took."""
        self._waits = True
        """Whether nothing need happen: before the first batch, in a pause, after the end. Behind the last step of a
        watched program it need not either."""
        self._last_at = 0.0
        self._told_at: float | None = None

    @property
    def patience(self) -> float | None:
        """Seconds without an event that are too long; None while nothing need happen, or that was told."""
        if self._waits or self._told_at is not None or (self._is_watched and self._step == self._total_steps):
            return None
        held = 10 * self._pace
        if self._at_epoch_end:
            usual = VALIDATIONS_SILENT * (self._end_s or self._elapsed - self._epoch_began)
            return max(LEAST_AT_END_S, usual) + held
        return max(LEAST_S, STEPS_SILENT * self._usual_s) + held

    def take(self, event: AnyEvent) -> list[tuple[str, str, str]]:
        """Kind and text of what is to be told now that `event` has happened, and the kind of what is over by it."""
        if isinstance(event, Alert):
            if event.kind == "stall":
                self._told_at = self._last_at
            return []
        over: list[tuple[str, str, str]] = []
        if self._told_at is not None and isinstance(event, StepsTaken | EpochEnded):
            over.append(("recovered", say("notice.goes_on", seconds=in_seconds(event.at - self._told_at)), "stall"))
            self._told_at = None
        self._last_at = event.at
        match event:
            case StepsTaken():
                self._steps(event)
            case EpochEnded(epoch=epoch, elapsed=elapsed):
                self._end_s = max(self._end_s, elapsed - self._elapsed)
                self._at_epoch_end, self._ended_epoch = True, epoch
            case RunConfigured(recipe=recipe) | PresetSwitched(recipe=recipe):
                self._batches, self._total_steps = recipe.batches_per_epoch or 0, recipe.total_steps
            case ProgramWatched():
                self._is_watched = True
            case PaceChanged(seconds_a_call=pace):
                self._pace = pace
            case Paused() | RunEnded() | RunStarted():
                self._waits, self._told_at = True, None
            case Continued():
                self._waits = not self._step
            case _:
                pass
        return over

    def in_words(self, seconds: float) -> str:
        """What to tell of so long a silence."""
        usual = say("notice.step_took", seconds=in_seconds(self._usual_s)) if self._usual_s > 0 else ""
        values = {"seconds": in_seconds(seconds), "usual": usual}
        if self._ended_epoch is not None:
            return say("notice.stalled_after_epoch", epoch=self._ended_epoch, **values)
        if self._at_epoch_end:
            return say("notice.stalled_after_last_batch", epoch=self._epoch, **values)
        return say("notice.stalled", step=f"{self._step + 1:,}", **values)

    def _steps(self, event: StepsTaken) -> None:
        first, last = event.elapsed[0], event.elapsed[-1]
        if event.epoch == self._epoch:
            self._usual_s = max(0.0, last - self._elapsed) / len(event.elapsed)
        else:
            self._epoch, self._epoch_began = event.epoch, first
            if len(event.elapsed) > 1:
                self._usual_s = max(0.0, last - first) / (len(event.elapsed) - 1)
            elif event.step == 1:
                self._usual_s = max(0.0, last)  # the run's clock begins with its first batch
        self._elapsed = last
        self._step = event.step + len(event.losses) - 1
        self._at_epoch_end, self._ended_epoch = 0 < self._batches < event.batch + len(event.losses), None
        self._waits = False


def in_seconds(seconds: float) -> str:
    """`0.02 s`, `41 s`, `12 min`."""
    if seconds >= 600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


BESTS_APART_S = 60.0
"""Seconds: in a run of short epochs a new best is not told more often."""

SPEED_WINDOW_S = 2.0
SPEEDS_KEPT = 30
SPEEDS_NEEDED = 8
SLOW_SHARE, FAST_SHARE = 0.6, 0.8
"""Of the usual speed: below the one it is slow, above the other it is so no more."""
IN_A_ROW = 5
"""Windows that must agree before either is told."""


class AlertRules:
    """Takes the events of one run, and gives back what they come to. What it keeps does not grow with the run.

    Args:
        best: the best epoch so far, of a run that is gone on with.
        health: how that run was; it is followed from here on. What was wrong with it is told already.
        rules: those of a person's.
    """

    def __init__(
        self, best: EpochEnded | None = None, health: Health | None = None, rules: RuleWatch | None = None
    ) -> None:
        self._best = _Best(best)
        self._health = health if health is not None else Health()
        self._told = {self._health.finding.word} if self._health.finding is not None else set[Word]()
        """What was found since the run was well; each is told once."""
        self._speed = _Speed()
        self._silence = StallDetector()
        self._rules = rules if rules is not None else RuleWatch()

    def take(self, event: AnyEvent) -> list[Alert]:
        """What is to be told now that `event` has happened."""
        texts = [*self._silence.take(event), *self._judge(event)]
        match event:
            case RunStarted():
                self._speed = _Speed()
            case RunConfigured(recipe=recipe) | PresetSwitched(recipe=recipe):
                self._speed.follow(recipe)
            case StepsTaken():
                texts += self._speed.take(event)
            case EpochEnded():
                texts += self._best.take(event, praised=self._health.beats_guessing(event))
            case PaceChanged(seconds_a_call=pace):
                self._speed.stop_measuring(pace > 0)
            case Continued(one_batch=one_batch):
                self._speed.stop_measuring(one_batch)
            case _:
                pass
        told = [Alert(at=event.at, kind=kind, text=text, over=over) for kind, text, over in texts]
        return told + self._rules.take(event)

    def _judge(self, event: AnyEvent) -> _Texts:
        """What is wrong since this event; and once nothing is any more, that."""
        before = self._health.finding
        self._health.take(event)
        now = self._health.finding
        if now is not None and now.word not in self._told:
            self._told.add(now.word)
            found = self._health.onset or now
            yield KINDS[found.word], f"{found.word}: {found.reason}", ""
        elif now is None and before is not None:
            self._told.clear()
            over = say("health.over", word=before.word, figure=self._health.over(before.word))
            yield "recovered", over, KINDS[before.word]

    @property
    def best_in_words(self) -> str:
        """The best epoch so far, or that none was better than guessing; empty before the first."""
        return best_in_words(self._best.epoch, None, self._health)

    @property
    def finding(self) -> Finding | None:
        """What is wrong with the run's figures now."""
        return self._health.finding

    @property
    def patience(self) -> float | None:
        """Seconds without an event after which the run stalls; None while nothing need happen, or that was told."""
        return self._silence.patience

    def stall(self, seconds: float, at: float) -> Alert:
        """Nothing has happened for so long: what to tell. It is to be taken as an event, too."""
        return Alert(at=at, kind="stall", text=self._silence.in_words(seconds))


_Texts: TypeAlias = Iterator[tuple[str, str, str]]
"""Kind and text of what is to be told, and the kind of what is over by it."""


class _Speed:
    """Steps a second in one window of time after the other, validations and pauses left out."""

    def __init__(self) -> None:
        self._images_a_step = 0
        self._restart()

    def _restart(self) -> None:
        self._usual: deque[float] = deque(maxlen=SPEEDS_KEPT)
        self._steps, self._seconds = 0, 0.0
        self._last: tuple[int, float] | None = None
        """Epoch and clock of the last step."""
        self._in_a_row = 0
        self._told = self._watched_by_eye = False

    def follow(self, recipe: ResolvedConfig) -> None:
        """Batches may be of another size from here on: what was usual is not any more."""
        self._restart()
        self._images_a_step = recipe.images_a_step

    def stop_measuring(self, stop: bool) -> None:
        """Calls are followed by eye, and held for it; or no longer."""
        self._watched_by_eye = stop
        self._last = None

    def take(self, event: StepsTaken) -> _Texts:
        end = event.elapsed[-1]
        if self._watched_by_eye:
            return
        if self._last is not None and self._last[0] == event.epoch:
            self._steps += len(event.elapsed)
            self._seconds += max(0.0, end - self._last[1])
        else:
            self._steps += len(event.elapsed) - 1
            self._seconds += max(0.0, end - event.elapsed[0])
        self._last = event.epoch, end
        if self._seconds >= SPEED_WINDOW_S and self._steps:
            speed, self._steps, self._seconds = self._steps / self._seconds, 0, 0.0
            yield from self._window(speed)

    def _window(self, speed: float) -> _Texts:
        if len(self._usual) < SPEEDS_NEEDED:
            self._usual.append(speed)
            return
        usual = sorted(self._usual)[len(self._usual) // 2]
        slow = speed < usual * (FAST_SHARE if self._told else SLOW_SHARE)
        if not slow:
            self._usual.append(speed)
        self._in_a_row = self._in_a_row + 1 if slow is not self._told else 0
        if self._in_a_row < IN_A_ROW:
            return
        self._told, self._in_a_row = slow, 0
        if slow:
            words = say("health.slow", speed=self._images(speed), usual=self._images(usual))
            yield "slow", f"slow: {words}", ""
        else:
            yield "recovered", say("health.over", word="slow", figure=self._images(speed)), "slow"

    def _images(self, speed: float) -> str:
        return f"{speed * self._images_a_step:,.0f} images/s" if self._images_a_step else f"{speed:,.1f} steps/s"


class _Best:
    """The best epoch so far. In a row of epochs of which each is the best, the first one is told."""

    def __init__(self, best: EpochEnded | None) -> None:
        self.epoch = best
        self._is_best = best is None
        self._told_at = -inf

    def take(self, event: EpochEnded, *, praised: bool) -> _Texts:
        """An epoch was validated; `praised`: it is worth the word."""
        before, was_best = self.epoch, self._is_best
        self._is_best = is_better(event, before)
        if not self._is_best:
            return
        self.epoch = event
        if praised and before is not None and not was_best and event.at - self._told_at >= BESTS_APART_S:
            self._told_at = event.at
            accuracies = {"accuracy": f"{event.val_accuracy:.4f}", "before": f"{before.val_accuracy:.4f}"}
            yield "best", say("health.best", epoch=event.epoch, best_epoch=before.epoch, **accuracies), ""
