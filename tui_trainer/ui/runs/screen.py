"""All runs that were recorded: opened, resumed, compared, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult

from tui_trainer.records import run_index
from tui_trainer.records.run_index import RunIndex
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.filtered_list import ChoosingScreen
from tui_trainer.ui.formatting import clock, cut, in_short
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import Line, Panel, Span
from tui_trainer.ui.runs.run_list import RunList

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
        facts = [plain(run.device or ""), f"seed {run.seed}" if run.seed is not None else ""]
        facts += [f"{in_short(run.parameters)} parameters" if run.parameters else "", counted(run.steps_done, "step")]
        facts += [clock(run.elapsed_s) if run.elapsed_s else "", plain(run.reason or "")]
        said = " · ".join(fact for fact in facts if fact)
        return [(Span(" " + cut(said, width - 2)),), (Span(" " + cut(plain(run.folder), width - 2), "faint"),)]


class RunsScreen(ChoosingScreen["RunSummary"]):
    """A list as `ls -lt` would give it."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("runs")

    def __init__(self, folder: Path) -> None:
        super().__init__("runs")
        self.shelf = RunIndex(folder)
        self.list: RunList = RunList()
        self._looks = self._again = False
        """Whether somebody looks what there is, who has the shelf until then; and whether to look at once after it."""
        self._heading = PanelHeading("runs")
        self._details = Details()

    def compose_content(self) -> ComposeResult:
        yield self._heading
        yield self.list
        yield self._details
        yield self.key_line

    def draw(self) -> None:
        self._heading.redraw()
        if not self._looks:
            self._looks, again, self._again = True, self._again, False
            self.context.tasks.run(lambda: self._look(again), self._looked, self._cannot_look)
        if not self.list.complete:
            self.context.clock.keep_hurrying()
        elif self.shelf.unread:
            more = f", and {len(self.shelf.unread) - 1} more" if len(self.shelf.unread) > 1 else ""
            self.say(f"{plain(self.shelf.unread[0])}{more}", "warning")
        self._details.show(self.list.current)
        self.key_line.redraw()

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
        self.say(f"{count} marked; c compares them" if count else "nothing is marked")

    def action_resume(self) -> None:
        run = self.list.current
        if run is None:
            return
        if run.status not in ENDED_EARLY:
            has = "goes on" if run.status in LIVE else f"has {run.status}"
            self.say(f"it {has}: only a run that ended early can be resumed", "warning")
            return
        self.context.pages.resume_run(Path(run.folder))

    def action_delete(self) -> None:
        run = self.list.current
        if run is None:
            return
        if run.status in LIVE:
            self.say("a live run is not deleted: stop it first", "warning")
            return
        from tui_trainer.ui.dialogs import confirming

        done = f"{counted(run.steps_done, 'step')}, {counted(run.epochs_done, 'epoch')}"
        text = f"{plain(run.name or run.id)}: {done}, {run.status}."
        question = confirming("Delete this run?", text, "delete it", "its record and checkpoints are deleted for good")

        def answered(answer: str | None) -> None:
            if answer == "yes":
                self._delete(Path(run.folder))

        self.app.push_screen(question, answered)

    def action_back(self) -> None:
        if self.list.filter:
            self.list.narrow("")
        elif len(self.app.screen_stack) > 1:
            self.app.pop_screen()

    def _delete(self, folder: Path) -> None:
        def over(text: str, role: str) -> None:
            self.say(text, role)
            self._again = True
            self.context.clock.hurry()

        self.say(f"deleting {folder.name}")
        self.context.tasks.run(
            lambda: run_index.delete(folder),
            lambda _: over(f"{folder.name} is deleted", "live"),
            lambda error: over(str(error), "warning"),
        )

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
            self.say(f"{self.shelf.folder} cannot be read: {plain(seen.trouble)}", "warning")

    def _cannot_look(self, error: Exception) -> None:
        self._looks = False
        self.say(f"{self.shelf.folder} cannot be read: {plain(str(error))}", "warning")


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
