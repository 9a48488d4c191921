"""Colours: every theme works, and none is needed."""

from __future__ import annotations

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tui_trainer.ui.compare.curves import DARK, LIGHT
from tui_trainer.ui.theme import CHART_ROLES, ROLES, THEMES, Role, role_style

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


def colours(shown: object) -> set[tuple[int, int, int]]:
    found = set()
    for strip in shown.app.screen._compositor.render_strips():  # type: ignore[attr-defined]
        for segment in strip:
            for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                if colour is not None and colour.triplet is not None:
                    found.add(tuple(colour.triplet))
    return found


def _triplet(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_our_themes(show: Show, theme: str) -> None:
    async with show(LIVE) as shown:
        shown.app.theme = theme
        await shown.pilot.pause()
        await shown.frame()
        own = next(one for one in THEMES if one.name == theme)
        assert own.accent is not None
        assert _triplet(own.accent) in colours(shown)
        others = {_triplet(str(one.accent)) for one in THEMES} - {_triplet(own.accent)}
        assert not others & colours(shown)  # nothing keeps the colours of the theme before
        assert "● training" in shown.text()


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_roles_in_themes_that_do_not_know_them(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    variables = theme.to_color_system().generate() | theme.variables
    for role, look in [*ROLES.items(), *CHART_ROLES.items()]:
        style = role_style(look, Style(), variables)
        assert (style.color is not None) == bool(look.colour), role
        ground = style.bgcolor or Color.parse(variables["background"]).rich_color
        if style.color is not None and ground.triplet is not None:  # else the terminal's own colours
            assert style.color != ground, f"{role} cannot be seen"


@pytest.mark.parametrize("theme", ["nord", "textual-light"])
async def test_textual_s_own_themes_work_too(show: Show, theme: str) -> None:
    async with show(LIVE) as shown:
        shown.app.theme = theme
        await shown.pilot.pause()
        await shown.frame()
        assert "● training" in shown.text()


async def test_without_colour_it_is_grey(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with show(LIVE) as shown:
        assert "● training" in shown.text()
        assert all(red == green == blue for red, green, blue in colours(shown))


@pytest.mark.parametrize("theme", [*THEMES, *BUILTIN_THEMES.values()], ids=lambda theme: str(theme.name))
def test_in_every_theme_words_and_curves_stand_out_from_what_is_behind_them(theme: Theme) -> None:
    variables = theme.to_color_system().generate() | theme.variables
    for ground in ("background", "surface", "panel"):
        behind = Color.parse(variables[ground])
        if behind.ansi is not None:
            return  # the terminal's own colours
        for role, look in [*ROLES.items(), *CHART_ROLES.items(), *((name, Role(name)) for name in (*DARK, *LIGHT))]:
            style = role_style(look, Style(bgcolor=behind.rich_color), variables)
            if style.color is not None and style.bgcolor is not None:
                assert _contrast(style.color, style.bgcolor) >= QUIET.get(role, 4.5), f"{role} on {ground}"


QUIET = {
    **dict.fromkeys(("bar", "planned", "flat"), 3.0),  # curves and bars, not words
    **dict.fromkeys(("rule", "axis", "turn", "raw"), 1.3),  # lines between things, and what is smoothed over them
}


def _contrast(one: RichColor, other: RichColor) -> float:
    """As WCAG 2 measures it."""
    luminances = []
    for colour in (one, other):
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (part / 255 for part in colour.get_truecolor())
        ]
        luminances.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(luminances) + 0.05) / (min(luminances) + 0.05)
