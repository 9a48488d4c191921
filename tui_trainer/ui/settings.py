"""What the screen keeps from one start to the next: the theme, the panels, whether its hints were seen."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import platformdirs

from tui_trainer import threads
from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.safe_open import PRIVATE_FOLDER
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain, shows_unicode

if TYPE_CHECKING:
    from tui_trainer.plotting.figure import Marks

MARKS: tuple[Marks, ...] = ("braille", "blocks", "ascii")

LARGEST = 65_536
"""Bytes; a longer file was not written by this program."""

LONGEST_WRITE_S = 2.0
"""Seconds that leaving waits for the file."""


class UISettings(msgspec.Struct, frozen=True, kw_only=True):
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
    pins: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Names of series that are pinned, by what the runs have in common that share them."""


class Settings:
    """Reads the file at once, and writes each change of it, whole, in a thread of its own: what is chosen holds at
    once, whatever the disk does. One that is broken counts as none. Without a file nothing outlasts the app."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self._trouble = ""
        self.kept = self._read()
        """As this screen has it; belongs to the thread that changes it."""
        self._shared = threading.Condition()
        """Held by whichever thread touches one of the next three, or the trouble."""
        self._changed: dict[str, Any] = {}
        """By this screen: they hold for it though the file could not be written."""
        self._unwritten = self._writes = False
        self._outlast = file is not None

    @property
    def marks(self) -> Marks:
        """What curves are drawn with, unless chosen: plain characters where the locale has no others, quarter blocks
        where a terminal is known to have no braille."""
        if chosen := next((marks for marks in MARKS if marks == self.kept.marks), None):
            return chosen
        if not shows_unicode():
            return "ascii"
        return "blocks" if os.environ.get("TERM") == "linux" else "braille"

    @classmethod
    def of_user(cls) -> Settings:
        """The user's own."""
        return cls(Path(platformdirs.user_state_dir("tui-trainer")) / "screen.json")

    def change(self, **changes: Any) -> None:
        """Keep these, beside what another screen may have written since. Returns at once."""
        self.kept = msgspec.structs.replace(self.kept, **changes)
        if self.file is None:
            return
        with self._shared:
            self._changed |= changes
            self._unwritten = True
            if not self._writes:
                self._writes = True
                threads.begin("remembering", self._write, self._give_up)

    @property
    def outlasts(self) -> bool | None:
        """Whether what was changed outlasts the app; None while it is written."""
        with self._shared:
            return None if self._writes else self._outlast

    def settle(self, seconds: float = LONGEST_WRITE_S) -> bool:
        """Wait until all is written, for so long at most; whether it is, and outlasts the app."""
        with self._shared:
            return self._shared.wait_for(lambda: not self._writes, seconds) and self._outlast

    def new_trouble(self) -> str:
        """What hindered reading or writing, since the last call: a sentence; mostly empty."""
        if not self._trouble:
            return ""
        with self._shared:
            trouble, self._trouble = self._trouble, ""
        return trouble

    def _write(self) -> None:
        """Until nothing is unwritten; in a thread of its own, of which there is one at a time."""
        assert self.file is not None
        while True:
            with self._shared:
                if not self._unwritten:
                    self._end(outlast=True)
                    return
                changed, self._unwritten = dict(self._changed), False
            try:
                self.file.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
                kept = msgspec.structs.replace(self._read(), **changed)
                write_atomic(self.file, msgspec.json.encode(kept))
            except OSError as error:
                self._give_up(error.strerror or str(error))
                return

    def _give_up(self, why: str) -> None:
        with self._shared:
            if self._outlast:  # once: it holds for this screen all the same
                self._trouble = say("answer.settings_unsaved", file=self.file, why=why)
            self._end(outlast=False)

    def _end(self, *, outlast: bool) -> None:
        self._writes, self._outlast = False, outlast
        self._shared.notify_all()

    def _read(self) -> UISettings:
        if self.file is None:
            return UISettings()
        try:
            with self.file.open("rb") as file:
                return msgspec.json.decode(file.read(LARGEST), type=UISettings)
        except FileNotFoundError:
            return UISettings()
        except OSError as error:
            why = error.strerror or str(error)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = say("answer.settings_damaged", why=plain(str(error)))
        self._trouble = say("answer.settings_unread", file=self.file, why=why)
        return UISettings()
