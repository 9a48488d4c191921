"""All runs that were recorded, in a list with a cursor, a filter, marks and an order: opened, resumed, compared,
deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.compare.membership import Memberships
from tui_trainer.lr_suggestions import DIGITS
from tui_trainer.records import run_index
from tui_trainer.records.run_index import RunIndex
from tui_trainer.run_sources.remembered import folders_remembered
from tui_trainer.run_sources.run_list import range_tests_beside, runs_at
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import command_in_short
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis_keys import CountedAxis, Scaled, ScaleKeys
from tui_trainer.ui.filtered_list import ChoosingScreen
from tui_trainer.ui.formatting import clock, cut, in_short
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import Line, Panel, Span
from tui_trainer.ui.runs.far_runs import FarRuns, FarSeen, is_far, place_of
from tui_trainer.ui.runs.preview import Preview
from tui_trainer.ui.runs.run_list import GROUPED, RunList

if TYPE_CHECKING:
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_sources.run_source import RunSource

LOOK_FOR = 0.1
"""Seconds that records are read for before those that were read are shown."""

LIVE = ("running", "paused")
ENDED_EARLY = ("stopped", "crashed")


class Seen(NamedTuple):
    """What somebody saw who looked beside the screen."""

    runs: Sequence[RunSummary]
    complete: bool
    trouble: str
    comparisons: Mapping[str, str]


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
        if run.is_range_test:
            return [_of_range_test(run, width), (Span(" " + cut(plain(run.folder), width - 2), "faint"),)]
        facts = [command_in_short(run.command or ()), plain(run.device or "")]
        facts.append(f"seed {run.seed}" if run.seed is not None else "")
        facts += [f"{in_short(run.parameters)} parameters" if run.parameters else "", counted(run.steps_done, "step")]
        if run.tool is not None:
            facts += [plain(f"{name} {value}") for name, value in run.config.items()]
        facts += [clock(run.elapsed_s) if run.elapsed_s else "", plain(run.reason or "")]
        said = " · ".join(fact for fact in facts if fact)
        return [(Span(" " + cut(said, width - 2)),), (Span(" " + cut(plain(run.folder), width - 2), "faint"),)]


def _of_range_test(run: RunSummary, width: int) -> Line:
    if run.flaws:
        return (Span(" " + cut(plain(run.flaws[0]), width - 2), "warning"),)
    lrs = [f"{rule} {format_lr(lr, DIGITS)}" for rule, lr in run.metrics.items()]
    facts = [plain(run.preset or ""), plain(run.device or ""), counted(run.steps_done, "step")]
    facts += lrs or [say("find_lr.no_lr")]
    return (Span(" " + cut(" · ".join(fact for fact in facts if fact), width - 2)),)


PREVIEW_FROM = 120
"""Columns from which on the run under the cursor is drawn beside the list."""


class RunsScreen(ScaleKeys, ChoosingScreen["RunSummary"]):
    """A list as `ls -lt` would give it."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("filter", "runs")

    def __init__(self, folder: Path, named: Path | None = None) -> None:
        """Those of a folder, of the folders that are remembered, and what lies where a person looks right now."""
        super().__init__("runs")
        here = [named] if named is not None else []
        self.shelf = RunIndex(folder, lambda: [*runs_at([*here, *folders_remembered()]), *range_tests_beside(folder)])
        self._far = FarRuns()
        self._seen: Seen | None = None
        """What was seen last on this machine."""
        self._memberships = Memberships(folder)
        self._comparisons: Mapping[str, str] = {}
        """As they were seen last. Only who looks touches both."""
        self.list: RunList = RunList()
        self._looks = self._again = False
        """Whether somebody looks what there is, who has the shelf until then; and whether to look at once after it."""
        self._heading = PanelHeading("runs")
        self._details = Details()
        self._preview = Preview()

    def on_unmount(self) -> None:
        self._preview.close()
        self._far.leave()

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
            by_groups = self.list.order == GROUPED
            self.context.tasks.run(lambda: self._look(again, by_groups), self._looked, self._cannot_look)
        if self._far.begin_look():
            self.context.tasks.run(self._far.look, self._looked_far, lambda _: self._looked_far(None))
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
        if not (ended_early and self.context.on_resume is not None) and not self._can_be_extended(run):
            none |= {"resume"}
        if run is None or not ours or run.status in LIVE:
            none |= {"delete", "rename"}
        if run is not None and run.is_range_test:
            none = (none | {"mark", "resume", "rename"}) - {"delete"}
        if run is not None and is_far(run):
            none |= {"resume", "delete", "rename"}
        return none if self.list.filter or len(self.app.screen_stack) > 1 else none | {"back"}

    @property
    def x_axis(self) -> CountedAxis:
        return self._preview.x_axis

    @property
    def charts_of_y(self) -> Sequence[Scaled]:
        return [self._preview.chart_of_y]

    @on(RunList.Chosen)
    def action_choose(self) -> None:
        if (run := self.list.current) is not None:
            if is_far(run):
                self.context.pages.show_far_run(run.folder)
            elif run.is_range_test:
                self.context.pages.show_range_test(Path(run.folder))
            else:
                self.context.pages.show_run(Path(run.folder))

    def action_page(self, pages: int) -> None:
        self.list.move(pages * self.list.page)

    def action_sort(self) -> None:
        self.say(self.list.next_order())
        self.context.clock.hurry()

    def action_mark(self) -> None:
        if self._is_refused_as_range_test():
            return
        self.list.mark()
        count = len(self.list.marked)
        self.say_marked(counted(count, "run") + " marked" if count else "")

    def action_resume(self) -> None:
        run = self.list.current
        if run is None or self._is_refused_as_far() or self._is_refused_as_range_test():
            return
        if run.tool is not None:
            self.say(say("runs.not_ours", tool=run.tool), "warning")
            return
        if self._can_be_extended(run):
            from tui_trainer.ui.more_epochs import ask_for_more_epochs

            ask_for_more_epochs(self, Path(run.folder), run.epochs_done)
            return
        if run.status not in ENDED_EARLY:
            has = say("runs.goes_on") if run.status in LIVE else say("runs.has_ended", status=run.status)
            self.say(say("runs.not_resumed", has=has), "warning")
            return
        if run.command is not None:
            self.say(say("watched.no_resume"), "warning")
            return
        self.context.pages.resume_run(Path(run.folder))

    def _is_refused_as_far(self) -> bool:
        """Whether the run under the cursor is on another machine: it is said that it is only looked at from here."""
        run = self.list.current
        if run is None or not is_far(run):
            return False
        self.say(say("runs.far", host=place_of(run)), "warning")
        return True

    def _is_refused_as_range_test(self) -> bool:
        """Whether an LR range test is under the cursor: it is said that it is no run."""
        run = self.list.current
        if run is None or not run.is_range_test:
            return False
        self.say(say("runs.range_test"), "warning")
        return True

    def _can_be_extended(self, run: RunSummary | None) -> bool:
        """Whether it is a finished run of ours, and more epochs can be trained from here."""
        if run is None or run.tool is not None or run.command is not None:
            return False
        return run.status == "finished" and self.context.on_extend is not None

    def _ours_at_rest(self, live: str) -> RunSummary | None:
        """The run under the cursor, if it is ours and over; else why not is said: of a live one, the caption `live`."""
        run = self.list.current
        if run is None or self._is_refused_as_far():
            return None
        if run.tool is not None:
            self.say(say("runs.not_ours", tool=run.tool), "warning")
            return None
        if run.status in LIVE:
            self.say(say(live), "warning")
            return None
        return run

    def action_delete(self) -> None:
        run = self.list.current
        if run is None or not run.is_range_test or is_far(run):
            run = self._ours_at_rest("runs.live_not_deleted")
        if run is None:
            return
        from tui_trainer.ui.dialogs import deleting, deleting_range_test

        done = counted(run.steps_done, "step")
        if run.is_range_test:
            question = deleting_range_test(plain(run.id), done)
        else:
            if run.epochs_told:
                done += f", {counted(run.epochs_done, 'epoch')}"
            question = deleting(plain(run.name or run.id), done, run.status)

        def answered(answer: str | None) -> None:
            if answer == "yes":
                self._delete(Path(run.folder))

        self.app.push_screen(question, answered)

    def action_rename(self) -> None:
        if self._is_refused_as_range_test():
            return
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

    def _look(self, again: bool, by_groups: bool) -> Seen | None:
        """What there is, if it is another than before. Not in the screen's thread."""
        if again:
            self.shelf.look_again()
        before = self.shelf.complete
        comparisons = self._memberships.look() if by_groups else self._comparisons
        same, self._comparisons = comparisons == self._comparisons, comparisons
        if not self.shelf.look(LOOK_FOR) and self.shelf.complete == before and not self.shelf.trouble and same:
            return None
        return Seen(self.shelf.runs, self.shelf.complete, self.shelf.trouble, comparisons)

    def _looked(self, seen: Seen | None) -> None:
        self._looks = False
        if seen is None or not self.is_attached:
            return
        self._seen = seen
        self._put()
        if seen.trouble:
            self._say_unreadable(seen.trouble)

    def _looked_far(self, seen: FarSeen | None) -> None:
        came = self._far.looked(seen)
        if not self.is_attached:
            return
        if came:
            self._put()
            self.context.clock.hurry()
        if seen is not None and seen.trouble:
            self.say(seen.trouble, "warning")

    def _put(self) -> None:
        """Show what was seen, here and on other machines."""
        if (seen := self._seen) is not None:
            self.list.put([*seen.runs, *self._far.runs], seen.complete, seen.comparisons)
            self._details.show(self.list.current)

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
