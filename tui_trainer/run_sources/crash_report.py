"""What can be found of why a run crashed, beside its last word: the end of its log, and what the kernel tells."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import NamedTuple

from tui_trainer.events import RunEnded, RunStarted
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.tail import LogTail
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

LINES = 12
"""The last lines of a log."""

XIDS = 2
"""Errors of GPUs that are told, the first ones: what follows comes from them."""

_OUT_OF_MEMORY = re.compile(r"\bOutOfMemoryError\b|\bMemoryError\b|out of memory|can't allocate memory", re.IGNORECASE)


class CrashReport(NamedTuple):
    """What was found."""

    causes: tuple[str, ...] = ()
    """Sentences; none where nothing more is known."""
    printed: tuple[str, ...] = ()
    """The last lines of its log, as text that may be shown."""
    has_checkpoint: bool = False
    """Whether there is one to go on from."""


def crash_report(folder: Path, ended: RunEnded, started: RunStarted | None, device: str = "") -> CrashReport:
    """Look for what there is. It reads files: not in a screen's thread.

    Args:
        folder: the run's record.
        ended: how it ended.
        started: how the process began that trained it last.
        device: what it trained on.
    """
    has_checkpoint = any((folder / "checkpoints").glob("*.pt"))
    if ended.status != "crashed":
        return CrashReport(has_checkpoint=has_checkpoint)
    causes = _by_memory(ended, device)
    if started is not None and started.host == socket.gethostname():
        causes += _by_kernel(folder, ended, started, device)
    return CrashReport(tuple(causes), _printed(folder, ended), has_checkpoint)


def _by_memory(ended: RunEnded, device: str) -> list[str]:
    if _OUT_OF_MEMORY.search(ended.reason) is None:
        return []
    return [say("crash.out_of_memory", what=say("crash.of_gpu") if device.startswith("cuda") else say("crash.of_cpu"))]


def _by_kernel(folder: Path, ended: RunEnded, started: RunStarted, device: str) -> list[str]:
    from tui_trainer.run_sources import kernel_log  # of crashes alone: no first frame waits for it

    causes, told = [], kernel_log.messages()
    pids = kernel_log.knows_pids()
    if ended.reason == say("end.gone") or "SIGKILL" in ended.reason:
        counted_before = read_facts(folder).get("memory_kills")
        if pids and kernel_log.killed_for_memory(told, started.pid, started.at):
            causes.append(say("crash.killed_for_memory", pid=started.pid))
        elif isinstance(counted_before, dict) and (more := kernel_log.memory_kills_since(counted_before)):
            causes.append(say("crash.group_out_of_memory", count=more))
    if device.startswith("cuda"):
        for xid in kernel_log.xids(told, started.pid if pids else 0, started.at, ended.at)[:XIDS]:
            at = time.strftime("%H:%M:%S", time.localtime(xid.at))
            causes.append(say("crash.xid", number=xid.number, at=at, text=plain(xid.text)))
    return causes


def _printed(folder: Path, ended: RunEnded) -> tuple[str, ...]:
    """The end of its log, without its own goodbye, which the screen says anyway."""
    log = LogTail(folder / "log.txt")
    try:
        log.look()
    except OSError:
        return ()
    lines = [line.rstrip() for line in list(log.lines)[-LINES - 2 :] if line.strip()]
    goodbye = f"{ended.status}: {plain(ended.reason)}"
    return tuple(line for line in lines if not line.startswith(goodbye))[-LINES:]
