"""What is typed to a watched command: keys as the bytes that a terminal would send for them. Nothing of it is kept."""

from __future__ import annotations

import re
from pathlib import Path

from textual import events

from tui_trainer.text.plain import plain

_BYTES = {
    "enter": b"\r",
    "tab": b"\t",
    "backspace": b"\x7f",
    "delete": b"\x1b[3~",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
}

ENDS = "escape"
"""The key that ends it: all others are the command's."""

_ASKS_FOR_SECRET = re.compile(r"(?i)pass(word|phrase|code)|\b(api.?)?key\b|token|secret|credential")


class Typing:
    """What goes to the command of a run, and of it the line that is being typed: the command's terminal shows none of
    it, since what is typed is not to be recorded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.line = ""
        """Since enter was pressed last."""

    def press(self, event: events.Key) -> bool:
        """A key goes to the command; whether it was taken: nothing is read any more from one that has ended."""
        data = bytes_of(event.key, event.character)
        if event.key == "enter" or event.key.startswith("ctrl+"):
            self.line = ""
        elif event.key == "backspace":
            self.line = self.line[:-1]
        elif data and event.is_printable and event.character:
            self.line += plain(event.character)
        return not data or self._send(data)

    def paste(self, text: str) -> bool:
        """The same of a text."""
        self.line = plain((self.line + text).replace("\r", "\n").rpartition("\n")[2])
        return self._send(text.replace("\r\n", "\r").replace("\n", "\r").encode("utf-8", "replace"))

    def _send(self, data: bytes) -> bool:
        from tui_trainer.watching.host.keyboard import type_to

        return type_to(self._folder, data)


def takes_what_is_typed(folder: Path | None) -> bool:
    """Whether the command of the run in this folder has a terminal that could be typed to from here."""
    from tui_trainer.watching.host.keyboard import takes_input

    return folder is not None and takes_input(folder)


def bytes_of(key: str, character: str | None) -> bytes:
    """What a terminal sends for a key; nothing for one that it has nothing for."""
    if known := _BYTES.get(key):
        return known
    if (
        key.startswith("ctrl+")
        and len(letter := key.removeprefix("ctrl+")) == 1
        and letter.isascii()
        and letter.isalpha()
    ):
        return bytes([ord(letter.lower()) - ord("a") + 1])
    return character.encode("utf-8", "replace") if character and character.isprintable() else b""


def shown(line: str, asked: str) -> str:
    """The line that is being typed; dots, where the last line that was printed asks for a secret."""
    return "•" * len(line) if _ASKS_FOR_SECRET.search(asked) else line
