"""What was found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.cuda.bench import Outcome

MARKS = {"ok": "ok", "failed": "**failed**", "skipped": "skipped"}


def write(folder: Path, found: Mapping[str, tuple[Outcome, float]], about: Mapping[str, Any]) -> None:
    """`report.md` and `report.json`.

    Args:
        found: by the name of a check, its outcome and the seconds that it took.
        about: when, with what and for how long; by name.
    """
    checks = {name: {**asdict(outcome), "seconds": round(seconds, 1)} for name, (outcome, seconds) in found.items()}
    whole = {**about, "checks": checks}
    (folder / "report.json").write_text(json.dumps(whole, indent=1, default=str) + "\n")
    (folder / "report.md").write_text(as_markdown(found, about))


def as_markdown(found: Mapping[str, tuple[Outcome, float]], about: Mapping[str, Any]) -> str:
    """A line for each check, then the figures of each that has some."""
    lines = ["# tui-trainer on CUDA", "", verdict(found), "", *(f"- {name}: {value}" for name, value in about.items())]
    lines += ["", "| check | | seconds | found |", "| --- | --- | --- | --- |"]
    for name, (outcome, seconds) in found.items():
        lines.append(f"| {_title(name)} | {MARKS[outcome.status]} | {seconds:.1f} | {_cell(outcome.words)} |")
    for name, (outcome, _) in found.items():
        if outcome.figures:
            lines += ["", f"## {_title(name)}", "", "```"]
            lines += [f"{key}: {value}".replace("```", "'''") for key, value in outcome.figures.items()]
            lines.append("```")
    return "\n".join(lines) + "\n"


def verdict(found: Mapping[str, tuple[Outcome, float]]) -> str:
    """How many are right, wrong, and could not be told."""
    counts = dict.fromkeys(MARKS, 0)
    for outcome, _ in found.values():
        counts[outcome.status] += 1
    return f"{counts['ok']} ok, {counts['failed']} failed, {counts['skipped']} skipped"


def _title(name: str) -> str:
    return name.replace("_", " ")


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")
