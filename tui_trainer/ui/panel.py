"""Text that changes often and costs little: lines in a few roles, of which only the cells that changed are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple, TypeAlias

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui_trainer.ui.keys import KeyContext
from tui_trainer.ui.theme import ROLES, Role, role_style


class Span(NamedTuple):
    """A piece of a line. A click on it runs `action`, if it has one."""

    text: str
    role: str = ""
    """Of the panel's `roles`; empty for plain text; where a colour means a number, that: `#rrggbb`, or
    `#rrggbb on #rrggbb`."""
    action: str = ""


Line: TypeAlias = tuple[Span, ...]

BLANK: Line = ()


def width_of(line: Iterable[Span]) -> int:
    """Cells that a line takes."""
    return sum(cell_len(span.text) for span in line)


def justified(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """`left` and `right` at the two ends of a line."""
    gap = width - width_of(left) - width_of(right)
    return (*left, Span(" " * max(1, gap)), *right)


class Panel(Widget):
    """Shows what `lines()` gives. Nothing here is laid out: its size is the style sheet's."""

    place: ClassVar[KeyContext | None] = None
    """Whose keys, of the table in `keys`, are of use here: the help page lists them first where it has the focus."""

    roles: ClassVar[Mapping[str, Role]] = ROLES
    """What its text may look like."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: list[Line] = []
        self._strips: list[Strip] = []
        self._styles_by_role: dict[tuple[str, str], Style] = {}
        self._hidden = self._soon = False
        self._fits: Size | None = None
        """The size that the strips were made for."""
        self._styled_by: tuple[Style, Mapping[str, str]] | None = None
        """What all styles follow from: the widget's own, and the theme's colours."""

    def lines(self) -> Sequence[Line]:
        """The lines to show, for the size at hand; those that do not fit are left out."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Ask for the lines anew, and send what differs."""
        if changed := self._draw():
            self.refresh(*changed)

    def redraw_soon(self) -> None:
        """The same in a step of its own: where several panels are drawn anew, keys are answered between them."""
        if not self._soon:
            self._soon = True
            self.call_later(self._redraw_now)

    def redraw_in_turn(self) -> None:
        """The same once all others that are ready had their turn: messages of one widget follow each other without."""
        if not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self.call_later, self._redraw_now)

    def _redraw_now(self) -> None:
        self._soon = False
        self.redraw()

    def _draw(self) -> list[Region]:
        """Ask for the lines anew; the cells that differ."""
        width, height = self.size
        if self._hidden or not width or not height:
            return []
        drawn = [tuple(line) for line in self.lines()[:height]]
        drawn.extend([BLANK] * (height - len(drawn)))
        changed: list[Region] = []
        for y, line in enumerate(drawn):
            old = self._drawn[y] if y < len(self._drawn) else None
            if old == line and y < len(self._strips):
                continue
            strip = self._strip(line, width)
            if y < len(self._strips):
                first, last = _difference(old or BLANK, line, width)
                changed.append(Region(first, y, last - first, 1))
                self._strips[y] = strip
            else:
                changed.append(Region(0, y, width, 1))
                self._strips.append(strip)
        self._drawn = drawn
        del self._strips[height:]
        self._fits = self.size
        return changed

    def forget(self) -> None:
        """Draw all of it anew at the next chance."""
        self._drawn.clear()
        self._strips.clear()
        self._styles_by_role.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line, as last drawn; the first paint of all comes before Textual tells of the size."""
        if self._fits is None:
            self._draw()
        if y >= len(self._strips):
            return Strip.blank(self.size.width, self._style("", ""))
        strip, selection = self._strips[y], self.text_selection
        return strip if selection is None else _selected(strip, selection.get_span(y), self._selection_style())

    def plain(self) -> list[str]:
        """The lines on show, as text."""
        return ["".join(span.text for span in line) for line in self._drawn]

    def copied(self) -> str:
        """What is copied of it where nothing is selected: its text."""
        return "\n".join(line.rstrip() for line in self.plain()).strip("\n")

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text between two cells, without the blanks at the ends of lines."""
        lines: list[str] = []
        for y, strip in enumerate(self._strips):
            if (span := selection.get_span(y)) is not None:
                start, end = _within(strip, span)
                lines.append("".join(segment.text for segment in strip.crop(start, end)).rstrip())
        return "\n".join(lines), "\n"

    def _selection_style(self) -> Style:
        return self.screen.get_component_rich_style("screen--selection")

    def on_resize(self) -> None:
        if self._fits != self.size:
            self.forget()
            self.redraw()

    def on_hide(self) -> None:
        self._hidden = True

    def on_show(self) -> None:
        self._hidden = False
        self.redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self.call_next(self._restyle)  # the styles of what it stands in come after this

    def _restyle(self) -> None:
        styled_by = self.rich_style, self.app.theme_variables
        if styled_by != self._styled_by:  # it comes here for each class that anything takes on
            self._styled_by = styled_by
            self.forget()
        self.redraw()

    def _strip(self, line: Line, width: int) -> Strip:
        segments = [Segment(span.text, self._style(span.role, span.action)) for span in line if span.text]
        return Strip(segments).adjust_cell_length(width, self._style("", ""))

    def _style(self, role: str, action: str) -> Style:
        if (style := self._styles_by_role.get((role, action))) is None:
            if not role:
                style = self.rich_style
            elif " on " in role:  # as it is: of what is no picture its maker sees to it that it can be read
                style = self._style("", "") + Style.parse(role)
            elif role.startswith("#"):
                style = role_style(Role(role), self._style("", ""), self.app.theme_variables)
            else:
                style = role_style(self.roles[role], self._style("", ""), self.app.theme_variables)
            if action:
                style += Style(meta={"@click": action})
            self._styles_by_role[role, action] = style
        return style


class Lines(Panel):
    """Lines that whoever holds it makes; it is as high as these."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these."""
        self._lines = lines
        self.styles.height = len(lines)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        return self._lines


def _within(strip: Strip, span: tuple[int, int]) -> tuple[int, int]:
    """A span whose end may be -1, for the end of the line."""
    start, end = span
    return start, strip.cell_length if end < 0 else min(end, strip.cell_length)


def _selected(strip: Strip, span: tuple[int, int] | None, style: Style) -> Strip:
    if span is None:
        return strip
    start, end = _within(strip, span)
    if start >= end:
        return strip
    return Strip.join([strip.crop(0, start), strip.crop(start, end).apply_style(style), strip.crop(end)])


def _difference(old: Line, new: Line, width: int) -> tuple[int, int]:
    """The cells, from first to one past the last, in which two lines differ."""
    ahead = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        ahead += 1
    behind = 0
    for one, other in zip(reversed(old[ahead:]), reversed(new[ahead:]), strict=False):
        if one != other:
            break
        behind += 1
    first = width_of(new[:ahead])
    between = width_of(new[ahead : len(new) - behind])
    last = first + between if width_of(old[ahead : len(old) - behind]) == between else width
    first = min(first, width - 1)
    return first, max(min(last, width), first + 1)
