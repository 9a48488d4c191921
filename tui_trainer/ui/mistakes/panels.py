"""The parts of the page `break it`: the mistakes to choose from, the two listings, and what came of them in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual import events

from tui_trainer.call_order import check
from tui_trainer.compare.colours import SWATCH
from tui_trainer.events import ResolvedConfig
from tui_trainer.mistakes.cases import MistakeCase, Order
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.compare.curves import SeriesStyles
from tui_trainer.ui.filtered_list import CursorList
from tui_trainer.ui.formatting import UNKNOWN, fit, loss, lr, wrap
from tui_trainer.ui.live.recipe_loop import CODE, asked_recipe
from tui_trainer.ui.panel import BLANK, Line, Span

if TYPE_CHECKING:
    from tui_trainer.mistakes.cases import MistakeCase
    from tui_trainer.mistakes.runner import Pair
    from tui_trainer.records.history import History

Mark: TypeAlias = Literal["", "wrong", "missing", "right"]


@dataclass(frozen=True)
class OrderLine:
    """A line of a listing."""

    code: str
    indent: int
    call: str = ""
    mark: Mark = ""


def right_lines(case: MistakeCase, recipe: ResolvedConfig) -> list[OrderLine]:
    """The right order; the call that the case is about is marked."""
    return [
        OrderLine(line.code, line.indent, line.call, "right" if line.call == case.call else "")
        for line in _lines(case.right, recipe)
    ]


def wrong_lines(case: MistakeCase, recipe: ResolvedConfig) -> list[OrderLine]:
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


def _lines(order: Order, recipe: ResolvedConfig) -> Iterator[OrderLine]:
    yield OrderLine(f"for epoch in range({recipe.epochs}):", 0)
    yield from (_line(call, 1, recipe) for call in order.begin)
    yield OrderLine("for images, labels in train:", 1)
    yield from (_line(call, 2, recipe) for call in order.batch)
    yield from (_line(call, 1, recipe) for call in order.epoch)


def _line(call: str, indent: int, recipe: ResolvedConfig) -> OrderLine:
    metric = recipe.monitor or "val_loss"
    code = CODE.get(call, call)
    if call == "validate":
        code = f"{metric} = validate()"
    elif call == "scheduler.step" and recipe.monitor:
        code = f"scheduler.step({metric})"
    return OrderLine(code, indent, call.removesuffix("()"))


WRONG, RIGHT = 0, 1
"""The numbers of the two sides: their colours follow from them."""

LABEL_WIDTH = 11
SIGNS = {"wrong": "!", "missing": "!", "right": "✓"}


class CaseList(CursorList[MistakeCase]):
    """The mistakes; one is under the cursor."""

    def __init__(self, cases: Sequence[MistakeCase], cursor: int = 0) -> None:
        super().__init__(cases)
        self._cursor = cursor
        self._tried: frozenset[str] = frozenset()

    @property
    def current(self) -> MistakeCase:
        """The mistake under the cursor."""
        return self._shown[self._cursor]

    def show(self, tried: frozenset[str]) -> None:
        """Tick those that were tried."""
        self._tried = tried
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        lines: list[Line] = [(Span(say("mistake.to_try"), "faint"),)]
        for i, case in enumerate(self._shown):
            here = i == self._cursor
            title = case.title + (" ✓" if case.title in self._tried else "")
            text = f"{'▌' if here else ' '}{fit(title, width - 1)}"
            lines.append((Span(text, "lit" if here else ""),))
        return lines

    def index_at(self, event: events.Click) -> int | None:
        row = event.y - 1
        return row if 0 <= row < len(self._shown) else None


class OrderListing(SeriesStyles):
    """One of the two orders, as code."""

    def __init__(self, *, wrong: bool, id: str) -> None:
        super().__init__(id=id)
        self._wrong = wrong
        self._case: MistakeCase | None = None
        self._order: list[OrderLine] = []

    def show(self, case: MistakeCase) -> None:
        """Bring it up to date."""
        if case is not self._case:
            self._case = case
            recipe = asked_recipe(case.spec)
            self._order = wrong_lines(case, recipe) if self._wrong else right_lines(case, recipe)
            self.redraw()

    def lines(self) -> Sequence[Line]:
        head = Span(f"{SWATCH} wrong", f"run{WRONG}") if self._wrong else Span(f"{SWATCH} right", f"run{RIGHT}")
        return [(head,), *(self._line(line) for line in self._order)]

    def _line(self, line: OrderLine) -> Line:
        code = fit("  " * line.indent + line.code, self.size.width - 2)
        if not line.mark:
            return (Span("  "), Span(code))
        role = "good" if line.mark == "right" else "warning"
        return (Span(f"{SIGNS[line.mark]} ", role), Span(code, role))


class Explanation(SeriesStyles):
    """What is wrong, what came of it, what PyTorch said, and how to see it in one's own code."""

    def __init__(self) -> None:
        super().__init__()
        self._case: MistakeCase | None = None
        self._pair: Pair | None = None
        self._step: int | None = None
        self._shown: tuple[object, ...] = ()
        self._first = 0
        self.brief = False
        """Whether what is wrong is left out: the listings are not on show, and room is scarce."""

    def show(self, case: MistakeCase, pair: Pair | None, step: int | None = None) -> None:
        """Bring it up to date; `step` is the one under the cursor, if there is a cursor."""
        pair_seen = (pair.right.version, pair.wrong.version, pair.is_over) if pair is not None else ()
        shown = (case, pair_seen, step, self.brief)
        if shown == self._shown:
            return
        if case is not self._case:
            self._first = 0
        self._case, self._pair, self._step, self._shown = case, pair, step, shown
        self.redraw()

    def page(self, pages: int) -> None:
        """Scroll by most of what is seen."""
        self._first = max(0, self._first + pages * max(1, self.size.height - 2))
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self._first += 1
        self.redraw()

    def on_mouse_scroll_up(self) -> None:
        self._first = max(0, self._first - 1)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        if self._case is None:
            return []
        width, height = self.size
        parts = self._parts(self._case, self._pair, width)
        gaps = len(parts) - 1 if sum(map(len, parts)) + len(parts) - 1 <= height else 0
        lines: list[Line] = []
        for part in parts:
            lines += [BLANK, *part] if lines and gaps else part
        self._first = min(self._first, max(0, len(lines) - height))
        below = len(lines) - self._first - height
        lines = lines[self._first : self._first + height]
        if below > 0 and lines:
            lines[-1] = (Span(fit(f"{' ' * LABEL_WIDTH}pgdn: {below + 1} more lines", width), "faint"),)
        return lines

    def _parts(self, case: MistakeCase, pair: Pair | None, width: int) -> list[list[Line]]:
        parts: list[list[Line]] = []
        if not self.brief:
            recipe = asked_recipe(case.spec)
            for finding in check(recipe, case.wrong.calls_of(1)):
                parts.append(_entry("wrong", f"{finding.wrong}.", "warning", width))
                parts.append(_entry("right", f"{finding.right}.", "good", width))
        if pair is not None:
            if pair.failure:
                parts.append(_entry("stopped", plain(pair.failure), "warning", width))
            parts.append(_figures(pair, self._step))
            parts += [_entry("PyTorch", text, role, width) for text, role in _said(pair)]
            parts.append(_entry("why", case.happens, "", width))
        parts.append(_entry("your code", f"{case.look}.", "", width))
        return parts


