"""The list of presets: a cursor, a filter, marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events

from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.filtered_list import FilteredList
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.panel import BLANK, Line, Span

if TYPE_CHECKING:
    from tui_trainer.presets.catalogue import PresetEntry

TALL_FROM = 44
"""Columns from which on there is room for the description under each name."""


def steps_when(entry: PresetEntry) -> str:
    """After what the scheduler steps, in a word or two; empty for none, or where the preset cannot be read."""
    preset = entry.preset
    if preset is None:
        return ""
    interval = {"step": "batch", "epoch": "epoch"}.get(preset.scheduler.interval or "", "")
    if preset.warmup is None or interval == "batch":
        return interval
    return "batch, then epoch" if interval else "batch"


class PresetList(FilteredList["PresetEntry"]):
    """The presets, those of the user's own too."""

    def __init__(self) -> None:
        super().__init__()
        self._is_read = False
        self._early: list[Callable[[], None]] = []
        """What was asked for before they were read."""
        self._row_at: list[int] = []

    def name_of(self, item: PresetEntry) -> str:
        return item.name

    def words_of(self, item: PresetEntry) -> str:
        preset = item.preset
        if preset is None:
            return item.name
        return f"{item.name} {preset.title} {preset.scheduler.name} {preset.optimizer.name}"

    def can_be_marked(self, item: PresetEntry) -> bool:
        """A broken one cannot."""
        return item.preset is not None

    def put(self, entries: Sequence[PresetEntry], name: str = "") -> None:
        """Show other entries; the cursor goes to `name`, or stays on the same name."""
        name = name or (self.current.name if self.current else "")
        self._all, self._is_read = entries, True
        self.narrow(self.filter)
        self.go_to(name)
        early, self._early = self._early, []
        for each in early:
            each()

    def once_read(self, act: Callable[[], None]) -> None:
        """Do it now, or as soon as they were read."""
        if self._is_read:
            act()
        else:
            self._early.append(act)

    def move(self, by: int) -> None:
        self.once_read(partial(super().move, by))

    def mark(self) -> None:
        self.once_read(super().mark)

    def narrow(self, text: str) -> None:
        """Show what holds each word of the filter; the cursor stays on its preset, or goes to the first."""
        name = self.current.name if self.current else ""
        super().narrow(text)
        self._cursor = 0
        self.go_to(name)

    def go_to(self, name: str) -> None:
        """Put the cursor on a preset, if it is shown."""
        self._cursor = next((i for i, entry in enumerate(self._shown) if entry.name == name), self._cursor)
        self._cursor = max(0, min(self._cursor, len(self._shown) - 1))
        self.redraw()
        self.post_message(self.Moved())

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
        if not self._is_read:
            return [(Span(" reading the presets", "faint"),)]
        if not self._shown:
            lines = [(Span(" no preset matches", "faint"),)]
        return [self._filter_line(width, self._counted()), BLANK, *lines]

    def index_at(self, event: events.Click) -> int | None:
        row = event.y - 2
        return self._row_at[row] if 0 <= row < len(self._row_at) else None

    def _counted(self) -> str:
        own = sum(not entry.builtin for entry in self._all)
        return f" {counted(len(self._all), 'preset')}" + (f", {own} your own" if own else "")

    def _block(self, index: int, entry: PresetEntry, width: int) -> list[Line]:
        here = index == self._cursor
        role = "lit" if here else "warning" if entry.preset is None else ""
        sign = "+" if entry.name in self.marked else "!" if entry.preset is None else " "
        when = steps_when(entry)
        if width >= TALL_FROM:
            when = f"steps each {when}" if when else "cannot be used" if entry.preset is None else "never steps"
        name = plain(entry.name)
        if not entry.builtin:
            both = f"yours  {when}".rstrip()
            when = both if cell_len(name) + len(both) + 5 <= width else "yours"
        head = f"{'▌' if here else ' '}{sign} {fit(name, max(4, width - len(when) - 5))} {when} "
        block: list[Line] = [(Span(fit(head, width), role),)]
        if width >= TALL_FROM:
            about = entry.preset.title or entry.preset.description if entry.preset else str(entry.problems[0].message)
            block.append((Span("   "), Span(cut(plain(about), width - 5), "faint")))
            block.append(BLANK)
        return block

    def _scroll_to_cursor(self, heights: Sequence[int], room: int) -> None:
        self._top = min(self._top, self._cursor)
        while self._top < self._cursor and sum(heights[self._top : self._cursor + 1]) > room:
            self._top += 1
