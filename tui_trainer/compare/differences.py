"""What differs between the presets of a comparison, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from tui_trainer.compare.comparison import Comparison, Group
from tui_trainer.presets.schema import Preset
from tui_trainer.text.plain import plain

ABSENT = "–"
FIRST = "scheduler.name"
"""The setting that is told of a preset before others, and beside which one that cannot be told stands as such."""

UNKNOWN = "?"
"""In place of a setting of a preset that cannot be told."""

TABLES = ("scheduler", "warmup", "optimizer", "training")
"""The tables of a preset, in the order in which a reader asks for them."""


@dataclass(frozen=True)
class Difference:
    """A setting, and what each preset has there, in the order of the comparison."""

    key: str
    values: tuple[str, ...]


def differences(comparison: Comparison) -> list[Difference]:
    """The settings in which at least two presets differ; one that a preset does not have is `–` there.

    What only some of the classes take, and was left at its default, says nothing that the name does not. Presets that
    cannot be told differ from none: `untold` names them.
    """
    rows = []
    switches = tuple(_switches(group) for group in comparison.groups)
    if any(cell != ABSENT for cell in switches):
        rows.append(Difference("switched", switches))
    presets = [_preset(group) for group in comparison.groups]
    settings = [_settings(preset) if isinstance(preset, Preset) else None for preset in presets]
    known = [each for each in settings if each is not None]
    keys = dict.fromkeys(key for each in known for key in each)
    for key in sorted(keys, key=_place):
        everywhere = all(key in each for each in known)
        cells = tuple(UNKNOWN if each is None else _cell(each.get(key), everywhere) for each in settings)
        if len({*cells} - {UNKNOWN}) > 1 or (key == FIRST and UNKNOWN in cells):
            rows.append(Difference(key, cells))
    if not known:
        rows.append(Difference(FIRST, tuple(UNKNOWN for _ in settings)))
    return rows


def untold(comparison: Comparison) -> list[str]:
    """Whose preset cannot be told, and why, a sentence each; of runs that have begun and whose record is there."""
    said = []
    for group in comparison.groups:
        why = _preset(group)
        if isinstance(why, str) and (group.runs[0].facts or group.runs[0].entry.asked):
            said.append(f"What preset {plain(group.label)} had cannot be told: {plain(why)}.")
    return said


def _switches(group: Group) -> str:
    """What the settings below held no longer for, of a run that followed another preset from an epoch on."""
    told = [f"to {plain(s.recipe.preset)} in epoch {s.epoch}" for s in group.runs[0].history.switches]
    return ", ".join(told) or ABSENT


class _Setting(NamedTuple):
    value: object
    is_default: bool


def _cell(setting: _Setting | None, everywhere: bool) -> str:
    if setting is None or (setting.is_default and not everywhere):
        return ABSENT
    return _value(setting.value)


def _preset(group: Group) -> Preset | str:
    """What its runs followed as they began, or why that cannot be told."""
    run = group.runs[0]
    asked: Any = run.entry.asked or run.facts.get("asked")
    if not isinstance(asked, dict) or "preset" not in asked:
        return "its record does not say"
    try:
        return Preset.model_validate(asked["preset"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"this version does not know it ({where}: {first['msg']})"


def _settings(preset: Preset) -> dict[str, _Setting]:
    settings: dict[str, _Setting] = {}
    for table in TABLES:
        part = getattr(preset, table)
        for key, field in type(part).model_fields.items() if part is not None else ():
            value = getattr(part, key)
            if value is not None:
                is_default = table != "warmup" and key not in ("name", "lr") and value == field.get_default()
                settings[f"{table}.{key}"] = _Setting(value, is_default)
    if preset.scheduler.own_start is not None:
        settings.pop("optimizer.lr", None)  # it has no say
    return settings


def _place(key: str) -> tuple[int, int, str]:
    table, _, name = key.partition(".")
    return TABLES.index(table), name != "name", name


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(_value(each) for each in value)
    return plain(str(value))
