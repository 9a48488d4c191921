"""`stop`, `pause`, `resume`, `checkpoint`, `switch`, `lr` and `epochs`: a run, told what to do from the shell."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui_trainer.cli import completion
from tui_trainer.cli.notify_options import NotifyOptions, notify_options
from tui_trainer.cli.options import alert_option, allow_code_option, data_dir_option, found, refuse, runs_dir_option
from tui_trainer.cli.options import say as say_aside
from tui_trainer.commands import (
    AnyCommand,
    Continue,
    Pause,
    SaveCheckpoint,
    SetEpochs,
    SetLR,
    Stop,
    SwitchPreset,
    decode,
)
from tui_trainer.events import CommandAnswered
from tui_trainer.records import inbox
from tui_trainer.records.errors import RunIsWatched, RunsError, reason
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_index import find
from tui_trainer.records.run_metadata import program_of
from tui_trainer.records.runs_folder import runs_folder, shell_command
from tui_trainer.records.tail import Tail
from tui_trainer.run_options import MOST_EPOCHS
from tui_trainer.run_request import CONSTANT, EXTEND, Extension
from tui_trainer.text.captions import say
from tui_trainer.torchrun import this_rank

if TYPE_CHECKING:
    from tui_trainer.compare.session import Session

BY = "shell"
LOOK_EVERY_S = 0.05
PATIENCE_S = 10.0
"""A run answers between two batches; a batch that takes longer than this is waited for no more."""


@click.command()
@click.argument("run", metavar="RUN|SESSION", shell_complete=completion.runs)
@runs_dir_option
def stop(run: str, runs_dir: Path | None) -> None:
    """Stop a live run or a comparison after its current batch, and save a checkpoint."""
    command = Stop(by=BY, reason=say("end.by_shell"))
    runs = runs_folder(runs_dir)
    try:
        folder = find(runs, run, say_aside)
    except RunsError as error:
        if (session := _session(runs, run)) is None:
            refuse(str(error))
        _stop_session(session, command)
    else:
        _ask(folder, command)


@click.command()
@click.argument("run", shell_complete=completion.runs)
@runs_dir_option
def pause(run: str, runs_dir: Path | None) -> None:
    """Pause a live run."""
    _ask(found(runs_folder(runs_dir), run), Pause(by=BY))


@click.command()
@click.argument("run", shell_complete=completion.runs)
@data_dir_option
@allow_code_option
@click.option("--new-record", is_flag=True, help="Continue from its checkpoint in a new record.")
@click.option("--detach", is_flag=True, help="Print the run's id and give the shell back; training goes on.")
@click.option("--epochs", type=click.IntRange(1, MOST_EPOCHS), help="Train so many epochs in all, more or fewer.")
@click.option(
    "--then",
    metavar="extend|constant|PRESET",
    shell_complete=completion.then,
    help="What epochs beyond the end of a finished run follow: its schedule (default), its last LR, or a preset.",
)
@alert_option
@notify_options
@runs_dir_option
def resume(
    run: str,
    runs_dir: Path | None,
    data_dir: Path | None,
    new_record: bool,
    detach: bool,
    epochs: int | None,
    then: str | None,
    alerts: tuple[str, ...],
    told: NotifyOptions,
) -> None:
    """Resume a paused run, or continue one that ended from its checkpoint; a watched command is rerun instead.

    With --epochs it goes on beyond its end, or ends earlier.
    """
    if then is not None and epochs is None:
        refuse(say("refusal.then_alone"))
    folder = found(runs_folder(runs_dir), run)
    if this_rank().alone and is_live(folder):
        if new_record:
            refuse(say("refusal.live_in_own_record", run=folder.name))
        if told.is_asked or alerts:
            refuse(say("refusal.told_elsewhere", run=folder.name))
        if epochs is not None:
            refuse(
                say("refusal.live_epochs", run=folder.name, command=shell_command("epochs", folder.name, folder.parent))
            )
        _ask(folder, Continue(by=BY))
    else:
        if program_of(folder) is not None:
            refuse(str(RunIsWatched(folder)))
        from tui_trainer.cli.run import resume_apart, resume_here

        if detach and not this_rank().alone:
            refuse(say("refusal.resume_ranks"))
        extension = None if epochs is None else _extension(epochs, then or EXTEND)
        go_on = resume_apart if detach else resume_here
        sys.exit(go_on(folder, told, data_dir, alerts, new_record=new_record, extension=extension))


def _extension(epochs: int, then: str) -> Extension:
    if then in (EXTEND, CONSTANT):
        return Extension(epochs, then, by=BY)
    name, preset = _loaded(then)
    return Extension(epochs, name, preset, by=BY)


def _loaded(preset: str) -> tuple[str, dict[str, Any]]:
    """A preset's name, and all that it says."""
    from tui_trainer.presets.catalogue import load
    from tui_trainer.presets.problems import PresetError

    try:
        return Path(preset).stem, load(preset).model_dump(mode="json")
    except PresetError as error:
        refuse(str(error))


