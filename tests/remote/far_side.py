"""Another machine for tests: this one, by an `ssh` that begins a shell here, or by sshd on the loopback."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import until

SHELLS = {"dash": "dash", "bash": "bash", "busybox": "busybox sh", "sh": "sh"}


TOOLS = ["sh", "find", "stat", "ls", "head", "tail", "dd", "date", "uname", "ps", "flock", "cat", "sleep", "yes"]

NOT_TO_BE_HAD = [
    ("ssh://-box/x", "", 2, "its host is none that ssh may be given"),
    ("ssh://box/none", "", 2, "nothing to read at ssh://box/none"),
    ("ssh://box/none", "echo 'Host key verification failed.' >&2; exit 255", 1, "Host key verification failed."),
]
"""Addresses of no run, what `ssh` does first, and the exit code and words of a command that asks for one."""


def fake_ssh(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    shell: str = "sh",
    *,
    without: tuple[str, ...] = (),
    first: str = "",
) -> Path:
    """Puts an `ssh` before the system's that runs what it is given here; the file in which each word of that is a line.

    Args:
        folder: where to make it; the home of the far side.
        monkeypatch: undoes it.
        shell: one of `SHELLS`. With `busybox`, all tools of the far side are busybox's.
        without: which of `TOOLS` the far side lacks.
        first: what it does before that.
    """
    program = shutil.which(SHELLS[shell].split()[0])
    if program is None:
        pytest.skip(f"{shell} is not installed")
    tools, bin, given = folder / "tools", folder / "bin", folder / "given"
    tools.mkdir()
    bin.mkdir()
    for name in TOOLS:
        its = program if shell == "busybox" else shutil.which(name)
        if name not in without and its is not None:
            (tools / name).symlink_to(its)
    begins = f"{program} sh" if shell == "busybox" else program
    (bin / "ssh").write_text(
        "#!/bin/sh\n"
        f'printf "%s\\n" "$@" >>"{given}"\n'
        f"export HOME='{folder}' PATH='{tools}'\n"
        "unset TUI_TRAINER_RUNS XDG_DATA_HOME\n"
        f"{first}\n"
        "for last; do :; done\n"
        'command=${last#"exec /bin/sh -c \'"}\n'
        f'exec {begins} -c "${{command%?}}"\n'
    )
    (bin / "ssh").chmod(0o700)
    monkeypatch.setenv("PATH", f"{bin}{os.pathsep}{os.environ['PATH']}")
    return given


class Sshd:
    """A daemon of its own on the loopback, and an `ssh` that knows it as the host `box`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Listen; what it begins has these variables."""
        self.bin = folder / "bin"
        self._folder = folder
        daemon, client, keygen = (shutil.which(name, path=_PATH) for name in ("sshd", "ssh", "ssh-keygen"))
        if daemon is None or client is None or keygen is None:
            pytest.skip("OpenSSH's server and client are not both installed")
        for name in ("host", "user"):
            key = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(key, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        host = (folder / "host.pub").read_text()
        (folder / "known").write_text(f"[127.0.0.1]:{self.port} {host}")
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {folder}/user.pub\nStrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\nMaxStartups 100\n"
            + (f"SetEnv {' '.join(map('='.join, environment.items()))}\n" if environment else "")
        )
        (folder / "config").write_text(
            f"Host box\n HostName 127.0.0.1\n Port {self.port}\n User {getpass.getuser()}\n"
            f" IdentityFile {folder}/user\n IdentitiesOnly yes\n"
            f" UserKnownHostsFile {folder}/known\n GlobalKnownHostsFile /dev/null\n"
        )
        self.bin.mkdir()
        (self.bin / "ssh").write_text(f'#!/bin/sh\nexec {client} -F {folder}/config "$@"\n')
        (self.bin / "ssh").chmod(0o700)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it locks its unprivileged part in
        self._log = (folder / "log").open("wb")
        command = [daemon, "-D", "-e", "-f", str(folder / "sshd_config")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=self._log)
        until(self._listens)

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            pytest.skip(f"sshd does not start here: {(self._folder / 'log').read_text().strip()[-200:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._log.close()


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])


@contextmanager
def sshd(folder: Path, **environment: str) -> Iterator[Sshd]:
    """One that listens until the block is left; skips where there is none. What it begins has these variables."""
    one = Sshd(folder, **environment)
    try:
        yield one
    finally:
        one.close()
