"""What may be written in a preset: every key of a table, its default and what it does, for the app to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tui_trainer.presets.schema import TitleAndText, Training, Warmup
from tui_trainer.presets.wording import KINDS, shown

_TABLES: Mapping[str, type[BaseModel]] = {"": TitleAndText, "training": Training, "warmup": Warmup}


@dataclass(frozen=True)
class Argument:
    """A key that a table takes."""

    key: str
    default: str
    """As TOML would write it; `needed` where there is none, `filled in` where it follows from the run's length."""
    help: str


def arguments(table: str, name: str = "") -> list[Argument]:
    """The keys of a table, but for `name`, in a good order; `name` says which optimizer or scheduler it is.

    An unknown table or name has none: a person may be in the middle of typing it.
    """
    model = KINDS[table].get(name) if table in KINDS else _TABLES.get(table)
    if model is None:
        return []
    return [
        Argument(key, _default(key, field), field.description or "")
        for key, field in model.model_fields.items()
        if key != "name"
    ]


def names(table: str) -> list[tuple[str, str]]:
    """The names that `[optimizer]` or `[scheduler]` may bear, each with a line on what it does."""
    return [(name, kind.model_fields["name"].description or "") for name, kind in KINDS.get(table, {}).items()]


def _default(key: str, field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    if field.default is None:
        return "step_size_up" if key == "step_size_down" else "filled in"
    if isinstance(field.default, tuple):
        return str(list(field.default))
    return shown(field.default)
