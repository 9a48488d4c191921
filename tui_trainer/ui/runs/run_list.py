"""The runs in rows: columns as there is room, a filter, marks, and one of several orders."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log10
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events

from tui_trainer.records import run_filter
from tui_trainer.records.run_filter import FilterError
from tui_trainer.records.summary import told
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_metric
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_name, short_names
from tui_trainer.ui.filtered_list import FilteredList
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.panel import BLANK, Line, Span
from tui_trainer.ui.runs.far_runs import is_far, place_of
from tui_trainer.ui.runs.groups import Group, grouped

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


BEST = 15
"""Cells of the best value, with the name of what it is of."""

COLUMNS = (
    Column("when", 16, 2, lambda run: when(run.started_at)),
    Column("run", 28, 0, lambda run: _at_its_place(run, run.name or run.id)),
    Column("preset", 16, 1, lambda run: run.trains),
    Column("data", 13, 3, lambda run: _asked_for(run, run.dataset)),
    Column("model", 8, 4, lambda run: _asked_for(run, run.model)),
    Column("status", 8, 0, lambda run: run.status),
    Column("epochs", 7, 2, lambda run: run.epochs_told),
    Column("best", BEST, 0, lambda run: _best(run)),
)
SPARK_RANK = 3
LEAST_SPARK, LONGEST_SPARK = 8, 24

ORDERS: dict[str, Callable[[RunSummary], tuple[float, str]]] = {
    "newest": lambda run: (-(run.started_at or 0.0), run.id),
    "accuracy": lambda run: (-(run.best_val_accuracy or 0.0), run.id),
    "preset": lambda run: (0.0, f"{run.trains} {run.id}"),
    "status": lambda run: (0.0, f"{run.status} {run.id}"),
}
GROUPED = "groups"
"""The order in which runs that belong together stand together, under headings."""


class RunList(FilteredList["RunSummary"]):
    """The runs, in one of several orders. They are marked by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        """Whether all there are were put."""
        self.can_start = False
        """Whether a run can be started from here."""
        self.order = next(iter(ORDERS))
        self._comparisons: Mapping[str, str] = {}
        """Which comparison a run was trained for, by the run's folder."""
        self._groups: list[Group] = []
        self._columns: Sequence[Column] = COLUMNS
        self._wanted = run_filter.parse("")
        """What was typed last that is a filter."""
        self._trouble = ""

    def name_of(self, item: RunSummary) -> str:
        return item.folder if is_far(item) else item.id

    def can_be_marked(self, item: RunSummary) -> bool:
        """An LR range test cannot be compared."""
        return not item.is_range_test

    def words_of(self, item: RunSummary) -> str:
        return run_filter.words_of(item)

    def passing(self, items: Sequence[RunSummary]) -> Iterable[RunSummary]:
        """Those that the filter lets pass, or the last one did that was typed to its end."""
        try:
            self._wanted = run_filter.parse(self.filter)
        except FilterError as error:
            self._trouble = f"at {error.at}: {error.what}"
        else:
            unknown = self._wanted.unknown_in(items) if self.complete else []
            self._trouble = f"at {unknown[0].at}: {unknown[0].in_words}" if unknown else ""
        return (run for run in items if self._wanted.passes(run))

    @property
    def trouble(self) -> str:
        return self._trouble

    def in_order(self, items: Iterable[RunSummary]) -> list[RunSummary]:
        if self.order != GROUPED:
            self._groups = []
            return sorted(items, key=ORDERS[self.order])
        self._groups = grouped(items, self._comparisons)
        return [run for group in self._groups for run in group.runs]

    def _entries(self) -> list[int | str]:
        """What stands in the rows: the runs by their places among those shown, and headings."""
        entries: list[int | str] = list(range(len(self._shown)))
        first = len(self._shown)
        for group in reversed(self._groups):
            first -= len(group.runs)
            if group.heading:
                entries.insert(first, group.heading)
        return entries

    def put(self, runs: Sequence[RunSummary], complete: bool, comparisons: Mapping[str, str]) -> None:
        """Show these; the cursor stays on its run, and marks on those that are still there.

        While runs are still being read, and nobody has moved the cursor, it stays at the top instead: the run that
        happened to be read first is none that anybody chose.
        """
        stays_on_top = not self.complete and not self._was_moved
        self._all, self.complete, self._comparisons = runs, complete, comparisons
        self._columns = no_wider_than_needed(runs)
        there = {run.id for run in runs}
        self.marked = [run for run in self.marked if run in there or not complete]
        self._show()
        if stays_on_top:
            self._cursor = 0

    def next_order(self) -> str:
        """Sort in another way; which, in words."""
        names = [*ORDERS, GROUPED]
        self.order = names[(names.index(self.order) + 1) % len(names)]
        self._show()
        return say(f"runs.by_{self.order}")

    @property
    def page(self) -> int:
        """Rows that fit; where there are more, a line says so."""
        room = self.size.height - 3
        return max(1, room - (len(self._shown) + sum(bool(group.heading) for group in self._groups) > room))

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        columns, spark = laid_out(width - 3, self._columns)
        columns, spark = with_room(columns, spark, width - 3, self._shown)
        entries = self._entries()
        at = entries.index(self._cursor) if entries else 0
        under_heading = at > 0 and isinstance(entries[at - 1], str)
        self._top = max(min(self._top, at - under_heading), at - self.page + 1)
        end = self._top + self.page
        rows = self._rows(entries[self._top : end], columns, spark, width)
        if more := sum(isinstance(entry, int) for entry in entries[end:]):
            rows.append(self._more_below(more))
        titles = "  ".join(fit(column.title, column.width) for column in columns) + ("  loss" if spark else "")
        if not self._shown:
            rows = [(Span("   " + self._nothing(), "faint"),)]
        return [self._filter_line(width, self._counted()), (Span(fit("   " + titles, width), "faint"),), BLANK, *rows]

    def index_at(self, event: events.Click) -> int | None:
        row, entries = self._top + event.y - 3, self._entries()
        entry = entries[row] if event.y >= 3 and row < len(entries) else None
        return entry if isinstance(entry, int) else None

    def _nothing(self) -> str:
        if self._all:
            return say("runs.none_match")
        if not self.complete:
            return say("runs.reading")
        return say("runs.none_yet", start=say("runs.start_one") if self.can_start else "")

    def _counted(self) -> str:
        said = "   " + say("runs.counted", runs=told(self._all), order=say(f"runs.by_{self.order}"))
        said += say("runs.marked", count=len(self.marked)) if self.marked else ""
        return said if self.complete else said + say("runs.still_reading")

    def _rows(self, entries: Sequence[int | str], columns: Sequence[Column], spark: int, width: int) -> list[Line]:
        """Some runs and headings; names that are cut are told apart among these."""
        runs = [self._shown[entry] for entry in entries if isinstance(entry, int)]
        texts = [[fit(column.text(run), column.width) for run in runs] for column in columns]
        for at, column in enumerate(columns):
            if column.title == "run":
                names = short_names([column.text(run) for run in runs], column.width)
                texts[at] = [fit(name, column.width) for name in names]
        cells = iter(zip(*texts, strict=True))
        return [
            (Span(f"   {cut(entry, width - 3)}", "strong"),)
            if isinstance(entry, str)
            else self._row(entry, columns, next(cells), spark, width)
            for entry in entries
        ]

    def _row(self, index: int, columns: Sequence[Column], cells: Sequence[str], spark: int, width: int) -> Line:
        run = self._shown[index]
        here = index == self._cursor
        role = "lit" if here else ""
        line = [Span(f"{'▌' if here else ' '}{'+' if run.id in self.marked else ' '} ", role)]
        for column, text in zip(columns, cells, strict=True):
            special = ROLES.get(run.status, "") if column.title == "status" and not here else role
            line += [Span(text, special), Span("  ", role)]
        line.append(Span(sparkline(run.loss, spark), role or "live"))
        used = 3 + sum(column.width + 2 for column in columns) + spark
        return (*line, Span(" " * max(0, width - used), role))


