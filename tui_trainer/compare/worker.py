"""A process that trains runs of a session as it is told to: `python -m tui_trainer.compare.worker FOLDER`.

On its standard input come lines, the number of a run to train or a stop; on its standard output go lines, each an
object: a record that has begun, or how the run ended. When its input ends, whoever told it is gone: it stops too,
with a checkpoint, and what it trained can be gone on with.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

import tui_trainer
from tui_trainer import commands, threads
from tui_trainer.commands import Stop
from tui_trainer.compare.executors import Ended, InProcessExecutor, stopped
from tui_trainer.compare.session import Session
from tui_trainer.files.private import open_private


class SubprocessExecutor:
    """Trains in a process of its own, which is started with the first run."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Stop | None = None

    def train(self, index: int) -> Ended:
        """Train a run of the session to its end, from its checkpoint if it has one."""
        process = self._process = self._process or self._start()
        assert process.stdout is not None
        self._tell(process, msgspec.json.encode({"train": index}))
        if self._stop is not None:
            self.stop(self._stop)
        has_record = False
        for line in process.stdout:
            said: dict[str, Any] = msgspec.json.decode(line)
            if "begun" in said:
                self._session.begun(index, self._session.runs / said["begun"])
                has_record = True
            else:
                return Ended(said["exit_code"], said["reason"], said["has_record"])
        self._process = None
        return Ended(1, self._lost(index, process), has_record, is_told=False)

    def _lost(self, index: int, process: subprocess.Popen[bytes]) -> str:
        """What became of a process that has said no goodbye."""
        code = process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        label = self._session.entries[index].label
        return f"{label}: the process that trained it {how}; what it said last is in {self._session.folder / 'log.txt'}"

    def stop(self, command: Stop) -> None:
        """End the run that trains now, with a checkpoint."""
        self._stop = command
        if self._process is not None:
            self._tell(self._process, commands.encode(command).strip())

    def close(self) -> None:
        """Let the process end."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()  # what was not told yet cannot be, if it is gone
            process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        log = open_private(self._session.folder / "log.txt", os.O_WRONLY | os.O_APPEND)
        above = str(Path(tui_trainer.__file__).parents[1])
        known = os.environ.get("PYTHONPATH")
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "tui_trainer.compare.worker", str(self._session.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": f"{above}{os.pathsep}{known}" if known else above},
                start_new_session=True,  # the keyboard's ctrl+c is for who tells it
            )
        finally:
            os.close(log)

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
        except (OSError, ValueError):
            pass  # it is gone, which reading from it tells


def work(folder: Path) -> None:
    """Obey until the input ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print goes to the log
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    session = Session.open(folder)
    trainer = InProcessExecutor(session, lambda _, record: say({"begun": record.name}))
    asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def say(what: dict[str, Any]) -> None:
        out.write(msgspec.json.encode(what) + b"\n")

    def listen() -> None:
        for line in sys.stdin.buffer:
            said = msgspec.json.decode(line)
            if "train" in said:
                session.refresh()
                asked.put(said["train"])
            elif isinstance(command := commands.decode(line), Stop):
                trainer.stop(command)
        stop()

    def stop(why: str = "") -> None:
        """Nobody will say any more what to do."""
        reason = stopped(f"what it was told could not be understood: {why}" if why else "")
        trainer.stop(Stop(by="session", reason=reason, exit_code=1 if why else 0))
        asked.put(None)

    threads.begin("listening", listen, stop)
    while (index := asked.get()) is not None:
        ended = trainer.train(index)
        say({"exit_code": ended.exit_code, "reason": ended.reason, "has_record": ended.has_record})


if __name__ == "__main__":
    work(Path(sys.argv[1]))
