"""Range tests to which happens what a test says, shown as they go on or recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log10
from pathlib import Path

from tui_trainer.lr_suggestions import LRCurve, raised
from tui_trainer.presets.checks import parse
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.records import range_tests
from tui_trainer.records.range_tests import RangeTestRecord
from tui_trainer.run_spec import RunSpec


class ScriptedFinding:
    """Trains nothing."""

    def __init__(self, spec: RunSpec, runs: Path | None = None) -> None:
        self.spec = spec
        self.recorded = self.warning = ""
        self.lowest, self.highest = 1e-7, 10.0
        self.phase, self.failure, self.closed = "loading data", "", False
        self.curve: LRCurve | None = None
        self.others: Sequence[LRCurve] = ()

    def close(self) -> None:
        self.closed = True

    def come(self, losses: Sequence[float]) -> None:
        """So far, these are all."""
        self.curve = curve_of(losses)


def curve_of(losses: Sequence[float]) -> LRCurve:
    """As far as a test of 200 steps goes."""
    curve = LRCurve(200)
    for lr, loss in zip(raised(1e-7, 10.0, 200), losses, strict=False):
        if curve.ended is None:
            curve.add(lr, loss)
    return curve


def recorded_test(runs: Path, losses: Mapping[int, Sequence[float]]) -> RangeTestRecord:
    """One of onecycle beside these runs, with the losses of each seed."""
    spec = RunSpec.of("onecycle", parse((shipped_folder() / "onecycle.toml").read_text("utf-8")), model="mlp")
    curves = {seed: curve_of(of_seed) for seed, of_seed in losses.items()}
    made = range_tests.made_of(spec.model_dump(mode="json"), ["tui-trainer", "find-lr"], 1e-7, 10.0, curves)
    return range_tests.write(runs, made)


def falling(count: int = 200, middle: float = -1.5) -> list[float]:
    """Losses that fall around a power of ten, and leap at the end."""
    lrs = raised(1e-7, 10.0, 200)[:count]
    return [2.3 - 2 / (1 + exp(-2 * (log10(lr) - middle))) + (50 if lr > 3 else 0) for lr in lrs]
