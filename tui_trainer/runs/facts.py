"""What was asked of a run and what it came to, as its `run.json` has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.events import SCHEMA
from tui_trainer.regular import read_regular
from tui_trainer.runs.errors import reason, unsaid

LARGEST = 4 << 20
"""Bytes; ours has a few thousand."""


def read_facts(folder: Path, warn: Callable[[str], None] = unsaid) -> dict[str, Any]:
    """What `run.json` holds; empty where it is missing or damaged.

    `warn` is told, in words, where something stands there that cannot be read.
    """
    try:
        facts = msgspec.json.decode(read_regular(folder / "run.json", LARGEST))
    except FileNotFoundError:
        return {}
    except OSError as cause:
        warn(f"its run.json cannot be read: {reason(cause)}")
        return {}
    except (msgspec.MsgspecError, ValueError, RecursionError) as cause:
        warn(f"its run.json is damaged: {cause}")
        return {}
    if not isinstance(facts, dict):
        warn("its run.json is damaged: it is not an object")
        return {}
    return facts


def later_form(schema: object) -> str:
    """What is to be said of a record's form, as `schema` in `run.json` has it; empty of one that this version knows."""
    if isinstance(schema, int) and not isinstance(schema, bool) and 1 <= schema <= SCHEMA:
        return ""
    if isinstance(schema, int) and schema > SCHEMA:
        form = f"its form is {schema}, and this version knows none after {SCHEMA}"
        return f"it was written by a later version of tui-trainer: {form}"
    return f"its form is not known: its run.json says schema {str(schema)[:40]!r}"
