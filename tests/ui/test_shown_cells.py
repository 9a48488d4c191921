"""What is written to a terminal is only what it does not show yet, and leads to the same as all of it would."""

from __future__ import annotations

import os
import signal
import tracemalloc
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from tests.scripted_record import over
from tests.terminal import Terminal
from tui_trainer.ui.terminal.shown_cells import ShownCells
from tui_trainer.ui.terminal.textual_internals import OpenDriver, SparingApp

pytestmark = pytest.mark.slow

WIDE, HIGH = 24, 3

STYLES = [
    Style.null(),
    *(Style.parse(words) for words in ("#d5dae0 on #101418", "#4fc3b2 on #101418", "bold #d5dae0 on #101418")),
    *(Style.parse(words) for words in ("underline red", "dim", "reverse #4fc3b2", "italic strike on blue")),
]
GLYPHS = [*"  ab0⠓━┃", "猫", "é"]

glyphs = st.lists(st.sampled_from(GLYPHS), min_size=1, max_size=6).map("".join)
pieces = st.tuples(
    st.integers(0, HIGH - 1),
    st.integers(0, WIDE - 1),
    st.lists(st.tuples(glyphs, st.sampled_from(STYLES)), min_size=1, max_size=4),
)


def cells(segments: list[tuple[str, Style]]) -> list[tuple[str, Style]]:
    return [(each, style) for text, style in segments for glyph in text for each in (glyph, *[""] * (glyph == "猫"))]


def fits(piece: tuple[int, int, list[tuple[str, Style]]]) -> bool:
    _, column, segments = piece
    return column + len(cells(segments)) <= WIDE


class Both:
    """A terminal to which changes are written, and one to which all is written."""

    def __init__(self) -> None:
        self.shown = ShownCells()
        self.terminals = pyte.Screen(WIDE, HIGH), pyte.Screen(WIDE, HIGH)
        self._streams = [pyte.Stream(terminal) for terminal in self.terminals]

    def write(self, frame: list[tuple[int, int, list[tuple[str, Style]]]]) -> str:
        """A frame to both; what was written to the first."""
        told = [(line, column, [Segment(*segment) for segment in segments]) for line, column, segments in frame]
        changes = self.shown.changes(told, ColorSystem.TRUECOLOR)
        self._streams[0].feed(changes)
        for line, column, segments in frame:
            self._streams[1].feed(f"\x1b[{line + 1};{column + 1}H")
            for text, style in segments:
                self._streams[1].feed(style.render(text, color_system=ColorSystem.TRUECOLOR))
        return changes

    def seen(self, which: int) -> list[list[object]]:
        """What a person sees of each cell: of empty room its ground alone."""
        terminal = self.terminals[which]
        found: list[list[object]] = []
        for line in range(HIGH):
            row = (terminal.buffer[line][column] for column in range(WIDE))
            found.append([(cell.bg, cell.reverse) if self._is_empty(cell) else cell for cell in row])
        return found

    @staticmethod
    def _is_empty(cell: pyte.screens.Char) -> bool:
        return cell.data in (" ", "") and not (cell.underscore or cell.strikethrough or cell.reverse)


@given(st.lists(st.lists(pieces.filter(fits), min_size=1, max_size=5), min_size=1, max_size=8), st.data())
def test_a_terminal_that_is_told_changes_shows_what_one_shows_that_is_told_all(
    frames: list[list[tuple[int, int, list[tuple[str, Style]]]]], data: st.DataObject
) -> None:
    both = Both()
    blank = [(line, 0, [(" " * WIDE, STYLES[1])]) for line in range(HIGH)]
    both.write(blank)
    for frame in frames:
        whole: list[tuple[int, int, list[tuple[str, Style]]]] = []
        for piece in frame:
            if not cuts_a_wide_glyph(both, piece) and not any(overlap(piece, other) for other in whole):
                whole.append(piece)
        both.write(whole)
        assert both.seen(0) == both.seen(1)
        assert both.write(whole[-1:]) == ""
        if data.draw(st.booleans()):
            both.shown.forget()


def cuts_a_wide_glyph(both: Both, piece: tuple[int, int, list[tuple[str, Style]]]) -> bool:
    """Whether it begins or ends within one that is shown: whoever lays out a screen gives no such thing."""
    line, column, segments = piece
    row = both.terminals[1].buffer[line]
    end = column + len(cells(segments))
    return row[column].data == "" or (end < WIDE and row[end].data == "")


