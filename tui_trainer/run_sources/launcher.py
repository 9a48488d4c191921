"""Starts runs in threads of this process, and works out their learning rate before they start."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tui_trainer import garbage, threads
from tui_trainer.events import PlanMade
from tui_trainer.records.record import Record
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import InProcessSource, LocalRun
from tui_trainer.run_sources.notifier import Told
from tui_trainer.run_sources.run_source import GATE_S, RunSource
from tui_trainer.text.captions import say

if TYPE_CHECKING:
    from tui_trainer.presets.problems import NoPlan, PresetError
    from tui_trainer.run_spec import RunSpec

    _Made: TypeAlias = tuple[PlanMade, PlanMade | None] | PresetError

PREVIEW_STEPS = 12_000
"""A preview of more steps of the scheduler is sampled: it must be there within a tenth of a second."""

PLANS_KEPT = 64
"""Several times what a picker shows; a preset that is edited has another plan with every key."""

ASKED_AT_MOST = 16
"""Presets that wait to be planned; those asked for longest ago give way."""

MOMENT_S = 0.015
"""So long a frame waits for a plan: a preset that is shown at once need not be drawn twice."""


class Planner:
    """Rehearses presets in a thread of its own, the one asked for last first. For one thread that asks."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate
        self._shared = threading.Condition()
        """Held by whichever thread touches one of the next four."""
        self._asked: dict[str, RunSpec] = {}
        self._at_work = ""
        self._made: dict[str, _Made] = {}
        self._dead: NoPlan | None = None
        """Why there will be no more plans."""
        self._thread: threading.Thread | None = None

    def ask(self, spec: RunSpec) -> PlanMade | None:
        """The planned curve; None while torch loads, or where it is not worked out in a moment: ask again.

        Raises:
            PresetError: the rehearsal found what is wrong with the preset.
            NoPlan: it failed, for a reason that lies elsewhere.
        """
        key = _plan_key(spec)
        with self._shared:
            if key not in self._made and key not in self._asked and key != self._at_work and self._dead is None:
                self._ask(key, spec)
                if self._made:  # torch is there: most take less
                    self._shared.wait_for(lambda: key in self._made, MOMENT_S)
            made = self._made.get(key, self._dead)
        if isinstance(made, Exception):
            raise made.with_traceback(None)  # the same each time it is asked for: it must not gather where from
        return made[0] if made else None

    def if_flat(self, spec: RunSpec) -> PlanMade | None:
        """What would come of the curve if the loss stopped getting better at once; None where it depends on none."""
        with self._shared:
            made = self._made.get(_plan_key(spec))
        return made[1] if isinstance(made, tuple) else None

    def _ask(self, key: str, spec: RunSpec) -> None:
        self._asked[key] = spec
        while len(self._asked) > ASKED_AT_MOST:
            del self._asked[next(iter(self._asked))]
        if self._thread is None:
            self._thread = threads.begin("planning", self._work, self._died)
        self._shared.notify_all()

    def _died(self, why: str) -> None:
        from tui_trainer.presets.problems import NoPlan

        with self._shared:
            self._dead = NoPlan(say("plan.no_more", why=why))
            self._shared.notify_all()

    def _work(self) -> None:
        self._gate.wait(GATE_S)
        with garbage.none_in_imports():
            self._make(*self._next())
        while True:
            self._make(*self._next())

    def _next(self) -> tuple[str, RunSpec]:
        with self._shared:
            self._shared.wait_for(lambda: self._asked)
            key, spec = self._asked.popitem()
            self._at_work = key
        return key, spec

    def _make(self, key: str, spec: RunSpec) -> None:
        made = _plan(spec)
        with self._shared:
            self._at_work = ""
            while len(self._made) >= PLANS_KEPT:
                del self._made[next(iter(self._made))]
            self._made[key] = made
            self._shared.notify_all()


def _plan(spec: RunSpec) -> _Made:
    from tui_trainer.presets.problems import NoPlan, PresetError

    try:
        from tui_trainer.engine.lr_preview import plan, plan_if_flat
        from tui_trainer.engine.parameter_groups import check_groups

        check_groups(spec.preset, spec.model)
        planned = plan(spec.preset_name, spec.preset, spec.train_images, sample_above=PREVIEW_STEPS)
        return planned.curve, plan_if_flat(planned)
    except PresetError as error:
        return error
    except Exception as error:  # of this preset: the next one may do
        traceback.print_exc()
        return NoPlan(say("plan.failed", why=threads.in_a_line(error)))


def _plan_key(spec: RunSpec) -> str:
    return f"{spec.batches_per_epoch} {spec.model} {spec.preset.model_dump_json()}"


class InProcessLauncher:
    """Starts runs in threads of this process, and plans them, once `go` was called: the screen comes first."""

    def __init__(self, runs_folder: Path, command: Sequence[str], notify: Sequence[Told] = ()) -> None:
        self._notify = notify
        self._gate = threading.Event()
        self.planner = Planner(self._gate)
        self.runs: list[LocalRun] = []
        """All that were started, oldest first."""
        self.on_record: Callable[[Record], None] | None = None
        """Told of each run's record as it begins, in the training thread."""
        self.runs_folder = runs_folder
        self._command = command

    def go(self) -> None:
        """The first frame is up: torch may be imported."""
        self._gate.set()

    def start(self, spec: RunSpec) -> InProcessSource:
        """Begin to train; returns at once."""
        return self.start_request(RunRequest.of(spec))

    def start_request(self, request: RunRequest) -> InProcessSource:
        """As `start`, of a run whose preset is still to be read: if it is no good, the run ends as one that crashed."""
        return self._begin(self._make(request))

    def trains(self, source: RunSource) -> bool:
        """Whether this run is one of its own; another is followed by its record."""
        return isinstance(source, InProcessSource)

    def _begin(self, source: InProcessSource) -> InProcessSource:
        self.runs.append(source.run)
        source.run.start()
        return source

    def _make(self, request: RunRequest) -> InProcessSource:
        run = LocalRun(
            request,
            self.runs_folder,
            self._command,
            gate=self._gate,
            on_record=self._record_begun,
            notify=self._notify,
        )
        return InProcessSource(run)

    def _record_begun(self, record: Record) -> None:
        if self.on_record is not None:
            self.on_record(record)
