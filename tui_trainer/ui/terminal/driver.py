"""Textual's driver, on the terminal that is kept for it: it outlives whatever is typed, and what a shell does."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.geometry import Size
from textual.message import Message

from tui_trainer.ui.terminal.input import Understood
from tui_trainer.ui.terminal.job_control import stop_job, wait_until_in_front
from tui_trainer.ui.terminal.textual_internals import OpenDriver

if TYPE_CHECKING:
    from tui_trainer.ui.terminal.terminal import Terminal

LOOK_EVERY_S = 0.1
"""Between looks whether the app has ended, while nothing is typed."""

READ_AT_ONCE = 4096

UNKNOWN_SIZE = 80, 24
MOST = 1000, 500
"""Columns and lines. A terminal that says it has more would cost memory for nothing that anybody sees."""


class TerminalDriver(OpenDriver):
    """Writes to, reads from and measures one terminal and no other.

    Nothing is drawn while another job is in front. A thread of it that dies ends the screen, and nothing else.
    """

    terminal: ClassVar[Terminal]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.write_to(self.terminal.screen)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        # On the loop: within a handler, what the main thread was about when the signal came may hold a lock.
        loop.add_signal_handler(signal.SIGTSTP, self._stopped)
        loop.add_signal_handler(signal.SIGCONT, self._continued)

    # Drawing

    def write(self, data: str) -> None:
        if self.is_writing:  # else nothing is to be seen now, and all is drawn anew later
            self.terminal.screen.handed += 1
            super().write(data)

    def start_application_mode(self) -> None:
        """Wait until the terminal is ours, and take it; again, where another job came in front just then."""
        while not self.is_writing:
            if not wait_until_in_front(self.fileno):
                self.terminal.hang_up()
            if self.terminal.is_gone:
                return
            self.terminal.is_drawn_on = True
            super().start_application_mode()  # type: ignore[no-untyped-call]
            # Textual's own handler may be interrupted by itself, and then tell the older size last.
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._resized)

    def close(self) -> None:
        """The last of what was drawn has been written."""
        super().close()
        self.forget_writer()
        self.terminal.is_drawn_on = self.terminal.screen.is_broken

    def terminal_size(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self.terminal.screen.fileno())
        except OSError:
            return UNKNOWN_SIZE
        columns, lines = size.columns or UNKNOWN_SIZE[0], size.lines or UNKNOWN_SIZE[1]
        return min(columns, MOST[0]), min(lines, MOST[1])

    def _resized(self) -> None:
        if not self.terminal_reports_sizes:
            size = Size(*self.terminal_size())
            self.shown_app.post_message(events.Resize(size, size))

    # The shell's jobs

    def _stopped(self) -> None:
        """Asked to stop (ctrl+z): give the terminal back first, and take it again after."""
        if self.comes_back:
            self.suspend_application_mode()
        stop_job()
        if self.comes_back:
            self._draw_again()

    def _continued(self) -> None:
        """Somebody stopped this process without asking, and goes on with it: the shell may have used the terminal."""
        if self.comes_back and self.is_writing:
            self.suspend_application_mode()
            self._draw_again()

    def _draw_again(self) -> None:
        self.forget_size_reports()
        self.resume_application_mode()
        self.shown_app.refresh(layout=True)

    # What is typed

    def read_input(self) -> None:
        try:
            self.run_input_thread()
        except BaseException as error:
            if not self.app_loop.is_closed():
                self.terminal.fail(error)

    def run_input_thread(self) -> None:
        """Hand on what is typed until the app ends. What cannot be understood is left out."""
        understood = Understood(self.is_debugged)
        while not self.exit_event.is_set():
            data = b""
            if select.select([self.fileno], [], [], LOOK_EVERY_S)[0]:
                try:
                    data = os.read(self.fileno, READ_AT_ONCE)
                except OSError:
                    self.terminal.hang_up()
                    return
                if not data:  # a closed terminal, which others see to; or ctrl+d, where somebody changed the modes
                    self.exit_event.wait(LOOK_EVERY_S)
            for message in understood.messages(data):
                self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Resize):
            columns, lines = message.size
            if not (0 < columns <= MOST[0] and 0 < lines <= MOST[1]):
                size = Size(*self.terminal_size())
                message = events.Resize(size, size)
        super().process_message(message)


def driver_of(terminal: Terminal) -> type[TerminalDriver]:
    """The driver for this terminal and no other: Textual takes a class, and makes the driver itself."""
    return type("DriverOfOneTerminal", (TerminalDriver,), {"terminal": terminal})
