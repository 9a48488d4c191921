"""A person's own presets, written to their folder once they are sound."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from tui_trainer.presets.checks import check_text
from tui_trainer.presets.folders import user_folder
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.rules import RunConditions
from tui_trainer.text.plain import plain

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def save(name: str, text: str, run: RunConditions | None = None, *, overwrite: bool = False) -> Path:
    """Write a preset's text to the user's folder, whole or not at all, and return its file.

    Raises:
        PresetError: the name is none, or taken; the text has errors; or the folder cannot be written.
    """
    path = user_folder() / f"{name}.toml"
    if not _NAME.fullmatch(name):
        raise _refusal(name, "a preset's name is made of letters, digits, - and _, at most 64 of them")
    checked = check_text(text, str(path), run)
    if checked.errors:
        raise PresetError(checked.problems)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = path.exists() and not overwrite
        if not taken:
            _write(path, text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(str(path), f"cannot be written: {reason}") from None
    if taken:
        raise _refusal(str(path), "there is one of this name already; choose another")
    return path


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    os.close(descriptor)
    try:
        with Path(temporary).open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _refusal(file: str, message: str) -> PresetError:
    return PresetError([Problem(plain(file), None, "", message)])
