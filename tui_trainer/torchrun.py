"""What `torchrun` tells each of the processes that it starts: which of them this one is."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Rank:
    """This process among those that train together. Ranks count from 0."""

    rank: int = 0
    ranks: int = 1
    """How many train together, on all machines."""
    local_rank: int = 0
    local_ranks: int = 1
    """The same among those of this machine."""

    @property
    def leads(self) -> bool:
        """Whether this process writes the record, and is the one that is asked things."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Whether no other process trains with this one."""
        return self.ranks == 1


def this_rank() -> Rank:
    """Where this process stands; alone, where `torchrun` did not start it."""
    if "MASTER_ADDR" not in os.environ:
        return Rank()
    rank, ranks = _number("RANK", 0), _number("WORLD_SIZE", 1)
    return Rank(rank, ranks, _number("LOCAL_RANK", rank), _number("LOCAL_WORLD_SIZE", ranks))


def tells_of_loss(error: BaseException) -> bool:
    """Whether an error says that another process can no longer be reached: the libraries have no type for it."""
    return isinstance(error, RuntimeError) and any(word in str(error) for word in ("gloo", "NCCL", "Connection"))


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ[variable])
    except (KeyError, ValueError):
        return default
