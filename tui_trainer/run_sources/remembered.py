"""What a person has said of other tools' records, kept from one command to the next: where they lie, what their series
are called, and by which of them runs are judged. A file that is damaged counts as none, and is not written over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import platformdirs

from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.safe_open import PRIVATE_FOLDER, read_regular
from tui_trainer.foreign_records.naming import Choices
from tui_trainer.records.errors import RunsError, reason
from tui_trainer.records.series_names import parsed
from tui_trainer.remote.address import is_address
from tui_trainer.text.captions import say

LARGEST = 1 << 20
"""Bytes of the file; a longer one was not written by this program."""


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """The file: what is missing in it is empty."""

    roots: list[str] = []
    """Folders in which runs are looked for, and addresses of such on other machines."""
    objectives: dict[str, str] = {}
    """`NAME` or `NAME:min|max`, by the tool whose runs are judged by it."""
    renames: dict[str, dict[str, str]] = {}
    """By tool, what series are called here, by the names that it has for them."""


def remembered() -> Remembered:
    """What is remembered; nothing where the file cannot be read."""
    try:
        return _read()
    except (OSError, ValueError):
        return Remembered()


def folders_remembered() -> list[Path]:
    """The folders of this machine in which runs are looked for."""
    return [Path(root) for root in remembered().roots if not is_address(root)]


def addresses_remembered() -> list[str]:
    """The addresses of folders on other machines in which runs are looked for."""
    return [root for root in remembered().roots if is_address(root)]


def remember(change: Callable[[Remembered], Remembered]) -> None:
    """Keep what is remembered as `change` has it.

    Raises:
        RunsError: the file cannot be read or written.
    """
    file = _file()
    try:
        before = _read()
        if (after := change(before)) != before:
            file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            write_atomic(file, msgspec.json.format(msgspec.json.encode(after), indent=2) + b"\n")
    except OSError as error:
        raise RunsError(say("foreign.not_remembered", file=file, why=reason(error))) from error
    except ValueError as error:
        raise RunsError(say("foreign.not_remembered", file=file, why=say("foreign.file_damaged"))) from error


def choices_for(tool: str) -> Choices:
    """What was said of the series of a tool's records."""
    known = remembered()
    try:
        objective, goal = parsed(known.objectives[tool])
    except (KeyError, ValueError):
        objective, goal = "", None
    return Choices(objective, goal, known.renames.get(tool, {}))


def _file() -> Path:
    return Path(platformdirs.user_config_dir("tui-trainer")) / "records.json"


def _read() -> Remembered:
    """What the file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    try:
        return msgspec.json.decode(read_regular(_file(), LARGEST), type=Remembered)
    except FileNotFoundError:
        return Remembered()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError from error
