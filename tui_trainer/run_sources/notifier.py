"""A command of the user's own, run where there is something to tell: `--notify`.

It is run without a shell, its words as they were split; the facts are in its environment, never in its words.

| variable | holds |
| --- | --- |
| `TUI_TRAINER_EVENT` | `end`, `diverging`, `chance-level`, `overfitting`, `plateaued`, `stall`, `slow`, `best` |
| `TUI_TRAINER_TEXT` | what happened, in a sentence |
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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tui_trainer import threads
from tui_trainer.records.health import KINDS
from tui_trainer.text.plain import plain

LONGEST_S = 10.0
"""A command that takes longer is killed, with all that it has started."""

WAITING_AT_MOST = 8
"""Calls that wait for the one before them; more are left out."""

NEWS = ("end", *KINDS.values(), "best")
"""What it may be called for."""

USUAL_NEWS = ("end", "diverging", "chance-level", "stall")
"""What it is called for where nothing else was said: what a person would get up for."""


@dataclass(frozen=True)
class NotifyCommand:
    """What to run, and for which events."""

    command: tuple[str, ...]
    on: frozenset[str] = frozenset(USUAL_NEWS)


class Notifier:
    """Runs the command in a thread of its own, one call after the other; whoever calls never waits.

    Args:
        notify: what to run.
        failed: told, in a sentence, what went wrong; each sentence once. In any thread.
        open_log: opens what takes the command's output; None where there is none.
    """

    def __init__(
        self,
        notify: NotifyCommand,
        failed: Callable[[str], None],
        open_log: Callable[[], IO[bytes] | None] = lambda: None,
        longest_s: float = LONGEST_S,
    ) -> None:
        self._notify = notify
        self._failed = failed
        self._open_log = open_log
        self._longest_s = longest_s
        self._calls: queue.Queue[Mapping[str, str] | None] = queue.Queue(WAITING_AT_MOST)
        self._thread: threading.Thread | None = None
        self._said: set[str] = set()
        self._saying = threading.Lock()
        """Held by whichever thread touches what was said."""

    def tell(self, event: str, facts: Mapping[str, str]) -> None:
        """Run the command for `event` soon, if it is one of those asked for. Returns at once."""
        if event not in self._notify.on:
            return
        if self._thread is None:
            self._thread = threads.begin("notify", self._work, lambda why: self._say(f"is called no more: {why}"))
        try:
            self._calls.put_nowait({"EVENT": event, **facts})
        except queue.Full:
            self._say(f"not called for {event}: {WAITING_AT_MOST} calls wait already")

    def finish(self) -> None:
        """Wait until all calls are over; at most as long as one of them may take, and a little."""
        if self._thread is None:
            return
        until = time.monotonic() + self._longest_s + 1.0
        with suppress(queue.Full):
            self._calls.put(None, timeout=self._longest_s)
        self._thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (facts := self._calls.get()) is not None:
            try:
                self._run(facts)
            except (OSError, ValueError) as error:
                self._say(f"could not be run: {getattr(error, 'strerror', None) or error}")
            except Exception as error:  # of this call: the next one may do
                traceback.print_exc()
                self._say(f"could not be run: {threads.in_a_line(error)}")

    def _run(self, facts: Mapping[str, str]) -> None:
        import subprocess  # few runs have such a command, and a start waits for all that is imported

        told = {f"TUI_TRAINER_{name}": plain(value) for name, value in facts.items()}
        log = self._open_log()
        try:
            process = subprocess.Popen(
                self._notify.command,
                env={**os.environ, **told},
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
            self._say(f"took longer than {self._longest_s:g} s, and was ended")
        else:
            if code:
                self._say(f"ended with {f'exit code {code}' if code > 0 else signal.Signals(-code).name}")

    def _say(self, what: str) -> None:
        with self._saying:
            new = what not in self._said
            self._said.add(what)
        if new:
            self._failed(f"--notify: {Path(self._notify.command[0]).name} {what}")
