"""What is looked for as an optimizer makes its first step: the networks and the schedulers that there are by then."""

from __future__ import annotations

import gc

from .python_internals import getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .networks import Networks
    from .observer import Observer
    from .schedulers import Schedulers

_MOST_SEARCHES = 5


class FirstSteps:
    """Goes once through all objects of the process, and again where an optimizer of an unknown network comes."""

    def __init__(self, observer: Observer, networks: Networks, schedulers: Schedulers) -> None:
        self._observer = observer
        self._networks = networks
        self._schedulers = schedulers
        self._searches = 0
        observer.at_fork(self._forget)

    def before(self, optimizer: Any) -> None:
        """An optimizer steps that never did."""
        if self._searches >= _MOST_SEARCHES or self._networks.knows_what_it_moves(optimizer):
            made = [each for each, _ in self._schedulers.seen.alive() if getattr(each, "optimizer", None) is optimizer]
            if made:
                self._schedulers.found(made, self._observer.sites.program_frame(getframe(1)))
            return
        self._searches += 1
        torch = self._observer.torch
        modules, optimizers, *schedulers = living(torch.nn.Module, torch.optim.Optimizer, *self._schedulers.bases)
        frame = self._observer.sites.program_frame(getframe(1))
        self._networks.found(modules, optimizers, frame)
        self._schedulers.found([each for of_base in schedulers for each in of_base], frame)

    def _forget(self) -> None:
        self._searches = 0


def living(*classes: Any) -> list[list[Any]]:
    """All objects of each of these classes and of those derived from it. Nothing of an object is asked but its type."""
    found: list[list[Any]] = [[] for _ in classes]
    lists: dict[type, list[Any] | None] = {}
    for held in gc.get_objects():
        kind = type(held)
        try:
            its_list = lists[kind]
        except KeyError:
            bases = type.mro(kind) if not issubclass(kind, type) else []
            its_list = next((found[place] for place, base in enumerate(classes) if base in bases), None)
            lists[kind] = its_list
        if its_list is not None:
            its_list.append(held)
    return found