def overlap(one: tuple[int, int, list[tuple[str, Style]]], other: tuple[int, int, list[tuple[str, Style]]]) -> bool:
    """Whether both hold a cell: of one frame no two do."""
    (line, column, segments), (its_line, its_column, its_segments) = one, other
    return (
        line == its_line
        and column < its_column + len(cells(its_segments))
        and its_column < column + len(cells(segments))
    )


GROUND = Style.parse("#d5dae0 on #101418")


def test_of_a_clock_one_digit_is_written() -> None:
    shown = ShownCells()
    first = shown.changes([(0, 100, [Segment(" 0:00:08 ", GROUND)])], ColorSystem.TRUECOLOR)
    assert " 0:00:08 " in first
    assert shown.changes([(0, 100, [Segment(" 0:00:08 ", GROUND)])], ColorSystem.TRUECOLOR) == ""
    second = shown.changes([(0, 100, [Segment(" 0:00:09 ", GROUND)])], ColorSystem.TRUECOLOR)
    assert second == "\x1b[1;108H\x1b[38;2;213;218;224;48;2;16;20;24m9\x1b[0m"


def test_however_many_styles_there_are_each_has_its_look_and_few_are_remembered() -> None:
    shown = ShownCells()
    tracemalloc.start()
    for number in range(6_000):
        style = Style(color=f"rgb({number % 251},{number % 241},{number % 239})", meta={"at": number})
        assert "x" in shown.changes([(0, number % 50, [Segment("x", style)])], ColorSystem.TRUECOLOR)
    assert tracemalloc.get_traced_memory()[0] < 4_000_000
    tracemalloc.stop()


def test_after_it_was_cleared_all_is_written() -> None:
    shown = ShownCells()
    for _ in range(2):
        assert "abc" in shown.changes([(0, 0, [Segment("abc", GROUND)])], ColorSystem.TRUECOLOR)
        shown.forget()


@pytest.mark.parametrize(
    ("colors", "codes"),
    [(ColorSystem.TRUECOLOR, "38;2;255;0;0"), (ColorSystem.EIGHT_BIT, "38;5;196"), (ColorSystem.STANDARD, "\x1b[31m")],
)
def test_colors_are_those_that_the_terminal_has(colors: ColorSystem, codes: str) -> None:
    assert codes in ShownCells().changes([(0, 0, [Segment("x", Style.parse("#ff0000"))])], colors)


def test_what_was_written_in_pieces_is_what_a_screen_that_is_drawn_anew_shows(tmp_path: Path) -> None:
    """Keys change parts of it; whoever comes back from another job has all of it drawn."""
    over(tmp_path, name="this one")
    with Terminal("attach", "--runs-dir", str(tmp_path)) as terminal:
        terminal.until("finished")
        for key in ("y", "-", "\x1b[D", "0", "f"):
            terminal.press(key)
        terminal.press("7")
        terminal.until("epochs: hidden")
        terminal.press("7")
        terminal.until("train loss")
        terminal.press("?")
        terminal.until("esc closes")
        terminal.press("\x1b")
        terminal.until(lambda screen: "esc closes" not in screen and "c compare" in screen)
        before = terminal.screen
        size = len(terminal.text)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.until(lambda _: len(terminal.text) > size + 5000)
        terminal.until(lambda screen: screen == before)
        terminal.press("q")
        assert terminal.wait() == 0


def test_what_was_drawn_for_more_room_than_there_was_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that was laid out before the app knew of a narrower terminal piles up in its last column."""
    drawn: list[str] = []

    def display(_app: object, _screen: object, update: CompositorUpdate) -> None:
        drawn.append(update.render_segments(Console(color_system="truecolor")))

    monkeypatch.setattr(App, "_display", display)
    app: SparingApp[None] = SparingApp()
    app._driver = driver = OpenDriver.__new__(OpenDriver)
    driver.cells = ShownCells()
    screen: Screen[None] = Screen()
    for columns in (20, 20, 10, 10):
        app._display(screen, LayoutUpdate([[Strip([Segment("x" * columns, GROUND)])]], Region(0, 0, columns, 1)))
    assert [text.count("x") for text in drawn] == [20, 0, 10, 0]
