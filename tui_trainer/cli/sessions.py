"""`compare --list`: the comparisons that were made."""

from __future__ import annotations

import time
from pathlib import Path

import click
import msgspec

from tui_trainer.compare.shelf import SessionSummary, session_summaries
from tui_trainer.compare.words import in_columns
from tui_trainer.plain import plain

WIDEST = 48
"""Characters that the names of what is compared may take."""


def list_sessions(runs: Path, *, as_json: bool) -> None:
    """Print them, newest first."""
    found = session_summaries(runs)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
    elif not found:
        click.echo(f"there are no comparisons in {runs} yet; `tui-trainer compare --lesson` makes one", err=True)
    else:
        rows = [["when", "session", "name", "runs", "status", "what"], *map(_row, found)]
        if not any(session.name for session in found):
            rows = [[*row[:2], *row[3:]] for row in rows]
        for line in in_columns(rows, left=len(rows[0])):
            click.echo(line)


def _row(session: SessionSummary) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(session.created_at))
    what = ", ".join(map(plain, session.labels)) + (f" × {session.seeds} seeds" if session.seeds > 1 else "")
    what = what if len(what) <= WIDEST else what[: WIDEST - 1] + "…"
    return [when, session.id, plain(session.name or ""), str(session.runs), _status(session), what]


def _status(session: SessionSummary) -> str:
    if session.live:
        return f"trains, {session.done} done"
    return "done" if session.done == session.runs else f"{session.done} of {session.runs} done"
