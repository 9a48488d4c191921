"""A comparison without a screen: what happens as lines, at the end the table and the verdict."""

from __future__ import annotations

import click

from tui_trainer.cli.console import in_lines as run_in_lines
from tui_trainer.compare.comparison import Compared, Comparison
from tui_trainer.compare.plain_lines import find_out, in_lines
from tui_trainer.compare.report import as_json
from tui_trainer.records.runs_folder import shell_command
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain


class CompareReporter:
    """Tells each thing once; as JSON, nothing but what came of it."""

    def __init__(self, comparison: Comparison, *, as_json: bool = False) -> None:
        self._comparison = comparison
        self._as_json = as_json
        self._told: dict[int, _Reported] = {}

    def tell_news(self) -> None:
        """Say what came since the last time."""
        many = len(self._comparison.runs)
        for number, run in enumerate(self._comparison.runs):
            told = self._told.setdefault(number, _Reported())
            seeds = len({other.entry.seed for other in self._comparison.runs}) > 1
            name = f"{plain(run.entry.label)}, seed {run.entry.seed}" if seeds else plain(run.entry.label)
            for line in told.news(run):
                if not self._as_json:
                    click.echo(f"[{number + 1}/{many}] {name}: {line}")

    def tell_findings(self) -> None:
        """Say what came of it."""
        if self._as_json:
            click.echo(as_json(self._comparison, find_out(self._comparison)), nl=False)
            return
        for line in in_lines(self._comparison, find_out(self._comparison)):
            click.echo(line)
        session = self._comparison.session
        click.echo(say("shell.session", command=shell_command("compare", session.id, session.runs)))


class _Reported:
    """What was told of one run."""

    def __init__(self) -> None:
        self._began = self._ended = False
        self._epochs = self._changes = 0
        self._given_up = 0
        """Records before its own that were told of: each had no checkpoint to go on from."""

    def news(self, run: Compared) -> list[str]:
        """The lines that are new, as `run` prints them; of a run that was there before, only how it ended."""
        history = run.history
        lines: list[str] = []
        if given_up := run.entry.given_up[self._given_up :]:  # what was told was of the last of them
            lines += [say("line.begins_anew", record=plain(record)) for record in given_up]
            self._given_up += len(given_up)
            self._began = self._ended = False
            self._epochs = self._changes = 0
        if not run.entry.is_trained_here:
            self._began, self._epochs, self._changes = True, len(history.epochs), len(history.lr_changes)
        if not self._began and history.resolved is not None:
            self._began = True
            lines += run_in_lines(history.resolved, history)
        for epoch in history.epochs[self._epochs :]:
            lines += run_in_lines(epoch, history)
        self._epochs = len(history.epochs)
        for change in history.lr_changes[self._changes :]:
            lines += run_in_lines(change, history)
        self._changes = len(history.lr_changes)
        if history.ended is not None and not self._ended:
            self._ended = True
            lines += run_in_lines(history.ended, history)
        return lines
