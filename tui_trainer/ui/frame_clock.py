"""When to draw: as often as the drawing's share of the machine allows, and at once when a person acts."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_trainer.threads import usable_cores

if TYPE_CHECKING:
    from textual.app import App
    from textual.timer import Timer

SHARE = 0.02
"""Of all cores together: what drawing may take."""

FASTEST = 0.2
SLOWEST = 1.0
"""Seconds between frames, at the ceiling and at the floor of their rate. A run reports five times a second: more frames
would show nothing new."""

HURRIED = 0.04
"""Seconds between frames while an answer is awaited or calls are followed by eye."""

BEHIND = 0.005
"""The same while a long record is being read, a little in each frame: keys are answered in between."""

WINDOW = 5.0
"""Seconds over which the share on show is measured."""


class Budget:
    """What frames cost, and so how far apart they must be.

    Args:
        share: what drawing may take of `cores`.
        cores: how many this process may use.
        of: how many the machine has, of which all shares on the screen are; as many as may be used, unless told.
    """

    def __init__(self, share: float = SHARE, cores: int = 1, of: int | None = None) -> None:
        self._allowed = share * cores
        self._of = of or cores
        self._frame_s: float | None = None
        self._spent: deque[tuple[float, float]] = deque()

    def spent(self, cpu_s: float, wall_s: float) -> None:
        """A frame, with all that followed from it until the next, took `cpu_s` within `wall_s` seconds."""
        before = cpu_s if self._frame_s is None else self._frame_s
        self._frame_s = before + 0.3 * (cpu_s - before)
        self._spent.append((cpu_s, wall_s))
        while len(self._spent) > 1 and sum(wall for _, wall in self._spent) - self._spent[0][1] > WINDOW:
            self._spent.popleft()

    @property
    def interval(self) -> float:
        """Seconds from one frame to the next, so that drawing keeps within its share."""
        if self._frame_s is None:
            return FASTEST
        return min(max(self._frame_s / self._allowed, FASTEST), SLOWEST)

    @property
    def share(self) -> float:
        """What drawing took of all cores of the machine in the last seconds, from 0 to 1."""
        wall = sum(wall for _, wall in self._spent)
        return sum(cpu for cpu, _ in self._spent) / wall / self._of if wall > 0 else 0.0


class FrameClock:
    """Calls `frame` again and again, in the app's thread.

    The cost of a frame is the CPU time of this thread from one frame to the next: folding the events, drawing,
    compositing, keys.
    """

    def __init__(self, app: App[int], frame: Callable[[], None], budget: Budget | None = None) -> None:
        self._app = app
        self._frame = frame
        self.budget = budget or Budget(cores=usable_cores(), of=os.cpu_count())
        self.at_ease = False
        """Whether nothing is expected to happen: the slowest rate will do."""
        self.behind = False
        """Whether the frame left something for the next one: it follows without a rest. Each frame says so anew."""
        self._timer: Timer | None = None
        self._hurried_until = 0.0
        self._cpu = 0.0
        self._wall = 0.0

    @property
    def is_hurried(self) -> bool:
        """Whether an answer is awaited, or calls are followed by eye."""
        return time.monotonic() < self._hurried_until

    @property
    def next_in(self) -> float:
        """Seconds from this frame to the next."""
        if self.behind:
            return BEHIND
        if self.is_hurried:
            return HURRIED
        return SLOWEST if self.at_ease else self.budget.interval

    def start(self) -> None:
        """Begin, with a frame now."""
        self._cpu, self._wall = time.thread_time(), time.monotonic()
        self.tick()

    def stop(self) -> None:
        """No more frames until the next start."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def tick(self) -> None:
        """A frame now; the next one follows from it."""
        self.stop()
        cpu, wall = time.thread_time(), time.monotonic()
        if wall - self._wall >= HURRIED:
            self.budget.spent(cpu - self._cpu, wall - self._wall)
            self._cpu, self._wall = cpu, wall
        self.behind = False
        self._frame()
        self._timer = self._app.set_timer(self.next_in, self.tick)

    def hurry(self, seconds: float = 0.6) -> None:
        """A person acts, or follows calls by eye: a frame now, and quick ones for so long."""
        self._hurried_until = max(self._hurried_until, time.monotonic() + seconds)
        self.tick()

    def keep_hurrying(self, seconds: float = 0.6) -> None:
        """As `hurry`, from within a frame."""
        self._hurried_until = max(self._hurried_until, time.monotonic() + seconds)
