"""The folder in which copies of another machine's files lie, for as long as somebody looks at them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

from tui_trainer.files.safe_open import PRIVATE_FILE

PREFIX = "tui-trainer-ssh-"


class Copies:
    """A folder for this user alone among those for temporary files, until `remove`."""

    def __init__(self) -> None:
        """Make it, and remove those of processes of this user that were killed.

        Raises:
            OSError: there is no room for it.
        """
        _remove_forsaken(Path(tempfile.gettempdir()))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held = os.open(self.folder / ".held", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Delete it, and all that lies in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._held)


def _remove_forsaken(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            held = os.open(folder / ".held", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # somebody is making it, or removing it
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # held: somebody looks at it
            continue
        finally:
            os.close(held)
