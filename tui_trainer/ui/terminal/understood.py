"""What a terminal sends, as Textual's messages: keys, the mouse, sizes. What is none of these is left out."""

from __future__ import annotations

from textual._xterm_parser import XTermParser
from textual.message import Message

from tui_trainer.ui.terminal.typed import Typed


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
