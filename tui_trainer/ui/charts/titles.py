"""The lines over the charts: the numbers now, or those at the cursor, in the colours of their curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Run
from tui_trainer.ui.charts.frame import fitted, narrow
from tui_trainer.ui.charts.losses import Losses
from tui_trainer.ui.charts.plans import Planned
from tui_trainer.ui.words import loss, lr

if TYPE_CHECKING:
    from tui_trainer.runs.history import History

VAL = "◆"

IF_FLAT = "if the loss stopped improving at once"


def loss_title(history: History, losses: Losses, cursor: int | None, width: int) -> list[Run]:
    """`loss  train 0.1312  ◆ val 0.0984  at epoch 4, best      accuracy 0.9712`"""
    parts = [(0, [Run("loss", "title")])]
    right: list[Run] = []
    step = history.steps if cursor is None else cursor
    if cursor is not None:
        parts.append((0, [Run(f"step {cursor:,}", "cursor")]))
    if 0 < step <= history.steps:
        smoothed = f"{loss(losses.smoothed_at(step)):<6}"
        if cursor is None:
            parts.append((1, [Run(f"train {smoothed}", "smooth")]))
            parts.append((4, [Run(f"smoothed over {losses.smoothing.window}", "faint")]))
        else:
            parts.append((1, [Run(f"train {loss(history.losses[step - 1]):<6}", "val")]))
            parts.append((2, [Run(f"smoothed {smoothed}", "smooth")]))
    ended = [epoch for epoch in history.epochs if epoch.step <= step]
    if ended:
        last = ended[-1]
        best = ", best" if history.lowest is not None and history.lowest.epoch == last.epoch else ""
        parts.append((2, [Run(f"{VAL} val {loss(last.val_loss):<6}", "val")]))
        parts.append((3, [Run(f"at epoch {last.epoch}{best}", "faint")]))
        right = [Run(f"accuracy {last.val_accuracy:.4f}", "accuracy")]
    return fitted(parts, right, width)


def lr_title(
    history: History | None, planned: Planned | None, if_flat: Planned | None, cursor: int | None, width: int
) -> list[Run]:
    """`lr  0.0712 now   0.1 peak at step 189`"""
    parts = [(0, [Run("lr", "title")])]
    steps = history.steps if history is not None else 0
    if cursor is not None:
        parts.append((0, [Run(f"step {cursor:,}", "cursor")]))
        if history is not None and cursor <= steps:
            parts.append((0, [Run(f"{lr(history.lrs[cursor - 1])} used".ljust(11), "actual")]))
        intended = planned.at(cursor) if planned is not None else None
        if intended is not None:
            parts.append((1, [Run(f"{lr(intended)} planned", "faint")]))
        return fitted(parts, [], width)
    if history is not None and steps:
        parts.append((0, [Run(f"{lr(history.lrs[-1])} now".ljust(11), "actual")]))
    if planned is not None:
        note = narrow(planned.note)
        if not note or planned.changes:
            parts.append((1, [Run(planned.words, "faint")]))
        elif len(note) > width // 2:
            note = note.partition(":")[0]
        if note:
            parts.append((2, [Run(note, "faint")]))
    if if_flat is not None:
        parts.append((2, [Run(f"{IF_FLAT}: {if_flat.words}", "flat")]))
    return fitted(parts, [], width)
