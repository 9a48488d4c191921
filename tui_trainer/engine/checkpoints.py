"""Checkpoints on the disk: whole or absent, and data only."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import torch

from tui_trainer.bad_input import BadInput

SCHEMA = 1

State: TypeAlias = dict[str, Any]
"""Tensors and primitives, so that `torch.load(weights_only=True)` takes it."""


LAST, LAST_BUT_ONE, BEST = "last.pt", "last-but-one.pt", "best.pt"


class BadCheckpoint(BadInput):
    """A file that is not a whole checkpoint of this version, or not one of this run; the text says which and why."""


def save(state: State, folder: Path, *, best: bool = False) -> None:
    """Write `state` as the last checkpoint, and as the best one too; the last one so far is kept beside it.

    At every moment, whatever kills the process, each file is whole or absent, and one of the last two is there.

    Raises:
        OSError: it could not be written; those before it are as they were.
    """
    content = io.BytesIO()  # torch's writer has no words of its own for a full disk
    torch.save({"schema": SCHEMA, **state}, content)
    draft = folder / f".draft-{os.getpid()}"
    try:
        with draft.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            out.write(content.getbuffer())
            out.flush()
            os.fsync(out.fileno())
        if best:
            _replace_by_copy(draft, folder / BEST)
        if (folder / LAST).exists():
            (folder / LAST).replace(folder / LAST_BUT_ONE)
        draft.replace(folder / LAST)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(folder)


def _replace_by_copy(source: Path, file: Path) -> None:
    """Have `file` hold what `source` does, whole at every moment; the bytes are shared where the file system can."""
    link = file.with_name(f"{source.name}-link")
    try:
        link.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, link)
    link.replace(file)


def load(file: Path) -> State:
    """The state that `save` wrote, on the CPU.

    Raises:
        BadCheckpoint: not a whole checkpoint, or one of a later version.
        OSError: it could not be read.
    """
    content = io.BytesIO(file.read_bytes())
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
    except Exception as error:  # what is not whole may lead the unpickler to anything
        raise BadCheckpoint(f"{file} is not a whole checkpoint") from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise BadCheckpoint(f"{file} is a checkpoint of another version")
    return state


def load_last(folder: Path, facts: State) -> State | None:
    """The newest whole checkpoint of a run: the last one, else the one before it; None where none was ever saved.

    Raises:
        BadCheckpoint: none of them is whole, or it belongs to a run for which `facts` do not hold.
    """
    there = [name for name in (LAST, LAST_BUT_ONE) if (folder / name).exists()]
    if not there:
        return None  # killed in its first epoch: it goes on from its beginning
    for name in there:
        try:
            state = load(folder / name)
        except (BadCheckpoint, OSError):
            continue
        if differing := list(_differences({key: state[key] for key in facts if key in state}, facts)):
            raise BadCheckpoint(
                f"{folder / name} does not fit: {'; '.join(differing)}. "
                "Put back what it was trained with, or begin a new run with `tui-trainer run`."
            )
        return state
    raise BadCheckpoint(f"there is no whole checkpoint in {folder}; start the run anew with `tui-trainer run`")


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


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last over a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
