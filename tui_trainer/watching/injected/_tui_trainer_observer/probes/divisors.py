"""Losses that are divided before they go backward, as gradients are accumulated: by which number, by their graphs."""

from __future__ import annotations

from ..torch_internals import divisor_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..observer import Observer

_LOOKS = 16
"""Losses that are looked at."""

_ALIKE = 2
"""Losses in a row from one place that are divided by the same number, until it is told. Whether it is that of the
micro-batches of a step is seen outside."""


class Divisors:
    """Looks at the first losses, before backward frees their graphs, and tells each place once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._looks = 0
        self._by: float | None = None
        """What the loss that goes backward is divided by."""
        self._seen: dict[int, tuple[float | None, int]] = {}
        """By place: the last divisor, and of how many losses in a row."""
        observer.listeners.add("before_backward", self._before_backward)
        observer.listeners.add("after_backward", self._after_backward)

    def _before_backward(self, loss: Any) -> None:
        self._by = divisor_of(loss)

    def _after_backward(self, loss: Any, site: int) -> None:
        by, times = self._seen.get(site, (None, 0))
        times = times + 1 if by == self._by else 1
        self._seen[site] = self._by, times
        if self._by is not None and times == _ALIKE:
            self._observer.writer.define("observed", fact="divided", site=site, values={"by": self._by})
        self._looks += 1
        if self._looks >= _LOOKS:
            self._observer.listeners.remove("before_backward", self._before_backward)
            self._observer.listeners.remove("after_backward", self._after_backward)
