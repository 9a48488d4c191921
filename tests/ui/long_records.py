"""Records as long as a night of training makes them, for what must not be felt on a screen."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from tests.scripted import scripted_run
from tui_trainer.events import AnyEvent, RunEnded, RunStarted
from tui_trainer.records.record import Record

STEPS = 200_000
EPOCHS = 20


@cache
def long_run() -> list[AnyEvent]:
    """A run of `STEPS` steps."""
    return scripted_run(epochs=EPOCHS, batches=STEPS // EPOCHS, steps_a_line=40, status=None)


def record(runs: Path, name: str, events: Iterable[AnyEvent], *, close: bool = True) -> Record:
    """The record of a run that does not say goodbye by itself, and is live unless it is closed."""
    made = Record.create(runs, {"preset_name": "steplr", "name": name, "dataset": "mnist-5k", "model": "cnn"})
    for event in events:
        made.emit(event)
    if close:
        made.close()
    return made


def many_of(record: Path, count: int) -> list[Path]:
    """So many records beside one with the same journal: the bytes of it are there once."""
    made = []
    for number in range(count):
        folder = record.with_name(f"{record.name[:-4]}{random.Random(number).randbytes(2).hex()}-{number}")
        folder.mkdir(mode=0o700)
        facts = msgspec.json.decode((record / "run.json").read_bytes())
        facts |= {"id": folder.name, "name": f"{facts['name']} {number}"}
        (folder / "run.json").write_bytes(msgspec.json.encode(facts))
        for file in ("events.jsonl", "events.packed", "lock"):
            if (record / file).exists():
                os.link(record / file, folder / file)
        made.append(folder)
    return made


def finished(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """The same with an end."""
    listed = list(events)
    started = next(event for event in listed if isinstance(event, RunStarted))
    end = RunEnded(at=listed[-1].at, status="finished", reason="", step=STEPS, epoch=EPOCHS, exit_code=0)
    assert started
    return [*listed, end]
