"""Runs the app on the terminal of this process, and leaves it clean."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from tui_trainer.ui.terminal.screenful import MOST_PER_SECOND
from tui_trainer.ui.terminal.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_trainer.ui.app import TrainerApp


def show(make_app: Callable[[Terminal], TrainerApp], most_per_second: float | None = None) -> int:
    """Run the app until the person leaves, or the terminal goes; the exit code of the command.

    No more than `most_per_second` bytes are sent to the terminal, over some seconds; None is what suits most links.

    Where the person chose to keep the run training, the app's `on_detach` is called with the screen left already.
    Where the terminal is gone, `app.hung_up` is true: what becomes of the run is the caller's to decide.
    """
    app: TrainerApp | None = None

    def hung_up() -> None:
        if app is not None:
            app.leaving.told(None)

    def asked(number: int) -> None:
        if app is not None:
            app.leaving.told(number)

    with Terminal(hung_up, asked, most_per_second or MOST_PER_SECOND) as terminal:
        app = make_app(terminal)
        code = app.run(mouse=True)
        failure = app.failure
    if failure is not None:
        traceback.print_exception(failure, file=sys.stderr)
        return 1
    if app.detached and app.on_detach is not None:
        app.on_detach()
    return code if code is not None else 0
