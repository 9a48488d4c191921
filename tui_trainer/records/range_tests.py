"""Records of LR range tests, `RUNS/range-tests/<id>/range-test.json`: private, written once a test is over.

A range test is no run: it follows no schedule, validates nothing and cannot be gone on with. So it lies beside the
runs, as comparisons do, and whatever lists, resumes or compares runs does not meet it. The file says what was asked,
and the LR and the loss of every step; what they suggest follows from those (`lr_suggestions.py`).
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.files.safe_open import is_regular, make_dated_folder, read_regular
from tui_trainer.records import beside_runs
from tui_trainer.records.beside_runs import beginning_with, first_meant, folders_with
from tui_trainer.records.errors import ExportFailed, RunsError, RunsFolderUnwritable, RunUnreadable, reason

if TYPE_CHECKING:
    from tui_trainer.lr_suggestions import LRCurve
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_spec import RunSpec

SCHEMA = 1
FOLDER = "range-tests"
FILE = beside_runs.RANGE_TEST
TABLE = "range_test.csv"

OF_RUNS = ("preset_name", "dataset", "model", "device")
"""What was asked for that a list of runs tells in words."""

LARGEST = 64 << 20
"""Bytes of a file; a step takes some fifty."""

LR = Annotated[float, Meta(ge=1e-12, le=1e4)]


class RangeTestDamaged(RunsError):
    """A range test's file is not whole, or of a later version."""


class TestedSeed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one seed. Both lists have an item for each step that was made."""

    seed: int
    lrs: Annotated[list[LR], Meta(min_length=1, max_length=100_000)]
    losses: Annotated[list[float | None], Meta(min_length=1, max_length=100_000)]
    """None where one was not finite."""

    def curve(self, steps: int) -> LRCurve:
        """As it was made, in a test of so many steps.

        Raises:
            ValueError: it is none of a test that is over.
        """
        from tui_trainer.lr_suggestions import LRCurve  # attach looks for the id of a test, and waits for nothing else

        curve = LRCurve(steps)
        for lr, loss in zip(self.lrs, self.losses, strict=True):
            if curve.ended is not None:
                break
            curve.add(lr, nan if loss is None else loss)
        if curve.ended is None or len(curve.losses) != len(self.losses):
            raise ValueError(f"the steps of seed {self.seed} do not come to an end of {steps}")
        return curve


class RangeTestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that a range test's file says."""

    schema: int = SCHEMA
    id: str
    """The name of its folder; empty of one that is not written."""
    created_at: float
    """Unix time in seconds."""
    command: list[str]
    """The command line, what is secret in it blanked; empty of one that was made on the screen."""
    asked: dict[str, Any]
    """`RunSpec.model_dump(mode="json")` of what was tested."""
    lowest: LR
    highest: LR
    steps: Annotated[int, Meta(ge=1, le=100_000)]
    seeds: Annotated[list[TestedSeed], Meta(min_length=1, max_length=100)]

    @property
    def curves(self) -> dict[int, LRCurve]:
        """Of each seed."""
        return {tested.seed: tested.curve(self.steps) for tested in self.seeds}

    @property
    def spec(self) -> RunSpec:
        """What was tested.

        Raises:
            RangeTestDamaged: it is nothing that this version knows.
        """
        from tui_trainer.run_spec import RunSpec  # slow to load, and an export needs none

        try:
            return RunSpec.model_validate(self.asked)
        except ValueError as error:
            raise RangeTestDamaged(
                f"LR range test {self.id} was asked for what this version does not know: {error}"
            ) from error


def made_of(
    asked: Mapping[str, Any], command: Sequence[str], lowest: float, highest: float, curves: Mapping[int, LRCurve]
) -> RangeTestRecord:
    """What is to be recorded of a test that is over; `write` gives it its id.

    Args:
        asked: `RunSpec.model_dump(mode="json")`.
        command: the command line, as in `sys.argv`.
        lowest: the LR of the first step.
        highest: the LR of the last step, had all been made.
        curves: those of each seed.
    """
    from tui_trainer.text.secrets import blanked

    seeds = [
        TestedSeed(seed=seed, lrs=curve.lrs, losses=[loss if isfinite(loss) else None for loss in curve.losses])
        for seed, curve in curves.items()
    ]
    return RangeTestRecord(
        id="",
        created_at=time.time(),
        command=blanked(command),
        asked=dict(asked),
        lowest=lowest,
        highest=highest,
        steps=next(iter(curves.values())).steps,
        seeds=seeds,
    )


def write(runs: Path, record: RangeTestRecord) -> RangeTestRecord:
    """Record a test, in a new folder; the record with its id.

    Args:
        runs: the folder of all runs; made, private, if it is not there.
        record: as `made_of` has it.

    Raises:
        RunsFolderUnwritable: with what, where and what to do. Nothing is left behind.
    """
    folder = None
    try:
        (runs / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)
        label = str(record.asked.get("preset_name", ""))
        folder = make_dated_folder(runs / FOLDER, label, record.created_at, "range-test")
        named = replace(record, id=folder.name)
        write_atomic(folder / FILE, msgspec.json.encode(named) + b"\n")
    except OSError as cause:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise RunsFolderUnwritable(runs / FOLDER, cause) from cause
    return named


