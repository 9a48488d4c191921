"""Losses whose graphs are kept: which of them are still there long after they went backward."""

from __future__ import annotations

from ..python_internals import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_FROM, _TO = 10, 42
"""Which losses are marked."""

_STEPS_LATER, _PASSES_LATER, _STEPS_WITHOUT_PASSES = 300, 2, 2000
"""What they are given until they are gone: lists of an epoch, or of the last hundred, may be meant."""


class _Mark:
    """Hangs on a node of a graph, and is gone with it."""

    __slots__ = ("__weakref__",)


class KeptGraphs:
    """Hangs a mark on the last node of some losses. A sum keeps the node of a loss, and not the loss itself."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._losses = 0
        self._marks: list[Any] = []
        self._site = 0
        self._passes: dict[int, int] = {}
        """That began since then, by sites."""
        observer.listeners.add("after_backward", self._after_backward)
        observer.listeners.add("pass_began", self._pass_began)

    def _pass_began(self, loader: Any, iterator: Any, site: int) -> None:
        self._passes[site] = self._passes.get(site, 0) + 1

    def _after_backward(self, loss: Any, site: int) -> None:
        self._losses += 1
        losses = self._losses
        if losses <= _FROM:
            return
        if losses <= _TO:
            self._mark(loss)
            self._site = site
            self._passes = {}
        elif losses == _TO + 16 and not self._alive():
            self._stop()
        elif losses >= _TO + _STEPS_LATER and losses % 64 == 0:
            if len(self._marks) < _TO - _FROM or self._alive() < 0.9 * len(self._marks):
                self._stop()
            elif max(self._passes.values(), default=0) >= _PASSES_LATER or (
                not self._passes and losses >= _STEPS_WITHOUT_PASSES
            ):
                values = {"kept": self._alive(), "looked_at": len(self._marks), "steps": losses}
                self._observer.writer.define("observed", fact="graphs_kept", site=self._site, values=values)
                self._stop()

    def _mark(self, loss: Any) -> None:
        node = getattr(loss, "grad_fn", None)
        if node is not None:
            mark = _Mark()
            node.metadata[__name__] = mark
            self._marks.append(ref(mark))

    def _alive(self) -> int:
        return sum(mark() is not None for mark in self._marks)

    def _stop(self) -> None:
        self._marks = []
        self._observer.listeners.remove("after_backward", self._after_backward)
        self._observer.listeners.remove("pass_began", self._pass_began)