def _asked_for(run: RunSummary, what: str | None) -> str:
    """Of records of other tools nobody asked us for anything."""
    return plain(what or ("?" if run.tool is None else ""))


def _best(run: RunSummary) -> str:
    """The best accuracy of the validation; where there is none, and of another tool's record, what it is judged by."""
    if run.tool is None and run.best_val_accuracy is not None:
        return f"{run.best_val_accuracy:.4f}"
    judged = run.objective
    if judged is None or judged.best is None:
        return ""
    value = format_metric(judged.best)
    return f"{value} {short_name(plain(judged.name), max(4, BEST - cell_len(value) - 1), by_end=True)}"


def no_wider_than_needed(runs: Sequence[RunSummary]) -> list[Column]:
    """The columns, each as wide as its title and what stands in it of these runs, at most as wide as it may be.

    One of which none of them has anything is left out.
    """
    found = []
    for column in COLUMNS:
        widths = [cell_len(column.text(run)) for run in runs]
        if any(widths) or not runs or not column.rank:
            found.append(replace(column, width=min(column.width, max([cell_len(column.title), *widths]))))
    return found


def laid_out(width: int, all_columns: Sequence[Column] = COLUMNS) -> tuple[list[Column], int]:
    """The columns that fit, and the width of the sparkline; 0 for none."""
    for rank in (4, 3, 2, 1, 0):
        columns = [column for column in all_columns if column.rank <= rank]
        left = width - sum(column.width + 2 for column in columns)
        spark = min(left, LONGEST_SPARK) if rank >= SPARK_RANK else min(max(left, 0), LONGEST_SPARK)
        if rank == 0 or (left >= 0 and (rank < SPARK_RANK or spark >= LEAST_SPARK)):
            return columns, spark if spark >= LEAST_SPARK else 0
    return [], 0


