"""What takes long or waits for a file, done beside the screen, which answers keys meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tui_trainer import threads
from tui_trainer.errors import UserError
from tui_trainer.records.errors import RunsError
from tui_trainer.text.captions import say

if TYPE_CHECKING:
    import threading

    from textual.app import App

T = TypeVar("T")

LONGEST_END_S = 5.0
"""Seconds that leaving waits for what is still under way."""


class TaskFailed(Exception):
    """What nobody foresaw, in words."""


class BackgroundTasks:
    """Each is done in a thread of its own, and what came of it is handed to the app's thread. All of this belongs to
    that thread; what a task works on belongs to the task until it is back."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._under_way: dict[int, threading.Thread] = {}
        self._count = 0

    @property
    def are_under_way(self) -> bool:
        """Whether one is not back yet."""
        return bool(self._under_way)

    def run(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Have it done.

        Args:
            work: what takes long; it touches nothing that is on the screen.
            done: takes what came of it.
            failed: takes what it raised, whose text is for a person: of what nobody foresaw, a `TaskFailed`.
        """
        loop = asyncio.get_running_loop()
        self._count += 1
        number = self._count

        def back(act: Callable[[], None]) -> None:
            self._under_way.pop(number, None)
            self._app.call_later(act)

        def tell(act: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the app has ended: nobody waits for it
                loop.call_soon_threadsafe(back, act)

        def act() -> None:
            try:
                came = work()
            except (RunsError, UserError, OSError) as error:
                what = error
                tell(lambda: failed(what))
            else:
                tell(lambda: done(came))

        def died(why: str) -> None:
            tell(lambda: failed(TaskFailed(say("screen.task_failed", why=why))))

        self._under_way[number] = threads.begin("task", act, died)

    def finish(self) -> None:
        """The app is left: wait for what is under way, not for long."""
        until = time.monotonic() + LONGEST_END_S
        for thread in self._under_way.values():
            thread.join(max(0.0, until - time.monotonic()))
