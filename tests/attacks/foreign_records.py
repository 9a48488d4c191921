"""Damaged records of other tools, thrown at their readers: read or refused, in little time and without an error.

`python -m tests.attacks.foreign_records [NUMBER] [SEED]` throws so many of each form; 2,000 where no number is given.
"""

from __future__ import annotations

import json
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.attacks.mutations import flip_bits
from tests.foreign_records.event_files import VERSION, block, event, frame, scalar, scalars, start, tensor
from tests.foreign_records.test_settings import HPARAMS, of_session
from tests.foreign_records.test_wandb import history, log
from tui_trainer.foreign_records.forms import records_in
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.series import Series
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.run_sources.registry import open_source

LONGEST_S = 2.0


def damaged(chance: random.Random, content: bytes) -> bytes:
    """Bits that flip, parts that are lost, doubled or of another file, and an end too early."""
    for _ in range(chance.choice((1, 1, 2, 5))):
        at, other = sorted((chance.randrange(len(content) + 1), chance.randrange(len(content) + 1)))
        match chance.randrange(6):
            case 0 | 1:
                content = flip_bits(chance, content) if content else content
            case 2:
                content = content[:at] + content[other:]
            case 3:
                content = content[:other] + content[at:]
            case 4:
                content = content[:at] + chance.randbytes(chance.choice((1, 4, 8, 300))) + content[at:]
            case _:
                content = content[:other]
    return content[: 4 << 20]


def _mended(chance: random.Random) -> bytes:
    """Events whose CRCs are right and whose content is damaged."""
    events = [event(step, scalar("loss", step)) for step in range(20)] + [
        event(9, tensor("x", 1, b"", "scalars", (1,)))
    ]
    return VERSION + b"".join(frame(damaged(chance, each) if chance.random() < 0.5 else each) for each in events)


def _log(chance: random.Random) -> bytes:
    records = [history(step, loss=step, val__acc=0.5) for step in range(20)]
    return bytes(log(*(damaged(chance, each) if chance.random() < 0.3 else each for each in records)))


def _database(folder: Path) -> bytes:
    path = folder / "made.db"
    writer = sqlite3.connect(path)
    writer.execute(
        "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp, run_name TEXT, step INTEGER, metrics TEXT)"
    )
    writer.executemany(
        "INSERT INTO metrics (timestamp, run_name, step, metrics) VALUES (?, 'r', ?, ?)",
        [("2026-01-01T00:00:00", step, json.dumps({"loss": step})) for step in range(200)],
    )
    writer.commit()
    writer.close()
    content = path.read_bytes()
    path.unlink()
    return content


TABLE = "step,loss,lr\n" + "".join(f"{step},{step / 3},0.1\n" for step in range(60))
LINES = "".join(json.dumps({"step": step, "loss": step / 3, "val": {"acc": 0.5}}) + "\n" for step in range(60))
STATE = json.dumps({"log_history": [{"step": step, "loss": step / 3, "epoch": 0.5} for step in range(60)]})
EVENTS = VERSION + start(0) + scalars("loss", range(60)) + scalars("acc", range(200, 260))

SETTINGS = of_session(lr=0.1, nesterov=True, opt="sgd")
CONFIG = block(
    5, block(1, block(1, "lr") + block(16, "0.1")) + block(1, block(2, "a") + block(2, "b") + block(16, "[1]"))
)


def forms_of(folder: Path) -> dict[str, Callable[[random.Random], bytes]]:
    """How a damaged record of each form is made."""
    database = _database(folder)
    return {
        "TensorBoard": lambda chance: damaged(chance, EVENTS),
        "TensorBoard, CRCs right": _mended,
        "W&B": lambda chance: damaged(chance, _log(random.Random(0))),
        "W&B, CRCs right": _log,
        "CSV": lambda chance: damaged(chance, TABLE.encode()),
        "JSON lines": lambda chance: damaged(chance, LINES.encode()),
        "Hugging Face": lambda chance: damaged(chance, STATE.encode()),
        "hyperparameters": lambda chance: damaged(chance, SETTINGS),
        "hyperparameters, CRCs right": lambda chance: VERSION + frame(damaged(chance, SETTINGS[12:-4])) + EVENTS,
        "W&B's settings, CRCs right": lambda chance: bytes(log(damaged(chance, CONFIG), history(1, loss=1))),
        "database": lambda chance: damaged(chance, database),
    }


