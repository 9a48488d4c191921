"""`stop`, `pause` and `resume`: a run, told what to do from the shell."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from tui_trainer.cli.options import refuse, runs_dir_option
from tui_trainer.commands import Command, Continue, Pause, Stop
from tui_trainer.events import CommandAnswered
from tui_trainer.runs import inbox
from tui_trainer.runs.catalogue import find, runs_folder
from tui_trainer.runs.errors import RunsError
from tui_trainer.runs.lock import is_live
from tui_trainer.runs.tail import Tail
from tui_trainer.torchrun import place

BY = "shell"
PATIENCE_S = 10.0
"""A run answers between two batches; a batch that takes longer than this is waited for no more."""


@click.command()
@click.argument("run")
@runs_dir_option
def stop(run: str, runs_dir: Path | None) -> None:
    """End a live run after the batch that it trains, with a checkpoint."""
    _ask(_find(run, runs_dir), Stop(by=BY, reason="stopped from the shell"))


@click.command()
@click.argument("run")
@runs_dir_option
def pause(run: str, runs_dir: Path | None) -> None:
    """Have a live run stand still."""
    _ask(_find(run, runs_dir), Pause(by=BY))


@click.command()
@click.argument("run")
@runs_dir_option
def resume(run: str, runs_dir: Path | None) -> None:
    """Go on: with a run that is paused, or, from its checkpoint, with one that ended early."""
    folder = _find(run, runs_dir)
    if place().alone and is_live(folder):
        _ask(folder, Continue(by=BY))
    else:
        from tui_trainer.cli.train import resume_here

        sys.exit(resume_here(folder))


def _find(run: str, runs_dir: Path | None) -> Path:
    try:
        return find(runs_folder(runs_dir), run)
    except RunsError as error:
        refuse(str(error))


def _ask(folder: Path, command: Command) -> None:
    """Send a command, and print what the run answers in its record."""
    with Tail(folder / "events.jsonl") as tail:
        try:
            inbox.send(folder, command)
        except RunsError as error:
            refuse(str(error), exit_code=1)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for event in tail:
                if isinstance(event, CommandAnswered) and event.id == command.id:
                    click.echo(f"{folder.name}: {event.answer}")
                    return
            time.sleep(0.05)
    click.echo(f"{folder.name}: asked; it has not answered within {PATIENCE_S:g} s and will after its batch")
