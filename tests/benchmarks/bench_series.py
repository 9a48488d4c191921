"""What named series cost: `python -m tests.benchmarks.bench_series`.

Four records of a million steps: loss and LR alone, 25 steps a line; with two further numbers of each step beside them;
the same with a row of three others behind each line, as of norms that are taken now and then; and all four logged by
name, a line a step, as a loop of somebody else's is recorded. Of each: CPU time of writing, CPU time of opening as
viewers do (packed, and by its lines where there is no packed cache), the memory that it takes, and CPU time of its line
in the list of runs. Then a viewer's CPU time for 200 series that are logged ten times a second, for ten seconds, in
blocks as a poll finds them; and that of the whole screen, in a terminal of 140×40 on the run and on the metrics page.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.benchmarks.bench_app import Raw
from tui_trainer.events import SCHEMA, AnyEvent, MetricsLogged, RunStarted, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.journal_cache import packed_beside
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail

STEPS = 1_000_000
A_LINE = 25
KINDS = ("loss and LR", "two more a step", "rows between", "four by name")
SERIES, A_SECOND, SECONDS = 200, 10, 10
SETTLES = 4
"""Seconds of a screen that are not counted."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for kind in KINDS:
            journal = Path(name) / kind / "events.jsonl"
            journal.parent.mkdir()
            spent = _write(journal, kind)
            size = journal.stat().st_size / STEPS
            (journal.parent / "run.json").write_text("{}")
            packed, listed = _opened(journal), _listed(journal.parent)
            packed_beside(journal).unlink()
            lines = _opened(journal)
            print(
                f"{kind:18}  written {spent / STEPS * 1e6:5.2f} µs a step, {size:4.0f} bytes;  "
                f"opened {packed[0]:5.2f} s packed, {lines[0]:5.2f} s by lines;  {packed[1]:4.0f} MiB;  "
                f"listed {listed:5.2f} s"
            )
        print(f"{SERIES} series at {A_SECOND} steps a second: {_followed(Path(name)):.1%} of a core")
        shown = [f"{where} {_shown(Path(name) / where, keys):.1%}" for where, keys in (("run", ""), ("metrics", "m"))]
        print(f"with the screen: {', '.join(shown)}")


def events(kind: str) -> Iterator[AnyEvent]:
    """A run of a million steps."""
    rng = random.Random(0)
    numbers = [float(f"{rng.random():.9g}") for _ in range(4 * A_LINE)]
    for first in range(1, STEPS + 1, A_LINE):
        at, elapsed = 1e9 + first / 125, [round((first + i) / 125, 4) for i in range(A_LINE)]
        one, two, three = (numbers[i * A_LINE : (i + 1) * A_LINE] for i in range(3))
        lrs = [0.1 - 1e-8 * (first + i) for i in range(A_LINE)]
        if kind == "four by name":
            for i in range(A_LINE):
                values = {"loss": one[i], "lr": lrs[i], "grad_norm": two[i], "accuracy": three[i]}
                yield MetricsLogged(at=at, step=first + i, values=values, elapsed=elapsed[i])
        else:
            more = {} if kind == "loss and LR" else {"grad_norm": two, "weight_norm": three}
            yield StepsTaken(
                at=at, step=first, epoch=1, batch=first, losses=[*one], lrs=lrs, elapsed=elapsed, metrics=more
            )
            if kind == "rows between":
                values = {"update_ratio": one[0], "memory": two[0], "images": three[0]}
                yield MetricsLogged(at=at, step=first + A_LINE - 1, epoch=1, values=values, elapsed=elapsed[-1])


def _write(path: Path, kind: str) -> float:
    journal, spent = Journal(path), 0.0
    for event in events(kind):
        began = time.thread_time()
        journal.emit(event)
        spent += time.thread_time() - began
    journal.close()
    return spent


def _listed(folder: Path) -> float:
    began = time.thread_time()
    summarize(folder)
    return time.thread_time() - began


def _opened(path: Path) -> tuple[float, float]:
    """CPU seconds and MiB of opening it in a process of its own."""
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        before, began = psutil.Process().memory_info().rss, time.process_time()
        history = History()
        with Tail(path, packed=True) as tail:
            for event in tail:
                history.apply(event)
        spent = time.process_time() - began
        assert history.last_step == STEPS
        os.write(write, f"{spent} {(psutil.Process().memory_info().rss - before) / 2**20}".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        spent, taken = map(float, told.read().split())
    os.waitpid(child, 0)
    return spent, taken


def _followed(folder: Path) -> float:
    """The share of a core that decoding and folding take."""
    path = folder / "followed.jsonl"
    path.write_bytes(b"")
    journal, history = Journal(path), History()
    spent, rng = 0.0, random.Random(0)
    with Tail(path, packed=True) as tail:
        for step in range(A_SECOND * SECONDS):
            values = {f"layer{i}/norm": rng.random() for i in range(SERIES)}
            journal.emit(MetricsLogged(at=1e9 + step / A_SECOND, step=step, values=values, elapsed=step / A_SECOND))
            began = time.thread_time()
            for event in tail:
                history.apply(event)
            spent += time.thread_time() - began
    journal.close()
    assert len(history.series) == SERIES
    return spent / SECONDS


def _shown(folder: Path, keys: str) -> float:
    """The share of a core that the whole viewer takes, once it has settled."""
    record, over = Record.create(folder, {"preset_name": "norms"}), threading.Event()
    record.emit(RunStarted(at=time.time(), run=record.id, schema=SCHEMA, pid=os.getpid(), host=socket.gethostname()))

    def log() -> None:
        step, rng = 0, random.Random(0)
        while not over.wait(1 / A_SECOND):
            step += 1
            values = {f"layer{i}/norm": rng.random() for i in range(SERIES)}
            record.emit(MetricsLogged(at=time.time(), step=step, values=values, elapsed=step / A_SECOND))

    writing = threading.Thread(target=log)
    writing.start()
    try:
        with Raw("attach", "--runs-dir", str(folder), preloaded=False) as terminal:
            terminal.until_bytes(b"norms")
            if keys:
                terminal.press(keys)
                terminal.until_bytes(b"metrics")
            terminal.drain(SETTLES)
            viewer = psutil.Process(terminal.pid)
            began = sum(viewer.cpu_times()[:2])
            terminal.drain(SECONDS)
            return (sum(viewer.cpu_times()[:2]) - began) / SECONDS
    finally:
        over.set()
        writing.join()
        record.close()


if __name__ == "__main__":
    sys.exit(main())
