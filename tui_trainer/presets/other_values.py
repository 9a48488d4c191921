"""What a preset's file says with other values in place of some of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def with_values(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A preset's data with other values of some keys; whether a preset may be so, its schema tells.

    Args:
        data: what a TOML text says; it stays as it is.
        values: by the key, `optimizer.lr` say; in lists of tables with the number of the table, from 1:
            `scheduler.stages.2.gamma`. A table that is not there is made.
    """
    changed: dict[str, Any] = dict(data)
    for key, value in values.items():
        changed = _put(changed, key.split("."), value)
    return changed


def _put(there: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    name, *rest = path
    if isinstance(there, list):
        numbered = {str(number): each for number, each in enumerate(there, 1)}
        if name in numbered:
            return [_put(each, rest, value) if number == name else each for number, each in numbered.items()]
    table = there if isinstance(there, dict) else {}
    return {**table, name: _put(table.get(name), rest, value)}
