"""What Textual keeps to itself and this program needs: its private names stand here, and in no other file.

`tests/test_private_names.py` names each of them, so that a version of Textual without one fails there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, TypeVar

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_trainer.ui.terminal.shown_cells import ShownCells

if TYPE_CHECKING:
    import asyncio

    from rich.console import Console, RenderableType
    from rich.segment import Segment
    from textual.geometry import Size
    from textual.screen import Screen
    from textual.strip import Strip

__all__ = ["OpenDriver", "SparingApp", "XTermParser", "exception_of", "strips_of"]

Result = TypeVar("Result")


class OpenDriver(LinuxDriver):
    """Textual's driver for Linux and macOS, with public names for what a driver of one's own has to know and change."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cells = ShownCells()
        """What the terminal shows."""

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


class SparingApp(App[Result]):
    """An app that writes to its terminal only what is not shown there yet: over a slow link, each byte counts."""

    _shown_screen: Screen[Any] | None = None
    """The screen that was drawn last. Where it is another one, all is written: what other programs left there goes."""
    _shown_size: Size | None = None
    """What it was laid out for. Of what was drawn for more room than a terminal still had, the ends of lines have piled
    up in its last column."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, ChopsUpdate | LayoutUpdate) and isinstance(self._driver, OpenDriver):
            size = renderable.region.size if isinstance(renderable, LayoutUpdate) else self._shown_size
            if screen is not self._shown_screen or size != self._shown_size:
                self._shown_screen, self._shown_size = screen, size
                self._driver.cells.forget()
            super()._display(screen, _Changes(renderable, self._driver.cells))  # type: ignore[arg-type]
        else:
            super()._display(screen, renderable)


class _Changes(CompositorUpdate):
    """What of an update is not shown yet."""

    def __init__(self, update: ChopsUpdate | LayoutUpdate, cells: ShownCells) -> None:
        self._update = update
        self._cells = cells

    def render_segments(self, console: Console) -> str:
        colors = console.color_system
        has = ColorSystem[{"standard": "STANDARD", "256": "EIGHT_BIT"}.get(colors or "", "TRUECOLOR")]
        update = self._update
        return self._cells.changes(_chops(update) if isinstance(update, ChopsUpdate) else _lines(update), has)


def _lines(update: LayoutUpdate) -> Iterator[tuple[int, int, Iterator[Segment]]]:
    """Its pieces: line and column where each begins, and what stands there."""
    for line, strips in enumerate(update.strips, update.region.y):
        yield line, update.region.x, (segment for strip in strips for segment in strip)


def _chops(update: ChopsUpdate) -> Iterator[tuple[int, int, Iterator[Segment]]]:
    """The same of an update of some places: strips that lie within one of its spans, or up to where that ends."""
    for line, begins, ends in update.spans:
        for end, (column, strip) in zip(update.chop_ends[line], update.chops[line].items(), strict=False):
            if strip is not None and column <= ends and end > begins:
                is_within = begins <= column < ends and end <= ends
                yield line, column, iter(strip if is_within else strip.crop(0, min(end, ends) - column))


def exception_of(app: App[Any]) -> Exception | None:
    """What ended the app, if an error did."""
    return app._exception


def strips_of(screen: Screen[Any]) -> list[Strip]:
    """The lines of a screen, of all that is on it, from the top."""
    return screen._compositor.render_strips()
