"""Checkpoints on the disk: whole or absent, data only, and never taken for what was not saved.

`Saver` writes them while a run goes on, and tells of it; a disk that is full ends no training.
"""

from __future__ import annotations

import io
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Generic, TypeAlias, TypeVar

import torch
from torch import Tensor

from tui_trainer.engine import reproducibility
from tui_trainer.engine.distributed import Ranks
from tui_trainer.errors import UserError
from tui_trainer.events import Alert, AnyEvent, CheckpointSaved
from tui_trainer.files.atomic import new_file, sync_folder
from tui_trainer.files.safe_open import open_regular
from tui_trainer.text.captions import say

T = TypeVar("T")

SCHEMA = 2
"""The version of the form. The first one has no checksums of its own, and is read too."""

State: TypeAlias = dict[str, Any]
"""Tensors and primitives, so that `torch.load(weights_only=True)` takes it."""

LAST, LAST_BUT_ONE, BEST = "last.pt", "last-but-one.pt", "best.pt"

DRAFT, LINK = ".draft", ".draft-link"
"""What is on its way to be a checkpoint. One process at a time writes a run, so that one name does."""


class BadCheckpoint(UserError):
    """A file that is not a whole checkpoint of this version, or not one of this run; the text says which and why."""


def save(
    state: State,
    folder: Path,
    *,
    best: bool = False,
    keep_last: bool = True,
    lost: Callable[[], bool] | None = None,
) -> dict[str, OSError]:
    """Write `state` as the last checkpoint, and as the best one too; the last one so far is kept beside it.

    At every moment, whatever kills the process, each file is whole or absent, and one of the last two is there.

    Args:
        state: tensors and primitives.
        folder: where the checkpoints lie.
        best: whether it is the best one too.
        keep_last: whether the last one so far is sound; one that is not would take the place of one that is.
        lost: whether another process trains the run now, in whose place nothing is put; it may raise an `OSError`.

    Returns:
        What could not be written, by the name of its file, and why; that file is as it was. Empty: all is there.
    """
    draft = folder / DRAFT
    failed: dict[str, OSError] = {}
    try:
        if lost is not None and lost():
            return {}
        _write(draft, state)
        if lost is not None and lost():  # writing it may have taken long
            return {}
    except OSError as error:
        return dict.fromkeys([BEST, LAST] if best else [LAST], error)
    if best:  # before the last one: who is killed in between trains the epoch again, and finds it the best again
        try:
            _replace_by_copy(draft, folder / BEST)
        except OSError as error:
            failed[BEST] = error
    try:
        if keep_last and (folder / LAST).exists():
            _replace_by_copy(folder / LAST, folder / LAST_BUT_ONE)
        draft.replace(folder / LAST)
    except OSError as error:
        failed[LAST] = error
        _remove(draft)
    sync_folder(folder)
    return failed


def tidy(folder: Path) -> None:
    """Remove what a process that was killed as it saved has left; for the one process that writes the run."""
    with suppress(OSError):  # what stands in the way of this stands in the way of saving, and is told there
        for left in folder.glob(f"{DRAFT}*"):
            left.unlink(missing_ok=True)


def load(file: Path) -> State:
    """The state that `save` wrote, on the CPU.

    Raises:
        BadCheckpoint: not a whole checkpoint, a damaged one, or one of a later version.
        OSError: it could not be read.
    """
    with os.fdopen(open_regular(file), "rb") as content:
        try:
            state: State = torch.load(content, map_location="cpu", weights_only=True)
            schema = state.get("schema") if isinstance(state, dict) else None
            fault = _fault(state) if schema == SCHEMA else _fault_of_archive(content)
        except Exception as error:  # what is not whole may lead the unpickler to anything
            raise BadCheckpoint(f"{file} is not a whole checkpoint") from error
    if schema not in (1, SCHEMA):
        raise BadCheckpoint(f"{file} is a checkpoint of another version")
    if fault:
        raise BadCheckpoint(f"{file} is damaged: {fault}")
    state.pop("checksums", None)
    return state


@dataclass(frozen=True)
class Newest(Generic[T]):
    """The checkpoint that a run goes on from."""

    file: Path
    state: State
    taken: T
    """What the state was made into."""
    passed_over: list[str]
    """Newer ones that cannot be gone on from, each as a sentence without its end: which, and why."""


