"""Why the LR moved or held, and what else a person should know: newest first, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from tui_trainer.events import EpochEnded, LRChanged, LRHeld, Noticed, PlateauCounted, PresetSwitched
from tui_trainer.runs.history import History, Reason
from tui_trainer.ui.panel import BLANK, Line, Panel, Span
from tui_trainer.ui.words import clean, loss, wrap

LABEL_WIDTH = 11


class Why(Panel):
    """The reasons in the order of their coming, the newest at the top; up and down scroll."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._version = -1
        self._first = 0

    def show(self, history: History) -> None:
        """Draw what is new."""
        if history is self._history and history.version == self._version:
            return
        self._history, self._version = history, history.version
        self.redraw()

    def scroll_by(self, lines: int) -> None:
        """Show older ones, or newer ones again."""
        self._first = max(0, self._first + lines)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        if self._history is None:
            return []
        width, height = self.size
        entries = list(_entries(self._history))
        lines: list[Line] = [] if height < 4 else [(Span("why", "faint"),)]
        room = height - len(lines)
        written: list[Line] = []
        before = ""
        for label, text, role in entries:
            written += _entry(label if label != before else "", text, role, width)
            before = label
            if len(written) > self._first + room:
                break
        self._first = min(self._first, max(0, len(written) - room))
        shown = written[self._first :]
        if not shown:
            shown = [(Span("nothing has moved the LR yet", "faint"),)]
        return [*lines, *shown] if lines else shown[:room] or [BLANK]


def _entry(label: str, text: str, role: str, width: int) -> list[Line]:
    wrapped = wrap(text, max(10, width - LABEL_WIDTH)) or [""]
    labels = [label, *[""] * (len(wrapped) - 1)]
    return [
        (Span(head.ljust(LABEL_WIDTH), "faint"), Span(line, role)) for head, line in zip(labels, wrapped, strict=True)
    ]


def _entries(history: History) -> Iterator[tuple[str, str, str]]:
    """Label, text, role; newest first."""
    happened = chain(history.why, history.notices)
    plateaus = {(event.epoch) for event in history.why if isinstance(event, PlateauCounted)}
    bests = _bests(history.epochs)
    for event in sorted(happened, key=lambda event: event.at, reverse=True):
        if isinstance(event, Noticed):
            yield "notice", clean(event.text), "warning"
        elif not (isinstance(event, LRHeld) and event.epoch in plateaus):
            yield _reason(event, bests)


def _reason(event: Reason, bests: dict[int, tuple[float, int]]) -> tuple[str, str, str]:
    match event:
        case LRChanged():
            return _labelled(event.reason, event.epoch, event.step) + ("",)
        case LRHeld():
            return (*_labelled(event.reason, event.epoch, event.step), "faint")
        case PlateauCounted():
            return f"epoch {event.epoch}", _plateau(event), "warning" if event.bad_epochs else "faint"
        case PresetSwitched():
            text = f"preset {clean(event.old)} → {clean(event.recipe.preset)} from here on, weights kept"
            return f"epoch {event.epoch}", text, "live"
        case EpochEnded():
            value, best_epoch = bests[event.epoch]
            standing = "best so far" if best_epoch == event.epoch else f"best {loss(value)} at epoch {best_epoch}"
            return f"epoch {event.epoch}", f"val_loss {loss(event.val_loss)}, {standing}", "faint"


def _labelled(reason: str, epoch: int, step: int) -> tuple[str, str]:
    """The reason less its own label, which stands in front of it."""
    text = clean(reason)
    for label in (f"epoch {epoch}", f"step {step}", f"epoch {epoch + 1}", f"step {step + 1}"):
        if text.startswith(f"{label}:"):
            return label, text[len(label) + 1 :].strip()
    return f"step {step}", text


def _plateau(event: PlateauCounted) -> str:
    best = f"best {loss(event.best)} at epoch {event.best_epoch}"
    if event.bad_epochs:
        return f"{event.monitor} not better for {event.bad_epochs} of {event.patience} epochs ({best})"
    return f"{event.monitor} is the best so far: the LR stays"


def _bests(epochs: Sequence[EpochEnded]) -> dict[int, tuple[float, int]]:
    """Up to each epoch, the lowest validation loss and the epoch that had it."""
    bests: dict[int, tuple[float, int]] = {}
    lowest, lowest_epoch = float("inf"), 0
    for ended in epochs:
        if ended.val_loss < lowest:
            lowest, lowest_epoch = ended.val_loss, ended.epoch
        bests[ended.epoch] = (lowest, lowest_epoch)
    return bests
