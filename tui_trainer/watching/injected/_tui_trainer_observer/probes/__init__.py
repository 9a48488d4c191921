"""Probes: each finds out something that only the process itself can see, tells it as a fact, and listens no longer.

What is wrong with a loop is judged outside, in `tui_trainer.watching.findings`. A probe costs next to nothing: it looks
at some of the first steps or passes, on the CPU alone where it reads numbers, and changes nothing that it looks at.
"""

from __future__ import annotations

from .divisors import Divisors
from .ending import Ending
from .forward_modes import ForwardModes
from .kept_graphs import KeptGraphs
from .known_optimizers import KnownOptimizers
from .labels import Labels
from .left_gradients import LeftGradients
from .left_out_parameters import LeftOutParameters
from .loop_lengths import LoopLengths
from .lost_gradients import LostGradients
from .steps_to_epochs import StepsToEpochs
from .told_epochs import ToldEpochs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..networks import Networks
    from ..observer import Observer

__all__ = ["Probes"]


class Probes:
    """All of them."""

    def __init__(self, observer: Observer, networks: Networks) -> None:
        self._observer = observer
        self._networks = networks

    def install(self, torch: Any) -> None:
        """Listen. In a fork's child, which may train as well, they begin anew."""
        observer = self._observer
        networks, optimizers = self._networks, KnownOptimizers(observer)
        optimizers.install(torch)

        def begin() -> None:
            observer.listeners.clear()
            ForwardModes(observer, networks)
            LeftGradients(observer)
            LostGradients(observer)
            LeftOutParameters(observer, networks, optimizers)
            KeptGraphs(observer)
            Divisors(observer)
            Labels(observer)
            StepsToEpochs(observer)
            ToldEpochs(observer)
            LoopLengths(observer)
            Ending(observer)

        begin()
        observer.at_fork(begin)
        observer.at_end(self._finish)

    def _finish(self) -> None:
        for listener in self._observer.listeners.at_goodbye:
            try:
                listener()
            except Exception as error:
                self._observer.guard.failed("goodbye", error)
