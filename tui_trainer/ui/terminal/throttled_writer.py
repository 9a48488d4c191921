"""Where Textual writes to: the terminal, at a rate that a slow link can take, in characters that it can show."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tui_trainer.text.plain import in_ascii, shows_unicode

MOST_PER_SECOND = 64_000
"""Bytes a second to the terminal, over some seconds, where no option says less. A live run needs a tenth of it."""

AT_ONCE_S = 0.5
"""What the rate allows in so many seconds may be written in one go, so that keys are answered at once."""


class ThrottledWriter:
    """A file to a terminal, by a descriptor of its own. A terminal that is gone takes all in silence.

    Nothing that was drawn is thrown away or held back: where more was written than the rate allows, `lags` asks for
    patience until the next frame, which then shows all that is new at once.
    """

    def __init__(
        self,
        fd: int,
        most_per_second: float = MOST_PER_SECOND,
        on_failure: Callable[[BaseException], object] | None = None,
    ) -> None:
        """For a descriptor; `on_failure` is told once of what nobody foresaw, after which nothing is written."""
        self._fd = fd
        self._on_failure = on_failure
        self.is_broken = False
        """Whether the last of what was handed over may not have been written, though the terminal is there."""
        self._most_per_second = most_per_second
        self._unicode = shows_unicode()
        self._rests_until = 0.0
        self.handed = 0
        """Pieces that the app has handed over."""
        self.written = 0
        """Pieces of them that the terminal has taken."""
        self.bytes_written = 0

    @property
    def lags(self) -> bool:
        """Whether the terminal, or the rate, is slower than the screen: another frame would only wait in line."""
        return self.handed - self.written > 3 or time.monotonic() + AT_ONCE_S < self._rests_until

    def write(self, text: str) -> None:
        """Write all of it, however long the terminal takes. Called in Textual's writer thread.

        It never raises: a writer that dies would stop the app's loop.
        """
        try:
            if not self.is_broken:
                self._write(text.encode("utf-8", "replace") if self._unicode else in_ascii(text).encode())
        except OSError:
            pass  # hung up: who watches for that acts
        except Exception as error:
            self.is_broken = True
            if self._on_failure is not None:
                self._on_failure(error)
        self.written += 1

    def _write(self, data: bytes) -> None:
        self.bytes_written += len(data)
        while data:
            written = os.write(self._fd, data)
            self._rests_until = max(self._rests_until, time.monotonic()) + written / self._most_per_second
            data = data[written:]

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)