def read(folder: Path) -> RangeTestRecord:
    """The test whose record lies in a folder.

    Raises:
        RunUnreadable: it cannot be read.
        RangeTestDamaged: it is none, or not whole, or of a later version.
    """
    path = folder / FILE
    try:
        content = read_regular(path, LARGEST)
    except OSError as cause:
        raise RunUnreadable(path, cause) from cause
    return decode(content, str(path))


def decode(content: bytes, path: str) -> RangeTestRecord:
    """The test that a file says, which lies at `path`.

    Raises:
        RangeTestDamaged: as `read`.
    """
    try:
        record = msgspec.json.decode(content, type=RangeTestRecord)
        if not 1 <= record.schema <= SCHEMA:
            raise RangeTestDamaged(f"{path} has form {record.schema}, which this version does not know.")
        _ = record.curves
    except (msgspec.MsgspecError, ValueError, RecursionError) as cause:
        raise RangeTestDamaged(f"{path} is damaged: {cause}.") from cause
    return record


def folders(runs: Path) -> list[Path]:
    """Those of all range tests, newest first.

    Raises:
        RunUnreadable: the folder of them cannot be read.
    """
    return folders_with(runs / FOLDER, FILE)


def find(runs: Path, given: str) -> Path | None:
    """The folder of the test that goes by an id, the unique start of one, or its path; None where none does.

    Raises:
        RunNotFound: several do.
        RunUnreadable: the folder of them cannot be read.
    """
    found = folders(runs)
    exactly = [folder for folder in found if folder.name == given]
    return first_meant(given, exactly, beginning_with(given, found), _at(given))


def _at(given: str) -> list[Path]:
    """The folder that a path means, if a test lies there."""
    try:
        path = given_path(given) if os.sep in given else None
        return [path] if path is not None and is_regular(path / FILE) else []
    except (BadPath, OSError):
        return []


def summarize(folder: Path) -> RunSummary:
    """A test in a line of a list of runs, with what each rule suggests as its `metrics`. What of it cannot be read is
    among its `flaws`."""
    from tui_trainer.lr_suggestions import middle, of_seeds
    from tui_trainer.records.summary import RANGE_TEST, SPARK_POINTS, RunSummary, config_of

    flaws, asked, suggested, losses, steps, seed = [], {}, {}, [], 0, None
    created: float | None = None
    try:
        record = read(folder)
    except RunsError as error:
        flaws.append(str(error))
    else:
        asked, created, seed = record.asked, record.created_at, record.seeds[0].seed
        curves = record.curves.values()
        suggested = {str(rule): middle(lrs) for rule, lrs in of_seeds(curves).items()}
        points = max((curve.points for curve in curves), key=len)
        parts = min(SPARK_POINTS, len(points))
        losses = [points[part * len(points) // parts].loss for part in range(parts)]
        steps = sum(len(curve.losses) for curve in curves)
    texts = {key: value if isinstance(value := asked.get(key), str) else None for key in OF_RUNS}
    return RunSummary(
        id=folder.name,
        status="finished",
        preset=texts["preset_name"],
        dataset=texts["dataset"],
        model=texts["model"],
        device=texts["device"],
        seed=seed,
        epochs_done=0,
        steps_done=steps,
        started_at=created,
        ended_at=created,
        elapsed_s=0.0,
        folder=str(folder),
        loss=losses,
        flaws=flaws,
        metrics=suggested,
        config=config_of(asked),
        tool=RANGE_TEST,
    )


def rows(record: RangeTestRecord) -> Iterator[tuple[int, int, float, float | str, float | str]]:
    """Seed, step, LR, loss and smoothed loss of every step, as `find-lr` tells them; empty where there is none."""
    for seed, curve in record.curves.items():
        smoothed = dict(enumerate((point.loss for point in curve.points), curve.settling + 1))
        for step, (lr, loss) in enumerate(zip(curve.lrs, curve.losses, strict=True), 1):
            yield seed, step, lr, loss if isfinite(loss) else "nan", smoothed.get(step, "")


def export(record: RangeTestRecord, out: Path) -> Path:
    """Write `range_test.csv`: `seed,step,lr,loss,smoothed`, a row a step; the numbers are read back as the same floats.

    Raises:
        ExportFailed: it cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("seed", "step", "lr", "loss", "smoothed"))
    writer.writerows(rows(record))
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / TABLE, table.getvalue().encode(), private=False)
    except OSError as cause:
        raise ExportFailed(f"cannot write {out / TABLE}: {reason(cause)}.") from cause
    return out / TABLE
