"""A terminal closed at random moments: `python -m tests.benchmarks.bench_hang_ups [--times 20] [--seed 0]`.

Each time `launch` trains in a pseudo-terminal of its own, whose other end is closed somewhere between its start and the
last batches, in some of them with a dialog or another screen open. Every run must finish, with the losses of an
undisturbed one, and all of it must be there for a new `attach`. Of each is told the CPU time that was spent, after the
terminal was gone and while it trained, by all threads but the one that trains. Ends with 1 where one of them did not do
as it should.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.terminal import Terminal
from tui_trainer.events import RunEnded
from tui_trainer.records.history import History
from tui_trainer.records.lock import is_live
from tui_trainer.run_sources.run_source import replay

OPTIONS = ("--preset", "onecycle", "--model", "mlp", "--limit-train", "1000", "--limit-val", "200", "--threads", "1")
EPOCHS = "150"
KEYS = ("", "", "q", "?", "p", "r", "n ", "ps")
"""What is pressed just before: nothing, a dialog or a page opens, batch by batch and on, the picker filtered."""

MOST = 0.1
"""Of a core, that threads which do not train may take without a terminal."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    good = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_TRAINER_RUNS"] = folder
        whole, seconds = undisturbed(Path(folder))
        for count in range(1, options.times + 1):
            is_good, told = hung_up(Path(folder), chance.uniform(0.0, seconds), chance.choice(KEYS), whole)
            good += is_good
            print(f"{count:>3}: {told}", flush=True)
    print(f"{good} of {options.times} as they should be")
    sys.exit(good < options.times)


def undisturbed(runs: Path) -> tuple[History, float]:
    """A run whose terminal stays, and how long it takes."""
    before = time.monotonic()
    with Terminal("launch", *OPTIONS, "--epochs", EPOCHS, "--exit-when-done") as terminal:
        terminal.wait(300)
    (run,) = runs.iterdir()
    return replay(run), time.monotonic() - before


def hung_up(runs: Path, after: float, keys: str, whole: History) -> tuple[bool, str]:
    """Launch, close the terminal after so many seconds; whether it ends as it should, and how it did."""
    there = set(runs.iterdir())
    with Terminal("launch", *OPTIONS, "--epochs", EPOCHS) as terminal:
        time.sleep(0.5)  # Python itself starts
        deadline = time.monotonic() + after
        while (left := deadline - time.monotonic()) > 0:
            terminal._read(min(left, 0.1))
        terminal.press(keys)
        children = psutil.Process(terminal.pid).children()
        terminal.close()
        if not children:
            return True, f"closed after {after:5.2f} s, before the program had begun"
        program = children[0]
        terminal.wait()
        while not (new := set(runs.iterdir()) - there):
            assert program.is_running(), "it ended without a record"
            time.sleep(0.1)
        (run,) = new
        while is_live(run) and not replay(run).steps:
            time.sleep(0.1)
        others = _cpu_of_others(program)
        while is_live(run) or program.is_running():
            time.sleep(0.1)
    history = replay(run)
    ended = history.ended
    assert isinstance(ended, RunEnded)
    same = history.losses == whole.losses
    with Terminal("attach", run.name) as viewer:
        viewer.until(ended.status)
        viewer.press("q")
        viewer.wait()
    what = f" with {keys!r}" if keys else ""
    losses = "the same" if same else "DIFFERENT"
    cpu = "had ended" if others is None else f"{others:.1%} of a core"
    good = same and ended.status == "finished" and (others is None or others <= MOST)
    return good, (
        f"closed after {after:5.2f} s{what:<12} {ended.status} after step {ended.step:,}, losses {losses}, "
        f"attached; other threads {cpu}"
    )


def _cpu_of_others(program: psutil.Process) -> float | None:
    """What all threads but the busiest took of a core, over two seconds; None where it ended before."""
    try:
        time.sleep(0.5)
        before = {thread.id: thread.user_time + thread.system_time for thread in program.threads()}
        time.sleep(2.0)
        spent = [t.user_time + t.system_time - before.get(t.id, 0.0) for t in program.threads()]
    except psutil.Error:
        return None
    return (sum(spent) - max(spent)) / 2.0


if __name__ == "__main__":
    main()
