"""What was worked out for the last few curves: of most that a chart draws, nothing changed since the last frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec, TypeVar

from tui_trainer.plotting.curves import Extent

P = ParamSpec("P")
Result = TypeVar("Result")

MOST = 8
"""Curves that are remembered: as many as a chart draws, and a few whose ends grow from frame to frame."""


class OfLastCurves(Generic[P, Result]):
    """A function of a curve, that is called anew only for curves and arguments other than the last few."""

    def __init__(self, function: Callable[Concatenate[Sequence[Extent | None], P], Result]) -> None:
        """`function` changes nothing, and what it returns is not changed by anybody."""
        self._function = function
        self._known: list[tuple[Sequence[Extent | None], tuple[object, ...], dict[str, object], Result]] = []

    def __call__(self, curve: Sequence[Extent | None], /, *args: P.args, **options: P.kwargs) -> Result:
        for place, known in enumerate(self._known):
            if known[1] == args and known[2] == options and known[0] == curve:
                self._known.insert(0, self._known.pop(place))
                return known[3]
        result = self._function(curve, *args, **options)
        self._known.insert(0, (list(curve), args, options, result))
        del self._known[MOST:]
        return result
