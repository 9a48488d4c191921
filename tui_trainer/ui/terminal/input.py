"""What a terminal sends: text, and Textual's messages of keys, mouse and sizes. What is none of these is left out."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from textual.message import Message

from tui_trainer.ui.terminal.textual_internals import XTermParser

_OLD_MOUSE = re.compile(rb"\x1b\[M(.)(.)(.)", re.DOTALL)
_BEGUN = re.compile(rb"\x1b\[M.{0,2}\Z", re.DOTALL)
_OFFSET = 32
"""What the oldest way of mouse reports adds to each number, to make a character of it."""

_RELEASED = 3
"""Of no button in particular, where the bits of a wheel and of a move are not set."""


class Typed:
    """Text out of bytes that come in pieces. Bytes that are no UTF-8 are left out.

    A report of the mouse in its oldest form (X10), where any byte may be part of it, becomes one in the form that is
    all digits (SGR): else it would be taken for keys.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._begun = b""
        """The start of a mouse report."""

    def text(self, data: bytes) -> str:
        """What `data` adds to the text."""
        data = _OLD_MOUSE.sub(_with_digits, self._begun + data)
        begun = _BEGUN.search(data)
        self._begun = begun[0] if begun else b""
        return self._decode(data.removesuffix(self._begun)).replace("\ufffd", "")


def _with_digits(report: re.Match[bytes]) -> bytes:
    button, column, line = (max(0, piece[0] - _OFFSET) for piece in report.groups())
    if button & 0b1110_0011 == _RELEASED:
        return b"\x1b[<%d;%d;%dm" % (button & ~_RELEASED, column, line)
    return b"\x1b[<%d;%d;%dM" % (button, column, line)


class Understood:
    """Messages out of bytes that come in pieces, however they are cut."""

    def __init__(self, debug: bool = False) -> None:
        self._typed = Typed()
        self._debug = debug
        self._parser = XTermParser(debug)

    def messages(self, data: bytes) -> list[Message]:
        """What `data` adds; without any, what an escape was by itself, once it has been alone for long enough.

        Where something follows at once, a pause was not the terminal's but ours, on a busy machine: nothing is cut
        off by it.
        """
        found: list[Message] = []
        for character in self._typed.text(data):
            try:
                found.extend(self._parser.feed(character))
            except Exception:  # Textual's parser trusts numbers that a terminal sends
                self._parser = self._anew()
        if not data:
            found.extend(self._parser.tick())
        return found

    def _anew(self) -> XTermParser:
        """A parser that has begun nothing, and knows what the other one did of the mouse, where that made sense."""
        before, parser = self._parser, XTermParser(self._debug)
        if all((*(before.terminal_size or ()), *(before.terminal_pixel_size or ()))):
            parser.mouse_pixels = before.mouse_pixels
            parser.terminal_size, parser.terminal_pixel_size = before.terminal_size, before.terminal_pixel_size
        return parser
