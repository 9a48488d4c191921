"""Which source shows a run: the kinds of records that are known, each recognised by what lies there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tui_trainer.foreign_records import forms
from tui_trainer.foreign_records.pieces import Kind
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.run_index import is_record
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import RunSource
from tui_trainer.text.alert_rule import AlertRule


class SourceKind(Protocol):
    """A kind of record. One more is a module of its own here, and a line in `KINDS`."""

    name: str
    """What a person calls it: `tui-trainer`, `TensorBoard`."""

    def recognises(self, path: Path) -> bool:
        """Whether such a record lies at a path, by what is in it; a glance, that neither waits nor raises."""

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource:
        """Look at it. Nothing is read yet; `poll` reads."""


class OurRecords:
    """Runs that this program trains or has trained."""

    name = "tui-trainer"

    def recognises(self, path: Path) -> bool:
        return is_record(path)

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource:
        return JournalSource(path, readonly=readonly)


class OthersRecords:
    """Runs that another tool records, of one form."""

    def __init__(self, form: Kind) -> None:
        self.name = form.tool
        self._form = form

    def recognises(self, path: Path) -> bool:
        return self._form.recognises(path)

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource:
        return ForeignSource(self._form, path, rules=rules, as_ours=as_ours)


KINDS: list[SourceKind] = [OurRecords(), *map(OthersRecords, forms.KINDS)]
"""In the order in which they are asked: the first that recognises a path takes it."""


def open_source(
    path: Path, *, readonly: bool = False, rules: Sequence[AlertRule] = (), as_ours: bool = False
) -> RunSource:
    """The source of the run at a path.

    Args:
        path: of a folder or a file.
        readonly: take no commands, whatever the source could do.
        as_ours: have the series of another tool's record under the names that ours have, as far as their own tell.
        rules: held against the numbers by who reads, where who trains does not.

    Raises:
        RunNotFound: nothing that is known lies there.
    """
    for kind in KINDS:
        if kind.recognises(path):
            return kind.open(path, readonly=readonly, rules=rules, as_ours=as_ours)
    raise RunNotFound(
        f"{path} holds no run: it has none of the forms {', '.join(dict.fromkeys(kind.name for kind in KINDS))}."
    )
