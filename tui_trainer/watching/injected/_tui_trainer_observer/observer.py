"""What all hooks share: whether to watch, where to write, what was seen."""

from __future__ import annotations

import atexit
import os
import sys
from time import perf_counter

from .call_sites import CallSites
from .guard import Guard
from .listeners import Listeners
from .process import Process, uncaught
from .trace_writer import TraceWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .settings import Settings


class Observer:
    """One for each process; a fork's child begins anew."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.on = True
        """Whether hooks do anything."""
        self.torch: Any = None
        self.compiling: Callable[[], bool] = bool
        self.writer = TraceWriter(settings.folder)
        self.sites = CallSites(self.writer)
        self.guard = Guard(self._tell_fault, self.turn_off)
        self.process = Process()
        self.listeners = Listeners()
        self.expected_steps = 0
        """How many steps the loops of the program are made for, as far as that was read from them."""
        self._objects = 0
        self._at_start: list[Callable[[], None]] = []
        self._at_fork: list[Callable[[], None]] = []
        self._at_write: list[Callable[[float], None]] = []
        self._at_end: list[Callable[[], None]] = []
        self.logged: Callable[[dict[str, Any], int | None], None] | None = None
        """Takes numbers that the program logs with us."""
        self.writer.after_write = self._written
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def with_torch(self, torch: Any) -> None:
        """The program has imported it."""
        self.torch = torch
        compiler = getattr(torch, "compiler", None)
        self.compiling = getattr(compiler, "is_dynamo_compiling", bool)
        self.sites.library(torch.__file__)

    def log(self, values: Any, step: int | None) -> None:
        """The program tells numbers by names of its own. Never raises."""
        if not self.on or self.logged is None:
            return
        try:
            self.logged(dict(values), step)
        except Exception as error:
            self.guard.failed("log", error)

    def new_number(self) -> int:
        """For an object that is seen for the first time."""
        self._objects += 1
        return self._objects

    def at_start(self, call: Callable[[], None]) -> None:
        """Have it called when the process begins to train."""
        self._at_start.append(call)

    def at_fork(self, forget: Callable[[], None]) -> None:
        """Have it called in a fork's child, whose objects are all unknown."""
        self._at_fork.append(forget)

    def at_write(self, look: Callable[[float], None]) -> None:
        """Have it called a few times a second, as the trace is written, with the time."""
        self._at_write.append(look)

    def at_end(self, finish: Callable[[], None]) -> None:
        """Have it called as the interpreter ends."""
        self._at_end.append(finish)

    def start(self) -> None:
        """The process trains: an optimizer begins to step, or a loss to go backward."""
        if self.writer.started or self.writer.ended:
            return
        self.writer.start(perf_counter(), self.process.hello(self.torch))
        atexit.register(self._goodbye, os.getpid())
        # A process that multiprocessing began ends without `atexit`.
        finalize = getattr(sys.modules.get("multiprocessing.util"), "Finalize", None)
        if finalize is not None:
            finalize(None, self._goodbye, args=(os.getpid(),), exitpriority=-100)
        for call in self._at_start:
            call()

    def begin_again(self, settings: Settings) -> None:
        """Watch what comes from now on as another run."""
        self.finish()
        self.settings = settings
        self.writer.folder = settings.folder
        self._forked()
        self.on = True

    def finish(self) -> None:
        """Tell that the training is over, and watch no more. Never raises."""
        self._goodbye(os.getpid())
        self.on = False

    def turn_off(self) -> None:
        """Do nothing any more. Never raises: what is broken may be what would be done last."""
        self.on = False
        try:
            self.writer.close()
        except Exception:
            self.writer.ended = True

    def _written(self, now: float) -> None:
        for look in self._at_write:
            look(now)

    def _tell_fault(self, where: str, error: str, off: bool) -> None:
        self.writer.define("fault", where=where, error=error, off=off)

    def _goodbye(self, pid: int) -> None:
        """The interpreter ends. Never raises."""
        try:
            if pid == os.getpid() and self.writer.started and not self.writer.ended:
                for finish in self._at_end:
                    finish()
                self.writer.define("goodbye", clock=perf_counter(), raised=uncaught())
                self.turn_off()
        except Exception:
            self.on = False

    def _forked(self) -> None:
        """In the child: it is another process, which trains or does not. Never raises."""
        try:
            self.writer.abandon()
            self.sites.clear()
            self._objects = 0
            for forget in self._at_fork:
                forget()
        except Exception:
            self.on = False
