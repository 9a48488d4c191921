"""What a tool writes, followed as a screen follows it, until its writer is killed; and what its files hold then."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.foreign_records.live_writer import SERIES
from tests.waiting import PATIENCE_S, until
from tui_trainer.foreign_records import forms
from tui_trainer.records.history import History
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import RunSource

LOOKS_A_SECOND = 30
"""As often as a screen asks a source."""

Series = dict[str, list[tuple[int, float]]]


class Writer(Protocol):
    """A process that writes."""

    def poll(self) -> int | None: ...


class Compared(NamedTuple):
    """What was followed against what the files hold."""

    numbers: int
    missed: int
    doubled: int
    """Or otherwise too much."""
    within_a_step: bool
    """Whether the writer was killed while it wrote the numbers of one."""


def record_in(folder: Path, writer: Writer) -> Path:
    """What it writes, once there is something that is recognised."""
    found: list[forms.Record] = []

    def is_there() -> bool:
        assert writer.poll() is None, "the writer ended"
        found[:] = [record for record in forms.records_in(folder) if record.path.suffix != ".log"]
        return bool(found)

    until(is_there)
    return found[0].path


def logged(history: History) -> Series:
    return {
        name: list(zip(series.steps, series.values, strict=True))
        for name, series in history.series.items()
        if name.endswith("/loss")
    }


def follow(source: RunSource, condition: Callable[[], bool]) -> float:
    """Poll it as a screen does; seconds of CPU that it took. Fails after so long."""
    began, deadline = time.process_time(), time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"of {source.folder} there is {source.history.series.keys()}"
        source.poll()
        time.sleep(1 / LOOKS_A_SECOND)
    return time.process_time() - began


def killed(folder: Path, writer: Writer, kill: Callable[[], object], seconds: float) -> Compared:
    """Follow a writer, kill it after so many seconds, and compare."""
    path = record_in(folder, writer)
    source = open_source(path)
    try:
        follow(source, lambda: len(logged(source.history)) == SERIES)
        end = time.monotonic() + seconds
        follow(source, lambda: time.monotonic() > end)
        kill()
        truth = anew(path)
        count = sum(map(len, truth.values()))
        patience = time.monotonic() + 5  # a look has come by then that shows what is missed
        follow(source, lambda: time.monotonic() > patience or count <= sum(map(len, logged(source.history).values())))
        have = logged(source.history)
    finally:
        source.close()
    missed = sum(len(set(points) - set(have.get(name, []))) for name, points in truth.items())
    expected = {name: set(points) for name, points in truth.items()}
    doubled = sum(len(points) - len(expected.get(name, set()) & set(points)) for name, points in have.items())
    return Compared(count, missed, doubled, len({len(points) for points in truth.values()}) > 1)


def anew(path: Path) -> Series:
    """What the files hold, read from their beginning: a table by the standard library, others by ours, whose steps of
    event files are compared with those that TensorBoard's own reader has."""
    if path.suffix == ".csv":
        found: Series = {}
        *rows, _ = path.read_text().split("\n")  # the last one is not whole
        for row in csv.DictReader(rows):
            for name, value in row.items():
                if name.endswith("/loss") and value:
                    found.setdefault(name, []).append((int(row["step"]), float(value)))
        return found
    source = open_source(path)
    while source.poll() or source.lags:
        pass
    source.close()
    found = logged(source.history)
    if files := list(path.rglob("*tfevents*")):
        assert {name: [step for step, _ in points] for name, points in found.items()} == by_tensorboard(files)
    return found


def by_tensorboard(files: Collection[Path]) -> dict[str, list[int]]:
    """The steps of each series, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    found: dict[str, list[int]] = {}
    for file in files:
        for event in LegacyEventFileLoader(str(file)).Load():
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found
