"""Text from elsewhere (files, names, messages of libraries), made safe to show in a terminal."""

from __future__ import annotations

import unicodedata

REORDER = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text after them, on a screen that honours them."""


def plain(text: str) -> str:
    """The text on one line, without control characters, escape sequences' starts or marks that reorder it.

    White space of any kind becomes single spaces. Markup stays as the characters it is: who shows it must show text.
    """
    words = ("".join(filter(is_shown, word)) for word in text.split())
    return " ".join(word for word in words if word)


def plain_lines(text: str) -> list[str]:
    """The same of a text whose lines and indentation matter, as a file's or a traceback's; tabs are four spaces."""
    return ["".join(filter(is_shown, line)) for line in text.expandtabs(4).splitlines()]


def is_shown(character: str) -> bool:
    """Whether a terminal shows it, or gives it room: it neither obeys it nor turns the text after it."""
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in REORDER
