"""What records cost: `python -m tests.benchmarks.bench_records`.

A record of a million steps, 25 a line with the times of their calls beside, as a run at 125 batches a second writes it:
its size, how fast it is written, read, folded into a history (by its lines, and packed, as a viewer reads it) and
exported, and the memory of that history. Then a list of a hundred runs of 10,000 steps. The files are in the page
cache. Of reading, the time is this process's CPU time, which a busy machine stretches less than the clock's.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from tests.scripted import START, float32, scripted_run
from tui_trainer.events import CALLS, AnyEvent, CallsTimed, StepsTaken
from tui_trainer.records.export import export_csv
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.journal_cache import packed_beside
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import summaries
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.run_source import replay

STEPS = 1_000_000
A_LINE = 25
EPOCHS = 20
REPEATS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = folder / "long" / "events.jsonl"
        journal.parent.mkdir()
        events = list(long_run())
        spent = _seconds(lambda: _write(journal, events), repeats=1)
        sizes = [file.stat().st_size / STEPS for file in (journal, packed_beside(journal))]
        _row("write", f"{spent / STEPS * 1e6:.2f} µs a step; {sizes[0]:.0f} bytes, and {sizes[1]:.0f} packed")
        events.clear()
        _row("read", f"{_seconds(lambda: _read(journal), clock=time.process_time):.2f} s")
        _row("read and fold", f"{_seconds(lambda: _fold(journal), clock=time.process_time):.2f} s")
        _row("the same, packed", f"{_seconds(lambda: replay(journal.parent), clock=time.process_time):.2f} s")
        before = _resident()
        history = replay(journal.parent)
        _row("history in memory", f"{(_resident() - before) / 2**20:.0f} MiB for {history.steps:,} steps")
        _row("one line of a list", f"{_seconds(lambda: summarize(journal.parent)) * 1e3:.0f} ms")
        _row("export", f"{_seconds(lambda: export_csv(journal.parent, folder / 'out'), repeats=1):.1f} s")
        runs = folder / "runs"
        _hundred(runs)
        _row("list of 100 runs of 10,000 steps", f"{_seconds(lambda: summaries(runs)) * 1e3:.0f} ms")


def long_run() -> Iterator[AnyEvent]:
    """A run of a million steps, an event at a time."""
    rng = random.Random(0)
    elapsed = 0.0
    yield from scripted_run(epochs=EPOCHS, batches=STEPS // EPOCHS, steps_a_line=10**9)[:6]
    for first in range(1, STEPS + 1, A_LINE):
        times = []
        for _ in range(A_LINE):
            elapsed += rng.uniform(0.007, 0.009)
            times.append(round(elapsed, 4))
        steps = StepsTaken(
            at=START + elapsed,
            step=first,
            epoch=(first - 1) * EPOCHS // STEPS + 1,
            batch=(first - 1) % (STEPS // EPOCHS) + 1,
            losses=[float32(rng.uniform(0.01, 2.3)) for _ in range(A_LINE)],
            lrs=[rng.uniform(0, 0.1) for _ in range(A_LINE)],
            elapsed=times,
        )
        seconds = {call: round(rng.random() / 10, 6) for call in CALLS[:6]}
        counts = dict.fromkeys(CALLS[:6], A_LINE)
        yield steps
        yield CallsTimed(at=START + elapsed, counts=counts, seconds=seconds, running="forward")


def _write(path: Path, events: list[AnyEvent]) -> None:
    journal = Journal(path)
    for event in events:
        journal.emit(event)
    journal.close()


def _read(path: Path) -> None:
    with Tail(path) as tail:
        for _ in tail:
            pass


def _fold(path: Path) -> History:
    history = History()
    with Tail(path) as tail:
        for event in tail:
            history.apply(event)
    return history


def _hundred(runs: Path) -> None:
    events = scripted_run(epochs=10, batches=1000, steps_a_line=A_LINE)
    for _ in range(100):
        record = Record.create(runs, {"preset_name": "steplr"})
        for event in events:
            record.emit(event)
        record.close()


def _seconds(
    action: Callable[[], object], repeats: int = REPEATS, clock: Callable[[], float] = time.perf_counter
) -> float:
    took = []
    for _ in range(repeats):
        began = clock()
        action()
        took.append(clock() - began)
    return statistics.median(took)


def _resident() -> int:
    return psutil.Process().memory_info().rss


def _row(what: str, figure: str) -> None:
    print(f"{what:34}{figure}", flush=True)


if __name__ == "__main__":
    main()
