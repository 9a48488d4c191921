"""Watches the thread of Textual's loop: a step of it that takes long, and a file that it may have to wait for.

A key that is pressed meanwhile is not answered. So no step may take `LONGEST_S` of that thread's own processor time,
and no file is touched there but those of `MAY_BE_READ`.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

LONGEST_S = 0.05
"""Seconds of the loop's own processor time, on a quiet machine."""

BESIDE_OTHERS = 1.0 if os.environ.get("TUI_TRAINER_TEST_ALONE") else 12.0
"""Times that the same work may take as much of it where others use the caches, the other half of the core, or the host
of a virtual machine. It is still told from work without a bound, as on all of a long record: that takes seconds.
Nothing is allowed for with `TUI_TRAINER_TEST_ALONE=1`, for these tests alone on a quiet machine."""

LOOK_EVERY = 0.004

MAY_BE_READ = {
    "events.jsonl": "the journal of the run on show: what was added since the last frame, for a few milliseconds",
    "events.packed": "as the journal, and read instead of it",
    "lock": "whether a run lives: no byte is read",
    "run.json": "a small file beside the journal on show, read once",
    "session.json": "a small file, read for the comparison on show as it changes",
    "trials.jsonl": "what was added to it since the last look, a line as a run begins",
    "log.txt": "the end of what the run on show printed, 64 KB at most, where that is looked at",
    "control.jsonl": "one line to a live run, which is not waited for on its way to the disk",
}
"""Names of files that the loop may open itself, with the reason: each is short, or read a little at a time."""

CODE = (".py", ".pyc", ".tcss", ".so", ".pth", ".typed")
"""What comes with a package: a page's own code, as it is opened for the first time."""

FILE_EVENTS = frozenset(
    {
        "open",
        "os.link",
        "os.listdir",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.scandir",
        "os.symlink",
        "os.truncate",
        "shutil.rmtree",
        "subprocess.Popen",
    }
)


@dataclass
class Watchdog:
    """What it saw."""

    limit_s: float
    slow: list[tuple[float, str]] = field(default_factory=list)
    """Steps of the loop that took too long: seconds of processor time, and where it was as that was noticed."""
    touched: list[tuple[str, str]] = field(default_factory=list)
    """Files: what was done with which, and where."""
    began: float | None = None
    """The thread's processor time as the step of the app began that runs now."""
    where: str = ""
    """Where that step was as it was found to be long."""

    def said(self) -> str:
        """All of it, for a person; empty where nothing was seen."""
        slow = [f"{seconds * 1000:.0f} ms of the loop's own time:\n{where}" for seconds, where in self.slow]
        return "\n".join([*slow, *(f"{what} on the loop:\n{where}" for what, where in self.touched)])


_watching: dict[int, Watchdog] = {}
"""Who watches which thread."""


def _heard(event: str, args: tuple[Any, ...]) -> None:
    if not _watching or event not in FILE_EVENTS:
        return
    watchdog = _watching.get(threading.get_ident())
    if watchdog is None or watchdog.began is None or (args and isinstance(args[0], int)):
        return
    path = os.fsdecode(args[0]) if args and isinstance(args[0], str | bytes | os.PathLike) else str(args[:1])
    if event == "open" and (Path(path).name in MAY_BE_READ or path.endswith(CODE) or path == os.devnull):
        return
    frame = sys._getframe(1)
    if _is_import(frame):
        return
    watchdog.touched.append((f"{event} {path}", _stack(frame)))


def _is_import(frame: FrameType | None) -> bool:
    """Whether code is read in: that of a page that is opened for the first time."""
    while frame is not None and "/tui_trainer/" not in frame.f_code.co_filename:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


_installed = False


@contextmanager
def watched(limit_s: float | None = None) -> Iterator[Watchdog]:
    """Within it, the loop that runs in this thread is watched; without a limit, with one that this machine can hold."""
    global _installed
    if not _installed:
        sys.addaudithook(_heard)  # there is no way to take one back
        _installed = True
    ident = threading.get_ident()
    watchdog = Watchdog(limit_s or LONGEST_S * BESIDE_OTHERS * _slowness())
    run, fsync = asyncio.Handle._run, os.fsync
    cpu = time.pthread_getcpuclockid(ident)

    def timed(handle: asyncio.Handle) -> None:
        if threading.get_ident() != ident or not _is_of_the_app(handle):
            run(handle)
            return
        watchdog.where, began = "", time.thread_time()
        watchdog.began = began
        try:
            run(handle)
        finally:
            took, watchdog.began = time.thread_time() - began, None
            if took > watchdog.limit_s:
                watchdog.slow.append((took, watchdog.where or repr(handle)))

    def synced(fd: int) -> None:
        if threading.get_ident() == ident and watchdog.began is not None:
            watchdog.touched.append(("fsync", _stack(sys._getframe(1))))
        fsync(fd)

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            began = watchdog.began
            if began is not None and time.clock_gettime(cpu) - began > watchdog.limit_s * 0.6:
                frame = sys._current_frames().get(ident)
                watchdog.where = _stack(frame) if frame is not None else ""

    over = threading.Event()
    looker = threading.Thread(target=look, daemon=True)
    collects = gc.isenabled()
    gc.disable()  # what all tests before this one left is not the app's, nor is a look for it
    _watching[ident] = watchdog
    looker.start()
    try:
        with patch.object(asyncio.Handle, "_run", timed), patch.object(os, "fsync", synced):
            yield watchdog
    finally:
        del _watching[ident]
        over.set()
        looker.join()
        limit = limit_s or LONGEST_S * BESIDE_OTHERS * _slowness()  # it may have become slower meanwhile
        watchdog.slow = [(took, where) for took, where in watchdog.slow if took > limit]
        if collects:
            gc.enable()


def _is_of_the_app(handle: asyncio.Handle) -> bool:
    """Not the test's own coroutine, which runs on the same loop."""
    task = getattr(handle._callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return True
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or "/tests/" not in code.co_filename


def _stack(frame: FrameType | None) -> str:
    """The calls of this project and of Textual that led there, the last ones last."""
    entries = traceback.extract_stack(frame)
    shown = [
        entry for entry in entries if any(part in entry.filename for part in ("/tui_trainer/", "/textual/", "/tests/"))
    ]
    return "".join(f"    {Path(e.filename).name}:{e.lineno} {e.name}: {e.line}\n" for e in (shown or entries)[-14:])


def _slowness() -> float:
    """How much slower than a quiet machine this one computes now: 1.0 for one that is as fast."""

    def once() -> float:
        began = time.thread_time()
        sum(number * number for number in range(200_000))
        return time.thread_time() - began

    return max(1.0, min(once() for _ in range(5)) / 0.0125)
