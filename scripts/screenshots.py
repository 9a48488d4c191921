"""Make the screenshots of the README from the real app, on a real run.

    python scripts/screenshots.py            # trains for some seconds, then writes docs/*.svg

Each is what the app shows at that size, exported by Textual.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from tui_trainer import presets
from tui_trainer.hosts import LocalLauncher, ThreadHost
from tui_trainer.spec import RunSpec
from tui_trainer.ui.app import TrainerApp

DOCS = Path(__file__).parent.parent / "docs"

Shot = Callable[[Pilot[int], ThreadHost], Awaitable[None]]


async def live(pilot: Pilot[int], host: ThreadHost) -> None:
    """In the middle of the run."""
    while host.history.epoch < 7 or host.history.batch < 30:
        await pilot.pause(0.05)


async def slow_motion(pilot: Pilot[int], host: ThreadHost) -> None:
    """A call being followed by eye."""
    while host.history.epoch < 3:
        await pilot.pause(0.05)
    await pilot.press("s")
    while not (host.history.followed and host.history.followed[-1].call == "scheduler.step"):
        await pilot.pause(0.05)
    await pilot.pause(0.5)


async def picker(pilot: Pilot[int], host: ThreadHost) -> None:
    """The presets, over the run."""
    while host.history.epoch < 2:
        await pilot.pause(0.05)
    await pilot.press("p")
    await pilot.press("down", "down")
    await pilot.pause(1.0)


async def shoot(name: str, preset: str, size: tuple[int, int], until: Shot) -> None:
    """Train, wait for the moment, and write what the screen shows."""
    with tempfile.TemporaryDirectory() as runs:
        launcher = LocalLauncher(Path(runs), ["tui-trainer", "launch", "--preset", preset])
        spec = RunSpec.of(preset, presets.load(preset))
        host = launcher.start(spec)
        app = TrainerApp(launcher, host, spec, on_shown=launcher.go, on_detach=lambda: None)
        async with app.run_test(size=size) as pilot:
            await until(pilot, host)
            svg = app.export_screenshot(title=f"tui-trainer launch --preset {preset}")
            await app.action_quit()
        (DOCS / f"{name}.svg").write_text(svg)
        print(DOCS / f"{name}.svg")
        from tui_trainer.commands import Stop

        launcher.runs[-1].control.send(Stop(by="screenshot"))
        launcher.runs[-1].wait()


async def main() -> None:
    DOCS.mkdir(exist_ok=True)
    await shoot("live", "onecycle", (140, 40), live)
    await shoot("slow-motion", "onecycle", (120, 36), slow_motion)
    await shoot("small", "plateau", (80, 24), live)
    await shoot("presets", "onecycle", (140, 40), picker)


if __name__ == "__main__":
    asyncio.run(main())
