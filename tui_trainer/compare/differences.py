"""What differs between the presets of a comparison, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from tui_trainer.compare.comparison import Comparison, Group
from tui_trainer.plain import plain
from tui_trainer.presets import Preset

ABSENT = "–"
TABLES = ("scheduler", "warmup", "optimizer", "training")
"""The tables of a preset, in the order in which a reader asks for them."""


@dataclass(frozen=True)
class Difference:
    """A setting, and what each preset has there, in the order of the comparison."""

    key: str
    values: tuple[str, ...]


def differences(comparison: Comparison) -> list[Difference]:
    """The settings in which at least two presets differ; one that a preset does not have is `–` there.

    What only some of the classes take, and was left at its default, says nothing that the name does not.
    """
    rows = []
    switches = tuple(_switches(group) for group in comparison.groups)
    if any(cell != ABSENT for cell in switches):
        rows.append(Difference("switched", switches))
    known = [_settings(group) for group in comparison.groups]
    keys = dict.fromkeys(key for settings in known for key in settings)
    for key in sorted(keys, key=_place):
        everywhere = all(key in settings for settings in known)
        cells = tuple(_cell(settings.get(key), everywhere) for settings in known)
        if len(set(cells)) > 1:
            rows.append(Difference(key, cells))
    return rows


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


def _settings(group: Group) -> dict[str, _Setting]:
    run = group.runs[0]
    asked: Any = run.entry.asked or run.facts.get("asked")
    try:
        preset = Preset.model_validate(asked["preset"])
    except (KeyError, TypeError, ValueError):
        return {}
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
