"""Textual's driver, on the terminal that is kept for it: it outlives whatever is typed, and what a shell does. What a
terminal sends: text, and Textual's messages of keys, mouse and sizes; what is none of these is left out."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.geometry import Size
from textual.message import Message

from tui_trainer.ui.terminal.job_control import stop_job, wait_until_in_front
from tui_trainer.ui.terminal.textual_internals import OpenDriver, XTermParser

if TYPE_CHECKING:
    from tui_trainer.ui.terminal.terminal import Terminal

_OLD_MOUSE = re.compile(rb"\x1b\[M(.)(.)(.)", re.DOTALL)
_BEGUN = re.compile(rb"\x1b\[M.{0,2}\Z", re.DOTALL)
_OFFSET = 32
"""What the oldest way of mouse reports adds to each number, to make a character of it."""

_RELEASED = 3
"""Of no button in particular, where the bits of a wheel and of a move are not set."""


class Typed:
    """Text out of bytes that come in pieces. Bytes that are no UTF-8 are left out.

    A report of the mouse in its oldest form (X10), where any byte may be part of it, becomes one in the form that is
    all digits (SGR): else it would be taken for keys.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._begun = b""
        """The start of a mouse report."""

    def text(self, data: bytes) -> str:
        """What `data` adds to the text."""
        data = _OLD_MOUSE.sub(_with_digits, self._begun + data)
        begun = _BEGUN.search(data)
        self._begun = begun[0] if begun else b""
        return self._decode(data.removesuffix(self._begun)).replace("\ufffd", "")


def _with_digits(report: re.Match[bytes]) -> bytes:
    button, column, line = (max(0, piece[0] - _OFFSET) for piece in report.groups())
    if button & 0b1110_0011 == _RELEASED:
        return b"\x1b[<%d;%d;%dm" % (button & ~_RELEASED, column, line)
    return b"\x1b[<%d;%d;%dM" % (button, column, line)


class Understood:
    """Messages out of bytes that come in pieces, however they are cut."""

    def __init__(self, debug: bool = False) -> None:
        self._typed = Typed()
        self._debug = debug
        self._parser = XTermParser(debug)

    def messages(self, data: bytes) -> list[Message]:
        """What `data` adds; without any, what an escape was by itself, once it has been alone for long enough.

        Where something follows at once, a pause was not the terminal's but ours, on a busy machine: nothing is cut
        off by it.
        """
        found: list[Message] = []
        for character in self._typed.text(data):
            try:
                found.extend(self._parser.feed(character))
            except Exception:  # Textual's parser trusts numbers that a terminal sends
                self._parser = self._anew()
        if not data:
            found.extend(self._parser.tick())
        return found

    def _anew(self) -> XTermParser:
        """A parser that has begun nothing, and knows what the other one did of the mouse, where that made sense."""
        before, parser = self._parser, XTermParser(self._debug)
        if all((*(before.terminal_size or ()), *(before.terminal_pixel_size or ()))):
            parser.mouse_pixels = before.mouse_pixels
            parser.terminal_size, parser.terminal_pixel_size = before.terminal_size, before.terminal_pixel_size
        return parser


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
            self.cells.forget()
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
        self.cells.forget()
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
            self.cells.forget()
            columns, lines = message.size
            if not (0 < columns <= MOST[0] and 0 < lines <= MOST[1]):
                size = Size(*self.terminal_size())
                message = events.Resize(size, size)
        super().process_message(message)


def driver_of(terminal: Terminal) -> type[TerminalDriver]:
    """The driver for this terminal and no other: Textual takes a class, and makes the driver itself."""
    return type("DriverOfOneTerminal", (TerminalDriver,), {"terminal": terminal})
