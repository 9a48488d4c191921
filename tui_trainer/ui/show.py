"""Runs the app on the terminal of this process, and leaves it clean."""

from __future__ import annotations

import signal
import sys
import traceback
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.ui.terminal.terminal import MOST_PER_SECOND, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_trainer.ui.app import TrainerApp


class ScreenEnded(Exception):
    """The app ended, and nobody had asked it to."""


def show(
    make_app: Callable[[Terminal], TrainerApp], most_per_second: float | None = None, lives_by: int | None = None
) -> int:
    """Run the app until the person leaves, or the terminal goes, or the screen breaks; the exit code of the command.

    No more than `most_per_second` bytes are sent to the terminal, over some seconds; None is what suits most links.
    Once the other end of the pipe `lives_by` is closed, the terminal counts as gone.

    A signal that comes before there is an app is the app's; one that comes too late for it is the caller's.

    Where the person chose to keep the run training, the context's `on_detach` is called with the screen left already.
    Where the terminal is gone, `app.hung_up` is true; where the screen broke, `app.failure` says why, and a sentence
    has told the person: what becomes of the run is the caller's to decide.
    """
    app: TrainerApp | None = None
    came: deque[int | None] = deque()

    def told(number: int | None = None) -> None:
        came.append(number)
        hand_on()

    def hand_on() -> None:
        with suppress(IndexError):  # another thread, or a signal handler, was first
            while app is not None and came:
                app.leaving.told(came.popleft())

    most = most_per_second or MOST_PER_SECOND
    with Terminal(told, told, most, on_failure=told, lives_by=lives_by) as terminal:
        app = make_app(terminal)
        hand_on()  # what came while there was no app
        code: int | None = None
        try:
            code = app.run(mouse=True)
        except Exception as error:
            terminal.fail(error)
        broken = app.failure
        if code is None and broken is None and not terminal.is_gone:
            terminal.fail(ScreenEnded(say("screen.ended_by_itself")))
    for number in app.leaving.unheeded:
        signal.raise_signal(number)  # for whoever sees to it where there is no screen
    failure = app.failure
    if broken is not None and terminal.failure is None:
        traceback.print_exception(failure, file=sys.stderr)
    if failure is not None:
        what = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
        print(say("screen.broke", error=what), file=sys.stderr)
        return 1
    if app.detached and app.context.on_detach is not None:
        app.context.on_detach()
    return code if code is not None else 0
