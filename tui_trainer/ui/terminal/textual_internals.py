"""What Textual keeps to itself and this program needs: its private names stand here, and in no other file.

`tests/test_private_names.py` names each of them, so that a version of Textual without one fails there.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    import asyncio

    from textual.app import App

__all__ = ["OpenDriver", "XTermParser", "exception_of"]


class OpenDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, with public names for what a driver of one's own has to know and change."""

    @property
    def shown_app(self) -> App[Any]:
        """The app that this driver draws."""
        return self._app

    @property
    def app_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the app runs on."""
        return self._loop

    @property
    def is_debugged(self) -> bool:
        """Whether the parser of what is typed logs what it sees."""
        return self._debug

    @property
    def is_writing(self) -> bool:
        """Whether the terminal is the app's now: what is written then reaches it, in a thread."""
        return self._writer_thread is not None

    @property
    def comes_back(self) -> bool:
        """Whether the app is drawn again after a stop, which it is not while `App.suspend` lends the terminal."""
        return self._auto_restart

    @property
    def terminal_reports_sizes(self) -> bool:
        """Whether the terminal tells of a new size among the keys, so that SIGWINCH has nothing to add."""
        return self._in_band_window_resize

    def write_to(self, file: IO[str]) -> None:
        """Have all that is drawn written to `file`; before the app is drawn for the first time."""
        self._file = file  # type: ignore[assignment]

    def forget_writer(self) -> None:
        """The thread that wrote has ended: `is_writing` is false, and Textual begins another when it draws again."""
        self._writer_thread = None

    def forget_size_reports(self) -> None:
        """Whoever had the terminal may have turned reports of its size off: Textual asks for them again."""
        self._in_band_window_resize = False

    def terminal_size(self) -> tuple[int, int]:
        """Columns and lines of the terminal. A driver may measure in its own way."""
        return super()._get_terminal_size()

    def read_input(self) -> None:
        """All of the thread that reads what is typed. A driver may catch what it raises."""
        super()._run_input_thread()

    # What Textual calls by a private name

    def _get_terminal_size(self) -> tuple[int, int]:
        return self.terminal_size()

    def _run_input_thread(self) -> None:
        self.read_input()


def exception_of(app: App[Any]) -> Exception | None:
    """What ended the app, if an error did."""
    return app._exception
