"""The command palette: every key of the screen on show, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.keys import Key, of
from tui_trainer.ui.theme import COLOUR_BLIND, DARK, LIGHT
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.plotting.figure import Marks
    from tui_trainer.ui.context import ContextApp

NOT_OF_TEXTUAL = ("Keys", "Quit")
"""Commands of its own that are doubles here: the keys have a page, and leaving has its question."""

THEME_NAMES = {DARK.name: "dark", LIGHT.name: "light", COLOUR_BLIND.name: "for the colour-blind"}

MARKS: dict[Marks, str] = {"braille": "braille dots", "blocks": "quarter blocks", "ascii": "plain characters"}


def commands_of(app: ContextApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """A command for each key; those that move something by a cell are left to the keys."""
    if not isinstance(screen, TrainerScreen):
        return
    for key in of(*screen.places, "everywhere"):
        if (name := key.short or key.name) and key.action != "app.command_palette":
            yield SystemCommand(name[0].upper() + name[1:], _told(key, name), _run(app, screen, key))
    for name, words in THEME_NAMES.items():
        yield SystemCommand(f"Theme: {words}", "remembered for the next start", partial(_choose_theme, app, name))
    for marks, words in MARKS.items():
        does = "for fonts that lack the others; remembered for the next start"
        yield SystemCommand(f"Draw with {words}", does, partial(_draw_with, app, marks))


def _told(key: Key, name: str) -> str:
    """What it does, without saying its name a second time."""
    word = name.rpartition(": ")[2].lower()
    first, _, rest = key.does.partition(": ")
    does = rest if first.lower() == word else key.does
    return f"{does} ({key.label})" if does else f"key {key.label}"


def _choose_theme(app: ContextApp, name: str) -> None:
    app.theme = name


def _draw_with(app: ContextApp, marks: Marks) -> None:
    app.context.settings.change(marks=marks)
    for screen in app.screen_stack:
        for chart in screen.query(Chart):
            chart.marks = marks


def _run(app: ContextApp, screen: Screen[Any], key: Key) -> Callable[[], Any]:
    return partial(app.call_later, app.run_action, key.action, screen)
