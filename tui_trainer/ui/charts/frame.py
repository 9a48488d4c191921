"""What stands around a chart's curves, and how its lines share the width: gutters, ticks, a title that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from tui_trainer.plotting.canvas import GlyphRun, runs
from tui_trainer.plotting.scales import Tick
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import Axis, Mode

BADGES: dict[Mode, tuple[str, str]] = {
    "all": ("all", "label"),
    "live": ("live", "actual"),
    "held": ("frozen", "switch"),
}
"""What is in sight, in a word, and the style to say it in."""

LAST_BEFORE_RIGHT = 2
"""Parts of a title with this number or a lower one stay longer than what stands at its right end."""


@dataclass(frozen=True)
class Frame:
    """The parts of a chart in cells. Charts of one width have the same gutters, and so the same columns."""

    left: int
    """Room for the labels of the left axis; the axis itself is one more."""
    right: int
    """As `left`, on the right; 0 where there is no right axis."""
    width: int
    """Cells that the curves have."""
    height: int
    """Rows that the curves have."""
    title: bool
    line: bool
    """Whether the x axis has a line of its own, with its ticks."""
    labels: bool

    @classmethod
    def within(cls, width: int, height: int, labels: bool) -> Frame:
        """The parts of a chart of this size; what does not fit is left out, the curves last."""
        left = 6 if width >= 60 else 5 if width >= 24 else 0
        right = 5 if width >= 60 else 0
        title = height >= 1
        rows = height - title
        line = labels and rows >= 4
        names = labels and rows >= 3
        beside = (left + 1 if left else 0) + (right + 1 if right else 0)
        return cls(left, right, max(1, width - beside), max(0, rows - line - names), title, line, names)


def beside(
    frame: Frame, rows: Sequence[Sequence[GlyphRun]], left: Sequence[Tick], right: Sequence[Tick] | None = None
) -> list[list[GlyphRun]]:
    """The rows of a chart between its axes; the right one is blank without ticks."""
    lefts = {frame.height - 1 - tick.at: tick.label for tick in left}
    rights = {frame.height - 1 - tick.at: tick.label for tick in right or ()}
    lines: list[list[GlyphRun]] = []
    for row, curves in enumerate(rows):
        line: list[GlyphRun] = []
        if frame.left:
            label = lefts.get(row, "")
            line += [GlyphRun(label[: frame.left].rjust(frame.left), "label"), GlyphRun("┤" if label else "│", "axis")]
        line += curves
        if frame.right and right is not None:
            label = rights.get(row, "")
            line += [
                GlyphRun("├" if label else "│", "axis"),
                GlyphRun(label[: frame.right].ljust(frame.right), "accuracy"),
            ]
        lines.append(line)
    return lines


def x_axis(
    frame: Frame, axis: Axis, marks: Mapping[int, GlyphRun] | None = None, badge: bool = False
) -> list[list[GlyphRun]]:
    """The lines under the curves: the axis with its ticks and what is marked on it by cell, and the labels of the
    ticks between the badge, which says what is in sight, and the unit."""
    ticks = axis.ticks(frame.width)
    lines: list[list[GlyphRun]] = []
    corner = frame.left + 1 if frame.left else 0
    if frame.line:
        line, styles = ["─"] * frame.width, ["axis"] * frame.width
        for cell, run in (marks or {}).items():
            line[cell], styles[cell] = run
        for tick in ticks:
            if styles[tick.at] == "axis":
                line[tick.at] = "┬"
        lines.append([GlyphRun(" " * frame.left), GlyphRun("└" if corner else "", "axis"), *runs(line, styles)])
    if frame.labels:
        lines.append(_labels(frame, axis, ticks, corner, badge))
    return lines


def _labels(frame: Frame, axis: Axis, ticks: Sequence[Tick], corner: int, badge: bool) -> list[GlyphRun]:
    width = corner + frame.width + (frame.right + 1 if frame.right else 0)
    cells, styles = [" "] * width, ["label"] * width
    unit: str = axis.unit
    word, style = BADGES[axis.mode]
    free = 0
    if badge and corner:
        cells[: len(word)], styles[: len(word)] = word, [style] * len(word)
        free = len(word) + 1
    elif axis.mode != "all":
        unit += f" · {word}"
    end = width - len(unit)
    for tick in ticks:
        start = max(0, corner + tick.at - (len(tick.label) - 1) // 2)
        if start + len(tick.label) == end and len(tick.label) > 1:
            start -= 1  # the last label, a cell off its tick rather than left out
        if start >= free and start + len(tick.label) < end:
            cells[start : start + len(tick.label)] = tick.label
            free = start + len(tick.label) + 1
    if end > 0:
        cells[end:] = unit
    return runs(cells, styles)


def narrow(text: str) -> str:
    """A text from a file, safe to show, each character one cell wide."""
    return "".join(letter if cell_len(letter) == 1 else "?" for letter in plain(text))


def fitted(parts: Sequence[tuple[int, list[GlyphRun]]], right: Sequence[GlyphRun], width: int) -> list[GlyphRun]:
    """A title of parts two blanks apart, with `right` at its end; the parts of the highest numbers go first where
    there is no room."""
    kept = [part for part in parts if part[1]]
    end = list(right)
    while kept:
        needed = sum(len(run.text) for _, part in kept for run in part) + 2 * (len(kept) - 1)
        needed += 2 + sum(len(run.text) for run in end) if end else 0
        worst = max(number for number, _ in kept)
        if needed <= width or (worst == 0 and not end):
            break
        if end and worst <= LAST_BEFORE_RIGHT:
            end = []
        else:
            kept = [part for part in kept if part[0] != worst]
    line: list[GlyphRun] = []
    for i, (_, part) in enumerate(kept):
        line.extend([GlyphRun("  ")] if i else [])
        line.extend(part)
    if end:
        line.append(GlyphRun(" " * (width - sum(len(run.text) for run in [*line, *end]))))
        line.extend(end)
    return line