def load_newest(folder: Path, facts: State, take: Callable[[State], T]) -> Newest[T] | None:
    """The newest checkpoint of a run that can be gone on from; None where none was ever saved.

    Args:
        folder: where they lie.
        facts: what must hold of a checkpoint of this run.
        take: makes something of a state; where it does not fit, raises an error with the key in its words.

    Raises:
        BadCheckpoint: none of them can be gone on from, or it belongs to a run for which `facts` do not hold.
    """
    passed_over: list[str] = []
    for file in [folder / name for name in (LAST, LAST_BUT_ONE, BEST)]:
        try:
            state = load(file)
            if differing := list(_differences({key: state[key] for key in facts if key in state}, facts)):
                raise OfAnotherRun(
                    f"{file} does not fit: {'; '.join(differing)}. "
                    "Put back what it was trained with, or begin a new run with `tui-trainer run`."
                )
            return Newest(file, state, take(state), passed_over)
        except FileNotFoundError:
            continue  # killed before it was saved the first time
        except OSError as error:
            passed_over.append(say("checkpoint.unreadable", file=file, why=error.strerror or error))
        except OfAnotherRun:
            raise
        except BadCheckpoint as error:
            passed_over.append(str(error))
        except Exception as error:  # what does not fit may lead torch, too, to anything
            passed_over.append(say("checkpoint.unfit", file=file, why=" ".join(str(error).split())))
    if not passed_over:
        return None  # killed in its first epoch: it goes on from its beginning
    raise BadCheckpoint(
        f"there is no whole checkpoint in {folder}: {'; '.join(passed_over)}. Begin a new run with `tui-trainer run`."
    )


class OfAnotherRun(BadCheckpoint):
    """A whole checkpoint that was trained with something else: to go on from an older one would hide that."""


def _write(draft: Path, state: State) -> None:
    content = io.BytesIO()  # torch's writer has no words of its own for a full disk
    whole = {**state, "schema": SCHEMA}
    torch.save({**whole, "checksums": _checksums(whole)}, content)
    # Never written into: what was left under that name may be a checkpoint under another one.
    draft.unlink(missing_ok=True)
    with new_file(draft, private=True) as out:
        out.write(content.getbuffer())


def _replace_by_copy(source: Path, file: Path) -> None:
    """Have `file` hold what `source` does, whole at every moment; the bytes are shared where the file system can."""
    link = file.with_name(LINK)
    try:
        link.unlink(missing_ok=True)
        try:
            link.hardlink_to(source)
        except OSError:
            with source.open("rb") as content, new_file(link, private=True) as out:
                shutil.copyfileobj(content, out)
        link.replace(file)
        link.unlink(missing_ok=True)  # POSIX renames nothing where both are the same file already
    except OSError:
        _remove(link)
        raise


def _remove(file: Path) -> None:
    with suppress(OSError):  # where nothing can be written, nothing may be removable either
        file.unlink(missing_ok=True)


# Whether it is what was saved.


