"""Tables that the program has exported."""

from __future__ import annotations

import csv
from pathlib import Path


def without_clock(table: Path) -> list[dict[str, str]]:
    """The rows of `steps.csv`, but for the clock, which is another in each run."""
    with table.open(newline="", encoding="utf-8") as file:
        return [{name: value for name, value in row.items() if name != "elapsed_s"} for row in csv.DictReader(file)]
