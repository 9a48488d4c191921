"""In a line: whether the calls of a watched program come in an order that does what was meant, and if it validates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.text.mistakes import how_bad, mistake_in_words
from tui_trainer.text.numbers import counted
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.live.watched_loop import shown_place
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.events import CallSite, MistakeFound
    from tui_trainer.records.history import History

LABEL = " order  "
SOON_FOR = 200
"""Steps in which nothing is said of a validation that has not come, unless an epoch has ended before."""

IN_FULL = 3
"""Lines of something wrong with why it matters and the mend."""


class OrderLine(Panel):
    """What is wrong with the order of calls, the worst of it, or that nothing is; nothing at all for a loop of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.height = 0
        """Lines that it takes; the screen gives them."""
        self._history: History | None = None
        self._seen = -1

    def show(self, history: History, most: int) -> None:
        """Draw what is new, in so many lines at most."""
        if history.program is None:
            self.height = 0
            return
        height = (min(IN_FULL, most) if history.mistakes else 1) if history.last_step or history.mistakes else 0
        if history is self._history and history.version == self._seen and height == self.height:
            return
        self._history, self._seen, self.height = history, history.version, height
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history, (width, height) = self._history, self.size
        if history is None:
            return []
        if not history.mistakes:
            told = [Span(LABEL, "faint"), Span(cut(well(history), width - len(LABEL) - 1))]
            if more := validation(history):
                told.append(Span(cut(f" · {more}", max(0, width - width_of(told) - 1)), "faint"))
            return [tuple(told)]
        mistakes = worst_first(history)
        first = mistakes[0]
        words = mistake_in_words(first.mistake, first.values)
        cwd = history.program.cwd if history.program is not None else ""
        others = f"  1 of {len(mistakes)}" if len(mistakes) > 1 else ""
        right = [Span(others, "warning", "screen.order"), Span("  o", "key", "screen.order")]
        right.append(Span(" all " if others else " more ", "faint", "screen.order"))
        left = [Span(LABEL, "faint"), Span("! ", "warning")]
        if place := shown_place(first.file, first.lineno, cwd):
            left.append(Span(f"{cut(place, 30)}  ", "warning"))
        room = width - width_of(left) - width_of(right) - 1
        left.append(Span(cut(words.wrong, max(8, room)), "warning"))
        lines = [justified(left, right, width)]
        if height >= IN_FULL:
            inside = width - len(LABEL) - 3
            lines.append((Span(" " * len(LABEL) + "  "), Span(cut(words.why, inside), "faint")))
            mend = Span(cut(words.mend, inside), "good")
            lines.append((Span(" " * len(LABEL)), Span("✓ " if words.mend else "", "good"), mend))
        return lines


def worst_first(history: History) -> list[MistakeFound]:
    """All that was found, what harms most first; of equals what was found first."""
    return sorted(history.mistakes.values(), key=lambda found: how_bad(found.mistake))


def well(history: History) -> str:
    """Of a program with which nothing is found to be wrong: whether there was anything to find."""
    if not history.last_step and not history.series:
        return say("order.nothing_yet")
    if history.loop is None or not history.loop.sites:
        return say("order.not_seen")
    return say("order.nothing_wrong", steps=counted(history.last_step, "step"))


def validation(history: History) -> str:
    """Whether the program validates, as far as that is seen; empty where its figures say so, and where no call is."""
    if history.loop is None or any(history.series.kind(name) == "val" for name in history.series):
        return ""
    if any(ended.validated for ended in history.epochs):
        return ""
    passes = [site for site in _without_steps(history) if site.id in history.calls]
    if not passes:
        return say("order.no_validation") if history.epochs or history.last_step >= SOON_FOR else ""
    cwd = history.program.cwd if history.program is not None else ""
    place = shown_place(passes[0].file, passes[0].lineno, cwd)
    told = say("order.validation_at", place=place or passes[0].text)
    return f"{told}, {say('order.validation_untold')}" if len(history.epochs) > 1 else told


def _without_steps(history: History) -> list[CallSite]:
    """Passes over a DataLoader with neither backward() nor a step within."""
    if history.loop is None:
        return []
    sites = {site.id: site for site in history.loop.sites}
    trains: set[str] = set()
    for site in sites.values():
        if site.call not in ("backward", "optimizer.step", "scaler.step"):
            continue
        above = site
        for _ in sites:
            if (parent := sites.get(above.within)) is None or parent.id in trains:
                break
            trains.add(parent.id)
            above = parent
    return [site for site in sites.values() if site.call == "data" and site.id not in trains]
