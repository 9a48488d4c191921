"""What each part of a preset's text is, told by colour: tables, values, and comments."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from tui_trainer.ui.panel import Line, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOO_LONG = 10_000
"""Letters; a text beyond that, which would keep the screen waiting, has one colour."""


class Coloured(NamedTuple):
    """A piece of a line."""

    start: int
    """The first letter, from 0."""
    end: int
    """The letter behind the last one."""
    role: str
    """Of the theme's ROLES."""


@lru_cache(maxsize=64)
def coloured(text: str) -> Sequence[Sequence[Coloured]]:
    """The pieces of each line that are not plain, from left to right; nothing for a text that is too long."""
    if len(text) > TOO_LONG:
        return ()
    from pygments.lexers.configs import TOMLLexer

    lines: list[list[Coloured]] = [[]]
    at = 0
    for _, kind, piece in TOMLLexer().get_tokens_unprocessed(text):
        role = _role(str(kind))
        for index, part in enumerate(piece.split("\n")):
            if index:
                lines.append([])
                at = 0
            if part and role:
                lines[-1].append(Coloured(at, at + len(part), role))
            at += len(part)
    return lines


def coloured_lines(lines: Sequence[str]) -> Iterator[Line]:
    """A text's lines, as a panel shows them."""
    for line, pieces in zip(lines, chain(coloured("\n".join(lines)), repeat(())), strict=False):
        spans, at = [], 0
        for start, end, role in pieces:
            spans += [Span(line[at:start]), Span(line[start:end], role)]
            at = end
        yield (*(span for span in spans if span.text), Span(line[at:]))


def _role(kind: str) -> str:
    """Of what Pygments names `Token.Literal.Number.Float`, say."""
    if kind.startswith("Token.Comment"):
        return "faint"
    if kind.startswith(("Token.Literal", "Token.Keyword.Constant")):
        return "value"
    return "strong" if kind.startswith("Token.Keyword") else ""
