"""What a caption is."""

from __future__ import annotations

from typing import NamedTuple


class Caption(NamedTuple):
    """Words, in braces the values that they name; when they are said, and when they would be wrong."""

    words: str
    said: str
    never: str
