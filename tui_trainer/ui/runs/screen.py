"""All runs that were recorded, in a list with a cursor, a filter, marks and an order: opened, resumed, compared,
deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import log10
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.records import run_filter, run_index
from tui_trainer.records.run_filter import FilterError
from tui_trainer.records.run_index import RunIndex
from tui_trainer.run_sources.remembered import remembered
from tui_trainer.run_sources.run_list import runs_at
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import command_in_short
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.axis_keys import ScaleKeys
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.filtered_list import ChoosingScreen, FilteredList
from tui_trainer.ui.formatting import clock, cut, fit, in_short
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import BLANK, Line, Panel, Span
from tui_trainer.ui.runs.preview import Preview

if TYPE_CHECKING:
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_sources.run_source import RunSource

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
    Column("preset", 16, 1, lambda run: run.trains),
    Column("data", 13, 3, lambda run: plain(run.dataset or "?")),
    Column("model", 8, 4, lambda run: plain(run.model or "?")),
    Column("status", 8, 0, lambda run: run.status),
    Column("epochs", 7, 2, lambda run: _epochs(run)),
    Column("best", 6, 0, lambda run: "" if run.best_val_accuracy is None else f"{run.best_val_accuracy:.4f}"),
)
SPARK_RANK = 3
LEAST_SPARK, LONGEST_SPARK = 8, 24

ORDERS: dict[str, Callable[[RunSummary], tuple[float, str]]] = {
    "newest first": lambda run: (-(run.started_at or 0.0), run.id),
    "best accuracy first": lambda run: (-(run.best_val_accuracy or 0.0), run.id),
    "by preset": lambda run: (0.0, f"{run.trains} {run.id}"),
    "by status": lambda run: (0.0, f"{run.status} {run.id}"),
}


class RunList(FilteredList["RunSummary"]):
    """The runs, in one of several orders. They are marked by their ids."""

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        """Whether all there are were put."""
        self.can_start = False
        """Whether a run can be started from here."""
        self.order = next(iter(ORDERS))
        self._wanted = run_filter.parse("")
        """What was typed last that is a filter."""
        self._trouble = ""

    def name_of(self, item: RunSummary) -> str:
        return item.id

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
        """Rows that fit; where there are more, a line says so."""
        room = self.size.height - 3
        return max(1, room - (len(self._shown) > room))

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        columns, spark = laid_out(width - 3)
        columns = with_room(columns, width - 3 - spark, max((cell_len(_named(run)) for run in self._shown), default=0))
        self._top = max(min(self._top, self._cursor), self._cursor - self.page + 1)
        rows = [
            self._row(index, columns, spark, width)
            for index in range(self._top, min(self._top + self.page, len(self._shown)))
        ]
        if (more := len(self._shown) - self._top - self.page) > 0:
            rows.append(self._more_below(more))
        titles = "  ".join(fit(column.title, column.width) for column in columns) + ("  loss" if spark else "")
        if not self._shown:
            rows = [(Span("   " + self._nothing(), "faint"),)]
        return [self._filter_line(width, self._counted()), (Span(fit("   " + titles, width), "faint"),), BLANK, *rows]

    def index_at(self, event: events.Click) -> int | None:
        index = self._top + event.y - 3
        return index if event.y >= 3 and index < len(self._shown) else None

    def _nothing(self) -> str:
        if self._all:
            return say("runs.none_match")
        if not self.complete:
            return say("runs.reading")
        return say("runs.none_yet", start=say("runs.start_one") if self.can_start else "")

    def _counted(self) -> str:
        said = "   " + say("runs.counted", runs=counted(len(self._all), "run"), order=self.order)
        said += say("runs.marked", count=len(self.marked)) if self.marked else ""
        return said if self.complete else said + say("runs.still_reading")

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


def _epochs(run: RunSummary) -> str:
    if run.tool is not None:
        return f"{run.epochs_done}" if run.epochs_done else ""
    return f"{run.epochs_done}/{'?' if run.epochs is None else run.epochs}"


def laid_out(width: int) -> tuple[list[Column], int]:
    """The columns that fit, and the width of the sparkline; 0 for none."""
    for rank in (4, 3, 2, 1, 0):
        columns = [column for column in COLUMNS if column.rank <= rank]
        left = width - sum(column.width + 2 for column in columns)
        spark = min(left, LONGEST_SPARK) if rank >= SPARK_RANK else min(max(left, 0), LONGEST_SPARK)
        if rank == 0 or (left >= 0 and (rank < SPARK_RANK or spark >= LEAST_SPARK)):
            return columns, spark if spark >= LEAST_SPARK else 0
    return [], 0


def with_room(columns: Sequence[Column], width: int, longest: int) -> list[Column]:
    """The columns, that of the run as wide as the longest name with its id, where there is room for both."""
    more = longest - next((column.width for column in columns if column.title == "run"), longest)
    if not 0 <= more <= width - sum(column.width + 2 for column in columns):
        return list(columns)
    return [
        replace(column, width=column.width + more, text=_named) if column.title == "run" else column
        for column in columns
    ]


def _named(run: RunSummary) -> str:
    return plain(f"{run.name}  {run.id}" if run.name else run.id)


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


LOOK_FOR = 0.1
"""Seconds that records are read for before those that were read are shown."""

LIVE = ("running", "paused")
ENDED_EARLY = ("stopped", "crashed")


class Seen(NamedTuple):
    """What somebody saw who looked beside the screen."""

    runs: Sequence[RunSummary]
    complete: bool
    trouble: str


class Details(Panel):
    """What the list has no room for, of the run under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._run: RunSummary | None = None

    def show(self, run: RunSummary | None) -> None:
        """Bring it up to date."""
        self._run = run
        self.redraw()

    def lines(self) -> list[Line]:
        run, width = self._run, self.size.width
        if run is None:
            return []
        facts = [command_in_short(run.command or ()), plain(run.device or "")]
        facts.append(f"seed {run.seed}" if run.seed is not None else "")
        facts += [f"{in_short(run.parameters)} parameters" if run.parameters else "", counted(run.steps_done, "step")]
        facts += [clock(run.elapsed_s) if run.elapsed_s else "", plain(run.reason or "")]
        said = " · ".join(fact for fact in facts if fact)
        return [(Span(" " + cut(said, width - 2)),), (Span(" " + cut(plain(run.folder), width - 2), "faint"),)]


