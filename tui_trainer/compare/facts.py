"""Is it fair? What the runs of a comparison had in common, and what differs between them, from their own records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui_trainer.compare.comparison import Compared, Comparison, Group
from tui_trainer.events import RunResolved
from tui_trainer.numbers import counted
from tui_trainer.plain import plain


@dataclass(frozen=True)
class Fact:
    """One thing that a fair comparison holds equal."""

    name: str
    values: dict[str, list[str]]
    """Each value that occurs, and the labels of those that have it."""
    touches: str
    """What suffers where it differs: `results`, `last digits` or `seconds`."""

    @property
    def same(self) -> bool:
        """Whether all have the same."""
        return len(self.values) <= 1

    @property
    def words(self) -> str:
        """`batch size: 64 (steplr, none), 128 (onecycle)`."""
        parts = [f"{value} ({', '.join(labels)})" for value, labels in self.values.items()]
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
        return [fact for fact in self.facts if not fact.same]

    @property
    def is_fair(self) -> bool:
        """Whether the presets, and nothing else, made the results."""
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
            return "Fair: nothing but the presets differs."
        names = _listed([fact.name for fact in self.differing])
        return f"Fair but for {names}." if self.is_fair else f"Not like for like: other {names}."

    @property
    def sentence(self) -> str:
        """The answer, in words."""
        if self.known == 0:
            return "Is it fair? Nothing has been trained yet."
        same = [fact.name for fact in self.facts if fact.same]
        if self.known == 1:
            return f"Is it fair? Nothing to set against it yet: {', '.join(same)} as recorded."
        if not self.differing:
            return f"Fair: same {_listed(same)}."
        results = [fact.words for fact in self.differing if fact.touches == "results"]
        rest = [fact for fact in self.differing if fact.touches != "results"]
        parts = []
        if results:
            parts.append(f"Not like for like: {'; '.join(results)}.")
        elif same:
            parts.append(f"Fair: same {_listed(same)}.")
        parts += [f"Only the {fact.touches} suffer: {fact.words}." for fact in rest]
        if results and same:
            parts.append(f"Same {_listed(same)}.")
        return " ".join(parts)


def fairness(comparison: Comparison) -> Fairness:
    """What is known by now."""
    groups = [group for group in comparison.groups if any(run.history.resolved for run in group.runs)]
    facts = tuple(Fact(name, _values(groups, read), touches) for name, touches, read in _FACTS) if groups else ()
    return Fairness(facts, len(groups), tuple(_asides(comparison.groups)))


def _known(run: Compared) -> RunResolved:
    """What it came to; asked only of runs that have come so far."""
    assert run.history.resolved is not None
    return run.history.resolved


def _split(run: Compared) -> str:
    resolved = _known(run)
    return f"{resolved.train_images:,} + {resolved.val_images:,} images"


def _model(run: Compared) -> str:
    resolved = _known(run)
    return f"{plain(resolved.model)} ({counted(resolved.parameters, 'parameter')})"


def _weights(run: Compared) -> str:
    """They follow from the seed, the model, the shape of the data's images and torch's generator, and nothing else."""
    resolved = _known(run)
    torch = plain(resolved.versions.get("torch", "?"))
    return f"seed {resolved.seed}, {plain(resolved.model)} for {plain(resolved.dataset)}, torch {torch}"


def _order(run: Compared) -> str:
    """It follows from the seed, the number of images and the epoch; the batch size cuts it."""
    resolved = _known(run)
    sizes = [resolved.recipe.batch_size, *(switch.recipe.batch_size for switch in run.history.switches)]
    said = " then ".join(dict.fromkeys(map(str, sizes)))
    return f"seed {resolved.seed}, batches of {said} from {resolved.train_images:,}"


def _device(run: Compared) -> str:
    resolved = _known(run)
    return f"{plain(resolved.device)} {plain(resolved.device_name)}".strip()


def _threads(run: Compared) -> str:
    changed = run.history.settings.get("threads")
    first = str(_known(run).threads)
    return f"{first}, then {plain(changed.new)}" if changed is not None and changed.new != first else first


def _versions(run: Compared) -> str:
    return ", ".join(f"{plain(name)} {plain(version)}" for name, version in sorted(_known(run).versions.items()))


Read = Callable[[Compared], str]
_FACTS: tuple[tuple[str, str, Read], ...] = (
    ("data", "results", lambda run: plain(_known(run).dataset)),
    ("split", "results", _split),
    ("model", "results", _model),
    ("initial weights", "results", _weights),
    ("batch order", "results", _order),
    ("epochs", "results", lambda run: counted(_known(run).recipe.epochs, "epoch")),
    ("precision", "results", lambda run: plain(_known(run).precision)),
    ("device", "last digits", _device),
    ("threads", "last digits", _threads),
    ("versions", "last digits", _versions),
    ("machine", "seconds", lambda run: plain(run.history.started.host) if run.history.started else "?"),
)


def _values(groups: list[Group], read: Read) -> dict[str, list[str]]:
    """A group's value is that of all its seeds together, so that two groups with the same seeds are equal."""
    values: dict[str, list[str]] = {}
    for group in groups:
        said = {read(run): None for run in group.runs if run.history.resolved is not None}
        values.setdefault(" | ".join(sorted(said)), []).append(plain(group.label))
    return _of_whole_groups(groups, values)


def _of_whole_groups(groups: list[Group], values: dict[str, list[str]]) -> dict[str, list[str]]:
    """While seeds are still to come, groups differ only in how far they are: not counted where one holds another."""
    if len(values) < 2 or all(len(group.runs) == 1 for group in groups):
        return values
    whole = {value: set(value.split(" | ")) for value in values}
    most = max(whole, key=lambda value: len(whole[value]))
    if all(parts <= whole[most] for parts in whole.values()):
        return {most: [label for labels in values.values() for label in labels]}
    return values


def _asides(groups: list[Group]) -> list[str]:
    said = []
    for group in groups:
        for run in group.runs:
            for switch in run.history.switches:
                said.append(f"{plain(group.label)} switched to {plain(switch.recipe.preset)} in epoch {switch.epoch}.")
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
