"""What was worked out for the last few curves: of most that a chart draws, nothing changed since the last frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from tui_trainer.plotting.curves import Extent

P = ParamSpec("P")
Result = TypeVar("Result")
Found = TypeVar("Found", covariant=True)

MOST = 8
"""Curves that are remembered: as many as a chart draws, and a few whose ends grow from frame to frame."""


class OfCurves(Protocol[P, Found]):
    """A function of a curve."""

    def __call__(self, curve: Sequence[Extent | None], /, *args: P.args, **options: P.kwargs) -> Found:
        """What it comes to."""


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


class OfDrawnCurves(Generic[P, Result]):
    """A function of a curve, for however many of them, which are lists that nobody changes: it is called anew only for
    a list that was not drawn the last time."""

    def __init__(self, function: Callable[Concatenate[Sequence[Extent | None], P], Result]) -> None:
        """`function` changes nothing, and what it returns is not changed by anybody."""
        self._function = function
        self._last: dict[tuple[object, ...], tuple[Sequence[Extent | None], Result]] = {}
        self._now: dict[tuple[object, ...], tuple[Sequence[Extent | None], Result]] = {}

    def __call__(self, curve: Sequence[Extent | None], /, *args: P.args, **options: P.kwargs) -> Result:
        key = id(curve), args, *options.values()
        known = self._now.get(key) or self._last.get(key)
        if known is None or known[0] is not curve:
            known = curve, self._function(curve, *args, **options)
        self._now[key] = known
        return known[1]

    def is_drawn(self) -> None:
        """All was drawn: forget the curves that were not."""
        self._last, self._now = self._now, {}
