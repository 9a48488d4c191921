"""Commands in processes that train together, told of each other as `torchrun` does."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.preloaded import Running
from tests.waiting import until
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.history import History
from tui_trainer.records.run_index import find
from tui_trainer.run_sources.run_source import replay


class Together:
    """Some processes that run one command.

    Attributes:
        processes: by rank.
    """

    def __init__(
        self, ranks: int, *arguments: str, log: Path, module: str = "tui_trainer", env: Mapping[str, str] | None = None
    ) -> None:
        self._logs = [log / f"rank-{time.monotonic_ns()}-{rank}.txt" for rank in range(ranks)]
        self._held = _held_port()
        port = str(self._held.getsockname()[1])
        self.processes: list[Running] = []
        for rank, file in enumerate(self._logs):
            told = dict(os.environ if env is None else env)
            if ranks > 1:
                told |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
                told |= {"WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks)}
            with file.open("ab") as log_file:
                self.processes.append(Running(*arguments, module=module, stdout=log_file, stderr=log_file, env=told))

    def wait(self) -> list[int]:
        """Wait for all of them; their exit codes."""
        try:
            return [process.wait() for process in self.processes]
        except AssertionError:
            raise AssertionError(self.said) from None

    def send(self, number: int, *ranks: int) -> None:
        """Send a signal to some of them, or all; one that has ended already gets none."""
        for rank in ranks or range(len(self.processes)):
            self.processes[rank].send_signal(number)

    def close(self) -> None:
        """Give the port back."""
        self._held.close()

    @property
    def said(self) -> list[str]:
        """What each has printed so far."""
        return [file.read_text() if file.exists() else "" for file in self._logs]


@contextlib.contextmanager
def together(
    ranks: int, *arguments: str, log: Path, module: str = "tui_trainer", env: Mapping[str, str] | None = None
) -> Iterator[Together]:
    """Start them, with this environment or ours; whatever is left of them at the end is killed."""
    started = Together(ranks, *arguments, log=log, module=module, env=env)
    try:
        yield started
    finally:
        for process in started.processes:
            process.kill()
            process.wait()
        started.close()


def done(ranks: int, *arguments: str, log: Path) -> list[str]:
    """Run them to a good end; what each printed."""
    with together(ranks, *arguments, log=log) as started:
        assert started.wait() == [0] * ranks, started.said
        return started.said


def run_named(runs: Path, name: str) -> Path:
    """The folder of a run; waits until it is there."""
    found: list[Path] = []

    def there() -> bool:
        with contextlib.suppress(RunNotFound):
            found.append(find(runs, name))
        return bool(found)

    until(there)
    return found[0]


def history_of(runs: Path, name: str) -> History:
    """What a run recorded."""
    return replay(run_named(runs, name))


def _held_port() -> socket.socket:
    """A port for them to meet at: bound, so that nobody else is given it, and not listened to, so that rank 0 can."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held
