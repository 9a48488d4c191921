"""Which source shows a run: the kinds of records that are known, each recognised by what lies there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.run_index import is_record
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import RunSource

if TYPE_CHECKING:
    from tui_trainer.text.alert_rule import AlertRule


class SourceKind(Protocol):
    """A kind of record. One more is a module of its own here, and a line in `KINDS`."""

    @property
    def names(self) -> Sequence[str]:
        """What a person calls its forms: `tui-trainer`, `TensorBoard`."""

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource | None:
        """What lies at a path, if it is of this kind by what is in it: a glance, that neither waits nor raises. Nothing
        more is read yet; `poll` reads.
        """


class OurRecords:
    """Runs that this program trains or has trained."""

    names = ("tui-trainer",)

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource | None:
        return JournalSource(path, readonly=readonly) if is_record(path) else None


class OthersRecords:
    """Runs that another tool records. Their readers are loaded where a path is none of ours."""

    @property
    def names(self) -> Sequence[str]:
        from tui_trainer.foreign_records.forms import TOOLS

        return TOOLS

    def open(self, path: Path, *, readonly: bool, rules: Sequence[AlertRule], as_ours: bool) -> RunSource | None:
        from tui_trainer.foreign_records.forms import KINDS as FORMS
        from tui_trainer.run_sources.foreign_source import ForeignSource

        form = next((each for each in FORMS if each.recognises(path)), None)
        return None if form is None else ForeignSource(form, path, rules=rules, as_ours=as_ours)


KINDS: list[SourceKind] = [OurRecords(), OthersRecords()]
"""In the order in which they are asked: the first that knows a path takes it."""


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
        source = kind.open(path, readonly=readonly, rules=rules, as_ours=as_ours)
        if source is not None:
            return source
    raise RunNotFound(
        f"{path} holds no run: it has none of the forms {', '.join(name for kind in KINDS for name in kind.names)}."
    )
