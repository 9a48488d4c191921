"""How the curves of a comparison are told apart: by colour, and by a name at each one's end."""

from __future__ import annotations

COLOURS = 7
"""How many colours there are; presets of one colour are told apart by their names at the ends of their curves."""

SWATCH = "━"
"""Beside a name, in its colour: which curve is whose."""
