"""What a person's own code logs as it trains and validates, until it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from numbers import Real
from typing import TypeAlias

import torch
from torch import Tensor

from tui_trainer.engine.clipping import CLIPPED_SHARE
from tui_trainer.engine.model_metrics import NORMS
from tui_trainer.events import Alert, AnyEvent, Kind, MetricDeclared
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

Number: TypeAlias = float | Tensor
"""A tensor is one of a single number that lies on a device which is not waited for; all others are plain numbers."""

LONGEST = 500
"""Characters of a name."""

MOST = 1_000
"""Names that are recorded."""

MOST_LEFT_OUT = 20
"""So often it is said that something is left out."""

SHOWN = 60
"""Characters of a name that is left out, as it is told."""

OURS = frozenset(
    {
        *("val_loss", "val_accuracy", "train_accuracy", "images_per_second", "memory", "gpu_memory", "momentum"),
        *("grad_norm_clipped", CLIPPED_SHARE, *NORMS),
    }
)
"""Series of the run itself that are no columns of steps: what is logged by these names stands beside them."""


class CodeNumbers:
    """Hears what is logged, in the thread that trains."""

    def __init__(self, emit: Callable[[AnyEvent], None]) -> None:
        """`emit` is told what each name is as it is first heard, and once of what cannot be recorded."""
        self._emit = emit
        self._now: dict[str, Number] = {}
        self._sums: dict[str, tuple[Number, int]] = {}
        """Of the batches that are over: the values times their images, and the images."""
        self._told: dict[tuple[str, Kind], str] = {}
        """The series of each name, while it trains and while it validates."""
        self._left_out: set[tuple[str, str]] = set()

    def hear(self, values: Mapping[str, object]) -> None:
        """What is logged; raises nothing."""
        if not isinstance(values, Mapping):
            self._leave_out(values, say("code.no_names"))
            return
        for name, value in values.items():
            if type(name) is not str or not 0 < len(name) <= LONGEST:
                self._leave_out(name, say("code.no_name", most=LONGEST))
            elif (number := _number(value)) is None:
                self._leave_out(name, say("code.no_number"))
            else:
                self._now[name] = number

    def begin(self) -> None:
        """Forget what was heard."""
        self._now.clear()
        self._sums.clear()

    def end_batch(self, images: int) -> None:
        """What was heard since the last one is of so many images."""
        for name, value in self._now.items():
            total, so_far = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value * images, so_far + images)
        self._now.clear()

    def of_step(self, images: int) -> dict[str, Number]:
        """What was heard in a step, whose last batch has so many images: of several batches the means over all their
        images; by their series."""
        if self._sums:
            self.end_batch(images)
        found = {name: total / images for name, (total, images) in self._sums.items() if images} or dict(self._now)
        self.begin()
        return self._by_series(found, "train")

    def of_validation(self) -> dict[str, float]:
        """The means over all images since `begin`, by their series. Waits for the device."""
        means = {name: total / images for name, (total, images) in self._sums.items() if images}
        self.begin()
        return {name: float(mean) for name, mean in self._by_series(means, "val").items()}

    def _by_series(self, values: Mapping[str, Number], kind: Kind) -> dict[str, Number]:
        return {series: value for name, value in values.items() if (series := self._series(name, kind))}

    def _series(self, name: str, kind: Kind) -> str:
        """The series of a name, which is declared as it is first heard; empty where there are too many."""
        if (known := self._told.get((name, kind))) is not None:
            return known
        if len(self._told) >= MOST:
            self._leave_out(name, say("code.too_many", most=f"{MOST:,}"))
            return ""
        series = name if kind == "train" else f"val_{name}"
        if series in OURS:
            series = f"{series} (logged)"
        self._told[name, kind] = series
        self._emit(MetricDeclared(at=time.time(), name=series, kind=kind))
        return series

    def _leave_out(self, name: object, why: str) -> None:
        shown = plain(name)[:SHOWN] if isinstance(name, str) else type(name).__name__
        if (shown, why) not in self._left_out and len(self._left_out) < MOST_LEFT_OUT:
            self._left_out.add((shown, why))
            self._emit(Alert(at=time.time(), kind="options", text=say("code.not_logged", name=shown, why=why)))


def _number(value: object) -> Number | None:
    """As it can be kept; None of what is no single number."""
    try:
        if isinstance(value, Tensor):
            if value.numel() != 1 or value.is_complex():
                return None
            value = value.detach()
            return float(value) if value.device.type == "cpu" else value.to(torch.float32, copy=True).reshape(())
        return float(value) if isinstance(value, Real) else None
    except (RuntimeError, TypeError, ValueError, OverflowError):  # a tensor without numbers; an integer too large
        return None
