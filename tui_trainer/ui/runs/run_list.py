"""The list of runs: a cursor, a filter, marks, an order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events

from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.filtered_list import FilteredList
from tui_trainer.ui.formatting import fit
from tui_trainer.ui.panel import BLANK, Line, Span

if TYPE_CHECKING:
    from tui_trainer.records.summary import RunSummary

BARS = "▁▂▃▄▅▆▇█"

ROLES = {"running": "live", "paused": "strong", "stopped": "warning", "diverged": "warning", "crashed": "warning"}


@dataclass(frozen=True)
class Column:
    """A column of the list; those of the highest `rank` are left out first where there is no room."""

    title: str
    width: int
    rank: int
    text: Callable[[RunSummary], str]


COLUMNS = (
    Column("when", 16, 2, lambda run: when(run.started_at)),
    Column("run", 28, 0, lambda run: plain(run.name or run.id)),
    Column("preset", 16, 1, lambda run: plain(run.preset or "?")),
    Column("data", 13, 3, lambda run: plain(run.dataset or "?")),
    Column("model", 8, 4, lambda run: plain(run.model or "?")),
    Column("status", 8, 0, lambda run: run.status),
    Column("epochs", 7, 2, lambda run: f"{run.epochs_done}/{'?' if run.epochs is None else run.epochs}"),
    Column("best", 6, 0, lambda run: "" if run.best_val_accuracy is None else f"{run.best_val_accuracy:.4f}"),
)
SPARK_RANK = 3
LEAST_SPARK, LONGEST_SPARK = 8, 24

ORDERS: dict[str, Callable[[RunSummary], tuple[float, str]]] = {
    "newest first": lambda run: (-(run.started_at or 0.0), run.id),
    "best accuracy first": lambda run: (-(run.best_val_accuracy or 0.0), run.id),
    "by preset": lambda run: (0.0, f"{run.preset} {run.id}"),
    "by status": lambda run: (0.0, f"{run.status} {run.id}"),
}


class RunList(FilteredList["RunSummary"]):
    """The runs, in one of several orders. They are marked by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        """Whether all there are were put."""
        self.order = next(iter(ORDERS))

    def name_of(self, item: RunSummary) -> str:
        return item.id

    def words_of(self, item: RunSummary) -> str:
        return f"{item.id} {item.name or ''} {item.preset} {item.dataset} {item.model} {item.status}"

    def in_order(self, items: Iterable[RunSummary]) -> list[RunSummary]:
        return sorted(items, key=ORDERS[self.order])

    def put(self, runs: Sequence[RunSummary], complete: bool) -> None:
        """Show these; the cursor stays on its run, and marks on those that are still there."""
        self._all, self.complete = runs, complete
        there = {run.id for run in runs}
        self.marked = [run for run in self.marked if run in there or not complete]
        self._show()

    def next_order(self) -> str:
        """Sort in another way; which, in words."""
        names = list(ORDERS)
        self.order = names[(names.index(self.order) + 1) % len(names)]
        self._show()
        return self.order

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - 3)

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        columns, spark = laid_out(width - 3)
        self._top = max(min(self._top, self._cursor), self._cursor - self.page + 1)
        rows = [
            self._row(index, columns, spark, width)
            for index in range(self._top, min(self._top + self.page, len(self._shown)))
        ]
        titles = "  ".join(fit(column.title, column.width) for column in columns) + ("  loss" if spark else "")
        if not self._shown:
            rows = [(Span("   " + self._nothing(), "faint"),)]
        return [self._filter_line(width, self._counted()), (Span(fit("   " + titles, width), "faint"),), BLANK, *rows]

    def index_at(self, event: events.Click) -> int | None:
        index = self._top + event.y - 3
        return index if event.y >= 3 and index < len(self._shown) else None

    def _nothing(self) -> str:
        if self._all:
            return "no run matches"
        return "there are no runs yet; start one from a preset" if self.complete else "reading the records"

    def _counted(self) -> str:
        said = f"   {counted(len(self._all), 'run')}, {self.order}"
        said += f"; {len(self.marked)} marked" if self.marked else ""
        return said if self.complete else said + "; reading"

    def _row(self, index: int, columns: Sequence[Column], spark: int, width: int) -> Line:
        run = self._shown[index]
        here = index == self._cursor
        role = "lit" if here else ""
        line = [Span(f"{'▌' if here else ' '}{'+' if run.id in self.marked else ' '} ", role)]
        for column in columns:
            special = ROLES.get(run.status, "") if column.title == "status" and not here else role
            line += [Span(fit(column.text(run), column.width), special), Span("  ", role)]
        line.append(Span(sparkline(run.loss, spark), role or "live"))
        used = 3 + sum(column.width + 2 for column in columns) + spark
        return (*line, Span(" " * max(0, width - used), role))


def laid_out(width: int) -> tuple[list[Column], int]:
    """The columns that fit, and the width of the sparkline; 0 for none."""
    for rank in (4, 3, 2, 1, 0):
        columns = [column for column in COLUMNS if column.rank <= rank]
        left = width - sum(column.width + 2 for column in columns)
        spark = min(left, LONGEST_SPARK) if rank >= SPARK_RANK else min(max(left, 0), LONGEST_SPARK)
        if rank == 0 or (left >= 0 and (rank < SPARK_RANK or spark >= LEAST_SPARK)):
            return columns, spark if spark >= LEAST_SPARK else 0
    return [], 0


def sparkline(values: Sequence[float], width: int) -> str:
    """The values in so many cells, the highest as a full one; each cell has the mean of its share."""
    if not values or width <= 0:
        return " " * max(width, 0)
    cells = min(width, len(values))
    means = []
    for cell in range(cells):
        share = values[cell * len(values) // cells : (cell + 1) * len(values) // cells]
        means.append(sum(share) / len(share))
    low, high = min(means), max(means)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((mean - low) * scale)] for mean in means).ljust(width)


def when(moment: float | None) -> str:
    """A time as `ls` has it."""
    return "?" if moment is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
