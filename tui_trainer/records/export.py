"""A record as CSV files that any tool reads: what every step, epoch and call was, and every number of every series,
from the journal alone. As one file of JSON lines, in the form of `stream`. And as TensorBoard reads it: scalars and
texts in an event file, written by TensorBoard's own package.

What every form of an export shares: the journal's events, each once, and files that are whole or not there.
"""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from math import inf, isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, TypeAlias

import msgspec

from tui_trainer.events import (
    MOMENTUM,
    SCHEMA,
    AnyEvent,
    CallsMade,
    EpochEnded,
    LRChanged,
    PresetSwitched,
    RunEnded,
    RunStarted,
    StepsTaken,
)
from tui_trainer.files.atomic import atomic_files
from tui_trainer.files.safe_open import open_regular
from tui_trainer.records.errors import ExportCutShort, ExportFailed, reason, unsaid
from tui_trainer.records.history import is_told
from tui_trainer.records.lines import LARGEST_JOURNAL
from tui_trainer.records.metric_rows import Row, StandingRows, rows_of
from tui_trainer.records.resume_filter import ResumeFilter
from tui_trainer.records.run_metadata import last_words, later_form, read_facts
from tui_trainer.records.series import OF_STEPS
from tui_trainer.records.stream_form import StreamForm
from tui_trainer.records.tail import Tail
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import float32_text, lr_change

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event as Written

_NO_PLACE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""What a path meets where nobody could write, or not this user: another one wants to be named."""


class LREvent(NamedTuple):
    """A change of the LR that a person would call one. `step` is the last one taken with the old LR."""

    at: float
    step: int
    epoch: int
    old: float
    new: float
    reason: str


class LREvents:
    """Finds the changes of the LR in a run's events, a switch of presets among them."""

    def __init__(self) -> None:
        self._lr: float | None = None
        """What the next step would use, as far as is known."""
        self._switch: PresetSwitched | None = None
        """One whose first LR is not known yet."""

    def of(self, event: AnyEvent) -> list[LREvent]:
        """The changes that are known since this event."""
        match event:
            case PresetSwitched():
                self._switch = event
            case LRChanged(at=at, step=step, epoch=epoch, old=old, new=new, reason=reason):
                if not event.group:
                    self._lr, self._switch = new, None
                return [LREvent(at, step, epoch, old, new, reason)]
            case StepsTaken():
                changes = self._switched(event)
                self._lr = event.lrs[-1] if event.lrs else None
                return changes
        return []

    def _switched(self, event: StepsTaken) -> list[LREvent]:
        """A switch tells no LR itself: the first step after it does."""
        switch, self._switch = self._switch, None
        if switch is None or self._lr is None or not event.lrs:
            return []
        reason = say("record.switched", old=switch.old, new=switch.recipe.preset)
        return [LREvent(switch.at, switch.step - 1, switch.epoch, self._lr, event.lrs[0], reason)]


class Recorded(Protocol):
    """A run that can be exported: of another tool, say."""

    name: str
    """What a folder of its own is called."""
    tables: Collection[str]
    """Which files of `HEADERS` it has something for."""

    def events(self, warn: Callable[[str], None], most: int | None = None) -> Iterator[AnyEvent]:
        """What happened in it, each time the same; so many events at most. At the end `warn` is told what is wrong."""


class OurRecord:
    """A run whose record lies in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        ExportFailed: it has no journal that can be read.
        """
        self.name = folder.name
        self.tables: Collection[str] = HEADERS
        self._journal = journal_of(folder)

    def events(self, warn: Callable[[str], None], most: int | None = None) -> Iterator[AnyEvent]:
        return new_events(self._journal, warn, most)


def recorded(run: Path | Recorded) -> Recorded:
    """What is exported: the record in a folder, or what stands for another one."""
    return OurRecord(run) if isinstance(run, Path) else run


