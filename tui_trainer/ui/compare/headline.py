"""The top line of a comparison: what is compared, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of
from tui_trainer.ui.words import about, clean, cut, percent

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue


class CompareHeadline(Panel):
    """Names at the left, progress at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._comparison: Comparison | None = None
        self._queue: Queue | None = None
        self._share = 0.0

    def show(self, comparison: Comparison, queue: Queue | None, share: float) -> None:
        """Bring it up to date; `share` is what drawing takes of the machine."""
        self._comparison, self._queue, self._share = comparison, queue, share
        self.redraw()

    def lines(self) -> Sequence[Line]:
        comparison = self._comparison
        if comparison is None:
            return []
        width = self.size.width
        right = [*self._state(comparison), Span(" ")]
        left = [Span(" tui-trainer  ", "faint"), Span(self._what(comparison), "strong")]
        if resolved := next((run.history.resolved for run in comparison.runs if run.history.resolved), None):
            device = f"{clean(resolved.device)} ×{resolved.threads}" if resolved.device == "cpu" else resolved.device
            for text in (resolved.model, resolved.dataset, device):
                part = [Span(" · ", "faint"), Span(clean(text))]
                if width_of(left) + width_of(part) + width_of(right) + 2 <= width:
                    left += part
        if width_of(left) + width_of(right) + 2 > width:
            left = [Span(cut(f" {self._what(comparison)}", max(0, width - width_of(right) - 2)), "strong")]
        return [justified(left, right, width)]

    def _what(self, comparison: Comparison) -> str:
        name = comparison.session.plan.name
        seeds = max(len(group.runs) for group in comparison.groups)
        what = f"comparison of {len(comparison.groups)}" + (f" × {seeds} seeds" if seeds > 1 else "")
        return f"{clean(name)}: {what}" if name else what

    def _state(self, comparison: Comparison) -> list[Span]:
        runs = comparison.runs
        done = sum(run.is_over for run in runs)
        if self._queue is not None and self._queue.failure:
            return [Span(cut(f"● {clean(self._queue.failure)}", max(20, self.size.width // 2)), "warning")]
        driven = comparison.is_driven or (self._queue is not None and not self._queue.is_over)
        if comparison.is_over and not driven:
            return [Span(f"● all {len(runs)} runs are over", "good")]
        if not driven:
            return [Span(f"● {done} of {len(runs)} runs done, nobody trains the rest", "warning")]
        left = _seconds_left(comparison)
        spans = [Span(f"● training {min(done + 1, len(runs))} of {len(runs)}", "live")]
        if left is not None:
            spans.append(Span(f"   {about(left):>5} left", "faint"))
        if self.size.width >= 100:
            spans.append(Span(f"   screen {percent(self._share)}", "faint"))
        return spans


def _seconds_left(comparison: Comparison) -> float | None:
    """From the runs that go on, and for those to come what the others took on average."""
    took = [run.history.elapsed_s for run in comparison.runs if run.is_over and run.history.steps]
    left = 0.0
    for run in comparison.runs:
        if run.is_over:
            continue
        seconds = run.history.seconds_left if run.history.steps else None
        if run.history.steps and seconds is not None:
            took.append(run.history.elapsed_s + seconds)
            left += seconds
    to_come = sum(not run.is_over and not run.history.steps for run in comparison.runs)
    if not took:
        return None
    return (left + to_come * sum(took) / len(took)) / max(1, comparison.session.plan.jobs)
