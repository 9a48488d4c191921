"""The table of a comparison: a row a preset, the best of each column lit; at the cursor, what all curves read there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from tui_trainer.compare.colours import SWATCH
from tui_trainer.compare.columns import ShownColumn
from tui_trainer.compare.differences import Difference
from tui_trainer.compare.metric import SHORT, Metric
from tui_trainer.compare.table import TARGET_COLUMNS, Row
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_names
from tui_trainer.ui.charts.chart import narrow
from tui_trainer.ui.compare.cells import RowOrder, TableCells
from tui_trainer.ui.compare.curves import SeriesStyles
from tui_trainer.ui.formatting import UNKNOWN, fit, loss, lr
from tui_trainer.ui.panel import Line, Span

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Compared, Group
    from tui_trainer.compare.plain_lines import Results
    from tui_trainer.ui.compare.curves import CompareAxis

BAR = 7
"""Cells of a bar of progress, with a blank behind it."""

ROOMY = 84
"""Cells from which on columns have their full titles."""

KEEP = (
    "final_metric",
    "best_metric",
    "final_accuracy",
    "best_accuracy",
    "target_epoch",
    "target_seconds",
    "final_loss",
    "images_per_second",
    "best_loss",
    "seconds",
    "target_step",
)
"""Columns in the order in which they get room."""


@dataclass
class Shown:
    """What a person chose to see of the presets."""

    hidden: set[int]
    pinned: list[int]
    solo: int | None = None

    def is_seen(self, number: int) -> bool:
        """Whether a preset's curves are drawn."""
        return number == self.solo if self.solo is not None else number not in self.hidden


