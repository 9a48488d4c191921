"""A table of the epochs: how each did, how long it took, and which is the best."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from typing import TYPE_CHECKING

from tui_trainer.events import EpochEnded
from tui_trainer.records.told_epochs import ToldEpoch, ToldEpochs
from tui_trainer.text.captions import say
from tui_trainer.ui.charts.chart import LOWEST
from tui_trainer.ui.formatting import UNKNOWN, loss, lr
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
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
        self._told: ToldEpochs | None = None
        """Those of another tool's record, which tells no epoch as a whole."""
        self._seen: tuple[object, ...] = ()
        self._first = 0
        """How many of the newest are scrolled out of sight."""

    def show(self, history: History) -> None:
        """Draw what is new."""
        if history is not self._history:
            self._first, self._told = 0, None
        seen: tuple[object, ...] = (history, len(history.epochs), history.best)
        if not history.epochs and history.written_at is not None:
            self._told = self._told or ToldEpochs(history)
            self._told.look()
            seen = (history, history.version) if self._told else seen
        if seen != self._seen:
            self._history, self._seen = history, seen
            self.redraw()

    def height_wanted(self, most: int) -> int:
        """Lines that it would fill, so many at most: none before an epoch has ended."""
        count = len(self._rows)
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
        rows, (width, height) = self._rows, self.size
        if not rows:
            return [(Span(say("epoch.none"), "faint"),)]
        best = self._best
        columns = _columns(rows, best, width)
        room = max(1, height - 1)
        count = len(rows)
        self._first = max(0, min(self._first, count - room))
        newest = count - self._first
        shown = list(range(newest - 1, max(-1, newest - 1 - room), -1))
        if best is not None and best not in shown:
            shown[-1] = best  # it stays in sight, whatever was scrolled away
        heads = Span("".join(name.rjust(wide) for name, wide in columns), "faint")
        older = Span(
            say("epoch.older", count=f"{count - self._first - room:,}") if count - self._first > room else "", "faint"
        )
        fits = width_of([heads, older]) < width
        lines = [justified([heads], [older] if fits else [], width)]
        for at in shown:
            lines.append(_row(rows, at, columns, at == best))
        return lines

    @property
    def _rows(self) -> Sequence[EpochEnded | ToldEpoch]:
        """The epochs, oldest first."""
        told = self._history.epochs if self._history is not None else ()
        return told or self._told or ()

    @property
    def _best(self) -> int | None:
        """Where the best one stands among them."""
        history = self._history
        if history is None or not history.epochs:
            return self._told.best if self._told is not None else None
        best = history.best or history.lowest
        return _place_of(history, best) if best is not None else None


def _columns(rows: Sequence[EpochEnded | ToldEpoch], best: int | None, width: int) -> list[tuple[str, int]]:
    """Those that there is something to say in, as far as there is room."""
    known = [rows[-1], *([rows[best]] if best is not None else [])]
    unknown = {
        "val loss": not rows[-1].validated and not any(isfinite(row.val_loss) for row in known),
        "accuracy": not any(isfinite(row.val_accuracy) for row in known),
    }
    if isinstance(rows[-1], ToldEpoch):
        unknown |= {
            "train loss": not any(isfinite(row.train_loss) for row in known),
            "lr": not any(isfinite(row.lr) for row in known),
            "s": not isfinite(rows[-1].elapsed),
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


def _row(rows: Sequence[EpochEnded | ToldEpoch], at: int, columns: Sequence[tuple[str, int]], is_best: bool) -> Line:
    ended = rows[at]
    begun = (
        rows[at - 1].elapsed if at else 0.0 if isinstance(ended, EpochEnded) else nan
    )  # its clock is the first number's
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
