"""pydantic's errors in a person's words: what is wrong with a key, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.problems import Problem, Source
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.presets.toml_lines import KeyPath

KINDS: dict[str, dict[str, Any]] = {"optimizer": dict(OPTIMIZERS), "scheduler": dict(SCHEDULERS)}
"""The tables whose keys depend on their `name`."""


def explain(error: ValidationError, source: Source, inside: KeyPath = ()) -> list[Problem]:
    """All problems of one validation, in the order of the file. `inside`: the table that was validated by itself."""
    problems = [_problem(detail, source, inside) for detail in error.errors(include_url=False, include_context=True)]
    return sorted(problems, key=lambda problem: problem.line or 0)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means."""
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _problem(detail: Any, source: Source, inside: KeyPath) -> Problem:
    path, _ = _key_path(inside + tuple(detail["loc"]))
    return source.problem(".".join(path), detail["msg"])


def _key_path(loc: tuple[int | str, ...]) -> tuple[KeyPath, str | None]:
    """The keys as the file has them, without pydantic's tag of the union and places in lists; and that tag."""
    path = tuple(str(part) for part in loc if isinstance(part, str))
    if len(path) > 1 and path[1] in KINDS.get(path[0], {}):
        return (path[0], *path[2:]), path[1]
    return path, None
