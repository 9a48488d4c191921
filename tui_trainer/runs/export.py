"""A record as CSV files that any tool reads: what every step, epoch and call was, from the journal alone."""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from tui_trainer.events import CallsMade, EpochEnded, Event, LRChanged, PresetSwitched, StepsTaken
from tui_trainer.runs.errors import ExportFailed, reason
from tui_trainer.runs.files import sync_folder
from tui_trainer.runs.known import Known
from tui_trainer.runs.tail import Tail

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


def export_csv(run: Path, out: Path) -> list[Path]:
    """Write the record in folder `run` as CSV files into folder `out`, which is made if it is not there.

    Floats are printed so that reading them gives the same float (`train_loss`: the same float32); what was not finite
    is `nan`. All four files are whole, or none is replaced.

    Returns:
        The files written.

    Raises:
        ExportFailed: there is no journal, or `out` cannot be written to.
    """
    journal = run / "events.jsonl"
    if not journal.is_file():
        raise ExportFailed(f"{run} holds no events.jsonl: there is nothing to export.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _whole_files(out) as files, Tail(journal) as tail:
            writers = {name: csv.writer(file, lineterminator="\n") for name, file in files.items()}
            for name, header in HEADERS.items():
                writers[name].writerow(header)
            known, lr_events = Known(), _LREvents()
            for event in tail:
                new = known.take(event)
                if new is not None:
                    writers["lr_events.csv"].writerows(lr_events.rows(new))
                    _write(writers, new)
    except OSError as cause:
        raise ExportFailed(f"cannot export {run.name} to {out}: {reason(cause)}.") from cause
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


class _LREvents:
    """The changes of the LR that a person would call one, a switch of presets among them."""

    def __init__(self) -> None:
        self._lr: float | None = None
        """What the next step would use, as far as is known."""
        self._switch: PresetSwitched | None = None
        """One whose first LR is not known yet."""

    def rows(self, event: Event) -> list[Row]:
        match event:
            case PresetSwitched():
                self._switch = event
            case LRChanged():
                self._lr, self._switch = event.new, None
                return [(event.step, event.epoch, repr(event.old), repr(event.new), event.reason)]
            case StepsTaken():
                rows = self._switched(event)
                self._lr = event.lrs[-1]
                return rows
        return []

    def _switched(self, event: StepsTaken) -> list[Row]:
        """A switch tells no LR itself: the first step after it does."""
        switch, self._switch = self._switch, None
        if switch is None or self._lr is None:
            return []
        reason = f"preset switched from {switch.old} to {switch.recipe.preset}"
        return [(switch.step - 1, switch.epoch, repr(self._lr), repr(event.lrs[0]), reason)]


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


@contextmanager
def _whole_files(out: Path) -> Iterator[Mapping[str, TextIO]]:
    """The files of an export, open under other names and put in their places when all are whole."""
    mark = secrets.token_hex(4)
    places = {out / f".{name}.{mark}": out / name for name in HEADERS}
    try:
        with ExitStack() as stack:
            files = {
                place.name: stack.enter_context(temporary.open("x", encoding="utf-8", newline=""))
                for temporary, place in places.items()
            }
            yield files
            for file in files.values():
                file.flush()
                os.fsync(file.fileno())
        for temporary, place in places.items():
            temporary.replace(place)
        sync_folder(out)
    finally:
        for temporary in places:
            temporary.unlink(missing_ok=True)
