"""The lines over the charts: the numbers now, or those at the cursor; and the same as text that can be copied."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from tui_trainer.plotting.canvas import GlyphRun
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.chart import LAST, LOWEST, fitted, narrow
from tui_trainer.ui.charts.chart_data import Losses, Mark, PlannedCurves, marks_between, since
from tui_trainer.ui.formatting import clock, cut, loss, lr

if TYPE_CHECKING:
    from tui_trainer.records.history import History


def figures_at(history: History, step: int, under: tuple[int, int] | None = None) -> str:
    """`step 126 · epoch 2, batch 63 · train_loss 0.1312 · lr 0.001 · …`, and on lines of their own what happened to
    the steps `under` the cursor; empty where the step was not taken yet."""
    if not 0 < step <= history.steps:
        return ""
    epoch = bisect_right(history.epoch_starts, step)
    batch = step - history.epoch_starts[epoch - 1] + 1
    unit = history.recipe.unit if history.recipe is not None else "batch"
    declared = history.series.declared("train_loss")
    name = plain(declared.shown_as) if declared is not None and declared.shown_as else "train_loss"
    facts = [f"step {step}", f"epoch {epoch}, {unit} {batch}", f"{name} {loss(history.losses[step - 1])}"]
    facts += [f"lr {lr(history.lrs[step - 1])}", clock(history.elapsed[step - 1])]
    ended = bisect_right(history.epochs, step, key=lambda event: event.step)
    if ended:
        last = history.epochs[ended - 1]
        told = {True: f"val_loss {loss(last.val_loss)}", False: say("epoch.not_validated"), None: ""}[last.validated]
        figures = [told, f"val_accuracy {loss(last.val_accuracy)}" if isfinite(last.val_accuracy) else ""]
        if any(figures):
            facts.append(f"{', '.join(filter(None, figures))} at epoch {last.epoch}")
    lines = [" · ".join(facts)]
    marks = marks_between(history, *under) if under is not None else []
    if not marks and (moved := since(history, step)) is not None:
        marks = [moved]
    return "\n".join([*lines, *(f"step {mark.step}: {mark.words}" for mark in marks)])


FIRST_SIGN = "●"
"""Of the first of several losses, in the title and on its curve."""


def loss_title(
    history: History,
    losses: Losses,
    cursor: int | None,
    width: int,
    log: bool = False,
    others: Sequence[tuple[int, list[GlyphRun]]] = (),
    several: bool = False,
    accuracy_apart: bool = False,
) -> list[GlyphRun]:
    """`loss  train 0.1312  smoothed 10  ◆ val 0.0984  epoch 4, lowest      accuracy 0.9712`, in the curves' colours.

    Of a watched program with the names that it has itself, `others` beside the first where it has `several`:
    `loss  ● errD_real 0.3913  ▲ errD_fake 0.3246`. Without the accuracy where that stands `accuracy_apart`.
    """
    parts = [(0, [GlyphRun("loss", "title")])]
    right: list[GlyphRun] = []
    step = history.steps if cursor is None else cursor
    window = losses.smoothing.window
    if cursor is not None:
        parts.append((0, [GlyphRun(say("chart.at_step", step=f"{cursor:,}"), "cursor")]))
    if 0 < step <= history.steps:
        how = say("chart.smoothed", window=window) if window > 1 else say("chart.not_smoothed")
        smoothed = f"{loss(losses.smoothed_at(step)):<6}"
        if cursor is None:
            parts.append((1, [GlyphRun(f"{_name_of_loss(history, several)} {smoothed}", "smooth")]))
            parts.append((4, [GlyphRun(how, "faint")]))
        else:
            name = _name_of_loss(history, several)
            parts.append((1, [GlyphRun(f"{name} {loss(history.losses[step - 1]):<6}", "val")]))
            parts.append((2, [GlyphRun(smoothed, "smooth"), GlyphRun(f" {how}", "faint")] if window > 1 else []))
    ended = history.epochs[bisect_right(history.epochs, step, key=lambda epoch: epoch.step) - 1 :][:1]
    if ended and ended[0].step <= step:
        last = ended[0]
        lowest = say("chart.lowest") if history.lowest is not None and history.lowest.epoch == last.epoch else ""
        mark = LOWEST if lowest else LAST if last is history.epochs[-1] else " "  # as on the curve
        if last.validated:
            parts.append((2, [GlyphRun(f"{mark} val {loss(last.val_loss):<6}", "val")]))
            parts.append((3, [GlyphRun(f"epoch {last.epoch}{lowest}", "faint")]))
        if isfinite(last.val_accuracy) and not accuracy_apart:
            right = [GlyphRun(f"accuracy {last.val_accuracy:.4f}", "accuracy")]
    parts.append((5, [GlyphRun(say("chart.log_scale"), "faint")] if log else []))
    parts[2:2] = others
    return fitted(parts, right, width)


def _name_of_loss(history: History, several: bool) -> str:
    """What the first loss is called: by a watched program's own name for it, where that says more
    than the heading; with its sign where there are more."""
    declared = history.series.declared("train_loss")
    name = narrow(declared.shown_as) if declared is not None else ""
    name = "train" if name in ("", "loss", "train_loss") else name
    return f"{FIRST_SIGN} {name}" if several else name


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
    return moved._replace(words=say("chart.since", step=f"{moved.step:,}", words=moved.words))


class Entry(NamedTuple):
    """A further LR in the legend."""

    sign: str
    name: str
    lr: float
    style: str


def lr_title(
    history: History | None,
    planned: PlannedCurves | None,
    if_flat: PlannedCurves | None,
    cursor: int | None,
    width: int,
    why: Mark | None = None,
    log: bool = False,
    others: Sequence[Entry] = (),
) -> list[GlyphRun]:
    """`lr  0.0712 used last   0.1 peak at step 189`; at the cursor, `why` the LR moved there. `others` are LRs that the
    run tells by name.

    Not the LR now: once the scheduler has stepped, that is the next one already.
    """
    parts = [(0, [GlyphRun("lr", "title")])]
    steps = history.steps if history is not None else 0
    scale = (5, [GlyphRun(say("chart.log_scale"), "faint")] if log else [])
    if cursor is not None:
        parts.append((0, [GlyphRun(say("chart.at_step", step=f"{cursor:,}"), "cursor")]))
        if history is not None and cursor <= steps and isfinite(history.lrs[cursor - 1]):
            used = say("chart.used", lr=lr(history.lrs[cursor - 1]))
            parts.append((0, [GlyphRun(used.ljust(11), "actual")]))
        intended = planned.at(cursor) if planned is not None else None
        if intended is not None:
            parts.append((2, [GlyphRun(say("chart.planned", lr=lr(intended)), "faint")]))
        parts += _legend(others, parts, width)
        if why is not None:
            parts.append((3 if others else 1, [GlyphRun(_in_the_rest(narrow(why.words), parts, width), "mark")]))
        return fitted([*parts, scale], [], width)
    if history is not None and steps and isfinite(history.lrs[-1]):
        parts.append((0, [GlyphRun(say("chart.used_last", lr=lr(history.lrs[-1])).ljust(16), "actual")]))
    parts += _legend(others, parts, width)
    if planned is not None:
        note = narrow(planned.note)
        if not note or planned.changes:
            parts.append((2 if others else 1, [GlyphRun(planned.words, "faint")]))
        elif len(note) > width // 2:
            note = narrow(planned.short_note)
        if note:
            parts.append((2, [GlyphRun(note, "faint")]))
    if if_flat is not None:
        flat = say("chart.if_flat", condition=narrow(if_flat.note), curve=if_flat.words)
        parts.append((2, [GlyphRun(flat, "flat")]))
    return fitted([*parts, scale], [], width)


def _legend(
    others: Sequence[Entry], parts: Sequence[tuple[int, Sequence[GlyphRun]]], width: int
) -> list[tuple[int, list[GlyphRun]]]:
    """Further LRs, each with its sign, as much of its name as there is room for, and its value; of more than there is
    room for, how many are left out."""
    if not others:
        return []
    free = width - sum(len(run.text) + 2 for number, part in parts for run in part if number == 0)
    values = [lr(entry.lr) for entry in others]
    names = [narrow(entry.name) for entry in others]
    longest, least = max(map(len, values)), min(max(map(len, names)), LEAST_OF_A_NAME)
    shown = next((count for count in range(len(others), 0, -1) if _room(free, count, len(others), longest) >= least), 0)
    room = max(_room(free, shown, len(others), longest), least)
    legend = [
        (1, [GlyphRun(f"{entry.sign} {_end(name, room)} ", entry.style), GlyphRun(value, entry.style)])
        for entry, name, value in zip(others[:shown], names, values, strict=False)
    ]
    if left := len(others) - shown:
        legend.append((1, [GlyphRun(f"+{left}", "faint")]))
    return legend


def _room(free: int, count: int, of: int, longest: int) -> int:
    """Characters for each name where so many LRs of all stand in a legend, the longest value being so long."""
    return (free - (4 if count < of else 0)) // max(1, count) - longest - 5


LEAST_OF_A_NAME = 4
"""Characters of a name in a legend."""


def _end(name: str, width: int) -> str:
    """The end of a name, which tells it from others of its kind."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _in_the_rest(text: str, parts: Sequence[tuple[int, Sequence[GlyphRun]]], width: int) -> str:
    """The text, cut to what the parts that stay in any case leave of a line."""
    taken = sum(len(run.text) for number, part in parts for run in part if number <= 1)
    return cut(text, max(0, width - taken - 2 * len(parts)))
