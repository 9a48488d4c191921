"""What is wrong with a preset, on which line of its TOML, and what would be right.

`tomllib` reads the values and does not tell their lines. What does is a scanner of keys, not a second parser: it trusts
the document to be valid TOML, as `tomllib` has found it. In one that is not it stops where it no longer understands,
and what it found until then is right all the same.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from tui_trainer.errors import UserError
from tui_trainer.text.plain import plain

KeyPath: TypeAlias = tuple[str, ...]

DEEPEST = 4
"""How many names a path has at most: `scheduler.stages.2.gamma`."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)
_OTHER_VALUE = re.compile(r"[^,\]}\n#]+")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")


@dataclass(frozen=True)
class KeyFound:
    """A key, or the header of a table, and the line on which it begins, counted from 1."""

    path: KeyPath
    line: int
    kind: str
    """`key`, `table` or `array` (the header of one table of an array of tables)."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key and table of a valid document, as deep as `DEEPEST`.

    A table that only dotted keys name has the line of the first of them. Tables of a list bear their number behind the
    list's name, counted from 1: `stages.2`.
    """
    lines: dict[KeyPath, int] = {}
    implied: dict[KeyPath, int] = {}
    numbers: dict[KeyPath, int] = {}
    for key in keys(text):
        if key.kind == "array":
            numbers[key.path] = numbers.get(key.path, 0) + 1
        path = _numbered(key.path, numbers)
        if len(path) <= DEEPEST:
            lines.setdefault(path, key.line)
        for end in range(1, min(len(path), DEEPEST + 1)):
            implied.setdefault(path[:end], key.line)
    return implied | lines


def _numbered(path: KeyPath, numbers: Mapping[KeyPath, int]) -> KeyPath:
    """A path with the number of the table behind the name of each list that it goes through."""
    numbered: list[str] = []
    for end, name in enumerate(path, 1):
        numbered.append(name)
        if (number := numbers.get(path[:end])) is not None:
            numbered.append(str(number))
    return tuple(numbered)


def value_places(text: str) -> dict[KeyPath, slice]:
    """Where in a valid document the value of every key stands, but for those in lists and in tables of lists."""
    scanner = _Scanner(text)
    while scanner.next_statement():
        pass
    lists = {key.path for key in scanner.found if key.kind == "array"}
    return {
        path: place
        for path, place in scanner.places.items()
        if not any(path[:end] in lists for end in range(1, len(path)))
    }


def longest_key(text: str) -> int:
    """How many names the longest dotted key has: `tomllib` takes time that grows with the square of it."""
    scanner = _Scanner(text)
    try:
        while scanner.next_statement():
            pass
    except (_LostError, RecursionError):
        pass
    return scanner.longest


def first_duplicate(text: str) -> tuple[KeyFound, KeyFound] | None:
    """The first key or table that is given again, and where it was given before."""
    seen: dict[KeyPath, KeyFound] = {}
    for key in keys(text):
        if key.kind == "array":
            seen = {path: found for path, found in seen.items() if path[: len(key.path)] != key.path}
            continue
        before = seen.setdefault(key.path, key)
        if before is not key:
            return before, key
    return None


def keys(text: str) -> Iterator[KeyFound]:
    """Every key and header in the order of the document, up to where it makes no sense."""
    scanner = _Scanner(text)
    found = 0
    try:
        while scanner.next_statement():
            yield from scanner.found[found:]
            found = len(scanner.found)
    except (_LostError, RecursionError):
        yield from scanner.found[found:]


class _LostError(Exception):
    """The text is not what valid TOML would have here."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.found: list[KeyFound] = []
        self.places: dict[KeyPath, slice] = {}
        self.longest = 0
        self._text = text
        self._at = 0
        self._line = 1
        self._table: KeyPath = ()

    def next_statement(self) -> bool:
        """Go over one header or one `key = value`; False at the end of the document."""
        self._skip(_BLANK)
        if self._at >= len(self._text):
            return False
        if self._here("[["):
            self._header("[[", "]]", "array")
        elif self._here("["):
            self._header("[", "]", "table")
        else:
            self._pair(self._table)
        return True

    def _header(self, opening: str, closing: str, kind: str) -> None:
        line = self._line
        self._expect(opening)
        self._table = self._key()
        self._expect(closing)
        self.found.append(KeyFound(self._table, line, kind))

    def _pair(self, table: KeyPath | None) -> None:
        """One `key = value`; `table` is None inside a list, where a key has no path of its own."""
        line, key = self._line, self._key()
        self._expect("=")
        self._skip(_SPACE)
        path = None if table is None else table + key
        if path is not None:
            self.found.append(KeyFound(path, line, "key"))
        begins = self._at
        self._value(path)
        if path is not None:
            self.places[path] = slice(begins, begins + len(self._text[begins : self._at].rstrip()))

    def _key(self) -> KeyPath:
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append(self._key_part())
            self._skip(_SPACE)
            self.longest = max(self.longest, len(parts))
            if not self._here("."):
                return tuple(parts)
            self._expect(".")

    def _key_part(self) -> str:
        if self._here('"') or self._here("'"):
            quoted = self._skip(*_STRINGS[2:])
            try:
                return str(tomllib.loads(f"key = {quoted}")["key"])
            except tomllib.TOMLDecodeError:
                raise _LostError from None
        return self._skip(_BARE_KEY)

    def _value(self, path: KeyPath | None) -> None:
        if self._here('"') or self._here("'"):
            self._skip(*_STRINGS)
        elif self._here("["):
            self._list("[", "]", lambda: self._value(None))
        elif self._here("{"):
            self._list("{", "}", lambda: self._pair(path))
        else:
            self._skip(_OTHER_VALUE)

    def _list(self, opening: str, closing: str, item: Callable[[], None]) -> None:
        self._expect(opening)
        while True:
            self._skip(_BLANK)
            if self._here(closing):
                self._expect(closing)
                return
            if self._here(","):
                self._expect(",")
            else:
                item()

    def _here(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _expect(self, text: str) -> None:
        if not self._here(text):
            raise _LostError
        self._at += len(text)

    def _skip(self, *patterns: re.Pattern[str]) -> str:
        """Go over the first pattern that matches here, and count its lines."""
        for pattern in patterns:
            match = pattern.match(self._text, self._at)
            if match:
                self._at = match.end()
                self._line += match[0].count("\n")
                return match[0]
        raise _LostError


Severity: TypeAlias = Literal["error", "warning"]


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
        line = next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)
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
