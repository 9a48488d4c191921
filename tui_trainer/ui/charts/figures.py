"""What the charts say of one step, as text that can be copied."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from tui_trainer.ui.charts.marks import marks_between, since
from tui_trainer.ui.words import clock, loss, lr

if TYPE_CHECKING:
    from tui_trainer.runs.history import History


def figures_at(history: History, step: int, under: tuple[int, int] | None = None) -> str:
    """`step 126 · epoch 2, batch 63 · train_loss 0.1312 · lr 0.001 · …`, and on lines of their own what happened to
    the steps `under` the cursor; empty where the step was not taken yet."""
    if not 0 < step <= history.steps:
        return ""
    epoch = bisect_right(history.epoch_starts, step)
    batch = step - history.epoch_starts[epoch - 1] + 1
    facts = [f"step {step}", f"epoch {epoch}, batch {batch}", f"train_loss {loss(history.losses[step - 1])}"]
    facts += [f"lr {lr(history.lrs[step - 1])}", clock(history.elapsed[step - 1])]
    ended = bisect_right(history.epochs, step, key=lambda event: event.step)
    if ended:
        last = history.epochs[ended - 1]
        figures = f"val_loss {loss(last.val_loss)}, val_accuracy {loss(last.val_accuracy)}"
        facts.append(f"{figures} at epoch {last.epoch}")
    lines = [" · ".join(facts)]
    marks = marks_between(history, *under) if under is not None else []
    if not marks and (moved := since(history, step)) is not None:
        marks = [moved]
    return "\n".join([*lines, *(f"step {mark.step}: {mark.words}" for mark in marks)])
