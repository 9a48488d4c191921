"""An LR range test for a screen to look at: in a thread of this process, or one that was recorded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui_trainer import threads
from tui_trainer.errors import UserError
from tui_trainer.lr_suggestions import LRCurve
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.events import AnyEvent
    from tui_trainer.records.range_tests import RangeTestRecord
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
    def others(self) -> Sequence[LRCurve]:
        """The curves of further seeds."""

    @property
    def failure(self) -> str:
        """Why it came to nothing; empty where it did not."""

    @property
    def warning(self) -> str:
        """What is to be known of what is tested; empty where there is nothing."""

    @property
    def recorded(self) -> str:
        """What is to be told of its record; empty where there is nothing to tell."""

    def close(self) -> None:
        """End it, if it still goes on."""


class InProcessFinding:
    """Begins at once, with one seed. What is told here was made by its thread, and is handed over whole.

    Args:
        spec: what would be trained.
        runs: the folder of all runs, beside which it is recorded once it is over; None where there is none.
    """

    def __init__(self, spec: RunSpec, runs: Path | None = None) -> None:
        from tui_trainer.engine.lr_range_test import RangeTest

        self._test = RangeTest()
        self.lowest, self.highest = self._test.lowest, self._test.highest
        self.phase = self.failure = self.warning = self.recorded = ""
        self._runs = runs
        self.curve: LRCurve | None = None
        self.others: Sequence[LRCurve] = ()
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
            self.warning = prepared.train_state.left_out
            self._record(self._test.run(prepared, self._spec.seed, tell, self._over.is_set))
        except UserError as error:
            self.failure = str(error)

    def _record(self, curve: LRCurve) -> None:
        if self._runs is None or curve.ended is None:
            return
        from tui_trainer.records import range_tests
        from tui_trainer.records.errors import RunsFolderUnwritable
        from tui_trainer.records.runs_folder import shell_command

        asked, curves = self._spec.model_dump(mode="json"), {self._spec.seed: curve}
        made = range_tests.made_of(asked, [], self.lowest, self.highest, curves)
        try:
            made = range_tests.write(self._runs, made)
        except RunsFolderUnwritable as error:
            self.recorded = str(error)
        else:
            self.recorded = say("find_lr.recorded", command=shell_command("attach", made.id, self._runs))

    def _died(self, why: str) -> None:
        self.failure = why


class RecordedFinding:
    """Over from the beginning."""

    phase = failure = warning = recorded = ""

    def __init__(self, record: RangeTestRecord) -> None:
        self.lowest, self.highest = record.lowest, record.highest
        self.curve, *self.others = record.curves.values()

    def close(self) -> None:
        """Nothing goes on."""
