"""How long a run may say nothing before it is called stalled."""

from __future__ import annotations

from tui_trainer.events import (
    Alert,
    AnyEvent,
    Continued,
    EpochEnded,
    PaceChanged,
    Paused,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
)

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
        self._batches = 0
        self._pace = 0.0
        self._epoch, self._elapsed, self._epoch_began = 0, 0.0, 0.0
        self._end_s = 0.0
        """The longest that an epoch's end took."""
        self._waits = True
        """Whether nothing need happen: before the first batch, in a pause, after the end."""
        self._last_at = 0.0
        self._told_at: float | None = None

    @property
    def patience(self) -> float | None:
        """Seconds without an event that are too long; None while nothing need happen, or that was told."""
        if self._waits or self._told_at is not None:
            return None
        held = 10 * self._pace
        if self._at_epoch_end:
            usual = VALIDATIONS_SILENT * (self._end_s or self._elapsed - self._epoch_began)
            return max(LEAST_AT_END_S, usual) + held
        return max(LEAST_S, STEPS_SILENT * self._usual_s) + held

    def take(self, event: AnyEvent) -> list[tuple[str, str]]:
        """Kind and text of what is to be told now that `event` has happened."""
        if isinstance(event, Alert):
            if event.kind == "stall":
                self._told_at = self._last_at
            return []
        over: list[tuple[str, str]] = []
        if self._told_at is not None and isinstance(event, StepsTaken | EpochEnded):
            over.append(("recovered", f"training goes on, after {in_seconds(event.at - self._told_at)}"))
            self._told_at = None
        self._last_at = event.at
        match event:
            case StepsTaken():
                self._steps(event)
            case EpochEnded(elapsed=elapsed):
                self._end_s = max(self._end_s, elapsed - self._elapsed)
                self._at_epoch_end = True
            case RunConfigured(recipe=recipe) | PresetSwitched(recipe=recipe):
                self._batches = recipe.batches_per_epoch
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
        where = "validation or the checkpoint" if self._at_epoch_end else f"step {self._step + 1:,}"
        usual = f"; a step took {in_seconds(self._usual_s)} until then" if self._usual_s > 0 else ""
        return f"stalled: nothing has happened for {in_seconds(seconds)}, at {where}{usual}"

    def _steps(self, event: StepsTaken) -> None:
        first, last = event.elapsed[0], event.elapsed[-1]
        if event.epoch == self._epoch:
            self._usual_s = max(0.0, last - self._elapsed) / len(event.elapsed)
        else:
            self._epoch, self._epoch_began = event.epoch, first
            if len(event.elapsed) > 1:
                self._usual_s = max(0.0, last - first) / (len(event.elapsed) - 1)
        self._elapsed = last
        self._step = event.step + len(event.losses) - 1
        self._at_epoch_end = 0 < self._batches < event.batch + len(event.losses)
        self._waits = False


def in_seconds(seconds: float) -> str:
    """`0.02 s`, `41 s`, `12 min`."""
    if seconds >= 600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
