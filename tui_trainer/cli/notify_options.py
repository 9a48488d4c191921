"""`--notify`, `--notify-on` and `--bell`: how a person who looks away is told."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from tui_trainer.events import Alert, AnyEvent, RunEnded
from tui_trainer.records.health import KINDS
from tui_trainer.run_sources.notifier import NEWS, USUAL_NEWS, NotifyCommand


@dataclass(frozen=True)
class NotifyOptions:
    """What the person wants to be told of, and how."""

    notify: NotifyCommand | None = None
    bell: frozenset[str] = frozenset()
    """The events that ring the terminal's bell; none without `--bell`."""

    @property
    def is_asked(self) -> bool:
        return self.notify is not None or bool(self.bell)

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
    help=f"The events for --notify and --bell: any of {', '.join(NEWS)}, separated by commas. "
    "best: an epoch that is the best so far, after one that was not; once a minute at most.",
)
_bell = click.option("--bell", is_flag=True, help="Ring the terminal bell at these events.")


def bell_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--bell` and `--notify-on`, as `told`: for those who only watch."""
    return _on(_bell(_with_told(command)))


def notify_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same with `--notify`."""
    return _notify(_on(_bell(_with_told(command))))


def _with_told(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def called(
        *args: Any, bell: bool, notify_on: frozenset[str], notify: tuple[str, ...] | None = None, **options: Any
    ) -> Any:
        asked = NotifyCommand(notify, notify_on) if notify is not None else None
        return command(*args, told=NotifyOptions(asked, notify_on if bell else frozenset()), **options)

    return called
