"""What is wrong with a preset, where, and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from tui_trainer.errors import UserError
from tui_trainer.presets.toml_lines import KeyPath
from tui_trainer.text.plain import plain

Severity: TypeAlias = Literal["error", "warning"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `str()` gives `FILE:LINE: table.key: what is wrong, what would be right`."""

    file: str
    line: int | None
    """Where the key stands, counted from 1; None where no line of the file is to blame."""
    key: str
    """`table.key`, or an empty string for the file as a whole."""
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return plain(": ".join(part for part in (place, self.key, self.message) if part))


class PresetError(UserError):
    """A preset that cannot be used. `problems` holds all that was found, warnings among them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class PresetText:
    """Where a preset was written. No part of what it says: presets that say the same are equal wherever they stand."""

    file: str = field(default="", compare=False)
    lines: Mapping[KeyPath, int | None] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The line of each key; None for one whose value comes from the command's option of that name."""

    def problem(self, key: str | KeyPath, message: str, severity: Severity = "error") -> Problem:
        """A problem of `table.key`, at the line where that key stands, or its table where the key was left out;
        of the option where one gave the value, as no file is to blame for it.

        `key` is a path where a name in it may hold a point, as quoted keys of TOML do.
        """
        path = tuple(key.split(".")) if isinstance(key, str) else key
        line = self.lines.get(path, self.lines.get(path[:1]))
        if path in self.lines and line is None:
            return Problem("", None, f"--{path[-1].replace('_', '-')}", plain(message), severity)
        return Problem(self.file, line, key_name(path), plain(message), severity)


def key_name(path: KeyPath) -> str:
    """A key as TOML would write it, on one line and safe to show."""
    quoted = (
        part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=not part.isprintable()) for part in path
    )
    return ".".join(quoted)


class NoPlan(PresetError):
    """A plan that could not be worked out for a reason that lies elsewhere: a warning, which keeps nobody from
    starting the preset."""

    def __init__(self, why: str) -> None:
        super().__init__([Problem("", None, "", why, "warning")])
