"""torch's Muon for some groups of parameters, beside an optimizer of all others.

Muon takes matrices alone. Whoever moves LRs, clips gradients or keeps a state has one optimizer all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

MUON = "Muon"
"""The `optimizer` of a group that is Muon's: in its options, so that a state tells whose it is."""


def is_of_muon(part: object) -> bool:
    """Whether it is a group of parameters, with its options, that Muon is to have."""
    return isinstance(part, dict) and part.get("optimizer") == MUON


def has_muon() -> bool:
    """Whether this torch has it: 2.9 was the first."""
    return hasattr(torch.optim, MUON)


def muon(groups: Sequence[dict[str, Any]]) -> torch.optim.Optimizer:
    """torch's own, of groups that have all of its options."""
    made: torch.optim.Optimizer = getattr(torch.optim, MUON)(groups)
    return made


class BesideMuon(torch.optim.Optimizer):
    """Two optimizers as one, whose groups stand in the order of the preset.

    Each makes its step with the groups and the state that are here: `load_state_dict` puts others in their place.

    Args:
        beside: the optimizer of all groups that are not Muon's.
        parts: all groups, in their order.
    """

    def __init__(self, beside: torch.optim.Optimizer, parts: Sequence[object]) -> None:
        self._beside = beside
        self._muon = muon([part for part in parts if isinstance(part, dict) and is_of_muon(part)])
        of_muon, others = iter(self._muon.param_groups), iter(beside.param_groups)
        super().__init__([next(of_muon if is_of_muon(part) else others) for part in parts], {})
        self.defaults = beside.defaults  # what schedulers ask whether there is a momentum

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """A step of each."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in (self._beside, self._muon):
            part.param_groups = [group for group in self.param_groups if is_of_muon(group) is (part is self._muon)]
            part.state = self.state
            part.step()
        return loss
