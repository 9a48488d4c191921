"""What a watched command finds in its environment, and what of that a record may tell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

TRACES = "TUI_TRAINER_WATCH"
"""The variable that names the folder of traces."""

INJECTED = Path(__file__).parent.parent / "injected"
"""The folder that is put before all others that the command's Python looks into; it holds nothing but what watches."""

_TOLD_BY_BEGINNING = ("CUDA_", "OMP_", "NCCL_")
_TOLD = frozenset({"RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"})
_LONGEST = 1000
"""Characters of a value, and of a name."""
_MOST = 2000
"""Names."""


def watched(given: Mapping[str, str], traces: Path) -> dict[str, str]:
    """The environment that a command is watched in: the given one, and what has its Python tell of itself."""
    theirs = given.get("PYTHONPATH", "").removeprefix(f"{INJECTED}{os.pathsep}")  # a watched command may watch another
    folders = [str(INJECTED), theirs] if theirs and theirs != str(INJECTED) else [str(INJECTED)]
    return {**given, "PYTHONPATH": os.pathsep.join(folders), TRACES: str(traces)}


def told(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What a record tells of an environment: the few variables that say how it trains, and the names of all others,
    whose values may be secret."""
    open_to_all = {name: given[name][:_LONGEST] for name in sorted(given) if _is_told(name)}
    return open_to_all, [name[:_LONGEST] for name in sorted(given) if not _is_told(name)][:_MOST]


def _is_told(name: str) -> bool:
    return name in _TOLD or name.startswith(_TOLD_BY_BEGINNING)
