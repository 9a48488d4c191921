"""`run`: training without a screen."""

from __future__ import annotations

import queue
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_trainer.cli import completion
from tui_trainer.cli.notify_options import NotifyOptions, notify_options, ring
from tui_trainer.cli.options import (
    BAD_INPUT,
    allow_or_refuse,
    check_runs_folder,
    checked,
    need_torch,
    refuse,
    say,
    training_options,
    warn_of_same_name,
)
from tui_trainer.cli.signal_handlers import LOST_AFTER_S, leave, stop_on_signals
from tui_trainer.events import RunEnded
from tui_trainer.records.errors import RunsError
from tui_trainer.run_request import Extension, RunRequest
from tui_trainer.run_sources.in_process import LocalRun, asked_of
from tui_trainer.run_sources.run_source import replay
from tui_trainer.text.captions import say as caption
from tui_trainer.torchrun import this_rank

if TYPE_CHECKING:
    from tui_trainer.cli.apart import OnFolder


@click.command()
@click.option(
    "--preset",
    required=True,
    metavar="NAME|FILE",
    shell_complete=completion.presets,
    help="A shipped preset, one of yours, or a file.",
)
@training_options
@notify_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per epoch.")
@click.option("--detach", is_flag=True, help="Print the run's id and give the shell back; training goes on.")
@click.option(
    "--retry",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Where it crashes, or its process is killed, go on from its checkpoint: at most N times.",
)
def run(
    preset: str,
    runs_dir: Path | None,
    as_json: bool,
    detach: bool,
    retry: int,
    told: NotifyOptions,
    **options: Any,
) -> None:
    """Train without a screen: for scripts, batch systems and log files."""
    from tui_trainer.records.runs_folder import runs_folder

    if not this_rank().alone and (detach or retry):
        refuse(caption("refusal.run_ranks"))
    if detach and as_json:
        refuse(caption("refusal.nobody_reads"))
    request = RunRequest(preset, **options)
    checked(request)
    need_torch("run")
    runs = runs_folder(runs_dir)
    check_runs_folder(runs)
    warn_of_same_name(options["name"], runs)

    def train(goes_on: Path | None, begun: OnFolder) -> int:
        if goes_on is not None:
            return resume_here(goes_on, told, begun=begun, prints=not detach)
        local = LocalRun(request, runs, sys.argv, on_record=lambda record: begun(record.folder), notify=told.notify)
        return _train_here(local, told, as_json=as_json, prints=not detach)

    def train_on(begun: OnFolder) -> int:
        from tui_trainer.cli import apart

        return apart.retried(retry, train, begun) if retry else train(None, begun)

    if detach:
        from tui_trainer.cli import apart

        sys.exit(apart.begin(train_on))
    sys.exit(train_on(lambda _: None))


def resume_apart(
    folder: Path,
    told: NotifyOptions,
    data_dir: Path | None,
    alerts: tuple[str, ...],
    *,
    new_record: bool,
    extension: Extension | None = None,
) -> int:
    """As `resume_here`, in a process of its own that goes on when this one has ended: print the run's id, return 0."""
    from tui_trainer.cli import apart

    def go_on(begun: OnFolder) -> int:
        options: dict[str, Any] = {"new_record": new_record, "extension": extension, "prints": False}
        return resume_here(folder, told, data_dir, alerts, begun=begun, **options)

    return apart.begin(go_on)


def resume_here(
    folder: Path,
    told: NotifyOptions,
    data_dir: Path | None = None,
    alerts: tuple[str, ...] = (),
    *,
    new_record: bool = False,
    extension: Extension | None = None,
    begun: OnFolder = lambda _: None,
    prints: bool = True,
) -> int:
    """Go on with a run that ended, and return the exit code.

    Args:
        folder: its record's.
        told: whom to tell of it.
        data_dir: where its data lies now, if it moved.
        alerts: rules beside those that it has.
        new_record: begin a new record, from its checkpoint.
        extension: train another number of epochs than it was to.
        begun: told of the folder that it trains into, as soon as it does.
        prints: whether anybody reads what is printed; its log has it anyway.
    """
    need_torch("resume")
    try:
        spec = asked_of(folder, new_record=new_record)
    except RunsError as error:
        refuse(str(error))
    if spec.code:
        allow_or_refuse(spec.code, folder.name)
    if data_dir is not None:
        spec = spec.model_copy(update={"data_dir": data_dir})
    spec = spec.model_copy(update={"alerts": (*spec.alerts, *alerts)})
    run = LocalRun(
        RunRequest.of(spec),
        folder.parent,
        sys.argv,
        goes_on=folder,
        new_record=new_record,
        extension=extension,
        on_record=lambda record: begun(record.folder),
        notify=told.notify,
    )
    return _train_here(run, told, as_json=False, prints=prints)


def _train_here(local: LocalRun, told: NotifyOptions, *, as_json: bool, prints: bool = True) -> int:
    """Train in a thread, tell of it on stdout, and return the exit code. Signals are for this thread to catch."""
    from tui_trainer.cli.console import EventQueue, LogReporter, SafeReporter, reporter_for
    from tui_trainer.records.history import History

    here = this_rank()
    events = EventQueue()
    local.listen(events.put)
    stopping = stop_on_signals(local.control.send)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal ends no run
    history = replay(local.goes_on, forgets=True) if local.goes_on else History(forgets=True)
    heard = SafeReporter(
        reporter_for(sys.stdout if here.leads and prints else None, as_json=as_json),
        lambda: local.record.folder if local.record is not None else None,
    )
    reporter = LogReporter(heard, lambda: local.record)
    local.start()
    ended: RunEnded | None = None
    try:
        while ended is None:
            try:
                event = events.get(timeout=stopping.seconds_left)
            except queue.Empty:
                event = local.give_up()
            history.apply(event)
            if not (isinstance(event, RunEnded) and event.exit_code == BAD_INPUT):  # that is said below, once
                reporter.tell(event, history)
            if told.rings_for(event) and here.leads:
                ring()
            ended = event if isinstance(event, RunEnded) else None
    finally:
        reporter.close()
    local.wait(LOST_AFTER_S)
    if ended.exit_code in (1, 2):
        say(local.failure or ended.reason)
    if not here.alone:
        leave(ended.exit_code)
    return ended.exit_code
