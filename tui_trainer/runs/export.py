"""A record as CSV files that any tool reads: what every step, epoch and call was, from the journal alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

from tui_trainer.events import CallsMade, EpochEnded, Event, StepsTaken
from tui_trainer.runs.errors import unsaid
from tui_trainer.runs.exported import LREvents, export_failed, journal_of, new_events, whole_files

Row: TypeAlias = Sequence[Any]

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
}
"""The files and their columns. Steps, epochs and batches count from 1; times are seconds; accuracies fractions."""


def export_csv(run: Path, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as CSV files into folder `out`, which is made if it is not there.

    Floats are printed so that reading them gives the same float (`train_loss`: the same float32); what was not finite
    is `nan`. All four files are whole, or none is replaced.

    `warn` is told, in words, of lines of the record that could not be read.

    Returns:
        The files written.

    Raises:
        ExportFailed: there is no journal, or `out` cannot be written to; `ExportCutShort`, if the disk is at fault.
    """
    journal = journal_of(run)
    try:
        with whole_files(out, HEADERS) as files, ExitStack() as stack:
            texts = {name: io.TextIOWrapper(file, "utf-8", newline="") for name, file in files.items()}
            for text in texts.values():
                stack.callback(text.detach)  # written out, and left open for its owner to close
            writers = {name: csv.writer(text, lineterminator="\n") for name, text in texts.items()}
            for name, header in HEADERS.items():
                writers[name].writerow(header)
            lr_events = LREvents()
            for event in new_events(journal, warn):
                for change in lr_events.of(event):
                    row = (change.step, change.epoch, repr(change.old), repr(change.new), change.reason)
                    writers["lr_events.csv"].writerow(row)
                _write(writers, event)
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / name for name in HEADERS]


def _write(writers: dict[str, Any], event: Event) -> None:
    match event:
        case StepsTaken():
            writers["steps.csv"].writerows(_step_rows(event))
        case EpochEnded():
            writers["epochs.csv"].writerow(_epoch_row(event))
        case CallsMade():
            batch = "" if event.batch is None else event.batch
            writers["order.csv"].writerows((event.epoch, batch, call) for call in event.calls)


def _step_rows(event: StepsTaken) -> Iterator[Row]:
    import numpy as np  # only here: it is slow to import

    lrs = [repr(lr) for lr in event.lrs]
    if len(lrs) == 1:
        lrs *= len(event.losses)
    rows = zip(event.losses, lrs, event.elapsed, strict=True)
    for i, (loss, lr, elapsed) in enumerate(rows):
        shown = "nan" if loss is None else str(np.float32(loss))
        yield event.step + i, event.epoch, event.batch + i, shown, lr, repr(elapsed)


def _epoch_row(event: EpochEnded) -> Row:
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