class CompareTable(SeriesStyles, can_focus=False):
    """Rows in the order of a column; one of them under the cursor."""

    class Chosen(Message):
        """Another row is under the cursor, or the sorting changed."""

    def __init__(self, axis: CompareAxis) -> None:
        super().__init__()
        self.shown = Shown(set(), [])
        self.sort_key = ""
        """The column that sorts; empty for the order of training."""
        self.reverse = False
        self._axis = axis
        self._findings: Results | None = None
        self._is_over = False
        self._cells = TableCells()
        self._ordered = RowOrder()
        self._names: tuple[Sequence[str], int] = (), 6
        """What the presets are called, and the length of the longest."""
        self._order: list[int] = []
        self._chosen = 0
        self._top = 0
        self._columns: list[ShownColumn] = []

    # What is under the cursor

    @property
    def chosen(self) -> int:
        """The number of the preset under the cursor."""
        return self._chosen

    def show(self, findings: Results, is_over: bool) -> None:
        """Bring it up to date; `is_over` is whether no run of any preset goes on, or is to come."""
        self._findings, self._is_over = findings, is_over
        self.redraw_soon()

    def move(self, by: int) -> None:
        """Up or down, not beyond the ends."""
        if self._order:
            at = self._ordered.places.get(self._chosen, 0)
            self._chosen = self._order[max(0, min(at + by, len(self._order) - 1))]
            self.post_message(self.Chosen())

    def sort_next(self) -> None:
        """Sort by the next column that is shown."""
        keys = ["", *(column.key for column in self._columns)]
        at = keys.index(self.sort_key) if self.sort_key in keys else 0
        self.sort_key, self.reverse = keys[(at + 1) % len(keys)], False
        self.post_message(self.Chosen())

    def turn(self) -> None:
        """The other way round."""
        self.reverse = not self.reverse
        self.post_message(self.Chosen())

    # Lines

    def lines(self) -> Sequence[Line]:
        findings = self._findings
        if findings is None:
            return []
        width, height = self.size
        self._cells.show(findings)
        rows = findings.table.rows
        self._order = self._ordered.of(findings, self.sort_key, self.reverse, self.shown.pinned)
        if len(self._names[0]) != len(rows):
            words = tuple(row.group.words for row in rows)
            self._names = words, max(map(len, words), default=6)
        label = max(6, min(self._names[1], 28, width // 5))
        names = short_names(self._names[0], label)
        # Progress takes room as long as there is any to come.
        bar = 0 if self._is_over else BAR
        room = max(1, height - 1)
        at = self._ordered.places.get(self._chosen, 0)
        self._top = max(min(self._top, at), at - room + 1, 0)
        last = min(len(rows), self._top + room)
        shown = [rows[number] for number in self._order[self._top : last]]
        heads, cells, roles, widths = (
            self._reading(findings, shown)
            if self._axis.cursor is not None
            else self._numbers(findings, shown, width - label, bar)
        )
        seen = f" {self._top + 1}–{last}/{len(rows)}" if last - self._top < len(rows) else ""
        lines: list[Line] = [self._head(heads, widths, label, width, seen, bar)]
        for i, row in enumerate(shown):
            lines.append(self._line(row, fit(names[row.group.number], label), cells[i], roles[i], widths, bar))
        return lines

    def _numbers(
        self, findings: Results, shown: Sequence[Row], width: int, bar: int
    ) -> tuple[list[str], list[list[str]], list[list[str]], list[int]]:
        """Of the columns that have room, in the order of the table: heads, cells and their roles of the rows that are
        seen, and widths that all rows have room in."""
        status, progress = self._cells.status, self._cells.progress
        widths = [status.width, max(progress.width, len("epochs"))]
        used = 6 + bar + sum(2 + size for size in widths)
        kept: dict[str, tuple[str, Sequence[str], int]] = {}
        for column in self._in_order_of_room(findings):
            texts, title = self._cells.of(column), self._title(column, findings, width < ROOMY)
            size = max(len(title), texts.width)
            if used + 2 + size > width:
                break
            used += 2 + size
            kept[column.key] = title, texts.texts, size
        self._columns = [column for column in findings.columns if column.key in kept]
        columns = [kept[column.key] for column in self._columns]
        best = findings.table.best
        winners = [best.get(column.key, ()) for column in self._columns]
        cells, roles = [], []
        for row in shown:
            number = row.group.number
            cells.append([status.texts[number], progress.texts[number], *(texts[number] for _, texts, _ in columns)])
            lit = ["lit" if number in those else "" for those in winners]
            roles.append([_status_role(row.status), "", *lit])
        heads = ["", "epochs", *(title for title, *_ in columns)]
        return heads, cells, roles, [*widths, *(size for *_, size in columns)]

    def _in_order_of_room(self, findings: Results) -> list[ShownColumn]:
        """What was chosen, in its order; without a choice what was varied, and of the numbers what one looks for
        first."""
        columns = list(findings.columns)
        if findings.are_chosen:
            return columns
        return sorted(columns, key=lambda each: -1 if isinstance(each, Difference) else KEEP.index(each.key))

    def _title(self, column: ShownColumn, findings: Results, short: bool) -> str:
        title = plain(column.key) if isinstance(column, Difference) else column.short if short else column.title
        if column.key in TARGET_COLUMNS:
            title = f"{title} to {findings.table.target:g}" if not short else f"{title}→{findings.table.target:g}"
        if column.key == self.sort_key:
            title += " ▲" if self.reverse else " ▼"
        return title

    def _reading(
        self, findings: Results, rows: Sequence[Row]
    ) -> tuple[list[str], list[list[str]], list[list[str]], list[int]]:
        """What the curves of these say at the cursor, of the first seed."""
        place, shown = self._axis.cursor or 0.0, self._axis.counted_at_cursor or 0.0
        heads = [f"at {self._axis.unit} {shown:.6g}" if self._axis.unit != "seconds" else f"at {shown:.1f} s"]
        heads += ["step", "loss", "lr", "val loss", "accuracy", "of epoch"]
        metric = findings.table.metric
        more = metric if metric.name not in ("val_accuracy", "val_loss", "train_loss", "lr") else None
        heads += [narrow(more.title(SHORT))] if more is not None else []
        cells, roles = [], []
        for row in rows:
            run = next(iter(row.group.begun), None)
            read = self._read(run, place) if run is not None else [UNKNOWN] * 6
            if more is not None:
                read.append(self._logged(run, more, place))
            cells.append(["", *read])
            roles.append([""] * len(cells[-1]))
        return heads, cells, roles, [max(map(len, column)) for column in zip(heads, *cells, strict=True)]

    def _logged(self, run: Compared | None, metric: Metric, place: float) -> str:
        """What a series was when it was logged last, at or before a place."""
        series = run.history.series.get(metric.name) if run is not None else None
        if run is None or series is None:
            return UNKNOWN
        step = int(self._axis.timeline(run.history).step(place) + 1e-6)
        index = bisect_right(series.steps, step) - 1
        if index < 0:
            return UNKNOWN
        return metric.show(series.values[index]) if isfinite(series.values[index]) else "not finite"

    def _read(self, run: Compared, place: float) -> list[str]:
        history = run.history
        timeline = self._axis.timeline(history)
        step = int(timeline.step(place) + 1e-6)
        if not 1 <= step <= history.steps:
            return [UNKNOWN] * 6
        ended = [epoch for epoch in history.epochs if epoch.step <= step]
        value = history.losses[step - 1]
        not_finite = UNKNOWN if history.series["train_loss"].is_missing(step) else "not finite"
        read = [f"{step:,}", loss(value) if isfinite(value) else not_finite, lr(history.lrs[step - 1])]
        if not ended:
            return [*read, UNKNOWN, UNKNOWN, UNKNOWN]
        return [*read, loss(ended[-1].val_loss), loss(ended[-1].val_accuracy), str(ended[-1].epoch)]

    def _head(self, heads: list[str], widths: list[int], label: int, width: int, seen: str, bar: int) -> Line:
        """The titles; at the left which rows are seen, where there are more."""
        reading = self._axis.cursor is not None
        gap = fit(seen, label + 4 + (0 if reading else bar))
        parts = [
            f"{head:>{size}}" if i else f"{head:<{size}}"
            for i, (head, size) in enumerate(zip(heads, widths, strict=True))
        ]
        return (Span(fit(gap + "  ".join(parts), width), "faint"),)

    def _line(self, row: Row, name: str, cells: list[str], roles: list[str], widths: list[int], bar: int) -> Line:
        group = row.group
        here = group.number == self._chosen
        seen = self.shown.is_seen(group.number)
        pin = "^" if group.number in self.shown.pinned else " "
        colour = f"run{group.colour}" if seen else "faint"
        line = [Span("▌" if here else " ", "live"), Span(f"{SWATCH}{pin}", colour)]
        line.append(Span(f"{name} ", "strong" if here else "" if seen else "faint"))
        if self._axis.cursor is None and bar:
            line.append(Span(_bar(group), colour))
        for i, (text, role, size) in enumerate(zip(cells, roles, widths, strict=True)):
            line.append(Span("  " if i else ""))
            padding = " " * (size - len(text))
            if i:
                line.append(Span(padding))
            line.append(Span(text, role if seen or role == "warning" else "faint"))
            if not i:
                line.append(Span(padding))
        return tuple(span for span in line if span.text)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        at = event.y - 1 + self._top
        if event.y >= 1 and at < len(self._order):
            self._chosen = self._order[at]
            self.post_message(self.Chosen())

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)


def _status_role(status: str) -> str:
    if status in ("running", "starting", "paused"):
        return "live"
    return "faint" if status in ("finished", "to come", "queued") else "warning"


def _bar(group: Group) -> str:
    """How far all seeds of a preset are, in a few cells; a blank one when it is done."""
    standing, total = group.standing, len(group.runs)
    done = float(standing.over)
    for run in standing.live:
        recipe = run.history.recipe
        done += run.history.steps / recipe.total_steps if recipe and recipe.total_steps else 0.0
    if not total or done >= total:
        return " " * BAR
    halves = int(done / total * (BAR - 1) * 2)
    return ("━" * (halves // 2) + ("╸" if halves % 2 else "")).ljust(BAR - 1, "─") + " "
