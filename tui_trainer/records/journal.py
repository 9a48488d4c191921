"""The journal of a run, being written: one event a line, each line whole or absent, and never a word to the loop."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from tui_trainer.events import Alert, AnyEvent, RunEnded, StepsTaken, decode, encode
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.errors import reason
from tui_trainer.records.journal_cache import Packer
from tui_trainer.records.lines import seal, seal_of, split_tail, unsealed
from tui_trainer.records.resume_filter import ResumeFilter
from tui_trainer.records.tail import Tail
from tui_trainer.text.captions import say

RETRY_S = 1.0
"""While it cannot be written to, a journal is tried again this often."""

_LAST_BYTES = 1 << 20
_STEPS = b'{"type":"StepsTaken"'

WAITING_AT_MOST = 64 * 2**20
"""Bytes of lines that wait for room on the disk; beyond them the oldest are given up."""


class Journal:
    """The one writer of `events.jsonl`. It belongs to one thread, and the caller holds the run's lock.

    Trouble never reaches the caller: with a full disk lines wait in memory, in their order, and are written when there
    is room. `observer` is told, once, that recording stopped and, once, that it goes on; both are in the journal too,
    in the same place among the events as for those who are told.
    """

    def __init__(
        self,
        path: Path,
        known: ResumeFilter | None = None,
        observer: Callable[[Alert], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        lost: Callable[[], bool] | None = None,
    ) -> None:
        """Open the journal for appending, and make it if it is not there.

        A line that a killed process left torn is cut off: it was never whole, so nothing is lost by it, and no
        reader has taken it for one.

        Args:
            path: the file.
            known: what it holds already (from replaying it); events that tell it again are not written.
            observer: told of trouble and of its end.
            clock: monotonic seconds.
            lost: asked before each write whether another process writes the run now: then nothing more is written.
                It may raise an `OSError`, as writing does.

        Raises:
            OSError: it cannot be opened.
        """
        self._is_lost = lost
        self._fd = open_private(path, os.O_RDWR | os.O_APPEND)
        try:
            self._whole = _mend_tail(self._fd)
            self._number = _next_number(path) if self._whole else 1
        except BaseException:
            os.close(self._fd)
            raise
        self._packer = Packer(path)
        self._torn = False
        """Whether part of a line stands behind the `_whole` bytes of whole ones."""
        self._known = known.copy() if known is not None else ResumeFilter()
        self._known.go_on()
        self._observer = observer
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._given_up = 0
        self._stopped = False
        self._trouble = ""
        """Why it could not be written to, the last time."""
        self._last_steps: bytes | None = None
        """The last line with steps that was written."""
        self._step_before = self._known.steps
        self._retry_at = 0.0
        self._closed = False

    def emit(self, event: AnyEvent) -> None:
        """Write an event, or the part of it that is not recorded yet. Never raises."""
        new = self._known.unwritten(event)
        if new is None or self._closed:
            return
        try:
            self._wait(encode(new))
        except (msgspec.MsgspecError, ValueError) as cause:  # a lone surrogate, from a file name perhaps
            self._tell(event.at, say("notice.event_unrecorded", kind=type(new).__name__, why=cause))
        if not self._stopped or self._clock() >= self._retry_at:
            self._write_waiting(event.at, over=isinstance(event, RunEnded))

    def sync(self) -> None:
        """Bring what was written to the disk itself, so that a power cut leaves it there."""
        try:
            os.fsync(self._fd)
        except OSError:
            pass  # told at the next line that fails

    def close(self) -> bool:
        """Write what still waits, if that can be, and let go of the file. Does nothing the second time.

        Returns:
            Whether something could not be written.
        """
        if self._closed:
            return bool(self._waiting)
        if self._waiting:
            self._write_waiting(time.time(), over=True)
        self.sync()
        self._closed = True
        self._packer.close()
        os.close(self._fd)
        return bool(self._waiting)

    def write_now(self) -> str:
        """As the run ends: write what waits, without waiting for the next try; why it cannot be, or an empty string."""
        if self._waiting and not self._closed:
            self._write_waiting(time.time(), over=True)
        return self._trouble if self._waiting else ""

    @property
    def last_step(self) -> int:
        """The last step that is written whole, as far as this process wrote any."""
        if self._last_steps is not None:
            event = decode(self._last_steps)
            if isinstance(event, StepsTaken):
                return event.step + len(event.losses) - 1
        return self._step_before

    # Writing

    def _wait(self, line: bytes) -> None:
        line = seal(line, self._number)
        self._number += 1
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        while self._waiting_bytes > WAITING_AT_MOST and len(self._waiting) > 1:
            self._waiting_bytes -= len(self._waiting.popleft())
            self._given_up += 1

    def _write_waiting(self, at: float, *, over: bool) -> None:
        """Write what waits, of a run that is over or goes on."""
        try:
            self._append(b"".join(self._waiting))
        except OSError as cause:
            self._retry_at = self._clock() + RETRY_S
            self._trouble = reason(cause)
            if not self._stopped:
                self._stopped = True
                stopped = "notice.recording_stopped_at_end" if over else "notice.recording_stopped"
                self._tell(at, say(stopped, why=reason(cause)))
            return
        if self._stopped:
            self._stopped = False
            goes_on = "notice.recorded_at_last" if over else "notice.recording_goes_on"
            self._tell(at, say(goes_on, lost=self._lost()))
            self._given_up = 0
            self._write_waiting(at, over=over)

    def _lost(self) -> str:
        if not self._given_up:
            return say("notice.nothing_lost")
        return say("notice.lost", count=f"{self._given_up:,}", are="is" if self._given_up == 1 else "are")

    def _tell(self, at: float, text: str) -> None:
        notice = Alert(at=at, kind="recording", text=text)
        self._wait(encode(notice))
        if self._observer is not None:
            self._observer(notice)

    def _append(self, lines: bytes) -> None:
        """Append to the file and take from the waiting what is now whole there.

        Raises:
            OSError: not all of it could be written. What stays behind the last whole line is cut off, now or before
                the next attempt.
        """
        if self._is_lost is not None and self._is_lost():
            self._waiting.clear()
            self._waiting_bytes = 0
            return
        if self._torn:
            os.ftruncate(self._fd, self._whole)
            self._torn = False
        written = 0
        try:
            while written < len(lines):
                written += os.write(self._fd, lines[written:] if written else lines)
        except OSError:
            whole = lines.rfind(b"\n", 0, written) + 1
            self._written(whole)
            if written > whole:
                self._torn = True
                os.ftruncate(self._fd, self._whole)
                self._torn = False
            raise
        self._written(written)
        self._packer.follow(self._fd, self._whole)

    def _written(self, count: int) -> None:
        self._whole += count
        self._waiting_bytes -= count
        while count > 0:
            line = self._waiting.popleft()
            count -= len(line)
            if line.startswith(_STEPS):
                self._last_steps = line


def _mend_tail(fd: int) -> int:
    """Cut a torn line off the end of the file, or end it if only its newline is missing; the size after that."""
    size = os.fstat(fd).st_size
    whole, tail = split_tail(fd, size)
    if not tail:
        return size
    if unsealed(tail) is None:
        os.ftruncate(fd, whole)
        return whole
    os.write(fd, b"\n")
    return size + 1


def _next_number(path: Path) -> int:
    """That of the line which is to come: what `Tail` would make of all those before it, from the last ones alone."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
        last = file.read().split(b"\n")[:-1]
    for behind, line in enumerate(reversed(last)):
        sealed = seal_of(line)
        if sealed is not None and sealed.holds:
            return sealed.number + behind + 1
    with Tail(path) as tail:  # an older record: all of its lines count
        for _ in tail:
            pass
        return tail.next_number
