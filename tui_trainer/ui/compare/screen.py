"""The comparison screen: all curves on one axis, the table under them, the verdict, and what differs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.compare.columns import can_be_chosen
from tui_trainer.compare.correlation import Relation, relations
from tui_trainer.compare.differences import find_out_presets
from tui_trainer.compare.metric import Metric, in_common, metric_of
from tui_trainer.compare.news import News
from tui_trainer.compare.plain_lines import Results, find_out_within, keep_up
from tui_trainer.garbage import SeldomLooks, none_meanwhile
from tui_trainer.records import inbox
from tui_trainer.records.errors import RunsError
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis_keys import CountedAxis, Scaled, ZoomKeys
from tui_trainer.ui.compare.chart import Overlay, What
from tui_trainer.ui.compare.column_choice import ColumnChoice
from tui_trainer.ui.compare.curves import CompareAxis
from tui_trainer.ui.compare.scatter import Scatter
from tui_trainer.ui.compare.summary import CompareHeadline, DifferenceWords, VerdictWords
from tui_trainer.ui.compare.table import CompareTable
from tui_trainer.ui.keys import bindings

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison, Group
    from tui_trainer.compare.queue import Queue

CHARTS: tuple[What, ...] = ("loss", "accuracy", "lr")
DRAW_EVERY = 0.3
"""Seconds from one drawing to the next while long records are being read."""
READ_SHARE = 4
"""And at least so many times as long as that took: of thousands of runs it is no longer cheap."""
FIND_EVERY = 1.0
"""Seconds from one working out of the findings to the next while only a number between epochs came."""
FIND_SHARE = 20
"""And at least so many times as long as that took."""
FIND_AT_ONCE = 0.02
"""Seconds of work within which they are worked out with every epoch that ends; of thousands of runs that takes more."""
FIND_FOR = 0.003
"""Seconds of work that a frame gives to what takes long where all of thousands of presets must be looked at: keys are
answered between two of them."""
FIND_FIRST = 0.1
"""The same of the first frame, which there is nothing before."""
MANY_RUNS = 200
"""Runs whose records are so much that the garbage collector should not look at all of it again and again."""
MOST_WARNED = 4
"""Lines that warnings get under the table: charts need room too."""

LEAST_FOR_ALL = 24
"""Lines of charts from which on all three are shown."""


class CompareScreen(ZoomKeys):
    """One comparison, as it trains or as it ended."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("compare")

    axis: CompareAxis

    def __init__(self, comparison: Comparison, queue: Queue | None = None) -> None:
        super().__init__("compare")
        self.comparison = comparison
        self.queue = queue
        """What trains here; None where another process does, or nobody."""
        self.axis = CompareAxis()
        self.table = CompareTable(self.axis)
        self._headline = CompareHeadline()
        self._charts = {what: Overlay(what, self.axis, id=what) for what in CHARTS}
        self._verdicts = VerdictWords(), VerdictWords(id="verdict")
        self._differences = DifferenceWords(), DifferenceWords(id="differences")
        self._scatter = Scatter(id="scatter")
        self._one: What = "loss"
        self._by: str | None = None
        """What a key chose to compare by; None: the comparison's own metric."""
        self._findings: Results | None = None
        self._found_at: tuple[object, ...] = (None,)
        self._took: float | None = None
        """Seconds of work that finding them out took; None before, and the first time says nothing of it."""
        self._shared: list[str] = []
        """The series that all runs have, as of the last look."""
        self._related: list[Relation] = []
        self._related_of: Results | None = None
        self._logged: tuple[Metric, int] | None = None
        self._curves_of: tuple[tuple[object, ...], list[Group]] = (), []
        """The presets whose curves are drawn, and as of what."""
        self._curves_version = -1
        """What was looked at last of the comparison for them."""
        self._version = -1
        """What was looked at last of the comparison."""
        self._find_at = 0.0
        self._draw_at = 0.0
        self._drawn_of: tuple[object, ...] | None = None
        """What the last drawing came of; None where a key has changed what there is to draw."""
        self._news = News(comparison)
        self._garbage = SeldomLooks()
        self._works_on = False
        """Whether it is not found out yet what all presets are."""
        self._is_over = False
        """Whether it was told that nothing is left to train."""

    def on_mount(self) -> None:
        if len(self.comparison.runs) >= MANY_RUNS:
            self._garbage.begin()

    def on_unmount(self) -> None:
        self._garbage.end()

    def compose_content(self) -> ComposeResult:
        yield self._headline
        with Horizontal(id="body"):
            with Vertical(id="charts"):
                yield from self._charts.values()
            yield self._scatter
            yield self._differences[1]
            with Vertical(id="side"):
                yield self._verdicts[0]
                yield self._differences[0]
        yield self.table
        yield self._verdicts[1]
        yield self.key_line

    @property
    def trains(self) -> Queue | None:
        return None if self.queue is None or self.queue.is_over else self.queue

    @property
    def stands_still(self) -> bool:
        return self.comparison.is_paused

    def draw(self) -> None:
        comparison = self.comparison
        is_over = not self._is_over and (self.queue is None or self.queue.is_over)
        comparison.poll(look=is_over)  # before all is said to be over, the last word of each run is heard
        self.context.clock.behind |= comparison.lags
        keep_up(comparison, time.thread_time() + FIND_FOR)
        if comparison.lags and time.monotonic() < self._draw_at:
            return  # what is only half read is drawn now and then
        if self._findings is not None and self._works_on:
            self._works_on = not find_out_presets(comparison, time.thread_time() + FIND_FOR)
            self._drawn_of = self._drawn_of if self._works_on else None
            self.context.clock.behind |= self._works_on
        self._headline.show(comparison, self.queue, self.context.clock.budget.share)
        if (seen := self._seen()) != self._drawn_of:
            began = time.thread_time()
            self._drawn_of = seen
            self._draw_anew()
            self._draw_at = time.monotonic() + max(DRAW_EVERY, READ_SHARE * (time.thread_time() - began))
        if is_over and not comparison.lags:
            self._is_over = True
            self.context.pages.comparison_is_over(self, self.queue.exit_code if self.queue is not None else 0)

    def _seen(self) -> tuple[object, ...]:
        """What all that is drawn comes of, but for what keys change: those have it drawn anew."""
        comparison, axis = self.comparison, self.axis
        found = comparison.version, comparison.session.trouble, comparison.elsewhere.version
        waits = self._version != comparison.version and time.monotonic() >= self._find_at
        return found, waits, axis.cursor, axis.bounds, axis.unit, self.size, self.classes

    def _draw_anew(self) -> None:
        comparison = self.comparison
        if self._news.kinds() & self.context.bell:
            self.app.bell()
        self._make_room()
        findings = self._find_out()
        drawn = self._drawn()
        fresh = dict.fromkeys(run.group for run in comparison.since(self._curves_version))
        self._curves_version = comparison.version
        self.axis.update(drawn, fresh)
        self._charts["accuracy"].metric = metric = findings.table.metric
        for chart in self._charts.values():  # those without a size too: they draw as they get one
            chart.show_groups(drawn, self.table.chosen, (self.axis.unit, self.axis.bounds, metric), fresh)
        self.table.show(findings, comparison.is_over)
        for words in (*self._verdicts, *self._differences):
            words.show(comparison, findings)
        if self.has_class("-scatter"):
            if findings is not self._related_of:
                self._related, self._related_of = relations(comparison, findings.table), findings
            self._scatter.show(self._related, metric, comparison.groups)
        self._make_room_for_warnings()
        self.key_line.idle, self.key_line.instead = self._idle(), self._instead()
        self.key_line.redraw()

    def _idle(self) -> frozenset[str]:
        """Actions that would do nothing here and now."""
        draws = any(self.table.shown.is_seen(group.number) for group in self.comparison.groups)
        none = set() if self.comparison.standing.goes_on else {"pause"}
        if not self.has_class("-one"):
            none.add("chart")
        elif self._one != "loss":
            none.add("loss")
        if len(self.comparison.groups) < 2:
            none.add("solo")
        if self.has_class("-differences") or self.has_class("-scatter") or not draws:  # no curve is on show
            none |= {"chart", "loss"}
        if self.has_class("-differences") or not draws:
            none.add("unit")
        if len(self._shared) < 2:
            none.add("metric(1)")
        covered = self.has_class("-differences") or self.has_class("-scatter")
        if not covered and len(self.app.screen_stack) < 2:
            none.add("back")  # it asks what `q` asks
        return frozenset(none)

    def _instead(self) -> dict[str, str]:
        """What keys do that did something once already, by their actions."""
        shown, number = self.table.shown, self.table.chosen
        undone = {
            "pause": "go on" if self.comparison.standing.paused_here else "",
            "hide": "show" if number in shown.hidden else "",
            "solo": "all" if shown.solo == number else "",
            "pin": "unpin" if number in shown.pinned else "",
            "differences": "curves" if self.has_class("-differences") else "",
        }
        return {action: word for action, word in undone.items() if word}

    def _find_out(self) -> Results:
        """The findings, worked out anew where an epoch ended or a run began or ended; by a metric that comes between
        epochs, now and then. Where that takes long, of thousands of runs, it is now and then in any case."""
        comparison = self.comparison
        heard = comparison.far.version if comparison.far is not None else 0
        now = comparison.milestones, comparison.session.trouble, comparison.elsewhere.version, heard, self._by
        due = time.monotonic() >= self._find_at
        came = comparison.version != self._version and due
        at_once = due or (self._took or 0.0) <= FIND_AT_ONCE or self._by != self._found_at[-1]
        knows_more = self._findings is not None and not self._findings.knows_presets and not self._works_on
        if self._findings is not None and now != self._found_at and not at_once:
            self._version = -1  # looked at again as soon as it is due
        elif self._findings is None or now != self._found_at or came or knows_more:
            began = time.thread_time()
            metric = self._metric()
            logged = metric, comparison.logged(metric.name)
            if self._findings is None or now != self._found_at or logged != self._logged or knows_more:
                self._find_anew(metric, now, logged)
            self._shared = in_common(comparison.series)
            self._version = comparison.version
            self._took = time.thread_time() - began if self._took is not None else 0.0
            self._find_at = time.monotonic() + max(FIND_EVERY, FIND_SHARE * self._took)
        assert self._findings is not None
        return self._findings

    def _find_anew(self, metric: Metric, now: tuple[object, ...], logged: tuple[Metric, int]) -> None:
        """Work them out, or go on with it: what was found before stands until it is done."""
        first = self._findings is None
        if first:
            with none_meanwhile():
                found = find_out_within(inf, FIND_FIRST, self.comparison, metric)
        else:
            found = find_out_within(FIND_FOR, FIND_FOR, self.comparison, metric)
        if found is None:
            self.context.clock.behind, self._drawn_of = True, None
            return
        self._findings, self._found_at, self._logged = found, now, logged
        self._works_on = not found.knows_presets
        self.context.clock.behind |= self._works_on
        if first and not metric.is_accuracy and not self.table.sort_key:
            self._sort_by_metric()

    def _metric(self) -> Metric:
        return self.comparison.metric if self._by is None else metric_of(self._by, self.comparison.series)

    def _sort_by_metric(self) -> None:
        assert self._findings is not None
        self.table.sort_key, self.table.reverse = self._findings.table.final_key, False

    def _drawn(self) -> list[Group]:
        """The presets that have begun and whose curves are seen; the same object as long as they are the same."""
        shown, begun = self.table.shown, self.comparison.begun
        of = begun, frozenset(shown.hidden), shown.solo
        if of != self._curves_of[0]:
            self._curves_of = of, [group for group in begun if shown.is_seen(group.number)]
        return self._curves_of[1]

    def _make_room(self) -> None:
        """Rows for all presets as far as they go; one chart where three would be too low. A layout if it changes."""
        height = self.size.height
        rows = 1 + max(2, min(len(self.comparison.groups), height // 3))
        if self.table.styles.height is None or self.table.styles.height.value != rows:
            self.table.styles.height = rows
        fixed = 4 if height >= 30 else 2
        beside = self.has_class("-wide") or self.has_class("-very-wide")  # the findings, else under the charts
        one = height - rows - fixed - (0 if beside else 4) < LEAST_FOR_ALL - 4
        self.set_class(one, "-one")
        for what, chart in self._charts.items():
            self.set_class(one and self._one == what, f"-{what}")
            labels = one or what == "lr"
            if chart.labels != labels:
                chart.labels = labels
                chart.redraw()

    def _make_room_for_warnings(self) -> None:
        """Lines under the table for what is to be known before the presets train, where there is no room beside it."""
        under = self._verdicts[1]
        warned = min(MOST_WARNED, len(under.warned(self.size.width - 2, MOST_WARNED)))
        usual = 5 if self.has_class("-tall") or self.has_class("-very-tall") else 3
        height = usual + warned if warned else None
        if height is None:
            if under.styles.has_rule("height"):
                under.styles.clear_rule("height")
        elif under.styles.height is None or under.styles.height.value != height:
            under.styles.height = height

    # Keys

    def action_row(self, by: int) -> None:
        self.table.move(by)

    @property
    def x_axis(self) -> CountedAxis:
        return self._scatter if self.has_class("-scatter") else self.axis

    @property
    def charts_of_y(self) -> Sequence[Scaled]:
        """All of them, the one on show first."""
        if self.has_class("-scatter"):
            return [self._scatter]
        first = self._one if self.has_class("-one") else "loss"
        return [self._charts[first], *(chart for what, chart in self._charts.items() if what != first)]

    def action_loss(self) -> None:
        self._charts["loss"].next_loss()
        self._hurry()

    def action_chart(self) -> None:
        if not self.has_class("-one"):
            self.say(say("comparison.all_charts"))
            return
        self._one = CHARTS[(CHARTS.index(self._one) + 1) % len(CHARTS)]
        self._hurry()

    def action_hide(self) -> None:
        shown, number = self.table.shown, self.table.chosen
        shown.solo = None
        shown.hidden ^= {number}
        self._hurry()

    def action_solo(self) -> None:
        shown, number = self.table.shown, self.table.chosen
        shown.solo = None if shown.solo == number else number
        self._hurry()

    def action_pin(self) -> None:
        pinned, number = self.table.shown.pinned, self.table.chosen
        if number in pinned:
            pinned.remove(number)
        else:
            pinned.append(number)
        self._hurry()

    def action_sort(self) -> None:
        self.table.sort_next()

    def action_report(self) -> None:
        """Written beside the screen from the records themselves: what is on show goes on meanwhile."""
        shown, by = self.comparison, self._by if self._by is not None else self.comparison.by
        file = Path.cwd() / f"{shown.session.id}.html"

        def write() -> None:
            from tui_trainer.compare.comparison import Comparison
            from tui_trainer.compare.report import write_report
            from tui_trainer.compare.session import Session

            read = Comparison(Session.open(shown.session.folder), by, shown.columns, shown.far)
            try:
                read.poll_all()
                write_report(read, file)
            finally:
                read.close()

        def written(_: None) -> None:
            self.say(say("comparison.report_written", file=plain(str(file))))

        self.say(say("comparison.report_begun"))
        self.context.tasks.run(write, written, lambda error: self.say(plain(str(error)), "warning"))

    def action_metric(self, by: int) -> None:
        names = in_common(self.comparison.series)
        now, own = self._metric(), self.comparison.metric
        names = [*([own.name] if own.name not in names else []), *names]
        if len(names) < 2:
            self.say(say("comparison.no_other_series"))
            return
        at = (names.index(now.name) + by) % len(names) if now.name in names else 0
        self._by = None if names[at] == own.name else names[at]
        self._find_out()
        self._sort_by_metric()
        self._one = "accuracy"  # whose chart is one of the metric now
        self.say(say("comparison.by_series", series=self._metric().words, place=at + 1, count=len(names)))
        self._hurry()

    def action_columns(self) -> None:
        """A list to mark them in; none that is marked: the usual ones."""
        findings, comparison = self._find_out(), self.comparison
        names = can_be_chosen(comparison, findings.table)
        chosen = comparison.columns or tuple(column.key for column in findings.columns)
        names += [name for name in comparison.columns if name not in names]
        self.app.push_screen(ColumnChoice(names, chosen), self._take_columns)

    def _take_columns(self, chosen: tuple[str, ...] | None) -> None:
        if chosen is None:
            return
        self.comparison.columns = chosen
        self._findings = None
        self._hurry()

    def action_turn(self) -> None:
        self.table.turn()

    def action_relations(self) -> None:
        """The first setting, the next ones, and behind the last one the charts again."""
        if self.has_class("-scatter") and not self._scatter.next():
            self.remove_class("-scatter")
        else:
            self.add_class("-scatter")
            self.remove_class("-differences")
        self._hurry()

    def action_differences(self) -> None:
        self.toggle_class("-differences")
        self._hurry()

    def action_open(self) -> None:
        group = next(group for group in self.comparison.groups if group.number == self.table.chosen)
        run = next((run for run in reversed(group.runs) if run.record is not None and run.history.version), None)
        if run is None or run.record is None:
            self.say(say("comparison.not_begun", who=plain(group.label)))
        elif run.entry.address:
            self.context.pages.show_far_run(run.entry.address)
        else:
            self.context.pages.show_run(run.record)

    def action_pause(self) -> None:
        from tui_trainer.commands import Continue, Pause

        live = [run for run in self.comparison.recorded if run.history.ended is None]
        going = [run for run in live if not run.entry.address]
        if live and not going:
            self.say(say("comparison.far_not_paused"), "warning")
        paused = any(run.history.paused for run in going)
        for run in going:
            try:
                if run.record is not None and run.history.version:
                    inbox.send(run.record, Continue(by=self.context.by) if paused else Pause(by=self.context.by))
            except RunsError as error:
                self.say(str(error), "warning")
        self._hurry()

    def action_back(self) -> None:
        if self.has_class("-differences"):
            self.action_differences()
        elif self.has_class("-scatter"):
            self.remove_class("-scatter")
            self._hurry()
        elif len(self.app.screen_stack) > 1:  # what trains here goes on
            self.app.pop_screen()
        else:
            self.context.pages.leave()

    @on(CompareTable.Chosen)
    def _chosen(self) -> None:
        self._hurry()

    def _hurry(self) -> None:
        self._drawn_of = None
        if self.composed:
            self.context.clock.hurry()
