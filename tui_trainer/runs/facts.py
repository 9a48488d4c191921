"""What was asked of a run and what it came to, as its `run.json` has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


def read_facts(folder: Path) -> dict[str, Any]:
    """What `run.json` holds; empty where it is missing or damaged."""
    try:
        facts = msgspec.json.decode((folder / "run.json").read_bytes())
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
