"""How a run is told what to do: any thread may ask, the loop looks once a batch and answers with events."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from tui_trainer.commands import (
    Command,
    Continue,
    OneBatch,
    Pause,
    SaveCheckpoint,
    SetPace,
    Stop,
    SwitchPreset,
)

Inbox: TypeAlias = Callable[[], Sequence[Command]]
"""What other processes asked since the last call; cheap, and never waits."""

INBOX_EVERY = 0.2
"""Seconds between looks into the inbox."""


class Control:
    """The commands that wait for the loop, in the order in which they came."""

    def __init__(self, inbox: Inbox | None = None) -> None:
        self._inbox = inbox
        self._next_look = 0.0
        self._waiting: deque[Command] = deque()
        self._came = threading.Condition()

    def send(self, command: Command) -> None:
        """Ask; from any thread. The answer is an event."""
        with self._came:
            self._waiting.append(command)
            self._came.notify_all()

    def listen_to(self, inbox: Inbox) -> None:
        """Take commands from other processes too."""
        self._inbox = inbox

    @property
    def stop_waits(self) -> Stop | None:
        """What asks for the end, if that was asked for and not taken yet."""
        with self._came:
            return next((command for command in self._waiting if isinstance(command, Stop)), None)

    def take(self) -> Command | None:
        """The next command, if there is one now."""
        self._look_into_inbox()
        return self._waiting.popleft() if self._waiting else None

    def wait(self, seconds: float) -> None:
        """Wait until there is a command to take, at most so long."""
        until = time.perf_counter() + seconds
        while not self._waiting and (left := until - time.perf_counter()) > 0:
            with self._came:
                if not self._waiting:
                    self._came.wait(min(left, INBOX_EVERY))
            self._look_into_inbox()

    def _look_into_inbox(self) -> None:
        if self._inbox is None or time.perf_counter() < self._next_look:
            return
        self._next_look = time.perf_counter() + INBOX_EVERY
        for command in self._inbox():
            self.send(command)


def in_words(command: Command) -> str:
    """A command as viewers read it."""
    match command:
        case Pause():
            return "pause"
        case Continue():
            return "go on"
        case OneBatch():
            return "one batch"
        case SetPace(seconds_a_call=seconds):
            return "slow motion" if seconds > 0 else "full speed"
        case Stop():
            return "stop"
        case SwitchPreset(name=name):
            return f"switch to {name}"
        case SaveCheckpoint():
            return "checkpoint"
