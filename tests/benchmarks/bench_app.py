"""What watching costs: the app in a real terminal against `run` and the bare loop, its start, its keys, its bytes.

    python -m tests.benchmarks.bench_app [--pairs 7] [--epochs 6] [--threads 2]

Throughputs come from interleaved rounds: in each, the bare loop, `run`, and `launch` at three sizes, one after the
other; the ratio is taken within a round, and the median of the rounds is told with its spread.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.terminal import Terminal
from tui_trainer.events import EpochEnded
from tui_trainer.records.tail import Tail

SIZES = ((80, 24), (140, 40), (250, 70))
IMAGES = 4_000
BARE, RUN = "bare loop", "run"


class Raw(Terminal):
    """A terminal that only takes what is written: an emulator in this process would take time of the machine."""

    def __exit__(self, *error: Any) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):  # a run outlives its terminal, also here
            for child in psutil.Process(self.pid).children(recursive=True):
                child.kill()
        super().__exit__(*error)

    def drain(self, seconds: float) -> None:
        """Take and keep what is written for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and self._take(left):
            pass

    def until_bytes(self, mark: bytes, seconds: float = 60.0) -> float:
        """Seconds until `mark` is written."""
        began = time.perf_counter()
        start = len(self.text)
        while mark not in self.text[start:]:
            if time.perf_counter() - began > seconds or not self._take(seconds):
                raise AssertionError(f"never wrote {mark!r}")
        return time.perf_counter() - began

    def _read(self, seconds: float) -> bool:
        return self._take(seconds)

    def _take(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self._master, 1 << 16)
        except OSError:
            return False
        self.text += piece
        return bool(piece)


def command(kind: str, options: argparse.Namespace, runs: Path) -> list[str]:
    arguments = [kind, "--preset", "none", "--epochs", str(options.epochs), "--threads", str(options.threads)]
    return [*arguments, "--runs-dir", str(runs), "--device", "cpu"]


def recorded(runs: Path) -> float:
    """Images a second of the only run in a folder, from the end of its first epoch to that of its last."""
    (run,) = runs.iterdir()
    with Tail(run / "events.jsonl") as tail:
        ends = [event for event in tail if isinstance(event, EpochEnded)]
    return IMAGES * (len(ends) - 1) / (ends[-1].elapsed - ends[0].elapsed)


