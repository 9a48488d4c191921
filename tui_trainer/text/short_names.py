"""Names that have too little room, shortened so that they can be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def short_names(names: Sequence[str], width: int) -> list[str]:
    """Names in at most `width` letters each, an ellipsis in place of what does not fit: the end of a name, or its
    beginning where several would read alike without their ends, as `optimizer.lr 0.01` and `optimizer.lr 0.03` do."""
    if width <= 0:
        return ["" for _ in names]
    kept = width - 1
    begin = Counter(name[:kept] for name in set(names) if len(name) > width)

    def short(name: str) -> str:
        if len(name) <= width:
            return name
        return f"…{name[len(name) - kept :]}" if begin[name[:kept]] > 1 else f"{name[:kept]}…"

    return [short(name) for name in names]
