"""The curves of all presets, laid over each other: what a drawing has to look at is what changed since the last one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import MANY, Canvas, Glyph, GlyphRun
from tui_trainer.plotting.curves import Span
from tui_trainer.text.short_names import short_names
from tui_trainer.ui.charts.chart import Frame
from tui_trainer.ui.compare.lines import Fitted, Lines

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group

STYLES = ("band", "band", "train", "run")
"""Of bands, of lines beside the mean, of fainter lines, and of lines; the first ones lie undermost."""


class LaidCurves:
    """As they are fitted; those of the chosen preset on top.

    Of many presets its lines are drawn once more over all others: who goes from one to the next has nothing else drawn
    anew.
    """

    def __init__(self) -> None:
        self._groups: Sequence[Group] = ()
        self._numbered: dict[int, Group] = {}
        self._chosen = 0
        self._fitted: dict[Group, Fitted] = {}
        self._names: dict[Group, str] = {}
        """What stands at the ends of the lines."""
        self._short: tuple[int, dict[str, str]] | None = None
        """The same in so many cells."""
        self._ending: dict[Group, None] = {}
        """Those whose lines have an end that is in sight."""
        self._curves: dict[str, list[Span | None]] | None = None
        """In their order; None where that is to be found."""
        self._changed: dict[str, None] | None = None
        """Curves that are others than the canvas knows; None: all of them."""
        self._over: dict[str, list[Span | None]] = {}
        self._styles_of_all: dict[str, str] = {}
        self._glyphs: list[Glyph] | None = None
        self._canvas: Canvas | None = None
        self.styles: dict[str, str] = {}
        """Those of the curves."""

    def put_in_order(self, groups: Sequence[Group]) -> None:
        """These are drawn, in this order."""
        self._groups, self._curves, self._glyphs = groups, None, None
        self._numbered = {group.number: group for group in groups}

    def choose(self, number: int) -> None:
        """That of the preset of this number lies on top."""
        if number != self._chosen:
            self._chosen, self._glyphs = number, None
            if self._curves is not None and len(self._curves) <= MANY:
                self._curves = None

    def put(self, group: Group, lines: Lines, fitted: Fitted) -> None:
        """What one looks like now."""
        before, self._fitted[group] = self._fitted.get(group), fitted
        if self._names.get(group) != lines.name:
            self._names[group], self._short = lines.name, None
        if fitted.ends_at is not None:
            self._ending[group] = None
        else:
            self._ending.pop(group, None)
        if before is None or (before.beyond, before.marks) != (fitted.beyond, fitted.marks):
            self._glyphs = None
        if before is None or _names(before) != _names(fitted):
            self._curves = None
        elif self._curves is not None:
            for curves in fitted.curves:
                for name, dots in curves:
                    if self._curves[name] is not dots:
                        self._curves[name] = dots
                        if self._changed is not None:
                            self._changed[name] = None

    def keep(self, groups: Collection[Group]) -> None:
        """Forget all others."""
        if len(groups) != len(self._fitted):
            for group in [group for group in self._fitted if group not in groups]:
                del self._fitted[group], self._names[group]
                self._ending.pop(group, None)
            self._curves = self._glyphs = self._short = None

    def draw(self, canvas: Canvas, frame: Frame, until: float) -> bool:
        """Have the canvas draw what changed, until this thread has computed so long; whether that was all."""
        if canvas is not self._canvas:
            self._canvas, self._changed = canvas, None
        if self._curves is None:
            self._lay()
        assert self._curves is not None
        over = self._lines_on_top() if len(self._curves) > MANY else {}
        if [*over] != [*self._over] or not self.styles:
            self.styles = {**self._styles_of_all, **dict.fromkeys(over, f"run{self._chosen_colour}")}
            self.styles |= {name: f"train{self._chosen_colour}" for name in over if name.startswith("train ")}
        self._over = over
        changed, self._changed = self._changed, {}
        return canvas.draw(self._curves, frame.width, frame.height, over=over, changed=changed, until=until)

    def _lay(self) -> None:
        """Put them in their order, the chosen one's of each kind last where there are few."""
        there = [(group, self._fitted[group]) for group in self._groups if group in self._fitted]
        many = sum(len(curves) for _, fitted in there for curves in fitted.curves) > MANY
        if not many:
            there.sort(key=lambda each: each[0].number == self._chosen)
        self._curves, self.styles, self._styles_of_all, self._changed = {}, {}, {}, None
        for number, style in enumerate(STYLES):
            for group, fitted in there:
                for name, dots in fitted.curves[number]:
                    self._curves[name], self._styles_of_all[name] = dots, f"{style}{group.colour}"

    @property
    def _top(self) -> Group | None:
        top = self._numbered.get(self._chosen)
        return top if top in self._fitted else None

    @property
    def _chosen_colour(self) -> int:
        top = self._top
        return top.colour if top is not None else 0

    def _lines_on_top(self) -> dict[str, list[Span | None]]:
        top = self._top
        if top is None:
            return {}
        found = {}
        for curves in self._fitted[top].curves[1:]:
            for name, dots in curves:
                kind, _, rest = name.partition(" ")
                found[f"{kind} over {rest}"] = dots
        return found

    @property
    def glyphs(self) -> list[Glyph]:
        """Marks over the curves, one a cell: those of the chosen preset, else of the last that has any there."""
        if self._glyphs is None:
            cells: dict[tuple[int, int], Glyph] = {}
            there = [self._fitted[group] for group in self._in_order() if group in self._fitted]
            for fitted in there:
                cells.update(((glyph.row, glyph.column), glyph) for glyph in fitted.beyond)
            for fitted in there:
                cells.update(((glyph.row, glyph.column), glyph) for glyph in fitted.marks)
            self._glyphs = [*cells.values()]
        return self._glyphs

    def _in_order(self) -> list[Group]:
        return sorted(self._groups, key=lambda group: group.number == self._chosen)

    @property
    def ending(self) -> int:
        """How many lines end in sight."""
        return len(self._ending)

    def names(self, frame: Frame) -> list[tuple[float, GlyphRun]]:
        """Names by the rows at which their lines end, as many as have room: the chosen one's is the last to go."""
        top = self._top
        shown = [top] if top in self._ending else []
        for group in reversed(self._groups):
            if len(shown) >= max(1, frame.height):
                break
            if group in self._ending and group is not top:
                shown.append(group)
        if self._short is None or self._short[0] != frame.right:
            names = [*self._names.values()]
            self._short = frame.right, dict(zip(names, short_names(names, frame.right), strict=True))
        found = []
        for group in shown:
            at = self._fitted[group].ends_at
            if at is not None:
                found.append((at, GlyphRun(self._short[1][self._names[group]], f"run{group.colour}")))
        return found


def _names(fitted: Fitted) -> list[list[str]]:
    return [[name for name, _ in curves] for curves in fitted.curves]
