"""The command palette: every key of the screen on show, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.screen import Screen

from tui_trainer.ui.keys import Key, of
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp


def commands_of(app: TrainerApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """A command for each key; those that move something by a cell are left to the keys."""
    if not isinstance(screen, TrainerScreen):
        return
    for key in of(*screen.places):
        if key.short:
            yield SystemCommand(key.short.capitalize(), f"{key.does} ({key.label})", _run(app, screen, key))


def _run(app: TrainerApp, screen: Screen[Any], key: Key) -> Callable[[], Any]:
    return partial(app.call_later, app.run_action, key.action, screen)
