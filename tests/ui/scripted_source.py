"""Hosts and launchers whose runs are made up: no torch, no thread, no clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SetPace, Stop, SwitchPreset
from tui_trainer.events import (
    AnyEvent,
    CommandAnswered,
    Continued,
    GroupPlan,
    PaceChanged,
    Paused,
    PlanMade,
    ProgramWatched,
    RunConfigured,
    RunEnded,
)
from tui_trainer.records.history import History
from tui_trainer.run_sources.run_source import READONLY, Capabilities, of_watched
from tui_trainer.run_spec import RunSpec


class ScriptedHost:
    """Applies what it was given; obeys commands as the engine words it."""

    def __init__(self, events: Iterable[AnyEvent] = (), *, readonly: bool = False, obeys: bool = True) -> None:
        self.history = History()
        self.folder: Path | None = None
        self.capabilities = READONLY if readonly else Capabilities()
        self.lags = False
        self.sent: list[AnyCommand] = []
        self.closed = False
        self._obeys = obeys
        self._coming: deque[AnyEvent] = deque(events)

    def come(self, *events: AnyEvent) -> None:
        """These events happen; the next poll sees them."""
        self._coming.extend(events)

    def poll(self) -> int:
        count = len(self._coming)
        while self._coming:
            event = self._coming.popleft()
            self.history.apply(event)
            if isinstance(event, ProgramWatched):
                self.capabilities = of_watched(readonly=not self.capabilities.commands, controlled=True)
        return count

    def send(self, command: AnyCommand) -> None:
        if refusal := self.capabilities.refusal(type(command)):
            raise PermissionError(refusal)
        self.sent.append(command)
        if self._obeys:
            self.come(*self._answers(command))

    def close(self) -> None:
        self.closed = True

    def _answers(self, command: AnyCommand) -> list[AnyEvent]:
        at, by = time.time(), command.by
        step, epoch = self.history.steps, self.history.epoch
        happened: list[AnyEvent] = []
        match command:
            case Pause():
                happened, answer = [Paused(at=at, step=step, by=by)], f"paused after step {step}"
            case Continue():
                happened, answer = [Continued(at=at, step=step, by=by)], "going on"
            case OneBatch():
                happened = [Continued(at=at, step=step, by=by, one_batch=True), Paused(at=at, step=step + 1, by=by)]
                answer = "one batch, then pause"
            case SetPace(seconds_a_call=pace):
                happened = [PaceChanged(at=at, seconds_a_call=pace, by=by)]
                answer = f"each call is held for {pace:g} s" if pace else "full speed"
            case Stop(reason=reason, exit_code=code):
                answer = f"stopping after step {step}"
                ended = RunEnded(at=at, status="stopped", reason=reason, step=step, epoch=epoch, exit_code=code)
                happened = [ended]
            case SwitchPreset(name=name):
                answer = f"{name} from epoch {epoch + 1} on, weights kept"
            case _:
                answer = "done"
        asked = "slow motion" if isinstance(command, SetPace) and command.seconds_a_call else "asked"
        said = CommandAnswered(at=at, id=command.id, command=asked, by=by, accepted=True, answer=answer)
        return [*happened, said]


class ScriptedPlanner:
    """Answers with a straight line, once it is ready."""

    def __init__(self, plan: Callable[[RunSpec], PlanMade | None] | None = None) -> None:
        self.asked: list[str] = []
        self._plan = plan or straight_line

    def ask(self, spec: RunSpec) -> PlanMade | None:
        self.asked.append(spec.preset_name)
        return self._plan(spec)

    def if_flat(self, spec: RunSpec) -> PlanMade | None:
        return straight_line(spec) if spec.preset.scheduler.monitor else None


def straight_line(spec: RunSpec) -> PlanMade:
    """A plan that falls to a hundredth over the run, and a momentum that rises, where the schedule moves it."""
    last = spec.preset.training.epochs * spec.batches_per_epoch
    steps = list(range(1, last + 1))
    lr = float(getattr(spec.preset.optimizer, "lr", 0.001))
    lrs = [lr * (1 - 0.99 * i / last) for i in range(last)]
    momentum = GroupPlan(steps=[1, last], lrs=[0.85, 0.95]) if spec.preset.scheduler.moves_momentum else None
    return PlanMade(at=0.0, steps=steps, lrs=lrs, last_step=last, momentum=momentum)


class ScriptedLauncher:
    """Starts runs that do nothing until events come."""

    def __init__(self, planner: ScriptedPlanner | None = None) -> None:
        self.planner = planner or ScriptedPlanner()
        self.started: list[RunSpec] = []
        self.hosts: list[ScriptedHost] = []

    def trains(self, source: object) -> bool:
        return isinstance(source, ScriptedHost)

    def start(self, spec: RunSpec) -> ScriptedHost:
        self.started.append(spec)
        self.hosts.append(ScriptedHost())
        return self.hosts[-1]


def on_device(events: Iterable[AnyEvent], device: str) -> list[AnyEvent]:
    """The same events as if the run had trained there."""
    return [
        msgspec.structs.replace(event, device=device) if isinstance(event, RunConfigured) else event for event in events
    ]


def moved_to(events: Iterable[AnyEvent], start: float) -> list[AnyEvent]:
    """The same events as if the first had happened at `start` (Unix time)."""
    listed = list(events)
    shift = start - listed[0].at
    return [msgspec.structs.replace(event, at=event.at + shift) for event in listed]
