"""The file of a trace: frames of calls and of definitions, written with plain appends a few times a second."""

from __future__ import annotations

import os
import time

from .plain import encode
from .python_internals import Struct, pack

INTERVAL = 0.2
"""Seconds of calls that wait in memory at most, while calls are made: what a kill takes along."""

LARGEST_FILE = 8 << 20
MOST_UNREAD_FILES = 32
_MOST_BEFORE_START = 1 << 19
"""Bytes of calls, and of definitions, that a process holds before it trains: later ones are not kept."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_FRAME = 4 << 20
_pack_head = Struct("<IB").pack
_CALLS, _DEFINITION = ord("C"), ord("J")


class TraceWriter:
    """Writes one process's trace. Nothing is opened before `start`; nothing is raised by a disk."""

    def __init__(self, folder: str) -> None:
        """The files will be named after this process and this moment."""
        self.folder = folder
        self.rows: list[float] = []
        """Calls since the last write, four numbers each, as `call` takes them. The same list for ever: hooks that are
        called at each step append to it by themselves."""
        self.after_write: Callable[[float], None] | None = None
        """Called each time that what was in memory has been written, with the time."""
        self.forget()

    def forget(self) -> None:
        """Begin anew, as another process: what was recorded is the parent's. Its file stays as it is."""
        self._process = f"{os.getpid()}-{int(time.time() * 1000):x}"
        del self.rows[:]
        self._frames: list[bytes] = []
        self._held = 0
        self._counted = 0
        self._file = -1
        self._identity: tuple[int, int] | None = None
        self._number = 0
        self._size = 0
        self.started = False
        self.ended = False
        self.due = 0.0
        """When what is in memory is to be written: `overdue` is called by the first call that ends after it."""
        self.each_call = False
        """Whether each call is written by itself, and `after_write` called: for slow motion."""
        self._is_writing = False

    def call(self, site: int, begin: float, end: float, value: float) -> None:
        """Record a call."""
        self.rows += (site, begin, end, value)
        if end >= self.due:
            self.overdue(end)

    def next_call(self) -> int:
        """The number that the next call recorded will have."""
        return self._counted + len(self.rows) // 4

    def define(self, kind: str, **values: object) -> None:
        """Record a definition. Values are plain."""
        if self.ended:
            return
        values["type"] = kind
        content = encode(values).encode("ascii")
        if len(content) > _LONGEST_FRAME or (not self.started and self._held > _MOST_BEFORE_START):
            return
        self._close_frame()
        self._held += len(content)
        self._frames.append(_pack_head(len(content), _DEFINITION) + content)

    def overdue(self, now: float) -> None:
        """Write what is in memory."""
        if self._is_writing:
            return
        if self.ended:
            del self.rows[:]
            self.due = now + INTERVAL
            return
        if self.started:
            self.due = now if self.each_call else now + INTERVAL
            self._is_writing = True
            try:
                self.write()
                if self.after_write is not None:
                    self.after_write(now)
            finally:
                self._is_writing = False
            return
        self.due = now + INTERVAL
        if sum(map(len, self._frames)) + len(self.rows) * 8 > 2 * _MOST_BEFORE_START:
            # It does not train as yet, and may never do.
            self._frames = [frame for frame in self._frames if frame[4] == _DEFINITION]
            del self.rows[:]
            self._counted = 0

    def start(self, now: float, hello: dict[str, object]) -> None:
        """Open the file. `hello` goes before all that was recorded until now."""
        if self.started or self.ended:
            return
        self.started = True
        content = encode(dict(hello, type="hello")).encode("ascii")
        if self._open():
            self._close_frame()
            self._frames.insert(0, _pack_head(len(content), _DEFINITION) + content)
            self.overdue(now)

    def write(self) -> None:
        """Append all that is in memory to the file."""
        if not self.started or self.ended:
            return
        self._close_frame()
        if not self._frames:
            return
        content = b"".join(self._frames)
        self._frames = []
        if self._size + len(content) > LARGEST_FILE and self._size and not self._next_file():
            return
        self._append(content)

    def close(self) -> None:
        """Write what is in memory; later calls are not recorded."""
        self.write()
        self.end()

    def end(self) -> None:
        """Record nothing any more."""
        self.ended = True
        self._frames = []
        del self.rows[:]
        if self._file >= 0 and self._is_ours():
            os.close(self._file)
        self._file = -1

    def abandon(self) -> None:
        """After a fork, in the child: the file is the parent's."""
        if self._file >= 0 and self._is_ours():
            os.close(self._file)
        self.forget()

    @property
    def process(self) -> str:
        """What the names of its files begin with."""
        return self._process

    def _close_frame(self) -> None:
        count = len(self.rows)
        if count:
            numbers = self.rows[:count]
            del self.rows[:count]  # another thread may have added some by now
            calls = pack(f"<{count}d", *numbers)
            self._counted += count // 4
            self._frames.append(_pack_head(len(calls), _CALLS) + calls)

    def _open(self) -> bool:
        path = os.path.join(self.folder, f"{self._process}.{self._number}.trace")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            self._file = os.open(path, flags, 0o600)
            status = os.fstat(self._file)
        except OSError:
            self.end()
            return False
        self._identity = (status.st_dev, status.st_ino)
        self._size = 0
        return True

    def _is_ours(self) -> bool:
        """A program may close all files that it did not open, and get our number for one of its own."""
        try:
            status = os.fstat(self._file)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _next_file(self) -> bool:
        try:
            lying = [name for name in os.listdir(self.folder) if name.startswith(self._process + ".")]
        except OSError:
            self.end()
            return False
        if len(lying) >= MOST_UNREAD_FILES:
            fault = {"type": "fault", "where": "trace", "error": "nobody reads the trace any more", "off": True}
            content = encode(fault).encode("ascii")
            self._append(_pack_head(len(content), _DEFINITION) + content)
            self.end()
            return False
        if self._is_ours():
            os.close(self._file)
        self._number += 1
        return self._open()

    def _append(self, content: bytes) -> None:
        """A full disk ends the recording: a torn frame may only be the last."""
        if self._file < 0 or not self._is_ours():
            self._file = -1
            self.end()
            return
        try:
            written = os.write(self._file, content)
            if written < len(content):
                written += os.write(self._file, content[written:])
        except OSError:
            written = -1
        self._size += len(content)
        if written != len(content):
            self.end()
