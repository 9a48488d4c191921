"""Textual's `Pilot`, which waits until nothing is left to do, and no longer.

Its own waits until the process computes little for 20 ms: too short where the machine is busy, and most of what a test
of the screen takes where it is not.

And screens that are painted where a test looks at them alone: an app without a terminal throws away what it has
painted, a third of what such a test takes. What a widget computes to be painted it computes all the same.

And style sheets that are parsed once, and not by each app anew.
"""

from __future__ import annotations

import asyncio
from collections import deque

from textual import app, pilot
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.pilot import Pilot
from textual.screen import Screen

PAINT = Compositor.render_update
"""What paints, for tests of what that takes, and of what lies below a dialog."""

MOST_FRAMES = 100
"""Of one pause: a screen that has itself drawn again with each is never done."""


def install() -> None:
    """Have all pilots wait like this, and no app paint for nobody."""
    app.wait_for_idle = pilot.wait_for_idle = _until_idle  # type: ignore[attr-defined]
    Pilot._wait_for_screen = _until_drawn  # type: ignore[assignment, method-assign]
    Compositor.render_update = _unpainted  # type: ignore[method-assign]
    Stylesheet._parse_rules = _parsed_once  # type: ignore[method-assign]


async def _until_idle(_: float = 0.0) -> None:
    """Return when nothing could go on in this loop but by a timer, a thread or a file."""
    ready: deque[object] = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # this goes on as the last that was ready: what is there now was added meanwhile
        await asyncio.sleep(0)


async def _until_drawn(self: Pilot[object], timeout: float = 0.0) -> bool:
    """Return when all messages are processed and what they changed is drawn; whether the app is still well."""
    await _until_idle()
    for _ in range(MOST_FRAMES):
        if self.app._resize_event is not None:
            self.app._check_resize()  # else it waits whether another size follows
        elif self.app.screen_stack and _wants_to_be_drawn(self.app.screen):
            self.app.screen._on_timer_update()
        else:
            break
        await _until_idle()
    return not self.app._exception_event.is_set()


def _wants_to_be_drawn(screen: Screen[object]) -> bool:
    return bool(
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _unpainted(self: Compositor, *_: object, **__: object) -> None:
    """What has changed is done with; `render_strips`, which is what looks at a screen, does without it."""
    self._dirty_regions.clear()


_PARSE = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _parsed_once(
    self: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """The rules of a style sheet, which an app does not change once they are parsed."""
    key = (css, read_from, is_default_rules, tie_breaker, scope, *sorted(self._variables.items()))
    if key not in _parsed:
        _parsed[key] = _PARSE(self, css, read_from, is_default_rules, tie_breaker, scope)
    return _parsed[key]
