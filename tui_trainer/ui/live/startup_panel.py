"""Before the first batch: what is going on, in words, and since when."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui_trainer.events import TRAINING
from tui_trainer.records.history import History
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

PAUSED = "paused before the first batch: space continues"


class StartupPanel(Panel):
    """The phases so far, the present one lit, each with its seconds; a planned curve stands below already."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._phases: list[tuple[str, float]] = []
        """Each phase in words, and when this screen first saw it."""

    def show(self, history: History) -> None:
        """Bring the words up to date; the seconds go on between events."""
        if history is not self._history:
            self._phases.clear()
        self._history = history
        words = " ".join(filter(None, (plain(history.phase), plain(history.phase_detail)))) or "starting"
        if history.phase == TRAINING:
            words = "the first batch"
        if history.paused is not None and self._phases:
            self._phases[-1] = (self._phases[-1][0], time.monotonic())  # what is waited for begins as it goes on
        elif not self._phases or self._phases[-1][0] != words:
            if self._phases and self._phases[-1][0] == "starting":
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
            words = PAUSED if history.paused is not None else words + _took(now - began)
            lines.append((Span("  ● ", "live"), Span(words, "strong")))
        elif history.ended is not None:
            reason = f"{history.ended.status} before the first batch: {plain(history.ended.reason)}"
            lines += [(Span("  " + line, "warning"),) for line in wrap(reason, width - 4)]
        above = max(0, (height - len(lines)) // 3)
        return [*([BLANK] * above), *lines]


def _took(seconds: float) -> str:
    return f", {seconds:.0f} s" if seconds >= 0.5 else ""
