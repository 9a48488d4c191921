"""What the screen keeps from one start to the next: the theme, the panels, whether its hints were seen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import platformdirs

from tui_trainer.runs.files import PRIVATE_FOLDER, replace_whole

if TYPE_CHECKING:
    from tui_trainer.plotting.figure import Marks

MARKS: tuple[Marks, ...] = ("braille", "blocks", "ascii")

LARGEST = 65_536
"""Bytes; a longer file was not written by this program."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file: what is missing in it has the value given here."""

    theme: str = ""
    """The name of a theme; empty for the one it starts with."""
    marks: str = ""
    """What curves are drawn with; empty for what suits the terminal."""
    roomy: dict[str, str] = msgspec.field(default_factory=dict)
    """The form of each panel, by id, where there is room."""
    small: dict[str, str] = msgspec.field(default_factory=dict)
    """The same for small terminals."""
    hints_seen: bool = False


class Remembered:
    """Reads the file at once and writes it at every change, whole. One that is broken counts as none, and one that
    cannot be written is let be: nothing here is worth a word to the person. Without a file nothing outlasts the app."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.kept = self._read()
        self._changed: dict[str, Any] = {}
        """By this screen: they hold for it though the file could not be written."""

    @property
    def marks(self) -> Marks:
        """What curves are drawn with: quarter blocks where a terminal is known to have no braille."""
        chosen = next((marks for marks in MARKS if marks == self.kept.marks), None)
        return chosen or ("blocks" if os.environ.get("TERM") == "linux" else "braille")

    @classmethod
    def of_user(cls) -> Remembered:
        """The user's own."""
        return cls(Path(platformdirs.user_state_dir("tui-trainer")) / "screen.json")

    def change(self, **changes: Any) -> bool:
        """Keep these, beside what another screen may have written since; whether they outlast the app."""
        self._changed |= changes
        self.kept = msgspec.structs.replace(self._read(), **self._changed)
        if self.file is None:
            return False
        try:
            self.file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            replace_whole(self.file, msgspec.json.encode(self.kept))
        except OSError:
            return False
        return True

    def _read(self) -> Kept:
        if self.file is None:
            return Kept()
        try:
            with self.file.open("rb") as file:
                return msgspec.json.decode(file.read(LARGEST), type=Kept)
        except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
            return Kept()
