"""A run on another machine: its files are copied here as they grow, and shown by the source of their form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from tui_trainer.commands import AnyCommand, Command, Continue, Pause, SaveCheckpoint, SetLR, Stop, encode
from tui_trainer.events import Alert
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.copies import Copies
from tui_trainer.remote.following import Following
from tui_trainer.run_sources.far_copy import FarCopy, copy_of
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import READONLY, Capabilities, RunSource
from tui_trainer.text.captions import say

_WORDS: dict[type[Command], str] = {
    Pause: "pause",
    Continue: "resume",
    Stop: "stop",
    SaveCheckpoint: "checkpoint",
    SetLR: "lr",
}
"""What a command of the shell asks a run there; all else is handed to `ask`, which older versions have not."""


class RemoteSource:
    """A `RunSource` of a run on another machine. No file there is written by it; what is asked of the run, this
    program's own commands ask there, if it is installed there."""

    def __init__(
        self,
        address: Address,
        *,
        readonly: bool = False,
        asks: Callable[[str], None] | None,
        warn: Callable[[str], None],
    ) -> None:
        """Connect and look which run it is. This waits for the line, and for a password: before there is a screen.

        Args:
            address: of the run, of a folder that holds some, or of a machine.
            readonly: take no commands.
            asks: told what ssh says while it connects; None where nobody can be asked for a password.
            warn: told where an address means several runs: the one that was written last is shown.

        Raises:
            UserError: no run can be read there, or there is no `ssh` here.
            Lost: the connection cannot be made, or is lost.
        """
        self._copies = Copies()
        self._following: Following | None = None
        connection: Connection | None = None
        copy: FarCopy | None = None
        try:
            connection = Connection(address, asks=asks)
            copy = copy_of(connection, address, self._copies.folder, warn)
            self._record, self.address = copy.record, copy.address
            copy.followed.look(connection)
            self._following = Following(connection, [copy.followed])
            if self._record.tool:
                self._source: RunSource = open_source(copy.path, readonly=True)
            else:
                self._source = JournalSource(copy.path, readonly=readonly, clock=self._following.clock)
        except BaseException:
            if self._following is not None:
                self._following.close()
            else:
                if copy is not None:
                    copy.close()
                if connection is not None:
                    connection.close()
            self._copies.remove()
            raise
        self._program = "" if readonly else connection.program
        self.history = self._source.history
        self.capabilities = self._capabilities()
        self.lags = self._source.lags

    @property
    def folder(self) -> Path | None:
        return self._source.folder

    def _capabilities(self) -> Capabilities:
        """Those of its form, as far as they go over the line."""
        self._of_form = of_form = self._source.capabilities
        if self._record.tool:
            return of_form
        of_form = replace(of_form, checkpoints=False, address=self.address)
        if not of_form.commands:
            return of_form
        if not self._program:
            why = say("remote.read_only", host=self.address.place)
            return replace(READONLY, why_not=why, checkpoints=False, address=self.address)
        return of_form

    def poll(self) -> int:
        count = self._source.poll()
        self.lags = self._source.lags
        self.history.share_read = None  # of what is here so far
        if self._source.capabilities is not self._of_form:
            self.capabilities = self._capabilities()
        if self._following is None:
            return count
        while not self._following.news.empty():
            news = self._following.news.get()
            at = time.time() - self.history.clock_behind
            self.history.apply(Alert(at=at, kind=news.kind, text=news.text, over=news.over))
            count += 1
        return count

    def send(self, command: AnyCommand) -> None:
        if refusal := self.capabilities.refusal(type(command)):
            raise PermissionError(refusal)
        if self._following is None or not self._following.is_connected:
            raise PermissionError(say("remote.not_connected", host=self.address.place))
        there = PurePosixPath(self._record.path)
        words = [_WORDS.get(type(command), "ask"), there.name, "--runs-dir", str(there.parent)]
        if type(command) not in _WORDS:
            words.insert(2, encode(command).decode().strip())
        if isinstance(command, SetLR):
            words.insert(2, f"{command.lr!r}" if command.lr is not None else f"x{command.factor!r}")
        self._following.run_there(self._program, *words)

    def close(self) -> None:
        self._source.close()
        if self._following is not None:
            self._following.close()
            self._following = None
            self._copies.remove()
