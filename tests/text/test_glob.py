"""Patterns of names: what they match, and what they may cost at the most."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.text.glob import glob


@given(pattern=st.text("ab*?", max_size=12), text=st.text("ab\n", max_size=12))
def test_globs_are_those_of_the_shell(pattern: str, text: str) -> None:
    assert glob(pattern)(text) == fnmatchcase(text, pattern)
