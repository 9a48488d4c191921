"""Text from elsewhere (files, names, messages of libraries), made safe to show in a terminal; for terminals and locales
without Unicode, every character as an ASCII one of the same width."""

from __future__ import annotations

import codecs
import os
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TextIO

REORDER = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text after them, on a screen that honours them."""


def plain(text: str) -> str:
    """The text on one line, without control characters, escape sequences' starts or marks that reorder it.

    White space of any kind becomes single spaces. Markup stays as the characters it is: who shows it must show text.
    """
    if text.isascii() and text.isprintable():  # as most are
        return " ".join(text.split())
    words = ("".join(filter(is_shown, word)) for word in text.split())
    return " ".join(word for word in words if word)


def plain_lines(text: str) -> list[str]:
    """The same of a text whose lines and indentation matter, as a file's or a traceback's; tabs are four spaces."""
    return ["".join(filter(is_shown, line)) for line in text.expandtabs(4).splitlines()]


def is_shown(character: str) -> bool:
    """Whether a terminal shows it, or gives it room: it neither obeys it nor turns the text after it."""
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in REORDER


NAMES_ITS_ENCODING = ("LC_ALL", "LC_CTYPE", "LANG")

_LOOKS_LIKE = {
    **{chr(code): "+" for code in range(0x2500, 0x2580)},  # corners and crossings of frames, as far as not below
    **dict.fromkeys("│┃╎╏║╵╷╹╻╽╿▕▏", "|"),
    **dict.fromkeys("─╴╶╼╌┄┈▔‐‑–—", "-"),
    **dict.fromkeys("━╸╺╾╍┅┉═", "="),  # a bar is told from what it still has to fill
    **dict.fromkeys("┊┆┇┋", ":"),
    **dict(zip("╱╲╳", "/\\x", strict=True)),
    **dict.fromkeys("●•◉", "*"),
    **dict.fromkeys("▌→›▶", ">"),
    **dict.fromkeys("←‹◀", "<"),
    **dict.fromkeys("▀▘▝", "'"),  # quarters: those above, those below, those on both sides
    **dict.fromkeys("▖▗", "."),
    **dict.fromkeys("▚▞▛▜▙▟▐", ":"),
    **dict.fromkeys("▁▂░", "."),
    **dict.fromkeys("▃▎▍", ":"),
    "▄": ".",
    **dict.fromkeys("▅▆▒▋▊", "="),
    **dict.fromkeys("▇█▓▉", "#"),
    "◆": "O",
    "◇": "o",
    "○": "@",
    "■": "#",
    **dict.fromkeys("▲△▴", "^"),
    **dict.fromkeys("▼▽▾", "v"),
    "□": "#",
    "🔎": "> ",
    "×": "x",
    "°": "'",
    "↑": "^",
    "↓": "v",
    "·": ".",
    "…": "~",
    "✓": "v",
    "✗": "x",
    "−": "-",
    "’": "'",
    "±": "~",
    "≥": ">",
    "≤": "<",
}

_BRAILLE_UPPER, _BRAILLE_LOWER = 0b0001_1011, 0b1110_0100
"""The dots of a braille cell: its two upper rows, its two lower ones."""


def shows_unicode(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the locale lets a terminal show more than ASCII; where no locale is set, it is taken to."""
    named = next((environment[name] for name in NAMES_ITS_ENCODING if environment.get(name)), "")
    if not named:
        return True
    return "utf8" in named.lower().replace("-", "")


def in_ascii(text: str) -> str:
    """The text with each character replaced that is not ASCII; as many cells wide as before."""
    return text if text.isascii() else "".join(map(_one, text))


def mend(stream: TextIO) -> None:
    """Have what is printed to it never fail for want of a character, whatever the locale."""
    codecs.register_error("tui-trainer", _instead)
    if not stream.encoding.lower().replace("-", "").startswith("utf8"):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="tui-trainer")


def _instead(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


def _is_tone(character: str) -> bool:
    """A tone of skin, which belongs to the picture before it."""
    return "\U0001f3fb" <= character <= "\U0001f3ff"


@lru_cache(maxsize=1024)
def _one(character: str) -> str:
    if character.isascii():
        return character
    code = ord(character) - 0x2800
    if 0 <= code < 256:
        upper, lower = bool(code & _BRAILLE_UPPER), bool(code & _BRAILLE_LOWER)
        return ":" if upper and lower else "'" if upper else "." if lower else " "
    if (alike := _LOOKS_LIKE.get(character)) is not None:
        return alike
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf") or _is_tone(character):
        return ""
    base = unicodedata.normalize("NFKD", character)[0]
    shown = base if base.isascii() and base.isprintable() else "?"
    return shown.ljust(2, "?" if shown == "?" else " ") if unicodedata.east_asian_width(character) in "WF" else shown
