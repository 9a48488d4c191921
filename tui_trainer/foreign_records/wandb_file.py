"""The `.wandb` file that W&B keeps of a run beside what it sends, or in place of it: a head, and a log of records.

Source: wandb/sdk/internal/datastore.py; wandb/proto/wandb_internal.proto. W&B writes whole blocks: a run that logs
little may be silent for minutes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tui_trainer.foreign_records.block_log import BLOCK, BlockLog
from tui_trainer.foreign_records.csv_table import notes_of_rows
from tui_trainer.foreign_records.followed_file import FollowedFile, begins_with
from tui_trainer.foreign_records.pieces import Ended, Points, SettingValue
from tui_trainer.foreign_records.settings import settings_in
from tui_trainer.foreign_records.wandb_history import OWN, VARINT_PATTERN, Histories, named_value
from tui_trainer.foreign_records.wire import BYTES, Field, fields, text
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

HEAD = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)

_HISTORY, _CONFIG, _RUN, _EXIT = 2, 5, 17, 18
"""Fields of a record: what was logged at a step, what is set, what the run is, how it ended."""

_is_summary = re.compile(rb"\x08" + VARINT_PATTERN + rb"\x1a").match
"""Whether a record has its number first, and then a summary: field 3."""

MOST_SET = 1000
"""Settings, and settings within one, that are looked into."""


class WandbReader:
    """Follows a file."""

    tool = "W&B"

    def __init__(self, path: Path) -> None:
        self.name = path.stem.removeprefix("run-")
        self.lags = False
        self._file = FollowedFile(path)
        self._begun_anew = 0
        self._log = BlockLog()
        self._histories = Histories()
        self._bad_records = 0
        """Those whose CRC is right, and that are none."""
        self._not_numbers: dict[str, None] = {}
        self._config: dict[str, Any] = {}
        """As it was set last."""
        self.settings: Mapping[str, SettingValue] = {}

    @property
    def written_at(self) -> float | None:
        return self._file.written_at

    @property
    def share(self) -> float | None:
        return self._file.share

    @property
    def flaws(self) -> Sequence[str]:
        bad = self._bad_records + self._log.bad_records
        if not bad:
            return ()
        events = counted(bad, "record")
        return [say("foreign.bad_events", file=plain(self._file.path.name), events=events)]

    @property
    def notes(self) -> Sequence[str]:
        return notes_of_rows("step", 0, self._not_numbers)

    def read(self) -> Iterator[Points | Ended]:
        piece, ended = self._file.piece(), None
        if self._file.begun_anew != self._begun_anew:
            self._begun_anew, self._bad_records = self._file.begun_anew, 0
            self._log.begin_anew()
        at = 0 if self._file.offset else len(HEAD)
        if len(piece) < at:
            return
        records, used = self._log.records(piece, at, self._file.offset)
        for record in records:
            if not self._histories.take_known(record):
                ended = self._take(record) or ended
        self._file.use(used)
        self.lags = used > 0 and bool(piece) and self._file.lags and self._file.size - self._file.offset >= BLOCK
        rows = self._histories.rows()
        self._not_numbers |= dict.fromkeys(sorted(rows.not_numbers - set(OWN)))
        for points in rows.points(again=self._begun_anew > 0):
            columns = {name: values for name, values in points.columns.items() if name not in OWN}
            if columns:
                yield points._replace(columns=columns)
        if ended is not None:
            yield ended

    def close(self) -> None:
        """Nothing is held open."""

    def _take(self, record: bytes) -> Ended | None:
        try:
            kind = _kind(record)
            if kind is None:
                return None
            if kind.number == _HISTORY:
                self._histories.take(record, kind)
            elif kind.number == _RUN:
                parts = [each for each in fields(record, kind.begin, kind.end) if each.form == BYTES]
                names = [text(record, each) for each in parts if each.number == 8]
                for part in parts:
                    if part.number == 4:
                        self._set(record, part)
                self.name = next((name for name in names if name), self.name)
            elif kind.number == _CONFIG:
                self._set(record, kind)
            elif kind.number == _EXIT:
                code = next((each.value for each in fields(record, kind.begin, kind.end) if each.number == 1), 0)
                return Ended(self._file.written_at or 0.0, code == 0, f"exit code {code}" if code else "")
        except (ValueError, RecursionError, IndexError):
            self._bad_records += 1
        return None

    def _set(self, record: bytes, config: Field) -> None:
        """Take what is set; keys that W&B adds itself begin with `_`.

        Raises:
            ValueError: it is no such record.
        """
        for item in fields(record, config.begin, config.end):
            if item.number == 1 and item.form == BYTES:
                name, value = named_value(record, item.begin, item.end)
                if name[:1] != "_" and (name in self._config or len(self._config) < MOST_SET):
                    self._config[name] = value
        self.settings = settings_in(self._config)


def _kind(record: bytes) -> Field | None:
    """What of the kinds that are read a record is, without a look at the others: half of all bytes are summaries."""
    if _is_summary(record):
        return None
    for each in fields(record, 0, len(record)):
        if each.form == BYTES and each.number in (_HISTORY, _CONFIG, _RUN, _EXIT):
            return each
    return None


class Wandb:
    """Files that begin as W&B's do."""

    tool = WandbReader.tool

    def recognises(self, path: Path) -> bool:
        return begins_with(path, len(HEAD)) == HEAD

    def open(self, path: Path) -> WandbReader:
        return WandbReader(path)