@click.command()
@click.argument("run", shell_complete=completion.runs)
@runs_dir_option
def checkpoint(run: str, runs_dir: Path | None) -> None:
    """Save a checkpoint of a live run after its current batch; training goes on."""
    _ask(found(runs_folder(runs_dir), run), SaveCheckpoint(by=BY))


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.argument("preset", metavar="NAME|FILE", shell_complete=completion.presets)
@runs_dir_option
def switch(run: str, preset: str, runs_dir: Path | None) -> None:
    """Switch a live run to another preset from its next epoch on, keeping the weights."""
    folder = found(runs_folder(runs_dir), run)
    name, loaded = _loaded(preset)
    _ask(folder, SwitchPreset(by=BY, name=name, preset=loaded))


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.argument("lr", metavar="LR|xFACTOR")
@runs_dir_option
def lr(run: str, lr: str, runs_dir: Path | None) -> None:
    """Set the LR of a live run from its next step on: to an LR (0.01), or to a factor of its schedule's (x0.5).

    The rest of the schedule is multiplied alike; x1 gives the schedule's own LRs again.
    """
    folder = found(runs_folder(runs_dir), run)
    try:
        command = SetLR.of(lr, BY)
    except ValueError as error:
        refuse(str(error))
    _ask(folder, command)


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.argument("epochs", metavar="N")
@runs_dir_option
def epochs(run: str, epochs: str, runs_dir: Path | None) -> None:
    """Have a live run train N epochs in all, more or fewer than it was to.

    Not where its schedule is made for the epochs that it began with, as OneCycleLR's is.
    """
    folder = found(runs_folder(runs_dir), run)
    try:
        command = SetEpochs.of(epochs, BY)
    except ValueError as error:
        refuse(str(error))
    _ask(folder, command)


@click.command(hidden=True)
@click.argument("run", shell_complete=completion.runs)
@click.argument("command", metavar="JSON")
@runs_dir_option
def ask(run: str, command: str, runs_dir: Path | None) -> None:
    """Ask a live run what this program on another machine asks over ssh: one command, as an object of JSON."""
    folder = found(runs_folder(runs_dir), run)
    try:
        asked = decode(command.encode())
    except (msgspec.MsgspecError, ValueError, RecursionError):
        refuse(say("refusal.unknown_command"))
    _ask(folder, asked)


def _session(runs: Path, given: str) -> Path | None:
    from tui_trainer.compare.session import find_session

    try:
        return find_session(runs, given)
    except RunsError as error:
        refuse(str(error))


def _stop_session(folder: Path, command: Stop) -> None:
    """Ask who trains a comparison to stop, on whatever machine, and wait until nobody does."""
    from tui_trainer.compare.executors import outcome
    from tui_trainer.compare.session import Session

    try:
        session = Session.open(folder)
        named = {"session": session.id, "command": shell_command("compare", session.id, session.runs)}
        jobs = [job for job in session.submitted if job not in session.cancelled]
        if not jobs and not session.is_trained:
            left = outcome(session).left
            refuse(say("shell.session_waits" if left else "shell.session_over", **named), exit_code=1)
        is_cancelled = bool(jobs) and _cancel(session, jobs)
        if session.is_trained:
            inbox.leave(folder, command)
    except RunsError as error:
        refuse(str(error), exit_code=1)
    deadline = time.monotonic() + PATIENCE_S
    while session.is_trained:
        if time.monotonic() > deadline:
            refuse(say("shell.session_not_stopped", session=session.id, seconds=f"{PATIENCE_S:g}"), exit_code=1)
        time.sleep(LOOK_EVERY_S)
    if is_cancelled:
        click.echo(say("cluster.stopped", session=session.id, compare=named["command"]))
        return
    session.refresh()
    try:
        left = outcome(session).left
    except RunsError as error:
        refuse(str(error), exit_code=1)
    click.echo(say("shell.session_stopped" if left else "shell.session_over", **named))


def _cancel(session: Session, jobs: list[str]) -> bool:
    """Let nothing more of a session begin, and tell what runs to stop; whether SLURM was there to do it."""
    from tui_trainer.compare import slurm

    session.cancel(jobs)
    try:
        slurm.cancel(jobs)
    except slurm.SlurmRefused as error:
        say_aside(f"warning: {say('cluster.left_in_queue', why=error)}")
        return False
    return True


def _send(folder: Path, command: AnyCommand) -> None:
    try:
        inbox.send(folder, command)
    except RunsError as error:
        refuse(str(error), exit_code=1)


def _ask(folder: Path, command: AnyCommand) -> None:
    """Send a command, and print what the run answers in its record; a refusal, or none, ends with exit code 1."""
    try:
        with Tail(folder / "events.jsonl") as tail:
            tail.pass_over()
            _send(folder, command)
            answer = _answer(tail, command, folder)
    except OSError as cause:
        refuse(f"{folder.name}: {say('record.no_events', why=reason(cause))}", exit_code=1)
    if answer is None:
        refuse(f"{folder.name}: {_why_silent(folder)}", exit_code=1)
    if not answer.accepted:
        refuse(f"{folder.name}: {answer.answer}", exit_code=1)
    click.echo(f"{folder.name}: {answer.answer}")


def _answer(tail: Tail, command: AnyCommand, folder: Path) -> CommandAnswered | None:
    """What the run says to it; None where it does not within the time, or has ended without."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        live = is_live(folder)  # before reading: what has ended since has said all by then
        for event in tail:
            if isinstance(event, CommandAnswered) and event.id == command.id:
                return event
        if not live:
            return None
        time.sleep(LOOK_EVERY_S)
    return None


def _why_silent(folder: Path) -> str:
    if not is_live(folder):
        return say("shell.ended_unanswered")
    return say("shell.not_answered", seconds=f"{PATIENCE_S:g}")
