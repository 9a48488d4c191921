"""Watch training loops that others have published, none of their lines changed, and print what was recognised.

    python scripts/watch_public_loops.py LOOPS [NAME...] [--python PYTHON]

`LOOPS` is a file with a line for each loop: a name, the folder that it is begun in, and its command, parted by tabs;
folders are seen from that of the file. `--python` is of the environment that the loops need, this one by default. Each
is trained under `tui-trainer watch`, and the table that comes of it is one of Markdown. One that takes too long is
ended with all that it has started.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from tui_trainer.records.history import History
from tui_trainer.run_sources.run_source import replay

COLUMNS = (
    "loop",
    "exit",
    "epochs",
    "steps",
    "loss",
    "LR",
    "plan",
    "validation",
    "other series",
    "calls in the loop",
    "findings",
)
MOST_SERIES = 8
"""Names of series that are written out in a cell."""

MARK = "WATCH_PUBLIC_LOOPS"
"""In the environment of all that a loop starts."""
GRACE_S = 10.0
"""So long may what was told to end take for it."""


class Loop(NamedTuple):
    """A loop of others."""

    name: str
    folder: Path
    command: list[str]


def loops_of(file: Path) -> Iterator[Loop]:
    """The loops that a file names."""
    for line in file.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, folder, command = line.split("\t")
            yield Loop(name, file.parent / folder, shlex.split(command))


def watch(loop: Loop, runs: Path, python: Path, seconds: float) -> int:
    """Train it to its end; the exit code."""
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    ours = [sys.executable, "-m", "tui_trainer", "watch", "--plain", "--runs-dir", str(runs), "--name", loop.name]
    mark = str(uuid.uuid4())
    given = {**os.environ, "PATH": path, MARK: mark}
    with tempfile.TemporaryFile() as printed:
        try:
            done = subprocess.run(
                [*ours, "--", *loop.command],
                cwd=loop.folder,
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124
        finally:
            end_all(mark)
        return done.returncode


def end_all(mark: str) -> None:
    """End what a loop has started and is there yet, wherever it moved: first the programs, so that their records are
    told how they ended, then what keeps these."""
    left = [process for process in psutil.process_iter() if has(process, mark)]
    for process in left:
        with suppress(psutil.Error):
            if process.name() != "tui-watch":
                process.terminate()
    _, alive = psutil.wait_procs(left, timeout=GRACE_S)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()


def has(process: psutil.Process, mark: str) -> bool:
    """Whether it was started with this mark."""
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARK) == mark
    return False


def row(loop: Loop, exit_code: int, history: History) -> list[str]:
    """What was recognised of it."""
    recipe = history.recipe
    declared = history.series.declared("train_loss")
    epochs = f"{len(history.epochs)}" + (f" of {recipe.epochs}" if recipe is not None and recipe.epochs else "")
    lrs = [name for name in history.series if history.series.kind(name) == "lr"]
    last_lrs = history.lrs[-1:]
    plan = history.plans[-1] if history.plans else None
    shown = {"train_loss", "lr", "val_loss", "val_accuracy", *lrs}
    others = [name for name in history.series if name not in shown]
    sites = history.loop.sites if history.loop is not None else []
    return [
        loop.name,
        str(exit_code),
        epochs,
        f"{history.steps:,}",
        f"{declared.shown_as if declared is not None and declared.shown_as else '?'} {list(history.losses[-1:])}",
        f"{recipe.scheduler if recipe is not None else ''} {', '.join(lrs)} {list(last_lrs)}",
        f"to step {plan.last_step:,} {plan.note}" if plan is not None else "none",
        validation(history),
        ", ".join(others[:MOST_SERIES])
        + (f" and {len(others) - MOST_SERIES} more" if len(others) > MOST_SERIES else ""),
        " › ".join(site.call for site in sites),
        ", ".join(f"{found.mistake} ({Path(found.file).name}:{found.lineno})" for found in history.mistakes.values()),
    ]


def validation(history: History) -> str:
    """The last loss and accuracy of a validation, with what the program calls them: a loop without epochs has them,
    too."""
    told = []
    for name in ("val_loss", "val_accuracy"):
        if name in history.series and len(values := history.series[name].values):
            declared = history.series.declared(name)
            called = declared.shown_as if declared is not None else ""
            told.append(f"{values[-1]:.6g}" + (f" ({called})" if called else ""))
    return ", ".join(told) or "none told"


def main() -> None:
    """Watch the loops that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("loops", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--seconds", type=float, default=300, help="the most that one may take")
    parser.add_argument("--keep", type=Path, help="a folder for the records; else they are deleted")
    asked = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    with tempfile.TemporaryDirectory() as made:
        for loop in loops_of(asked.loops.absolute()):
            if asked.names and loop.name not in asked.names:
                continue
            runs = (asked.keep or Path(made)).absolute() / loop.name
            exit_code = watch(loop, runs, asked.python, asked.seconds)
            for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
                cells = row(loop, exit_code, replay(folder))
                print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
