"""Parameters of an optimizer to which no gradient comes."""

from __future__ import annotations

from ..python_internals import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_EVERY_STEP = 8
"""So many steps are looked at first, each."""

_IN_A_ROW = 3
"""And then as many in a row now and then: networks may take turns."""

_TOLD_AT = (20, 100, 500, 2000)
_MOST = 100_000


class _Record:
    """Of an optimizer: which of its parameters still wait."""

    def __init__(self, waiting: list[Any]) -> None:
        self.waiting = waiting
        self.next = 1
        self.told = 0
        self.site = 0
        self.steps = 0


class LostGradients:
    """Looks at the gradients that each step of an optimizer used, and at those alone that never had one."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._records: dict[int, _Record] = {}
        observer.listeners.add("after_step", self._after_step)
        observer.listeners.add("at_goodbye", self._at_goodbye)

    def _after_step(self, optimizer: Any, kept: Any, site: int) -> None:
        record = self._records.get(kept.number)
        if record is None:
            tensors = [held for group in optimizer.param_groups for held in group["params"]]
            record = self._records[kept.number] = _Record([ref(held) for held in tensors[:_MOST]])
        record.steps = kept.steps
        if not record.waiting:
            return
        if kept.steps >= record.next:
            state = optimizer.state
            record.waiting = [held for held in record.waiting if _waits(held(), state)]
            record.site = site
            if kept.steps >= _EVERY_STEP and kept.steps >= record.next + _IN_A_ROW - 1:
                record.next = kept.steps + 2 + kept.steps // 5
        due = [at for at in _TOLD_AT if record.told < at <= kept.steps]
        if due and record.waiting:
            record.told = due[-1]
            self._tell(record)

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