def bare(options: argparse.Namespace) -> float:
    arguments = ["--epochs", str(options.epochs), "--threads", str(options.threads)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bare_loop", *arguments], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def without_screen(options: argparse.Namespace) -> float:
    with tempfile.TemporaryDirectory() as folder:
        arguments = command("run", options, Path(folder))
        subprocess.run([sys.executable, "-m", "tui_trainer", *arguments], capture_output=True, check=True)
        return recorded(Path(folder))


def with_screen(options: argparse.Namespace, size: tuple[int, int]) -> tuple[float, float]:
    """Images a second, and bytes a second to the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [*command("launch", options, Path(folder)), "--exit-when-done"]
        with Raw(*arguments, columns=size[0], lines=size[1]) as terminal:
            terminal.until_bytes(b"epoch")
            began, before = time.perf_counter(), len(terminal.text)
            terminal.wait(600)
            rate = (len(terminal.text) - before) / (time.perf_counter() - began)
        return recorded(Path(folder)), rate


def contender(python: str, name: str, options: argparse.Namespace) -> float:
    """Images a second of another way to watch a run, in a terminal of 140×40: the mean of all epochs but the first."""
    arguments = [name, str(options.epochs)]
    with Raw(*arguments, module="tests.benchmarks.contenders", python=python, columns=140, lines=40) as terminal:
        terminal.wait(600)
    said = re.findall(rb"^([0-9]+\.[0-9]+)\r?$", terminal.text, re.MULTILINE)
    speeds = [float(speed) for speed in said[-options.epochs :]]
    return (len(speeds) - 1) / sum(1 / speed for speed in speeds[1:])


def throughput(options: argparse.Namespace) -> None:
    """Images a second of all, round by round."""
    speeds: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    for _ in range(options.pairs):
        speeds.setdefault(BARE, []).append(bare(options))
        speeds.setdefault(RUN, []).append(without_screen(options))
        for columns, lines in options.sizes:
            name = f"launch {columns}×{lines}"
            speed, rate = with_screen(options, (columns, lines))
            speeds.setdefault(name, []).append(speed)
            rates.setdefault(name, []).append(rate)
        speeds.setdefault("a naive Textual app", []).append(contender(sys.executable, "naive", options))
        if options.lightning:
            lightning = contender(options.lightning, "lightning", options)
            speeds.setdefault("Lightning, RichProgressBar", []).append(lightning)
    print(f"{'':<28}{'images/s':>10}{'of the bare loop (from, to)':>30}{'of run (from, to)':>24}{'kB/s':>8}")
    for name, row in speeds.items():
        against = "".join(f"{spread(row, speeds[other]):>{width}}" for other, width in ((BARE, 30), (RUN, 24)))
        rate = f"{statistics.median(rates[name]) / 1000:8.1f}" if name in rates else ""
        print(f"{name:<28}{statistics.median(row):>10,.0f}{against}{rate}")


def spread(row: list[float], other: list[float]) -> str:
    """The median, least and greatest ratio within a round."""
    ratios = [one / another for one, another in zip(row, other, strict=True)]
    return f"{statistics.median(ratios):.3f} ({min(ratios):.2f}, {max(ratios):.2f})"


def start(options: argparse.Namespace) -> None:
    """Seconds from the command to the first frame, and the memory of a run with a screen."""
    seconds = []
    for _ in range(options.pairs):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            with Raw(*command("launch", options, Path(folder))) as terminal:
                terminal.until_bytes(b"tui-trainer")
                seconds.append(time.perf_counter() - began)
    print(f"first frame after {statistics.median(seconds):.3f} s (from {min(seconds):.3f} to {max(seconds):.3f})")


PRESSES = (
    ("?", b"esc closes"),
    ("q", b"img/s"),
    ("q", b"Leave?"),
    ("q", b"img/s"),
    (" ", b"asked"),
    (" ", b"asked"),
)
"""Keys, and what is on the screen after each of them alone: a page, a dialog, the way back, a pause and its end."""


def keys(options: argparse.Namespace) -> None:
    """Milliseconds from a key to a changed screen, while training at full speed."""
    waits: dict[str, list[float]] = {}
    options = argparse.Namespace(**{**vars(options), "epochs": 1000})
    with tempfile.TemporaryDirectory() as folder, Raw(*command("launch", options, Path(folder))) as terminal:
        terminal.until_bytes(b"img/s")
        terminal.drain(3.0)
        for _ in range(options.presses):
            for number, (key, mark) in enumerate(PRESSES):
                terminal.drain(0.4)
                terminal.press(key)
                waits.setdefault(f"{number}{key}", []).append(terminal.until_bytes(mark) * 1000)
        child = psutil.Process(terminal.pid).children(recursive=True)[0]
        memory = child.memory_info().rss / 1e6
    together = sorted(wait for each in waits.values() for wait in each)
    p50, p95, p99 = (together[min(len(together) - 1, int(len(together) * share))] for share in (0.50, 0.95, 0.99))
    each = ", ".join(f"{name[1:]} {statistics.median(times):.0f}" for name, times in waits.items())
    print(
        f"from key to changed screen: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms of {len(together)} ({each})"
    )
    print(f"memory {memory:.0f} MB")


def size(text: str) -> tuple[int, int]:
    columns, lines = map(int, text.split("x"))
    return columns, lines


def machine() -> str:
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text()) if sys.platform == "linux" else None
    return f"{os.cpu_count()} cores, {model[1] if model else 'processor unknown'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--lightning", metavar="PYTHON", help="of an environment with torch, lightning and rich")
    parser.add_argument("--sizes", nargs="+", type=size, default=SIZES, metavar="COLUMNSxLINES", help="of the app")
    parser.add_argument("--presses", type=int, default=20, help="rounds of keys")
    parser.add_argument("parts", nargs="*", metavar="start|keys|throughput", help="all, unless named")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program was compiled once and for all
    parts = {"start": start, "keys": keys, "throughput": throughput}
    print(machine())
    for part in options.parts or parts:
        parts[part](options)


if __name__ == "__main__":
    main()
