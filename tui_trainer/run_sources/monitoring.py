"""A run, watched in the process that trains it: what its events come to is told, and that none come; and what Python's
`warnings` say while it goes on, for its log: a screen on it shows that, wherever it is.

`warnings.showwarning` is one for the process, and whoever replaces it for a while puts back what was there as they
came, in whatever order they leave. So one hook of ours stands there for as long as any run listens, and hands each
warning to those that listen then: one that was put back late, or twice, passes on what comes and no more.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from copy import deepcopy
from math import inf
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tui_trainer import threads
from tui_trainer.engine.clock import BEAT_EVERY, Awake
from tui_trainer.events import Alert, AnyEvent, MetricDeclared, MetricsLogged, RunConfigured, RunEnded, StepsTaken
from tui_trainer.records.alerts import AlertRules, in_seconds
from tui_trainer.records.history import History
from tui_trainer.records.log_size import BoundedLog
from tui_trainer.records.outcome import end_in_words
from tui_trainer.records.rule_watch import RuleWatch
from tui_trainer.run_sources.disk_room import DiskRoom
from tui_trainer.run_sources.notifier import Notifier, NotifyCommand, Outbox, Told
from tui_trainer.text.captions import say

if TYPE_CHECKING:
    from tui_trainer.text.alert_rule import AlertRule

GPU_TEMP = "gpu_temp"
"""Degrees Celsius of the run's CUDA device: a series where a rule watches it."""

MEASURED_EVERY_S = 5.0
"""Seconds between looks at the device, and at the disk."""


class AlertMonitor:
    """Takes each event as it was recorded, and emits notices of its own. Its own failure is one of them: it never
    reaches training.

    Args:
        emit: takes a notice, from any thread.
        lock: held by whoever emits, so that no step comes between a look and what it tells.
        notify: who is told of some of them: commands to run, addresses to post to.
        about: which run this is, for those.
        folder: that of its record, as soon as there is one: its disk is looked at, too.
        log: keeps the run's log small; None where somebody else does.
        open_log: opens the run's log, for what the command prints.
        measures: whether a rule has the device measured: torch is asked, which only who trains with it has loaded.
        awake: the seconds in which this process could run: what it was stopped for is no stall of the run.
    """

    def __init__(
        self,
        emit: Callable[[AnyEvent], None],
        lock: AbstractContextManager[object],
        notify: Sequence[Told] = (),
        about: Callable[[], Mapping[str, str]] = dict,
        open_log: Callable[[], IO[bytes] | None] = lambda: None,
        awake: Awake | None = None,
        folder: Callable[[], Path | None] = lambda: None,
        log: BoundedLog | None = None,
        *,
        measures: bool = True,
    ) -> None:
        self._emit, self._measures = emit, measures
        self._folder, self._disk, self._log = folder, DiskRoom(), log
        self._disk_looked_at = -inf
        self._lock = lock
        self._about = about
        self._awake = awake or Awake()
        self._rules: Sequence[AlertRule] = ()
        self._watch = AlertRules()
        self._outboxes = [self._outbox(whom, open_log) for whom in notify]
        self._step = self._epoch = 0
        self._last_at = self._awake()
        self._device = ""
        self._measured_step, self._measured_at = 0, -inf
        self._measuring = False
        self._failed = False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def watch_for(self, rules: Sequence[AlertRule]) -> None:
        """Hold these rules against the run, too; before its first batch."""
        self._rules = rules
        self._watch = AlertRules(rules=RuleWatch(rules))

    def go_on_from(self, history: History) -> None:
        """The run has come so far already, in another process."""
        self._step, self._epoch = history.steps, history.epoch
        self._watch = AlertRules(history.best, deepcopy(history.health), RuleWatch(self._rules, history))

    def woken(self, at: float) -> Alert | None:
        """What is to be told before the next event, if the process stood still since the last one."""
        seconds = self._awake.untold()
        if not seconds:
            return None
        return Alert(at=at, kind="woken", text=say("notice.woken", seconds=in_seconds(seconds)))

    def take(self, event: AnyEvent) -> None:
        """An event was told and recorded. Quick; one caller at a time. Never raises."""
        for notice in self._comes_to(event):
            self._emit(notice)
        match event:
            case Alert(kind=kind, text=text, rule=rule):
                self._notify(kind, text, RULE=rule)
                return
            case RunConfigured(device=device, on_cuda=on_cuda):
                self._device = device if on_cuda and self._measures else ""
                self._look_out()
            case StepsTaken():
                self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
                self._look_out()
            case RunEnded():
                self._over.set()
                self._notify("end", self._ending(event), STATUS=event.status, EXIT_CODE=str(event.exit_code))
            case _:
                pass
        if not self._measuring:
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
        """See whether the run stalls, or its disk runs low, and tell; and how hot its device is, where a rule wants to
        know."""
        self._measure()
        self._look_at_disk()
        with self._lock:
            if self._failed:
                return
            patience, silent = self._watch.patience, self._awake() - self._last_at
            if patience is not None and silent > patience:
                self._emit(self._watch.stall(silent, at=time.time()))

    def _measure(self) -> None:
        """The temperature is a number of the run like any other. While no step comes it is not told: that would look as
        if something happened."""
        wanted = self._device and any(rule.series == GPU_TEMP for rule in self._rules)
        if not wanted or self._step == self._measured_step or self._awake() - self._measured_at < MEASURED_EVERY_S:
            return
        from tui_trainer.engine.devices import temperature  # torch is there: the run computes with it

        celsius = temperature(self._device)
        with self._lock:
            if celsius is None or self._over.is_set():
                return
            self._measuring = True
            try:
                if not self._measured_step:
                    kind = MetricDeclared(at=time.time(), name=GPU_TEMP, unit="°C", kind="system", group="machine")
                    self._emit(kind)
                self._measured_step, self._measured_at = self._step, self._awake()
                self._emit(
                    MetricsLogged(at=time.time(), step=self._step, values={GPU_TEMP: celsius}, epoch=self._epoch)
                )
            finally:
                self._measuring = False

    def _look_at_disk(self) -> None:
        folder = self._folder()
        if folder is None or self._awake() - self._disk_looked_at < MEASURED_EVERY_S:
            return
        self._disk_looked_at = self._awake()
        if self._log is not None:
            self._log.look(folder / "log.txt")
        told = self._disk.look(folder)
        if told is None:
            return
        kind, text, over = told
        with self._lock:
            if not self._over.is_set():
                self._emit(Alert(at=time.time(), kind=kind, text=text, over=over))

    def finish(self) -> None:
        """The run is over: wait for what is still to be told, not for long."""
        self._over.set()
        for outbox in self._outboxes:
            outbox.finish()

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
        if not self._outboxes:
            return
        where = {"STEP": str(self._step), "EPOCH": str(self._epoch)}
        facts = {"STATUS": "running", "EXIT_CODE": "", "RULE": "", "TEXT": text, **where, **self._about(), **more}
        for outbox in self._outboxes:
            outbox.tell(event, facts)

    def _outbox(self, whom: Told, open_log: Callable[[], IO[bytes] | None]) -> Outbox:
        if isinstance(whom, NotifyCommand):
            return Notifier(whom, self._notify_failed, open_log)
        from tui_trainer.run_sources.webhook import WebhookPoster  # as few runs have one

        return WebhookPoster(whom, self._notify_failed)

    def _notify_failed(self, sentence: str) -> None:
        self._emit(Alert(at=time.time(), kind="notify", text=sentence))

    def _ending(self, ended: RunEnded) -> str:
        return end_in_words(ended, self._watch.best_in_words, self._watch.finding)


