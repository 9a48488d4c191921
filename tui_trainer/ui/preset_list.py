"""The list of presets: a cursor, a filter, marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from tui_trainer.ui.panel import BLANK, Line, Panel, Span
from tui_trainer.ui.words import clean, cut, fit

if TYPE_CHECKING:
    from tui_trainer.presets import Entry

NAME_WIDTH = 18
TALL_FROM = 44
"""Columns from which on there is room for the description under each name."""


def steps_when(entry: Entry) -> str:
    """After what the scheduler steps, in a word or two; empty for none, or where the preset cannot be read."""
    preset = entry.preset
    if preset is None:
        return ""
    interval = {"step": "batch", "epoch": "epoch"}.get(preset.scheduler.interval or "", "")
    if preset.warmup is None or interval == "batch":
        return interval
    return "batch, then epoch" if interval else "batch"


class PresetList(Panel, can_focus=False):
    """Those that pass the filter; one under the cursor."""

    class Moved(Message):
        """The cursor stands on another preset."""

    class Chosen(Message):
        """A preset was clicked that was under the cursor already."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Entry] | None = None
        """None until they were read."""
        self._shown: list[Entry] = []
        self._cursor = 0
        self._top = 0
        self._row_at: list[int] = []
        self.filter = ""
        self.typing = False
        """Whether what is typed goes into the filter."""
        self.marked: list[str] = []
        """Names marked for a comparison, in the order of marking."""

    @property
    def current(self) -> Entry | None:
        """The preset under the cursor."""
        return self._shown[self._cursor] if self._shown else None

    def put(self, entries: Sequence[Entry], name: str = "") -> None:
        """Show other entries; the cursor goes to `name`, or stays on the same name."""
        name = name or (self.current.name if self.current else "")
        self._all = list(entries)
        self.narrow(self.filter)
        self.go_to(name)

    def narrow(self, text: str) -> None:
        """Show what holds each word of the filter in its name, title or scheduler."""
        name = self.current.name if self.current else ""
        self.filter = text
        words = text.lower().split()
        self._shown = [entry for entry in self._all or () if all(word in _haystack(entry) for word in words)]
        self._cursor = 0
        self.go_to(name)

    def go_to(self, name: str) -> None:
        """Put the cursor on a preset, if it is shown."""
        self._cursor = next((i for i, entry in enumerate(self._shown) if entry.name == name), self._cursor)
        self._cursor = max(0, min(self._cursor, len(self._shown) - 1))
        self.redraw()
        self.post_message(self.Moved())

    def move(self, by: int) -> None:
        """Up or down, not beyond the ends."""
        moved = max(0, min(self._cursor + by, len(self._shown) - 1))
        if moved != self._cursor:
            self._cursor = moved
            self.redraw()
            self.post_message(self.Moved())

    def mark(self) -> None:
        """Mark the preset under the cursor, or unmark it; a broken one cannot be marked."""
        entry = self.current
        if entry is None or entry.preset is None:
            return
        if entry.name in self.marked:
            self.marked.remove(entry.name)
        else:
            self.marked.append(entry.name)
        self.move(1)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        blocks = [self._block(index, entry, width) for index, entry in enumerate(self._shown)]
        room = height - 2
        self._scroll_to_cursor([len(block) for block in blocks], room)
        lines: list[Line] = []
        self._row_at = []
        for index in range(self._top, len(blocks)):
            if len(lines) + len(blocks[index]) > room and lines:
                break
            self._row_at += [index] * len(blocks[index])
            lines += blocks[index]
        if self._all is None:
            return [(Span(" reading the presets", "faint"),)]
        if not self._shown:
            lines = [(Span(" no preset holds that", "faint"),)]
        return [self._filter_line(width), BLANK, *lines]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        row = event.y - 2
        if not 0 <= row < len(self._row_at):
            return
        index = self._row_at[row]
        if index == self._cursor:
            self.post_message(self.Chosen())
        else:
            self.move(index - self._cursor)

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)

    def _filter_line(self, width: int) -> Line:
        if self.typing:
            return (Span(" / ", "live"), Span(fit(self.filter + "▏", width - 4)))
        if self.filter:
            return (Span(" / ", "faint"), Span(fit(self.filter, width - 4)))
        entries = self._all or ()
        own = sum(not entry.builtin for entry in entries)
        counted = f" {len(entries)} presets" + (f", {own} your own" if own else "")
        return (Span(fit(counted, width), "faint"),)

    def _block(self, index: int, entry: Entry, width: int) -> list[Line]:
        here = index == self._cursor
        role = "lit" if here else "warning" if entry.preset is None else ""
        sign = "+" if entry.name in self.marked else "!" if entry.preset is None else " "
        when = steps_when(entry)
        if width >= TALL_FROM:
            when = f"steps each {when}" if when else "cannot be used" if entry.preset is None else "never steps"
        name = clean(entry.name)
        head = f"{'▌' if here else ' '}{sign} {fit(name, max(4, width - len(when) - 5))} {when} "
        block: list[Line] = [(Span(fit(head, width), role),)]
        if width >= TALL_FROM:
            about = entry.preset.title or entry.preset.description if entry.preset else str(entry.problems[0].message)
            block.append((Span("   "), Span(cut(clean(about), width - 5), "faint")))
            block.append(BLANK)
        return block

    def _scroll_to_cursor(self, heights: Sequence[int], room: int) -> None:
        self._top = min(self._top, self._cursor)
        while self._top < self._cursor and sum(heights[self._top : self._cursor + 1]) > room:
            self._top += 1


def _haystack(entry: Entry) -> str:
    preset = entry.preset
    if preset is None:
        return entry.name.lower()
    return f"{entry.name} {preset.title} {preset.scheduler.name} {preset.optimizer.name}".lower()
