"""Text back to dots, to see what was really drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks

Dots: TypeAlias = set[tuple[int, int]]
"""Lit dots as (column from the left, row from the bottom)."""

BRAILLE = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
"""The bits of a cell of braille, from its bottom row to its top row, left and right."""

QUARTERS = " ▗▖▄▝▐▞▟▘▚▌▙▀▜▛█"
"""The quarter blocks by the bits top left 8, top right 4, bottom left 2, bottom right 1."""


def lit(lines: Sequence[str], marks: Marks = "braille") -> Dots:
    """The dots of some lines, the topmost line first."""
    across, up = DOTS[marks]
    found: Dots = set()
    for row, line in enumerate(reversed(lines)):
        for column, cell in enumerate(line):
            found |= {(column * across + x, row * up + y) for x, y in _in_cell(cell, marks)}
    return found


def of_spans(spans: Sequence[Span | None]) -> Dots:
    """The dots that a curve asks for."""
    return {(i, dot) for i, span in enumerate(spans) if span is not None for dot in range(span[0], span[1] + 1)}


def _in_cell(cell: str, marks: Marks) -> list[tuple[int, int]]:
    if marks == "ascii":
        return [(0, 0)] if cell != " " else []
    if marks == "blocks":
        bits = QUARTERS.index(cell)
        return [(x, y) for (x, y), bit in {(0, 1): 8, (1, 1): 4, (0, 0): 2, (1, 0): 1}.items() if bits & bit]
    bits = 0 if cell == " " else ord(cell) - 0x2800
    return [(x, y) for y, pair in enumerate(BRAILLE) for x, bit in enumerate(pair) if bits & bit]
