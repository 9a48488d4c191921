"""Records that real tools write are followed while they grow, and their writers killed at any moment.

`python -m tests.benchmarks.bench_live_writers [--python PYTHON] [--kills N] [TOOL ...]`. Each writer is a process of
its own, by a Python that has the tools. For each: writers that write as fast as they can and are killed, after which
the history that was followed must be what the files hold; then one that logs 20 numbers ten times a second, and what
following it takes of a core. Last what 50 records take to which nothing comes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.foreign_records.followed_live import LOOKS_A_SECOND, follow, killed, logged, record_in
from tests.foreign_records.live_writer import SERIES, WRITERS
from tui_trainer.run_sources.registry import open_source


@contextlib.contextmanager
def writing(python: str, tool: str, folder: Path, pause: float) -> Iterator[subprocess.Popen[bytes]]:
    """A writer at work in a folder; killed with all that it has begun."""
    command = [python, "-m", "tests.foreign_records.live_writer", tool, str(folder), str(pause)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def of_tool(tool: str, python: str, kills: int, seconds: float) -> str:
    all_compared = []
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as name, writing(python, tool, Path(name), 0.0) as process:
            all_compared.append(killed(Path(name), process, partial(kill, process), random.uniform(0.2, 1.5)))
    numbers, missed, doubled, within = (sum(column) for column in zip(*all_compared, strict=True))
    with tempfile.TemporaryDirectory() as name, writing(python, tool, Path(name), 0.1) as process:
        source = open_source(record_in(Path(name), process))
        follow(source, lambda: bool(logged(source.history)))
        end = time.monotonic() + seconds
        share = follow(source, lambda: time.monotonic() > end) / seconds
        rows = max(map(len, logged(source.history).values()))
        source.close()
    return (
        f"{tool}: {kills} killed, {within} of them within a step: {numbers:,} numbers on the disk, {missed} missed, "
        f"{doubled} doubled; {SERIES} numbers ten times a second: {share:.1%} of a core ({rows} steps in {seconds:g} s)"
    )


def idle(seconds: float) -> str:
    """What 50 records take that lie still; written a moment ago, so that they are looked at ten times a second."""
    with tempfile.TemporaryDirectory() as name:
        sources = []
        for index in range(50):
            path = Path(name, f"{index}.csv")
            path.write_text("step,loss\n" + "".join(f"{step},{step / 2}\n" for step in range(100)))
            sources.append(open_source(path))
            while sources[-1].poll() or sources[-1].lags:
                pass
        began, end = time.process_time(), time.monotonic() + seconds
        while time.monotonic() < end:
            for source in sources:
                source.poll()
            time.sleep(1 / LOOKS_A_SECOND)
        share = (time.process_time() - began) / seconds
    return f"50 records to which nothing comes: {share:.1%} of a core"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", help=", ".join(WRITERS))
    parser.add_argument("--python", default=sys.executable, help="One that has the tools.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    for tool in given.tools or WRITERS:
        print(of_tool(tool, given.python, given.kills, given.seconds), flush=True)
    print(idle(given.seconds))


if __name__ == "__main__":
    main()
