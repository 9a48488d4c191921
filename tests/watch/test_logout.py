"""systemd may end what a person leaves running as they log out: that is said where it is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_trainer.watching.host import logout

SESSION = "0::/user.slice/user-1000.slice/session-4.scope\n"
MANAGER = "0::/user.slice/user-1000.slice/user@1000.service/tmux-spawn-1.scope\n"
YES, NO = "[Login]\nKillUserProcesses=yes\n", "[Login]\n#KillUserProcesses=yes\nKillUserProcesses=no\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One where logind ends the processes of a session with it."""
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("STY", raising=False)
    (tmp_path / "logind.conf").write_text(YES)
    (tmp_path / "cgroup").write_text(SESSION)
    monkeypatch.setattr(logout, "_FILES", (tmp_path,))
    monkeypatch.setattr(logout, "_CGROUP", tmp_path / "cgroup")
    return tmp_path


@pytest.mark.says("command.killed_at_logout")
def test_it_is_said_where_logind_says_so(machine: Path) -> None:
    assert "systemd-run --user --scope tui-trainer watch -- COMMAND" in logout.warning()


@pytest.mark.never_says("command.killed_at_logout")
@pytest.mark.parametrize("where", ["in tmux", "in screen", "in a scope of its own", "elsewhere", "left alone"])
def test_and_nowhere_else(machine: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    if where == "in tmux":
        monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    elif where == "in screen":
        monkeypatch.setenv("STY", "1.pts-0")
    elif where == "in a scope of its own":
        (machine / "cgroup").write_text(MANAGER)
    elif where == "elsewhere":
        (machine / "cgroup").unlink()
    else:
        (machine / "logind.conf.d").mkdir()
        (machine / "logind.conf.d" / "50-site.conf").write_text(NO)
    assert logout.warning() == ""


def test_what_no_file_says_logind_is_asked(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (machine / "logind.conf").write_text("[Login]\n#KillUserProcesses=yes\n")
    busctl = machine / "busctl"
    monkeypatch.setenv("PATH", str(machine))
    assert logout.warning() == ""  # nobody is there to ask
    for answer, ends in (("b true", True), ("b false", False)):
        busctl.write_text(f"#!/bin/sh\necho {answer}\n")
        busctl.chmod(0o755)
        assert logout.ends_processes_at_logout() == ends
