"""`launch` and `attach`: the screen, on a run of this process or of another one."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_trainer.cli import completion, exit_summary, foreground
from tui_trainer.cli.awaiting import awaited
from tui_trainer.cli.compare_from_app import Comparisons
from tui_trainer.cli.foreign import foreign_record, keep_choices, refuse_rules_for_ours, rules_of, series_options
from tui_trainer.cli.notify_options import NotifyOptions, bell_options, notify_options
from tui_trainer.cli.options import (
    alert_option,
    check_runs_folder,
    checked,
    need_torch,
    range_test,
    refuse,
    runs_dir_option,
    training_options,
    warn_of_same_name,
)
from tui_trainer.cli.options import say as say_aside
from tui_trainer.cli.signal_handlers import LONGEST_END_S, leave, stop_on_signals
from tui_trainer.files.given_path import given_path
from tui_trainer.presets.folders import is_shipped
from tui_trainer.records.errors import RunsError
from tui_trainer.records.record import Record
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.remote.address import is_address
from tui_trainer.run_request import Extension, RunRequest
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import RunSource
from tui_trainer.text import captions
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.torchrun import this_rank
from tui_trainer.ui.terminal.job_control import wait_until_in_front

if TYPE_CHECKING:
    from tui_trainer.commands import Stop
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.records.history import History
    from tui_trainer.records.range_tests import RangeTestRecord
    from tui_trainer.run_sources.in_process import LocalRun
    from tui_trainer.run_sources.launcher import InProcessLauncher
    from tui_trainer.text.alert_rule import AlertRule
    from tui_trainer.ui.app import TrainerApp
    from tui_trainer.ui.context import AppContext
    from tui_trainer.ui.terminal.terminal import Terminal

DEFAULT_PRESET = "steplr"
"""What the options are checked with where no preset was named: the picker puts its own in."""

COLLECT_AFTER = (20_000, 20, 100)
"""As `gc.set_threshold` has it: a screen makes little garbage, and a thorough look for it is a pause one can see."""

max_rate_option = click.option(
    "--max-rate",
    type=click.FloatRange(min=0.5),
    metavar="KB",
    help="Send at most this many kilobytes a second to the terminal, for slow links; default: 64.",
)


@click.command()
@click.option(
    "--preset",
    metavar="NAME|FILE",
    shell_complete=completion.presets,
    help="Start training with it at once; left out: choose from all presets.",
)
@training_options
@notify_options
@max_rate_option
@click.option("--exit-when-done", is_flag=True, help="Close the screen when training ends.")
def launch(
    preset: str | None,
    runs_dir: Path | None,
    max_rate: float | None,
    exit_when_done: bool,
    told: NotifyOptions,
    **options: Any,
) -> None:
    """Open the app: choose a preset to train, or start at once with --preset."""
    need_torch("launch")
    _need_terminal("launch", say("refusal.run_instead"))
    runs = runs_folder(runs_dir)
    check_runs_folder(runs)
    request = RunRequest(preset or DEFAULT_PRESET, **options)
    if not is_shipped(preset or DEFAULT_PRESET):
        checked(request)
    warn_of_same_name(options["name"], runs)
    shell = foreground.take(exit_summary.of_killed)
    start = preset is not None
    sys.exit(_show(request, runs, shell, told, start=start, max_rate=max_rate, exit_when_done=exit_when_done))


@click.command()
@click.argument("run", required=False, shell_complete=completion.runs)
@click.option("--readonly", is_flag=True, help="Watch only: the run cannot be controlled.")
@alert_option
@series_options
@bell_options
@max_rate_option
@runs_dir_option
def attach(
    run: str | None,
    readonly: bool,
    alerts: tuple[str, ...],
    objective: str | None,
    renames: dict[str, str],
    max_rate: float | None,
    runs_dir: Path | None,
    told: NotifyOptions,
) -> None:
    """Watch a run of another process, or a finished one, on the same screen; default: the newest.

    RUN is an id, a name, or a path: of a record of tui-trainer's, or of what another tool writes, as TensorBoard's
    event files, CSV, JSON lines, Hugging Face's trainer_state.json, W&B's .wandb, and MLflow's or Trackio's
    database. Of several in a folder, the one that was written last is shown. `tui-trainer open` is the same.

    RUN may lie on another machine: ssh://HOST/PATH, ssh://HOST/NAME for a run in the folder of runs there, or
    ssh://HOST for the newest of them. A POSIX shell is all that is needed there; with tui-trainer there, the run can
    be controlled, too.
    """
    if run is not None and is_address(run) and (alerts or objective is not None or renames):
        refuse(say("foreign.not_over_ssh"))
    _need_terminal("attach", say("refusal.runs_instead"))
    said: list[str] = []
    runs = runs_folder(runs_dir)
    if run is not None and is_address(run):
        from tui_trainer.cli import remote
        from tui_trainer.records import range_tests
        from tui_trainer.run_sources.remote_record import IsRangeTest

        try:
            source = remote.far_run(run, said.append, readonly=readonly)
        except IsRangeTest as there:
            read = partial(range_tests.decode, there.content, plain(str(there.address)))
            sys.exit(_show_range_test(read, runs, max_rate))
        exit_code, shows_end = _look_at(source, runs, told, max_rate=max_rate, first_word=" ".join(said))
        if shows_end:
            remote.say_farewell(source.address, source.history)
        sys.exit(exit_code)
    if run is not None and (tested := range_test(runs, run)) is not None:
        from tui_trainer.records import range_tests

        sys.exit(_show_range_test(partial(range_tests.read, tested), runs, max_rate))
    record = foreign_record(runs, run, said.append) if run is not None else None
    keep_choices(record, objective, renames)
    if record is None:
        refuse_rules_for_ours(alerts)
    else:
        rules, word = rules_of(alerts), " ".join(said)
        named = given_path(run or "")
        code = _watch(
            record.path, told, readonly=True, max_rate=max_rate, first_word=word, runs=runs, named=named, rules=rules
        )
        sys.exit(code)
    folder = awaited(runs, run, said.append)
    sys.exit(_watch(folder, told, readonly=readonly, max_rate=max_rate, first_word=" ".join(said)))


def _show(
    request: RunRequest,
    runs: Path,
    shell: foreground.Foreground,
    told: NotifyOptions,
    *,
    start: bool,
    max_rate: float | None,
    exit_when_done: bool,
) -> int:
    """Show the app until the person leaves it, and return the command's exit code.

    A run outlives its screen: where the terminal was closed, or the person left it training, this waits for its end.
    """
    from tui_trainer.run_sources.launcher import InProcessLauncher  # of no use to `attach`

    launcher = InProcessLauncher(runs, sys.argv, told.notify)
    apps: list[TrainerApp] = []
    comparisons = Comparisons(
        runs,
        request,
        lambda: _record_on_show(launcher),
        lambda: bool(apps) and apps[-1].context.is_live,
        shell,
        told.notify,
    )
    # Before there is a screen, and after it.
    stopping = stop_on_signals(lambda command: _stop(launcher, comparisons, command))

    def context_of(terminal: Terminal) -> AppContext:
        launcher.on_record = partial(_record_begun, shell, terminal)
        source = launcher.start_request(request) if start else None  # here: until now a signal ends all
        return _context_to_train(launcher, source, comparisons, request, runs, told, exit_when_done=exit_when_done)

    gc.disable()
    exit_code = show_app(apps, context_of, max_rate, shell.to_parent)
    if exit_code > 128:
        stopping.has_asked()
    exit_code = _afterwards(apps, launcher, comparisons, exit_code, shell)
    if any(run.is_training for run in launcher.runs):
        leave(exit_code)
    return exit_code


def show_app(
    apps: list[TrainerApp],
    context_of: Callable[[Terminal], AppContext],
    max_rate: float | None,
    to_parent: int | None = None,
    comparison: tuple[Comparison, Queue | None] | None = None,
    range_test: RangeTestRecord | None = None,
) -> int:
    """Show the app until the person leaves it; the exit code of `ui.show.show`.

    Args:
        apps: where the app is put once there is one.
        context_of: makes what the app needs, with the terminal set up.
        max_rate: kilobytes a second that are sent to the terminal; None for what suits most links.
        to_parent: the descriptor of a pipe whose other end lives as long as the terminal does.
        comparison: what is shown first, if that is no run: a comparison, and what trains for it.
        range_test: or a recorded LR range test.
    """
    from tui_trainer.ui.app import TrainerApp
    from tui_trainer.ui.show import show

    def make_app(terminal: Terminal) -> TrainerApp:
        apps.append(TrainerApp(context_of(terminal), terminal, comparison, range_test))
        return apps[-1]

    return show(make_app, None if max_rate is None else max_rate * 1000, to_parent)


def _context_to_train(
    launcher: InProcessLauncher,
    source: RunSource | None,
    comparisons: Comparisons,
    request: RunRequest,
    runs: Path,
    told: NotifyOptions,
    *,
    exit_when_done: bool,
) -> AppContext:
    from tui_trainer.ui.context import AppContext
    from tui_trainer.ui.settings import Settings

    def shown() -> None:
        settle()
        launcher.go()

    context = AppContext(
        launcher=launcher,
        source=source,
        request=request,
        exit_when_done=exit_when_done,
        on_shown=shown,
        on_detach=lambda: _say_where(launcher, comparisons, paused=context.is_paused),
        on_resume=_resume,
        on_extend=_extend,
        on_compare=comparisons.open,
        runs=runs,
        bell=told.bell,
        settings=Settings.of_user(),
    )
    return context


def _record_begun(shell: foreground.Foreground, terminal: Terminal, record: Record) -> None:
    """From now on the run's log takes what is printed, and the shell's job is to train in its folder."""
    shell.train_in(record.folder)
    with suppress(OSError):  # without a log, what is printed is shown after leaving
        terminal.log_to(record.folder / "log.txt")


def _afterwards(
    apps: Sequence[TrainerApp],
    launcher: InProcessLauncher,
    comparisons: Comparisons,
    exit_code: int,
    shell: foreground.Foreground,
) -> int:
    """The screen is gone: train on what outlives it, or say why the run ended; the command's exit code."""
    goes_on = bool(apps) and (apps[-1].hung_up or apps[-1].detached or apps[-1].failure is not None)
    if goes_on and apps[-1].failure is not None and (apps[-1].context.is_live or comparisons.is_training):
        _say_where(launcher, comparisons, paused=apps[-1].context.is_paused)
    if comparisons.is_training:
        return comparisons.finish(goes_on=goes_on, shell=shell) or exit_code
    source = apps[-1].context.source if apps else None
    if goes_on:
        if source is not None:
            source.close()  # nobody looks any more: what happens must not pile up for a screen that is gone
        return _train_on(launcher, launcher.runs[-1], shell) if launcher.runs else exit_code
    if launcher.runs and (source is None or launcher.trains(source)):
        _tell_of_end(launcher.runs[-1], source)
    elif source is not None and source.folder is not None:  # resumed in a process of its own
        _tell_of_other(source.folder, source.history)
    comparisons.say_farewell()
    return exit_code or comparisons.exit_code


