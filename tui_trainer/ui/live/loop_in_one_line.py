"""A loop in little room: the calls in a row, and under each its share of the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.ui.formatting import cut, fit, percent
from tui_trainer.ui.panel import Line, Span

if TYPE_CHECKING:
    from tui_trainer.ui.live.loop import CallFacts, LoopLine


def in_one_line(loop: Sequence[LoopLine], facts: CallFacts, width: int, *, wrong: str = "", meaning: str) -> list[Line]:
    """The calls in a row, and under each its share of the time.

    Args:
        loop: its lines.
        facts: what the events say of them.
        width: cells.
        wrong: what is wrong with their order; it takes the place of the shares.
        meaning: in slow motion, what the call that runs is for, under what was made last.
    """
    calls = [line for line in loop if line.names]
    cells, of_what = _cells(calls, facts, width)
    above: list[Span] = []
    below: list[Span] = []
    over = 0
    for index, (line, name) in enumerate(zip(calls, cells, strict=False)):
        between = " " if not index else " › " if line.pass_ == calls[index - 1].pass_ else " ┊ "
        lit = facts.is_lit(line)
        above += [Span(between, "faint"), Span(name, "lit" if lit else facts.role(line))]
        tally = facts.tally(line)
        is_told = tally is not None and tally.count and facts.has_share(line.call) and of_what is not None
        share = percent(facts.share(tally)).strip() if tally is not None and is_told else ""
        gap = len(between) - over
        over = max(0, len(share) - len(name))  # `12 %` under `val` takes a cell of the gap behind it
        below += [Span(" " * gap), Span(fit(share, len(name) + over), "live" if lit else "faint")]
    if len(calls) > len(cells):
        above.append(Span(f" +{len(calls) - len(cells)}", "faint"))
    if facts.following:
        return [tuple(above), made_last(facts, loop, width), (Span(" "), Span(cut(meaning, width - 2), "faint"))]
    if wrong:
        return [tuple(above), (Span(" "), Span(cut(f"! {wrong}", width - 2), "warning"))]
    below.append(Span(f" {of_what}" if of_what else "", "faint"))
    return [tuple(above), tuple(below)]


def _cells(calls: Sequence[LoopLine], facts: CallFacts, width: int) -> tuple[list[str], str | None]:
    """The names of the calls, of so many as there is room for, and what stands behind their shares; None where there
    is no room to say it."""
    cells: list[str] = []
    for names in zip(*(line.names for line in calls), strict=True):
        cells = list(names)
        room = width - (sum(map(len, cells)) + 3 * len(cells) - 1)
        for of_what in _of_what(facts):
            if len(of_what) + bool(of_what) <= room:
                return cells, of_what
    while len(cells) > 1 and sum(map(len, cells)) + 3 * len(cells) - 1 + LEFT_OUT * (len(cells) < len(calls)) > width:
        cells.pop()
    return cells, None if facts.on_cuda else ""


def _of_what(facts: CallFacts) -> tuple[str, ...]:
    """What shares are of, where it is not simply time."""
    if not facts.on_cuda:
        return ("",)
    if facts.history.program is not None:
        return say("loop.are_of_cpu_time"), say("loop.are_of_cpu")
    return say("loop.are_of_launch_time"), say("loop.to_launch")


LEFT_OUT = 4
"""Cells that it takes to say how many calls have no room: ` +12`."""


def made_last(facts: CallFacts, loop: Sequence[LoopLine], width: int) -> Line:
    """`loss 0.4127 › grad norm 1.83 › optimizer.step …`, as many of the newest as there is room for, and of the last
    one all parts that there is room for."""
    values = [value for value in facts.values.values() if value]
    made = [value[0] for value in values]
    if facts.lit is not None and facts.lit not in facts.values:
        lit = next((line.names[0] for line in loop if facts.is_lit(line) and line.names), facts.lit[0])
        made.append(f"{lit} …")
    elif values:
        parts = len(values[-1])
        while parts > 1 and len(", ".join(values[-1][:parts])) > width - 2:
            parts -= 1
        made[-1] = ", ".join(values[-1][:parts])
    while len(made) > 1 and len(" › ".join(made)) > width - 2:
        made.pop(0)
    if not made:
        return ()
    before = " › ".join(made[:-1])
    return (Span(" "), Span(before + " › " if before else "", "faint"), Span(cut(made[-1], width - 2), "live"))