VALUES: dict[str, Callable[[int], float]] = {"loss": lambda step: step / 2, "lr": lambda _: 0.5}
ROWS = [{"step": step, **{name: value(step) for name, value in VALUES.items()}} for step in range(60)]
SEVERAL = {
    "events.out.tfevents.1700000000.box": VERSION + scalars("loss", range(60)) + scalars("lr", range(60), 0.5),
    "metrics.json": "".join(json.dumps(row) + "\n" for row in ROWS).encode(),
    "progress.csv": ("step,loss,lr\n" + "".join(",".join(map(str, row.values())) + "\n" for row in ROWS)).encode(),
}
"""A folder in which a tool keeps one run in several forms; the CRCs of the first tell what of it is damaged."""


def findings_in_folders(folder: Path, count: int, seed: int) -> Iterator[str]:
    """What went wrong with so many folders that hold one run in several forms, of which some are damaged.

    No step of a series may be there twice, and where the tables are sound, each number is the one that was logged.
    """
    path = folder / "several"
    path.mkdir()
    for number in range(count):
        chance = random.Random(f"several {seed} {number}")
        contents = {name: damaged(chance, each) if chance.random() < 0.5 else each for name, each in SEVERAL.items()}
        are_sound = all(content == SEVERAL[name] for name, content in contents.items() if "tfevents" not in name)
        for name, content in contents.items():
            (path / name).write_bytes(content)
        yield from _wrong(f"several forms {number}", partial(_wrong_series, path, are_sound))


def _wrong_series(folder: Path, are_sound: bool) -> Iterator[str]:
    """What is wrong with what is read there."""
    for record in records_in(folder):
        for name, series in _read(record.path).items():
            if len(set(series.steps)) < len(series.steps):
                yield f"a step of {name} twice"
            told = zip(series.steps, series.values, strict=True)
            if are_sound and any(value != VALUES[name](step) for step, value in told if value == value):
                yield f"another number of {name}"


def findings(folder: Path, form: str, make: Callable[[random.Random], bytes], count: int, seed: int) -> Iterator[str]:
    """What went wrong with so many of a form."""
    path, beside = folder / "record", folder / "hparams.yaml"
    for number in range(count):
        beside.write_bytes(damaged(random.Random(f"beside {seed} {number}"), HPARAMS.encode()))
        path.write_bytes(make(random.Random(f"{form} {seed} {number}")))
        yield from _wrong(f"{form} {number}", partial(_nothing_wrong, path))


def _nothing_wrong(path: Path) -> tuple[()]:
    _read(path)
    return ()


def _wrong(what: str, read: Callable[[], Iterable[str]]) -> Iterator[str]:
    """What went wrong as it was read: what that tells of, an error, or that it took too long."""
    began = time.process_time()
    try:
        for each in read():
            yield f"{what}: {each}"
    except RunNotFound:
        pass
    except Exception as error:
        yield f"{what}: {type(error).__name__}: {error}"
    if (took := time.process_time() - began) > LONGEST_S:
        yield f"{what}: {took:.1f} s"


def _read(path: Path) -> Mapping[str, Series]:
    """As a person would, whatever form it seems to have: what it tells."""
    source = open_source(path)
    assert isinstance(source, ForeignSource)
    source.LOOK_EVERY_S = 0.0
    for _ in range(1000):
        if not source.poll():
            break
    source.close()
    return source.history.series


def main() -> int:
    """Attack, and tell what was found; 1 if anything was."""
    count, seed = (int(given) for given in (sys.argv[1:] + ["2000", "0"][len(sys.argv) - 1 :]))
    found: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for form, make in forms_of(Path(name)).items():
            began = time.monotonic()
            new = list(findings(Path(name), form, make, count, seed))
            found += new
            print(f"{count} of {form}: {len(new)} findings, {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        new = list(findings_in_folders(Path(name), count, seed))
        found += new
        print(f"{count} folders of several forms: {len(new)} findings, {time.monotonic() - began:.0f} s", flush=True)
    print(*found, sep="\n")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at the most")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
