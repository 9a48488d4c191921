"""A pause of a pilot lasts until an app has done all that follows from a key, and no longer."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

from textual.app import App, ComposeResult
from textual.widgets import Static

from tests.idle_pilot import MOST_FRAMES

LONG_S = 3600.0


class Chain(App[None]):
    """Each of its steps leads to the next, by another way each time."""

    BINDINGS = [("a", "begin")]

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("before")

    def action_begin(self) -> None:
        self.steps.append("key")
        self.call_later(self.message)

    def message(self) -> None:
        self.steps.append("message")
        self.set_timer(LONG_S, lambda: self.steps.append("timer"))
        self.query_one(Static).update("after")
        self.call_after_refresh(self.drawn)

    async def drawn(self) -> None:
        self.steps.append("drawn")
        await self.mount(Static("more"))
        self.call_after_refresh(self.steps.append, "mounted")


async def test_all_that_follows_is_done_and_drawn() -> None:
    app = Chain()
    async with app.run_test() as pilot:
        for done in range(1, 20):
            await pilot.press("a")
            assert app.steps == ["key", "message", "drawn", "mounted"] * done
            assert not app.screen._dirty_widgets
            assert app.screen.query(Static).last().size.height == 1


async def test_a_size_is_not_waited_with() -> None:
    app = Chain()
    async with app.run_test(size=(80, 24)) as pilot:
        for width in range(40, 60):
            await pilot.resize_terminal(width, 10)
            assert app.screen.query_one(Static).size.width == width


async def test_nothing_is_waited_for_by_the_clock() -> None:
    app = Chain()
    async with app.run_test() as pilot:
        loop = asyncio.get_running_loop()
        with patch.object(loop, "call_later", wraps=loop.call_later) as timers:
            await pilot.press("b")
            await pilot.pause()
        assert not timers.called


class Restless(App[None]):
    """Draws itself again as soon as it was drawn."""

    drawn = 0

    def draw(self) -> None:
        self.drawn += 1
        self.call_after_refresh(self.draw)
        self.screen.refresh()


async def test_a_screen_that_is_never_done_ends_the_pause_all_the_same() -> None:
    app = Restless()
    async with app.run_test() as pilot:
        app.draw()
        await pilot.pause()
        assert app.drawn > MOST_FRAMES
