"""What is printed as a screen is left: how it stands with what it showed, and how one sees it again."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.runs_folder import shell_command
from tui_trainer.records.summary import summarize
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import in_ascii, plain, shows_unicode

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.records.history import History


_WHO: dict[int, str] = {
    signal.SIGKILL: "exit.out_of_memory",
    signal.SIGSEGV: "exit.native",
    signal.SIGBUS: "exit.native",
    signal.SIGABRT: "exit.native",
}
"""Why one may have been killed, by the signal: a caption."""


def _print(line: str) -> None:
    """To the terminal that had the screen, in the characters that it can show."""
    click.echo(line if shows_unicode() else in_ascii(line))


def of_run(folder: Path, history: History) -> None:
    """Of a run that has ended; one that goes on is told of by `of_left`."""
    if history.ended is None:
        return
    from tui_trainer.ui.live.status_lines import ending

    _print(f"{plain(str(read_facts(folder).get('name') or folder.name))}: {ending(history)}")
    _print(f"{say('exit.again')}: {shell_command('attach', folder.name, folder.parent)}")


def of_comparison(comparison: Comparison) -> None:
    """Of a comparison, if anything came of it."""
    comparison.poll_all()
    session, runs, standing = comparison.session, comparison.runs, comparison.standing
    if not standing.recorded:
        return
    over, all_runs = standing.over, counted(len(runs), "run")
    is_over = over == len(runs)
    from tui_trainer.compare.plain_lines import all_over, cell
    from tui_trainer.compare.table import tabulate

    if is_over:
        parts = [all_over(len(runs))]
    else:
        parts = [say("exit.some_over", over=over, runs=all_runs, are="are" if len(runs) > 1 else "is")]

    table = tabulate(comparison)
    if (best := table.best_ever) is not None:
        column = next(column for column in table.columns if column.key == table.best_key)
        what = say("exit.val_accuracy") if table.metric.is_accuracy else f"{table.metric.extreme} {table.metric.words}"
        parts.append(say("exit.best", what=what, value=cell(best, column), who=plain(best.group.label)))
    if crashed := standing.states["crashed"]:
        parts.append(say("exit.crashed", count=crashed))
    _print(f"{plain(session.plan.name or session.id)}: {'; '.join(parts)}")
    again = say("exit.again" if is_over or comparison.is_driven else "exit.continue")
    _print(f"{again}: {shell_command('compare', session.id, session.runs)}")


def of_left(command: str, identity: str, runs: Path, *, paused: bool = False) -> None:
    """Of what trains on in the background, or stands still there; `command` shows it."""
    _print(say("exit.waits" if paused else "exit.trains_on", run=identity))
    _print(f"{say('exit.see')}: {shell_command(command, identity, runs)}")
    _print(f"{say('exit.end')}:   {shell_command('stop', identity, runs)}")


def of_left_unnamed(runs: Path) -> None:
    """The same of a run that has no record yet."""
    _print(say("exit.trains_on", run=say("exit.unnamed")))
    _print(f"{say('exit.see')}: {shell_command('attach', '', runs)}")


def of_killed(number: int, folder: Path | None) -> None:
    """Of a process that a signal killed while it trained into `folder`, a record or a session; None for neither."""
    from tui_trainer.compare.session import FOLDER

    who = say(_WHO[number]) if number in _WHO else ""
    _complain(say("exit.killed", signal=signal.Signals(number).name, who=who))
    if folder is None:
        _complain(say("exit.nothing_recorded"))
    elif folder.parent.name == FOLDER:
        _complain(f"{say('exit.continue')}: {shell_command('compare', folder.name, folder.parent.parent)}")
    else:
        run = summarize(folder)
        steps = counted(run.steps_done, "step")
        _complain(say("exit.got_to", run=plain(run.name or run.id), status=run.status, steps=steps))
        goes_on = run.status == "crashed"
        said, command = ("exit.continue", "resume") if goes_on else ("exit.again", "attach")
        _complain(f"{say(said)}: {shell_command(command, run.id, folder.parent)}")


def _complain(line: str) -> None:
    click.echo(line if shows_unicode() else in_ascii(line), err=True)
