"""What can go wrong with records, each as a sentence for a person: what, where, what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from tui_trainer.records.runs_folder import shell_command
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain


class RunsError(Exception):
    """The base of all errors of this package that a person can mend. `str()` is the sentence, plain text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence))


class RunsFolderUnwritable(RunsError):
    """No record can be made in the runs folder."""

    def __init__(self, folder: Path, cause: OSError) -> None:
        self.folder = folder
        super().__init__(
            f"cannot write a run's record to {folder}: {reason(cause)}. "
            "Name another folder with --runs-dir DIR or TUI_TRAINER_RUNS."
        )


class RunInUse(RunsError):
    """Another process writes this record."""

    def __init__(self, folder: Path, holder: str) -> None:
        self.folder = folder
        super().__init__(
            f"run {folder.name} is being written by {holder}. "
            f"Watch it with `{shell_command('attach', folder.name, folder.parent)}`, or stop it first."
        )


class RunNotLive(RunsError):
    """Nobody is there to take a command."""

    def __init__(self, folder: Path, *, watched: bool = False) -> None:
        """`watched`: it is a watched command's."""
        self.folder = folder
        how = shell_command("runs", "", folder.parent)
        again = shell_command("rerun" if watched else "resume", folder.name, folder.parent)
        does = "runs its command once more" if watched else "continues it if it ended early"
        super().__init__(
            f"run {folder.name} is not live, so it takes no commands. `{how}` tells how it ended; `{again}` {does}."
        )


class NotYourRun(RunsError):
    """The file system lets only the owner of a run write to it."""

    def __init__(self, folder: Path, cause: OSError) -> None:
        self.folder = folder
        super().__init__(f"run {folder.name} takes no commands from here: {reason(cause)}.")


class LaterRun(RunsError):
    """Another version trains a run, and may understand other commands."""

    def __init__(self, folder: Path, form: str) -> None:
        """`form` says what its record's form is, and why this version does not know it."""
        self.folder = folder
        super().__init__(f"run {folder.name} takes no commands from here: {form}. Ask with the version that trains it.")


class RunNotFound(RunsError):
    """No run, or more than one, goes by what was given."""


class RunUnreadable(RunsError):
    """What a run or a comparison has recorded is there, and cannot be read."""

    def __init__(self, path: Path, cause: OSError) -> None:
        self.path = path
        super().__init__(f"{path} cannot be read: {reason(cause)}.")


class CannotGoOn(RunsError):
    """A record does not say what its run was asked to be, or says what this version does not know.

    Args:
        folder: the record's.
        unknown: what is not known, each as a key and its value.
        written_by: the version that wrote it, if that is known.
    """

    def __init__(self, folder: Path, unknown: Sequence[str] = (), written_by: str = "") -> None:
        self.folder = folder
        file = folder / "run.json"
        if unknown:
            by = f", {written_by}" if written_by else ""
            super().__init__(
                f"{file} asks for what this version does not know: {', '.join(unknown)}. "
                f"Go on with the version of tui-trainer that wrote it{by}."
            )
        else:
            super().__init__(f"{file} does not say what was asked of this run, so it cannot go on.")


class RecordUnfit(CannotGoOn):
    """A run cannot go on in the record that it has."""

    def __init__(self, folder: Path, why: str, *, anew: bool = False) -> None:
        """`anew`: a new record could be begun from its checkpoint."""
        self.folder = folder
        resume = shell_command("resume", f"{folder.name} --new-record", folder.parent)
        way = f" `{resume}` goes on from its checkpoint, in a new record."
        RunsError.__init__(self, f"run {folder.name} cannot go on: {why}.{way if anew else ''}")


class RunIsWatched(CannotGoOn):
    """A run is another program's, which alone can go on with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        RunsError.__init__(self, f"run {folder.name} cannot go on: {say('watched.no_resume')}.")


class ExportFailed(RunsError):
    """The export could not be written."""


class ExportCutShort(ExportFailed):
    """It could not be finished, though it was asked rightly: the disk is full, say."""


def unsaid(_: str) -> None:
    """For who has nobody to warn."""


def reason(cause: OSError) -> str:
    """The system's own word for an error, in lower case and without its number."""
    known = {errno.ENOSPC: "record.no_space", errno.EDQUOT: "record.no_quota"}
    number = cause.errno
    if number is None:
        return str(cause)
    return say(known[number]) if number in known else os.strerror(number).lower()
