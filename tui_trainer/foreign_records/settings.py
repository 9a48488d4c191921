"""What a run was set to, as other tools write it down: flat, each value by its name.

A folder may say it beside its numbers: `hparams.yaml`, which Lightning's loggers write, Ultralytics' `args.yaml`,
`config.yaml` of detectron2 and of Lightning's command line. MMEngine's `config.py` is a program: it is named, not run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tui_trainer.files.safe_open import read_regular
from tui_trainer.foreign_records.pieces import SettingValue
from tui_trainer.foreign_records.rows import number_in
from tui_trainer.text.secrets import BLANK, blanked, is_called_secret

BESIDE = ("config.yaml", "hparams.yaml", "args.yaml")
"""Files of settings beside a record; of two that say another thing the later one here is right."""

AS_CODE = "config.py"
"""The same, as a program."""

MOST = 500
"""Settings of a run that are kept; detectron2 has some 300."""

LONGEST = 200
"""Characters of a name or a value that are kept."""

LONGEST_LIST = 20

DEEPEST = 4
"""Settings within settings that are looked into."""

LARGEST_FILE = 64 << 10
"""Bytes of a file of settings: it is read as a whole."""

LOOK_EVERY_S = 5.0
"""Seconds between looks at whether such a file is there, or another than it was."""

_WORDS = {"true": True, "false": False}
_NONE = ("", "null", "none", "~")


def settings_in(nested: Mapping[str, Any]) -> dict[str, SettingValue]:
    """What of an object is a setting: `optimizer.lr` of `{"optimizer": {"lr": 0.1}}`, texts, numbers and lists of such.

    At most `MOST`, in their order; what is left open is left out, and what is secret by its name or form is blanked.
    """
    found: dict[str, SettingValue] = {}
    for name, value in _flat(nested, "", DEEPEST):
        if len(found) == MOST:
            break
        found[name[:LONGEST]] = _shown(name, value)
    return found


def value_of(text: str) -> SettingValue | None:
    """What a text says, where a tool keeps all values as texts; None where it says that there is none."""
    word = text.strip()
    if word.lower() in _NONE:
        return None
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    try:
        return int(word) if len(word) <= 19 and "_" not in word else text[:LONGEST]
    except ValueError:
        number = number_in(word)
    return text[:LONGEST] if number is None else number


def in_words(value: SettingValue) -> str:
    """A value as a person would write it."""
    if isinstance(value, list):
        return f"[{', '.join(map(in_words, value))}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


class SettingsBeside:
    """Follows the files of settings beside a record."""

    def __init__(self, path: Path) -> None:
        """Look beside a file, or into a folder. Nothing is read yet."""
        self.settings: dict[str, SettingValue] = {}
        """What they say; none where there are none."""
        self.as_code = ""
        """The name of a program that says it, and is not run; empty where there is none."""
        folder = path if path.is_dir() else path.parent
        self._files = [folder / name for name in BESIDE]
        self._code = folder / AS_CODE
        self._seen: list[tuple[int, int] | None] = []
        self._next_look = 0.0

    def look(self) -> bool:
        """Read them, if they are others than at the last look; whether they were."""
        now = time.monotonic()
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_EVERY_S
        self.as_code = AS_CODE if _state(self._code) is not None else ""
        if (seen := [_state(file) for file in self._files]) == self._seen:
            return False
        self._seen = seen
        found: dict[str, Any] = {}
        for file, there in zip(self._files, seen, strict=True):
            if there is not None:
                found |= _read(file)
        self.settings = settings_in(found)
        return True


def joined(parts: Mapping[str, Mapping[str, SettingValue]]) -> dict[str, SettingValue]:
    """The settings of several parts of a run, by what each part is called; where two say another thing, `part/name`."""
    found: dict[str, SettingValue] = {}
    for part, settings in parts.items():
        for name, value in settings.items():
            if found.setdefault(name, value) != value:
                found[f"{part}/{name}"] = value
    return found


def _flat(nested: Mapping[Any, Any], above: str, deepest: int) -> Iterator[tuple[str, SettingValue]]:
    for key, value in nested.items():
        name = f"{above}{str(key)[:LONGEST]}"
        if isinstance(value, Mapping):
            if deepest:
                yield from _flat(value, f"{name}.", deepest - 1)
        elif isinstance(value, list | tuple):
            known = [_plain(each) for each in value[: LONGEST_LIST + 1]]
            if known and len(known) <= LONGEST_LIST and None not in known:
                yield name, [each for each in known if each is not None]
        elif (said := _plain(value)) is not None:
            yield name, said


def _shown(name: str, value: SettingValue) -> SettingValue:
    """A value without what is secret in it."""
    if is_called_secret(name):
        return BLANK
    return blanked([value])[0] if isinstance(value, str) else value


def _plain(value: object) -> bool | int | float | str | None:
    """A value that is none of several; a whole number that no float is as large as has no use as one."""
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    return value[:LONGEST] if isinstance(value, str) else None


def _state(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_regular(file, LARGEST_FILE)
    except OSError:  # not for us, or no file, or larger than any that a tool writes
        return {}
    from tui_trainer.foreign_records.yaml_values import values_in  # loads a parser, for which most have no use

    return {name: value for name, said in values_in(content).items() if (value := _said(said)) is not None}


def _said(said: str | list[str]) -> SettingValue | None:
    if isinstance(said, str):
        return value_of(said)
    listed = [value_of(each) for each in said]
    return [each for each in listed if each is not None and not isinstance(each, list)] or None
