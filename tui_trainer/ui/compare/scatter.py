"""What goes with the outcome: a dot for each finished run, over one setting after the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from statistics import fmean
from typing import TYPE_CHECKING

from tui_trainer.plotting.scales import linear, logarithmic
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.chart import narrow
from tui_trainer.ui.compare.curves import SeriesStyles
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Span

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group
    from tui_trainer.compare.correlation import Relation
    from tui_trainer.compare.metric import Metric

DOT = "●"
GUTTER = 7
"""Cells at the left for the outcome."""

LONGEST = 18
"""Cells of a setting in words, and of a legend's name."""


class Scatter(SeriesStyles):
    """A setting that is a number on an axis, one in words as rows of strips."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._relations: Sequence[Relation] = ()
        self._metric: Metric | None = None
        self._groups: Sequence[Group] = ()
        self._at = 0
        self._log_x: bool | None = None
        """Whether a number lies in powers of ten; None until somebody chose: as the relation asks for."""
        self._log = False

    @property
    def log_scale(self) -> bool:
        """Whether the outcome lies in powers of ten, where all of it is above zero."""
        return self._log

    @log_scale.setter
    def log_scale(self, log: bool) -> None:
        self._log = log
        self.redraw()

    def toggle_log(self) -> None:
        """Powers of ten along the setting, or not."""
        relation = self._relations[self._at] if self._relations else None
        self._log_x = not (self._log_x if self._log_x is not None else relation is not None and relation.is_log)
        self.redraw()

    def next_unit(self) -> None:
        """The next setting, and behind the last one the first."""
        self.next()
        self.redraw()

    def show(self, relations: Sequence[Relation], metric: Metric, groups: Sequence[Group]) -> None:
        """Bring it up to date."""
        self._relations, self._metric, self._groups = relations, metric, groups
        self._at = min(self._at, max(0, len(relations) - 1))
        self.redraw()

    def next(self) -> bool:
        """The next setting; whether there was one, else the first is next."""
        self._at += 1
        if self._at < len(self._relations):
            self.redraw()
            return True
        self._at = 0
        return False

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        if self._metric is None or not width:
            return []
        what = self._metric.words
        if not self._relations:
            return [(Span(line, "faint"),) for line in wrap(say("comparison.too_few_to_relate", metric=what), width)]
        relation = self._relations[self._at]
        title = f"{plain(relation.key)} → {what}"
        lines: list[Line] = [(Span(fit(narrow(title), width), "strong"),)]
        scales = [f"{axis} log" for axis, log in (("x", self._is_log(relation)), ("y", self._is_high(relation))) if log]
        told = f"{relation.words}{''.join(f'; {each}' for each in scales)} · {self._at + 1} of {len(self._relations)}"
        lines += [(Span(line, "faint"),) for line in wrap(told, width)]
        rows = max(1, height - len(lines) - 2)
        drawn = self._scattered(relation, width, rows) if relation.is_numeric else self._in_rows(relation, width, rows)
        return [*lines, *drawn, BLANK][: max(1, height)]

    def _colour(self, number: int) -> str:
        return f"run{next((group.colour for group in self._groups if group.number == number), 0)}"

    def _is_log(self, relation: Relation) -> bool:
        """Whether its setting lies in powers of ten: as was chosen, else as it asks for."""
        if not relation.is_numeric or any(float(dot.value) <= 0 for dot in relation.dots):
            return False
        return relation.is_log if self._log_x is None else self._log_x

    def _is_high(self, relation: Relation) -> bool:
        """Whether its outcome lies in powers of ten."""
        return self._log and all(dot.outcome > 0 for dot in relation.dots)

    def _scattered(self, relation: Relation, width: int, rows: int) -> list[Line]:
        """The setting to the right, the outcome upwards."""
        across = max(1, width - GUTTER - 2)
        outcomes = [dot.outcome for dot in relation.dots]
        scale_of = logarithmic if self._is_high(relation) else linear
        scale = scale_of(min(outcomes), max(outcomes), rows, GUTTER - 1)
        values = [_along(dot.value, self._is_log(relation)) for dot in relation.dots]
        low, high = min(values), max(values)
        cells: dict[tuple[int, int], str] = {}
        columns: dict[int, float] = {}
        for dot, value in zip(relation.dots, values, strict=True):
            column = round((value - low) / (high - low) * (across - 1))
            row = rows - 1 - min(rows - 1, max(0, int(scale.height(dot.outcome) * rows)))
            cells[row, column] = self._colour(dot.number)
            columns[column] = float(dot.value)
        ticks = {rows - 1 - tick.at: tick.label for tick in scale.ticks}
        lines: list[Line] = []
        for row in range(rows):
            label = ticks.get(row, "")
            lines.append(_row(f"{label:>{GUTTER - 1}}", "┤" if label else "│", cells, row, across))
        lines.append((Span(" " * (GUTTER - 1) + "└" + "─" * across, "faint"),))
        labels, free = [" "] * width, 0
        for column, number in sorted(columns.items()):
            text = f"{number:g}"
            start = min(GUTTER + column, width - len(text))
            if start >= free:
                labels[start : start + len(text)] = text
                free = start + len(text) + 1
        lines.append((Span("".join(labels), "faint"),))
        return lines

    def _in_rows(self, relation: Relation, width: int, rows: int) -> list[Line]:
        """A row for each value, the best first, and the outcome to the right."""
        assert self._metric is not None
        by: dict[str, list[float]] = {}
        for dot in relation.dots:
            by.setdefault(str(dot.value), []).append(dot.outcome)
        names = sorted(
            by, key=lambda name: fmean(by[name]) * (self._metric.sign or 1 if self._metric else 1), reverse=True
        )
        left = min(LONGEST, max(map(len, names)), max(4, width // 3)) + 1
        across = max(1, width - left - 2)
        low, high = min(dot.outcome for dot in relation.dots), max(dot.outcome for dot in relation.dots)
        log = self._is_high(relation)
        first, last = _along(low, log), _along(high, log)
        lines: list[Line] = []
        for row, name in enumerate(names[:rows]):
            cells = {
                (row, round((_along(dot.outcome, log) - first) / (last - first or 1.0) * (across - 1))): self._colour(
                    dot.number
                )
                for dot in relation.dots
                if dot.value == name
            }
            lines.append(_row(fit(narrow(name), left - 1), "│", cells, row, across))
        if len(names) > rows:
            lines[-1] = (Span(f"and {len(names) - rows + 1} others", "faint"),)
        lines.append((Span(" " * (left - 1) + "└" + "─" * across, "faint"),))
        least, most = self._metric.show(low), self._metric.show(high)
        lines.append((Span(fit(" " * left + least + most.rjust(across - len(least)), width), "faint"),))
        return lines


def _along(value: float | str, log: bool) -> float:
    number = float(value)
    return log10(number) if log else number


def _row(label: str, edge: str, cells: dict[tuple[int, int], str], row: int, across: int) -> Line:
    spans = [Span(label, "faint"), Span(edge, "faint")]
    at = 0
    for column in sorted(column for there, column in cells if there == row):
        spans += [Span(" " * (column - at)), Span(DOT, cells[row, column])]
        at = column + 1
    spans.append(Span(" " * max(0, across - at)))
    return tuple(span for span in spans if span.text)
