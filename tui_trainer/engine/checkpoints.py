"""Checkpoints on the disk: whole or absent, and data only."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, TypeAlias

import torch

SCHEMA = 1

State: TypeAlias = dict[str, Any]
"""Tensors and primitives, so that `torch.load(weights_only=True)` takes it."""


class BadCheckpoint(Exception):
    """A file that is not a whole checkpoint of this version; the text says which file and why."""


def save(state: State, file: Path) -> None:
    """Write `state`, so that `file` is at every moment either the old checkpoint or the new one, whole.

    Raises:
        OSError: it could not be written; the old one is as it was.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            torch.save({"schema": SCHEMA, **state}, out)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(file.parent)


def load(file: Path) -> State:
    """The state that `save` wrote, on the CPU.

    Raises:
        BadCheckpoint: not a whole checkpoint, or one of a later version.
        OSError: it could not be read.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise BadCheckpoint(f"{file} is not a whole checkpoint") from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise BadCheckpoint(f"{file} is a checkpoint of another version")
    return state


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last over a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
