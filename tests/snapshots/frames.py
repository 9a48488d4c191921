"""What an app shows, as a text file that a person can read and compare: the characters, and how each cell looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.ui.theme import DARK

_NAMES = {
    (DARK.foreground or "").lower(): "text",
    (DARK.background or "").lower(): "ground",
    (DARK.surface or "").lower(): "surface",
    (DARK.panel or "").lower(): "panel",
    DARK.primary.lower(): "accent",
    (DARK.warning or "").lower(): "warning",
    **{DARK.variables[name].lower(): name for name in ("faint", "rule", "lit")},
}
"""The dark theme's colours by what they mean, for names that a person can follow."""


class Cell(NamedTuple):
    """One character, with what it looks like."""

    text: str
    """Empty in the second cell of a wide character."""
    look: str


Frame = list[list[Cell]]


def frame_of(app: App[int], line_filter: LineFilter | None = None) -> Frame:
    """What is on the screen, or would be with a filter."""
    strips = app.screen._compositor.render_strips()
    if line_filter is not None:
        background = Color.parse(app.theme_variables["background"])
        strips = [strip.apply_filter(line_filter, background) for strip in strips]
    frame: Frame = []
    for strip in strips:
        line: list[Cell] = []
        for text, style, _ in strip:
            looks, blank = _look(style or Style(), blank=False), _look(style or Style(), blank=True)
            if text.isascii():
                line += [Cell(character, blank if character == " " else looks) for character in text]
                continue
            for character in text:
                look = blank if character == " " else looks
                width = 1 if character.isascii() else cell_len(character)
                if width:
                    line += [Cell(character, look)] + [Cell("", look)] * (width - 1)
                elif line:  # a mark over the character before it
                    line[-1] = Cell(line[-1].text + character, line[-1].look)
        frame.append(line)
    return frame


def told(frames: Mapping[str, Frame]) -> str:
    """The same screen under several themes. Their text must be one: a theme changes colours and nothing else.

    The text comes first; below it stands a letter for each cell, and last what each letter looks like in each theme.
    """
    texts = {name: _text(frame) for name, frame in frames.items()}
    first = next(iter(texts))
    for name, text in texts.items():
        assert text == texts[first], f"the text in {name} is another than in {first}:\n{text}\n{texts[first]}"
    together = [list(zip(*lines, strict=True)) for lines in zip(*frames.values(), strict=True)]
    looks = [[tuple(cell.look for cell in cells) for cells in line] for line in together]
    letters = _letters({look for line in looks for look in line})
    drawn = ["".join(letters[look] for look in line).rstrip() for line in looks]
    legend = [
        f"{letter}  {named(look[0])}: " + ", ".join(f"{name} {each}" for name, each in zip(frames, look, strict=True))
        for look, letter in sorted(letters.items(), key=lambda item: item[1])
    ]
    return "\n".join([*texts[first], "", *drawn, "", *legend]) + "\n"


def named(look: str) -> str:
    """A look of the dark theme by the names of its colours."""
    words = " ".join(_NAMES.get(word, word) for word in look.split()).replace("on ground", "")
    return " ".join(words.split())


def _text(frame: Frame) -> list[str]:
    return ["".join(cell.text for cell in line).rstrip() for line in frame]


def _letters(looks: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """A letter for each, of its own name where one is free, so that a new look changes few of the others."""
    letters: dict[tuple[str, ...], str] = {}
    for look in sorted(looks):
        name = named(look[0])
        wanted = " " if name == "" else ""
        wanted += "".join(word[0] for word in name.split() if word[0].isalpha()) + name
        free = [each for each in wanted if each not in letters.values() and (each.isalnum() or each == wanted[0])]
        rest = [each for each in ascii_lowercase + ascii_uppercase + digits if each not in letters.values()]
        letters[look] = (free or rest)[0]
    return letters


@lru_cache(maxsize=1024)
def _look(style: Style, blank: bool) -> str:
    """Of blanks, what can be seen of them."""
    if blank and not style.underline and not style.reverse:
        return f"on {_hex(style.bgcolor)}"
    words = [f"{_hex(style.color)} on {_hex(style.bgcolor)}"]
    words += [name for name in ("bold", "italic", "underline", "reverse", "dim", "strike") if getattr(style, name)]
    return " ".join(words)


def _hex(colour: RichColor | None) -> str:
    if colour is None:
        return "none"
    return colour.get_truecolor().hex.lower() if not colour.is_default else "default"
