"""Make the pictures of the README and of `docs/` from the real app, on real runs.

    python scripts/screenshots.py            # trains for a minute, then writes docs/*.svg
    python scripts/screenshots.py run        # only the moving picture, docs/run.svg
    python scripts/screenshots.py metrics    # only docs/metrics*.svg: of a made record of two hundred series
    python scripts/screenshots.py watch examples/mnist    # only docs/watch.svg: of a clone of pytorch/examples
    python scripts/screenshots.py record outputs    # only docs/record*.svg: of what Hugging Face's trainer wrote there
    python scripts/screenshots.py records runs    # only docs/records*.svg: the list of what tools have recorded there

Each is what the app shows at that size, exported by Textual.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from animated_svg import animated
from textual.pilot import Pilot

from tui_trainer.commands import Stop
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.entries import joined
from tui_trainer.compare.session import Session
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import InProcessSource
from tui_trainer.run_sources.launcher import InProcessLauncher
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.runs.screen import RunsScreen
from tui_trainer.ui.trainer_screen import TrainerScreen

DOCS = Path(__file__).parent.parent / "docs"
WITH_ALL = {"on_detach": lambda: None, "on_compare": lambda _: None, "runs": Path("runs")}
"""What the app has where `launch` makes it, which its line of keys shows."""
THREE_LRS = ("g", "g", "space", *("right", "space") * 2)
METRICS: dict[str, tuple[tuple[int, int], tuple[str, ...]]] = {
    "metrics-small": ((80, 24), ("slash", *"loss", "enter")),
    "metrics": ((140, 40), (*THREE_LRS, *["left"] * 3, *["comma"] * 20)),
    "metrics-large": ((200, 60), ("slash", *"layers.3", "enter")),
}
"""Pictures of the page of metrics: their sizes, and what is pressed there."""
COMPARED = ("onecycle", "steplr", "plateau", "none")
BATCHES = 63  # of 64 images in an epoch of mnist-5k
SLOW_FROM, SLOW_CALLS = 9, 7  # the half epoch after which the moving picture is slow, and for how many calls

Until = Callable[[Pilot[int], InProcessSource], Awaitable[None]]


async def in_the_middle(pilot: Pilot[int], host: InProcessSource) -> None:
    """In the seventh of ten epochs."""
    while host.history.epoch < 7 or host.history.batch < 30:
        await pilot.pause(0.02)
    await pilot.pause(0.2)


async def followed(pilot: Pilot[int], host: InProcessSource) -> None:
    """In slow motion, as the optimizer has stepped."""
    while host.history.epoch < 3:
        await pilot.pause(0.02)
    await pilot.press("s")

    def stepped() -> bool:
        last = host.history.followed[-1] if host.history.followed else None
        return last is not None and last.call == "optimizer.step" and last.value is not None

    while not stepped():
        await pilot.pause(0.02)
    await pilot.pause(0.2)


async def among_presets(pilot: Pilot[int], host: InProcessSource) -> None:
    """The presets, over the run: the list opens at the run's own, `onecycle`, and the next is shown."""
    while host.history.epoch < 2:
        await pilot.pause(0.02)
    await pilot.press("p")
    await pilot.press("down")
    await pilot.pause(1.0)


async def shoot_run(runs: Path, name: str, preset: str, size: tuple[int, int], until: Until) -> None:
    """Train, wait for the moment, and write what the screen shows; the run is stopped."""
    launcher = InProcessLauncher(runs, ["tui-trainer", "launch", "--preset", preset])
    asked = RunRequest(preset, model="cnn", dataset="mnist-5k")
    host = launcher.start_request(asked)
    app = TrainerApp(AppContext(launcher=launcher, source=host, request=asked, on_shown=launcher.go, **WITH_ALL))
    async with app.run_test(size=size) as pilot:
        await until(pilot, host)
        save(app, name, f"tui-trainer launch --preset {preset}")
    run = launcher.runs[-1]
    run.control.send(Stop(by="screenshot"))
    run.wait()


async def film_run(runs: Path, size: tuple[int, int]) -> None:
    """Train ten epochs and write them as one moving picture, with a batch in slow motion in the middle."""
    launcher = InProcessLauncher(runs, ["tui-trainer", "launch", "--preset", "onecycle"])
    asked = RunRequest("onecycle", model="cnn", dataset="mnist-5k")
    host = launcher.start_request(asked)
    app = TrainerApp(AppContext(launcher=launcher, source=host, request=asked, on_shown=launcher.go, **WITH_ALL))
    frames: list[str] = []
    seconds: list[float] = []

    async with app.run_test(size=size) as pilot:

        async def take(shown_for: float) -> None:
            await pilot.pause(0.1)
            if isinstance(app.screen, TrainerScreen):
                app.screen.key_line.quiet()
            frames.append(app.export_screenshot(title="tui-trainer launch --preset onecycle"))
            seconds.append(shown_for)

        def made() -> int:
            return sum(event.value is not None for event in host.history.followed)

        half_epochs = 0
        while not host.history.ended:
            half_epochs += 1
            while not host.history.ended and host.history.epoch + host.history.batch / BATCHES < 1 + half_epochs / 2:
                await pilot.pause(0.02)
            await take(0.35)
            if half_epochs == SLOW_FROM:
                await pilot.press("s")
                for _ in range(SLOW_CALLS):
                    before = made()
                    while made() in (0, before):
                        await pilot.pause(0.02)
                    await take(0.7)
                await pilot.press("s")
        await take(3.0)
    (DOCS / "run.svg").write_text(animated(frames, seconds))
    print(DOCS / "run.svg")


