"""`compare`: presets trained under the same conditions, on a screen or in plain lines; `--list` shows earlier ones."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui_trainer.cli import completion, exit_summary, foreground
from tui_trainer.cli.columns import Column, in_columns, room
from tui_trainer.cli.compare_reporter import CompareReporter
from tui_trainer.cli.console import SafeOutput
from tui_trainer.cli.launch import max_rate_option, show_app
from tui_trainer.cli.notify_options import NotifyOptions, notify_options, ring
from tui_trainer.cli.options import (
    GivenPath,
    all_checked,
    allow_or_refuse,
    check_runs_folder,
    has_torch,
    need_torch,
    of_each,
    refuse,
    rehearse,
    training_options,
)
from tui_trainer.cli.options import say as say_aside
from tui_trainer.cli.signal_handlers import LONGEST_END_S, SignalHandlers, leave, stop_on_signals
from tui_trainer.cli.sweep import specs_of, trials_of
from tui_trainer.commands import Stop
from tui_trainer.compare import slurm
from tui_trainer.compare.columns import parsed_columns
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.differences import same_plans
from tui_trainer.compare.entries import (
    LESSON,
    fair_threads,
    joined,
    on_the_same,
    reused,
    to_train,
    told_apart,
    versions,
)
from tui_trainer.compare.executors import outcome, to_do
from tui_trainer.compare.median_stopping import MEDIAN, can_go_by
from tui_trainer.compare.metric import ACCURACY
from tui_trainer.compare.news import News
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.report import FORMS, ReportFailed, write_report
from tui_trainer.compare.session import Session, SessionSummary, all_sessions, find_session, session_summaries
from tui_trainer.compare.slurm import cpus_of
from tui_trainer.compare.slurm import options as slurm_options
from tui_trainer.compare.sweep import Trial
from tui_trainer.errors import UserError
from tui_trainer.presets.catalogue import load
from tui_trainer.records.errors import RunInUse, RunsError, RunUnreadable
from tui_trainer.records.runs_folder import runs_folder, shell_command
from tui_trainer.records.series_names import parsed
from tui_trainer.remote.connection import Lost
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.far_records import FarRecords
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.torchrun import this_rank
from tui_trainer.ui.terminal.job_control import wait_until_in_front

if TYPE_CHECKING:
    from tui_trainer.ui.terminal.terminal import Terminal

COLUMNS = (
    Column("when", drop=1),
    Column("session", least=20),
    Column("name", least=8, if_any=True),
    Column("runs", drop=2),
    Column("status"),
    Column("what", least=12),
)

WIDEST = 48
"""Characters that the names of what is compared may take."""


def list_sessions(runs: Path, *, as_json: bool) -> None:
    """Print them, newest first."""
    warnings: list[str] = []
    try:
        found = session_summaries(runs, warnings.append)
    except RunUnreadable as error:
        refuse(str(error), exit_code=1)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    elif not found and not warnings:
        click.echo(say("shell.no_comparisons", folder=runs), err=True)
    elif found:
        for line in in_columns(COLUMNS, [_row(session) for session in found], room()):
            click.echo(line)
    for warning in warnings:
        say_aside(f"warning: {warning}")


def _row(session: SessionSummary) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.created_at))
    what = ", ".join(map(plain, session.labels)) + (f" × {session.seeds} seeds" if session.seeds > 1 else "")
    what = what if len(what) <= WIDEST else what[: WIDEST - 1] + "…"
    return [when, session.id, plain(session.name or ""), str(session.runs), _status(session), what]


def _status(session: SessionSummary) -> str:
    if session.live:
        return f"trains, {session.done} done"
    return "done" if session.done == session.runs else f"{session.done} of {session.runs} done"


LOOK_EVERY = 0.1
"""Seconds between looks at the runs, without a screen."""


@click.command()
@click.argument("what", nargs=-1, metavar="[PRESET|RUN|SESSION]...", shell_complete=completion.presets_and_runs)
@click.option(
    "--preset", "more", multiple=True, metavar="NAME|FILE", shell_complete=completion.presets, help="A preset to add."
)
@training_options
@notify_options
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How many seeds to train each preset with.",
)
@click.option(
    "--grid",
    "grids",
    multiple=True,
    metavar="TABLE.KEY=VALUE,...",
    help="Train one preset with each of these values of a key, such as optimizer.lr=0.01,0.03; several: each "
    "combination.",
)
@click.option(
    "--random",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Train one preset with N different draws from what --space says; --seed decides them.",
)
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="TABLE.KEY=SPACE",
    help="What --random draws a key from: log:LOW:HIGH, uniform:LOW:HIGH, int:LOW:HIGH or VALUE,VALUE; may be "
    "repeated.",
)
@click.option(
    "--metric",
    metavar="NAME[:min|max]",
    help="Compare by this series of the runs, val_loss say, instead of the validation accuracy.",
)
@click.option(
    "--columns",
    metavar="NAME,...",
    help="What the table shows: numbers (final_accuracy), series (val_loss), settings (optimizer.lr); standard: the "
    "usual numbers, settings: all that differ.",
)
@click.option(
    "--target",
    type=float,
    help="What is to be reached: a validation accuracy from 0 to 1, or with --metric a value of that.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="How many runs train at once: 1, on SLURM as many as it lets."
)
@click.option(
    "--executor",
    type=click.Choice(["local", "slurm"]),
    help="Who trains: this machine, or a job array of SLURM's, a run a task; by itself as the session was begun.",
)
@click.option(
    "--slurm-args",
    metavar="OPTIONS",
    help="Options of sbatch's for each task, such as '--partition gpu --gres gpu:1 --time 2:00:00'.",
)
@click.option(
    "--stop-worse-than",
    type=click.Choice([MEDIAN]),
    help="End a run early whose best is worse than the median of what three or more others had at the same epoch; none "
    "before a quarter of its epochs.",
)
@click.option("--report", type=GivenPath(what="file"), help=f"Write a report to this file: {', '.join(FORMS)}.")
@click.option("--lesson", is_flag=True, help="The experiment of the lesson: six schedules on mnist-5k.")
@click.option("--again", is_flag=True, help="Train again what was already trained with exactly these options.")
@click.option("--exit-when-done", is_flag=True, help="Close the screen when all runs are done.")
@max_rate_option
@click.option("--list", "list_them", is_flag=True, help="List all comparisons, newest first.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print what came of it as one JSON object, without a screen; with --list: a list.",
)
def compare(
    what: tuple[str, ...],
    more: tuple[str, ...],
    runs_dir: Path | None,
    report: Path | None,
    metric: str | None,
    columns: str | None,
    lesson: bool,
    exit_when_done: bool,
    max_rate: float | None,
    list_them: bool,
    as_json: bool,
    told: NotifyOptions,
    executor: str | None,
    slurm_args: str | None,
    **options: Any,
) -> None:
    """Train presets on the same data, model and initial weights, and compare them side by side.

    Add runs by id or name, those of other tools by path, and those of other machines by address (ssh://HOST/PATH). Open
    and continue a session by its own id; `tui-trainer stop` ends it.
    """
    if not this_rank().alone:
        refuse(say("refusal.compare_ranks"))
    runs = runs_folder(runs_dir)
    if list_them:
        list_sessions(runs, as_json=as_json)
        return
    if report is not None and report.suffix.lower() not in FORMS:
        refuse(say("refusal.report_form", file=report, forms=", ".join(FORMS)))
    on_screen = (
        not as_json and os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    )
    if on_screen and not wait_until_in_front(0):
        refuse(say("refusal.no_shell", command="compare", instead=say("refusal.file_instead")))
    try:
        shown = parsed_columns(columns) if columns is not None else ()
    except ValueError as error:
        refuse(f"--columns {plain(columns or '')}: {error}")
    asked = [*what, *more, *(name for name in LESSON if lesson)]
    for_slurm = _checked_for_slurm(executor, slurm_args)
    cpus = cpus_of(for_slurm) if for_slurm is not None else None
    far = FarRecords(asks=say_aside, warn=say_aside)
    click.get_current_context().call_on_close(far.close)
    session, is_new = _open_or_make(runs, asked, far, lesson=lesson, metric=metric, cpus=cpus, **options)
    try:
        left = to_do(session)
    except RunsError as error:
        refuse(str(error), exit_code=1)
    if left and not session.is_trained and (for_slurm is not None or executor is not None or not session.submitted):
        allow_or_refuse([code for index in left for code in session.entries[index].code], session.id)
    if for_slurm is not None:
        if left:
            _submit(session, left, for_slurm, options["jobs"], is_new=is_new)
        left = []  # for this process
    elif executor is None and session.submitted:
        left = []
    trains = bool(left)
    if trains and not has_torch() and not session.is_trained:
        if is_new:
            _forget_if_nothing_came_of_it(session)
        need_torch("compare")
    if told.notify and told.is_asked and (not trains or session.is_trained):
        say_aside(f"warning: {say('shell.nobody_notified')}")
    comparison = Comparison(session, metric, shown, far)
    if on_screen:
        code = _show(comparison, told, to_do=trains, report=report, max_rate=max_rate, exit_when_done=exit_when_done)
    else:
        code = _tell(comparison, told, to_do=trains, report=report, as_json=as_json)
    if is_new:
        _forget_if_nothing_came_of_it(session)
    sys.exit(code)


def _checked_for_slurm(executor: str | None, given: str | None) -> list[str] | None:
    """Options for `sbatch`, which would take a job with them; None where SLURM is not to train. What is wrong ends the
    program, exit 2, before anything is made or submitted."""
    if executor != "slurm":
        if given is not None:
            refuse(say("cluster.needs_slurm"))
        return None
    try:
        words = slurm_options(given or "")
        slurm.check(words)
    except ValueError as error:
        refuse(f"--slurm-args {plain(given or '')}: {error}")
    except slurm.SlurmRefused as error:
        refuse(f"--executor slurm: {error}")
    return words


def _submit(session: Session, left: list[int], words: list[str], at_once: int | None, *, is_new: bool) -> None:
    """Give SLURM what is left, but for what it has, or somebody trains."""
    try:
        taken = {claim.trial for claim in session.claims.alive()}
        if session.submitted:
            taken |= slurm.tasks(session).keys()
        trials = [index for index in left if index not in taken]
        if not trials:
            say_aside(say("cluster.nothing_to_submit"))
            return
        job = slurm.submit(session, trials, words, at_once)
    except (slurm.SlurmRefused, OSError) as error:
        if is_new:
            _forget_if_nothing_came_of_it(session)
        refuse(f"--executor slurm: {error}", exit_code=1)
    typed = {name: shell_command(name, session.id, session.runs) for name in ("compare", "stop")}
    say_aside(say("cluster.submitted", runs=counted(len(trials), "run"), job=job, **typed))


def _check_target(target: float | None, metric: str | None) -> None:
    """What cannot be meant ends the program, exit 2. Whether runs have the metric, they know only as they train."""
    if target is not None and not isfinite(target):
        refuse(say("refusal.target_not_finite", target=target))
    if target is not None and (metric is None or parsed(metric)[0] == ACCURACY.name) and not 0 <= target <= 1:
        refuse(say("refusal.no_accuracy", target=f"{target:g}"))


def _open_or_make(
    runs: Path,
    asked: list[str],
    far: FarRecords,
    *,
    lesson: bool,
    metric: str | None,
    seeds: int,
    target: float | None,
    stop_worse_than: str | None,
    jobs: int | None,
    again: bool,
    name: str | None,
    cpus: int | None,
    grids: Sequence[str],
    random: int | None,
    spaces: Sequence[str],
    **options: Any,
) -> tuple[Session, bool]:
    """The session that is meant, and whether it is a new one. What is wrong ends the program, exit 2."""
    check_runs_folder(runs)
    trials = trials_of(grids, random, spaces, seeds, options["seed"])
    sweeps = "--random" if spaces else "--grid"
    try:
        if metric is not None:
            parsed(metric)
    except ValueError as error:
        refuse(f"--metric {plain(metric or '')}: {error}")
    try:
        if len(asked) == 1 and (folder := find_session(runs, asked[0])) is not None:
            session = Session.open(folder)
            if trials:
                refuse(say("sweep.session_has_trials", session=session.id, option=sweeps))
            if target is not None and target != session.plan.target:
                refuse(_target_stays(session, target))
            if stop_worse_than not in (None, session.plan.stop_worse_than):
                refuse(say("sweep.rule_stays", session=session.id))
            for entry in session.entries:
                if entry.address:
                    far.try_to_take(entry.address)
            return session, False
        presets, records = told_apart(asked, runs, far)
        latest = all_sessions(runs)[:1]
    except UserError as error:
        refuse(*str(error).splitlines())
    except Lost as error:
        refuse(str(error), exit_code=1)
    _check_target(target, metric)
    if stop_worse_than is not None and not can_go_by(metric):
        refuse(say("sweep.no_rule_by", metric=plain(metric or "")))
    if trials and len(presets) != 1:
        refuse(say("sweep.one_preset", option=sweeps))
    if (len(trials) or len(presets)) * seeds + len(records) < 2:
        known = say("refusal.known_session", session=latest[0].name) if latest else ""
        refuse(say("refusal.too_few", known=known))
    if options["seed"] + seeds - 1 >= 2**63:
        refuse(say("refusal.beyond_last_seed", seed=options["seed"], seeds=seeds))
    specs = _specs(presets, cpus or fair_threads(jobs or 1), options, trials)
    entries = to_train(specs, seeds, trials)
    if not again:
        entries = reused(entries, runs, versions())
    entries += joined(records, runs, [entry.label for entry in entries], far)
    name = name or ("lesson" if lesson else None)
    try:
        session = Session.create(
            runs,
            entries,
            command=sys.argv,
            name=name,
            jobs=jobs or 1,
            target=target,
            metric=metric,
            drawn_with=options["seed"] if spaces else None,
            stop_worse_than=stop_worse_than,
        )
        _say_which_are_the_same(session)
        return session, True
    except RunsError as error:
        refuse(str(error))


def _say_which_are_the_same(session: Session) -> None:
    """Before anything trains, and on the screen too; what each preset's numbers lead to was said as they were read."""
    for sentence in same_plans(Comparison(session)):
        say_aside(f"warning: {sentence}")


def _target_stays(session: Session, target: float) -> str:
    """What to say of another target for a session that has one, or was begun without."""
    own = session.plan.target
    has = say("refusal.has_target", target=f"{own:g}") if own is not None else say("refusal.has_no_target")
    return say("refusal.target_stays", target=f"{target:g}", session=session.id, has=has)


def _specs(presets: list[str], threads: int, options: dict[str, Any], trials: Sequence[Trial]) -> list[RunSpec]:
    """All on the same data and model: those asked for, else those that one of the presets is made for."""
    loaded = dict(zip(presets, of_each(presets, load), strict=True))
    try:
        brought, said = on_the_same(loaded, options)
    except RunsError as error:
        refuse(*str(error).splitlines())
    requests = {name: RunRequest(name, **{**options, **brought, "name": None}) for name in presets}
    specs = specs_of(trials, *requests.popitem()) if trials else all_checked(requests[name] for name in presets)
    if specs and has_torch():
        rehearse(*specs)
    if said:
        say_aside(said)
    return [
        spec.model_copy(update={"threads": spec.threads or threads, "from_preset": tuple(brought)}) for spec in specs
    ]


def _tell(comparison: Comparison, told: NotifyOptions, *, to_do: bool, report: Path | None, as_json: bool) -> int:
    """Without a screen: lines as it goes, the table and the verdict at the end; or, at the end, all of it as JSON."""
    session = comparison.session
    if comparison.far is not None:
        comparison.far.fetch()
        if to_do:
            comparison.far.follow()
    queue = _queue(session, notify=told.notify) if to_do else None
    if queue is not None:
        stop_on_signals(queue.stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        queue.start()
    telling, voice = CompareReporter(comparison, as_json=as_json), SafeOutput(lambda: session.folder)
    news = News(comparison)
    while True:
        over = queue.is_over if queue is not None else None
        changed = comparison.poll()
        voice.say(telling.tell_news)
        if news.kinds() & told.bell:
            ring()
        if over or (queue is None and not comparison.is_driven and not changed):
            break
        time.sleep(LOOK_EVERY)
    comparison.poll_all()
    voice.say(telling.tell_news)
    if news.kinds() & told.bell:
        ring()
    voice.say(telling.tell_findings)
    return finish(comparison, queue, report, as_json=as_json)


def _queue(session: Session, **options: Any) -> Queue | None:
    """Who trains what is left; None where another process does so already."""
    try:
        return Queue(session, **options)
    except RunInUse:
        return None
    except RunsError as error:
        refuse(str(error), exit_code=1)


def _show(
    comparison: Comparison,
    told: NotifyOptions,
    *,
    to_do: bool,
    report: Path | None,
    max_rate: float | None,
    exit_when_done: bool,
) -> int:
    """The screen, until the person leaves it. What trains here outlives it, unless the person stops it."""
    from tui_trainer.ui.app import TrainerApp
    from tui_trainer.ui.context import AppContext
    from tui_trainer.ui.settings import Settings

    session = comparison.session
    shell = foreground.take(exit_summary.of_killed) if to_do else None
    if shell is not None:
        shell.train_in(session.folder)
    if comparison.far is not None:
        comparison.far.follow()  # from here on: threads do not outlive the fork of `take`
    gate = threading.Event()
    queue = _queue(session, gate=gate, notify=told.notify) if to_do else None
    apps: list[TrainerApp] = []
    stopping = None
    if queue is not None:
        stopping = stop_on_signals(lambda command: _stop(queue, command, has_begun=bool(apps)))
        queue.start()

    def context_of(terminal: Terminal) -> AppContext:
        if queue is not None:
            queue.on_record = partial(_log_beneath, terminal)
        return AppContext(
            exit_when_done=exit_when_done,
            on_shown=gate.set,
            on_detach=lambda: exit_summary.of_left("compare", session.id, session.runs, paused=comparison.is_paused),
            settings=Settings.of_user(),
            bell=told.bell,
        )

    code = show_app(apps, context_of, max_rate, shell.to_parent if shell is not None else None, (comparison, queue))
    is_gone = not apps or apps[-1].hung_up or apps[-1].failure is not None
    if queue is None or shell is None or stopping is None:
        if not is_gone:
            exit_summary.of_comparison(comparison)
        finished = finish(comparison, None, report)
        return code or finished
    if not is_gone and not apps[-1].detached:
        return stop_and_finish(comparison, queue, report, code, stopping)
    if apps and apps[-1].failure is not None:
        exit_summary.of_left("compare", session.id, session.runs, paused=comparison.is_paused)
    return _train_on(comparison, queue, report, shell)


def _log_beneath(terminal: Terminal, record: Path) -> None:
    """What is printed beneath the screen goes to the log of the run that begins."""
    with suppress(OSError):  # without a log, what is printed is shown after leaving
        terminal.log_to(record / "log.txt")


def _train_on(comparison: Comparison, queue: Queue, report: Path | None, shell: foreground.Foreground) -> int:
    """Give the shell its prompt, and wait for the end; what is printed meanwhile goes to the newest run's log."""
    queue.on_record = lambda record: foreground.print_to(record / "log.txt")
    shell.leave()
    foreground.print_to(comparison.session.folder / "log.txt")
    queue.wait()
    comparison.poll_all()
    return finish(comparison, queue, report)


def _stop(queue: Queue, command: Stop, *, has_begun: bool) -> None:
    """A signal came, and no screen is there to take it. Before there was one, nothing trains."""
    if not has_begun:
        os._exit(command.exit_code)
    queue.stop(command)


def stop_and_finish(
    comparison: Comparison, queue: Queue, report: Path | None, exit_code: int, stopping: SignalHandlers
) -> int:
    """The person, or a signal, stopped what trains as the screen was left: wait for it, and say what came of it."""
    if exit_code > 128:
        stopping.has_asked()
    if exit_code > 128 and not queue.is_over:
        queue.stop(Stop(by="signal", reason=say("end.by_signal"), exit_code=exit_code))
    queue.wait(LONGEST_END_S)
    exit_summary.of_comparison(comparison)
    finished = finish(comparison, queue, report)
    if not queue.is_over:
        leave(exit_code or finished)
    return exit_code or finished


def finish(comparison: Comparison, queue: Queue | None, report: Path | None, *, as_json: bool = False) -> int:
    """Write the report, say what went wrong, and return the exit code."""
    code = queue.exit_code if queue is not None else 0
    if queue is not None and queue.failure:
        say_aside(queue.failure)
    if queue is not None and not queue.is_over:
        say_aside(say("shell.cut_off", seconds=f"{LONGEST_END_S:g}"))
    if report is not None:
        comparison.poll_all()
        try:
            write_report(comparison, report)
            click.echo(f"report: {report}", err=as_json)
        except ReportFailed as error:
            say_aside(str(error))
            code = code or 1
    comparison.close()
    if queue is None and not comparison.is_driven:
        code = code or _code_of_what_is_there(comparison.session)
    return code


def _code_of_what_is_there(session: Session) -> int:
    """Of a session that nobody trains now: whoever did so may have left some of it."""
    try:
        stands = outcome(session)
    except RunsError as error:
        refuse(str(error), exit_code=1)
    if stands.left and session.submitted:
        say_aside(say("cluster.only_shown", runs=counted(stands.left, "run")))
    elif stands.left:
        are = "is" if stands.left == 1 else "are"
        again = shell_command("compare", session.id, session.runs)
        say_aside(say("shell.runs_left", runs=counted(stands.left, "run"), are=are, command=again))
    return stands.exit_code


def _forget_if_nothing_came_of_it(session: Session) -> None:
    """Bad input leaves nothing behind."""
    session.refresh()
    if session.submitted or any(entry.run for entry in session.entries):
        return
    shutil.rmtree(session.folder, ignore_errors=True)
    for folder in (session.folder.parent, session.runs):
        with suppress(OSError):
            folder.rmdir()
