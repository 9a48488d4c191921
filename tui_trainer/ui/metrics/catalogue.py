"""Which series a run has: by group, those that pass a filter of words and globs, and those that are pinned."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from tui_trainer.text.glob import glob

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.settings import Settings

LONGEST_FILTER = 100
"""Characters that are typed: what looking costs is bounded by them and by the names."""

LOOK_EVERY = 1.0
"""Seconds between looks whether series were declared to be of another group."""

MOST_PINNED = 12
"""Series that are pinned for runs like one."""

MOST_PINS_KEPT = 20_000
"""Bytes of pins in the settings; the oldest runs' go first."""


def matcher(text: str) -> Callable[[str], bool]:
    """Whether a name holds each word of a filter, in any order, whatever its case; a word with `*` or `?` is a glob, as
    in a filter of runs, for the whole name. No name is a pattern.
    """
    tests = [glob(word) if "*" in word or "?" in word else _part(word) for word in text.lower().split()]

    def passes(name: str) -> bool:
        lower = name.lower()
        return all(test(lower) for test in tests)

    return passes


def _part(word: str) -> Callable[[str], bool]:
    return lambda name: word in name


class Catalogue:
    """The names of a run's series, group by group, each in the order in which it came."""

    def __init__(self) -> None:
        self.filter = ""
        self.names: list[str] = []
        """Those that pass."""
        self.groups: dict[str, int] = {}
        """How many of each group pass."""
        self.total = 0
        """How many there are."""
        self._group_of: dict[str, str] = {}
        self._seen: tuple[object, ...] = ()
        self._look_at = 0.0

    def update(self, history: History) -> bool:
        """Take what is new; whether the names are others, or in another order."""
        now = time.monotonic()
        seen = (id(history), len(history.series), self.filter)
        if seen == self._seen and (now < self._look_at or history.ended is not None):
            return False
        self._seen, self._look_at = seen, now + LOOK_EVERY
        series, passes = history.series, matcher(self.filter)
        self._group_of = _grouped([(name, series.group(name)) for name in series if passes(name)])
        by_group: dict[str, list[str]] = {}
        for name, group in self._group_of.items():
            by_group.setdefault(group, []).append(name)
        before = self.names
        by_group = dict(sorted(by_group.items(), key=lambda each: _rank(history, *each)))
        names = [name for names in by_group.values() for name in names]
        changed = names != before
        if changed:
            self.names = names  # another list only where it is another: who made something of it keeps that
        self.groups = {group: len(names) for group, names in by_group.items()}
        self.total = len(series)
        return changed

    def group(self, name: str) -> str:
        """The group of a series that passes."""
        return self._group_of.get(name, "")

    def narrow(self, text: str) -> None:
        """Let those pass that a filter matches."""
        self.filter = text[:LONGEST_FILTER]


def _grouped(names: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Names and their groups; of a group of one, the group above it, where that has others: `grad` for
    `grad/layer1/norm` and `grad/layer2/norm`, rather than a group for each."""
    counts = Counter(group for _, group in names)
    above = {group: group.rpartition("/")[0] for group, count in counts.items() if count == 1 and "/" in group}
    together = Counter(above.values())
    joins = {group: over for group, over in above.items() if together[over] > 1 or over in counts}
    return {name: joins.get(group, group) for name, group in names}


KINDS = ("train", "val", "lr", "other", "system")
"""What is looked at first."""

NAMED = {"train": "train", "val": "val", "valid": "val", "validation": "val", "eval": "val", "test": "val"}
"""Of what a series is that nobody declared, by the first part of its group's name."""


def _rank(history: History, group: str, names: Sequence[str]) -> tuple[bool, int]:
    """What a run is judged by comes first, then what trains, what validates, the LRs; of each, as it came."""
    series = history.series
    kinds = {series.kind(name) for name in names[:16]}
    named = NAMED.get(group.partition("/")[0].lower())
    rank = min(KINDS.index(kind) for kind in kinds | ({named} if named and kinds == {"other"} else set()))
    return series.objective not in names, rank


def likeness(history: History) -> str:
    """What runs have in common that share their pins: data set and model, where these are told."""
    resolved = history.resolved
    return f"{resolved.dataset} {resolved.model}"[:200] if resolved is not None else ""


def pinned(settings: Settings, history: History) -> list[str]:
    """The series of a run that are pinned for runs like it."""
    return [name for name in settings.kept.pins.get(likeness(history), ()) if name in history.series]


def pin(settings: Settings, history: History, name: str) -> bool | None:
    """Pin a series for runs like this one, or let go of it; whether it is pinned now. None, and nothing done, where as
    many are as there is room for."""
    like = likeness(history)
    pins: Mapping[str, Sequence[str]] = settings.kept.pins
    names = list(pins.get(like, ()))
    if is_new := name not in names:
        if len([each for each in names if each in history.series]) >= MOST_PINNED:
            return None
        names = [*names[-(MOST_PINNED * 2) :], name]
    else:
        names.remove(name)
    kept = {key: list(each) for key, each in pins.items() if key != like}
    if names:
        kept[like] = names  # the newest at the end
    while len(kept) > 1 and len(msgspec.json.encode(kept)) > MOST_PINS_KEPT:
        del kept[next(iter(kept))]
    settings.change(pins=kept)
    return is_new
