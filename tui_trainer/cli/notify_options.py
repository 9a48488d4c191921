"""`--notify`, `--webhook`, `--notify-on` and `--bell`: how a person who looks away is told."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from tui_trainer.cli.options import GivenPath
from tui_trainer.events import Alert, AnyEvent, RunEnded
from tui_trainer.records.health import KINDS
from tui_trainer.run_sources.notifier import NEWS, USUAL_NEWS, WEBHOOK_VARIABLE, NotifyCommand, Told, Webhook
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.torchrun import this_rank


class NotifyOptions(NamedTuple):
    """What the person wants to be told of, and how."""

    notify: tuple[Told, ...] = ()
    """Commands to run, and addresses to post to."""
    bell: frozenset[str] = frozenset()
    """The events that ring the terminal's bell; none without `--bell`."""
    is_asked: bool = False
    """Whether the options of this command ask for any of it; what the environment says is for those that can."""

    def rings_for(self, event: AnyEvent) -> bool:
        """Whether the bell is wanted for it."""
        kind = event.kind if isinstance(event, Alert) else "end" if isinstance(event, RunEnded) else ""
        return kind in self.bell


def ring() -> None:
    """Ring the terminal's bell; a pipe hears nothing, and a terminal that is gone does no harm."""
    terminal = sys.__stderr__  # a progress bar stands in for the other one
    with suppress(OSError, ValueError):
        if terminal is not None and terminal.isatty():
            terminal.write("\a")
            terminal.flush()


def _command(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} cannot be split into words: {error}.", context, parameter) from None
    if not words:
        raise click.BadParameter("there is no command in it.", context, parameter)
    if shutil.which(words[0]) is None:
        raise click.BadParameter(f"there is no program {words[0]!r} here.", context, parameter)
    return words


def _events(context: click.Context, parameter: click.Parameter, text: str) -> frozenset[str]:
    names = [KINDS.get(name.strip(), name.strip()) for name in text.split(",") if name.strip()]  # type: ignore[call-overload]
    if wrong := [name for name in names if name not in NEWS]:
        raise click.BadParameter(f"{wrong[0]!r} is none of {', '.join(NEWS)}.", context, parameter)
    return frozenset(names)


def _address(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    from tui_trainer.run_sources.webhook import BadAddress, checked_address

    try:
        address = None if text is None else checked_address(text)
        if address is not None and this_rank().leads:
            click.echo(f"warning: {say('shell.address_in_list', variable=WEBHOOK_VARIABLE)}", err=True)
        return address
    except BadAddress as error:
        raise click.BadParameter(f"{error}.", context, parameter) from None


def _address_in(context: click.Context, parameter: click.Parameter, file: Path | None) -> str | None:
    from tui_trainer.run_sources.webhook import BadAddress, address_in

    try:
        return None if file is None else address_in(file)
    except BadAddress as error:
        raise click.BadParameter(f"{plain(str(file))}: {error}.", context, parameter) from None


def _address_of_environment() -> str | None:
    """Where nobody gave another one."""
    from tui_trainer.run_sources.webhook import BadAddress, checked_address

    text = os.environ.get(WEBHOOK_VARIABLE, "")
    try:
        return checked_address(text) if text else None
    except BadAddress as error:
        raise click.UsageError(f"{WEBHOOK_VARIABLE}: {error}.") from None


_notify = click.option(
    "--notify",
    metavar="COMMAND",
    callback=_command,
    help="Run this command on the events of --notify-on: without a shell, with the details in its environment "
    "(TUI_TRAINER_EVENT, _TEXT, _RUN and more), for 10 seconds at most.",
)
_on = click.option(
    "--notify-on",
    metavar="EVENTS",
    default=",".join(USUAL_NEWS),
    show_default=True,
    callback=_events,
    help=f"The events for --notify, --webhook and --bell: any of {', '.join(NEWS)}, separated by commas. "
    "best: an epoch that is the best so far, after one that was not; once a minute at most.",
)
_webhook = click.option(
    "--webhook",
    metavar="URL",
    callback=_address,
    help="Post the events of --notify-on as JSON to this https address. Others on this machine can read it in the list "
    f"of processes: --webhook-file, or {WEBHOOK_VARIABLE} in the environment, keeps it to you.",
)
_webhook_file = click.option(
    "--webhook-file",
    type=GivenPath(what="file"),
    callback=_address_in,
    help="As --webhook, with the address in a file of mode 0600.",
)
_bell = click.option("--bell", is_flag=True, help="Ring the terminal bell at the events of --notify-on.")


def bell_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--bell` and `--notify-on`, as `told`: for those who only watch."""
    return _on(_bell(_with_told(command)))


def notify_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same with `--notify` and `--webhook`."""
    return _notify(_webhook(_webhook_file(_on(_bell(_with_told(command, posts=True))))))


def _with_told(command: Callable[..., Any], *, posts: bool = False) -> Callable[..., Any]:
    @wraps(command)
    def called(
        *args: Any,
        bell: bool,
        notify_on: frozenset[str],
        notify: tuple[str, ...] | None = None,
        webhook: str | None = None,
        webhook_file: str | None = None,
        **options: Any,
    ) -> Any:
        whom: list[Told] = [] if notify is None else [NotifyCommand(notify, notify_on)]
        given = webhook or webhook_file
        is_asked = bell or bool(whom) or given is not None
        address = given or (_address_of_environment() if posts else None)
        if address is not None:
            whom.append(Webhook(address, notify_on))
        told = NotifyOptions(tuple(whom), notify_on if bell else frozenset(), is_asked)
        return command(*args, told=told, **options)

    return called
