"""Is it fair? What the runs of a comparison had in common, and what differs between them, from their own records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tui_trainer.compare.comparison import Comparison, Group
from tui_trainer.compare.conditions import CONDITIONS, NOT_TOLD, Read, Said
from tui_trainer.numbers import listed
from tui_trainer.plain import plain

MOST = 4
"""Labels that are listed; of more, the first ones and how many others."""

DIGITS = 8
"""Of a digest, where it must be shown."""


@dataclass(frozen=True)
class Fact:
    """One thing that a fair comparison holds equal."""

    name: str
    values: dict[str, list[str]]
    """Each value that occurs, and the labels of those that have it."""
    touches: str
    """What suffers where it differs: `results`, `last digits` or `seconds`."""
    not_told: tuple[str, ...] = ()
    """The labels of those whose records do not tell it."""
    proven: bool = False
    """Whether digests told it of all."""
    digest: str = ""
    """The one that all have, where each has but one."""

    @property
    def same(self) -> bool:
        """Whether all have the same, as far as is told by all of them."""
        return len(self.values) <= 1 and not self.not_told

    @property
    def differs(self) -> bool:
        """Whether two are told to have another."""
        return len(self.values) > 1

    @property
    def words(self) -> str:
        """`batch size: 64 (steplr, none), 128 (onecycle)`."""
        parts = [f"{value} ({listed(labels, MOST)})" for value, labels in self.values.items()]
        parts += [f"not told ({listed(self.not_told, MOST)})"] if self.not_told else []
        return f"{self.name}: {'; '.join(parts)}"


@dataclass(frozen=True)
class Fairness:
    """All facts, of the runs that have got as far as to have any."""

    facts: tuple[Fact, ...]
    known: int
    """How many presets have facts."""
    asides: tuple[str, ...]
    """What else a reader must know."""

    @property
    def differing(self) -> list[Fact]:
        """Those that differ."""
        return [fact for fact in self.facts if fact.differs]

    @property
    def not_told(self) -> list[Fact]:
        """Those that do not differ as far as is told, which is not by all."""
        return [fact for fact in self.facts if fact.not_told and not fact.differs]

    @property
    def is_fair(self) -> bool:
        """Whether, as far as is told, the presets and nothing else made the results."""
        return not any(fact.touches == "results" for fact in self.differing)

    @property
    def words(self) -> list[str]:
        """The answer, and what else a reader must know, a sentence an item."""
        return [self.sentence, *self.asides]

    @property
    def short(self) -> str:
        """The answer in a line, for where there is no room for all of it."""
        if self.known < 2:
            return self.sentence
        if not self.differing:
            if not self.not_told:
                return "Fair: nothing but the presets differs."
            return f"Fair as far as is told; not told: {listed([fact.name for fact in self.not_told])}."
        names = listed([fact.name for fact in self.differing])
        return f"Fair but for {names}." if self.is_fair else f"Not like for like: other {names}."

    @property
    def sentence(self) -> str:
        """The answer, in words."""
        if self.known == 0:
            return "Is it fair? Nothing has been trained yet."
        same = [fact.name for fact in self.facts if fact.same]
        if self.known == 1:
            return f"Is it fair? Nothing to set against it yet: {', '.join(same)} as recorded."
        results = [fact.words for fact in self.differing if fact.touches == "results"]
        rest = [fact for fact in self.differing if fact.touches != "results"]
        parts = [f"Not like for like: {'; '.join(results)}."] if results else []
        if same:
            proven = [fact.name for fact in self.facts if fact.same and fact.proven]
            fair = "Same" if results else "Fair as far as is told: same" if self.not_told else "Fair: same"
            parts.append(f"{fair} {listed(same)}{f' ({listed(proven)} by digest, to the bit)' if proven else ''}.")
        parts += [f"Only the {fact.touches} suffer: {fact.words}." for fact in rest]
        parts += _who_does_not_tell(self.not_told)
        return " ".join(parts)


def _who_does_not_tell(facts: list[Fact]) -> list[str]:
    """`Not told by old: kernels and batch order.`, a sentence for each set of runs."""
    by: dict[tuple[str, ...], list[str]] = {}
    for fact in facts:
        by.setdefault(fact.not_told, []).append(fact.name)
    return [f"Not told by {listed(labels, MOST)}: {listed(names)}." for labels, names in by.items()]


def fairness(comparison: Comparison) -> Fairness:
    """What is known by now."""
    groups = [group for group in comparison.groups if any(run.history.resolved for run in group.runs)]
    facts = tuple(_fact(name, groups, read, touches) for name, touches, read in CONDITIONS) if groups else ()
    return Fairness(facts, len(groups), tuple(_asides(comparison.groups)))


def _fact(name: str, groups: list[Group], read: Read, touches: str) -> Fact:
    """A group's value is that of all its seeds together, so that two groups with the same seeds are equal."""
    not_told: list[str] = []
    told: dict[tuple[str, ...], tuple[list[Said], list[str]]] = {}
    for group in groups:
        said = {read(run): None for run in group.runs if run.history.resolved is not None}
        if NOT_TOLD in said:
            not_told.append(plain(group.label))
        else:
            key = tuple(sorted({each.key for each in said}))
            told.setdefault(key, (list(said), []))[1].append(plain(group.label))
    told = _of_whole_groups(groups, told)
    proven = not not_told and all(each.digest for said, _ in told.values() for each in said)
    keys = [key for keys in told for key in keys]
    digest = keys[0] if proven and len(keys) == 1 else ""
    return Fact(name, _in_words(told), touches, tuple(not_told), proven, digest)


Told: TypeAlias = dict[tuple[str, ...], tuple[list[Said], list[str]]]
"""What each value's runs said, and the labels of those that have it."""


def _of_whole_groups(groups: list[Group], told: Told) -> Told:
    """While seeds are still to come, groups differ only in how far they are: not counted where one holds another."""
    if len(told) < 2 or all(len(group.runs) == 1 for group in groups):
        return told
    most = max(told, key=len)
    if all(set(keys) <= set(most) for keys in told):
        return {most: (told[most][0], [label for _, labels in told.values() for label in labels])}
    return told


def _in_words(told: Told) -> dict[str, list[str]]:
    """Values by what they are called; the same words for what differs to the bit are told apart by its digest."""
    called = [" | ".join(sorted({each.words for each in said})) for said, _ in told.values()]
    words: dict[str, list[str]] = {}
    for (key, (_, labels)), name in zip(told.items(), called, strict=True):
        apart = f" ({' | '.join(each[:DIGITS] for each in key)})" if called.count(name) > 1 else ""
        words[name + apart] = labels
    return words


def _asides(groups: list[Group]) -> list[str]:
    said = []
    for group in groups:
        for run in group.runs:
            for record in run.entry.given_up:
                said.append(f"{plain(group.label)} was begun anew: {plain(record)} had no checkpoint to go on from.")
            for switch in run.history.switches:
                said.append(f"{plain(group.label)} switched to {plain(switch.recipe.preset)} in epoch {switch.epoch}.")
    return said
