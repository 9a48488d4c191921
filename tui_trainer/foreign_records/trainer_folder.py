"""A folder of Hugging Face's trainer: the document that it writes with each checkpoint, and what it told TensorBoard
since. It is one run: of a number that both have, that which came first stands."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import compress
from math import ceil, isclose
from pathlib import Path

from tui_trainer.foreign_records.followed_file import begins_with
from tui_trainer.foreign_records.pieces import Points, Reader, SettingValue
from tui_trainer.foreign_records.tensorboard import TensorBoardReader, event_files
from tui_trainer.foreign_records.tensorboard_events import ARGUMENTS
from tui_trainer.foreign_records.trainer_state import TrainerStateReader, document_in
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

MOST_FILES = 200
"""Event files below a folder that are looked at."""

DEEPEST = 2
"""Folders below the trainer's in which its events are: `runs/Nov28_12-00-00_box`."""

HEAD = 64 << 10
"""Bytes of a document in which it begins to tell what was logged."""

LOOK_EVERY_S = 5.0
"""Seconds between looks for a folder of events of a training that went on."""

ROUNDED = 1e-6
"""How far a number may be off that TensorBoard's single precision has rounded, as a share of it."""

_EPOCH = "train/epoch"


class TrainerFolderReader:
    """Follows both."""

    tool = TrainerStateReader.tool

    share: float | None = None

    def __init__(self, path: Path) -> None:
        """Look at a folder that has such a document, or checkpoints with one."""
        self.name = path.name
        self._path = path
        self._document = TrainerStateReader(path)
        self._events: TensorBoardReader | None = None
        self._folder: Path | None = None
        """That of the events: of several the one that was begun last."""
        self._next_look = 0.0
        self._until = -1
        """The last step of the document, as it was read last."""
        self._told: dict[str, dict[int, float | int]] = {}
        """What was told as TensorBoard has it, by the names that the document has."""
        self._epochs: dict[int, int] = {}
        """Of steps behind those of the document."""

    @property
    def written_at(self) -> float | None:
        written = [reader.written_at for reader in (self._document, self._events) if reader is not None]
        return max((at for at in written if at is not None), default=None)

    @property
    def lags(self) -> bool:
        return self._document.lags or (self._events is not None and self._events.lags)

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        said = dict(self._events.settings) if self._events is not None else {}
        return said | dict(self._document.settings)

    @property
    def flaws(self) -> Sequence[str]:
        return [*self._document.flaws, *(self._events.flaws if self._events is not None else ())]

    @property
    def notes(self) -> Sequence[str]:
        found = list(self._document.notes)
        if self._folder is not None:
            folder = self._folder.relative_to(self._path).as_posix()
            found.append(say("foreign.same_run", folder=plain(self.name if folder == "." else folder)))
        return found

    def read(self) -> Iterator[Points]:
        self._look_for_events()
        if documents := list(self._document.read()):
            self._until = max(max(points.steps, default=-1) for points in documents)
            self._epochs.clear()
            for points in documents:
                columns = {name: self._as_told(name, points) for name in points.columns}
                yield points._replace(columns=columns)
        if self._events is None:
            return
        pieces = [piece for piece in self._events.read() if isinstance(piece, Points) and not piece.part]
        for piece in pieces:
            for step, epoch in zip(piece.steps, piece.columns.get(_EPOCH, ()), strict=False):
                if step > self._until and 0 <= epoch < 2**62:
                    self._epochs[step] = ceil(epoch)
        for piece in pieces:
            yield from self._behind_the_document(piece)

    def close(self) -> None:
        """Nothing is held open."""

    def _look_for_events(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_EVERY_S
        folder = max(folders_of_events(self._path), key=lambda folder: folder.name, default=None)
        if folder is not None and folder != self._folder and find_spec("numpy") is not None:
            self._folder, self._events = folder, TensorBoardReader(folder)

    def _as_told(self, name: str, points: Points) -> Sequence[float | int]:
        """What the document has of a series, but for numbers that were told already as TensorBoard rounds them."""
        values, told = points.columns[name], self._told.get(name)
        if not told:
            return values
        return [
            told[step] if step in told and isclose(told[step], value, rel_tol=ROUNDED) else value
            for step, value in zip(points.steps, values, strict=True)
        ]

    def _behind_the_document(self, points: Points) -> Iterator[Points]:
        new = [step > self._until for step in points.steps]
        steps = list(compress(points.steps, new))
        columns = {
            name_in_document(tag): list(compress(values, new))
            for tag, values in points.columns.items()
            if tag != _EPOCH
        }
        if not steps or not columns:
            return
        for name, values in columns.items():
            self._told.setdefault(name, {}).update(zip(steps, values, strict=True))
        epochs = [self._epochs[step] for step in steps if step in self._epochs]
        yield Points(steps, columns, epochs=epochs if len(epochs) == len(steps) else ())


class Trainer:
    """Such a document, and folders that have one, or checkpoints with one."""

    tool = TrainerStateReader.tool

    def recognises(self, path: Path) -> bool:
        document = document_in(path)
        head = begins_with(document, HEAD) if document is not None else b""
        return head.lstrip()[:1] == b"{" and b'"log_history"' in head

    def open(self, path: Path) -> Reader:
        return TrainerFolderReader(path) if path.is_dir() else TrainerStateReader(path)


def folders_of_events(folder: Path) -> list[Path]:
    """The folders in which the trainer of this one tells TensorBoard what it does: its event files begin with its
    arguments. What lies below another such folder is that one's."""
    found: dict[Path, bool] = {}
    for file in event_files(folder, MOST_FILES):
        within = file.parent.relative_to(folder).parts
        if len(within) > DEEPEST or found.get(file.parent):
            continue
        above = [folder.joinpath(*within[: depth + 1]) for depth in range(len(within))]
        is_anothers = any(document_in(each) is not None or each.name.startswith("checkpoint-") for each in above)
        found[file.parent] = not is_anothers and ARGUMENTS.encode() in begins_with(file)
    return [each for each, is_of_it in found.items() if is_of_it]


def name_in_document(tag: str) -> str:
    """What a series of TensorBoard's is called in the document: `eval_loss` for `eval/loss`, `loss` for `train/loss`.

    The other way round as `transformers.integrations.integration_utils.rewrite_logs` does it.
    """
    part, _, name = tag.partition("/")
    return name if part == "train" and name else tag.replace("/", "_", 1)
