"""Commands to a run in another process, by a file in its folder that only the run's owner can write to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tui_trainer.commands import AnyCommand, decode, encode
from tui_trainer.events import SCHEMA
from tui_trainer.files.safe_open import open_private, open_regular
from tui_trainer.records.errors import LaterRun, NotYourRun, RunNotLive, reason, unsaid
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import beginning, later_form, program_of, read_facts
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

MOST_AT_ONCE = 1 << 20
"""Bytes taken in one poll; a line longer than this is garbage."""


class Inbox:
    """The run's side: what was asked since the run's process began. One `fstat` where there is nothing new."""

    def __init__(self, folder: Path, warn: Callable[[str], None] = unsaid) -> None:
        """Open the run's inbox, and make it if it is not there.

        What stands in it already was said to an earlier process and is passed over. `warn` is told, in words, of what
        could not be read.

        Raises:
            OSError: it cannot be opened, or is a link.
        """
        self._fd = open_private(folder / "control.jsonl", os.O_RDONLY)
        self._offset = self._size = os.fstat(self._fd).st_size
        self._warn = warn
        self._in_trouble = False

    def poll(self) -> list[AnyCommand]:
        """The commands that came since the last call, oldest first; garbage among them is passed over, and said.

        A disk in trouble gives none: that is said once, and training goes on.
        """
        try:
            size = os.fstat(self._fd).st_size
            if size == self._size:
                return []
            self._size = size
            if size < self._offset:  # somebody emptied it
                self._offset = 0
            chunk = os.pread(self._fd, MOST_AT_ONCE, self._offset)
        except OSError as cause:
            self._size = -1  # what is there is still to be read
            if not self._in_trouble:
                self._in_trouble = True
                self._warn(say("notice.inbox_unreadable", why=reason(cause)))
            return []
        self._in_trouble = False
        end = chunk.rfind(b"\n") + 1
        if not end and len(chunk) == MOST_AT_ONCE:
            end = len(chunk)
        self._offset += end
        if len(chunk) == MOST_AT_ONCE:
            self._size = self._offset  # there is more
        return self._decoded(chunk[:end])

    def _decoded(self, lines: bytes) -> list[AnyCommand]:
        commands, garbage = [], 0
        for line in filter(None, lines.split(b"\n")):  # the empty ones end what an asker may have left torn
            try:
                commands.append(decode(line))
            except (msgspec.MsgspecError, ValueError, RecursionError):
                garbage += 1
        if garbage:
            self._warn(say("notice.not_understood", lines=counted(garbage, "line")))
        return commands

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)


def send(folder: Path, command: AnyCommand) -> None:
    """Ask something of the run in this folder. It answers with an event in its journal.

    Raises:
        RunNotLive: no process writes this run.
        NotYourRun: the file system does not let this user.
        LaterRun: its record has a form that this version does not know; what a command means there is not known either.
    """
    if not is_live(folder):
        raise RunNotLive(folder, watched=program_of(folder) is not None)
    leave(folder, command)


def leave(folder: Path, command: AnyCommand) -> None:
    """Put it there for whoever may read it, on whatever machine.

    Raises:
        RunNotLive: nobody ever did.
        NotYourRun: the file system does not let this user.
        LaterRun: its record has a form that this version does not know; what a command means there is not known either.
    """
    began = beginning(folder)
    for schema in (read_facts(folder).get("schema", SCHEMA), began.schema if began is not None else SCHEMA):
        if form := later_form(schema):
            raise LaterRun(folder, form)
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
    try:
        fd = open_regular(folder / "control.jsonl", flags)
    except FileNotFoundError:
        raise RunNotLive(folder) from None
    except OSError as cause:
        raise NotYourRun(folder, cause) from cause
    try:
        # The newline in front ends what another asker may have left torn; the run passes over empty lines.
        os.write(fd, b"\n" + encode(command))
    except OSError as cause:
        raise NotYourRun(folder, cause) from cause
    finally:
        os.close(fd)
