"""Records on other machines for whoever reads several: copied here as they grow, over one connection a machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tui_trainer.errors import UserError
from tui_trainer.files.safe_open import PRIVATE_FOLDER
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection, Lost
from tui_trainer.remote.copies import Copies
from tui_trainer.remote.following import LOST, Following
from tui_trainer.run_sources.far_copy import FarCopy, copy_of
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

IDLE_S = 2.0
"""Of a record that is fetched whole, the rest is given up that has not come for so long: it is written all the time."""

LOOK_EVERY_S = 0.1


class FarRecords:
    """Copies of them, until `close`. All of it is for one thread, but what `follow` begins, and what is said."""

    def __init__(self, *, asks: Callable[[str], None] | None, warn: Callable[[str], None]) -> None:
        """Nothing is connected yet.

        Args:
            asks: as for `Connection`: told what ssh says; None where nobody can be asked for a password.
            warn: told where a machine's own address means several runs: the one that was written last is taken.
        """
        self.version = 0
        """Grows as something else is to be said."""
        self._asks, self._warn = asks, warn
        self._copies: Copies | None = None
        self._machines: dict[Address, _Machine] = {}
        """By their addresses without a path."""
        self._found: dict[str, FarCopy] = {}
        """By the addresses that were given, and by the records' own."""
        self._missing: dict[str, str] = {}
        """Why what lies at an address is not here."""
        self._hearing = threading.Lock()
        """Held while `said` of a machine is read or changed: a report is made in a thread of its own."""

    def __enter__(self) -> FarRecords:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def take(self, given: str) -> FarCopy:
        """Find the record that an address means, and begin its copy. This waits for the line, and for a password.

        Raises:
            UserError: no run can be read there, none of several is named, or there is no `ssh` here.
            Lost: the connection cannot be made, or is lost.
            OSError: there is no room for copies.
        """
        if (known := self._found.get(given)) is not None:
            return known
        address = Address.of(given)
        if self._copies is None:
            self._copies = Copies()
        machine = self._machines.get(address.at(""))
        if machine is None:
            machine = self._machines[address.at("")] = _Machine(Connection(address, asks=self._asks))
        folder = self._copies.folder / str(len(self._found))
        folder.mkdir(mode=PRIVATE_FOLDER)
        copy = copy_of(machine.connection, address, folder, self._warn, named=True)
        if (known := self._found.get(str(copy.address))) is not None:  # the same by another address
            copy.close()
            copy = known
        else:
            machine.copies.append(copy)
        self._found[given] = self._found[str(copy.address)] = copy
        copy.followed.look(machine.connection)
        return copy

    def try_to_take(self, given: str) -> None:
        """The same of a record without which there is something to do: why it cannot be had is said by `why_not`."""
        try:
            self.take(given)
        except (UserError, Lost, OSError) as error:
            self._missing[given] = plain(str(error)).rstrip(".")

    def fetch(self) -> None:
        """Copy all that there is now, however long that takes."""
        for machine in self._machines.values():
            try:
                machine.fetch()
            except (Lost, OSError) as error:
                machine.said[LOST] = say("remote.cut_short", host=plain(machine.connection.address.place), why=error)
        self.version += 1

    def follow(self) -> None:
        """Have what is new copied as it comes, from now on, in threads."""
        for machine in self._machines.values():
            if machine.following is None:
                machine.following = Following(machine.connection, [copy.followed for copy in machine.copies])

    def path_of(self, address: str) -> Path | None:
        """Where the copy of the record at an address is; None where there is none."""
        copy = self._found.get(address)
        return copy.path if copy is not None else None

    def address_of(self, path: Path) -> Address | None:
        """The address of the record whose copy is at a path; None where that is no copy."""
        return next((copy.address for copy in self._found.values() if copy.path == path), None)

    def why_not(self, address: str) -> str:
        """Why there is no copy of a record; empty where nobody has tried to have one."""
        return self._missing.get(address, "")

    def in_words(self) -> list[str]:
        """What is to be said of the lines at this moment, and of what they have brought."""
        with self._hearing:
            return list(dict.fromkeys(said for machine in self._machines.values() for said in machine.said.values()))

    def hear(self) -> None:
        """Take in what became of the connections; `version` tells whether anything did."""
        with self._hearing:
            for machine in self._machines.values():
                self.version += machine.hear()

    def close(self) -> None:
        """End the connections, and delete the copies."""
        for machine in self._machines.values():
            machine.close()
        self._machines.clear()
        self._found.clear()
        if self._copies is not None:
            self._copies.remove()
            self._copies = None


class _Machine:
    """One connection, and the copies that come over it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.copies: list[FarCopy] = []
        self.following: Following | None = None
        self.said: dict[str, str] = {}
        """What is to be said now, by the kind of news, or by itself where nothing ends it."""

    def fetch(self) -> None:
        came_at = time.monotonic()
        lagging = list(self.copies)
        while lagging and time.monotonic() - came_at < IDLE_S:
            came = 0
            for copy in lagging:
                came += copy.followed.look(self.connection)
                for flaw in copy.followed.mirror.flaws:
                    self.said[flaw] = flaw
            lagging = [copy for copy in lagging if copy.followed.mirror.lags]
            if came:
                came_at = time.monotonic()
            elif lagging:
                time.sleep(LOOK_EVERY_S)

    def hear(self) -> bool:
        heard = False
        while self.following is not None and not self.following.news.empty():
            news = self.following.news.get()
            heard = True
            if news.over:
                self.said.pop(news.over, None)
            else:
                self.said[LOST if news.kind == LOST else news.text] = news.text
        return heard

    def close(self) -> None:
        if self.following is not None:
            self.following.close()
            return
        for copy in self.copies:
            copy.close()
        self.connection.close()
