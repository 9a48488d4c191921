"""Bytes that following a run sends over a link: `python -m tests.benchmarks.bench_link [--sizes 140x40]`.

A record gets ten steps a second; `attach` follows it in a real terminal. Then nothing comes any more, as from a run
that computes something long: the clock of the top line goes on. Last, the run has ended.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path

from msgspec.structs import replace

from tests.scripted import scripted_run
from tests.terminal import Terminal
from tui_trainer.events import RunEnded, StepsTaken
from tui_trainer.records.record import Record

STEPS_A_SECOND = 10
SETTLES_S = 8.0
"""Seconds before anything is counted: the first frame is a whole one, and panels open."""


class Run:
    """Goes on at its pace in a thread of its own, until it is told to rest, and then until it is told to end."""

    def __init__(self, runs: Path) -> None:
        self.record = Record.create(runs, {"preset_name": "steplr"})
        self.rests, self.ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        *events, end = scripted_run(epochs=200)
        for event in events:
            if self.rests.is_set():
                break
            self.record.emit(replace(event, at=time.time()))
            time.sleep(len(event.losses) / STEPS_A_SECOND if isinstance(event, StepsTaken) else 0)
        self.ends.wait()
        assert isinstance(end, RunEnded)
        self.record.emit(replace(end, at=time.time()))

    def close(self) -> None:
        self.rests.set()
        self.ends.set()
        self._thread.join()
        self.record.close()


def measure(columns: int, lines: int, seconds: float) -> list[float]:
    """Bytes a second while it goes on, while nothing comes, and once it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        found = []
        try:
            with Terminal(
                "attach", run.record.id, "--runs-dir", folder, columns=columns, lines=lines, preloaded=False
            ) as terminal:

                def sent(within: float) -> float:
                    before, end = len(terminal.text), time.monotonic() + within
                    terminal.until(lambda _: time.monotonic() > end)
                    return (len(terminal.text) - before) / within

                terminal.until("epoch")
                sent(SETTLES_S)
                found.append(sent(seconds))
                run.rests.set()
                sent(2.0)
                found.append(sent(seconds / 2))
                run.ends.set()
                sent(2.0)
                found.append(sent(seconds / 2))
                terminal.press("q")
                terminal.wait()
        finally:
            run.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["80x24", "140x40", "200x60"])
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    print(f"{'bytes a second':>10} {'10 steps/s':>12} {'at rest':>9} {'over':>6}")
    for size in options.sizes:
        columns, lines = map(int, size.split("x"))
        going, rests, over = measure(columns, lines, options.seconds)
        print(f"{size:>14} {going:12,.0f} {rests:9,.0f} {over:6,.0f}")


if __name__ == "__main__":
    main()
