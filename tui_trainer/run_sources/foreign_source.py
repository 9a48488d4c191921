"""A run that another tool records: TensorBoard, a table, JSON lines."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from tui_trainer.commands import AnyCommand
from tui_trainer.events import Alert, AnyEvent
from tui_trainer.foreign_records.checkpoints import CheckpointsBeside
from tui_trainer.foreign_records.lr_shape import schedule_in_words
from tui_trainer.foreign_records.pieces import Kind, SettingValue
from tui_trainer.foreign_records.settings import SettingsBeside, in_words
from tui_trainer.foreign_records.telling import Teller
from tui_trainer.records.errors import reason
from tui_trainer.records.history import History
from tui_trainer.records.rule_watch import RuleWatch
from tui_trainer.run_sources.remembered import choices_for
from tui_trainer.run_sources.run_source import READONLY
from tui_trainer.text.alert_rule import AlertRule
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain

_TOOK, _SET = "took", "set"

MOST_CHECKPOINTS = 4
"""Of which it is said what they are called."""

MOST_SETTINGS = 8
"""Of which it is said what they were."""

MOST_LRS = 4
"""Of which it is said what they did."""


class ForeignSource:
    """A `RunSource` of a run that another tool records: it follows the tool's files, and writes nothing."""

    READ_FOR = 0.015
    """Seconds of its own time after which one poll begins no other piece: keys are answered while a record comes in."""

    LOOK_EVERY_S = 0.1
    """Seconds between looks at files of which all is read, at the least; ten times as many at the most."""

    REST = 50
    """So many times as long as a look took is none: 2 % of a core."""

    def __init__(
        self,
        kind: Kind,
        path: Path,
        *,
        rules: Sequence[AlertRule] = (),
        as_ours: bool = False,
        observer: Callable[[AnyEvent], None] | None = None,
    ) -> None:
        """Look at the record of a kind that lies at a path.

        Args:
            kind: its form.
            path: of a file or a folder.
            rules: of a person's, that are held against its numbers.
            as_ours: whether its series have the names of ours, as far as those of its own tell.
            observer: told of each event, once, when `history` has it.
        """
        self.history = History()
        self.capabilities = replace(
            READONLY, tells_end=False, why_not=say("foreign.read_only"), calls=False, plan=False, checkpoints=False
        )
        self.lags = True  # nothing was read so far
        self.folder: Path | None = None
        self.file = path
        """What is read: a file or a folder."""
        self.trouble = ""
        """Why it could not be read at the last try."""
        self.settings: Mapping[str, SettingValue] = {}
        """What the run was set to: as its tool recorded that, and beside it."""
        self._reader = kind.open(path)
        self._teller = Teller(self._reader, self.history, choices_for(kind.tool)._replace(as_ours=as_ours))
        self._beside = SettingsBeside(path)
        self._checkpoints = CheckpointsBeside(path)
        self._observer = observer
        self._rules = RuleWatch(rules)
        self._told: set[str] = set()
        """Flaws that were told, without their numbers: those grow."""
        self._next_look = 0.0

    @property
    def name(self) -> str:
        """What the run is called."""
        return self._reader.name

    @property
    def flaws(self) -> Sequence[str]:
        """What of the record could not be read, as far as it was, in words."""
        return [*self._reader.flaws, *self._teller.flaws]

    @property
    def notes(self) -> Sequence[str]:
        """What else is to be said of it."""
        as_code = self._beside.as_code
        said = [say("foreign.settings_as_code", file=as_code)] if as_code else []
        return [*self._reader.notes, *self._teller.notes, *said]

    def poll(self) -> int:
        if not self.lags and time.monotonic() < self._next_look:
            return 0
        began = time.thread_time()
        count = 0
        try:
            count = self._read()
            self.trouble = ""
        except OSError as cause:
            self.lags = False
            if self.trouble != (trouble := reason(cause)):
                self.trouble = trouble
                self._tell(say("foreign.unreadable", why=trouble))
                count += 1
        self.history.written_at = self._reader.written_at
        self.history.share_read = self._reader.share if self.lags else None
        if not self.lags:
            self._look_at_settings(count > 0)
            count += self._say_what_it_took()
        rest = max(self.LOOK_EVERY_S, min(10 * self.LOOK_EVERY_S, self.REST * (time.thread_time() - began)))
        self._next_look = time.monotonic() + rest
        return count

    def read_all(self) -> None:
        """Take in all that there is, however long that takes.

        Raises:
            OSError: it cannot be read.
        """
        self.lags = True
        while self.lags:
            self._read()
        self.history.written_at = self._reader.written_at
        self._look_at_settings(True)

    def send(self, command: AnyCommand) -> None:
        raise PermissionError(self.capabilities.refusal(type(command)))

    def close(self) -> None:
        self._reader.close()

    def _read(self) -> int:
        """Apply what came, for some time; how many events."""
        until = time.thread_time() + self.READ_FOR
        count = 0
        while True:
            for piece in self._reader.read():
                for event in self._teller.tell(piece, self._reader.written_at or 0.0):
                    self._take(event)
                    count += 1
            self.lags = self._reader.lags
            if not self.lags or time.thread_time() >= until:
                return count

    def _look_at_settings(self, came: bool) -> None:
        """Take what is set, if numbers came or the files beside the record have changed."""
        if self._beside.look() or came:
            self.settings = self.history.hyperparameters = self._beside.settings | dict(self._reader.settings)

    def _take(self, event: AnyEvent) -> None:
        self.history.apply(event)
        if self._observer is not None:
            self._observer(event)
        for alert in self._rules.take(event):
            self._take(alert)

    def _say_what_it_took(self) -> int:
        """Once what was read, and what is wrong with it; how many events."""
        told = len(self._told)
        series = self.history.series
        if series and _TOOK not in self._told:
            numbers = counted(sum(len(each.values) for each in series.values()), "number")
            took = say("foreign.took", tool=self._reader.tool, series=len(series), numbers=numbers)
            self._tell_once(_TOOK, took, "read")
            self._say_what_lrs_did()
        if self.settings and _TOOK in self._told and _SET not in self._told:
            self._tell_once(_SET, say("foreign.settings", what=_in_short(self.settings)), "read")
        if _TOOK in self._told and (names := self._checkpoints_named()):
            said = say("foreign.checkpoints", names=names)
            self._tell_once(said, said, "read")
        for said in (*self.notes, *self.flaws):
            self._tell_once(_without_numbers(said), said)
        return len(self._told) - told

    def _checkpoints_named(self) -> str:
        """The checkpoints beside the record, the newest first; empty where there are none."""
        self._checkpoints.look()
        names = [plain(name) for name in self._checkpoints.names]
        return listed(names, MOST_CHECKPOINTS) if names else ""

    def _say_what_lrs_did(self) -> None:
        """Once, as far as it was recorded by then."""
        history, series = self.history, self.history.series
        for name in [name for name in series if series.kind(name) == "lr"][:MOST_LRS]:
            said = schedule_in_words(name, series[name].steps, series[name].values, history.epoch_at)
            if said:
                self._tell(said, "read")

    def _tell_once(self, key: str, text: str, kind: str = "recording") -> None:
        if key not in self._told:
            self._told.add(key)
            self._tell(text, kind)

    def _tell(self, text: str, kind: str = "recording") -> None:
        self._take(Alert(at=time.time(), kind=kind, text=text))


def _in_short(settings: Mapping[str, SettingValue]) -> str:
    """The first of the settings, and how many more there are."""
    first = [f"{plain(name)} {plain(in_words(value))}" for name, value in islice(settings.items(), MOST_SETTINGS)]
    more = len(settings) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def _without_numbers(text: str) -> str:
    return re.sub(r"[\d,]+", "", text)
