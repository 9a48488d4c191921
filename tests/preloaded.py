"""Commands in processes of their own that need not import torch first: forked off one that has.

What a test starts here is its child like any other: it has the environment, the folder, the descriptors and the
terminal that it is given, and is waited for by its number. Only its interpreter was started before: what depends on how
one starts (variables such as `PYTHONUTF8`, a locale, closed descriptors) needs a new one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

from tests.waiting import PATIENCE_S

AVAILABLE = sys.platform == "linux"
"""Elsewhere each command is a new interpreter."""

before_start: list[Callable[[], None]] = []
"""Called before a command is started."""

_LOADED = (
    "torch._dynamo",  # what optimizers import as the first one is made
    "torch.distributed.algorithms.join",
    "tui_trainer.cli.launch",
    "tui_trainer.cli.run",
    "tui_trainer.cli.compare",
    "tui_trainer.cli.control",
    "tui_trainer.cli.presets",
    "tui_trainer.cli.runs",
    "tui_trainer.compare.executors",
    "tui_trainer.compare.comparison",
    "tui_trainer.engine.train",
    "tui_trainer.ui.app",
)

_OF_THE_START = ("PYTHON", "LC_", "LANG", "OMP_", "MKL_")
"""Variables with these beginnings are read as an interpreter or a library starts."""

_ROOM = "TUI_TRAINER_TEST_ROOM"
"""A long variable of the server's: what its environment lacks to hold that of any command."""

_asking = threading.Lock()
"""One thread of the tests at a time."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_COLLAPSE = 25  # MADV_COLLAPSE of linux/mman.h, which Linux has from 6.1 on
_HUGE = 1 << 21
_LARGEST = 1 << 16


def start(
    module: str,
    arguments: Sequence[str],
    descriptors: tuple[int, int, int],
    *,
    env: Mapping[str, str] | None = None,
    session: bool = False,
) -> int:
    """Run a module as `python -m` does, forked where that can be; its process, a child of this one.

    Args:
        descriptors: its standard streams. Where the first is a terminal and it has a `session`, it is that one's.
        env: its whole environment; this process's without it.
    """
    whole = dict(os.environ if env is None else env)
    others = [name for name, text in whole.items() if os.environ.get(name) != text]
    if not AVAILABLE or any(name.startswith(_OF_THE_START) for name in others):
        return start_anew([sys.executable, "-m", module, *arguments], descriptors, env=whole, session=session)
    told = {
        "module": module,
        "arguments": list(arguments),
        "env": whole,
        "folder": str(Path.cwd()),
        "session": session,
    }
    for hear in before_start:
        hear()
    with _asking:
        _, server = _server()
        _adopt(True)
        try:
            socket.send_fds(server, [json.dumps(told).encode()], list(descriptors))
            answer = server.recv(64)
        finally:
            _adopt(False)
    assert answer, "the server of commands is gone"
    return int(answer)


def start_anew(
    command: Sequence[str], descriptors: tuple[int, int, int], *, env: Mapping[str, str], session: bool = False
) -> int:
    """Run a command, whatever it is; the rest as `start`."""
    pid = os.fork()
    if pid == 0:
        _take(descriptors, session)
        for number in (signal.SIGINT, signal.SIGQUIT):  # ignored where the tests are a job in the background
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.execvpe(command[0], list(command), dict(env))
        os._exit(127)
    return pid


def _take(descriptors: Sequence[int], session: bool) -> None:
    """Have them as standard streams, and a session of one's own on the terminal among them."""
    if session:
        os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    if session and os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Running:
    """`tui-trainer`, as `subprocess.Popen` would have it."""

    def __init__(
        self,
        *arguments: str,
        module: str = "tui_trainer",
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.DEVNULL,
        stderr: int | IO[Any] = subprocess.DEVNULL,
        env: Mapping[str, str] | None = None,
        session: bool = False,
    ) -> None:
        """Start it; each stream leads nowhere, to `subprocess.PIPE`, or to a file."""
        with contextlib.ExitStack() as ours:
            self.stdin, first = _stream(stdin, ours, to_it=True)
            self.stdout, second = _stream(stdout, ours)
            self.stderr, third = _stream(stderr, ours)
            self.pid = start(module, arguments, (first, second, third), env=env, session=session)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or None."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Wait for its end; its exit code, less than 0 where a signal ended it."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, "it did not end"
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        self.wait()


