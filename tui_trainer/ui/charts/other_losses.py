"""What a watched program computes beside its first loss, for the same chart: further losses of each step, and a
validation loss that it tells at steps of its own."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.figure import DOTS
from tui_trainer.ui.charts.chart import LAST, narrow
from tui_trainer.ui.charts.line_chart import CELLS_A_SIGN, SIGNS
from tui_trainer.ui.charts.series_curve import SeriesCurve
from tui_trainer.ui.formatting import loss

if TYPE_CHECKING:
    from tui_trainer.plotting.curves import Extent
    from tui_trainer.plotting.scales import Scale
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.chart import Frame
    from tui_trainer.ui.charts.run_chart import RunChart

MOST = 4
"""Further losses in the chart; more are on the page of metrics."""


_GOES_BACKWARD = re.compile(r"([A-Za-z_]\w*)\.backward\(")


def names_of_others(history: History) -> list[str]:
    """Series that are losses of the training, beside the first one: as they are declared, else those that are called as
    what goes backward in the program's loop."""
    if history.program is None:
        return []
    series = history.series
    sites = history.loop.sites if history.loop is not None else ()
    backward = {name for site in sites if site.call == "backward" for name in _GOES_BACKWARD.findall(site.text)}
    ours = ("train_loss", "train_accuracy")
    others = (name for name in series if name not in ours)
    return [
        name for name in others if series.kind(name) == "train" or (series.declared(name) is None and name in backward)
    ][:MOST]


class OtherLosses:
    """The curves of a history, made ready for drawing as they come."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._curves: dict[str, SeriesCurve] = {}
        self._known: tuple[object, ...] = ()
        self._names: list[str] = []
        self.val: SeriesCurve | None = None
        """A validation loss that no epoch tells."""

    def catch_up(self, at_most: int) -> bool:
        """Read what is new; whether that is all."""
        history = self.history
        if (known := (len(history.series), history.loop)) != self._known:
            self._known = known
            self._names = names_of_others(history)
        for name in self._names:
            if name not in self._curves:
                self._curves[name] = SeriesCurve(history.series[name])
        if self.val is None and "val_loss" in history.series:
            self.val = SeriesCurve(history.series["val_loss"], smooths=False)
        if any(ended.validated for ended in history.epochs[-1:]):
            self.val = None
        done = self.val.catch_up(at_most) if self.val is not None else True
        for curve in self._curves.values():
            done &= curve.catch_up(at_most)
        return done

    def columns(self, edges: list[int]) -> dict[str, list[Extent | None]]:
        """The columns of each curve, by the style to draw it in."""
        found: dict[str, list[Extent | None]] = {}
        for place, name in enumerate(self._names, 1):
            curve = self._curves[name]
            found[f"series{place}"] = curve.smooth(edges) or curve.over(edges)
        if self.val is not None:
            found["val"] = self.val.over(edges)
            self.val.to_the_edges(found["val"], edges)
        return found

    def signs(
        self,
        drawn: dict[str, list[Extent | None]],
        main: list[Extent | None],
        scale: Scale,
        frame: Frame,
        chart: RunChart,
    ) -> list[Glyph]:
        """What tells the curves apart without their colours, and where the last validation was."""
        glyphs: list[Glyph] = []
        across = DOTS[chart.marks][0]
        lines = [("smooth", main), *((f"series{i}", drawn[f"series{i}"]) for i in range(1, len(self._names) + 1))]
        for place, (style, extents) in enumerate(lines) if self._names else ():
            for cell in range(place * 3 % CELLS_A_SIGN, frame.width, CELLS_A_SIGN):
                extent = extents[cell * across]
                if extent is not None and isfinite(extent[0]):
                    glyphs += chart.glyph(cell, (extent[0] + extent[1]) / 2, scale, frame, SIGNS[place], style)
        if self.val is not None and (found := self.val.at(None)) is not None and isfinite(found[1]):
            glyphs += chart.point(*found, scale, frame, LAST, "mark")
        return glyphs

    def legend(self, cursor: int | None) -> list[tuple[int, list[GlyphRun]]]:
        """Each with its sign and its value, for the line over the chart; with how soon it is left out."""
        parts: list[tuple[int, list[GlyphRun]]] = []
        for place, name in enumerate(self._names, 1):
            shown = f"{narrow(self.history.series.shown_as(name))} {self._value(self._curves[name], cursor)}"
            parts.append((min(place, 2), [GlyphRun(f"{SIGNS[place]} {shown}", f"series{place}")]))
        if self.val is not None:
            parts.append((2, [GlyphRun(f"{LAST} val {self._value(self.val, cursor)}", "val")]))
        return parts

    @property
    def are_several(self) -> bool:
        """Whether there are other losses of the training."""
        return bool(self._names)

    def _value(self, curve: SeriesCurve, cursor: int | None) -> str:
        """The last one; as smooth as its line is."""
        found = curve.at(cursor)
        if found is None:
            return loss(float("nan")).ljust(6)
        smooth = curve.smoothing
        place = len(curve.series.values) if cursor is None else None
        if smooth is not None and place is not None and place <= len(smooth.values):
            return f"{loss(smooth.values[place - 1]):<6}"
        return f"{loss(found[1]):<6}"
