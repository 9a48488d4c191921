"""Before the first batch: what is going on, in words, and since when. And five hints, a line each, for who starts the
screen for the first time in their life: they never come again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from tui_trainer.events import TRAINING
from tui_trainer.records.history import History
from tui_trainer.records.outcome import nothing_trained
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import cut, wrap
from tui_trainer.ui.keys import PANELS
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, justified


class StartupPanel(Panel):
    """The phases so far, the present one lit, each with its seconds; a planned curve stands below already."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._takes_commands = True
        self._phases: list[tuple[str, float]] = []
        """Each phase in words, and when this screen first saw it."""

    def show(self, history: History, *, takes_commands: bool = True) -> None:
        """Bring the words up to date; the seconds go on between events."""
        self._takes_commands = takes_commands
        if history is not self._history:
            self._phases.clear()
        self._history = history
        words = " ".join(filter(None, (plain(history.phase), plain(history.phase_detail)))) or say("state.starting")
        if history.phase == TRAINING:
            words = say("state.first_batch")
        if history.paused is not None and self._phases:
            self._phases[-1] = (self._phases[-1][0], time.monotonic())  # what is waited for begins as it goes on
        elif not self._phases or self._phases[-1][0] != words:
            if self._phases and self._phases[-1][0] == say("state.starting"):
                self._phases.pop()
            self._phases.append((words, time.monotonic()))
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history = self._history
        if history is None:
            return []
        width, height = self.size
        now = time.monotonic()
        ends = [began for _, began in self._phases[1:]] + [now]
        lines: list[Line] = []
        for (words, began), end in zip(self._phases[:-1], ends[:-1], strict=True):
            lines.append((Span("  ✓ ", "faint"), Span(words + _took(end - began), "faint")))
        if history.ended is None and self._phases:
            words, began = self._phases[-1]
            words = self._paused() if history.paused is not None else words + _took(now - began)
            lines.append((Span("  ● ", "live"), Span(words, "strong")))
        elif history.ended is not None:
            reason = nothing_trained(history.ended, history)
            lines += [(Span("  " + line, "warning"),) for line in wrap(reason, width - 4)]
        above = max(0, (height - len(lines)) // 3)
        return [*([BLANK] * above), *lines]

    def _paused(self) -> str:
        more = f": {say('state.space_continues')}" if self._takes_commands else ""
        return say("state.paused_before") + more


def _took(seconds: float) -> str:
    return f", {seconds:.0f} s" if seconds >= 0.5 else ""


class Hint(NamedTuple):
    """A sentence, and the keys it tells of: who presses one of them has understood."""

    keys: tuple[str, ...]
    of_ours: str
    """The caption of it, of a run of ours."""
    of_watched: str = ""
    """The same of a watched program, where that is another."""

    def text(self, *, watched: bool) -> str:
        """The sentence."""
        return say((watched and self.of_watched) or self.of_ours, last=max(PANELS))


HINTS = (
    Hint(("space", "n", "s"), "hint.pace", "hint.pace_watched"),
    Hint(("left", "right", "comma", "full_stop"), "hint.cursor"),
    Hint(("plus", "minus", "f", *PANELS), "hint.charts"),
    Hint(("p", "c", "r", "o", "m"), "hint.pages", "hint.pages_watched"),
    Hint(("question_mark", "ctrl+p"), "hint.help"),
)

ONWARDS = (("hint.onwards", 106), ("hint.next", 76))
"""What is said at the end of the line, from which width on."""


class Hints(Panel):
    """One line; a click on it is as good as the key."""

    def __init__(self) -> None:
        super().__init__()
        self._at = len(HINTS)
        self._watched = False

    @property
    def is_over(self) -> bool:
        return self._at >= len(HINTS)

    def begin(self, *, watched: bool = False) -> None:
        """The first one; `watched`: of a watched program's run."""
        self._at, self._watched = 0, watched
        self._settle()

    def next(self) -> None:
        """The hint after this one, or none."""
        self._at += 1
        self._settle()

    def end(self) -> None:
        """No more of them."""
        self._at = len(HINTS)
        self._settle()

    def pressed(self, key: str) -> None:
        """Go on where a key was pressed that the hint tells of."""
        if not self.is_over and key in ("enter", *HINTS[self._at].keys):
            self.next()

    def on_click(self) -> None:
        self.next()

    def lines(self) -> Sequence[Line]:
        if self.is_over:
            return []
        width = self.size.width
        number = Span(f" {self._at + 1}/{len(HINTS)}  ", "live")
        onwards = next((f"{say(words)} " for words, least in ONWARDS if width >= least), "")
        text = cut(HINTS[self._at].text(watched=self._watched), width - len(number.text) - len(onwards) - 1)
        return [justified([number, Span(text)], [Span(onwards, "faint")], width)]

    def _settle(self) -> None:
        self.display = not self.is_over
        self.redraw()
