"""An order of calls as the listing that would make it, the line that is wrong marked, and the one that is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tui_trainer.engine.wrong_orders import Case, Order
from tui_trainer.events import Recipe
from tui_trainer.ui.live.loop_lines import CODE

Mark: TypeAlias = Literal["", "wrong", "missing", "right"]


@dataclass(frozen=True)
class OrderLine:
    """A line of a listing."""

    code: str
    indent: int
    call: str = ""
    mark: Mark = ""


def right_lines(case: Case, recipe: Recipe) -> list[OrderLine]:
    """The right order; the call that the case is about is marked."""
    return [
        OrderLine(line.code, line.indent, line.call, "right" if line.call == case.call else "")
        for line in _lines(case.right, recipe)
    ]


def wrong_lines(case: Case, recipe: Recipe) -> list[OrderLine]:
    """The wrong order; the call that the case is about is marked, or stands commented out where it is forgotten."""
    lines = list(_lines(case.wrong, recipe))
    if any(line.call == case.call for line in lines):
        return [
            OrderLine(line.code, line.indent, line.call, "wrong" if line.call == case.call else "") for line in lines
        ]
    for at, line in enumerate(_lines(case.right, recipe)):
        if line.call == case.call:
            lines.insert(at, OrderLine(f"# {line.code}", line.indent, line.call, "missing"))
    return lines


def _lines(order: Order, recipe: Recipe) -> Iterator[OrderLine]:
    yield OrderLine(f"for epoch in range({recipe.epochs}):", 0)
    yield from (_line(call, 1, recipe) for call in order.begin)
    yield OrderLine("for images, labels in train:", 1)
    yield from (_line(call, 2, recipe) for call in order.batch)
    yield from (_line(call, 1, recipe) for call in order.epoch)


def _line(call: str, indent: int, recipe: Recipe) -> OrderLine:
    metric = recipe.monitor or "val_loss"
    code = CODE.get(call, call)
    if call == "validate":
        code = f"{metric} = validate()"
    elif call == "scheduler.step" and recipe.monitor:
        code = f"scheduler.step({metric})"
    return OrderLine(code, indent, call.removesuffix("()"))
