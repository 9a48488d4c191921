"""What torch keeps to itself and the observer needs: its private names stand here, and in no other file of it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INITIAL_STEP = "_initial_step"
"""The method of LRScheduler that makes the step of its constructor."""


def data_loader_iterator(torch: Any) -> Any:
    """The class whose `__next__` gives the batches of DataLoaders of all kinds."""
    return torch.utils.data.dataloader._BaseDataLoaderIter


def submodule(name: str) -> Any:
    """A module of torch's, which its package may have hidden by something of the same name."""
    return sys.modules["torch." + name]
