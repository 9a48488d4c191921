"""Which columns the table of a comparison has: its own numbers, the last value of any series, and settings beside them.

A name is taken as a filter of runs takes it: where a setting and a series have one name, the setting is meant, and
`metrics.lr` and `config.lr` say which.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.differences import Difference, differences, setting, setting_keys, varied
from tui_trainer.compare.metric import in_common
from tui_trainer.compare.table import TARGET_COLUMNS, Column, Table, columns_of, key_of_series
from tui_trainer.records.series_names import LONGEST
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

STANDARD, SETTINGS = "standard", "settings"
"""Words for the columns that are there without a choice, and for all settings that differ."""

_SERIES, _SETTING = "metrics.", "config."

ShownColumn: TypeAlias = Column | Difference
"""A column of numbers, or of a setting."""


def parsed_columns(text: str) -> tuple[str, ...]:
    """The names in a text: commas between them, and quotes around one that has a comma.

    Raises:
        ValueError: there is none, or a longer one than any series has.
    """
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []) if name.strip())
    if not names or any(len(name) > LONGEST for name in names):
        raise ValueError(f"names of 1 to {LONGEST} characters, with commas between them")
    return names


@dataclass(frozen=True)
class ChosenColumns:
    """What the names come to, as far as it is known what the runs have."""

    names: tuple[str, ...]
    settings: dict[str, str]
    """The setting that each name is, of those that are one."""

    @classmethod
    def of(cls, comparison: Comparison) -> ChosenColumns:
        """What was chosen for a comparison."""
        known = setting_keys(comparison)
        settings = {name: key for name in comparison.columns if (key := _setting(name, known)) is not None}
        return cls(tuple(comparison.columns), settings)

    def series(self, table_keys: Sequence[str]) -> list[str]:
        """The names of series among them."""
        words = {STANDARD, SETTINGS, *table_keys, *self.settings}
        return [name.removeprefix(_SERIES) for name in self.names if name not in words]


def series_chosen(comparison: Comparison) -> list[str]:
    """The names of series that are to be columns."""
    if not comparison.columns:
        return []
    return ChosenColumns.of(comparison).series([column.key for column in columns_of(comparison.metric)])


def shown_columns(comparison: Comparison, table: Table) -> list[ShownColumn]:
    """The columns in their order; without a choice what was varied and all numbers, and without a target not those of
    it."""
    if not comparison.columns:
        return usual_columns(comparison, table)
    chosen = ChosenColumns.of(comparison)
    own = {column.key: column for column in table.columns}
    shown: list[ShownColumn] = []
    for name in chosen.names:
        if name == STANDARD:
            shown += _standard(table)
        elif name == SETTINGS:
            shown += differences(comparison)
        elif name in own:
            shown.append(own[name])
        elif name in chosen.settings:
            shown.append(setting(comparison, chosen.settings[name]))
        elif (key := key_of_series(name.removeprefix(_SERIES))) in own:
            shown.append(own[key])
    return shown


def usual_columns(comparison: Comparison, table: Table) -> list[ShownColumn]:
    """The columns without a choice."""
    return [*varied(comparison), *_standard(table)]


def unknown_columns(comparison: Comparison, table: Table) -> list[str]:
    """Which names come to nothing, a sentence each; none while a run may still log such a series."""
    if not comparison.columns or not comparison.is_over:
        return []
    every = comparison.series
    missing = [each.name for each in table.series if not any(each.name in series for series in every)]
    return [say("comparison.no_such_column", name=plain(name)) for name in missing]


def can_be_chosen(comparison: Comparison, table: Table) -> list[str]:
    """Names for a person to choose from: the numbers, the settings that differ, and the series that all runs have."""
    numbers = [column.key for column in _standard(table)]
    settings = list(dict.fromkeys(each.key for each in (*varied(comparison), *differences(comparison))))
    series = [f"{_SERIES}{name}" for name in in_common(comparison.series)]
    return [*numbers, *settings, *series]


def _standard(table: Table) -> list[Column]:
    """All numbers; without a target not those of it."""
    return [each for each in columns_of(table.metric) if table.target is not None or each.key not in TARGET_COLUMNS]


def _setting(name: str, known: Sequence[str]) -> str | None:
    """The setting that a name is: in full, or by its end where one alone ends so."""
    name = name.removeprefix(_SETTING)
    if name in known:
        return name
    ending = [key for key in known if key.endswith(f".{name}")]
    return ending[0] if len(ending) == 1 else None
