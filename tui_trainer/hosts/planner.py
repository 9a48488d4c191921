"""The learning rate of runs before they start."""

from __future__ import annotations

import gc
import threading
from collections import deque
from typing import TYPE_CHECKING

from tui_trainer.bad_input import BadInput
from tui_trainer.events import PlanMade
from tui_trainer.hosts.gate import GATE_S

if TYPE_CHECKING:
    from tui_trainer.spec import RunSpec

PREVIEW_STEPS = 12_000
"""A preview of more steps of the scheduler is sampled: it must be there within a tenth of a second."""

PLANS_KEPT = 64
"""Several times what a picker shows; a preset that is edited has another plan with every key."""

MOMENT_S = 0.015
"""So long a frame waits for a plan: a preset that is shown at once need not be drawn twice."""


class Planner:
    """Rehearses presets in a thread of its own, the one asked for last first."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate
        self._made: dict[str, tuple[PlanMade, PlanMade | None] | BadInput] = {}
        self._asked: deque[tuple[str, RunSpec]] = deque(maxlen=16)
        self._came = threading.Event()
        self._worked_out = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, spec: RunSpec) -> PlanMade | None:
        """The planned curve; None while torch loads, or where it is not worked out in a moment: ask again.

        Raises:
            PresetError: the rehearsal found what is wrong with the preset.
        """
        key = _plan_key(spec)
        if key not in self._made and key not in [asked for asked, _ in self._asked]:
            self._asked.append((key, spec))
            self._start()
            self._worked_out.clear()
            self._came.set()
            if self._made:  # torch is there: most take less
                self._worked_out.wait(MOMENT_S)
        made = self._made.get(key)
        if isinstance(made, BadInput):
            raise made.with_traceback(None)  # the same each time it is asked for: it must not gather where from
        return made[0] if made else None

    def if_flat(self, spec: RunSpec) -> PlanMade | None:
        """What would come of the curve if the loss stopped getting better at once; None where it depends on none."""
        made = self._made.get(_plan_key(spec))
        return made[1] if isinstance(made, tuple) else None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="planning", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        self._gate.wait(GATE_S)
        collects = gc.isenabled()
        gc.disable()
        while self._came.wait():
            self._came.clear()
            while self._asked:
                self._make(*self._asked.pop())
                self._worked_out.set()
                if collects and not gc.isenabled():
                    # What torch imported, with the first plan too, stays: a look at all of it takes 0.1 s, in which no
                    # key is answered.
                    gc.freeze()
                    gc.enable()

    def _make(self, key: str, spec: RunSpec) -> None:
        if key in self._made:  # asked for once more while it was worked out
            return
        while len(self._made) >= PLANS_KEPT:
            del self._made[next(iter(self._made))]
        self._made.update([self._plan(key, spec)])

    @staticmethod
    def _plan(key: str, spec: RunSpec) -> tuple[str, tuple[PlanMade, PlanMade | None] | BadInput]:
        from tui_trainer.engine.recipes import plan, plan_if_flat

        try:
            planned = plan(spec.preset_name, spec.preset, spec.train_images, sample_above=PREVIEW_STEPS)
            return key, (planned.curve, plan_if_flat(planned))
        except BadInput as error:
            return key, error


def _plan_key(spec: RunSpec) -> str:
    return f"{spec.batches_per_epoch} {spec.preset.model_dump_json()}"
