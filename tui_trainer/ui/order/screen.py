"""The page of the order of calls: all that is wrong with it in a watched program, why, and the mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult

from tui_trainer.text.captions import say
from tui_trainer.text.mistakes import mistake_in_words
from tui_trainer.text.plain import plain
from tui_trainer.ui.filtered_list import CursorList
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.order import validation, well, worst_first
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.live.watched_loop import shown_path, shown_place
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.events import MistakeFound
    from tui_trainer.records.history import History
    from tui_trainer.run_sources.run_source import RunSource

MOST_ROWS = 12
LABEL_WIDTH = 11
WIDEST = 100
"""Cells of a text: lines that are longer are hard to read."""


class MistakeList(CursorList["MistakeFound"]):
    """What was found, the worst first; one is under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._cwd = ""

    def show(self, mistakes: Sequence[MistakeFound], cwd: str) -> None:
        """Bring it up to date; the cursor stays on its own."""
        if list(mistakes) == self._shown and cwd == self._cwd:
            return
        here = self.current
        self._shown, self._cwd = list(mistakes), cwd
        self._cursor = self._shown.index(here) if here in self._shown else 0
        self.styles.height = min(len(self._shown), MOST_ROWS)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        self._top = max(min(self._top, self._cursor), self._cursor - max(1, self.size.height) + 1)
        places = [shown_place(found.file, found.lineno, self._cwd) for found in self._shown]
        column = min(30, max(map(len, places), default=0))
        rows: list[Line] = []
        for index, (found, place) in enumerate(zip(self._shown, places, strict=True)):
            here = index == self._cursor
            wrong = mistake_in_words(found.mistake, found.values).wrong
            text = f" {fit(place, column)}  {wrong}" if column else f" {wrong}"
            mark = Span("▌! " if here else " ! ", "lit" if here else "warning")
            rows.append((mark, Span(fit(text, width - 3), "lit" if here else "")))
        return rows[self._top :]

    def index_at(self, event: events.Click) -> int | None:
        index = self._top + event.y
        return index if index < len(self._shown) else None


class MistakeDetails(Panel):
    """Of the one under the cursor: where, what it does, why that matters, and what would be right."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._found: MistakeFound | None = None
        self._shown: tuple[object, ...] = ()
        self._can_try = False

    def show(self, history: History, found: MistakeFound | None, can_try: bool) -> None:
        """Bring it up to date; `can_try`: whether a case of it can be trained from here."""
        shown = (history, history.version, found, can_try)
        if shown != self._shown:
            self._shown, self._history, self._found, self._can_try = shown, history, found, can_try
            self.redraw()

    def lines(self) -> Sequence[Line]:
        history, found = self._history, self._found
        if history is None:
            return []
        width = min(self.size.width, WIDEST)
        if found is None:
            told = [well(history), validation(history)]
            return [(Span(" "), Span(line)) for text in told if text for line in wrap(text, width - 2)]
        words = mistake_in_words(found.mistake, found.values)
        cwd = history.program.cwd if history.program is not None else ""
        lines = self._entry("what", words.wrong, "warning", width)
        lines += self._entry("why", words.why, "", width)
        lines += self._entry("mend", words.mend, "good", width)
        lines.append(BLANK)
        where = shown_path(found.file, cwd) + (f", line {found.lineno}" if found.lineno else "") if found.file else ""
        lines += self._entry("where", where, "faint", width)
        lines += self._entry("", _code_at(history, found), "strong", width)
        lines += self._entry("seen", f"at step {found.step:,}" if found.step else "", "faint", width)
        if words.tried_as and self._can_try:
            lines += [BLANK, self._try_it()]
        return lines

    def _entry(self, label: str, text: str, role: str, width: int) -> list[Line]:
        labels = [label]
        return [
            (Span(f" {labels.pop() if labels else '':<{LABEL_WIDTH - 1}}", "faint"), Span(line, role))
            for line in wrap(text, width - LABEL_WIDTH - 1)
        ]

    def _try_it(self) -> Line:
        room = Span(" " * LABEL_WIDTH)
        line = (room, Span("enter", "key", "screen.try"), Span(f" {say('order.at_work')} ", "faint", "screen.try"))
        rest = say("order.trained_beside")
        return (*line, Span(rest if width_of(line) + len(rest) < self.size.width else "break it", "faint"))


class OrderScreen(TrainerScreen):
    """All that is wrong with the order of calls of the program that a run watches."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("order")

    def __init__(self, source: RunSource) -> None:
        super().__init__("order")
        self._source = source
        self._heading = PanelHeading(say("order.heading"))
        self.list = MistakeList()
        self._details = MistakeDetails()

    def compose_content(self) -> ComposeResult:
        yield self._heading
        yield self.list
        yield self._details
        yield self.key_line

    @property
    def at_ease(self) -> bool:
        return self._source.history.ended is not None

    def draw(self) -> None:
        if self._source is not self.context.source:
            self.context.follow(self._source)
        history = self._source.history
        self._heading.redraw()
        cwd = history.program.cwd if history.program is not None else ""
        self.list.show(worst_first(history), cwd)
        self._details.show(history, self.list.current, self.context.pages.can_break_it)
        self.key_line.idle = frozenset() if self._tried_as() else frozenset({"try"})
        self.key_line.redraw()

    def action_move(self, by: int) -> None:
        self.list.move(by)
        self.context.clock.hurry()

    @on(MistakeList.Moved)
    def _moved(self) -> None:
        self.context.clock.hurry()

    @on(MistakeList.Chosen)
    def action_try(self) -> None:
        """Train it, beside the right order."""
        if self.list.current is None:
            self.say(well(self._source.history))
        elif name := self._tried_as():
            self.context.pages.break_it(name)
        else:
            self.say(say("order.no_case"))

    def action_back(self) -> None:
        self.app.pop_screen()

    def _tried_as(self) -> str:
        found = self.list.current
        return mistake_in_words(found.mistake, found.values).tried_as if found is not None else ""


def _code_at(history: History, found: MistakeFound) -> str:
    """The line of the program, where a call that was seen stands in it."""
    if history.loop is None or not found.lineno:
        return ""
    sites = (site for site in history.loop.sites if (site.file, site.lineno) == (found.file, found.lineno))
    return next((plain(site.text) for site in sites), "")