def with_room(
    columns: Sequence[Column], spark: int, width: int, runs: Sequence[RunSummary]
) -> tuple[list[Column], int]:
    """The columns and the sparkline, with that of the run as wide as the longest name with its id, where there is room
    for both; else as wide as the longest of what it has anyway, if the sparkline can spare as much."""
    at = next((at for at, column in enumerate(columns) if column.title == "run"), None)
    if at is None or not runs:
        return list(columns), spark
    column = columns[at]
    left = width - sum(each.width + 2 for each in columns)
    both = max(cell_len(_named(run)) for run in runs) - column.width
    alone = max(cell_len(column.text(run)) for run in runs) - column.width
    if 0 <= both <= left - spark:
        wider = replace(column, width=column.width + both, text=_named)
    elif 0 < alone <= left - (LEAST_SPARK if spark else 0):
        wider = replace(column, width=column.width + alone)
        spark = min(spark, left - alone)
    else:
        return list(columns), spark
    return [*columns[:at], wider, *columns[at + 1 :]], spark


def _named(run: RunSummary) -> str:
    return _at_its_place(run, f"{run.name}  {run.id}" if run.name else run.id)


def _at_its_place(run: RunSummary, name: str) -> str:
    """What a run is called, behind its machine where that is another one."""
    place = place_of(run)
    return plain(f"{place}: {name}" if place else name)


LOG_FROM = 30.0
"""Values that are all positive, and so many times apart, are drawn by their logarithms."""


def sparkline(values: Sequence[float], width: int) -> str:
    """The values in so many cells, the highest as a full one; each cell has the mean of its share. Where they are far
    apart (`LOG_FROM`), by their logarithms.
    """
    if not values or width <= 0:
        return " " * max(width, 0)
    if 0 < LOG_FROM * min(values) <= max(values):
        values = [log10(value) for value in values]
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
