"""A run, watched in the process that trains it: what its events come to is told, and that none come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import IO

from tui_trainer.events import EpochEnded, Event, Noticed, RunEnded, StepsTaken
from tui_trainer.hosts.notify import Notifier, Notify
from tui_trainer.runs.watch import Watch

LOOK_EVERY = 1.0
"""Seconds between looks at whether the run stalls."""


class Watching:
    """Takes each event as it was recorded, and emits notices of its own.

    Args:
        emit: takes a notice, from any thread.
        lock: held by whoever emits, so that no step comes between a look and what it tells.
        notify: the command to run for some of them.
        about: which run this is, for that command.
        open_log: opens the run's log, for what the command prints.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        lock: AbstractContextManager[object],
        notify: Notify | None = None,
        about: Callable[[], Mapping[str, str]] = dict,
        open_log: Callable[[], IO[bytes] | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._emit = emit
        self._lock = lock
        self._about = about
        self._clock = clock
        self._watch = Watch()
        self._notifier = Notifier(notify, self._notify_failed, open_log) if notify is not None else None
        self._step = self._epoch = 0
        self._last_at = clock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def go_on_from(self, best: EpochEnded | None, step: int, epoch: int) -> None:
        """The run has come so far already, in another process."""
        self._step, self._epoch = step, epoch
        self._watch = Watch(best)

    def take(self, event: Event) -> None:
        """An event was told and recorded. Quick; one caller at a time."""
        for notice in self._watch.take(event):
            self._emit(notice)
        match event:
            case Noticed(kind=kind, text=text):
                self._notify(kind, text)
                return
            case StepsTaken():
                self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
                if self._thread is None:
                    self._thread = threading.Thread(target=self._look_out, name="watching", daemon=True)
                    self._thread.start()
            case RunEnded():
                self._over.set()
                self._notify("end", self._ending(event), STATUS=event.status, EXIT_CODE=str(event.exit_code))
            case _:
                pass
        self._last_at = self._clock()

    def look(self) -> None:
        """See whether the run stalls, and tell."""
        with self._lock:
            patience, silent = self._watch.patience, self._clock() - self._last_at
            if patience is not None and silent > patience:
                self._emit(self._watch.stall(silent, at=time.time()))

    def finish(self) -> None:
        """The run is over: wait for the commands that still run, not for long."""
        self._over.set()
        if self._notifier is not None:
            self._notifier.finish()

    def _look_out(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            self.look()

    def _notify(self, event: str, text: str, **more: str) -> None:
        if self._notifier is None:
            return
        facts = {"STATUS": "running", "EXIT_CODE": "", "STEP": str(self._step), "EPOCH": str(self._epoch), "TEXT": text}
        self._notifier.tell(event, {**facts, **self._about(), **more})

    def _notify_failed(self, sentence: str) -> None:
        self._emit(Noticed(at=time.time(), kind="notify", text=sentence))

    def _ending(self, ended: RunEnded) -> str:
        best = self._watch.best
        tail = f"; best val_accuracy {best.val_accuracy:.4f} at epoch {best.epoch}" if best is not None else ""
        return f"{ended.status}: {ended.reason}{tail}"
