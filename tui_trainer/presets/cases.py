"""A preset on a run, and what a rule about it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from tui_trainer.numbers import counted
from tui_trainer.presets.problems import Severity
from tui_trainer.presets.schema import Preset


@dataclass(frozen=True)
class Run:
    """What a preset does not say of the run that follows it."""

    train_images: int = 4_000
    batchnorm: bool = False
    """Whether the model has BatchNorm layers."""


@dataclass(frozen=True)
class Case:
    """A preset on a run."""

    preset: Preset
    run: Run

    @property
    def epochs(self) -> int:
        return self.preset.training.epochs

    @cached_property
    def batches_per_epoch(self) -> int:
        return -(-self.run.train_images // self.preset.training.batch_size)

    @property
    def span(self) -> int:
        """How many steps the scheduler makes: epochs or batches, less the warm-up; 0 or less if that takes them all."""
        left = self.epochs - self.preset.warmup_epochs
        return left * self.batches_per_epoch if self.preset.scheduler.interval == "step" else left

    @property
    def part(self) -> str:
        """How long the scheduler has, in words."""
        who = "the warm-up leaves" if self.preset.warmup else "the run has"
        return f"{who} {self.steps(self.span)}"

    def less(self, would: str, than: int | None = None) -> str:
        """What a smaller number would do, where there is one."""
        than = self.span if than is None else than
        return f"; less than {than} would {would}" if than > 1 else ""

    def steps(self, number: int) -> str:
        """So many steps of the scheduler, in words."""
        return counted(number, "batch" if self.preset.scheduler.interval == "step" else "epoch")


class Finding(NamedTuple):
    """What a rule found."""

    key: str
    message: str
    severity: Severity = "warning"


Find: TypeAlias = Callable[[Case], Iterator[Finding]]

LENGTH = frozenset({"training", "scheduler", "warmup"})
"""The tables that say how many steps the scheduler makes."""


@dataclass(frozen=True)
class Rule:
    """What to look for, and the tables that it reads."""

    tables: frozenset[str]
    find: Find

    @property
    def needs_span(self) -> bool:
        """Whether it looks at the scheduler over the run, of which a warm-up must then leave something."""
        return self.tables >= LENGTH
