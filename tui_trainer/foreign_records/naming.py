"""What the series of a record are called here, and what each is: by the words of its name, or as a person has said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tui_trainer.events import Goal, MetricDeclared
from tui_trainer.records.series_names import goal, kind, objective_among, our_name
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

LONGEST = 1000
"""Characters of a name, as events have it."""

FILES_OF_ANY = frozenset({"metrics", "results", "result", "progress", "scalars", "log", "csvlogger"})
"""What a tool calls the file of every run, without its ending."""

FILE_ENDINGS = (".csv", ".json", ".jsonl", ".log", ".tsv", ".txt")
"""What is no part of a name; mmcv's files have two of them."""

FOLDERS_OF_ANY = frozenset({"vis_data"})
"""The same of a folder: MMEngine's are `20261128_120000/vis_data`."""


def run_name(path: Path) -> str:
    """What a run is called whose record says nothing of that: by its file or folder, or else by what that is in."""
    called = path.name
    while (ending := Path(called).suffix) in FILE_ENDINGS:
        called = called.removesuffix(ending)
    if called in FILES_OF_ANY or called in FOLDERS_OF_ANY:
        return run_name(path.parent) if path.parent.name else called
    return called


class Choices(NamedTuple):
    """What a person has said of the series of a form of record."""

    objective: str = ""
    """By which of them runs are judged; empty where the names decide."""
    goal: Goal | None = None
    """Whether less or more of it is better; None where its name decides."""
    renames: Mapping[str, str] = {}
    """What a series is to be called, by the name that its tool has for it."""
    as_ours: bool = False
    """Whether the others are to have the names that a run of ours has for them, as far as names tell: for a comparison
    of runs of several tools."""


class Naming:
    """Names the series of one run, and says of each what it is."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._shown: dict[str, str] = {}
        """By the name in the record."""
        self._objective: str | None = None

    @property
    def notes(self) -> list[str]:
        """What of the choices could not be followed, in words."""
        wanted = self._choices.objective
        if wanted and self._shown and self._objective != self._shown.get(wanted, wanted):
            return [say("foreign.no_objective", name=plain(wanted))]
        return []

    def shown(self, name: str) -> str:
        """What a series is called here: another name than a person asked for, where a series has that already."""
        name = name[:LONGEST]
        if (known := self._shown.get(name)) is None:
            renames, as_ours = self._choices.renames, self._choices.as_ours
            taken = set(self._shown.values()) if renames or as_ours else set()
            ways = (renames.get(name) or (as_ours and our_name(name)) or name, name, f"{name} (as recorded)")
            known = self._shown[name] = next((way for way in ways if way not in taken), name)[:LONGEST]
        return known

    def declared(self, new: Iterable[str], at: float) -> Iterator[MetricDeclared]:
        """What series are, by their names here, before their first numbers; `at` is Unix time in seconds."""
        names = list(new)
        self._objective = self._judging(names)
        for name in names:
            meant = goal(name)
            if name == self._objective and self._is_wanted(name):
                meant = self._choices.goal or meant
            judges = name == self._objective
            if judges or meant != "none" or kind(name) != "other":
                yield MetricDeclared(at=at, name=name, goal=meant, kind=kind(name), objective=judges)

    def _judging(self, new: list[str]) -> str | None:
        wanted = next(filter(self._is_wanted, new), None)
        if wanted is not None or (self._objective is not None and self._is_wanted(self._objective)):
            return wanted or self._objective
        known = [self._objective] if self._objective is not None else []
        return objective_among([*known, *new])

    def _is_wanted(self, name: str) -> bool:
        objective = self._choices.objective
        return bool(objective) and name == self._shown.get(objective, objective)
