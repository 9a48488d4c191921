"""Charts as SVG, by hand: lines in the colours of their presets, told apart without colour by marks and dashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from statistics import fmean
from typing import Any

from tui_trainer.compare.comparison import Point
from tui_trainer.plotting.scales import along, linear, logarithmic

WIDTH, HEIGHT = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 46
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2")
ROW = 18
"""Pixels that a row of a scale takes: its ticks stand on rows."""


@dataclass
class Curve:
    """One preset's lines on a chart."""

    number: int
    mark: str
    colour: int
    lines: list[list[Point]]
    """One a seed, or their mean alone."""
    band: list[tuple[float, float, float]] = field(default_factory=list)
    """Place, lowest and highest of the seeds around their mean."""
    has_points: bool = False
    """Whether each point of the first line is marked with the preset's character."""
    marked_every: int = 0
    """Of a line without points of its own: how many marks are put along it."""


def chart(title: str, unit: str, curves: Sequence[Curve], *, log: bool = False) -> str:
    """One chart; an empty string where there is nothing to draw."""
    every = [point for curve in curves for line in curve.lines for point in line]
    every += [(x, y) for curve in curves for x, low, high in curve.band for y in (low, high)]
    if log:
        every = [(x, y) for x, y in every if y > 0]
    if not every:
        return ""
    last = max(x for x, _ in every) or 1.0
    rows = (HEIGHT - TOP - BOTTOM) // ROW
    lowest, highest = min(y for _, y in every), max(y for _, y in every)
    scale = logarithmic(lowest, highest, rows, 7) if log else linear(lowest, highest, rows, 7)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(x: float) -> float:
        return LEFT + x / last * wide

    def y_of(y: float) -> float:
        return TOP + (1 - max(-0.1, scale.height(y))) * high

    clip = "clip-" + "".join(letter for letter in title if letter.isalnum())
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<clipPath id="{clip}"><rect x="{LEFT}" y="{TOP - 4}" width="{wide + 8}" height="{high + 8}"/></clipPath>',
    ]
    for tick in scale.ticks:
        y = TOP + high - (tick.at + 0.5) / rows * high
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{escape(tick.label)}</text>')
    for place, label in along(0, last, 90, labels=5, whole=unit != "seconds"):
        x = x_of(place)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{TOP + high}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 26}" text-anchor="middle">{escape(label)}</text>')
    parts.append(f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(unit)}</text>')
    parts.append(f'<g clip-path="url(#{clip})">')
    for curve in curves:
        dash = DASHES[curve.number % len(DASHES)]
        style = f' stroke-dasharray="{dash}"' if dash else ""
        thin = " thin" if len(curve.lines) > 1 else ""
        parts.append(f'<g class="run c{curve.colour}" data-run="{curve.number}">')
        if curve.band:
            outline = [(x, high) for x, _, high in curve.band] + [(x, low) for x, low, _ in reversed(curve.band)]
            edge = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in outline)
            parts.append(f'<polygon class="band" points="{edge}"/>')
        for line in curve.lines:
            path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line)
            parts.append(f'<polyline class="line{thin}"{style} points="{path}"/>')
        for x, y in curve.lines[0] if curve.has_points and curve.lines else _along_the_line(curve, len(curves)):
            parts.append(
                f'<text class="mark" x="{x_of(x):.1f}" y="{y_of(y) + 4:.1f}" text-anchor="middle">'
                f"{escape(curve.mark)}</text>"
            )
        parts.append("</g>")
    parts.append("</g></svg>")
    return "\n".join(parts)


def of_seeds(number: int, mark: str, colour: int, lines: list[list[Point]], **more: Any) -> Curve:
    """A preset's curve: of several seeds at the same places their mean, with a band from the lowest to the highest."""
    places = [[x for x, _ in line] for line in lines]
    if len(lines) < 2 or any(others != places[0] for others in places):
        return Curve(number, mark, colour, lines, **more)
    heights = [[line[i][1] for line in lines] for i in range(len(places[0]))]
    mean = [(x, fmean(ys)) for x, ys in zip(places[0], heights, strict=True)]
    band = [(x, min(ys), max(ys)) for x, ys in zip(places[0], heights, strict=True)]
    return Curve(number, mark, colour, [mean], band, **more)


def _along_the_line(curve: Curve, curves: int) -> list[Point]:
    """Marks along a line, each preset's at other places than its neighbours'."""
    if not curve.marked_every or not curve.lines or not curve.lines[0]:
        return []
    line = curve.lines[0]
    shift = (curve.number % curves + 0.5) / curves
    return [line[int((i + shift) / curve.marked_every * len(line))] for i in range(curve.marked_every)]
