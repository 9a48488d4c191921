"""The one door for paths that a person gives: options, arguments, environment variables, what a record names."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import platformdirs

from tui_trainer.errors import UserError
from tui_trainer.text.plain import plain

LONGEST_NAME, LONGEST_PATH = 255, 4096
"""Bytes that Linux takes, in a path and its end; most file systems, and macOS, take no longer name either."""

SHOWN = 100
"""Characters of a path that a sentence shows, from both its ends."""


class BadPath(UserError):
    """What was given can be no path, or leads where this process may not go."""


def given_path(text: str | os.PathLike[str], called: str = "") -> Path:
    """The absolute path that a person means: `~` and `~user` are homes. There need not be anything there.

    Args:
        text: what was given.
        called: what the sentence begins with: the variable, say, that it was given in.

    Raises:
        BadPath: why it can be none, or why what lies there cannot be reached, in a sentence.
    """
    said = os.fspath(text)

    def refusal(why: str) -> BadPath:
        return BadPath(": ".join(part for part in (called, _shown(said), why) if part))

    if not said:
        raise refusal("a path cannot be empty")  # nor is it the current folder, as Path has it
    if "\0" in said:
        raise refusal("a path holds no NUL byte")
    try:
        said.encode()
    except UnicodeEncodeError:
        raise refusal("this path is not UTF-8 text") from None
    try:
        path = Path(said).expanduser()
    except RuntimeError:
        user = Path(said).parts[0][1:]
        raise refusal(
            f"there is no user {plain(user)}, whose home it would be" if user else "you have no home"
        ) from None
    try:
        path = path.absolute()
    except OSError as error:
        raise refusal(f"the current folder is gone: {_reason(error)}") from None
    if longest := next((part for part in path.parts if len(part.encode()) > LONGEST_NAME), None):
        raise refusal(f"a name in a path has {LONGEST_NAME} bytes at most, and one here has {len(longest.encode()):,}")
    if (length := len(str(path).encode())) >= LONGEST_PATH:
        raise refusal(f"a path has less than {LONGEST_PATH:,} bytes, and this one has {length:,}")
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise refusal(f"it cannot be reached: {_reason(error)}{_where(path, error)}") from None
    return path


def _where(path: Path, error: OSError) -> str:
    """The folder that keeps this process out, if one does."""
    if error.errno not in (errno.EACCES, errno.EPERM):
        return ""
    entered = next((folder for folder in path.parents if os.access(folder, os.F_OK)), None)
    return "" if entered is None else f" in {_shown(str(entered))}"


def _shown(path: str) -> str:
    text = plain(path)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 :]}"


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


DATA_ENVIRONMENT = "TUI_TRAINER_DATA"


def data_folder() -> Path:
    """Where data sets are kept that nobody named a folder for: TUI_TRAINER_DATA, else the user's cache folder.

    Raises:
        BadPath: it can be none, or cannot be reached.
    """
    if named := os.environ.get(DATA_ENVIRONMENT):
        return given_path(named, DATA_ENVIRONMENT)
    return given_path(platformdirs.user_cache_path("tui-trainer") / "data")
