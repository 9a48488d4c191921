"""`watch`: any training command, its loop seen, no line of it changed."""

from __future__ import annotations

import os
import select
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import tui_trainer.cli as commands
from tui_trainer.cli.notify_options import NotifyOptions, notify_options
from tui_trainer.cli.options import alert_option, check_runs_folder, refuse, runs_dir_option, say, warn_of_same_name
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.text.captions import say as caption
from tui_trainer.text.plain import plain
from tui_trainer.watching.host.request import WatchRequest

if TYPE_CHECKING:
    from tui_trainer.ui.context import AppContext
    from tui_trainer.ui.terminal.terminal import Terminal
    from tui_trainer.watching.host.messages import Lines

CALLS = ("off", "light", "full")
DEFAULT_SIZE = (120, 40)
"""Columns and lines of the command's terminal, where ours does not tell."""


@click.command(context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("--name", help="A name to find the run by.")
@click.option("--detach", is_flag=True, help="Print the run's id and give the shell back; tui-trainer attach shows it.")
@click.option("--plain", is_flag=True, help="No screen: what the command prints goes where it would have gone.")
@click.option("--no-control", is_flag=True, help="Never hold or change its loop; stop sends SIGINT, as ctrl+c does.")
@click.option(
    "--calls",
    type=click.Choice(CALLS),
    default="light",
    show_default=True,
    help="How much of the loop is told: light: each call of it; full: each batch's order too; off: losses and LRs.",
)
@click.option("--rehearse", is_flag=True, help="Plan the LR of schedulers of your own too, by calling a copy of them.")
@click.option("--epochs", type=click.IntRange(min=1), help="How many epochs it will train, where nobody else can tell.")
@click.option(
    "--steps", type=click.IntRange(min=1), help="How many steps its optimizer will take, where nobody else can tell."
)
@alert_option
@notify_options
@runs_dir_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
def watch(command: tuple[str, ...], runs_dir: Path | None, told: NotifyOptions, **options: Any) -> None:
    """Run a training command and watch its loop: tui-trainer watch -- python train.py

    Any command will do: python -m, uv run, torchrun, accelerate launch, a shell script. It runs as ever, with its own
    exit code, and outlives this terminal. docs/watch.md says what is seen of it.
    """
    sys.exit(watch_command(command, Path.cwd(), runs_folder(runs_dir), told, **options))


def watch_command(
    command: tuple[str, ...],
    cwd: Path,
    runs: Path,
    told: NotifyOptions,
    *,
    detach: bool = False,
    plain: bool = False,
    no_control: bool = False,
    **options: Any,
) -> int:
    """Run a command in a folder and watch it; the exit code."""
    if not command:
        refuse(caption("refusal.no_command"))
    check_runs_folder(runs)
    warn_of_same_name(options["name"], runs)
    request = WatchRequest(
        command=command,
        cwd=cwd,
        environment=commands.environment(),
        runs=runs,
        control=not no_control,
        notify=told.notify,
        typed=sys.argv,
        **options,
    )
    _check(request)
    if detach:
        return _detach(request)
    return _run_here(request) if plain or not _can_draw() else _show(request, told)


def _check(request: WatchRequest) -> None:
    """See that there is such a command, and say what will not be seen of it."""
    from tui_trainer.watching.host import out_of_sight

    program = request.command[0]
    where = shutil.which(program, path=request.environment.get("PATH"))
    if where is None:
        file = request.cwd / program if os.sep in program else None
        if file is not None and file.exists():
            why = "refusal.command_is_folder" if file.is_dir() else "refusal.command_not_executable"
            _cannot_start(caption(why, program=program), 126)
        _cannot_start(caption("refusal.command_not_found", program=program), 127)
    if unseen := out_of_sight.reason(request.command):
        say(f"warning: {unseen}")


def _cannot_start(sentence: str, exit_code: int) -> NoReturn:
    refuse(f"watch: {plain(sentence)}", exit_code=exit_code)


def _run_here(request: WatchRequest) -> int:
    """With the streams of this process, as if nobody watched."""
    from tui_trainer.watching.host.host import CannotStart, Host

    try:
        return Host(request).run_here([number for number in (1, 2) if not os.isatty(number)])
    except CannotStart as error:
        _cannot_start(str(error), error.exit_code)


def _detach(request: WatchRequest) -> int:
    from tui_trainer.watching.host import logout

    if warning := logout.warning():
        say(f"warning: {warning}")
    begun = _begin_apart(request)
    click.echo(begun.run)
    return 0


def _can_draw() -> bool:
    from tui_trainer.ui.terminal.job_control import wait_until_in_front

    drawable = os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return drawable and os.isatty(0) and os.isatty(1) and wait_until_in_front(0)


class _Begun:
    """A command that runs in a terminal of its own, and the process that waits for it."""

    def __init__(self, run: str, host: int, said: Lines) -> None:
        self.run = run
        self.host = host
        self._said = said

    def ended(self) -> int | None:
        """The command's exit code, as a shell has it; None while it goes on. The record's may be another one: where it
        could not be written to its end, say."""
        if select.select([self._said.pipe], [], [], 0.0)[0]:
            for line in self._said.read():
                word, _, rest = line.partition(" ")
                if word == "ended":
                    self._code = int(rest)
        return self._code

    _code: int | None = None

    def pass_on(self, number: int) -> None:
        """Send a signal to the command, by who waits for it."""
        with suppress(ProcessLookupError):
            os.kill(self.host, number)


def _begin_apart(request: WatchRequest) -> _Begun:
    """Run the command in a session and a terminal of its own."""
    from tui_trainer.cli.foreground import call_process
    from tui_trainer.watching.host.host import CannotStart, Host
    from tui_trainer.watching.host.messages import Lines, tell
    from tui_trainer.watching.host.processes import fork

    hears, tells = os.pipe()
    try:
        columns, lines = os.get_terminal_size(1)
    except OSError:
        columns, lines = DEFAULT_SIZE

    def work() -> None:
        call_process("tui-watch")  # and those that it starts but the command
        try:
            host = Host(request, lambda run: tell(tells, f"run {run}"), lambda code: tell(tells, f"ended {code}"))
            host.run_in_terminal(columns, lines)
        except CannotStart as error:
            tell(tells, f"{error.exit_code} {error}")

    host = fork(work, [tells])
    os.close(tells)
    said = Lines(hears)
    while not (words := said.read()) and not said.at_end:
        pass
    word, _, rest = words[0].partition(" ") if words else ("1", "", caption("refusal.not_begun"))
    if word != "run":
        _cannot_start(rest, int(word))
    return _Begun(rest, host, said)


def _show(request: WatchRequest, told: NotifyOptions) -> int:
    """Run it in a terminal of its own, and show the screen on it; the command's exit code, if it ended meanwhile."""
    from tui_trainer.watching.host import logout

    warning = logout.warning()
    begun = _begin_apart(request)
    import gc

    from tui_trainer.cli import exit_summary
    from tui_trainer.cli.launch import settle, show_app
    from tui_trainer.run_sources.registry import open_source
    from tui_trainer.watching.host import keyboard

    folder = request.runs / begun.run
    source = open_source(folder)
    apps: list[Any] = []

    def left() -> None:
        exit_summary.of_left("attach", begun.run, request.runs, paused=source.history.status == "paused")

    def context_of(_: Terminal) -> AppContext:
        from tui_trainer.ui.context import AppContext
        from tui_trainer.ui.settings import Settings

        return AppContext(
            source=source,
            runs=request.runs,
            bell=told.bell,
            settings=Settings.of_user(),
            on_shown=settle,
            on_detach=left,
            on_signal=begun.pass_on,
            on_resize=lambda columns, lines: keyboard.resize(folder, columns, lines),
        )

    gc.disable()
    exit_code = show_app(apps, context_of, None)
    source.poll()
    ended = source.history.ended
    source.close()
    if apps and apps[-1].hung_up:
        return 0
    if apps and apps[-1].failure is not None and ended is None:
        left()
    if warning and ended is None:
        say(f"warning: {warning}")
    exit_summary.of_run(folder, source.history)
    if ended is None:
        return exit_code
    code = begun.ended()
    return ended.exit_code if code is None else code
