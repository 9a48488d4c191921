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
        "faint": "#7d8792",
        "rule": "#2a323a",
        "scrollbar": "#2a323a",
        "scrollbar-hover": "#2a323a",
        "scrollbar-active": "#2a323a",
        "lit": "#1b3a38",
        "border": "#2a323a",
        "border-blurred": "#2a323a",
        "text-muted": "#7d8792",
        "block-cursor-background": "#1b3a38",
        "block-cursor-foreground": "#d5dae0",
        "input-selection-background": "#4fc3b2 30%",
    },
)

LIGHT = Theme(
    name="tui-trainer-light",
    dark=False,
    primary="#006f64",
    secondary="#2f6690",
    accent="#006f64",
    warning="#9e5600",
    error="#9e5600",
    success="#006f64",
    foreground="#20262c",
    background="#fafaf7",
    surface="#f1f1ec",
    panel="#e8e8e2",
    variables={
        "scrollbar-background": "#e8e8e2",
        "scrollbar-background-hover": "#e8e8e2",
        "scrollbar-background-active": "#e8e8e2",
        "scrollbar-corner-color": "#e8e8e2",
        "faint": "#626a73",
        "rule": "#d6d8d4",
        "scrollbar": "#d6d8d4",
        "scrollbar-hover": "#d6d8d4",
        "scrollbar-active": "#d6d8d4",
        "lit": "#cfe8e3",
        "border": "#d6d8d4",
        "border-blurred": "#d6d8d4",
        "text-muted": "#626a73",
        "block-cursor-background": "#cfe8e3",
        "block-cursor-foreground": "#20262c",
        "input-selection-background": "#006f64 25%",
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
        "faint": "#838383",
        "rule": "#333333",
        "scrollbar": "#333333",
        "scrollbar-hover": "#333333",
        "scrollbar-active": "#333333",
        "lit": "#123a52",
        "border": "#333333",
        "border-blurred": "#333333",
        "text-muted": "#838383",
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
    """The name that the theme has for it, or `#rrggbb`."""
    background: str = ""
    bold: bool = False
    strength: float = 1.0
    """How much of the colour covers what is behind the text."""
    contrast: float = 4.5
    """At least this much against what is behind it, as WCAG 2 measures it: 4.5 for words."""


CURVE = 3.0
FURNITURE = 1.3
"""For what is seen and not read: the lines between things, and figures as they were before they were smoothed."""

ROLES = {
    "strong": Role(bold=True),
    "faint": Role("faint"),
    "rule": Role("rule", contrast=FURNITURE),
    "bar": Role("faint", contrast=CURVE),
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
    "raw": Role("foreground", strength=0.35, contrast=FURNITURE),
    "smooth": Role("accent"),
    "val": Role("foreground"),
    "best": Role("accent", bold=True),
    "accuracy": Role("text-secondary", strength=0.8),
    "momentum": Role("text-secondary", strength=0.8),
    "planned": Role("foreground", strength=0.4, contrast=CURVE),
    "flat": Role("warning", strength=0.6, contrast=CURVE),
    "actual": Role("accent"),
    "mark": Role("foreground", bold=True),
    "turn": Role("foreground", strength=0.22, contrast=FURNITURE),
    "switch": Role("warning"),
    "warning": Role("warning", bold=True),
    "axis": Role("foreground", strength=0.22, contrast=FURNITURE),
    "label": Role("foreground", strength=0.55),
    "faint": Role("foreground", strength=0.55),
    "cursor": Role("foreground", bold=True),
}
"""Those that charts draw with."""

_BLENDS = {"faint": 0.5, "rule": 0.82, "lit": 0.8}
"""How near the background these are, in themes that do not name them; `lit` starts from the accent."""


def role_style(look: Role, on: Style, variables: Mapping[str, str]) -> Style:
    """The style of a role over the style of its panel, in the theme whose variables these are."""
    ground = _colour(look.background, variables) if look.background else None
    colour = _colour(look.colour, variables) if look.colour else None
    if colour is not None:
        behind = Color.from_rich_color(on.bgcolor) if on.bgcolor else Color.parse(variables["background"])
        if look.strength < 1:
            colour = behind.blend(colour, look.strength)
        colour = legible(colour, ground or behind, look.contrast)
    return on + Style(
        color=colour.rich_color if colour else None,
        bgcolor=ground.rich_color if ground else None,
        bold=look.bold or None,
    )


def legible(colour: Color, behind: Color, contrast: float) -> Color:
    """The colour, if it stands out that much from what is behind it; else nearer to black or white, until it does. The
    terminal's own colours, of which nobody knows what they are, stay as they are."""
    if colour.ansi is not None or behind.ansi is not None:
        return colour
    far = max(Color(0, 0, 0), Color(255, 255, 255), key=lambda end: _contrast(end, behind))
    nearer = (colour.blend(far, step / 20) for step in range(21))
    return next((one for one in nearer if _contrast(one, behind) >= contrast), far)


def _contrast(one: Color, other: Color) -> float:
    """Of two colours, as WCAG 2 has it: 1 of equal ones, 21 of black and white."""
    lower, higher = sorted((_luminance(one), _luminance(other)))
    return (higher + 0.05) / (lower + 0.05)


def _luminance(colour: Color) -> float:
    parts = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized)
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def _colour(name: str, variables: Mapping[str, str]) -> Color:
    if name.startswith("#"):
        return Color.parse(name)
    if name not in variables:
        start = Color.parse(variables["accent" if name == "lit" else "foreground"])
        return start.blend(Color.parse(variables["background"]), _BLENDS[name])
    return Color.parse(variables[name])
