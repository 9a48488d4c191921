"""Who writes a run: one process at a time, known to be alive for as long as it holds the lock.

The lock is the kernel's (`flock`), so it goes with the process whatever kills it, and a used-again pid or a reboot
cannot fake it. Some cluster file systems have no such locks: there a run goes on without, and whether it lives is
told by its pid on the same machine, and from another one by how fresh its journal is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from pathlib import Path

from tui_trainer.files.safe_open import open_private, open_regular, read_regular
from tui_trainer.records.errors import RunInUse

PATIENCE_S = 1.0
"""A reader that looks whether a run lives holds the lock for some microseconds: a writer waits that out."""

FRESH_S = 60.0
"""Without locks: a journal of another machine written to within this time belongs to a live run."""

LARGEST = 64 * 1024
"""Bytes; ours has a line."""

_NO_LOCKS_HERE = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL)

_held: set[int] = set()


def _let_go_in_child() -> None:
    # A forked helper shares the lock: if it outlived the run, the run would seem alive.
    for fd in _held:
        with contextlib.suppress(OSError):
            os.close(fd)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


class WriterLock:
    """Held by the one process that writes a record, until `release` or its death."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            RunInUse: another process (or another part of this one) writes the record.
            OSError: the lock file cannot be opened.
        """
        self._fd = open_private(folder / "lock", os.O_RDWR)
        try:
            _take(self._fd, folder)
        except BaseException:
            os.close(self._fd)
            raise
        _held.add(self._fd)
        self._say(f"{os.getpid()} {socket.gethostname()}\n")

    def release(self, last_words: str = "") -> None:
        """Let others write. Does nothing the second time.

        `last_words` are left where the holder's name stood, for a record whose journal has no room for them.
        """
        if self._fd in _held:
            self._say(last_words)
            _held.discard(self._fd)
            os.close(self._fd)

    def _say(self, holder: str) -> None:
        with contextlib.suppress(OSError):  # then the refusal of a second writer names nobody
            content = holder.encode()
            os.pwrite(self._fd, content, 0)  # over what stands there, which has its room on a full disk, too
            os.ftruncate(self._fd, len(content))


def break_lock(folder: Path) -> None:
    """Have the next writer take a lock that nobody holds, for one who knows that this writer writes no more.

    Raises:
        OSError: it cannot be removed.
    """
    (folder / "lock").unlink(missing_ok=True)


def words_in(folder: Path) -> bytes:
    """What stands in the lock; empty where nothing can be read."""
    try:
        return read_regular(folder / "lock", LARGEST)
    except OSError:
        return b""


def is_live(folder: Path) -> bool:
    """Whether a process writes the record in this folder now."""
    try:
        fd = open_regular(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False  # nobody can hold what is not there, or no file
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return _seems_live(folder)
    else:
        return False
    finally:
        os.close(fd)


def writer(folder: Path) -> int | None:
    """The process of this machine that has said it writes the record in this folder; it may be gone by now."""
    holder = _read_holder(folder)
    return holder[0] if holder is not None and holder[1] == socket.gethostname() else None


def _take(fd: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise RunInUse(folder, _holder(folder)) from None
            time.sleep(0.01)
        except OSError as cause:
            if cause.errno not in _NO_LOCKS_HERE:
                raise
            if _seems_live(folder):
                raise RunInUse(folder, _holder(folder)) from None
            return


def _read_holder(folder: Path) -> tuple[int, str] | None:
    try:
        pid, host = words_in(folder).decode(errors="replace").split()
        return int(pid), host
    except ValueError:
        return None


def _holder(folder: Path) -> str:
    holder = _read_holder(folder)
    if holder is None:
        return "another process"
    pid, host = holder
    return "this process" if pid == os.getpid() and host == socket.gethostname() else f"process {pid} on {host}"


def _seems_live(folder: Path) -> bool:
    """Without the kernel's word: by pid and start time on this machine, else by how fresh the journal is."""
    holder = _read_holder(folder)
    if holder is None:
        return False
    pid, host = holder
    try:
        locked_at = (folder / "lock").stat().st_mtime
        written_at = (folder / "events.jsonl").stat().st_mtime
    except OSError:
        return False
    if host != socket.gethostname():
        return time.time() - written_at < FRESH_S
    return _began_before(pid, locked_at)


def _began_before(pid: int, moment: float) -> bool:
    import psutil  # only here: it is slow to import

    try:
        created: float = psutil.Process(pid).create_time()
    except psutil.Error:
        return False
    return created <= moment + 1.0
