"""Threads of ours: none keeps the process from ending, and one that dies is told of; and the cores for them.

What two threads touch has one owner: it is handed over whole, or touched under one lock alone. A thread that is not
the screen's never touches what is on it.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable


def begin(name: str, work: Callable[[], object], died: Callable[[str], object]) -> threading.Thread:
    """Have `work` done in a thread of its own.

    Args:
        name: the thread's, as a debugger shows it.
        work: what it does, from beginning to end.
        died: told in that thread what `work` raised, as `in_a_line` has it, so that whoever waits for it learns that
            nothing more comes. The traceback is printed: to the run's log, under a screen.
    """

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # a library's `sys.exit()` too: it would end this thread without a word
            traceback.print_exc()
            died(in_a_line(error))

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def in_a_line(error: BaseException) -> str:
    """`RuntimeError: what it says`."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
