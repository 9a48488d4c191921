"""How signals end a run that has no screen."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from tui_trainer.commands import Stop
from tui_trainer.text.output import settled
from tui_trainer.torchrun import this_rank

LONGEST_END_S = 60.0
"""A run that was asked to stop writes a last checkpoint; it is waited for no longer than this."""

LOST_AFTER_S = 15.0
"""Of several processes, one that has not stopped so long after it was asked to waits for one that is lost."""


def leave(exit_code: int) -> NoReturn:
    """End the process at once, though something trains in it: an interpreter that ends beneath native code aborts, and
    libraries would wait for processes that may be gone.
    """
    os._exit(settled(exit_code))


def stop_on_signals(send: Callable[[Stop], object]) -> SignalHandlers:
    """From here on SIGINT and SIGTERM stop the run whose control is given."""
    stopping = SignalHandlers(send, together=not this_rank().alone)
    signal.signal(signal.SIGINT, stopping.on_signal)
    signal.signal(signal.SIGTERM, stopping.on_signal)
    return stopping


class SignalHandlers:
    """On SIGINT or SIGTERM: stop, with a checkpoint; on a second one: leave now.

    Processes that train together stop together: `torchrun` passes on what the keyboard has sent to all already.
    """

    def __init__(self, send: Callable[[Stop], object], *, together: bool = False) -> None:
        self._send = send
        self._asked = False
        self._together = together
        self._deadline: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long the end may be waited for; None for ever."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def has_asked(self) -> None:
        """Somebody else has asked already: the next signal means to leave now."""
        self._asked = True

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal, in the main thread."""
        if self._asked and not self._together:
            os._exit(128 + number)
        if self._asked:
            return
        self._asked = True
        if self._together:
            self._deadline = time.monotonic() + LOST_AFTER_S
        name = signal.Signals(number).name
        self._send(Stop(by="signal", reason=f"stopped by {name}", exit_code=128 + number))