def _entry(label: str, text: str, role: str, width: int) -> list[Line]:
    wrapped = wrap(text, max(10, width - LABEL_WIDTH - 1))
    labels = [label, *[""] * (len(wrapped) - 1)]
    return [
        (Span(head.ljust(LABEL_WIDTH), "faint"), Span(line, role)) for head, line in zip(labels, wrapped, strict=True)
    ]


def _figures(pair: Pair, step: int | None) -> list[Line]:
    """Both sides as they stand, or as they were at a step; a line each in its colour."""
    heads = ("epochs", "last LR", "val_loss", "accuracy") if step is None else ("step", "LR", "batch's loss", "")
    lines: list[Line] = [(Span(" " * LABEL_WIDTH + _columns(*heads), "faint"),)]
    for name, number, side in (("right", RIGHT, pair.right), ("wrong", WRONG, pair.wrong)):
        values = _now(side) if step is None else _at(side, step)
        lines.append((Span(f"{SWATCH} {name}".ljust(LABEL_WIDTH), f"run{number}"), Span(_columns(*values))))
    return lines


def _now(side: History) -> tuple[str, str, str, str]:
    rate = lr(side.lrs[-1]) if side.steps else UNKNOWN
    return f"{len(side.epochs)}", rate, _last(side, "val_loss"), _last(side, "val_accuracy")


def _at(side: History, step: int) -> tuple[str, str, str, str]:
    if step > side.steps:
        return f"{step}", UNKNOWN, UNKNOWN, ""
    return f"{step}", lr(side.lrs[step - 1]), loss(side.losses[step - 1]), ""


def _columns(first: str, second: str, third: str, fourth: str) -> str:
    return f"{first:<8}{second:<11}{third:<12}{fourth}"


def _last(history: History, field: str) -> str:
    if not history.epochs:
        return UNKNOWN
    value = getattr(history.epochs[-1], field)
    return loss(value) if isfinite(value) else "not finite"


def _said(pair: Pair) -> list[tuple[str, str]]:
    """What PyTorch itself told of the wrong order."""
    wrong = pair.wrong
    warnings = [plain(notice.text).partition(" Failure to ")[0] for notice in wrong.notices]
    said = [(say("mistake.warned", text=text), "warning") for text in warnings]
    if wrong.ended is not None and wrong.ended.status == "crashed":
        said.append((say("mistake.stopped_it", reason=plain(wrong.ended.reason)), "warning"))
    elif wrong.ended is not None and wrong.ended.status == "diverged":
        caption = "mistake.diverged" if warnings else "mistake.silent_divergence"
        said.append((say(caption, reason=plain(wrong.ended.reason)), "warning"))
    if not said and pair.is_over and not pair.failure:
        said.append((say("mistake.silent"), "faint"))
    return said
