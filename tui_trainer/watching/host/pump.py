"""The process that takes what a watched command prints to where it was to go, and into the run's log.

It is one of its own, so that nothing that reads traces and keeps records can hold up, or end, what is watched. The
command's bytes are passed on as they are; where nobody reads them any more, the command learns of it as it would have.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import struct
import termios
from dataclasses import dataclass, field

from tui_trainer.watching.host.keyboard import MOST_WAITING, Keyboard
from tui_trainer.watching.host.output_log import OutputLog
from tui_trainer.watching.host.printed_lines import PrintedLines

PIECE = 64 * 1024

COMMAND_ENDED = b"e"
"""What the pump is told: once all that was printed until then is where it was to go, it answers `DRAINED`."""
DRAINED = b"d"


@dataclass
class Stream:
    """One of the command's streams: from a pipe, or its terminal, to where it was to go."""

    source: int
    sink: int | None = None
    """None: into the log alone."""
    waiting: bytearray = field(default_factory=bytearray)
    """What was read and is not yet written."""
    lines: PrintedLines | None = None
    """Who tells of its lines."""

    def read(self) -> bytes:
        """What was printed; empty at its end, where the source is closed."""
        try:
            data = os.read(self.source, PIECE)
        except OSError:  # a terminal that nobody has open
            data = b""
        if not data:
            self.close()
        elif self.sink is not None:
            self.waiting += data
        return data

    def write(self) -> None:
        """Pass on what waits, as much as is taken at once. Where nobody reads any more, the command is to learn it."""
        assert self.sink is not None
        try:
            del self.waiting[: os.write(self.sink, self.waiting[: self._at_once])]
        except BlockingIOError:
            return
        except OSError as error:
            self.waiting.clear()  # a full disk: what comes later may have room again
            if error.errno in (errno.EPIPE, errno.ECONNRESET):
                self.close()

    @property
    def _at_once(self) -> int:
        """A pipe that is ready takes so much without waiting; a file takes all."""
        assert self.sink is not None
        return PIECE if stat.S_ISREG(os.fstat(self.sink).st_mode) else select.PIPE_BUF

    def close(self) -> None:
        """Nothing more is read."""
        if self.source >= 0:
            os.close(self.source)
            self.source = -1


class Pump:
    """Moves bytes until all streams are at their end.

    Args:
        streams: what the command prints to.
        log: takes all of it.
        keyboard: what is typed to the command goes to the first stream, its terminal.
        told: a pipe that `COMMAND_ENDED` comes from.
        tells: a pipe that `DRAINED` goes to.
    """

    def __init__(self, streams: list[Stream], log: OutputLog, keyboard: Keyboard | None, told: int, tells: int) -> None:
        self._streams = streams
        self._log = log
        self._keyboard = keyboard
        self._told, self._tells = told, tells
        self._typed = bytearray()
        self._ending = False

    def run(self) -> None:
        """Until the end."""
        while any(stream.source >= 0 or stream.waiting for stream in self._streams):
            ready = self._wait()
            for stream in self._streams:
                if ready.get(stream.source, 0) & ~select.POLLOUT and (data := stream.read()):
                    self._log.take(data)
                    if stream.lines is not None:
                        stream.lines.take(data)
                if stream.sink is not None and stream.waiting and stream.sink in ready:
                    stream.write()
            self._take_typed(ready)
            self._log.write_waiting()
            if self._told in ready:
                self._listen()
            elif self._ending and not ready and not any(stream.waiting for stream in self._streams):
                self._say_drained()
        self._say_drained()

    def _wait(self) -> dict[int, int]:
        """The descriptors that something can be done with, and what."""
        poll = select.poll()
        for stream in self._streams:
            if stream.waiting and stream.sink is not None:
                poll.register(stream.sink, select.POLLOUT)
            elif stream.source >= 0:
                typed = select.POLLOUT if self._typed and stream is self._streams[0] else 0
                poll.register(stream.source, select.POLLIN | typed)
        if self._keyboard is not None and len(self._typed) < MOST_WAITING:
            poll.register(self._keyboard.fd, select.POLLIN)
        if self._told >= 0:
            poll.register(self._told, select.POLLIN)
        seconds = 0.0 if self._ending else self._log.wakes_in
        return dict(poll.poll(None if seconds is None else seconds * 1e3 + 1))

    def _take_typed(self, ready: dict[int, int]) -> None:
        terminal = self._streams[0].source
        if self._keyboard is None or terminal < 0:
            return
        if self._keyboard.fd in ready:
            for message in self._keyboard.read():
                if isinstance(message, bytes):
                    self._typed += message
                else:
                    set_size(terminal, *message)
        if self._typed and ready.get(terminal, 0) & select.POLLOUT:
            with contextlib.suppress(OSError):  # it takes nothing now, or it is over
                del self._typed[: os.write(terminal, self._typed[:1024])]

    def _listen(self) -> None:
        if os.read(self._told, 16):
            self._ending = True
        else:  # nobody is left who would tell
            self._told = -1

    def _say_drained(self) -> None:
        self._log.write_waiting(all_of_it=True)
        self._ending = False
        with contextlib.suppress(OSError):
            os.write(self._tells, DRAINED)


def set_size(terminal: int, columns: int, lines: int) -> None:
    """Give a terminal a size; whoever runs in front of it is told by the system."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
