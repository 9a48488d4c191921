"""Commands of tui-trainer and other modules, in processes of their own that end with the check."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.cuda.bench import Bench
from tests.preloaded import Running
from tests.terminal import end_session
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.history import History
from tui_trainer.records.run_index import find
from tui_trainer.run_sources.run_source import replay


@dataclass(frozen=True)
class Ended:
    """What became of a command.

    Attributes:
        code: None where it had to be killed, because it took too long.
        said: on both of its streams.
    """

    code: int | None
    said: str
    seconds: float

    @property
    def last_words(self) -> str:
        """The last line that it printed, and how it ended."""
        lines = self.said.strip().splitlines() or ["nothing was printed"]
        how = "did not end" if self.code is None else f"ended with {self.code}"
        return f"{how} after {self.seconds:.0f} s: {lines[-1].strip()}"


def run(bench: Bench, *arguments: str, module: str = "tui_trainer") -> Ended:
    """Run it to its end, or for as long as the check may take."""
    with running(bench, *arguments, module=module) as (process, log):
        began = time.monotonic()
        with contextlib.suppress(TimeoutError):
            wait_for(lambda: process.poll() is not None, bench.seconds_left)
        return Ended(process.poll(), log.read_text(errors="replace"), time.monotonic() - began)


@contextlib.contextmanager
def running(bench: Bench, *words: str, module: str = "tui_trainer") -> Iterator[tuple[Running, Path]]:
    """A command while it runs, and the file that it prints to; it is killed at the end, with all that it started."""
    log = bench.work / f"{module.rpartition('.')[2]}-{time.monotonic_ns()}.txt"
    module, *arguments = bench.command(module, *words)
    with log.open("wb") as file:
        process = Running(*arguments, module=module, stdout=file, stderr=file, session=True)
    try:
        yield process, log
    finally:
        end_session(process.pid)
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until it holds.

    Raises:
        TimeoutError: it does not after so long.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited for {seconds:.0f} s in vain")
        time.sleep(0.01)


def history(bench: Bench, name: str) -> History:
    """What a run of that name recorded.

    Raises:
        RunNotFound: there is none.
    """
    return replay(find(bench.runs, name))


def epochs_told(bench: Bench, name: str) -> int:
    """How many epochs a run has told of so far; 0 where it has no record yet."""
    with contextlib.suppress(RunNotFound, OSError):
        return (find(bench.runs, name) / "events.jsonl").read_bytes().count(b'"EpochEnded"')
    return 0


@contextlib.contextmanager
def recording_in(runs: Path) -> Iterator[None]:
    """Have commands keep their records there, and nothing of theirs among the user's own settings."""
    told = {"TUI_TRAINER_RUNS": str(runs), "XDG_CONFIG_HOME": str(runs.parent / "config")}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                del os.environ[name]
            else:
                os.environ[name] = text
