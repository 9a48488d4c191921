"""An LR range test in a thread of this process, for a screen to look at."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tui_trainer import threads
from tui_trainer.errors import UserError
from tui_trainer.lr_suggestions import LRCurve
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.events import AnyEvent
    from tui_trainer.run_spec import RunSpec


class Finding(Protocol):
    """A range test that goes on, or is over."""

    lowest: float
    highest: float

    @property
    def phase(self) -> str:
        """What is done before the first step, in words."""

    @property
    def curve(self) -> LRCurve | None:
        """As far as it has come: another object after every step; None before the first."""

    @property
    def failure(self) -> str:
        """Why it came to nothing; empty where it did not."""

    def close(self) -> None:
        """End it, if it still goes on."""


class InProcessFinding:
    """Begins at once. What is told here was made by its thread, and is handed over whole."""

    def __init__(self, spec: RunSpec) -> None:
        from tui_trainer.engine.lr_range_test import RangeTest

        self._test = RangeTest()
        self.lowest, self.highest = self._test.lowest, self._test.highest
        self.phase = self.failure = ""
        self.curve: LRCurve | None = None
        self._spec = spec
        self._over = threading.Event()
        threads.begin("range test", self._work, self._died)

    def close(self) -> None:
        """End it before its next step."""
        self._over.set()

    def _work(self) -> None:
        import torch

        from tui_trainer.engine.prepare import prepare
        from tui_trainer.events import PhaseStarted

        def emit(event: AnyEvent) -> None:
            if isinstance(event, PhaseStarted):
                self.phase = " ".join((event.phase, plain(event.detail)))

        def tell(curve: LRCurve) -> None:
            self.curve = replace(curve, lrs=[*curve.lrs], losses=[*curve.losses], points=[*curve.points])

        try:
            with torch.random.fork_rng(devices=[]):  # the weights are drawn, and nobody else's numbers change
                prepared = prepare(self._spec, emit)
            self._test.run(prepared, self._spec.seed, tell, self._over.is_set)
        except UserError as error:
            self.failure = str(error)

    def _died(self, why: str) -> None:
        self.failure = why