PREVIEW_FROM = 120
"""Columns from which on the run under the cursor is drawn beside the list."""


class RunsScreen(ScaleKeys, ChoosingScreen["RunSummary"]):
    """A list as `ls -lt` would give it."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("filter", "runs")

    def __init__(self, folder: Path) -> None:
        super().__init__("runs")
        self.shelf = RunIndex(folder, lambda: runs_at([Path(root) for root in remembered().roots]))
        self.list: RunList = RunList()
        self._looks = self._again = False
        """Whether somebody looks what there is, who has the shelf until then; and whether to look at once after it."""
        self._heading = PanelHeading("runs")
        self._details = Details()
        self._preview = Preview()

    def on_unmount(self) -> None:
        self._preview.close()

    def compose_content(self) -> ComposeResult:
        yield self._heading
        with Horizontal(id="body"):
            yield self.list
            with Vertical(id="preview"):
                yield self._preview.loss
                yield self._preview.lr
        yield self._details
        yield self.key_line

    def draw(self) -> None:
        self._heading.redraw()
        self.list.can_start = self.context.launcher is not None
        if not self._looks:
            self._looks, again, self._again = True, self._again, False
            self.context.tasks.run(lambda: self._look(again), self._looked, self._cannot_look)
        if not self.list.complete:
            self.context.clock.keep_hurrying()
        elif self.shelf.unread:
            more = f", and {len(self.shelf.unread) - 1} more" if len(self.shelf.unread) > 1 else ""
            self.say(f"{plain(self.shelf.unread[0])}{more}", "warning")
        self._details.show(self.list.current)
        self.set_class(self.app.size.width >= PREVIEW_FROM, "-previews")
        if self.has_class("-previews"):
            self._preview.show(self.list.current, self.context)
        self.show_keys()

    @property
    def idle(self) -> frozenset[str]:
        run, none = self.list.current, super().idle
        if len(self.list.shown) < 2:
            none |= {"sort"}
        ours = run is not None and run.tool is None
        ended_early = ours and run is not None and run.status in ENDED_EARLY and run.command is None
        if not ended_early or self.context.on_resume is None:
            none |= {"resume"}
        if run is None or not ours or run.status in LIVE:
            none |= {"delete", "rename"}
        return none if self.list.filter or len(self.app.screen_stack) > 1 else none | {"back"}

    @property
    def x_axis(self) -> XAxis:
        return self._preview.axis

    @property
    def charts_of_y(self) -> Sequence[LossChart]:
        return [self._preview.loss]

    @on(RunList.Chosen)
    def action_choose(self) -> None:
        if (run := self.list.current) is not None:
            self.context.pages.show_run(Path(run.folder))

    def action_page(self, pages: int) -> None:
        self.list.move(pages * self.list.page)

    def action_sort(self) -> None:
        self.say(self.list.next_order())

    def action_mark(self) -> None:
        self.list.mark()
        count = len(self.list.marked)
        self.say_marked(counted(count, "run") + " marked" if count else "")

    def action_resume(self) -> None:
        run = self.list.current
        if run is None:
            return
        if run.tool is not None:
            self.say(say("runs.not_ours", tool=run.tool), "warning")
            return
        if run.status not in ENDED_EARLY:
            has = say("runs.goes_on") if run.status in LIVE else say("runs.has_ended", status=run.status)
            self.say(say("runs.not_resumed", has=has), "warning")
            return
        if run.command is not None:
            self.say(say("watched.no_resume"), "warning")
            return
        self.context.pages.resume_run(Path(run.folder))

    def _ours_at_rest(self, live: str) -> RunSummary | None:
        """The run under the cursor, if it is ours and over; else why not is said: of a live one, the caption `live`."""
        run = self.list.current
        if run is None:
            return None
        if run.tool is not None:
            self.say(say("runs.not_ours", tool=run.tool), "warning")
            return None
        if run.status in LIVE:
            self.say(say(live), "warning")
            return None
        return run

    def action_delete(self) -> None:
        run = self._ours_at_rest("runs.live_not_deleted")
        if run is None:
            return
        from tui_trainer.ui.dialogs import deleting

        done = f"{counted(run.steps_done, 'step')}, {counted(run.epochs_done, 'epoch')}"

        def answered(answer: str | None) -> None:
            if answer == "yes":
                self._delete(Path(run.folder))

        self.app.push_screen(deleting(plain(run.name or run.id), done, run.status), answered)

    def action_rename(self) -> None:
        run = self._ours_at_rest("runs.live_not_renamed")
        if run is None:
            return
        from tui_trainer.ui.entry import Entry

        def answered(name: str | None) -> None:
            if name is not None and name != (run.name or ""):
                self._rename(Path(run.folder), name)

        about = [run.id, say("question.to_rename")]
        self.app.push_screen(Entry(say("question.rename"), about, value=run.name or ""), answered)

    def action_back(self) -> None:
        if self.list.filter:
            self.list.narrow("")
        elif len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def _rename(self, folder: Path, name: str) -> None:
        named = say("runs.renamed", run=folder.name, name=plain(name)) if name else ""
        self.context.tasks.run(
            lambda: run_index.rename(folder, name or None),
            lambda _: self._changed(named or say("runs.without_name", run=folder.name), "live"),
            lambda error: self._changed(str(error), "warning"),
        )

    def _delete(self, folder: Path) -> None:
        self.say(say("runs.deleting", run=folder.name))
        self.context.tasks.run(
            lambda: run_index.delete(folder),
            lambda _: self._changed(say("runs.deleted", run=folder.name), "live"),
            lambda error: self._changed(str(error), "warning"),
        )

    def _changed(self, text: str, role: str) -> None:
        """Something was done to a record, or was not: say so, and look again."""
        self.say(text, role)
        self._again = True
        self.context.clock.hurry()

    def _look(self, again: bool) -> Seen | None:
        """What there is, if it is another than before. Not in the screen's thread."""
        if again:
            self.shelf.look_again()
        before = self.shelf.complete
        if not self.shelf.look(LOOK_FOR) and self.shelf.complete == before and not self.shelf.trouble:
            return None
        return Seen(self.shelf.runs, self.shelf.complete, self.shelf.trouble)

    def _looked(self, seen: Seen | None) -> None:
        self._looks = False
        if seen is None or not self.is_attached:
            return
        self.list.put(seen.runs, seen.complete)
        self._details.show(self.list.current)
        if seen.trouble:
            self._say_unreadable(seen.trouble)

    def _cannot_look(self, error: Exception) -> None:
        self._looks = False
        self._say_unreadable(str(error))

    def _say_unreadable(self, why: str) -> None:
        self.say(say("runs.unreadable", folder=plain(str(self.shelf.folder)), why=plain(why)), "warning")


class OtherRunScreen(LiveScreen):
    """A run of the list, over the list: it is followed for as long as it is looked at."""

    BINDINGS = bindings("another")

    def __init__(self, source: RunSource, by: str) -> None:
        super().__init__(source, by)
        self.places = ("another", *self.places)

    def draw(self) -> None:
        self.context.follow(self.source)
        super().draw()

    def on_unmount(self) -> None:
        self.source.close()

    def action_back(self) -> None:
        if self.axis.cursor is not None or not self.hints.is_over:
            super().action_back()
        else:
            self.app.pop_screen()