def _no_longer_watched(why: str) -> Alert:
    return Alert(at=time.time(), kind="watching", text=say("notice.unwatched", why=why))


KEPT = 100
"""Warnings that wait for a log, the newest ones: torch is imported before there is one."""


class WarningCapture:
    """Within it, warnings go to a run's log too, unless what this process prints goes there anyway.

    It is entered by the thread that trains. A warning of that thread is this run's alone; one of a thread that trains
    nothing is told to every run that goes on.

    Args:
        folder: that of the run's record, as soon as there is one.
        open_log: opens its log for appending; None where that cannot be done.
    """

    def __init__(self, folder: Callable[[], Path | None], open_log: Callable[[], IO[bytes] | None]) -> None:
        self._folder, self._open_log = folder, open_log
        self._waiting: deque[str] = deque(maxlen=KEPT)
        self._writing = threading.Lock()
        """Held by whichever thread touches what waits."""

    def __enter__(self) -> WarningCapture:
        _listen(self)
        return self

    def __exit__(self, *_: object) -> None:
        _listen_no_more(self)

    def write(self) -> None:
        """Write those that wait, if there is a log by now."""
        folder = self._folder()
        if folder is None:
            return
        with self._writing:
            text = "".join(self._waiting)
            self._waiting.clear()
        if text and not _is_printed_to(folder / "log.txt") and (log := self._open_log()) is not None:
            with suppress(OSError), log:
                log.write(text.encode("utf-8", "replace"))

    def take(self, text: str) -> None:
        """A warning was given; in any thread."""
        with self._writing:
            self._waiting.append(text)
        self.write()


class _Hook:
    """Stands in `warnings.showwarning`, and passes all on to what stood there before it."""

    def __init__(self, before: Callable[..., None]) -> None:
        self._before = before

    def __call__(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any, **named: Any
    ) -> None:
        if getattr(_in, "hook", False):  # another one of ours, around this one, has told of it
            self._before(message, category, filename, lineno, *more, **named)
            return
        _in.hook = True
        try:
            self._before(message, category, filename, lineno, *more, **named)
            listeners = _listeners()
            text = warnings.formatwarning(message, category, filename, lineno) if listeners else ""
            for listener in listeners:
                listener.take(text)
        finally:
            _in.hook = False


_in = threading.local()
_listening: dict[WarningCapture, int] = {}
"""Who listens, each with the thread that it trains in."""
_changing = threading.Lock()
"""Held by whoever changes, or looks through, who listens."""


def _listen(listener: WarningCapture) -> None:
    with _changing:
        _listening[listener] = threading.get_ident()
        if not isinstance(warnings.showwarning, _Hook):
            warnings.showwarning = _Hook(warnings.showwarning)


def _listen_no_more(listener: WarningCapture) -> None:
    with _changing:
        _listening.pop(listener, None)
        if not _listening and isinstance(hook := warnings.showwarning, _Hook):
            warnings.showwarning = hook._before


def _listeners() -> list[WarningCapture]:
    """Who is to be told of a warning of this thread."""
    here = threading.get_ident()
    with _changing:
        ours = [listener for listener, thread in _listening.items() if thread == here]
        return ours or list(_listening)


def _is_printed_to(file: Path) -> bool:
    """Whether the standard error leads there."""
    try:
        return os.path.samestat(os.fstat(2), file.stat())
    except OSError:
        return False