def _tell_of_end(run: LocalRun, source: RunSource | None) -> None:
    """Say how the run on show ended; it may be about to."""
    ended = run.wait(LONGEST_END_S)
    if ended is not None and ended.exit_code in (1, 2) and (run.failure or run.record is None):
        say_aside(run.failure or ended.reason)
    if source is not None and run.folder is not None:
        source.poll()  # what came since the last frame
        exit_summary.of_run(run.folder, source.history)


def _tell_of_other(folder: Path, history: History) -> None:
    if history.ended is not None:
        exit_summary.of_run(folder, history)
    else:
        exit_summary.of_left("attach", folder.name, folder.parent, paused=history.paused is not None)


def _record_on_show(launcher: InProcessLauncher) -> Path | None:
    record = launcher.runs[-1].record if launcher.runs else None
    return record.folder if record is not None else None


def _train_on(launcher: InProcessLauncher, run: LocalRun, shell: foreground.Foreground) -> int:
    """Give the shell its prompt, and wait for the run's end; what is printed meanwhile goes to the run's log."""

    launcher.on_record = log_from_here
    shell.leave()
    if run.record is not None:
        log_from_here(run.record)
    ended = run.wait()
    return ended.exit_code if ended else 1


def log_from_here(record: Record) -> None:
    """Have what is printed go to a run's log, which is told why."""
    foreground.print_to(record.folder / "log.txt")
    click.echo(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {say('shell.in_background')}")


def _stop(launcher: InProcessLauncher, comparisons: Comparisons, command: Stop) -> None:
    """A signal came, and no screen is there to take it: end what trains, or what has not begun."""
    if comparisons.queue is not None and comparisons.is_training:
        comparisons.queue.stop(command)
    elif launcher.runs:
        launcher.runs[-1].control.send(command)
    elif comparisons.queue is None:
        os._exit(command.exit_code)


def _say_where(launcher: InProcessLauncher, comparisons: Comparisons, *, paused: bool) -> None:
    """What trains on, or is `paused`, and how to find it again."""
    if comparisons.queue is not None:
        comparisons.say_where()
    elif launcher.runs and (record := launcher.runs[-1].record) is not None:
        exit_summary.of_left("attach", record.id, record.folder.parent, paused=paused)
    elif launcher.runs:
        exit_summary.of_left_unnamed(launcher.runs_folder)


def _watch(
    folder: Path,
    told: NotifyOptions,
    *,
    readonly: bool,
    max_rate: float | None,
    first_word: str = "",
    runs: Path | None = None,
    named: Path | None = None,
    rules: Sequence[AlertRule] = (),
) -> int:
    """Show the run whose record lies in a folder, or at a path if another tool has written it; the exit code.

    `runs` is the folder of all runs, where it is not the one that holds the record; `named` is where a person looks for
    what other tools have recorded, and `rules` are held against the numbers of that.
    """
    source = open_source(folder, readonly=readonly, rules=rules)
    runs = runs or folder.parent
    comparisons = Comparisons(runs, None, lambda: source.folder, lambda: False)
    exit_code, shows_end = _look_at(
        source, runs, told, comparisons, named, can_resume=not readonly, max_rate=max_rate, first_word=first_word
    )
    if shows_end:
        if source.folder is not None:
            exit_summary.of_run(source.folder, source.history)
        comparisons.say_farewell()
    return exit_code


def _look_at(
    source: RunSource,
    runs: Path,
    told: NotifyOptions,
    comparisons: Comparisons | None = None,
    named: Path | None = None,
    *,
    can_resume: bool = False,
    max_rate: float | None,
    first_word: str,
) -> tuple[int, bool]:
    """Show a run of another process until the person leaves it; the exit code, and whether its end may be told then.

    Args:
        source: the run; closed afterwards.
        runs: the folder of all runs.
        told: what rings the bell.
        comparisons: what it is compared by; None where it cannot be.
        named: where it was looked for, if another tool has recorded it.
        can_resume: whether it may be gone on with from here.
        max_rate: as for `show_app`.
        first_word: what is to be said first.
    """
    apps: list[TrainerApp] = []

    def context_of(_: Terminal) -> AppContext:
        from tui_trainer.ui.context import AppContext
        from tui_trainer.ui.settings import Settings

        return AppContext(
            source=source,
            on_resume=_resume if can_resume else None,
            on_extend=_extend if can_resume else None,
            on_compare=comparisons.open if comparisons is not None else None,
            by="attach",
            first_word=first_word,
            on_shown=settle,
            runs=runs,
            named=named,
            bell=told.bell,
            settings=Settings.of_user(),
        )

    gc.disable()
    exit_code = show_app(apps, context_of, max_rate)
    source.close()
    return exit_code, bool(apps) and not apps[-1].hung_up and apps[-1].failure is None


def _resume(folder: Path) -> None:
    from tui_trainer.cli.apart import resume  # where somebody asks for it

    resume(folder)


def _extend(folder: Path, extension: Extension) -> None:
    from tui_trainer.cli.apart import extend

    extend(folder, extension)


def _show_range_test(read: Callable[[], RangeTestRecord], runs: Path, max_rate: float | None) -> int:
    """Show a recorded LR range test until the person leaves it; the exit code."""
    try:
        record = read()
        _ = record.spec
    except RunsError as error:
        refuse(str(error))

    def context_of(_: Terminal) -> AppContext:
        from tui_trainer.ui.context import AppContext
        from tui_trainer.ui.settings import Settings

        return AppContext(by="attach", on_shown=settle, runs=runs, settings=Settings.of_user())

    gc.disable()
    return show_app([], context_of, max_rate, range_test=record)


def settle() -> None:
    """The first frame is up: what was imported for it stays, so the collector, off until now, need not look at it. A
    screen may be open for days, and outlive what is installed: its words are read now."""
    captions.load()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def _need_terminal(command: str, instead: str) -> None:
    if not this_rank().alone:
        refuse(say("refusal.one_process", command=command))
    if not (os.isatty(0) and os.isatty(1)):
        refuse(say("refusal.no_terminal", command=command, instead=instead))
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        refuse(say("refusal.dumb_terminal", command=command, instead=instead))
    if not wait_until_in_front(0):
        refuse(say("refusal.no_shell", command=command, instead=instead))
