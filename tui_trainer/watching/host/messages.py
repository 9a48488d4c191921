"""Lines between the processes around a watched command, by pipes."""

from __future__ import annotations

import contextlib
import os

LONGEST = 64 * 1024


def tell(pipe: int, line: str) -> None:
    """Say something; to nobody, if nobody is there."""
    with contextlib.suppress(OSError):
        os.write(pipe, f"{' '.join(line.splitlines())}\n".encode("utf-8", "surrogateescape")[:LONGEST])


class Lines:
    """What is said at the other end of a pipe."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self._rest = b""
        self.at_end = False
        """Whether nobody is left who could say anything."""

    def read(self) -> list[str]:
        """Whole lines that came; called where something did, it does not wait."""
        try:
            data = os.read(self.pipe, LONGEST)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            data = b""
        self.at_end = not data
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST:]
        return [line.decode("utf-8", "surrogateescape") for line in whole]
