"""From what a TOML text says to a preset: table by table, so that one that is broken hides nothing of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from tui_trainer.presets.problems import Problem, Source
from tui_trainer.presets.schema import Heading, Preset, Training, Warmup
from tui_trainer.presets.toml_lines import KeyPath
from tui_trainer.presets.wording import KINDS, explain, nearest, unknown_name


def sound_fields(data: Mapping[str, Any], source: Source) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of `Preset` that are in order, and all that is wrong with the others, in the order of the file."""
    reading = _Reading(source)
    reading.top_level(data)
    reading.heading({key: data[key] for key in Heading.model_fields if key in data})
    for table, model in (("training", Training), ("warmup", Warmup)):
        if table in data and reading.is_table(table, data[table]):
            reading.plain_table(table, data[table], model)
    for table in KINDS:
        if table in data and reading.is_table(table, data[table]):
            reading.named_table(table, data[table])
    return reading.fields, sorted(reading.problems, key=lambda problem: problem.line or 0)


class _Reading:
    """The fields and problems found so far."""

    def __init__(self, source: Source) -> None:
        self.fields: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._source = source

    def top_level(self, data: Mapping[str, Any]) -> None:
        """Keys and tables that a preset does not have, or lacks."""
        unknown = [key for key in data if key not in Preset.model_fields]
        meant = {key: nearest(key, Preset.model_fields) for key in unknown}
        for key in unknown:
            close = f"did you mean {meant[key]}?" if meant[key] else f"it has {', '.join(Preset.model_fields)}"
            self._add((key,), f"not known to a preset; {close}")
        if "optimizer" not in data and "optimizer" not in meant.values():
            self._add("optimizer", 'missing; write [optimizer] and, below it, such as name = "Adam"')

    def heading(self, words: dict[str, Any]) -> None:
        sound = self._validated("", words, Heading)
        if sound is not None:
            self.fields |= {key: getattr(sound, key) for key in words}

    def is_table(self, table: str, value: Any) -> bool:
        if not isinstance(value, dict):
            self._add(table, f"is a table; write [{table}] on a line above its keys")
        return isinstance(value, dict)

    def plain_table(self, table: str, value: dict[str, Any], model: type[BaseModel]) -> None:
        sound = self._validated(table, value, model)
        if sound is not None:
            self.fields[table] = sound

    def named_table(self, table: str, value: dict[str, Any]) -> None:
        """A table whose `name` says which keys it takes; a misspelt one is read as what it most likely means."""
        kinds, name = KINDS[table], value.get("name")
        if "name" not in value:
            self._add(f"{table}.name", f"missing; one of {', '.join(kinds)}")
        elif isinstance(name, str) and name in kinds:
            self.plain_table(table, value, kinds[name])
        else:
            message, meant = unknown_name(name, table)
            self._add(f"{table}.name", message)
            if meant:
                self._validated(table, value | {"name": meant}, kinds[meant])

    def _validated(self, table: str, value: dict[str, Any], model: type[BaseModel]) -> BaseModel | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.problems += explain(error, model, table, self._source)
            return None

    def _add(self, key: str | KeyPath, message: str) -> None:
        self.problems.append(self._source.problem(key, message))
