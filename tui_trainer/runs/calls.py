"""The calls of the loop as a history keeps them: how often, how long, which one runs, and slow motion."""

from __future__ import annotations

from dataclasses import dataclass

from tui_trainer.events import CallFollowed, CallsTimed

FOLLOWED_AT_MOST = 64
"""Events of one batch in slow motion that are kept: several times what a batch has."""

LONGEST_S = 1e9
"""Seconds in a call that are no longer to be believed."""


@dataclass(slots=True)
class CallTally:
    """How often a call was made, and the seconds spent in it: whole microseconds, so that any order adds up alike."""

    count: int = 0
    seconds: float = 0.0


class CallsSeen:
    """The fold of the two events that tell of calls."""

    def __init__(self) -> None:
        self.tallies: dict[str, CallTally] = {}
        self.running = ""
        self.followed: list[CallFollowed] = []

    def timed(self, event: CallsTimed) -> None:
        """Add what was called since the last such event."""
        tallies = self.tallies
        for call, count in event.counts.items():
            tally = tallies.get(call) or tallies.setdefault(call, CallTally())
            tally.count += count
        for call, seconds in event.seconds.items():
            tally = tallies.get(call) or tallies.setdefault(call, CallTally())
            tally.seconds = (round(tally.seconds * 1e6) + _micros(seconds)) / 1e6
        self.running = event.running

    def forget(self, call: str) -> None:
        """Count a call from nothing again."""
        self.tallies.pop(call, None)

    def follow(self, event: CallFollowed) -> None:
        """One more call of the batch being followed, or the first of another batch."""
        if self.followed:
            last = self.followed[-1]
            another = (last.step, last.batch) != (event.step, event.batch)
            if another or len(self.followed) >= FOLLOWED_AT_MOST:
                self.followed.clear()
        self.followed.append(event)
        if event.value is None:
            self.running = event.call

    def leave_behind(self, step: int) -> None:
        """Batches up to `step` were trained: one followed before that is no longer the one to look at."""
        if self.followed and self.followed[-1].step < step:
            self.followed.clear()

    def stand_still(self) -> None:
        """Nothing is called: the run is paused, or over."""
        self.running = ""


def _micros(seconds: float) -> int:
    """Rounded; a damaged record may hold any number."""
    return round(seconds * 1e6) if 0 <= seconds < LONGEST_S else 0
