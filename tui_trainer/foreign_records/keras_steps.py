"""Steps of Keras' callback for TensorBoard, which counts some series of a run by epochs and others by batches.

`epoch_loss` is counted by epochs and, where `update_freq` has it written, `batch_loss` by batches. On one axis they
stand where the training was: an epoch at the batch that was its last. `evaluation_loss_vs_iterations` is the
`epoch_loss` of the validation once more, counted by batches.

Source: keras/src/callbacks/tensorboard.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from tui_trainer.foreign_records.pieces import Piece, Points
from tui_trainer.foreign_records.steps import MOST_EPOCHS
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

_TRAIN, _VALIDATION = "train", "validation"
_EPOCHS, _BATCHES = "epoch_", "batch_"
_AGAIN = ("evaluation_", "_vs_iterations")


class KerasSteps:
    """Finds the steps of a run's series, file by file in the order in which they were begun."""

    def __init__(self) -> None:
        self._times: list[float] = []
        """When batches were written, Unix time in seconds, and their steps: the last piece, and the last one before."""
        self._batches: list[int] = []
        self._last_batch: dict[int, int] = {}
        """By epoch."""
        self._repeated = 0
        """Numbers that were left out."""

    @property
    def notes(self) -> list[str]:
        """What was made of it, in words."""
        found = [say("foreign.epochs_at_batches")] if self._last_batch else []
        numbers = counted(self._repeated, "number")
        return [*found, say("foreign.repeated", numbers=numbers)] if self._repeated else found

    def mended(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces that came next of a file, with steps on one axis."""
        come = list(pieces)
        del self._times[:-1], self._batches[:-1]
        for piece in come:
            if isinstance(piece, Points) and piece.part == _TRAIN and any(map(_is_of_batches, piece.columns)):
                self._times += piece.times
                self._batches += piece.steps
        for piece in come:
            if not isinstance(piece, Points) or piece.part not in (_TRAIN, _VALIDATION):
                yield piece
                continue
            of_epochs = {name: values for name, values in piece.columns.items() if name.startswith(_EPOCHS)}
            others = {name: values for name, values in piece.columns.items() if name not in of_epochs}
            if piece.part == _VALIDATION and (again := [*filter(_is_again, others)]):
                self._repeated += len(piece.steps) * len(again)
                others = {name: values for name, values in others.items() if name not in again}
            if of_epochs:
                yield self._at_batches(piece)._replace(columns=of_epochs, epochs=piece.steps)
            if others:
                yield piece._replace(columns=others)

    def _at_batches(self, points: Points) -> Points:
        """At the last batch of each epoch, as far as batches are recorded; by the clock of the one that wrote both."""
        if points.part == _TRAIN:
            for epoch, time in zip(points.steps, points.times, strict=True):
                before = bisect_right(self._times, time)
                if before and (epoch in self._last_batch or len(self._last_batch) < MOST_EPOCHS):
                    self._last_batch[epoch] = self._batches[before - 1]
        return points._replace(steps=[self._last_batch.get(epoch, epoch) for epoch in points.steps])


def _is_of_batches(name: str) -> bool:
    return name.startswith(_BATCHES)


def _is_again(name: str) -> bool:
    return name.startswith(_AGAIN[0]) and name.endswith(_AGAIN[1])
