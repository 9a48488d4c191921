"""What is drawn of a preset, as long as nothing happens to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

from tui_trainer.plotting.canvas import Glyph
from tui_trainer.plotting.curves import Extent, Span, together

Curve: TypeAlias = Sequence[Extent | None]
T = TypeVar("T")


class Lines:
    """The curves of a preset, in columns: lists that nobody changes. What was found of one of them is kept with it."""

    def __init__(
        self,
        line: list[Extent | None],
        band: list[Extent | None],
        train: list[Extent | None],
        best: tuple[float, float] | None,
        beside: tuple[list[Extent | None], ...] = (),
        unfit: tuple[float, ...] = (),
    ) -> None:
        """Take the curves.

        Args:
            line: the mean.
            band: how far its seeds lie apart; empty for one seed alone.
            train: the training loss beside that of validation; empty where it is the line, or not drawn.
            best: place and value of its best epoch.
            beside: of seeds that train and are in no mean, a line each.
            unfit: places of values that are not finite.
        """
        self.line, self.band, self.train, self.best = line, band, train, best
        self.beside, self.unfit = beside, unfit
        self.name = ""
        """What stands at the end of its line."""
        self.end: float | None = None
        """Where the last of its runs ended, if all ended early."""
        self.curves = [curve for curve in (line, band, train, *beside) if curve]
        """All that are there."""
        self._found: dict[tuple[int, object], tuple[object, object, object]] = {}
        self._together: dict[object, tuple[object, Extent | None]] = {}

    def go_on_from(self, before: Lines) -> None:
        """Keep what was found of the curves that it has, too."""
        mine = set(map(id, self.curves))
        self._found = {key: found for key, found in before._found.items() if key[0] in mine}

    def of(self, work: Callable[..., T], curve: Curve, *how: object) -> T:
        """What `work` finds of a curve of it."""
        known = self._found.get((id(curve), work))
        if known is None or known[0] is not curve or known[1] != how:
            known = self._found[id(curve), work] = curve, how, work(curve, *how)
        return known[2]  # type: ignore[return-value]

    def range_by(self, work: Callable[[Curve], Extent | None], most: float | None = None) -> Extent | None:
        """What `work` finds of all curves together; with `most`, without the columns that hold more."""
        known = self._together.get(work)
        if known is None or known[0] != most:
            curves = self.curves if most is None else [self.of(up_to, curve, most) for curve in self.curves]
            known = self._together[work] = most, together(self.of(work, curve) for curve in curves)
        return known[1]


def up_to(curve: Curve, most: float) -> list[Extent | None]:
    """A curve without the columns that hold more."""
    return [kept if kept is not None and kept[1] <= most else None for kept in curve]


class Fitted(NamedTuple):
    """What is drawn of a preset on a scale."""

    curves: tuple[list[tuple[str, list[Span | None]]], ...]
    """Names and dots: of the band, of lines beside the mean, of a fainter line, and of the line."""
    beyond: list[Glyph]
    """Marks where it is more or less than the scale has room for."""
    marks: list[Glyph]
    ends_at: float | None
    """The row at which its line ends; None where none of it is in sight."""
