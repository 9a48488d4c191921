"""The colours of compared presets: Okabe and Ito's, made for the colour-blind, with those that a dark or a light
background would swallow moved towards what can be read on it."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color

from tui_trainer.ui.panel import Panel

DARK = ("#e69f00", "#56b4e9", "#00b384", "#f0e442", "#cc79a7", "#f0703c", "#d5dae0")
LIGHT = ("#b97a00", "#2a7fb8", "#007a58", "#857a00", "#a8457f", "#bf4800", "#20262c")

BAND = 0.6
"""How far a band's colour is on the way to the background."""


def preset_style(panel: Panel, role: str) -> Style | None:
    """The style of the roles `runN` and, fainter, `bandN`; None for any other."""
    kind, number = role.rstrip("0123456789"), role.lstrip("abcdefghijklmnopqrstuvwxyz")
    if kind not in ("run", "band") or not number:
        return None
    colour = Color.parse((DARK if panel.app.current_theme.dark else LIGHT)[int(number)])
    if kind == "band":
        colour = colour.blend(panel.background_colors[1], BAND)
    return panel.rich_style + Style(color=colour.rich_color)


class SeriesStyles(Panel):
    """A panel with the roles of presets beside those it has anyway."""

    def _style(self, role: str, action: str) -> Style:
        if (role, action) not in self._styles_by_role and (style := preset_style(self, role)) is not None:
            self._styles_by_role[role, action] = style
        return super()._style(role, action)