def journal_of(run: Path) -> Path:
    """The journal in a run's folder.

    Raises:
        ExportFailed: there is none that can be read.
    """
    journal = run / "events.jsonl"
    try:
        os.close(open_regular(journal, most=LARGEST_JOURNAL))
    except FileNotFoundError:
        raise ExportFailed(f"{run} holds no events.jsonl: there is nothing to export.") from None
    except OSError as cause:
        raise ExportFailed(f"{journal} cannot be read: {reason(cause)}.") from cause
    return journal


def new_events(journal: Path, warn: Callable[[str], None], most: int | None = None) -> Iterator[AnyEvent]:
    """The events of a journal, each step, epoch and change once, however often the run was resumed.

    Args:
        journal: the file.
        warn: told at its end of what could not be read, is missing or contradicts itself, if anything.
        most: so many events are the end, of a journal that grows.
    """
    known = ResumeFilter()
    left = inf if most is None else most
    ended = False
    form = later_form(read_facts(journal.parent).get("schema", SCHEMA))
    with Tail(journal) as tail:
        for event in tail:
            if isinstance(event, RunStarted):
                form = form or later_form(event.schema)
            if isinstance(event, RunStarted | RunEnded):
                ended = isinstance(event, RunEnded)
            for new in known.take(event):
                if left > 0:
                    left -= 1
                    yield new
            if left <= 0:
                break
    known.go_on()  # nothing comes any more that could confirm what is in doubt
    if form:
        warn(say("record.form_in_doubt", why=form))
    if not ended and (goodbye := last_words(journal.parent)) is not None:
        warn(f"{say('record.cut_off', step=f'{known.steps:,}')}; {goodbye.reason}")
    for flaw in (*tail.flaws, *known.flaws.in_words()):
        warn(flaw)


class Reading:
    """A record that is read twice: first to see what later numbers take the place of, then to be written."""

    def __init__(self, run: Recorded, warn: Callable[[str], None]) -> None:
        """Read it once, up to where it ends now."""
        self._run, self._warn = run, warn
        self.rows = StandingRows(run.events(unsaid))

    def again(self) -> Iterator[AnyEvent]:
        """The same events, and what is wrong with them to `warn`."""
        return self._run.events(self._warn, self.rows.count)


def export_failed(run: Recorded, out: Path, cause: OSError) -> ExportFailed:
    """What to raise where a run could not be written to `out`."""
    kind = ExportFailed if cause.errno in _NO_PLACE else ExportCutShort
    place = cause.filename if cause.errno == errno.EISDIR and cause.filename else out
    return kind(f"cannot export {run.name} to {place}: {reason(cause)}.")


@contextmanager
def whole_files(out: Path, names: Iterable[str]) -> Iterator[Mapping[str, BinaryIO]]:
    """The files of an export, open under other names and put in their places when all are whole.

    Raises:
        OSError: the folder cannot be made, or a file not written; what stood there stands.
    """
    names = list(names)
    for place in (out / name for name in names):
        if place.is_dir() and not place.is_symlink():  # only the last step would fail, with other files replaced
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        with atomic_files([out / name for name in names], private=False) as files:
            yield dict(zip(names, files, strict=True))
    except BaseException:
        with suppress(OSError):  # somebody else has put something there
            for folder in made:
                folder.rmdir()
        raise


Cells: TypeAlias = Sequence[Any]

HEADERS = {
    "steps.csv": ("step", "epoch", "batch", "train_loss", "lr", "elapsed_s"),
    "epochs.csv": (
        "epoch",
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "lr",
        "images_per_second",
        "elapsed_s",
    ),
    "order.csv": ("epoch", "batch", "call"),
    "lr_events.csv": ("step", "epoch", "old_lr", "new_lr", "reason"),
    "metrics.csv": ("step", "epoch", "elapsed_s", "name", "value"),
}
"""The files and their columns. Steps, epochs and batches count from 1; times are seconds; accuracies fractions."""


