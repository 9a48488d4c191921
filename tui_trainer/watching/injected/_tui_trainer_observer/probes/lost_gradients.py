"""Parameters of an optimizer to which no gradient comes."""

from __future__ import annotations

from ..listeners import NEVER
from ..python_internals import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_MOST = 100_000
_MOST_WITHOUT_STATE = 1000
"""An optimizer that keeps nothing of its parameters is asked at every step, which many of them would make costly."""

_EVERY_STEP = 500
_TOLD_AT = (20, 100, 500)
"""Steps. Behind the last one it is looked at now and then, and told as it changes."""


class _Record:
    """Of an optimizer: which of its parameters still wait."""

    def __init__(self, waiting: list[Any]) -> None:
        self.waiting = waiting
        self.next = 1
        self.told = 0
        self.site = 0
        self.steps = 0
        """Up to which all is known."""


class LostGradients:
    """Looks at the gradients that each step of an optimizer used, and at those alone that never had one."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._records: dict[int, _Record] = {}
        observer.listeners.add("after_step", self._after_step)
        observer.listeners.add("at_goodbye", self._at_goodbye)

    def _after_step(self, optimizer: Any, kept: Any, site: int) -> int:
        record = self._records.get(kept.number)
        if record is None:
            tensors = [held for group in optimizer.param_groups for held in group["params"]]
            record = self._records[kept.number] = _Record([ref(held) for held in tensors[:_MOST]])
        if not record.waiting:
            return NEVER
        if kept.steps < record.next:
            return record.next
        state = optimizer.state
        before = len(record.waiting)
        record.waiting = [held for held in record.waiting if _waits(held(), state)]
        record.site, record.steps = site, kept.steps
        if not state and len(record.waiting) > _MOST_WITHOUT_STATE:
            record.waiting = []
        # What an optimizer keeps tells of all its steps: those between may be left out.
        every = not state and kept.steps < _EVERY_STEP
        record.next = kept.steps + 1 if every else min([at for at in _TOLD_AT if at > kept.steps] or [kept.steps * 2])
        changed = record.told and len(record.waiting) < before
        if (kept.steps in _TOLD_AT and record.waiting) or changed:
            record.told = kept.steps
            self._tell(record)
        return record.next if record.waiting else NEVER

    def _at_goodbye(self) -> None:
        for record in self._records.values():
            if record.waiting and record.steps > record.told and record.steps >= _TOLD_AT[0]:
                self._tell(record)

    def _tell(self, record: _Record) -> None:
        tensors = [held for held in (reference() for reference in record.waiting) if held is not None]
        parameters = sum(held.numel() for held in tensors if held.requires_grad)
        values = {"parameters": parameters, "tensors": len(tensors), "steps": record.steps}
        self._observer.writer.define("observed", fact="no_gradient", site=record.site, values=values)


def _waits(parameter: Any, state: Any) -> bool:
    """Whether it wants a gradient and has had none. What an optimizer keeps of it tells of earlier ones."""
    if parameter is None or not parameter.requires_grad or parameter.grad is not None or not parameter.numel():
        return False
    return not (state.get(parameter))
