"""A loop as a listing, a line a call: with its share of the time and how often it was made; in slow motion, with what
it made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.ui.formatting import fit, milliseconds, percent, thousands
from tui_trainer.ui.panel import Line, Span, width_of

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.live.loop import CallFacts, LoopLine

BAR_WIDTH = 5
EIGHTHS = " ▏▎▍▌▋▊▉█"


def heading(title: str, file: str, facts: CallFacts, width: int) -> Line:
    """What the columns are; in slow motion, which batch is followed. `file` is the one that all lines stand in."""
    if facts.following:
        columns, role = _followed(facts.history), "live"
    else:
        columns, role = f"{_shares_are(facts, is_wide=width >= 38)}    {say('loop.times')}", "faint"
    left = [Span(title, "faint")]
    if file and (room := width - len(title) - 2 - len(columns) - 2) >= LEAST_FILE:
        left += [Span("  "), Span(cut_left(file, room))]
    return (*left, Span(columns.rjust(width - width_of(left)), role))


def _shares_are(facts: CallFacts, *, is_wide: bool) -> str:
    if not facts.on_cuda:
        return say("loop.of_time")
    if facts.history.program is not None:
        return say("loop.of_cpu_time" if is_wide else "loop.cpu_time")
    return say("loop.of_launch_time" if is_wide else "loop.launch_time")


def _followed(history: History) -> str:
    last = history.followed[-1]
    if last.batch is None and history.program is not None:
        return f"step {last.step:,}"
    unit = history.recipe.unit if history.recipe is not None else "batch"
    return f"epoch {last.epoch}, " + (f"{unit} {last.batch}" if last.batch is not None else "its end")


LEAST_FILE = 7
"""Cells of the name of a file; with less room it is left out."""


def cut_left(text: str, width: int) -> str:
    """The end of a text, in at most `width` cells: of a path, its file."""
    if width <= 0:
        return ""
    if width_of((Span(text),)) <= width:
        return text
    kept = text
    while kept and width_of((Span(kept),)) > width - 1:
        kept = kept[1:]
    part = kept.find("/")
    return "…" + (kept[part:] if 0 <= part < len(kept) - 1 else kept)


def line_in_full(line: LoopLine, facts: CallFacts, width: int, where_width: int = 0) -> Line:
    """One line; `where_width` are the cells of the longest number of a line in the program's file."""
    lit = facts.is_lit(line)
    code = "  " * line.indent + (line.code if line.expected else f"! {line.code}")
    right = _right(line, facts, lit, width)
    if where_width and not facts.following:
        right.insert(0, Span(f" {line.where:>{where_width}}", "lit" if lit else "faint"))
    code_width = max(0, width - 2 - width_of(right))
    role = "lit" if lit else facts.role(line)
    mark = Span("▌", "lit") if lit else Span("!", "warning") if line.call in facts.wrong else Span(" ")
    return (
        mark,
        Span(fit(code, code_width), role),
        *right,
        Span(" ", role if lit else ""),
    )


def file_line(file: str, width: int) -> Line:
    """Before the lines of another file than that of the lines above."""
    return (Span(" " + cut_left(file, width - 2), "faint"),)


def rest_in_full(words: str, share: float, width: int) -> Line:
    """Under the calls of a watched program: the time that is in none of them."""
    right = [Span(" " + bar(share), "bar"), Span(" " + percent(share).rjust(5), "faint"), Span(" " * 10)]
    return (Span(" "), Span(fit(words, width - 1 - width_of(right)), "faint"), *right)


def _right(line: LoopLine, facts: CallFacts, lit: bool, width: int) -> list[Span]:
    if line.place == "epochs":
        return [Span(thousands(facts.history.epoch).rjust(8), "faint")]
    if not line.call:
        return []
    if not line.expected:
        return [Span(f" {say('loop.not_in_loop')}", "warning")]
    if facts.following and line.place != "batches":
        value = facts.values.get((line.call, line.place))
        if value is None:
            return [Span(" …" if lit else "", "lit" if lit else "faint")]
        return [Span(f" {parts_that_fit(line, value, width)[0] or '✓'}", "lit" if lit else "")]
    tally = facts.tally(line)
    if tally is None:
        return [Span(f" {_elsewhere(line, facts.history)}", "faint")]
    if not tally.count:
        return [Span("·".rjust(8), "lit" if lit else "faint")]
    if not facts.has_share(line.call):
        each = say("loop.each", time=milliseconds(tally.seconds / tally.count)).rjust(1 + BAR_WIDTH + 1 + 5)
        return [Span(each, "lit" if lit else ""), Span(thousands(tally.count).rjust(9), "lit" if lit else "faint")]
    share = facts.share(tally)
    return [
        Span(" " + bar(share), "lit" if lit else "bar"),
        Span(" " + percent(share).rjust(5), "lit" if lit else ""),
        Span(thousands(tally.count).rjust(9), "lit" if lit else "faint"),
    ]


def parts_that_fit(line: LoopLine, value: Sequence[str], width: int) -> tuple[str, str]:
    """The parts of a value that have room beside the code, the first at least; and the others."""
    room = width - 4 - 2 * line.indent - len(line.code)
    count = len(value)
    while count > 1 and len(", ".join(value[:count])) > room:
        count -= 1
    return ", ".join(value[:count]), ", ".join(value[count:])


def _elsewhere(line: LoopLine, history: History) -> str:
    """Of a call that is made in another place now."""
    recipe = history.recipe
    if recipe is not None and not recipe.warmup_batches:
        return say("loop.not_called")
    return say("loop.only_in_warmup" if line.place == "batch" else "loop.after_warmup")


def bar(share: float) -> str:
    """A share of 1 as a short bar; what is more than nothing is seen."""
    eighths = round(min(share, 1.0) * BAR_WIDTH * 8)
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(BAR_WIDTH)
