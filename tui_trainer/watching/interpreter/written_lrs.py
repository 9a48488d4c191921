"""The line of a program that writes the LR into its optimizer by hand: `param_group["lr"] = lr`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tui_trainer.files.safe_open import read_regular
from tui_trainer.text.captions import say

LARGEST = 1 << 20
"""Bytes of a file that is looked through."""

MOST_FILES = 20

_WRITES = re.compile(r"\[\s*['\"]lr['\"]\s*\]\s*(?:[-+*/]\s*)?=(?!=)")


def where_written(files: Iterable[str]) -> str:
    """`train.py:112`, the only line of these files that writes an LR; empty where there are several, or none."""
    found = []
    for file in list(dict.fromkeys(files))[:MOST_FILES]:
        path = Path(file)
        if not path.is_absolute() or path.suffix != ".py":
            continue
        try:
            lines = read_regular(path, LARGEST).decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        found += [(path, number) for number, line in enumerate(lines, 1) if _WRITES.search(line.partition("#")[0])]
    return place(str(found[0][0]), found[0][1]) if len(found) == 1 else ""


def place(file: str, lineno: int) -> str:
    """A line of a program, as a person writes it: `train.py:112`."""
    called = re.sub(r"[,;→\s]+", "_", Path(file).name)[:200] if file else ""
    return f"{called}:{lineno}" if called else say("why.unknown_line")
