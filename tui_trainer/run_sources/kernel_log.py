"""What the kernel knows of the end of a process: its log tells whom it ended for want of memory, and which GPU had
trouble; a control group counts whom it ended there. On Linux, as far as a person may read it; nothing elsewhere.

Sources: the kernel's Documentation/ABI/testing/dev-kmsg and Documentation/admin-guide/cgroup-v2.rst; for the form of an
Xid, "XID Errors" in the documentation of NVIDIA's drivers.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

LONGEST = 8192
"""Bytes of one message; the kernel gives one at a time."""

MOST = 200_000
"""Messages that are looked through; the kernel keeps some thousand."""

CLOCKS_DIFFER = 5.0
"""Seconds: the kernel's clock stands still while the machine sleeps, and is none of the best."""

_KILLED = re.compile(r"Killed process (\d+) \(")
_OUT_OF_MEMORY = re.compile(r"out of memory|oom-kill|oom_reaper", re.IGNORECASE)
_XID = re.compile(r"NVRM: Xid \((?P<bus>[^)]*)\): (?P<number>\d+)(?:, pid=(?P<pid>'?\d+|'?<unknown>)'?)?(?P<rest>.*)")
_NAME = re.compile(r",\s*name=('[^']*'|[^,]*)")
_FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""The number of the namespace whose pids the kernel's log has."""


class Message(NamedTuple):
    """A line of the kernel's log; `at` in Unix time."""

    at: float
    text: str


class Xid(NamedTuple):
    """An error that NVIDIA's driver told of."""

    at: float
    number: int
    text: str


def messages() -> list[Message]:
    """All that the kernel still has; none where it may not be read."""
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    records: list[bytes] = []
    try:
        while len(records) < MOST:
            try:
                records.append(os.read(fd, LONGEST))
            except BrokenPipeError:  # it was written over meanwhile: the next one is there
                continue
    except OSError:  # at the end: it would wait for the next one
        pass
    finally:
        os.close(fd)
    return parsed(records, time.time() - time.monotonic())


def parsed(records: Iterable[bytes], booted_at: float) -> list[Message]:
    """Messages from the form that `/dev/kmsg` has: `priority,number,microseconds,flags;text`."""
    found = []
    for record in records:
        head, _, text = record.decode("utf-8", "replace").partition(";")
        with suppress(ValueError, IndexError):
            found.append(Message(booted_at + int(head.split(",")[2]) / 1e6, text.splitlines()[0]))
    return found


def killed_for_memory(found: Iterable[Message], pid: int, since: float) -> bool:
    """Whether the kernel says that it ended this process, begun at `since`, because memory ran out."""
    return any(
        message.at >= since - CLOCKS_DIFFER
        and _OUT_OF_MEMORY.search(message.text) is not None
        and (killed := _KILLED.search(message.text)) is not None
        and int(killed[1]) == pid
        for message in found
    )


def xids(found: Iterable[Message], pid: int, since: float, until: float) -> list[Xid]:
    """Errors of GPUs while a process lived, but for those that the driver says are another process's."""
    errors = []
    for message in found:
        if not since - CLOCKS_DIFFER <= message.at <= until + CLOCKS_DIFFER:
            continue
        if (told := _XID.search(message.text)) is None:
            continue
        whose = (told["pid"] or "").strip("'")
        if whose.isdigit() and int(whose) != pid:
            continue
        text = _NAME.sub("", told["rest"]).strip(" ,")
        errors.append(Xid(message.at, int(told["number"]), text))
    return errors


def knows_pids() -> bool:
    """Whether the pids of the kernel's log are those that this process sees; in a container they are others."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino == _FIRST_PID_NAMESPACE
    except OSError:
        return False


def memory_kills() -> dict[str, object] | None:
    """How many processes the kernel has ended so far in the control group of this one, for want of memory.

    Returns:
        `file`, in which it counts, `count`, and `boot`, which holds until the machine starts anew; None where nobody
        counts.
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        group = next(line[3:] for line in lines if line.startswith("0::"))
        file = Path("/sys/fs/cgroup", group.lstrip("/"), "memory.events")
        return {"file": str(file), "count": _count(file), "boot": _boot()}
    except (OSError, StopIteration, ValueError):
        return None


def memory_kills_since(then: Mapping[str, object]) -> int:
    """How many more there are by now than `memory_kills` told; 0 where that is not known."""
    file, count = then.get("file"), then.get("count")
    if not isinstance(file, str) or not isinstance(count, int) or not file.startswith("/sys/fs/cgroup/"):
        return 0
    try:
        return max(0, _count(Path(file)) - count) if then.get("boot") == _boot() and ".." not in file else 0
    except (OSError, ValueError):
        return 0


def _count(file: Path) -> int:
    words = dict(line.split() for line in file.read_text().splitlines())
    return int(words.get("oom_kill", "0"))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
