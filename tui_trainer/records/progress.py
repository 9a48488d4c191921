"""How fast a run is and how long it still takes, from its own clock."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_trainer.records.history import History

WINDOW_SECONDS = 3.0
"""Speed is that of the last seconds: long enough to be calm, short enough to show a change."""

LEAST_SECONDS = 0.25
"""Less than this of the run's clock is no measure of speed."""

EPOCHS_BACK = 3
"""Whole epochs to come are reckoned to take as long as the last few did."""


def images_per_second(history: History) -> float:
    """Training speed: of the last seconds within the epoch, or of the epoch ended last; 0 while unknown."""
    ended = history.epochs[-1] if history.epochs else None
    if ended is not None and ended.step >= history.steps:
        return ended.images_per_second
    first, seconds = _recent(history)
    if seconds >= LEAST_SECONDS:
        return _images(history, first + 1, history.steps) / seconds
    return ended.images_per_second if ended is not None else 0.0


def seconds_left(history: History) -> float | None:
    """Seconds of the run's clock to come, validation included; None while unknown, 0 at the end."""
    if history.ended is not None:
        return 0.0
    recipe = history.recipe
    if recipe is None or not history.epoch_starts:
        return None
    batch_s = _seconds_a_batch(history)
    if batch_s is None:
        return None
    validation_s = _validation_seconds(history)
    epoch_s = _recent_epoch_seconds(history)
    if epoch_s is None:
        epoch_s = recipe.batches_per_epoch * batch_s + validation_s
    rest = max(0, recipe.epochs - history.epoch) * epoch_s
    if not history.epochs or history.epochs[-1].epoch < history.epoch:
        rest += max(0, history.batches_in_epoch - history.batch) * batch_s + validation_s
    return rest


def _recent(history: History) -> tuple[int, float]:
    """`(step, seconds)`: the seconds since that step, all of it within the epoch that is being trained."""
    elapsed, last = history.elapsed, history.steps
    start = history.epoch_starts[-1] if history.epoch_starts else 1
    if last < start:
        return last, 0.0
    now = elapsed[last - 1]
    index = bisect_left(elapsed, now - WINDOW_SECONDS, start - 1, last)
    if index == 0 and start == 1 and now <= WINDOW_SECONDS:
        return 0, now  # the clock starts with the first batch
    return index + 1, now - elapsed[index]


def _images(history: History, first: int, last: int) -> int:
    """Images in the steps `first` to `last` of the epoch being trained, whose last batch may be smaller."""
    recipe, resolved = history.recipe, history.resolved
    if recipe is None or last < first:
        return 0
    images = (last - first + 1) * recipe.batch_size
    if resolved is not None and history.batch == history.batches_in_epoch:
        images -= max(0, history.batches_in_epoch * recipe.batch_size - resolved.train_images)
    return images


def _seconds_a_batch(history: History) -> float | None:
    first, seconds = _recent(history)
    if seconds >= LEAST_SECONDS and history.steps > first:
        return seconds / (history.steps - first)
    if history.epochs and history.resolved is not None and history.epochs[-1].images_per_second > 0:
        epoch_s = history.resolved.train_images / history.epochs[-1].images_per_second
        return epoch_s / max(1, history.batches_in_epoch)
    return None


def _validation_seconds(history: History) -> float:
    """What the last epoch took beyond its training."""
    spans = _epoch_spans(history)
    if not spans or history.resolved is None or history.epochs[-1].images_per_second <= 0:
        return 0.0
    return max(0.0, spans[-1] - history.resolved.train_images / history.epochs[-1].images_per_second)


def _recent_epoch_seconds(history: History) -> float | None:
    """The median of the last whole epochs under the recipe that holds now: one in slow motion is no measure."""
    spans = _epoch_spans(history)
    return sorted(spans)[len(spans) // 2] if spans else None


def _epoch_spans(history: History) -> list[float]:
    """Seconds of the last few whole epochs, validation included, oldest first."""
    since = history.switches[-1].epoch if history.switches else 1
    epochs = [ended for ended in history.epochs[-EPOCHS_BACK - 1 :] if ended.epoch >= since - 1]
    spans = [later.elapsed - earlier.elapsed for earlier, later in pairwise(epochs) if later.epoch == earlier.epoch + 1]
    if epochs and epochs[0].epoch == 1 and since == 1 and len(spans) < EPOCHS_BACK:
        spans.insert(0, epochs[0].elapsed)
    return [span for span in spans if span >= 0]
