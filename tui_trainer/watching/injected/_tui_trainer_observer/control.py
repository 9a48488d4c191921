"""What is asked of the process from outside: pause, one step, stop, slow motion, another LR.

It is looked for after steps of the run's optimizer, at most some times a second, in a file of this process's own
that is written over in place, and taken up at the end of a step: ranks of one run do so at the same one.
"""

from __future__ import annotations

import os
import sys
import time
from time import perf_counter

from .plain import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from .observer import Observer
    from .optimizer_steps import OptimizerRecord, OptimizerSteps

_SIZE = 128
_INTERVAL = 0.05
_ORDERS = ("run", "pause", "one", "stop")


class StopRequested(KeyboardInterrupt):
    """Somebody asked for this training to stop: what ctrl-c would do, but at the end of an optimizer's step.

    Programs that save or clean up at ctrl-c do so for this too.
    """


def told_in_a_line(
    others: Callable[[type[BaseException], BaseException, TracebackType | None], object],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """A `sys.excepthook` that tells of a stop in a line, and leaves all else to this one: it is nobody's error."""

    def tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if kind is not StopRequested:
            others(kind, error, traceback)
        elif sys.stderr is not None:
            sys.stderr.write(f"{error}\n")

    return tell


class Asked:
    """`trace.Asked`."""

    def __init__(self, values: dict[str, Any]) -> None:
        """
        Raises:
            ValueError: they are none.
        """
        self.serial, self.at, self.alive = (int(values.get(name, 0)) for name in ("serial", "at", "alive"))
        self.do = values.get("do", "run")
        self.pace = min(max(float(values.get("pace", 0.0)), 0.0), 60.0)
        self.lr_factor = float(values.get("lr_factor", 1.0))
        if self.do not in _ORDERS or not 0.0 < self.lr_factor < 1e6:
            raise ValueError(values)


class Control:
    """Does what is asked."""

    def __init__(self, observer: Observer, steps: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._steps = steps
        self._forget()

    def install(self, torch: Any) -> None:
        """Listen, if that is wanted."""
        if self._observer.settings.control:
            self._steps.after_step = self._after_step
            self._steps.wake_at = 0.0
            self._observer.at_write(self._hold)
            self._observer.at_fork(self._forget)

    def _forget(self) -> None:
        """In a fork's child: the file is the parent's."""
        self._file = -1
        self._content = b""
        self._due = 0.0
        self._serial = 0
        self._pending: Asked | None = None
        self._one_more = False
        self._pace = 0.0
        self._asker = 0
        """The process that asked last."""
        self._steps.lr_factor = 1.0

    def _after_step(self, record: OptimizerRecord, now: float) -> None:
        if self._one_more:
            self._one_more = False
            self._pause(record.steps)
        elif now >= self._due:
            self._due = now + _INTERVAL
            self._look()
        if self._pending is not None and record.steps >= self._pending.at:
            asked, self._pending = self._pending, None
            self._take_up(asked, record.steps)
        self._steps.wake_at = self._due if self._pending is None and not self._one_more else 0.0

    def _look(self) -> Asked | None:
        """What is asked now, where that is new; it is pending from here on."""
        try:
            if self._file < 0:
                path = os.path.join(self._writer.folder, "control-" + self._writer.process)
                self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            content = os.pread(self._file, _SIZE, 0)
        except OSError:
            self._file = -1
            return None
        if content == self._content:
            return None
        self._content = content
        values = decode(content)
        try:
            asked = Asked(values) if isinstance(values, dict) else None
        except (TypeError, ValueError):
            return None
        if asked is None or asked.serial == self._serial:
            return None
        self._serial = asked.serial
        self._pending = asked
        self._steps.wake_at = 0.0
        return asked

    def _take_up(self, asked: Asked, step: int) -> None:
        self._asker = asked.alive
        self._apply(asked, step)
        if asked.do == "pause":
            self._pause(step, asked)
        elif asked.do == "one":
            self._obeyed(asked.serial, "one", step)
            self._one_more = True
        else:
            self._obeyed(asked.serial, asked.do, step)
        if asked.do == "stop":
            sys.excepthook = told_in_a_line(sys.excepthook)
            raise StopRequested(f"stopped from tui-trainer, at the end of step {step}")

    def _apply(self, asked: Asked, step: int) -> None:
        """The settings that stand beside each order."""
        if asked.pace != self._pace:
            self._pace = asked.pace
            self._writer.each_call = asked.pace > 0
            self._writer.due = 0.0
            self._obeyed(asked.serial, "pace", step)
        if asked.lr_factor != self._steps.lr_factor:
            done = self._steps.scale_lrs(asked.lr_factor)
            self._obeyed(asked.serial, "lr" if done else "no_lr", step)

    def _pause(self, step: int, asked: Asked | None = None) -> None:
        """Stand still until something else is asked, or nobody is there any more who could."""
        self._obeyed(asked.serial if asked is not None else self._serial, "pause", step)
        begin = perf_counter()
        new = None
        while _is_there(self._asker):
            time.sleep(_INTERVAL)
            new = self._look()
            if new is not None:
                self._pending = None
                self._asker = new.alive
                if new.do != "pause":
                    break
                self._apply(new, step)
                self._obeyed(new.serial, "pause", step)
            elif self._file < 0:
                break
        self._held(begin)
        if new is not None:
            self._take_up(new, step)

    def _hold(self, now: float) -> None:
        """Slow motion: a call was written."""
        if not self._pace:
            return
        if not _is_there(self._asker):  # and so nobody who could end it
            self._pace, self._writer.each_call = 0.0, False
            return
        begin = perf_counter()
        until = begin + self._pace
        while perf_counter() < until:
            time.sleep(min(_INTERVAL, max(until - perf_counter(), 0.0)))
            asked = self._look()
            if asked is not None and asked.pace < self._pace:
                break
        self._held(begin)

    def _held(self, begin: float) -> None:
        """Tell that the program stood still since then: it goes on now."""
        self._writer.rows.extend((self._observer.sites.of_part("held", 0, 0), begin, perf_counter(), 0.0))

    def _obeyed(self, serial: int, what: str, step: int) -> None:
        self._writer.define("obeyed", serial=serial, what=what, step=step, clock=perf_counter(), pace=self._pace)
        self._writer.write()


def _is_there(process: int) -> bool:
    """Whether a process is there. Nobody is 0."""
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
