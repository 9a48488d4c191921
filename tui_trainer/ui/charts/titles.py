"""The lines over the charts: the numbers now, or those at the cursor, in the colours of their curves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Run
from tui_trainer.ui.charts.frame import fitted, narrow
from tui_trainer.ui.charts.losses import Losses
from tui_trainer.ui.charts.marks import Mark, marks_between, since
from tui_trainer.ui.charts.plans import Planned
from tui_trainer.ui.words import cut, loss, lr

if TYPE_CHECKING:
    from tui_trainer.runs.history import History

VAL = "◆"

IF_FLAT = "if the loss stopped improving at once"


def loss_title(history: History, losses: Losses, cursor: int | None, width: int, log: bool = False) -> list[Run]:
    """`loss  train 0.1312  smoothed 10  ◆ val 0.0984  epoch 4, lowest      accuracy 0.9712`"""
    parts = [(0, [Run("loss", "title")])]
    right: list[Run] = []
    step = history.steps if cursor is None else cursor
    window = losses.smoothing.window
    how = f"smoothed {window}" if window > 1 else "not smoothed"
    if cursor is not None:
        parts.append((0, [Run(f"step {cursor:,}", "cursor")]))
    if 0 < step <= history.steps:
        smoothed = f"{loss(losses.smoothed_at(step)):<6}"
        if cursor is None:
            parts.append((1, [Run(f"train {smoothed}", "smooth")]))
            parts.append((4, [Run(how, "faint")]))
        else:
            parts.append((1, [Run(f"train {loss(history.losses[step - 1]):<6}", "val")]))
            parts.append((2, [Run(smoothed, "smooth"), Run(f" {how}", "faint")] if window > 1 else []))
    ended = history.epochs[bisect_right(history.epochs, step, key=lambda epoch: epoch.step) - 1 :][:1]
    if ended and ended[0].step <= step:
        last = ended[0]
        lowest = ", lowest" if history.lowest is not None and history.lowest.epoch == last.epoch else ""
        parts.append((2, [Run(f"{VAL} val {loss(last.val_loss):<6}", "val")]))
        parts.append((3, [Run(f"epoch {last.epoch}{lowest}", "faint")]))
        right = [Run(f"accuracy {last.val_accuracy:.4f}", "accuracy")]
    parts.append((5, [Run("log scale", "faint")] if log else []))
    return fitted(parts, right, width)


def why_at(history: History, cursor: int | None, under: tuple[int, int] | None) -> Mark | None:
    """What happened under the cursor; else the change of the LR that made it what it is there."""
    if cursor is None or under is None:
        return None
    here = marks_between(history, *under)
    if here and here[0].kind != "checkpoint":
        return here[0]
    moved = since(history, cursor)
    if here or moved is None:
        return here[0] if here else None
    return moved._replace(words=f"since step {moved.step:,}: {moved.words}")


def lr_title(
    history: History | None,
    planned: Planned | None,
    if_flat: Planned | None,
    cursor: int | None,
    width: int,
    why: Mark | None = None,
    log: bool = False,
) -> list[Run]:
    """`lr  0.0712 now   0.1 peak at step 189`; at the cursor, `why` the LR moved there."""
    parts = [(0, [Run("lr", "title")])]
    steps = history.steps if history is not None else 0
    scale = (5, [Run("log scale", "faint")] if log else [])
    if cursor is not None:
        parts.append((0, [Run(f"step {cursor:,}", "cursor")]))
        if history is not None and cursor <= steps:
            parts.append((0, [Run(f"{lr(history.lrs[cursor - 1])} used".ljust(11), "actual")]))
        intended = planned.at(cursor) if planned is not None else None
        if intended is not None:
            parts.append((2, [Run(f"{lr(intended)} planned", "faint")]))
        if why is not None:
            parts.append((1, [Run(_in_the_rest(narrow(why.words), parts, width), "mark")]))
        return fitted([*parts, scale], [], width)
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
    return fitted([*parts, scale], [], width)


def _in_the_rest(text: str, parts: Sequence[tuple[int, Sequence[Run]]], width: int) -> str:
    """The text, cut to what the parts that stay in any case leave of a line."""
    taken = sum(len(run.text) for number, part in parts for run in part if number == 0)
    return cut(text, max(0, width - taken - 2 * len(parts)))
