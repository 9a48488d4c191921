"""Addresses of other machines that a person gives to commands: a run to attach to, folders of runs to list."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from tui_trainer.cli.options import refuse
from tui_trainer.cli.options import say as say_aside
from tui_trainer.errors import UserError
from tui_trainer.records.summary import RunSummary
from tui_trainer.remote.address import Address, BadAddress
from tui_trainer.remote.connection import Lost
from tui_trainer.run_sources.far_runs import runs_on
from tui_trainer.text.captions import say
from tui_trainer.text.plain import in_ascii, plain, shows_unicode

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.run_sources.remote_source import RemoteSource


def far_run(given: str, warn: Callable[[str], None], *, readonly: bool) -> RemoteSource:
    """The run that an address means. Where it cannot be had, say why and end the program: exit 2, or 1 for the line.

    Args:
        given: `ssh://host/path`.
        warn: told where it means several.
        readonly: take no commands.

    Raises:
        IsRangeTest: an LR range test is there, and no run.
    """
    from tui_trainer.run_sources.remote_record import IsRangeTest
    from tui_trainer.run_sources.remote_source import RemoteSource

    try:
        return RemoteSource(Address.of(given), readonly=readonly, asks=say_aside, warn=warn)
    except IsRangeTest:
        raise
    except UserError as error:
        refuse(str(error))
    except Lost as error:
        refuse(str(error), exit_code=1)


def say_farewell(address: Address, history: History) -> None:
    """How the run on show ended, if it has, and how one sees it again."""
    if history.ended is None:
        return
    from tui_trainer.ui.live.status_lines import ending

    for line in (
        f"{plain(PurePosixPath(address.path).name)}: {ending(history)}",
        f"{say('exit.again')}: {shlex.join(['tui-trainer', 'attach', plain(str(address))])}",
    ):
        click.echo(line if shows_unicode() else in_ascii(line))


def far_runs(given: Sequence[str], warn: Callable[[str], None]) -> tuple[list[RunSummary], bool]:
    """The runs of ours on other machines, in no order, and whether each machine was reached.

    Args:
        given: addresses of folders of runs, or of machines.
        warn: told what of them cannot be read.
    """
    try:
        addresses = [Address.of(each) for each in given]
    except BadAddress as error:
        refuse(str(error))
    found: list[RunSummary] = []
    reached = True
    for address in addresses:
        try:
            found += runs_on(address, asks=say_aside)
        except UserError as error:
            refuse(str(error))
        except Lost as error:
            warn(f"{plain(address.place)}: {error}")
            reached = False
    return found, reached
