"""How long a preview takes: `python -m tests.benchmarks.bench_picker [ROUNDS]`.

From a key to the planned curve and the words of the preset under the cursor, in a real terminal of 140×40, over all
shipped presets, torch loaded. The first time that a preset is looked at, its schedule is rehearsed; later it is kept.

first   milliseconds to the preview of a preset that was not looked at before: median, 95th percentile, longest
again   the same where it was
cpu     milliseconds of CPU time that a key cost the app, the rehearsal too
The goal is 100 ms.
"""

from __future__ import annotations

import select
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import psutil

from tests.terminal import Terminal
from tui_trainer.presets.catalogue import catalogue

DRAWN = "LR  start"
LIST = 52
"""Columns that the list takes, which has the titles too."""

SETTLED_S = 0.15
"""Without another byte for so long, what a key led to is over."""


class Watched(Terminal):
    """A terminal that knows when the last bytes came that made a condition true."""

    def seconds_until(self, holds: Callable[[str], bool], seconds: float = 10.0) -> float:
        """From now to the arrival of what made it true."""
        began = time.perf_counter()
        while True:
            if not select.select([self._master], [], [], seconds)[0]:
                raise AssertionError(f"it was not drawn; the screen shows\n{self.screen}")
            came = time.perf_counter()
            self._read(0.0)
            if holds(self.screen):
                return came - began

    def settle(self) -> None:
        """Take what still comes."""
        while select.select([self._master], [], [], SETTLED_S)[0]:
            self._read(0.0)


def shows(title: str) -> Callable[[str], bool]:
    """Whether the words of the preset with this title are beside the list, with its LR."""

    def holds(screen: str) -> bool:
        beside = "\n".join(line[LIST:] for line in screen.splitlines())
        return title[:40] in beside and DRAWN in beside

    return holds


def cpu_seconds(pid: int) -> float:
    """Of a process and those that it started: the app leaves the terminal's own process to its shell."""
    first = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:2]) for each in (first, *first.children(recursive=True)))


def visit(terminal: Watched, key: str, titles: list[str]) -> tuple[list[float], list[float]]:
    """Milliseconds to each preview, and of CPU time, as the cursor goes from one to the next."""
    times, costs = [], []
    for title in titles:
        before = cpu_seconds(terminal.pid)
        terminal.press(key)
        times.append(terminal.seconds_until(shows(title)) * 1e3)
        terminal.settle()
        costs.append((cpu_seconds(terminal.pid) - before) * 1e3)
    return times, costs


def told(name: str, times: list[float], costs: list[float]) -> None:
    """A line of the table."""
    ordered = sorted(times)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    print(
        f"{name:<6} {statistics.median(ordered):6.1f} {high:6.1f} {ordered[-1]:6.1f} ms"
        f"   cpu {statistics.mean(costs):5.1f} ms a key   {len(times)} keys"
    )


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    titles = [entry.preset.title for entry in catalogue() if entry.preset is not None and entry.builtin]
    first: tuple[list[float], list[float]] = [], []
    again: tuple[list[float], list[float]] = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            env = {"XDG_CONFIG_HOME": f"{place}/config", "TUI_TRAINER_RUNS": f"{place}/runs"}
            with Watched("launch", env=env) as terminal:
                terminal.until(shows(titles[0]))
                terminal.settle()
                ways = (("j", titles[1:], first), ("k", titles[-2::-1], again), ("j", titles[1:], again))
                for key, way, (times, costs) in ways:
                    took, cost = visit(terminal, key, way)
                    times += took
                    costs += cost
                terminal.press("q")
                terminal.wait()
    print("       median    p95    max")
    told("first", *first)
    told("again", *again)


if __name__ == "__main__":
    main()
