"""The smoothed losses of a range test over the LR, in powers of ten from left to right, with what is suggested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, log10

from tui_trainer.lr_suggestions import Point, Rule
from tui_trainer.plotting.canvas import Canvas
from tui_trainer.plotting.curves import Span as Dots
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.scales import Scale, along, linear, logarithmic
from tui_trainer.text.plain import in_ascii
from tui_trainer.ui.charts.log_x import powers as powers_of_ten
from tui_trainer.ui.context import ContextApp
from tui_trainer.ui.panel import Line, Panel, Span

GUTTER = 7
"""Cells at the left for the loss."""

HEADROOM = 1.2
"""So many times the first loss is the highest that is drawn: the leap at the end leaves at the top."""

SIGNS: dict[Rule, str] = {"valley": "v", "steepest": "s", "minimum/10": "m"}
"""What stands on the axis for each rule."""


class LossOverLR(Panel):
    """Drawn as far as the test has come; of several seeds their curves over one another."""

    def __init__(self, lowest: float, highest: float) -> None:
        super().__init__()
        self._lowest, self._highest, self._steps = lowest, highest, 0
        self._in_steps, self._log_x, self._log_y = False, True, False
        self._curves: Sequence[Sequence[Point]] = ()
        self._suggestions: Mapping[Rule, float] = {}
        self._chosen: Rule | None = None

    def show(
        self, curves: Sequence[Sequence[Point]], suggestions: Mapping[Rule, float], chosen: Rule, steps: int
    ) -> None:
        """Bring it up to date; the test has so many steps."""
        shown = curves, suggestions, chosen, steps
        if shown != (self._curves, self._suggestions, self._chosen, self._steps):
            self._curves, self._suggestions, self._chosen, self._steps = shown
            self.redraw()

    @property
    def log_scale(self) -> bool:
        """Whether the loss lies in powers of ten."""
        return self._log_y

    @log_scale.setter
    def log_scale(self, log: bool) -> None:
        self._log_y = log
        self.redraw()

    def next_unit(self) -> None:
        """The loss over the steps of the test, or over the LR again."""
        self._in_steps = not self._in_steps
        self.redraw()

    def toggle_log(self) -> None:
        """Powers of ten to the right, or not."""
        self._log_x = not self._log_x
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        across, rows = width - GUTTER - 1, height - 3
        if across < 1 or rows < 1:
            return []
        marks: Marks = self.app.context.settings.marks if isinstance(self.app, ContextApp) else "braille"
        drawn, ticks = self._cells(across, rows, marks)
        # Of those that share a cell the first is drawn.
        signs = {self._place(self._x_of(lr), across): rule for rule, lr in reversed([*self._suggestions.items()])}
        said = f"{'loss':>{GUTTER - 1}}{', log' if self._log_y else ''}"
        lines: list[Line] = [(Span(said, "faint"),)]
        for row, text in enumerate(drawn):
            label = ticks.get(rows - 1 - row, "")
            lines.append((Span(f"{label:>{GUTTER - 1}}{'┤' if label else '│'}", "faint"), *self._row(text, signs)))
        axis = ["─"] * across
        for place, rule in signs.items():
            axis[place] = SIGNS[rule]
        lines += [
            (Span(" " * (GUTTER - 1) + "└", "faint"), *self._on_axis(axis, signs)),
            (Span(self._labels(across), "faint"),),
        ]
        if marks == "ascii":
            return [tuple(Span(in_ascii(span.text), span.role) for span in line) for line in lines]
        return lines

    def _bounds(self) -> tuple[float, float]:
        """What the left and the right end stand for: LRs or steps."""
        return (1.0, float(max(2, self._steps))) if self._in_steps else (self._lowest, self._highest)

    def _x_of(self, lr: float) -> float:
        """Where an LR lies: itself, or the step that used it; the test raises it by the same factor each time."""
        if not self._in_steps:
            return lr
        share = log10(lr / self._lowest) / log10(self._highest / self._lowest)
        return 1.0 + share * (self._bounds()[1] - 1.0)

    def _place(self, x: float, across: int) -> int:
        """The cell of an LR or a step."""
        low, high = self._bounds()
        share = log10(x / low) / log10(high / low) if self._log_x else (x - low) / (high - low)
        return min(across - 1, max(0, int(share * across)))

    def _cells(self, across: int, rows: int, marks: Marks) -> tuple[list[str], dict[int, str]]:
        """The curves, a text for each row, and the labels of the loss."""
        drawn = [points for points in self._curves if points]
        if not drawn:
            return [" " * across] * rows, {}
        losses = [point.loss for points in drawn for point in points]
        highest = HEADROOM * max(points[0].loss for points in drawn)
        scale_of = logarithmic if self._log_y and min(losses) > 0 else linear
        scale = scale_of(min(losses), max(min(losses), min(max(losses), highest)), rows, GUTTER - 1)
        canvas = Canvas(marks)
        tiles = [self._tile(points, scale, across, rows, marks) for points in drawn]
        canvas.draw({f"seed {number}": tile for number, tile in enumerate(tiles)}, across, rows)
        lines = ["".join(run.text for run in row) for row in canvas.rows()]
        return lines, {tick.at: tick.label for tick in scale.ticks}

    def _tile(self, points: Sequence[Point], scale: Scale, across: int, rows: int, marks: Marks) -> list[Dots | None]:
        """The dots of one curve."""
        wide, high = DOTS[marks]
        tile: list[Dots | None] = [None] * (across * wide)
        places = [
            (
                self._place(self._x_of(point.lr), across * wide),
                min(rows * high - 1, int(scale.height(point.loss) * rows * high)),
            )
            for point in points
        ]
        for (here, low), (there, top) in pairwise([*places[:1], *places]):
            before = low
            for column in range(here, there + 1):
                at = low + round((top - low) * (column - here) / (there - here)) if there > here else top
                known = tile[column] or (before, before)
                tile[column] = min(known[0], at), max(known[1], at)
                before = at
        return tile

    def _row(self, text: str, signs: Mapping[int, Rule]) -> list[Span]:
        """A row of the curve, with a dotted line up from each suggestion where nothing is drawn."""
        return [
            Span("┊", self._role(signs[place])) if place in signs and cell in " \u2800" else Span(cell)
            for place, cell in enumerate(text)
        ]

    def _on_axis(self, cells: Sequence[str], signs: Mapping[int, Rule]) -> list[Span]:
        return [Span(cell, self._role(signs[place]) if place in signs else "faint") for place, cell in enumerate(cells)]

    def _role(self, rule: Rule) -> str:
        return "lit" if rule == self._chosen else "strong"

    def _labels(self, across: int) -> str:
        """Powers of ten or round numbers, as many as have room, and what they count."""
        low, high = self._bounds()
        if self._log_x and not self._in_steps:
            powers = range(ceil(log10(low) - 1e-9), floor(log10(high) + 1e-9) + 1)
            ticks = [(10.0**power, f"1e{power}") for power in powers]
        elif self._log_x:
            ticks = [(10**place, label) for place, label in powers_of_ten(log10(low), log10(high), across)]
        else:
            ticks = along(low, high, across, whole=self._in_steps)
        unit = "step" if self._in_steps else "" if self._log_x else "lr"
        labels, end = [" "] * (GUTTER + across), GUTTER + across - len(unit)
        free = GUTTER
        for x, text in ticks:
            start = min(GUTTER + self._place(x, across), GUTTER + across - len(text))
            if start >= free and start + len(text) + bool(unit) <= end:
                labels[start : start + len(text)] = text
                free = start + len(text) + 1
        labels[end:] = unit
        return "".join(labels)
