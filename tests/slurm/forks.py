"""Tasks of SLURM's that need not import torch first, which takes each of them some seconds of a core.

What SLURM runs has them forked off an interpreter that has done so (`tests/preloaded.py`), hands its signals on, and
ends as they do.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import preloaded

ASKS = Path(__file__).with_name("asks_to_fork.py")

LOOK_EVERY_S = 0.05
"""Seconds between looks at whether a task has ended."""


@contextmanager
def forks() -> Iterator[Path]:
    """What may stand in the place of an interpreter in a script for SLURM."""
    assert preloaded.run("--version").returncode == 0  # no task waits until torch is loaded
    folder = Path(tempfile.mkdtemp())  # the path of a socket is a short one
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(folder / "asked"))
            listening.listen()
            threading.Thread(target=_listen, args=[listening], daemon=True).start()
            executable = folder / "python"
            asks = shlex.join([sys.executable, "-IS", str(ASKS), str(folder / "asked")])
            executable.write_text(f'#!/bin/sh\nexec {asks} "$@"\n')
            executable.chmod(0o700)
            yield executable
            listening.shutdown(socket.SHUT_RDWR)
    finally:
        shutil.rmtree(folder)


def _listen(listening: socket.socket) -> None:
    while True:
        try:
            asked, _ = listening.accept()
        except OSError:  # no more are to come
            return
        threading.Thread(target=_serve, args=[asked], daemon=True).start()


def _serve(asked: socket.socket) -> None:
    """One task, from its start to its end."""
    with asked:
        words, descriptors, _, _ = socket.recv_fds(asked, 1 << 16, 3)
        if not words:
            return
        told = json.loads(words)
        path = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}
        first, second, third = descriptors
        task = preloaded.start(told["module"], told["arguments"], (first, second, third), env=told["env"] | path)
        for descriptor in descriptors:
            os.close(descriptor)
        asked.settimeout(LOOK_EVERY_S)
        while True:
            try:
                ended, status = os.waitpid(task, os.WNOHANG)
            except ChildProcessError:  # what a test leaves is ended, and waited for, by others
                return
            if ended:
                code = os.waitstatus_to_exitcode(status)
                with suppress(OSError):  # what was run is gone, too
                    asked.send(str(code if code >= 0 else 128 - code).encode())
                return
            try:
                number = asked.recv(64)
            except TimeoutError:
                continue
            os.kill(task, int(number) if number else signal.SIGKILL)
