"""Hugging Face's `trainer_state.json`: one JSON document, written anew with each checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.files.safe_open import Irregular, read_regular
from tui_trainer.foreign_records.csv_table import flaws_of_rows, notes_of_rows
from tui_trainer.foreign_records.followed_file import FollowedFile
from tui_trainer.foreign_records.json_lines import rows_of
from tui_trainer.foreign_records.pieces import Points, SettingValue
from tui_trainer.foreign_records.settings import settings_in
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

FILE = "trainer_state.json"

LARGEST = 500 << 20
"""Bytes of a document: it is read as a whole, and takes some times as much."""


SETTINGS = ("num_train_epochs", "max_steps", "train_batch_size", "logging_steps", "eval_steps", "save_steps")
"""What such a document says of a run's arguments; the others are in `training_args.bin`, a pickle."""


class TrainerStateReader:
    """Follows the document: at each change it is read anew, and what is new in it is told."""

    tool = "Hugging Face"

    share: float | None = None

    def __init__(self, path: Path) -> None:
        """Look at the document, or at a run's folder: that of its latest checkpoint then."""
        self.name = (path.parent if path.name == FILE else path).name
        self._path = path
        self._file = FollowedFile(document_in(path) or path)
        self._rows = self._bad_rows = self._without_step = 0
        self._not_numbers: dict[str, None] = {}
        self._step: str | None = None
        self._trouble = ""
        self.lags = False
        self.settings: Mapping[str, SettingValue] = {}

    @property
    def written_at(self) -> float | None:
        return self._file.written_at

    @property
    def flaws(self) -> Sequence[str]:
        found = flaws_of_rows(self._bad_rows, self._without_step)
        return [*found, self._trouble] if self._trouble else found

    @property
    def notes(self) -> Sequence[str]:
        return notes_of_rows(self._step, self._rows, self._not_numbers)

    def read(self) -> Iterator[Points]:
        if (newest := document_in(self._path)) is not None and newest != self._file.path:
            self._file = FollowedFile(newest)
        if not self._file.piece(1):
            return
        self._file.offset = self._file.size
        self._trouble = ""
        file = plain(self._file.path.name)
        try:
            content = read_regular(self._file.path, LARGEST)
            history, self.settings = _log_history(content)
        except Irregular:
            self._trouble = say("foreign.too_large", file=file, size="500 MB")
            return
        except (ValueError, RecursionError):
            self._trouble = say("foreign.no_document", file=file)
            return
        objects = [each for each in history if isinstance(each, dict)]
        self._bad_rows = len(history) - len(objects)
        if not objects:
            return
        rows = rows_of(objects)
        self._rows, self._step, self._without_step = len(objects), rows.step_name, rows.without_step
        self._not_numbers = dict.fromkeys(sorted(rows.not_numbers))
        yield from rows.points(again=True)

    def close(self) -> None:
        """Nothing is held open."""


def document_in(path: Path) -> Path | None:
    """The document at a path: it itself, one in the folder, or that of the folder's latest checkpoint."""
    if not path.is_dir():
        return path
    try:
        if (path / FILE).is_file():
            return path / FILE
        found = [folder for folder in path.glob("checkpoint-*") if (folder / FILE).is_file()]
    except OSError:
        return None
    return max(found, key=_checkpoint_step, default=path) / FILE if found else None


def _checkpoint_step(folder: Path) -> int:
    digits = folder.name.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 20 else -1


def _log_history(content: bytes) -> tuple[list[Any], dict[str, SettingValue]]:
    """What was logged, row by row, and what of the settings stands beside it.

    Raises:
        ValueError: it is no such document.
    """
    try:
        document = msgspec.json.decode(content)
    except msgspec.DecodeError:
        document = json.loads(content)  # with `NaN`, as Python writes it
    history = document.get("log_history") if isinstance(document, dict) else None
    if not isinstance(history, list):
        raise ValueError
    return history, settings_in({name: document[name] for name in SETTINGS if name in document})
