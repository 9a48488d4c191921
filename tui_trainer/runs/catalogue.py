"""The runs of a folder: which there are, how they stand, and which one is meant."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs

from tui_trainer.runs.errors import RunNotFound, RunsFolderUnwritable
from tui_trainer.runs.facts import read_facts
from tui_trainer.runs.lock import WriterLock
from tui_trainer.runs.summary import RunSummary, summarize

ENVIRONMENT = "TUI_TRAINER_RUNS"
_NAMED_AT_MOST = 5


def runs_folder(option: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all runs: what `--runs-dir` says, else TUI_TRAINER_RUNS, else the user's data folder."""
    said = option or os.environ.get(ENVIRONMENT)
    if said:
        return Path(said).expanduser().absolute()
    return platformdirs.user_data_path("tui-trainer", appauthor=False) / "runs"


def folders(runs: Path) -> list[Path]:
    """The folders in `runs` that hold a record, in no order; none where there is no such folder."""
    try:
        with os.scandir(runs) as entries:
            return [Path(entry.path) for entry in entries if _is_record(Path(entry.path))]
    except (FileNotFoundError, NotADirectoryError):
        return []


def summaries(runs: Path) -> list[RunSummary]:
    """All runs of a folder, newest first. What is no record, or cannot be read, is passed over.

    Raises:
        PermissionError: the folder itself cannot be read.
    """
    found = []
    for folder in folders(runs):
        try:
            found.append(summarize(folder))
        except OSError:
            continue
    return sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)


def newest(runs: Path) -> Path:
    """The run that was begun last.

    Raises:
        RunNotFound: there is none.
    """
    found = folders(runs)
    if not found:
        raise RunNotFound(_none_yet(runs))
    return max(found, key=_begun)


def find(runs: Path, given: str) -> Path:
    """The folder of the run that is meant: by its id, its name, the unique start of an id, or a path.

    Raises:
        RunNotFound: nothing goes by that, or several do; the sentence names what comes near.
    """
    path = Path(given).expanduser()
    if os.sep in given and _is_record(path):
        return path.absolute()
    found = sorted(folders(runs), key=_begun, reverse=True)
    names = {folder: read_facts(folder).get("name") for folder in found}
    for matches in (
        [folder for folder in found if folder.name == given],
        [folder for folder in found if names[folder] == given and given],
        [folder for folder in found if folder.name.startswith(given) and given],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise RunNotFound(f"{given!r} may be any of {_listed(matches)}. Say more of the id.")
    if given and _is_record(path):
        return path.absolute()
    if not found:
        raise RunNotFound(_none_yet(runs))
    raise RunNotFound(f"there is no run {given!r} in {runs}.{_near(given, found, names)}")


def named(runs: Path, name: str) -> int:
    """How many runs bear a name."""
    return sum(read_facts(folder).get("name") == name for folder in folders(runs))


def delete(folder: Path) -> None:
    """Delete the record in a folder for good, checkpoints and all.

    Raises:
        RunInUse: it is live.
        RunsFolderUnwritable: the file system does not let it.
    """
    try:
        lock = WriterLock(folder)
        try:
            shutil.rmtree(folder)
        finally:
            lock.release()
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause


def _is_record(folder: Path) -> bool:
    try:
        return (folder / "run.json").is_file() or (folder / "events.jsonl").is_file()
    except OSError:
        return False


def _begun(folder: Path) -> tuple[float, str]:
    created = read_facts(folder).get("created_at")
    if not isinstance(created, int | float):
        try:
            created = folder.stat().st_mtime
        except OSError:
            created = 0.0
    return created, folder.name


def _listed(folders: list[Path]) -> str:
    names = [folder.name for folder in folders[:_NAMED_AT_MOST]]
    more = len(folders) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _near(given: str, found: list[Path], names: dict[Path, object]) -> str:
    words = {folder.name: folder.name for folder in found}
    words |= {name: name for name in names.values() if isinstance(name, str)}
    import difflib

    near = difflib.get_close_matches(given, words, n=3, cutoff=0.5)
    near += [word for word in words if given and given in word and word not in near][: 3 - len(near)]
    if near:
        return f" Near it: {', '.join(near)}."
    return f" The newest is {found[0].name}; `tui-trainer runs` lists them all."


def _none_yet(runs: Path) -> str:
    return f"there are no runs in {runs} yet. `tui-trainer launch` starts one; --runs-dir DIR looks elsewhere."
