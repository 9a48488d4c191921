"""What it takes to read what other tools have recorded: a million numbers, two series of 500,000, in each form.

`python -m tests.benchmarks.bench_readers [FORM ...]`. Each is read in a process of its own, by what `attach` reads it
with: seconds, those of CPU, and the most memory that the process had, with Python and NumPy in it.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.foreign_records.event_files import VERSION, block, event, number, scalar
from tui_trainer.foreign_records.block_log import BLOCK
from tui_trainer.foreign_records.crc32c import masked_crc32c, masked_crc32c_of_rows
from tui_trainer.foreign_records.wandb_file import HEAD
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.run_sources.registry import open_source

STEPS = 500_000


def loss(step: int) -> float:
    return 1 / (1 + step)


def lr(step: int) -> float:
    return step / 2e6


def tensorboard(path: Path) -> None:
    events = [
        event(step, scalar(tag, of(step)), time=1.7e9 + step) for step in range(STEPS) for tag, of in SERIES.items()
    ]
    of_length: dict[int, list[int]] = {}
    for index, each in enumerate(events):
        of_length.setdefault(len(each), []).append(index)
    frames = [b""] * len(events)
    for length, indexes in of_length.items():  # one by one their CRCs would take minutes
        rows = np.frombuffer(b"".join(events[index] for index in indexes), np.uint8).reshape(len(indexes), length)
        size = struct.pack("<Q", length)
        head = size + struct.pack("<I", masked_crc32c(size))
        for index, crc in zip(indexes, masked_crc32c_of_rows(rows).tolist(), strict=True):
            frames[index] = head + events[index] + struct.pack("<I", crc)
    path.mkdir()
    (path / "events.out.tfevents.1700000000.box").write_bytes(VERSION + b"".join(frames))


def csv(path: Path) -> None:
    with path.open("w") as file:
        file.write("step,train/loss,lr\n")
        file.writelines(f"{step},{loss(step)},{lr(step)}\n" for step in range(STEPS))


def json_lines(path: Path) -> None:
    with path.open("w") as file:
        file.writelines(
            json.dumps({"step": step, "train/loss": loss(step), "lr": lr(step)}) + "\n" for step in range(STEPS)
        )


def trainer_state(path: Path) -> None:
    rows = [{"epoch": 0.5, "learning_rate": lr(step), "loss": loss(step), "step": step} for step in range(STEPS)]
    path.write_text(json.dumps({"global_step": STEPS, "log_history": rows}, indent=2))


def mlflow_database(path: Path) -> None:
    writer = sqlite3.connect(path)
    writer.executescript(
        "CREATE TABLE runs (run_uuid, name, status, start_time, end_time, lifecycle_stage);"
        "CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan);"
        "INSERT INTO runs VALUES ('a', 'r', 'RUNNING', 1, NULL, 'active');"
    )
    rows = ((tag, of(step), 1_700_000_000_000 + step, step) for step in range(STEPS) for tag, of in SERIES.items())
    writer.executemany("INSERT INTO metrics VALUES (?, ?, ?, 'a', ?, 0)", rows)
    writer.commit()
    writer.close()


def trackio(path: Path) -> None:
    writer = sqlite3.connect(path)
    writer.execute("CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp, run_name, step, metrics)")
    rows = ((step, json.dumps({"train/loss": loss(step), "lr": lr(step)})) for step in range(STEPS))
    values = "('2026-11-26T12:36:59.204447+00:00', 'r', ?, ?)"
    insert = f"INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES {values}"
    writer.executemany(insert, rows)
    writer.commit()
    writer.close()


def wandb(path: Path) -> None:
    """As the real one: of each step a record of what was logged, and one of the summary, which is longer."""
    made = bytearray(HEAD)
    for record in wandb_records():
        kind, left = b"\1", record
        while left:
            room = BLOCK - len(made) % BLOCK
            if room <= 7:
                made += bytes(room)
                continue
            part, left = left[: room - 7], left[room - 7 :]
            kind = (b"\1" if kind == b"\1" else b"\4") if not left else (b"\2" if kind == b"\1" else b"\3")
            made += struct.pack("<IHB", zlib.crc32(kind + part), len(part), kind[0]) + part
            kind = b"\2" if left else b"\1"
    path.write_bytes(made)


def wandb_records() -> Iterator[bytes]:
    """What the run is, its steps, and that it has ended."""
    yield number(1, 1) + block(17, block(1, "a") + block(3, "project"))
    for step in range(STEPS):
        cells = {
            "train/loss": loss(step),
            "lr": lr(step),
            "_timestamp": 1.7e9 + step,
            "_runtime": step / 10,
            "_step": step,
        }
        items = [block(2, name) + block(16, json.dumps(value)) for name, value in cells.items()]
        logged = b"".join(block(1, item) for item in items)
        yield number(1, 2 * step + 2) + block(2, logged + block(2, number(1, step)))
        yield number(1, 2 * step + 3) + block(3, logged)
    yield number(1, 2 * STEPS + 2) + block(18, number(1, 0))


SERIES: dict[str, Callable[[int], float]] = {"train/loss": loss, "lr": lr}

FORMS: dict[str, Callable[[Path], None]] = {
    each.__name__: each for each in (tensorboard, csv, json_lines, trainer_state, mlflow_database, trackio, wandb)
}


def read(path: Path) -> None:
    """Read a record, and print what it took."""
    began, cpu = time.perf_counter(), time.process_time()
    source = open_source(path)
    assert isinstance(source, ForeignSource)
    source.poll()
    first = time.perf_counter() - began
    while source.lags:
        source.poll()
    took = time.perf_counter() - began
    counts = [len(each.values) for each in source.history.series.values()]
    said = Path("/proc/self/status").read_text()
    most = int(said.partition("VmHWM:")[2].split()[0]) / 1024
    spent = time.process_time() - cpu
    print(f"{took:5.2f} s, {spent:5.2f} of CPU, a first piece after {first:4.2f} s; {most:4.0f} MB; numbers: {counts}")


def main() -> None:
    """Make each form, and have it read."""
    if sys.argv[1:2] == ["--read"]:
        read(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        for form in sys.argv[1:] or FORMS:
            FORMS[form](path := Path(name) / form)
            print(f"{form:16}", end="", flush=True)
            subprocess.run([sys.executable, "-m", "tests.benchmarks.bench_readers", "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
