"""A run small enough to take in at a glance: 20 images of 8×8, 3 batches an epoch, the last of 4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from tui_trainer.engine import datasets
from tui_trainer.engine.clock import Awake
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.datasets import Images, Split
from tui_trainer.engine.prepare import prepare
from tui_trainer.engine.train import train
from tui_trainer.events import AnyEvent, RunEnded
from tui_trainer.presets.checks import parse
from tui_trainer.presets.schema import Preset
from tui_trainer.run_request import Extension
from tui_trainer.run_spec import RunSpec

E = TypeVar("E", bound=AnyEvent)

IMAGES = 20
BATCH_SIZE = 8
BATCHES = 3

ONE_CYCLE = '[optimizer]\nname = "SGD"\nlr = 0.01\nmomentum = 0.9\n[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n'
STEP = '[optimizer]\nname = "Adam"\nlr = 0.01\n[scheduler]\nname = "StepLR"\nstep_size = 2\ngamma = 0.5\n'
PLATEAU = (
    '[optimizer]\nname = "RMSprop"\nlr = 0.01\n'
    '[scheduler]\nname = "ReduceLROnPlateau"\npatience = 0\nfactor = 0.5\nthreshold = 0.9\n'
)
NONE = '[optimizer]\nname = "SGD"\nlr = 0.01\n'


def preset(text: str, epochs: int = 4) -> Preset:
    """The preset of a TOML text, for the tiny data."""
    return parse(f"[training]\nepochs = {epochs}\nbatch_size = {BATCH_SIZE}\n{text}", "tiny.toml")


def images(count: int = IMAGES) -> Images:
    """Images with classes that can be told apart, the same at every call."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(count) % 10
    pictures = torch.randn(count, 1, 8, 8, generator=generator) + labels.view(-1, 1, 1, 1)
    return Images(Split(pictures, labels), Split(pictures[:10], labels[:10]))


def _on(device: torch.device, data: Images) -> Images:
    return replace(data, train=data.train.to(device), val=data.val.to(device))


class TinyRun:
    """Trains the tiny data in this thread, and keeps what happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        monkeypatch.setattr(datasets, "load", lambda spec, device, progress: _on(device, images()))
        self.folder = folder
        self.control = CommandQueue()
        self.awake: Awake | None = None
        """What the run's clock goes by, where a test sets it."""
        self.events: list[AnyEvent] = []
        self.when: list[tuple[Callable[[AnyEvent], bool], Callable[[], None]]] = []

    def train(
        self,
        text: str,
        epochs: int = 4,
        seed: int = 0,
        *,
        resume: bool = False,
        extension: Extension | None = None,
        **options: Any,
    ) -> RunEnded:
        """Train to the end, one thread, and return how it ended; with `resume`, from the checkpoint in the folder."""
        asked = {"model": "mlp", "threads": 1, "limit_train": IMAGES, "device": "cpu", **options}
        spec = RunSpec.of("tiny", preset(text, epochs), seed=seed, **asked)
        prepared = prepare(spec, self._emit, self.folder if resume else None, extension)
        return train(prepared, self._emit, self.control, self.folder, awake=self.awake)

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def _emit(self, event: AnyEvent) -> None:
        self.events.append(event)
        for condition, act in list(self.when):
            if condition(event):
                act()

    @property
    def losses(self) -> list[float | None]:
        """Of every step."""
        from tui_trainer.events import StepsTaken

        return [loss for event in self.of(StepsTaken) for loss in event.losses]

    @property
    def lrs(self) -> list[float]:
        """Of every step."""
        from tui_trainer.events import StepsTaken

        return [
            lr
            for event in self.of(StepsTaken)
            for lr in (event.lrs * len(event.losses) if len(event.lrs) == 1 else event.lrs)
        ]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TinyRun:
    return TinyRun(monkeypatch, tmp_path)
