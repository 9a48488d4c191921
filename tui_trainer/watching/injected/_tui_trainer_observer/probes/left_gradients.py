"""Gradients that nobody clears: backward adds to those that the last step has used."""

from __future__ import annotations

from ..listeners import NEVER
from ..python_internals import ref
from ..torch_internals import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

ENOUGH_STEPS = 5
"""In a row, with gradients left."""

CLEARED_STEPS = 3
"""In which they were cleared: the loop does it, and is looked at no longer."""

_SAMPLES = 4
_LARGEST = 1 << 14
"""Numbers of a parameter that are looked at."""


class _Sample:
    """A parameter between two steps of its optimizer."""

    def __init__(self, parameter: Any) -> None:
        self.parameter = ref(parameter)
        self.gradient: Any = None
        """A weak reference to the gradient that the last step used, and in which version it was left by us last."""
        self.version = -1
        self.cleared = False
        self.added = False


class _Record:
    """Of an optimizer."""

    def __init__(self, site: int, samples: list[_Sample]) -> None:
        self.site = site
        self.samples = samples
        self.left = 0
        self.cleared = 0


class LeftGradients:
    """Looks at some small parameters of each optimizer before and behind each backward, for its first steps.

    A gradient is left where it is the same tensor, not zero, untouched since the last step or backward, and a backward
    changed it in place, which is how gradients are added up. Whoever puts something into gradients by hand touches it.
    On a device other than the CPU nothing is read, and so nothing is told.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._records: dict[int, _Record | None] = {}
        """By the optimizers' numbers; None once all is known."""
        observer.listeners.add("after_step", self._after_step)

    def _after_step(self, optimizer: Any, kept: Any, site: int) -> int:
        if kept.number not in self._records:
            self._begin(optimizer, kept.number, site)
        elif (record := self._records[kept.number]) is not None:
            self._judge(record, kept.number)
        if (record := self._records[kept.number]) is None:
            return NEVER
        for sample in record.samples:
            _note(sample)
        return int(kept.steps) + 1

    def _begin(self, optimizer: Any, number: int, site: int) -> None:
        samples: list[_Sample] = []
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if len(samples) < _SAMPLES and _can_be_read(parameter.grad):
                    samples.append(_Sample(parameter))
        record = self._records[number] = _Record(site, samples) if samples and len(self._records) < 100 else None
        if record is not None and not self._open(but=number):
            self._observer.listeners.add("before_backward", self._before_backward)
            self._observer.listeners.add("after_backward", self._after_backward)

    def _open(self, but: int = 0) -> list[_Record]:
        return [record for number, record in self._records.items() if record is not None and number != but]

    def _before_backward(self, loss: Any) -> None:
        for record in self._open():
            for sample in record.samples:
                sample.cleared = sample.cleared or not _is_left(sample)

    def _after_backward(self, loss: Any, site: int) -> None:
        for record in self._open():
            for sample in record.samples:
                parameter = sample.parameter()
                gradient = parameter.grad if parameter is not None else None
                if sample.gradient is not None and gradient is sample.gradient() and gradient is not None:
                    sample.added = sample.added or version_of(gradient) > sample.version
                    sample.version = version_of(gradient)

    def _judge(self, record: _Record, number: int) -> None:
        """Behind a step: whether gradients were cleared since the last one."""
        if any(sample.cleared for sample in record.samples):
            record.left, record.cleared = 0, record.cleared + 1
        elif all(sample.added for sample in record.samples):
            record.left += 1
        else:
            return
        if record.left >= ENOUGH_STEPS:
            values = {"steps": record.left, "optimizer": number}
            self._observer.writer.define("observed", fact="gradients_kept", site=record.site, values=values)
        if record.left >= ENOUGH_STEPS or record.cleared >= CLEARED_STEPS:
            self._records[number] = None
            if not self._open():
                self._observer.listeners.remove("before_backward", self._before_backward)
                self._observer.listeners.remove("after_backward", self._after_backward)


def _can_be_read(gradient: Any) -> bool:
    return (
        gradient is not None
        and gradient.device.type == "cpu"
        and not gradient.is_sparse
        and 0 < gradient.numel() <= _LARGEST
        and bool(gradient.ne(0).any())
    )


def _note(sample: _Sample) -> None:
    """As the step leaves it."""
    parameter = sample.parameter()
    gradient = parameter.grad if parameter is not None else None
    sample.gradient = None if gradient is None else ref(gradient)
    sample.version = -1 if gradient is None else version_of(gradient)
    sample.cleared = gradient is None
    sample.added = False


def _is_left(sample: _Sample) -> bool:
    parameter = sample.parameter()
    gradient = parameter.grad if parameter is not None else None
    if gradient is None or sample.gradient is None or sample.gradient() is not gradient:
        return False
    return version_of(gradient) == sample.version and bool(gradient.ne(0).any())
