"""What is kept beside the runs, comparisons and range tests: each in a folder of its own, in the folder of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tui_trainer.files.safe_open import is_regular
from tui_trainer.records.errors import RunNotFound, RunUnreadable

LEAST_OF_ID = 4
"""Characters that the start of an id has at least."""

RANGE_TEST, SESSION = "range-test.json", "session.json"
"""What makes a folder that of an LR range test, or of a comparison."""

TOLD_OF_SESSION = "trials.jsonl"
"""What a comparison tells as it trains, in its folder."""


def is_beside_runs(folder: Path) -> bool:
    """Whether a folder is that of a comparison or a range test, whose files are no records of runs."""
    there = (folder / TOLD_OF_SESSION).is_file() and (folder / SESSION).is_file()
    return there or (folder / RANGE_TEST).is_file()


def folders_with(kind: Path, file: str) -> list[Path]:
    """The folders that hold such a file, the newest first; none where there is no folder of the kind.

    Raises:
        RunUnreadable: the folder of the kind cannot be read.
    """
    try:
        found = [folder for folder in kind.iterdir() if _may_hold(folder, file)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as cause:
        raise RunUnreadable(kind, cause) from cause
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def _may_hold(folder: Path, file: str) -> bool:
    try:
        return is_regular(folder / file)
    except OSError:
        return True  # another user's, say: as one that cannot be read it is told of, and not left out


def beginning_with(given: str, folders: Sequence[Path]) -> list[Path]:
    """Those whose ids begin so, where it says enough of one."""
    return [folder for folder in folders if len(given) >= LEAST_OF_ID and folder.name.startswith(given)]


def first_meant(given: str, *ways: Sequence[Path]) -> Path | None:
    """The one that is meant in the first of these ways in which any is; None where there is none.

    Raises:
        RunNotFound: several are.
    """
    matches = next((way for way in ways if way), [])
    if len(matches) > 1:
        names = ", ".join(folder.name for folder in matches[:5])
        raise RunNotFound(f"{given!r} may be any of {names}. Say more of the id.")
    return matches[0] if matches else None
