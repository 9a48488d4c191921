"""A run, watched in the process that trains it: what its events come to is told, and that none come."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import IO

from tui_trainer import threads
from tui_trainer.engine.clock import BEAT_EVERY, Awake
from tui_trainer.events import Alert, AnyEvent, EpochEnded, RunConfigured, RunEnded, StepsTaken
from tui_trainer.records.alerts import AlertRules, in_seconds
from tui_trainer.run_sources.notifier import Notifier, NotifyCommand


class AlertMonitor:
    """Takes each event as it was recorded, and emits notices of its own. Its own failure is one of them: it never
    reaches training.

    Args:
        emit: takes a notice, from any thread.
        lock: held by whoever emits, so that no step comes between a look and what it tells.
        notify: the command to run for some of them.
        about: which run this is, for that command.
        open_log: opens the run's log, for what the command prints.
        awake: the seconds in which this process could run: what it was stopped for is no stall of the run.
    """

    def __init__(
        self,
        emit: Callable[[AnyEvent], None],
        lock: AbstractContextManager[object],
        notify: NotifyCommand | None = None,
        about: Callable[[], Mapping[str, str]] = dict,
        open_log: Callable[[], IO[bytes] | None] = lambda: None,
        awake: Awake | None = None,
    ) -> None:
        self._emit = emit
        self._lock = lock
        self._about = about
        self._awake = awake or Awake()
        self._watch = AlertRules()
        self._notifier = Notifier(notify, self._notify_failed, open_log) if notify is not None else None
        self._step = self._epoch = 0
        self._last_at = self._awake()
        self._failed = False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def go_on_from(self, best: EpochEnded | None, step: int, epoch: int) -> None:
        """The run has come so far already, in another process."""
        self._step, self._epoch = step, epoch
        self._watch = AlertRules(best)

    def woken(self, at: float) -> Alert | None:
        """What is to be told before the next event, if the process stood still since the last one."""
        seconds = self._awake.untold()
        if not seconds:
            return None
        text = f"the process stood still for {in_seconds(seconds)}, stopped or asleep: none of that counts"
        return Alert(at=at, kind="woken", text=text)

    def take(self, event: AnyEvent) -> None:
        """An event was told and recorded. Quick; one caller at a time. Never raises."""
        for notice in self._comes_to(event):
            self._emit(notice)
        match event:
            case Alert(kind=kind, text=text):
                self._notify(kind, text)
                return
            case RunConfigured():
                self._look_out()
            case StepsTaken():
                self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
                self._look_out()
            case RunEnded():
                self._over.set()
                self._notify("end", self._ending(event), STATUS=event.status, EXIT_CODE=str(event.exit_code))
            case _:
                pass
        self._last_at = self._awake()

    def _comes_to(self, event: AnyEvent) -> list[Alert]:
        if self._failed:
            return []
        try:
            return self._watch.take(event)
        except Exception as error:  # who watches a run does not end it
            traceback.print_exc()
            self._failed = True
            return [_no_longer_watched(threads.in_a_line(error))]

    def look(self) -> None:
        """See whether the run stalls, and tell."""
        with self._lock:
            if self._failed:
                return
            patience, silent = self._watch.patience, self._awake() - self._last_at
            if patience is not None and silent > patience:
                self._emit(self._watch.stall(silent, at=time.time()))

    def finish(self) -> None:
        """The run is over: wait for the commands that still run, not for long."""
        self._over.set()
        if self._notifier is not None:
            self._notifier.finish()

    def _look_out(self) -> None:
        """Have somebody look whether it stalls, as long as it goes on."""
        if self._thread is None:
            self._thread = threads.begin("watching", self._look_again_and_again, self._give_up)

    def _look_again_and_again(self) -> None:
        try:
            self._awake.beat()
            while not self._over.wait(BEAT_EVERY):
                self._awake.beat()
                self.look()
        finally:
            self._awake.rest()

    def _give_up(self, why: str) -> None:
        self._failed = True
        self._emit(_no_longer_watched(why))

    def _notify(self, event: str, text: str, **more: str) -> None:
        if self._notifier is None:
            return
        facts = {"STATUS": "running", "EXIT_CODE": "", "STEP": str(self._step), "EPOCH": str(self._epoch), "TEXT": text}
        self._notifier.tell(event, {**facts, **self._about(), **more})

    def _notify_failed(self, sentence: str) -> None:
        self._emit(Alert(at=time.time(), kind="notify", text=sentence))

    def _ending(self, ended: RunEnded) -> str:
        best = self._watch.best
        tail = f"; best val_accuracy {best.val_accuracy:.4f} at epoch {best.epoch}" if best is not None else ""
        return f"{ended.status}: {ended.reason}{tail}"


def _no_longer_watched(why: str) -> Alert:
    text = f"this run is no longer watched, so neither a stall nor a rising loss will be told: {why}"
    return Alert(at=time.time(), kind="watching", text=text)
