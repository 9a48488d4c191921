"""`R` on a finished run: how many epochs it is to train in all, and what those that are added follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.run_request import CONSTANT, Extension
from tui_trainer.text.captions import say
from tui_trainer.ui.entry import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from tui_trainer.ui.trainer_screen import TrainerScreen


def ask_for_more_epochs(screen: TrainerScreen, folder: Path, trained: int) -> None:
    """Have a line typed that says it, and go on with the run in a process of its own.

    Args:
        screen: over which it is asked.
        folder: the run's.
        trained: how many epochs it has.
    """
    pages = screen.context.pages

    def wrong(line: str) -> str:
        try:
            asked = Extension.of(line, "")
        except ValueError as error:
            return str(error)
        return "" if asked.epochs > trained else say("entry.epochs_trained", epochs=f"{trained:,}")

    def typed(line: str | None) -> None:
        if line:
            pages.resume_run(folder, Extension.of(line, ""))

    forms = say("entry.more_epochs_forms", epochs=f"{trained:,}", example=f"{trained + 5}", constant=CONSTANT)
    screen.app.push_screen(Entry(say("entry.more_epochs"), [forms], wrong=wrong), typed)
