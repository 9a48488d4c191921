"""`tui_trainer.log`: numbers of a person's own code, under names of its own; and who hears them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import SupportsFloat, TypeAlias

Listener: TypeAlias = Callable[[Mapping[str, SupportsFloat]], None]
"""Raises nothing."""

_here = threading.local()
"""`listener` is who hears what is logged in this thread."""


def log(values: Mapping[str, SupportsFloat]) -> None:
    """Record numbers of this step by names of one's own, from a loss or a model that trains here with `--allow-code`.

    Each name becomes a series like any other. What is logged while the run validates becomes `val_NAME` at the end of
    the epoch, its mean over the images. Of what is logged twice in a batch the last counts; of several batches that
    make one step, the mean over their images. Where several processes train together, those of the first are recorded.

    It raises nothing and waits for no device. What is no number is left out, and the run says so once. Where nothing
    trains, or in another thread than that which trains, it does nothing: a loss that logs can be used anywhere.

    Args:
        values: by their names, of up to 500 characters; plain numbers, or tensors of one element on any device.
    """
    listener: Listener | None = getattr(_here, "listener", None)
    if listener is not None:
        listener(values)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within it, what is logged in this thread goes to `listener`."""
    before = getattr(_here, "listener", None)
    _here.listener = listener
    try:
        yield
    finally:
        _here.listener = before
