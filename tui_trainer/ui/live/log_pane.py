"""What the run and its libraries print, in a pane of its own instead of over the screen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, chop_cells

from tui_trainer.text.captions import say
from tui_trainer.ui.keys import KeyContext
from tui_trainer.ui.live.loop_in_full import cut_left
from tui_trainer.ui.live.typing import Typing, shown
from tui_trainer.ui.panel import Line, Panel, Span, width_of

if TYPE_CHECKING:
    from pathlib import Path

    from tui_trainer.records.tail import LogTail
    from tui_trainer.run_sources.run_source import RunSource

LOOK_EVERY = 0.25
"""Seconds between looks at the file."""


class LogPane(Panel):
    """The end of a run's `log.txt`, followed as it grows; scrolled back, it stands where it is."""

    place: ClassVar[KeyContext | None] = "log"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._folder: Path | None = None
        self._printed: LogTail | None = None
        self._look_at = 0.0
        self.typing: Typing | None = None
        """What is typed to the command of a watched run; None while keys are those of the screen."""
        self._last: int | None = None
        """The number of the line at the bottom, where it was scrolled back; None follows the newest."""

    def show(self, source: RunSource) -> None:
        """Draw what is new; nothing is read while the pane is not on show."""
        if self.has_class("-hidden") or time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY
        folder = source.folder
        changed = folder != self._folder
        if changed:
            from tui_trainer.records.tail import LogTail  # few look at it

            self._folder, self._last = folder, None
            self._printed = LogTail(folder / "log.txt") if folder is not None else None
        if (self._printed is not None and self._printed.look()) or changed or not self._drawn:
            self.redraw()

    def begin_typing(self, folder: Path) -> None:
        """Keys go to the command of the run in this folder from here on."""
        self.typing = Typing(folder)
        self.follow()

    def end_typing(self) -> None:
        """They are the screen's again."""
        self.typing = None
        self.redraw()

    def height_wanted(self, most: int) -> int:
        """Lines of the pane: `most`, and of them no more than it takes to say that nothing was printed."""
        return most if self._printed is not None and self._printed.count else min(2, most)

    def scroll_by(self, lines: int) -> None:
        """Show older lines, where negative, or newer ones again."""
        printed = self._printed
        if printed is None or not printed.count:
            return
        newest = printed.count
        oldest = min(newest, newest - len(printed.lines) + max(1, self.size.height - 1))
        last = max(oldest, (self._last or newest) + lines)
        self._last = last if last < newest else None
        self.redraw()

    def page(self, pages: int) -> None:
        """The same, by as many lines as there is room for."""
        self.scroll_by(pages * max(1, self.size.height - 2))

    def follow(self) -> None:
        """Show the newest line, and those that come."""
        self._last = None
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_by(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_by(-3)

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        printed = self._printed
        count = printed.count if printed is not None else 0
        below = count - self._last if self._last is not None else 0
        right = [Span(f"{say('log.newer', count=f'{below:,}')} ", "warning")] if below else []
        left = [Span(" log ", "strong"), *self._typed(width)]
        rule = Span("─" * max(0, width - width_of([*left, *right]) - 1), "rule")  # or it reads as a word of the axis
        lines: list[Line] = [(*left, rule, Span(" "), *right)]
        if printed is None or not count:
            return [*lines, (Span(f" {say('log.nothing')}", "faint"),)]
        shown: list[str] = []
        for line in islice(reversed(printed.lines), below, None):
            shown[:0] = _folded(line, width - 2)
            if len(shown) >= height - 1:
                break
        return lines + [(Span(" "), Span(piece)) for piece in shown[max(0, len(shown) - height + 1) :]]

    def _typed(self, width: int) -> list[Span]:
        """Beside the heading, what is typed to the command."""
        if self.typing is None:
            return []
        printed = self._printed.lines if self._printed is not None else ()
        line = shown(self.typing.line, printed[-1] if printed else "")
        return [Span(f" {say('log.typed')} ", "live"), Span(cut_left(f"{line}▏", width - 24))]


def _folded(line: str, width: int) -> Iterator[str]:
    """A line in pieces that fit."""
    if cell_len(line) <= width:
        yield line
    else:
        yield from chop_cells(line, max(2, width))