async def shoot_watched(runs: Path, folder: Path, size: tuple[int, int]) -> None:
    """Watch a script of others, and write what the screen shows as it trains its seventh epoch."""
    command = ["python", "main.py", "--epochs", "10", "--no-accel"]
    begin = [sys.executable, "-m", "tui_trainer", "watch", "--detach", "--runs-dir", str(runs), "--", *command]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    begun = subprocess.run(begin, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    source = open_source(runs / begun.stdout.split()[-1])
    app = TrainerApp(AppContext(source=source, **WITH_ALL))
    async with app.run_test(size=size) as pilot:
        while source.history.epoch < 7 or source.history.batch < 10:
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        save(app, "watch", f"tui-trainer watch -- {' '.join(command)}")
    source.send(Stop(by="screenshot"))
    while source.history.ended is None:
        source.poll()
        await asyncio.sleep(0.05)
    source.close()


async def shoot_metrics(runs: Path) -> None:
    """The page of metrics of a made record: two hundred series, sparse, with values that are not finite, a restart and
    three LRs."""
    made = [sys.executable, "-m", "tests.made_metrics", str(runs)]
    folder = subprocess.run(made, cwd=DOCS.parent, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    for name, (size, keys) in METRICS.items():
        source = open_source(Path(folder), readonly=True)
        app = TrainerApp(AppContext(source=source, **WITH_ALL))
        async with app.run_test(size=size) as pilot:
            await pilot.press("m", *keys)
            await pilot.pause(1.0)
            save(app, name, "tui-trainer attach many")
        source.close()


async def shoot_record(folder: Path) -> None:
    """What another tool has recorded, small and large."""
    for name, size in (("record-small", (80, 24)), ("record", (140, 40))):
        source = open_source(folder)
        app = TrainerApp(AppContext(source=source, **WITH_ALL))
        async with app.run_test(size=size) as pilot:
            while not source.history.notices or source.lags:
                await pilot.pause(0.05)
            await pilot.pause(1.0)
            save(app, name, f"tui-trainer attach {folder.name}")
        source.close()


async def shoot_records(folder: Path, runs: Path) -> None:
    """The list of what several tools have recorded, small and large."""
    for name, size in (("records-small", (80, 24)), ("records", (140, 40))):
        app = TrainerApp(AppContext(**WITH_ALL | {"runs": runs, "named": folder}))
        async with app.run_test(size=size) as pilot:
            await pilot.press("r")
            while not isinstance(app.screen, RunsScreen) or not app.screen.list.complete:
                await pilot.pause(0.05)
            await pilot.press("down", "up")
            await pilot.pause(2.0)
            save(app, name, f"tui-trainer attach {folder.name}")


async def shoot_comparison(runs: Path, size: tuple[int, int]) -> None:
    """Train some presets to their end, and write what their comparison shows."""
    launcher = InProcessLauncher(runs, ["tui-trainer", "compare", *COMPARED])
    launcher.go()
    records = []
    for preset in COMPARED:
        launcher.start(RunSpec.of(preset, load_preset(preset)))
        run = launcher.runs[-1]
        run.wait()
        if run.record is not None:
            records.append(run.record.folder)
    comparison = Comparison(Session.create(runs, joined(records, runs, []), command=["tui-trainer", "compare"]))
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=size) as pilot:
        await pilot.pause(2.0)
        save(app, "compare", f"tui-trainer compare {' '.join(COMPARED)}")


def save(app: TrainerApp, name: str, title: str) -> None:
    """Write what the app shows to `docs/`, with its keys at the bottom and not what was said last."""
    if isinstance(app.screen, TrainerScreen):
        app.screen.key_line.quiet()
    (DOCS / f"{name}.svg").write_text(app.export_screenshot(title=title))
    print(DOCS / f"{name}.svg")


async def main(only: str, folder: str = "") -> None:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        runs = Path(made)
        if only == "metrics":
            await shoot_metrics(runs)
            return
        if only == "watch":
            await shoot_watched(runs, Path(folder), (140, 40))
            return
        if only == "record":
            await shoot_record(Path(folder))
            return
        if only == "records":
            await shoot_records(Path(folder), runs)
            return
        await film_run(runs, (128, 36))
        if only == "run":
            return
        await shoot_run(runs, "live", "onecycle", (140, 40), in_the_middle)
        await shoot_run(runs, "slow-motion", "onecycle", (120, 36), followed)
        await shoot_run(runs, "small", "plateau", (80, 24), in_the_middle)
        await shoot_run(runs, "presets", "onecycle", (140, 40), among_presets)
        await shoot_metrics(runs)
        await shoot_comparison(runs, (140, 40))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or ["all"]))
