"""Names that have too little room, shortened so that they can be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate


def short_names(names: Sequence[str], width: int, *, by_end: bool = False) -> list[str]:
    """Names in at most `width` cells each, an ellipsis in place of what does not fit.

    What is kept is the beginning, or `by_end` the end, as of series, whose group comes first; the other of the two
    where several names would read alike otherwise, as `optimizer.lr 0.01` and `optimizer.lr 0.03` without their ends.
    """
    return [*_short_names(tuple(names), width, by_end)]


@lru_cache(maxsize=32)  # a frame asks for those of the one before
def _short_names(names: tuple[str, ...], width: int, by_end: bool) -> tuple[str, ...]:
    if width <= 0:
        return tuple("" for _ in names)
    first, second = (_end, _beginning) if by_end else (_beginning, _end)
    alike = Counter(first(name, width) for name in set(names))

    def short(name: str) -> str:
        return second(name, width) if alike[first(name, width)] > 1 else first(name, width)

    return tuple(short(name) for name in names)


def short_name(name: str, width: int, *, by_end: bool = False) -> str:
    """The same of one name that stands alone."""
    return short_names([name], width, by_end=by_end)[0]


def _beginning(name: str, width: int) -> str:
    return name if _cells(name) <= width else f"{name[: _that_fit(name, width - 1)]}…"


def _end(name: str, width: int) -> str:
    return name if _cells(name) <= width else f"…{name[len(name) - _that_fit(reversed(name), width - 1) :]}"


def _that_fit(letters: Iterable[str], width: int) -> int:
    """How many of some letters have room in so many cells."""
    return sum(end <= width for end in accumulate(map(_cells, letters)))


def _cells(text: str) -> int:
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len  # not above: commands that draw nothing load nothing of it

    return cell_len(text)