def export_csv(run: Path | Recorded, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as CSV files into folder `out`, which is made if it is not there; of another
    tool's run `metrics.csv` alone.

    Floats are printed so that reading them gives the same float (`train_loss`: the same float32); what was not finite
    is `nan`. All files are whole, or none is replaced.

    `steps.csv` ends in a column `momentum` where the run moved that; it is empty at steps of which it was not told.

    `metrics.csv` has every number of every series, ours and what was logged, a row each in the order in which they
    came: of one series steps rise. Whole numbers are exact; what was not finite is `nan`, `inf` or `-inf`; what was not
    logged is not there; of what was trained again, the latest is. `epoch` and `elapsed_s` are empty where untold.
    For it the journal is read twice, and memory takes 20 bytes a step and 16 for each step at which numbers were told
    beside losses and LRs, however many series there are.

    `warn` is told, in words, of lines of the record that could not be read.

    Returns:
        The files written.

    Raises:
        ExportFailed: there is no journal, or `out` cannot be written to; `ExportCutShort`, if the disk is at fault.
    """
    run = recorded(run)
    try:
        with whole_files(out, run.tables) as files, ExitStack() as stack:
            texts = {name: io.TextIOWrapper(file, "utf-8", newline="") for name, file in files.items()}
            for text in texts.values():
                stack.callback(text.detach)  # written out, and left open for its owner to close
            writers = {name: _Writer(text) for name, text in texts.items()}
            lr_events, reading = LREvents(), Reading(run, warn)
            further = (MOMENTUM,) if reading.rows.has_momentum else ()
            for name, writer in writers.items():
                writer.writerow((*HEADERS[name], *further) if name == "steps.csv" else HEADERS[name])
            for event in reading.again():
                for change in lr_events.of(event):
                    lrs = repr(change.old), repr(change.new)
                    writers["lr_events.csv"].writerow((change.step, change.epoch, *lrs, change.reason))
                _write(writers, event, further)
                told = filter(reading.rows.stands, rows_of(event, logged_alone=True))
                for row in told:
                    writers["metrics.csv"].writerow(_metric_row(reading.rows, row))
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / name for name in run.tables]


class _Writer:
    """Rows of a CSV file. Python's leaves a carriage return in a text unquoted, which ends the row for readers."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._plain = csv.writer(file, lineterminator="\n")
        self._quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def writerow(self, row: Iterable[Any]) -> None:
        """Write a row that may hold texts of others."""
        cells = list(row)
        returns = any(isinstance(cell, str) and "\r" in cell for cell in cells)
        (self._quoted if returns else self._plain).writerow(cells)

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write rows of numbers, and of names of ours."""
        self._plain.writerows(rows)


def _write(writers: dict[str, _Writer], event: AnyEvent, further: Collection[str] = ()) -> None:
    """`further`: what `steps.csv` has beside what it always has."""
    match event:
        case StepsTaken():
            rows = list(_step_rows(event))
            columns = [_column(event.metrics.get(name), len(rows)) for name in further]
            writers["steps.csv"].writerows((*row, *cells) for row, *cells in zip(rows, *columns, strict=True))
            writers["metrics.csv"].writerows(
                (row[0], row[1], row[5], name, row[column])
                for row in rows
                for name, column in _COLUMNS_OF_STEPS
                if row[column] != ""
            )
        case EpochEnded():
            writers["epochs.csv"].writerow(_epoch_row(event))
        case CallsMade():
            batch = "" if event.batch is None else event.batch
            for call in event.calls:
                writers["order.csv"].writerow((event.epoch, batch, call))


_COLUMNS_OF_STEPS = [(name, HEADERS["steps.csv"].index(name)) for name in OF_STEPS]


def _step_rows(event: StepsTaken) -> Iterator[Cells]:
    in_float32 = _float32_text()
    lrs = [repr(lr) for lr in event.lrs] or [""]
    if len(lrs) == 1:
        lrs *= len(event.losses)
    not_finite = "nan" if event.losses_seen else ""
    rows = zip(event.losses, lrs, event.elapsed, strict=True)
    for i, (loss, lr, elapsed) in enumerate(rows):
        shown = not_finite if loss is None else in_float32(loss)
        yield event.step + i, event.epoch, event.batch + i, shown, lr, repr(elapsed)


def _column(values: Sequence[float | None] | None, count: int) -> Cells:
    """Numbers of each step, or of none."""
    return [""] * count if values is None else ["nan" if value is None else repr(value) for value in values]


@cache
def _float32_text() -> Callable[[float], str]:
    """Writes a number with as few digits as tell it from all others of single precision, as NumPy does."""
    try:
        import numpy as np  # only here: it is slow to import
    except ModuleNotFoundError:  # a light install goes without
        return float32_text
    return lambda number: str(np.float32(number))


def _epoch_row(event: EpochEnded) -> Cells:
    numbers = (
        event.train_loss,
        event.train_accuracy,
        event.val_loss,
        event.val_accuracy,
        event.lr,
        event.images_per_second,
        event.elapsed,
    )
    return (event.epoch, *(repr(float(number)) if isfinite(number) else "nan" for number in numbers))


def _metric_row(rows: StandingRows, row: Row) -> Cells:
    placed = rows.placed(row)
    shown = _float32_text()(row.value) if row.single and isfinite(row.value) else str(row.value)
    epoch, elapsed = placed.epoch, placed.elapsed
    return row.step, "" if epoch is None else epoch, "" if elapsed is None else repr(elapsed), rows.shown(row), shown


JSON_LINES = "run.jsonl"


def export_jsonl(run: Path | Recorded, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as lines of JSON into `out/run.jsonl`, in the form of `stream --json`.

    Of numbers that were trained again, the latest alone are there. `warn` is told, in words, of lines of the record
    that could not be read.

    Returns:
        The file written.

    Raises:
        ExportFailed: there is no journal, or `out` cannot be written to; `ExportCutShort`, if the disk is at fault.
    """
    run = recorded(run)
    try:
        with whole_files(out, [JSON_LINES]) as files:
            reading = Reading(run, warn)
            form = StreamForm(stands=reading.rows.stands, has_steps=reading.rows.has_steps)
            encoder = msgspec.json.Encoder()
            for event in reading.again():
                files[JSON_LINES].write(encoder.encode_lines(form.of(event)))
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / JSON_LINES]


