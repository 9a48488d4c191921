"""The app on a run made up by the test, and a folder of the user's own presets that is the test's."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from tests.ui.scripted_source import ScriptedHost, ScriptedLauncher
from tests.waiting import PATIENCE_S
from tui_trainer.compare.comparison import Comparison
from tui_trainer.events import AnyEvent, StepsTaken
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.frame_clock import Budget


@pytest.fixture(autouse=True)
def own_presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own presets; it does not exist yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "config" / "tui-trainer" / "presets"


class Shown:
    """An app at work, driven frame by frame."""

    def __init__(self, app: TrainerApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def host(self) -> ScriptedHost:
        assert isinstance(self.app.context.source, ScriptedHost)
        return self.app.context.source

    @property
    def launcher(self) -> ScriptedLauncher:
        assert isinstance(self.app.context.launcher, ScriptedLauncher)
        return self.app.context.launcher

    async def frame(self, *events: AnyEvent) -> None:
        """These happen, and a frame is drawn."""
        if events or isinstance(self.app.context.source, ScriptedHost):
            self.host.come(*events)
        self.app.context.clock.tick()
        await self.settle()

    async def settle(self) -> None:
        """Wait until all is back that is done beside the screen, and shown; fails after so long."""
        deadline = time.monotonic() + PATIENCE_S
        await self.pilot.pause()
        while self.app.context.tasks.are_under_way or self.app.context.settings.outlasts is None:
            assert time.monotonic() < deadline, "something beside the screen does not come back"
            await self.pilot.pause(0.002)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Draw frames until it holds; fails after so long."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, self.text()
            await self.frame()

    async def press(self, *keys: str) -> None:
        """Keys, a frame after each."""
        for key in keys:
            await self.pilot.press(key)
            await self.frame()
            await self.pilot.pause()

    def text(self) -> str:
        """All that is on the screen, as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    def line(self, holding: str) -> str:
        """The first line on the screen that holds a text."""
        for line in self.text().splitlines():
            if holding in line:
                return line
        raise AssertionError(f"no line holds {holding!r}:\n{self.text()}")

    def the(self, kind: type[Widget]) -> Any:
        """The widget of a kind."""
        return self.app.screen.query_one(kind)


Show: TypeAlias = Callable[..., AbstractAsyncContextManager[Shown]]


@pytest.fixture
def show() -> Show:
    """Opens the app; with events on their run, without on the presets."""

    @asynccontextmanager
    async def opened(
        events: Iterable[AnyEvent] | ScriptedHost | None = None,
        *,
        size: tuple[int, int] = (140, 40),
        launcher: ScriptedLauncher | None = None,
        comparison: Comparison | None = None,
        **options: Any,
    ) -> AsyncIterator[Shown]:
        host = ScriptedHost(events) if events is not None and not isinstance(events, ScriptedHost) else events
        first = (comparison, None) if comparison is not None else None
        app = TrainerApp(AppContext(launcher=launcher or ScriptedLauncher(), source=host, **options), comparison=first)
        async with app.run_test(size=size) as pilot:
            shown = Shown(app, pilot)
            await shown.frame()
            await shown.frame()
            yield shown

    return opened


@pytest.fixture
def still_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the screen takes of the machine is told as the same at each look, for tests that compare looks."""
    monkeypatch.setattr(Budget, "share", 0.02)


def cut(events: Sequence[AnyEvent], step: int) -> list[AnyEvent]:
    """The events up to a step."""
    for index, event in enumerate(events):
        if isinstance(event, StepsTaken) and event.step + len(event.losses) - 1 >= step:
            return list(events[: index + 1])
    return list(events)
