"""How one leaves: asked what becomes of what trains, told to by a signal, or left by the terminal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_trainer.commands import Stop
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import command_in_short
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.live.screen import back_to_run

if TYPE_CHECKING:
    from tui_trainer.compare.queue import Queue
    from tui_trainer.records.history import History
    from tui_trainer.ui.context import ContextApp


class Leaving:
    """Ends the app, with the exit code of the command.

    Args:
        app: what is left.
        is_broken: whether something broke the app or its screen.
    """

    def __init__(self, app: ContextApp, is_broken: Callable[[], bool]) -> None:
        self._app, self._context = app, app.context
        self._is_broken = is_broken
        self.detached = False
        """Whether the person left what trains to go on in the background."""
        self.hung_up = False
        """Whether the app ended because its terminal is gone."""
        self._at_end = self._context.exit_when_done
        self._stopping = False
        """Whether the run was stopped in order to leave."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: list[int | None] = []
        """Signals that came; None for a terminal that is gone, or a screen that broke."""
        self._obeyed = 0
        """How many of them something followed from."""
        self._obeyed_a_signal = False
        """Whether one of those was a signal: the first stops the run, and the next does not wait for that."""

    def begin(self) -> None:
        """The app's loop runs: what came before it can be acted on."""
        self._loop = asyncio.get_running_loop()
        self._obey()

    @property
    def unheeded(self) -> list[int]:
        """Signals that came too late for the app: nothing has followed from them."""
        return [number for number in self._told[self._obeyed :] if number is not None]

    def ask(self) -> None:
        """Leave; with a live run that could be controlled, ask what becomes of it."""
        source = self._context.source
        if source is None or not self._context.is_live or Stop not in source.capabilities.commands or self._stopping:
            self.now()
            return
        run = _name(source.history)
        paused = self._context.is_paused
        from tui_trainer.ui.dialogs import leaving, leaving_view

        question = (
            leaving(run, self._context.can_detach, paused=paused)
            if self._context.is_ours
            else leaving_view(paused=paused)
        )

        def answered(answer: str | None) -> None:
            if answer == "keep":
                self._detach()
            elif answer == "leave":
                self._app.exit(0)
            elif answer == "stop":
                self.stop("stopped", 0)

        self._app.push_screen(question, answered)

    def ask_of_comparison(self, queue: Queue, *, paused: bool) -> None:
        """Ask what becomes of a comparison that trains here, or stands still.

        Args:
            queue: what trains it.
            paused: whether it stands still.
        """
        from tui_trainer.ui.dialogs import leaving

        of = say("question.the_comparison")
        question = leaving(of, self._context.can_detach, "compare SESSION", "stop SESSION", paused=paused)

        def answered(answer: str | None) -> None:
            if answer == "keep":
                self._detach()
            elif answer == "stop":
                queue.stop()
                self._app.exit(0)

        self._app.push_screen(question, answered)

    def _detach(self) -> None:
        self.detached = True
        self._app.exit(0)

    def stop(self, reason: str, exit_code: int, by: str = "") -> None:
        """End the run, and leave as soon as it has ended."""
        live = back_to_run(self._app)
        if live is None or not self._context.is_live:
            self.now()
            return
        refusal = live.control.stop(reason, exit_code, by)
        if refusal is not None:
            live.say(refusal.text, "warning")
            return
        self._at_end = self._stopping = True
        live.say(say("question.stopping"))
        self._context.clock.hurry()

    def follow_up(self) -> None:
        """The run on show has ended: leave, if that is what it takes."""
        if self._at_end:
            self.now()

    def now(self) -> None:
        """Leave. The exit code is the run's, if it has ended."""
        source = self._context.source
        ended = source.history.ended if source is not None else None
        self._app.exit(ended.exit_code if ended is not None else 0)

    def told(self, signal_number: int | None) -> None:
        """A signal came, or there is no screen any more (None). From any thread, and from signal handlers."""
        self._told.append(signal_number)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._app.call_later, self._obey)

    def _obey(self) -> None:
        # What the person has left to train on is whoever's who sees to it without a screen, and so is what it is told.
        while self._obeyed < len(self._told) and not self.detached:
            number = self._told[self._obeyed]
            self._obeyed += 1
            if number is None:
                self.hung_up = not self._is_broken()
                self._app.exit(0 if self.hung_up else 1)
                continue
            is_first, self._obeyed_a_signal = not self._obeyed_a_signal, True
            if self._context.is_live and self._context.on_signal is not None:
                self._pass_on(number, is_first=is_first)
            elif not is_first or not self._context.is_live or not self._context.trains_here:
                self._app.exit(128 + number)
            else:  # with the terminal gone, too: it is stopped, though nobody looks any more
                self.stop(f"stopped by {signal.Signals(number).name}", 128 + number, by="signal")

    def _pass_on(self, number: int, *, is_first: bool) -> None:
        """The signal means a command that is watched: it does what it does at that, and ends, or does not."""
        assert self._context.on_signal is not None
        self._context.on_signal(number)
        if is_first:
            self._at_end = True
            self._context.say(say("command.signal_passed_on", signal=signal.Signals(number).name))
        else:
            self._app.exit(128 + number)


def _name(history: History) -> str:
    """What a run is asked about as: its preset, or the command that it watches."""
    if history.program is not None:
        return cut(command_in_short(history.program.command), LONGEST_COMMAND) or say("question.the_run")
    preset = history.recipe.preset if history.recipe is not None else ""
    return preset or say("question.the_run")


LONGEST_COMMAND = 100
"""Cells of a command in a question."""
