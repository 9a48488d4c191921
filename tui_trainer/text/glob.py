"""Patterns of `*` and `?`, as in the shell, at a bounded cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=64)
def glob(pattern: str) -> Callable[[str], bool]:
    """Whether a text is what a pattern says: `*` is any characters, `?` any one.

    No pattern goes back: a look costs at most the length of a text times that of the pattern.
    """
    # Pieces between `*`, each at the first place behind the one before it, the first and the last at the ends. A piece
    # has a fixed length and nothing in it repeats: looking for it never goes back either.
    split = pattern.split("*")
    split = [split[0], *filter(None, split[1:-1]), split[-1]] if len(split) > 1 else split
    pieces = [re.compile("".join("." if c == "?" else re.escape(c) for c in piece), re.DOTALL) for piece in split]
    first, last, begins, ends = pieces[0], pieces[-1], len(split[0]), len(split[-1])

    def passes(text: str) -> bool:
        if len(pieces) == 1:
            return len(text) == begins and first.match(text) is not None
        if first.match(text) is None:
            return False
        at, end = begins, len(text) - ends
        for piece in pieces[1:-1]:
            found = piece.search(text, at, max(at, end))
            if found is None:
                return False
            at = found.end()
        return at <= end and last.match(text, end) is not None

    return passes
