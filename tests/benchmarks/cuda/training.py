"""Runs that are trained in this process and thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tui_trainer.commands import Stop
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.prepare import prepare
from tui_trainer.engine.train import train
from tui_trainer.events import AnyEvent, EpochEnded, RunEnded, StepsTaken
from tui_trainer.presets.catalogue import load
from tui_trainer.run_spec import RunSpec


@dataclass
class Training:
    """A run and what it tells.

    Attributes:
        folder: where its checkpoints lie.
        hear: is called with each event.
    """

    folder: Path
    hear: Callable[[AnyEvent], None] = lambda _: None
    events: list[AnyEvent] = field(default_factory=list)
    control: CommandQueue = field(default_factory=CommandQueue)

    def train(self, device: str, *, resume: bool = False, **options: Any) -> RunEnded:
        """Train in fp32 with the preset `none`, to the end or until it is stopped; or go on from the checkpoint."""
        asked = {"precision": "fp32", "limit_val": 100, "threads": 1 if device == "cpu" else None, **options}
        spec = RunSpec.of("none", load("none"), device=device, **asked)
        self.folder.mkdir(parents=True, exist_ok=True)
        prepared = prepare(spec, self._emit, self.folder if resume else None)
        return train(prepared, self._emit, self.control, self.folder)

    def stop(self) -> None:
        """End it between two batches, with a checkpoint."""
        self.control.send(Stop(by="the benchmark"))

    def stop_after(self, epoch: int) -> None:
        """The same as that epoch has ended."""
        before = self.hear

        def hear(event: AnyEvent) -> None:
            before(event)
            if isinstance(event, EpochEnded) and event.epoch == epoch:
                self.stop()

        self.hear = hear

    @property
    def losses(self) -> dict[int, float]:
        """Of every step that was told; nan where one was not finite."""
        taken = [event for event in self.events if isinstance(event, StepsTaken)]
        return {
            event.step + i: float("nan") if loss is None else loss
            for event in taken
            for i, loss in enumerate(event.losses)
        }

    def _emit(self, event: AnyEvent) -> None:
        self.events.append(event)
        self.hear(event)


def farthest(ours: dict[int, float], theirs: dict[int, float]) -> float:
    """The largest difference of losses at the same step; infinite where they are not of the same steps, or not finite.

    >>> farthest({1: 2.0, 2: 1.5}, {1: 2.0, 2: 1.25})
    0.25
    """
    if not ours or ours.keys() != theirs.keys():
        return float("inf")
    differences = [abs(loss - theirs[step]) for step, loss in ours.items()]
    return max(differences) if all(each == each for each in differences) else float("inf")