def export_tensorboard(run: Path | Recorded, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as an event file into `out/<id of the run>`, made if it is not there.

    Several runs in one `out` are compared by `tensorboard --logdir out`. The x axis of all is the step: what is known
    at an epoch's end stands at its last step. Values are float32, the only scalars that both of TensorBoard's loaders
    read (the LR has more digits in the CSV export); what was not finite is NaN or infinite, as it was. Series that the
    run logged are under their own names; of what was trained again, the latest is there.

    `warn` is told, in words, of lines of the record that could not be read.

    Returns:
        The file written.

    Raises:
        ExportFailed: TensorBoard's package or the journal is not there, or `out` cannot be written to;
            `ExportCutShort`, if the disk is at fault.
    """
    try:
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError:
        raise ExportFailed(say("record.needs_tensorboard")) from None
    run = recorded(run)
    # Always the same: a later export replaces it, and TensorBoard would show two as one.
    name = f"events.out.tfevents.{run.name}"
    try:
        with whole_files(out / run.name, [name]) as files:
            records = RecordWriter(files[name])
            reading = Reading(run, warn)
            for event in _Board(reading.rows).of(reading.again()):
                records.write(event.SerializeToString())
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / run.name / name]


class _Board:
    """Turns a run's events into TensorBoard's."""

    def __init__(self, rows: StandingRows) -> None:
        self._rows = rows
        self._at = 0.0
        """When the last step was taken."""

    def of(self, events: Iterator[AnyEvent]) -> Iterator[Written]:
        lr_events = LREvents()
        for number, event in enumerate(events):
            if number == 0:
                yield _first(event.at)
            for change in lr_events.of(event):
                text = f"{' → '.join(lr_change(change.old, change.new))}: {change.reason}"
                yield _text(change.at, change.step, "lr changes", text)
            match event:
                case StepsTaken():
                    yield from self._steps(event)
                case EpochEnded():
                    yield _scalars(event.at, event.step, _of_epoch(event))
            yield from self._logged(event)

    def _logged(self, event: AnyEvent) -> Iterator[Written]:
        """The series that have no tag of ours, under their names; those that were logged together in one."""
        together: dict[int, dict[str, float]] = {}
        clocks: dict[int, float | None] = {}
        ours = (TAGS_OF_STEPS if self._rows.has_steps else set()) | (TAGS_OF_EPOCHS if self._rows.has_epochs else set())
        for row in rows_of(event):
            if row.logged and self._rows.stands(row) and not isinstance(event, EpochEnded):
                name = self._rows.shown(row)
                tag = f"{name} (logged)" if name in ours else name
                together.setdefault(row.step, {})[tag] = _as_float(row.value)
                clocks[row.step] = row.elapsed
        last = max((clock for clock in clocks.values() if clock is not None), default=0.0)
        for step, values in together.items():
            clock = clocks[step]
            yield _scalars(event.at if clock is None else max(0.0, event.at - last + clock), step, values)

    def _steps(self, event: StepsTaken) -> Iterator[Written]:
        """The event tells when the last of them was reported; the others were taken as long before as the run says."""
        lrs = event.lrs if len(event.lrs) > 1 else (event.lrs or [nan]) * len(event.losses)
        began = event.at - event.elapsed[-1]
        for number, (loss, lr, elapsed) in enumerate(zip(event.losses, lrs, event.elapsed, strict=True)):
            self._at = max(self._at, began + elapsed)
            values = {"loss/train": nan if loss is None else loss, "lr": lr}
            if not event.losses_seen:
                del values["loss/train"]
            if not event.lrs:
                del values["lr"]
            yield _scalars(self._at, event.step + number, values)


def _first(at: float) -> Written:
    """What a file begins with; `Event:2` has TensorBoard keep all steps in whatever order they come."""
    from tensorboard.compat.proto.event_pb2 import Event as Written

    return Written(wall_time=at, file_version="brain.Event:2")


def _scalars(at: float, step: int, values: Mapping[str, float]) -> Written:
    from tensorboard.compat.proto.event_pb2 import Event as Written

    event = Written(wall_time=at, step=step)
    for tag, value in values.items():
        event.summary.value.add(tag=tag, simple_value=value)
    return event


def _text(at: float, step: int, tag: str, text: str) -> Written:
    from tensorboard.compat.proto.event_pb2 import Event as Written
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text.metadata import create_summary_metadata

    event = Written(wall_time=at, step=step)
    value = event.summary.value.add(tag=tag)
    value.metadata.CopyFrom(create_summary_metadata(display_name=None, description=None))
    value.tensor.dtype = DT_STRING
    value.tensor.string_val.append(text.encode())
    return event


TAGS_OF_STEPS = {"loss/train", "lr", "lr changes"}
TAGS_OF_EPOCHS = {
    *("loss/train of the epoch", "loss/val", "accuracy/train", "accuracy/val", "images per second", "epoch"),
}


def _as_float(value: float | int) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def _of_epoch(event: EpochEnded) -> dict[str, float]:
    numbers = {
        "loss/train of the epoch": event.train_loss,
        "loss/val": event.val_loss,
        "accuracy/train": event.train_accuracy,
        "accuracy/val": event.val_accuracy,
        "images per second": event.images_per_second,
        "epoch": float(event.epoch),
    }
    told = {"loss/val": "val_loss", "accuracy/train": "train_accuracy", "accuracy/val": "val_accuracy"}
    told["images per second"] = "images_per_second"
    return {tag: number for tag, number in numbers.items() if tag not in told or is_told(event, told[tag])}
