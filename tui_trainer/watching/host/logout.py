"""Whether systemd would end what a person leaves running as they log out."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tui_trainer.text.captions import say

_FILES = (Path("/usr/lib/systemd"), Path("/run/systemd"), Path("/etc/systemd"))
"""Folders of `logind.conf` and `logind.conf.d/*.conf`; what a later one says holds."""

_CGROUP = Path("/proc/self/cgroup")
_ASKS = (
    *("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1"),
    *("org.freedesktop.login1.Manager", "KillUserProcesses"),
)
_YES = ("yes", "true", "1", "on")
PATIENCE_S = 1.0


def warning() -> str:
    """What is to be said of it to who leaves something running; empty where nothing is ended."""
    return say("command.killed_at_logout") if ends_processes_at_logout() else ""


def ends_processes_at_logout(
    environment: Mapping[str, str] | None = None, cgroup: Path | None = None, folders: tuple[Path, ...] | None = None
) -> bool:
    """Whether logind ends the processes of this session with it. Not asked within tmux or screen, which one leaves to
    keep what runs in it.
    """
    environment = os.environ if environment is None else environment
    if "TMUX" in environment or "STY" in environment or not _belongs_to_session(cgroup or _CGROUP):
        return False
    said = _configured(_FILES if folders is None else folders)
    return said if said is not None else _asked()


def _belongs_to_session(cgroup: Path) -> bool:
    try:
        return re.search(r"/session-\w+\.scope", cgroup.read_text(errors="replace")) is not None
    except OSError:
        return False


def _configured(folders: tuple[Path, ...]) -> bool | None:
    """What the files say of everybody; None where they say nothing."""
    said: bool | None = None
    parts = sorted(
        (path for folder in folders for path in folder.glob("logind.conf.d/*.conf")), key=lambda path: path.name
    )
    for path in [*(folder / "logind.conf" for folder in folders), *parts]:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            parser.read_string(path.read_text(errors="replace"))
        except (OSError, configparser.Error):
            continue
        if value := parser.get("Login", "KillUserProcesses", fallback=""):
            said = value.strip().lower() in _YES
    return said


def _asked() -> bool:
    """What logind itself says, where no file does: systems are built with either."""
    try:
        answer = subprocess.run(
            _ASKS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.split() == [b"b", b"true"]
