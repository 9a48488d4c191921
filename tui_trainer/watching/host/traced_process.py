"""One of the watched processes: its trace, which run it is of, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf
from pathlib import Path

import numpy as np

from tui_trainer.watching.host import processes
from tui_trainer.watching.trace import AnyDefinition, Goodbye, Hello, Rows, Site, TraceReader

LOOK_EVERY = 0.5
"""Seconds between looks whether it still lives."""


class TracedProcess:
    """Reads a process's trace, and deletes what was read."""

    def __init__(self, folder: Path, name: str) -> None:
        """A process that has begun to tell; `name` is what its files begin with."""
        self.name = name
        self.hello: Hello | None = None
        self.took_leave = False
        self.raised = ""
        """The class of the error that ended it, as far as that is known."""
        self.left_at = inf
        """When it took leave, by its own clock, which is that of all processes of the machine."""
        self.is_gone = False
        self.step = 0
        """The last step of its first optimizer that is known."""
        self._folder = folder
        self._reader = TraceReader(folder, name)
        self._pid = int(name.partition("-")[0])
        self._began = processes.began(self._pid)
        self._look_at = 0.0
        self._steps_of: dict[int, int] = {}
        """Of sites where optimizers step, which optimizer it is."""
        self._first: int | None = None
        """The optimizer that stepped first."""
        self._ended = 0.0
        """When that step ended, by the process's clock."""
        self._seconds_a_step = 0.0

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def rank(self) -> int:
        """Its place among those that train together; 0 of one that trains alone."""
        return (self.hello.rank or 0) if self.hello is not None else 0

    @property
    def is_grouped(self) -> bool:
        """Whether others train the same run."""
        return self.hello is not None and bool(self.hello.group) and (self.hello.world_size or 1) > 1

    def read(self) -> Iterator[AnyDefinition | Rows]:
        """What it told since the last look. Where its files cannot be read, nothing."""
        try:
            for frame in self._reader.read():
                self._note(frame)
                yield frame
        except OSError:
            return

    def look(self, *, now: bool = False) -> None:
        """See whether it still lives: now and then, or `now`."""
        if self.is_gone or (time.monotonic() < self._look_at and not now):
            return
        self._look_at = time.monotonic() + LOOK_EVERY
        self.is_gone = self._began is None or not processes.is_alive(self._pid, self._began)

    def clean_up(self) -> None:
        """Delete what is left of its trace."""
        for path in self._folder.glob(f"{self.name}.*.trace"):
            path.unlink(missing_ok=True)

    def step_after(self, seconds: float) -> int:
        """A step that it will not have begun in so many seconds, by the speed that it has."""
        if self.hello is None or self._seconds_a_step <= 0:
            return self.step + 2
        now = self.hello.clock + time.time() - self.hello.at
        return self.step + 2 + int((max(0.0, now - self._ended) + seconds) / self._seconds_a_step)

    def _note(self, frame: AnyDefinition | Rows) -> None:
        match frame:
            case Hello():
                self.hello = frame
            case Site(id=site, call="optimizer.step", target=target):
                self._steps_of[site] = target
            case Goodbye():
                self.took_leave, self.raised, self.left_at = True, frame.raised, frame.clock
            case np.ndarray():
                self._note_rows(frame)
            case _:
                pass

    def _note_rows(self, rows: Rows) -> None:
        for site, target in self._steps_of.items():
            taken = rows[rows[:, 0] == site]
            if not len(taken):
                continue
            self._first = target if self._first is None else self._first
            if target != self._first:
                continue
            step, ended = int(taken[-1, 3]), float(taken[-1, 2])
            if step > self.step and ended > self._ended:
                if self.step:
                    self._seconds_a_step = (ended - self._ended) / (step - self.step)
                self.step, self._ended = step, ended
