"""A record as TensorBoard reads it: scalars and texts in an event file, written by TensorBoard's own package."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.events import AnyEvent, EpochEnded, StepsTaken
from tui_trainer.records.errors import ExportFailed, unsaid
from tui_trainer.records.export import LREvents, export_failed, journal_of, new_events, whole_files
from tui_trainer.text.numbers import format_lr

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event as Written

NEEDED = "this format needs TensorBoard's package: pip install 'tui-trainer[tensorboard]'"


def export_tensorboard(run: Path, out: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """Write the record in folder `run` as an event file into `out/<id of the run>`, made if it is not there.

    Several runs in one `out` are compared by `tensorboard --logdir out`. The x axis of all is the step: what is known
    at an epoch's end stands at its last step. Values are float32, the only scalars that both of TensorBoard's loaders
    read (the LR has more digits in the CSV export); what was not finite is NaN.

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
        raise ExportFailed(NEEDED) from None
    journal = journal_of(run)
    # Always the same: a later export replaces it, and TensorBoard would show two as one.
    name = f"events.out.tfevents.{run.name}"
    try:
        with whole_files(out / run.name, [name]) as files:
            records = RecordWriter(files[name])
            for event in _Board().of(new_events(journal, warn)):
                records.write(event.SerializeToString())
    except OSError as cause:
        raise export_failed(run, out, cause) from cause
    return [out / run.name / name]


class _Board:
    """Turns a run's events into TensorBoard's."""

    def __init__(self) -> None:
        self._at = 0.0
        """When the last step was taken."""

    def of(self, events: Iterator[AnyEvent]) -> Iterator[Written]:
        lr_events = LREvents()
        for number, event in enumerate(events):
            if number == 0:
                yield _first(event.at)
            for change in lr_events.of(event):
                text = f"{format_lr(change.old)} → {format_lr(change.new)}: {change.reason}"
                yield _text(change.at, change.step, "lr changes", text)
            match event:
                case StepsTaken():
                    yield from self._steps(event)
                case EpochEnded():
                    yield _scalars(event.at, event.step, _of_epoch(event))

    def _steps(self, event: StepsTaken) -> Iterator[Written]:
        """The event tells when the last of them was reported; the others were taken as long before as the run says."""
        lrs = event.lrs * len(event.losses) if len(event.lrs) == 1 else event.lrs
        began = event.at - event.elapsed[-1]
        for number, (loss, lr, elapsed) in enumerate(zip(event.losses, lrs, event.elapsed, strict=True)):
            self._at = max(self._at, began + elapsed)
            values = {"loss/train": float("nan") if loss is None else loss, "lr": lr}
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


def _of_epoch(event: EpochEnded) -> dict[str, float]:
    return {
        "loss/train of the epoch": event.train_loss,
        "loss/val": event.val_loss,
        "accuracy/train": event.train_accuracy,
        "accuracy/val": event.val_accuracy,
        "images per second": event.images_per_second,
        "epoch": float(event.epoch),
    }