def run(
    *arguments: str,
    module: str = "tui_trainer",
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    env: Mapping[str, str] | None = None,
    session: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `tui-trainer`, or another module, to its end; what it printed, as it is, where a stream is not given."""
    with tempfile.TemporaryFile("w+", newline="") as out, tempfile.TemporaryFile("w+", newline="") as err:
        streams = {"stdout": stdout or out, "stderr": stderr or err}
        running = Running(*arguments, module=module, env=env, session=session, **streams)
        code = running.wait()
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def popen(
    command: Sequence[str], *, stdin: int | IO[Any], stdout: int | IO[Any], stderr: int | IO[Any], **_: object
) -> Running:
    """In the place of `subprocess.Popen`, for a module in a session of its own, with our environment."""
    python, m, module, *arguments = command
    assert (python, m) == (sys.executable, "-m")
    return Running(*arguments, module=module, stdin=stdin, stdout=stdout, stderr=stderr, session=True)


def _stream(given: int | IO[Any], ours: contextlib.ExitStack, *, to_it: bool = False) -> tuple[IO[bytes] | None, int]:
    """This process's end of it, and the other's, which `ours` closes."""
    if given == subprocess.PIPE:
        reads, writes = os.pipe()
        kept, passed = (writes, reads) if to_it else (reads, writes)
        ours.callback(os.close, passed)
        return os.fdopen(kept, "wb" if to_it else "rb"), passed
    if given == subprocess.DEVNULL:
        nowhere = os.open(os.devnull, os.O_RDWR)
        ours.callback(os.close, nowhere)
        return None, nowhere
    return None, given if isinstance(given, int) else given.fileno()


def _adopt(yes: bool) -> None:
    """Whether what is left without a parent below this process becomes its child."""
    ctypes.CDLL(None).prctl(_SUBREAPER, int(yes), 0, 0, 0)


@cache
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """It is started as the first command is asked for, and ends with this process; and what it is asked by."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, its):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
    env = {name: text for name, text in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    command = [sys.executable, "-m", "tests.preloaded", str(its.fileno())]
    with its:
        started = subprocess.Popen(
            command, env=env | {_ROOM: "-" * _LARGEST}, cwd=Path(__file__).parents[1], pass_fds=[its.fileno()]
        )
    return started, ours


def end() -> None:
    """End the server, if there is one; the commands that it has forked go on."""
    if _server.cache_info().currsize:
        started, asks = _server()
        asks.close()
        started.wait()
        _server.cache_clear()


def _in_large_pages() -> None:
    """Hold what is in memory in as few pages as can be: each fork copies the table of them, which took two thirds of
    what a command takes that does little. Where the system has none, all stays as it is."""
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, _, _, _, *name = line.split(maxsplit=5)
        begin, end = (int(address, 16) for address in span.split("-"))
        begin, end = -(-begin // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if rights == "rw-p" and name in ([], ["[heap]"]) and begin < end:
            advise(begin, end - begin, _COLLAPSE)


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Fork for each that is asked for. Returns in the process that is to run it, with what was asked."""
    while True:
        words, descriptors, _, _ = socket.recv_fds(asked, _LARGEST, 3)
        if not words:
            os._exit(0)
        tells, is_told = os.pipe()
        between = os.fork()
        if between == 0:
            command = os.fork()
            if command:
                os.write(is_told, str(command).encode())
                os._exit(0)
            told: dict[str, Any] = json.loads(words)
            _become(told, descriptors)
            return told
        os.close(is_told)
        for descriptor in descriptors:
            os.close(descriptor)
        os.waitpid(between, 0)  # only now is the command the child of whoever asked
        asked.send(os.read(tells, 64))
        os.close(tells)


def _become(told: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    """Take over what the command was given."""
    _take(descriptors, told["session"])
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["env"])
    _show_environment(told["env"])
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # ignored, as the next, where the tests are a job in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False, errors="backslashreplace", buffering=1)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


def _show_environment(env: Mapping[str, str]) -> None:
    """Have others see it, as far as there is room: they see the memory in which the server's own was."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begins, ends = map(
        int, fields[47:49]
    )  # env_start and env_end of proc_pid_stat(5); the third field is the first here
    shown = b"".join(f"{name}={text}\0".encode() for name, text in env.items())
    ctypes.memmove(begins, shown[: ends - begins - 1].ljust(ends - begins, b"\0"), ends - begins)


def _end(code: int) -> NoReturn:
    """As an interpreter does, but for taking torch apart, which takes as long again."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


def _run(module: str) -> NoReturn:
    """Run it as the main module, to its end."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        _end(ended.code if isinstance(ended.code, int) else int(ended.code is not None))
    except BaseException as error:
        traceback.print_exception(error)
        _end(1)
    _end(0)


def load() -> None:
    """Import what commands need."""
    for name in _LOADED:
        importlib.import_module(name)


if __name__ == "__main__":
    gc.disable()  # what is imported stays: there is no garbage to look for in it
    load()
    gc.freeze()
    gc.enable()
    _in_large_pages()
    asked_for = _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = [asked_for["module"], *asked_for["arguments"]]
    _run(asked_for["module"])
