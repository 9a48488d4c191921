"""What is printed as a screen is left: how it stands with what it showed, and how one sees it again."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_trainer.files.given_path import BadPath
from tui_trainer.records.run_index import runs_folder
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.summary import summarize
from tui_trainer.text.plain import in_ascii, plain, shows_unicode

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.records.history import History


_WHO: dict[int, str] = {
    signal.SIGKILL: ", as the system does where memory runs out",
    signal.SIGSEGV: ", an error in native code",
    signal.SIGBUS: ", an error in native code",
    signal.SIGABRT: ", an error in native code",
}
"""Why one may have been killed, by the signal."""


def _say(line: str) -> None:
    """To the terminal that had the screen, in the characters that it can show."""
    click.echo(line if shows_unicode() else in_ascii(line))


def of_run(folder: Path, history: History) -> None:
    """Of a run that has ended; one that goes on is told of by `of_left`."""
    if history.ended is None:
        return
    from tui_trainer.ui.live.status_lines import ending

    _say(f"{plain(str(read_facts(folder).get('name') or folder.name))}: {ending(history)}")
    _say(f"open it again: {_command('attach', folder.name, folder.parent)}")


def of_comparison(comparison: Comparison) -> None:
    """Of a comparison, if anything came of it."""
    comparison.poll_all()
    session, runs = comparison.session, comparison.runs
    begun = [run for run in runs if run.record is not None]
    if not begun:
        return
    done = sum(run.is_over for run in runs)
    said = f"all {len(runs)} runs are over" if done == len(runs) else f"{done} of {len(runs)} runs done"
    from tui_trainer.compare.plain_lines import cell
    from tui_trainer.compare.table import tabulate

    table = tabulate(comparison)
    if (best := table.best_ever) is not None:
        column = next(column for column in table.columns if column.key == table.best_key)
        what = "best val accuracy" if table.metric.is_accuracy else f"{table.metric.extreme} {table.metric.words}"
        said += f"; {what} {cell(best, column)}, {plain(best.group.label)}"
    if crashed := sum(run.state == "crashed" for run in runs):
        said += f"; {crashed} crashed"
    _say(f"{plain(session.plan.name or session.id)}: {said}")
    again = "open it again" if done == len(runs) or comparison.is_driven else "continue it"
    _say(f"{again}: {_command('compare', session.id, session.runs)}")


def of_left(command: str, identity: str, runs: Path) -> None:
    """Of what trains on in the background; `command` shows it."""
    _say(f"{identity} keeps training in the background.")
    _say(f"watch it: {_command(command, identity, runs)}")
    _say(f"end it:   {_command('stop', identity, runs)}")


def of_killed(number: int, folder: Path | None) -> None:
    """Of a process that a signal killed while it trained into `folder`, a record or a session; None for neither."""
    from tui_trainer.compare.session import FOLDER

    _complain(f"tui-trainer was killed by {signal.Signals(number).name}{_WHO.get(number, '')}")
    if folder is None:
        _complain("nothing was recorded yet")
    elif folder.parent.name == FOLDER:
        _complain(f"continue it: {_command('compare', folder.name, folder.parent.parent)}")
    else:
        run = summarize(folder)
        _complain(f"{plain(run.name or run.id)}: {run.status} after step {run.steps_done}")
        goes_on = run.status == "crashed"
        said, command = ("continue it", "resume") if goes_on else ("open it again", "attach")
        _complain(f"{said}: {_command(command, run.id, folder.parent)}")


def _complain(line: str) -> None:
    click.echo(line if shows_unicode() else in_ascii(line), err=True)


def _command(name: str, identity: str, runs: Path) -> str:
    """To be typed: with the folder of runs, where the command would not look there by itself."""
    try:
        where = "" if runs == runs_folder() else f" --runs-dir {shlex.quote(str(runs))}"
    except BadPath:  # of TUI_TRAINER_RUNS, which an option stood in for
        where = f" --runs-dir {shlex.quote(str(runs))}"
    return f"tui-trainer {name} {identity}{where}"
