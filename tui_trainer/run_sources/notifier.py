"""A command of the user's own, run where there is something to tell: `--notify`; and what it has in common with other
ways to tell.

It is run without a shell, its words as they were split; the facts are in its environment, never in its words.

| variable | holds |
| --- | --- |
| `TUI_TRAINER_EVENT` | `end`, `diverging`, `chance-level`, `overfitting`, `plateaued`, `stall`, `slow`,
`low-disk`, `alert`, `best`, `recovered` |
| `TUI_TRAINER_TEXT` | what happened, in a sentence |
| `TUI_TRAINER_RULE` | of an `alert`, and where one is over: the rule, as it was given; empty else |
| `TUI_TRAINER_RUN`, `TUI_TRAINER_FOLDER` | the run's id and the folder of its record; empty where it never began |
| `TUI_TRAINER_STATUS` | `running`, and at the end `finished`, `stopped`, `diverged`, `crashed` |
| `TUI_TRAINER_STEP`, `TUI_TRAINER_EPOCH` | how far it has come |
| `TUI_TRAINER_EXIT_CODE` | at the end, the command's exit code; empty before |
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

from tui_trainer import threads
from tui_trainer.records.health import KINDS
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

WEBHOOK_VARIABLE = "TUI_TRAINER_WEBHOOK"
"""Of the environment: an address that events are posted to. It is for this program alone."""

LONGEST_S = 10.0
"""A command that takes longer is killed, with all that it has started."""

WAITING_AT_MOST = 8
"""Calls that wait for the one before them; more are left out."""

NEWS = ("end", *KINDS.values(), "best", "recovered")
"""What it may be called for."""

USUAL_NEWS = ("end", "diverging", "chance-level", "stall", "low-disk", "alert")
"""What it is called for where nothing else was said: what a person would get up for."""


@dataclass(frozen=True)  # as an object it is told to the processes of a comparison (`compare/executors.py`)
class NotifyCommand:
    """What to run, and for which events."""

    command: tuple[str, ...]
    on: frozenset[str] = frozenset(USUAL_NEWS)


@dataclass(frozen=True)
class Webhook:
    """Where to post, and for which events; `run_sources/webhook.py` does it."""

    address: str = field(repr=False)
    """A secret."""
    on: frozenset[str] = frozenset(USUAL_NEWS)


Told: TypeAlias = NotifyCommand | Webhook
"""Who is told of events."""


class Outbox(ABC):
    """Tells of events in a thread of its own, one after the other; whoever has something to tell never waits.

    Args:
        who: whom it tells, as a person knows it: `--notify: curl`.
        on: the events that are to be told.
        failed: told, in a sentence, what went wrong; each sentence once. In any thread.
        longest_s: seconds that one may take.
    """

    def __init__(self, who: str, on: frozenset[str], failed: Callable[[str], None], longest_s: float) -> None:
        self._who = who
        self._on = on
        self._failed = failed
        self._longest_s = longest_s
        self._waiting: queue.Queue[Mapping[str, str] | None] = queue.Queue(WAITING_AT_MOST)
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._saying = threading.Lock()
        """Held by whichever thread touches what was said."""

    @abstractmethod
    def deliver(self, facts: Mapping[str, str]) -> None:
        """Tell of one event, within `longest_s`, in the thread of this outbox."""

    @abstractmethod
    def trouble(self, error: Exception) -> str:
        """What to say of a failure, after whom it was to be told to."""

    def tell(self, event: str, facts: Mapping[str, str]) -> None:
        """Tell of `event` soon, if it is one of those asked for. Returns at once."""
        if event not in self._on:
            return
        if self._thread is None:
            name = self._who.partition(":")[0].strip("-")
            self._thread = threads.begin(name, self._work, lambda why: self.say(say("notify.no_more", why=why)))
        try:
            self._waiting.put_nowait({"EVENT": event, **facts})
        except queue.Full:
            self.say(say("notify.too_many", event=event, count=WAITING_AT_MOST))

    def finish(self) -> None:
        """Wait until all is told; at most as long as one event may take, and a little."""
        if self._thread is None:
            return
        until = time.monotonic() + self._longest_s + 1.0
        with suppress(queue.Full):
            self._waiting.put(None, timeout=self._longest_s)
        self._thread.join(max(0.0, until - time.monotonic()))

    def say(self, what: str) -> None:
        """Tell the run what went wrong; the same only once."""
        with self._saying:
            new = what not in self._said
            self._said.add(what)
        if new:
            self._failed(f"{self._who} {what}")

    def _work(self) -> None:
        while (facts := self._waiting.get()) is not None:
            try:
                self.deliver(facts)
            except Exception as error:  # of this event: the next one may do
                self.say(self.trouble(error))


class Notifier(Outbox):
    """Runs the command for each event.

    Args:
        notify: what to run.
        failed: as of an `Outbox`.
        open_log: opens what takes the command's output; None where there is none.
        longest_s: seconds after which a command is killed.
    """

    def __init__(
        self,
        notify: NotifyCommand,
        failed: Callable[[str], None],
        open_log: Callable[[], IO[bytes] | None] = lambda: None,
        longest_s: float = LONGEST_S,
    ) -> None:
        super().__init__(f"--notify: {Path(notify.command[0]).name}", notify.on, failed, longest_s)
        self._command = notify.command
        self._open_log = open_log

    def trouble(self, error: Exception) -> str:
        """As the system has it; of what nobody foresaw the traceback goes to the log."""
        if isinstance(error, OSError | ValueError):
            return say("notify.not_run", why=getattr(error, "strerror", None) or error)
        traceback.print_exception(error)
        return say("notify.not_run", why=threads.in_a_line(error))

    def deliver(self, facts: Mapping[str, str]) -> None:
        """Run it, and wait for it."""
        import subprocess  # few runs have such a command, and a start waits for all that is imported

        told = {f"TUI_TRAINER_{name}": plain(value) for name, value in facts.items()}
        known = {name: value for name, value in os.environ.items() if name != WEBHOOK_VARIABLE}
        log = self._open_log()
        try:
            process = subprocess.Popen(
                self._command,
                env={**known, **told},
                stdin=subprocess.DEVNULL,
                stdout=log or subprocess.DEVNULL,
                stderr=log or subprocess.DEVNULL,
                start_new_session=True,  # neither the keyboard's ctrl+c nor a closed terminal is meant for it
            )
        finally:
            if log is not None:
                log.close()
        try:
            code = process.wait(self._longest_s)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.say(say("notify.took_long", seconds=f"{self._longest_s:g}"))
        else:
            if code:
                how = say("notify.exit_code", code=code) if code > 0 else signal.Signals(-code).name
                self.say(say("notify.ended_with", how=how))
