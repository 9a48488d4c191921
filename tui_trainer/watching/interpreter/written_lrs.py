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


_IMPORTS = re.compile(
    r"^[ \t]*(?:from[ \t]+\.*([A-Za-z_][\w.]{0,199})[ \t]+import|import[ \t]+([A-Za-z_][\w.]{0,199}))", re.M
)


def where_written(files: Iterable[str]) -> str:
    """`train.py:112`, the only line that writes an LR of these files, the script first, and of modules beside them that
    these import; empty where there are several, or none."""
    looked_at = [Path(file) for file in dict.fromkeys(files)][:MOST_FILES]
    folders = list(dict.fromkeys(file.parent for file in looked_at))
    found = []
    for path in looked_at:  # grows by what is imported
        if not path.is_absolute() or path.suffix != ".py":
            continue
        try:
            text = read_regular(path, LARGEST).decode("utf-8", "replace")
        except OSError:
            continue
        found += [(path, at) for at, line in enumerate(text.splitlines(), 1) if _WRITES.search(line.partition("#")[0])]
        for module in (first or second for first, second in _IMPORTS.findall(text)):
            beside = (folder.joinpath(*module.split(".")).with_suffix(".py") for folder in (path.parent, *folders))
            imported = next((each for each in beside if each.is_file()), None)
            if imported is not None and imported not in looked_at and len(looked_at) < MOST_FILES:
                looked_at.append(imported)
    return place(str(found[0][0]), found[0][1]) if len(found) == 1 else ""


def place(file: str, lineno: int) -> str:
    """A line of a program, as a person writes it: `train.py:112`."""
    called = re.sub(r"[,;→\s]+", "_", Path(file).name)[:200] if file else ""
    return f"{called}:{lineno}" if called else say("why.unknown_line")