def _checksums(state: State) -> dict[str, str]:
    """SHA-256 of each value, by its path: `model.0.weight`, `optimizer.param_groups.0.lr`.

    The path counts too: in the file, both of the places where it stands may be one.
    """
    return {path: reproducibility.of_text(f"{path} {_told(value)}") for path, value in _leaves(state)}


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    inner: list[tuple[object, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    if not inner:
        yield path, value
    for key, part in inner:
        yield from _leaves(part, f"{path}.{key}" if path else f"{key}")


def _told(value: object) -> str:
    return reproducibility.of_tensors([value.cpu()]) if isinstance(value, Tensor) else repr(value)


def _fault(state: State) -> str:
    """What is not as it was saved, in words; empty where all is."""
    said = state.get("checksums")
    if not isinstance(said, dict):
        return say("checkpoint.no_checksums")
    found = _checksums({key: value for key, value in state.items() if key != "checksums"})
    for path in {**said, **found}:
        if path not in found:
            return say("checkpoint.missing", key=path)
        if said.get(path) != found[path]:
            return say("checkpoint.changed", key=path)
    return ""


def _fault_of_archive(content: IO[bytes]) -> str:
    """As `_fault`, of a checkpoint that has no checksums but those of the archive that it is."""
    with zipfile.ZipFile(content) as archive:
        # A file that a flipped bit calls a folder is read as an empty one, and not looked into by `testzip`.
        folder = next((file.filename for file in archive.infolist() if file.external_attr), None)
        broken = folder or archive.testzip()
    return say("checkpoint.changed_inside", file=broken) if broken else ""


# Whether it belongs to the run.

_SAID = {"model_name": "model", "asked": "preset", "data": "data (its SHA-256)", "train_images": "--limit-train"}
"""What fields are called that have another name in a checkpoint."""


def _differences(saved: State, wanted: State, above: str = "") -> Iterator[str]:
    """Each field that is another one, by its path; one that an older version did not save is not looked at."""
    for key, had in saved.items():
        has, path = wanted.get(key), f"{above}{_SAID.get(key, key)}"
        if isinstance(had, dict) and isinstance(has, dict):
            yield from _differences({**dict.fromkeys(has), **had}, has, f"{path}.")
        elif had != has:
            yield f"{path} was {_in_short(had)} and is {_in_short(has)}"


def _in_short(value: object) -> str:
    """A value on a line; of a digest, enough to tell it from another."""
    text = "not there" if value is None else f"{value}"
    return text if len(text) <= 40 else f"{text[:12]}…"


_CALLED = {BEST: "best", LAST: "last"}


class Saver:
    """Writes a run's checkpoints to `folder`, in the process that leads.

    `last_is_sound` tells whether the last one that is there, if one is, can be gone on from; `lost` whether another
    process trains the run now, and this one is to write nothing.
    """

    def __init__(
        self,
        folder: Path,
        ranks: Ranks,
        emit: Callable[[AnyEvent], None],
        *,
        last_is_sound: bool = True,
        lost: Callable[[], bool] | None = None,
    ) -> None:
        self._lost = lost
        self._folder, self._ranks, self._emit = folder, ranks, emit
        self._last_is_sound = last_is_sound
        self._lacking: dict[str, str] = {}
        self._there: dict[str, str] = {}
        if ranks.leads:
            tidy(folder)

    @property
    def lacking(self) -> str:
        """Which checkpoints are not those of the epochs that they should be of, and why; empty where all are."""
        return "; ".join(self._lacking.values())

    def save(self, state: Callable[[], State], epoch: int, *, best: bool) -> bool:
        """Save what `state` gives, after `epoch`.

        Returns:
            Whether the last checkpoint is on the disk, as far as that is for this process.
        """
        if not self._ranks.leads:
            return True
        saved = state()
        wanted = (BEST, LAST) if best else (LAST,)
        failed = save(saved, self._folder, best=best, keep_last=self._last_is_sound, lost=self._lost)
        self._last_is_sound |= LAST not in failed
        of = f"epoch {epoch}" if saved["batch"] == 0 else f"step {saved['step']:,}"
        self._keep_count(wanted, failed, of)
        if failed:
            why = "; ".join(dict.fromkeys(map(_reason, failed.values())))
            text = say("checkpoint.none_saved", of=of, why=why)
            if len(failed) < len(wanted):
                text = say("checkpoint.not_saved", file=next(iter(failed)), of=of, why=why)
            self._emit(Alert(at=time.time(), kind="checkpoint", text=text))
        there = [name for name in wanted if name not in failed]
        if there:
            best = BEST in there
            file = f"checkpoints/{there[0]}"
            self._emit(CheckpointSaved(at=time.time(), step=saved["step"], epoch=epoch, file=file, best=best))
        return LAST not in failed

    def _keep_count(self, wanted: Iterable[str], failed: Mapping[str, OSError], of: str) -> None:
        for name in wanted:
            if name in failed:
                there = self._there.get(name)
                instead = say("checkpoint.still_of", file=name, of=there) if there is not None else ""
                values = {"which": _CALLED[name], "of": of, "instead": instead, "why": _reason(failed[name])}
                self._lacking[name] = say("checkpoint.lacking", **values)
            else:
                self._lacking.pop(name, None)
                self._there[name] = of


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
