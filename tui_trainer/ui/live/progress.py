"""The line above the keys: how far the epochs and the batches are, and what the screen itself costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.records.history import History
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import clock, gigabytes, percent, thousands
from tui_trainer.ui.machine.machine import Machine
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.ui.machine.sampling import Sample

LONGEST_BAR = 44


class Progress(Panel):
    """Two bars while the run goes on; in the end, how it ended in a sentence."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine
        self._history: History | None = None
        self._share = 0.0

    def show(self, history: History, share: float) -> None:
        """Bring the line up to date; `share` is the screen's own of all cores."""
        self._history, self._share = history, share
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history, width = self._history, self.size.width
        if history is None:
            return []
        if history.ended is not None:
            return [(Span(" "), Span(ending(history), "strong"))]
        right = self._costs(history, width)
        recipe = history.recipe
        if recipe is None:
            return [justified([], right, width)]
        done = len(history.epochs)
        batches = history.batches_in_epoch
        epoch_text = f" epoch {_of(history.epoch, recipe.epochs)} "
        batch_text = f"   batch {_of(history.batch, batches)} "
        bar = min(LONGEST_BAR, (width - len(epoch_text) - len(batch_text) - width_of(right) - 3) // 2)
        within = history.batch / batches if batches and history.epoch > done else 0.0
        left = [
            Span(epoch_text),
            *_bar((done + within) / max(1, recipe.epochs), bar),
            Span(batch_text),
            *_bar(history.batch / batches if batches else 0.0, bar),
        ]
        return [justified(left, right, width)]

    def _costs(self, history: History, width: int) -> list[Span]:
        facts = [f"screen {self._share * 100:4.1f} %"]
        if width >= 116:
            self._machine.look(history)
            facts += _taken(self._machine.sample)
        return [Span(" · ".join(facts) + " ", "faint")]


def _taken(sample: Sample | None) -> list[str]:
    """What the run's process takes of its machine, in short."""
    if sample is None:
        return []
    facts = [f"memory {gigabytes(sample.memory_ours)}", f"cpu {sample.cpu_ours * sample.cores * 100:3.0f} %"]
    if sample.gpu is not None and sample.gpu.busy is not None:
        facts.append(f"gpu {percent(sample.gpu.busy)}")
    return facts


def ending(history: History) -> str:
    """How the run ended, in a sentence."""
    ended = history.ended
    if ended is None:
        return ""
    done = "0 epochs"
    if history.recipe is not None:
        done = f"{len(history.epochs)} of {counted(history.recipe.epochs, 'epoch')}"
    best = history.best
    figures = f"best val accuracy {best.val_accuracy:.4f} at epoch {best.epoch}" if best is not None else ""
    reason = plain(ended.reason)
    match ended.status:
        case "finished":
            first = f"finished: {done} in {clock(history.elapsed_s)}"
        case "diverged":
            first = f"diverged at step {thousands(ended.step)}: {reason}"
        case "stopped":
            first = f"stopped after step {thousands(ended.step)}, {done}" + (f": {reason}" if reason else "")
        case "crashed":
            first = f"crashed after step {thousands(ended.step)}: {reason}"
    return f"{first}; {figures}" if figures else first


def _of(done: int, all_of_them: int) -> str:
    total = thousands(all_of_them)
    return f"{thousands(done).rjust(len(total))}/{total}"


def _bar(share: float, width: int) -> list[Span]:
    """A thin line, live as far as it has come."""
    if width < 4:
        return []
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    whole, half = divmod(halves, 2)
    done = "━" * whole + ("╸" if half else "")
    return [Span(done, "live"), Span("─" * (width - len(done)), "rule")]
