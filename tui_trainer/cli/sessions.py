"""`compare --list`: the comparisons that were made."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec

from tui_trainer.cli.columns import Column, in_columns, room
from tui_trainer.cli.options import refuse, say
from tui_trainer.compare.shelf import SessionSummary, session_summaries
from tui_trainer.plain import plain
from tui_trainer.runs.errors import RunUnreadable

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
        click.echo(f"there are no comparisons in {runs} yet; `tui-trainer compare --lesson` makes one", err=True)
    elif found:
        for line in in_columns(COLUMNS, [_row(session) for session in found], room()):
            click.echo(line)
    for warning in warnings:
        say(f"warning: {warning}")


def _row(session: SessionSummary) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.created_at))
    what = ", ".join(map(plain, session.labels)) + (f" × {session.seeds} seeds" if session.seeds > 1 else "")
    what = what if len(what) <= WIDEST else what[: WIDEST - 1] + "…"
    return [when, session.id, plain(session.name or ""), str(session.runs), _status(session), what]


def _status(session: SessionSummary) -> str:
    if session.live:
        return f"trains, {session.done} done"
    return "done" if session.done == session.runs else f"{session.done} of {session.runs} done"
