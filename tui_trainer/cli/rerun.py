"""`rerun`: a watched command, once more."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import click

from tui_trainer.cli import completion
from tui_trainer.cli.notify_options import NotifyOptions, notify_options
from tui_trainer.cli.options import found, refuse, runs_dir_option
from tui_trainer.records.run_metadata import Program, beginning, program_of
from tui_trainer.records.runs_folder import runs_folder, shell_command
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.secrets import BLANK


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--name", help="A name to find the new run by.")
@click.option("--detach", is_flag=True, help="Print the run's id and give the shell back.")
@click.option("--plain", "without_screen", is_flag=True, help="No screen: what the command prints goes where it would.")
@notify_options
@runs_dir_option
def rerun(
    run: str,
    runs_dir: Path | None,
    told: NotifyOptions,
    *,
    yes: bool,
    name: str | None,
    detach: bool,
    without_screen: bool,
) -> None:
    """Run the command of a watched run once more, in the folder that it ran in; it is shown, and asked for, first."""
    from tui_trainer.cli.watch import watch_command

    runs = runs_folder(runs_dir)
    folder = found(runs, run)
    program = _checked(folder)
    click.echo(f"in {plain(program.cwd)}:\n  {plain(shlex.join(program.command))}", err=True)
    if not yes:
        if not os.isatty(0):
            refuse(say("refusal.nobody_to_ask"))
        click.confirm("Run it?", abort=True, err=True)
    os.chdir(program.cwd)
    options: dict[str, Any] = {**program.options, "name": name, "detach": detach, "plain": without_screen}
    sys.exit(watch_command(tuple(program.command), Path(program.cwd), runs, told, **options))


def _checked(folder: Path) -> Program:
    """The command of a record, if it may be run; what somebody else wrote is not."""
    program = program_of(folder)
    if program is None:
        resume = shell_command("resume", folder.name, folder.parent)
        refuse(say("refusal.not_watched", run=folder.name, resume=resume))
    for path in (folder, folder / "run.json"):
        if path.lstat().st_uid != os.geteuid():
            refuse(say("refusal.anothers", run=folder.name))
    began = beginning(folder)
    if began is None:
        refuse(say("refusal.no_machine", run=folder.name))
    if began.host != socket.gethostname():
        refuse(say("refusal.other_machine", run=folder.name, host=plain(began.host)))
    if any(BLANK in word for word in program.command):
        refuse(say("refusal.secret_left_out", run=folder.name, command=plain(shlex.join(program.command))))
    if not Path(program.cwd).is_dir():
        refuse(say("refusal.folder_gone", run=folder.name, folder=plain(program.cwd)))
    return program
