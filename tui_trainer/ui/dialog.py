"""What stands over a screen that shows through, dimmed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, ScreenResultType
from textual.strip import Strip
from textual.visual import RenderOptions, Visual

from tui_trainer.ui.terminal.textual_internals import strips_of

if TYPE_CHECKING:
    from textual.css.styles import RulesMap
    from textual.screen import Screen
    from textual.style import Style as VisualStyle


class Dialog(ModalScreen[ScreenResultType]):
    """A question, a form or a page over the screen from which it was asked for."""

    def render(self) -> RenderableType | Visual:  # type: ignore[override]  # any widget may give a `Visual`
        shown = super().render()
        return Dimmed(shown.screen, shown.color) if isinstance(shown, BackgroundScreen) else shown


class Dimmed(Visual):
    """The screen below. As Textual's own, in a third of its time: each of some dozens of styles is dimmed once, and
    the lines are taken as they are.

    Args:
        screen: what shows through.
        over: what lies on it, in part transparent.
    """

    def __init__(self, screen: Screen[object], over: Color) -> None:
        self._screen, self._over = screen, over

    def render_strips(self, width: int, height: int | None, style: VisualStyle, options: RenderOptions) -> list[Strip]:
        over = self._over
        return [
            Strip([Segment(text, _dimmed(own, over)) for text, own, _ in strip], strip.cell_length)
            for strip in strips_of(self._screen)[:height]
        ]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        return self._screen.size.width

    def get_height(self, rules: RulesMap, width: int) -> int:
        return self._screen.size.height


@lru_cache(1024)
def _dimmed(style: Style | None, over: Color) -> Style | None:
    """As Textual dims one, without what a click on it would do."""
    (segment,) = BackgroundScreen.process_segments([Segment("", style)], over)
    return segment.style
