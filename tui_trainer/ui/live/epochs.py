"""A table of the epochs: how each did, how long it took, and which is the best."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.ui.charts.chart import LOWEST
from tui_trainer.ui.formatting import UNKNOWN, loss, lr
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.events import EpochEnded
    from tui_trainer.records.history import History

HEADS = (("epoch", 6), ("train loss", 11), ("val loss", 11), ("accuracy", 9), ("lr", 11), ("s", 7))
"""The columns, and how wide each is."""

LEAVE_FIRST = ("s", "train loss", "lr")
"""Columns that are left out where there is no room for all, in this order."""


class EpochTable(Panel):
    """The epochs that have ended, the newest first; the best one is lit, and stays in sight."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._history: History | None = None
        self._seen: tuple[object, ...] = ()
        self._first = 0
        """How many of the newest are scrolled out of sight."""

    def show(self, history: History) -> None:
        """Draw what is new."""
        if history is not self._history:
            self._first = 0
        seen = (history, len(history.epochs), history.best)
        if seen != self._seen:
            self._history, self._seen = history, seen
            self.redraw()

    def height_wanted(self, most: int) -> int:
        """Lines that it would fill, so many at most: none before an epoch has ended."""
        count = len(self._history.epochs) if self._history is not None else 0
        return min(most, count + 1) if count else 0

    def scroll_by(self, lines: int) -> None:
        """Show older epochs, or newer ones where negative."""
        self._first += lines
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_by(1)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_by(-1)

    def lines(self) -> Sequence[Line]:
        history, (width, height) = self._history, self.size
        if history is None or not history.epochs:
            return [(Span(say("epoch.none"), "faint"),)]
        columns = _columns(history, width)
        room = max(1, height - 1)
        count = len(history.epochs)
        self._first = max(0, min(self._first, count - room))
        newest = count - self._first
        shown = list(range(newest - 1, max(-1, newest - 1 - room), -1))
        best = history.best or history.lowest
        if best is not None and (at := _place_of(history, best)) is not None and at not in shown:
            shown[-1] = at  # it stays in sight, whatever was scrolled away
        heads = Span("".join(name.rjust(wide) for name, wide in columns), "faint")
        older = Span(
            say("epoch.older", count=f"{count - self._first - room:,}") if count - self._first > room else "", "faint"
        )
        fits = width_of([heads, older]) < width
        lines = [justified([heads], [older] if fits else [], width)]
        for at in shown:
            lit = best is not None and history.epochs[at].epoch == best.epoch
            lines.append(_row(history, at, columns, lit))
        return lines


def _columns(history: History, width: int) -> list[tuple[str, int]]:
    """Those that there is something to say in, as far as there is room."""
    last = history.epochs[-1]
    unknown = {
        "val loss": not last.validated and history.lowest is None,
        "accuracy": history.best is None,
    }
    columns = [column for column in HEADS if not unknown.get(column[0])]
    for name in LEAVE_FIRST:
        if sum(wide for _, wide in columns) <= width:
            break
        columns = [column for column in columns if column[0] != name]
    return columns


def _place_of(history: History, ended: EpochEnded) -> int | None:
    """Where an epoch stands among those that ended; the newest of those with its number, as after a restart."""
    at = min(ended.epoch, len(history.epochs)) - 1
    while at >= 0 and history.epochs[at].epoch > ended.epoch:
        at -= 1
    return at if at >= 0 and history.epochs[at] is ended else None


def _row(history: History, at: int, columns: Sequence[tuple[str, int]], is_best: bool) -> Line:
    ended = history.epochs[at]
    begun = history.epochs[at - 1].elapsed if at else 0.0
    took = ended.elapsed - begun
    cells = {
        "epoch": f"{ended.epoch}",
        "train loss": loss(ended.train_loss),
        "val loss": loss(ended.val_loss) if isfinite(ended.val_loss) or not ended.validated else say("epoch.no_number"),
        "accuracy": f"{ended.val_accuracy:.4f}" if isfinite(ended.val_accuracy) else UNKNOWN,
        "lr": lr(ended.lr) if isfinite(ended.lr) else UNKNOWN,
        "s": f"{took:,.1f}" if isfinite(took) and took >= 0 else UNKNOWN,
    }
    text = "".join(cells[name].rjust(wide) for name, wide in columns)
    return (Span(LOWEST + text[1:], "lit"),) if is_best else (Span(text),)
