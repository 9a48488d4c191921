"""The colours: quiet ones, one accent for what is live, one warning; and what charts draw with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="tui-trainer-dark",
    dark=True,
    primary="#4fc3b2",
    secondary="#8ab4d8",
    accent="#4fc3b2",
    warning="#e5a03c",
    error="#e5a03c",
    success="#4fc3b2",
    foreground="#d5dae0",
    background="#101418",
    surface="#161b20",
    panel="#1c2228",
    variables={
        "scrollbar-background": "#1c2228",
        "scrollbar-background-hover": "#1c2228",
        "scrollbar-background-active": "#1c2228",
        "scrollbar-corner-color": "#1c2228",
        "faint": "#6f7a86",
        "rule": "#2a323a",
        "scrollbar": "#2a323a",
        "scrollbar-hover": "#2a323a",
        "scrollbar-active": "#2a323a",
        "lit": "#1b3a38",
        "border": "#2a323a",
        "border-blurred": "#2a323a",
        "text-muted": "#6f7a86",
        "block-cursor-background": "#1b3a38",
        "block-cursor-foreground": "#d5dae0",
        "input-selection-background": "#4fc3b2 30%",
    },
)

LIGHT = Theme(
    name="tui-trainer-light",
    dark=False,
    primary="#00756a",
    secondary="#2f6690",
    accent="#00756a",
    warning="#a85b00",
    error="#a85b00",
    success="#00756a",
    foreground="#20262c",
    background="#fafaf7",
    surface="#f1f1ec",
    panel="#e8e8e2",
    variables={
        "scrollbar-background": "#e8e8e2",
        "scrollbar-background-hover": "#e8e8e2",
        "scrollbar-background-active": "#e8e8e2",
        "scrollbar-corner-color": "#e8e8e2",
        "faint": "#7b8590",
        "rule": "#d6d8d4",
        "scrollbar": "#d6d8d4",
        "scrollbar-hover": "#d6d8d4",
        "scrollbar-active": "#d6d8d4",
        "lit": "#cfe8e3",
        "border": "#d6d8d4",
        "border-blurred": "#d6d8d4",
        "text-muted": "#7b8590",
        "block-cursor-background": "#cfe8e3",
        "block-cursor-foreground": "#20262c",
        "input-selection-background": "#00756a 25%",
    },
)

COLOUR_BLIND = Theme(
    name="tui-trainer-colour-blind",
    dark=True,
    primary="#56b4e9",  # the sky blue and the orange of Okabe and Ito's palette
    secondary="#cccccc",
    accent="#56b4e9",
    warning="#e69f00",
    error="#e69f00",
    success="#56b4e9",
    foreground="#e2e2e2",
    background="#111111",
    surface="#181818",
    panel="#202020",
    variables={
        "scrollbar-background": "#202020",
        "scrollbar-background-hover": "#202020",
        "scrollbar-background-active": "#202020",
        "scrollbar-corner-color": "#202020",
        "faint": "#7d7d7d",
        "rule": "#333333",
        "scrollbar": "#333333",
        "scrollbar-hover": "#333333",
        "scrollbar-active": "#333333",
        "lit": "#123a52",
        "border": "#333333",
        "border-blurred": "#333333",
        "text-muted": "#7d7d7d",
        "block-cursor-background": "#123a52",
        "block-cursor-foreground": "#e2e2e2",
        "input-selection-background": "#56b4e9 30%",
    },
)

THEMES = (DARK, LIGHT, COLOUR_BLIND)


@dataclass(frozen=True)
class Role:
    """What a piece of text looks like, in the theme's colours; without one it keeps the panel's."""

    colour: str = ""
    background: str = ""
    bold: bool = False
    strength: float = 1.0
    """How much of the colour covers what is behind the text."""


ROLES = {
    "strong": Role(bold=True),
    "faint": Role("faint"),
    "rule": Role("rule"),
    "bar": Role("faint"),
    "live": Role("accent"),
    "lit": Role("accent", "lit", bold=True),
    "good": Role("accent"),
    "warning": Role("warning"),
    "key": Role(bold=True),
    "value": Role("text-secondary"),
}
"""Kept out of the style sheets: a component class for each, in each panel, would cost a third of the start."""

CHART_ROLES = {
    "title": Role(bold=True),
    "raw": Role("foreground", strength=0.35),
    "smooth": Role("accent"),
    "val": Role("foreground"),
    "best": Role("accent", bold=True),
    "accuracy": Role("text-secondary", strength=0.8),
    "momentum": Role("text-secondary", strength=0.8),
    "planned": Role("foreground", strength=0.4),
    "flat": Role("warning", strength=0.6),
    "actual": Role("accent"),
    "mark": Role("foreground", bold=True),
    "turn": Role("foreground", strength=0.22),
    "switch": Role("warning"),
    "warning": Role("warning", bold=True),
    "axis": Role("foreground", strength=0.22),
    "label": Role("foreground", strength=0.55),
    "faint": Role("foreground", strength=0.55),
    "cursor": Role("foreground", bold=True),
}
"""Those that charts draw with."""

_BLENDS = {"faint": 0.5, "rule": 0.82, "lit": 0.8}
"""How near the background these are, in themes that do not name them; `lit` starts from the accent."""


def role_style(look: Role, on: Style, variables: Mapping[str, str]) -> Style:
    """The style of a role over the style of its panel, in the theme whose variables these are."""
    colour = _colour(look.colour, variables) if look.colour else None
    if colour is not None and look.strength < 1:
        behind = Color.from_rich_color(on.bgcolor) if on.bgcolor else Color.parse(variables["background"])
        colour = behind.blend(colour, look.strength)
    return on + Style(
        color=colour.rich_color if colour else None,
        bgcolor=_colour(look.background, variables).rich_color if look.background else None,
        bold=look.bold or None,
    )


def _colour(name: str, variables: Mapping[str, str]) -> Color:
    if name not in variables:
        start = Color.parse(variables["accent" if name == "lit" else "foreground"])
        return start.blend(Color.parse(variables["background"]), _BLENDS[name])
    return Color.parse(variables[name])
