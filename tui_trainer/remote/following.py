"""Records on another machine, followed in a thread: looked at some times a second, over a line that may be lost."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from tui_trainer import threads
from tui_trainer.errors import UserError
from tui_trainer.remote.connection import Connection, Lost
from tui_trainer.remote.mirror import Mirror
from tui_trainer.remote.writer_lock import WriterLock
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

LOOK_EVERY_S = 0.25
"""Seconds between looks."""

AGAIN_S = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before each try to connect again; the last is that of all further ones."""

WRITE_AGAIN_S = 5.0
"""Seconds after which copies that could not be written are tried again."""

_REFUSED = re.compile(r"Permission denied \(|Host key verification failed")
"""What ssh says where only a person could let it in: more tries would not, and may have this machine shut out."""

MEASURED, SLOW, LONG = 1 << 20, 1 << 20, 4 << 20
"""A line that brought so many bytes at less than so many a second is packed, if so many more are to come."""

LOST, BACK = "connection", "recovered"


class News(NamedTuple):
    """What a person should know of the connection."""

    text: str
    kind: str
    over: str = ""
    """The kind of the news that this one ends."""


class Followed(NamedTuple):
    """A record that is followed."""

    mirror: Mirror
    """Of its files."""
    lock: WriterLock | None
    """Of a record of ours; None of another tool's."""

    def look(self, connection: Connection) -> int:
        """See what is new, and fetch a piece of it; how many bytes came.

        Raises:
            Lost: the connection is.
            OSError: the copies cannot be written.
        """
        live = self.lock.ask(connection) if self.lock is not None else None
        came = self.mirror.look(connection)
        if self.lock is not None and live is not None:
            if came:
                self.lock.changed()
            if not self.mirror.lags:
                self.lock.tell(*live)
        return came


class Following:
    """Follows records of one machine until `close`. What it says is for one other thread."""

    def __init__(self, connection: Connection, followed: Sequence[Followed]) -> None:
        """Begin.

        Args:
            connection: that of the records' machine; it is closed with this.
            followed: the records; their locks are let go of with this.
        """
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._lost_at: float | None = None
        """When the connection was lost that is not back yet, monotonic seconds."""
        self._away = 0.0
        """Seconds that earlier ones were lost for."""
        self._connection = connection
        self._address = connection.address
        self._followed = followed
        self._commands: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()
        self._told: set[str] = set()
        self._over = threading.Event()
        self._wanted = threading.Event()
        """Something is to be done at once."""
        self._came, self._waited = 0, 0.0
        """Bytes that the line has brought while more was to come, and the seconds that it took."""
        self._thread = threads.begin("remote", self._follow, lambda why: self.news.put(News(why, LOST)))

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection at this moment, as far as that is known."""
        return self._lost_at is None

    def clock(self) -> float:
        """Monotonic seconds that stand still while there is no connection: a run is not silent for want of one."""
        lost_at = self._lost_at
        return (time.monotonic() if lost_at is None else lost_at) - self._away

    def run_there(self, *command: str) -> None:
        """Have a command of this program's run on the far side; what it says where it fails is news."""
        self._commands.put(command)
        self._wanted.set()

    def close(self) -> None:
        """End it, and the connection. Returns once ssh's process is gone."""
        self._over.set()
        self._wanted.set()
        self._thread.join()
        self._connection.close()
        for _, lock in self._followed:
            if lock is not None:
                lock.close()

    def _follow(self) -> None:
        while not self._over.is_set():
            rest = LOOK_EVERY_S
            try:
                self._run_commands()
                if self._look():
                    continue
            except Lost as cause:
                if not self._connect_again(str(cause)):
                    return
                continue
            except OSError as cause:
                self._tell(say("remote.not_written", why=plain(cause.strerror or str(cause))))
                rest = WRITE_AGAIN_S
            self._wanted.wait(rest)
            self._wanted.clear()

    def _look(self) -> bool:
        """One look; whether more is to come that need not be waited for."""
        began, came = time.monotonic(), 0
        for each in self._followed:
            came += each.look(self._connection)
            for flaw in each.mirror.flaws:
                self._tell(flaw)
        lags = any(mirror.lags for mirror, _ in self._followed)
        if came and lags:
            self._came += came
            self._waited += time.monotonic() - began
            self._pack_if_slow()
        return bool(came) and lags

    def _run_commands(self) -> None:
        while not self._commands.empty():
            try:
                said, _, status = self._connection.ask("x", *self._commands.get(), most=8192).content.rpartition(b"\n")
            except Lost:
                self._failed(say("remote.unanswered"))
                raise
            if status != b"0":
                self._failed(plain(said.decode(errors="replace")))

    def _failed(self, why: str) -> None:
        self.news.put(News(say("remote.command_failed", host=self._address.place, why=why), "command"))

    def _pack_if_slow(self) -> None:
        if self._connection.compressed or self._came < MEASURED:
            return
        if sum(mirror.rest for mirror, _ in self._followed) >= LONG and self._came / self._waited < SLOW:
            try:
                packed = Connection(self._address, compressed=True, gives_up=self._over.is_set)
            except (Lost, UserError):  # it may ask for a password: go on with the one that there is
                self._came, self._waited = -(1 << 62), 0.0
                return
            self._connection.close()
            self._connection = packed

    def _connect_again(self, why: str) -> bool:
        """Until it is there again; False where it is to be no more."""
        self._lost_at = lost_at = time.monotonic()
        told = ""
        for attempt in range(1 << 30):
            self._connection.close()
            if self._over.is_set():
                return False
            is_refused = _REFUSED.search(why) is not None
            text = say("remote.refused" if is_refused else "remote.lost", host=self._address.place, why=why)
            if text != told:
                told = text
                self.news.put(News(text, LOST))
            if is_refused:
                return False
            if self._over.wait(AGAIN_S[min(attempt, len(AGAIN_S) - 1)]):
                return False
            try:
                packed = self._connection.compressed
                self._connection = Connection(self._address, compressed=packed, gives_up=self._over.is_set)
            except (Lost, UserError) as cause:
                why = str(cause)
                continue
            break
        while not self._commands.empty():  # asked of a line that is no more
            self._commands.get()
            self._failed(say("remote.not_connected", host=self._address.place))
        self._away += time.monotonic() - lost_at
        self._lost_at = None
        self.news.put(News(say("remote.back", host=self._address.place), BACK, LOST))
        return not self._over.is_set()

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.news.put(News(text, "recording"))
