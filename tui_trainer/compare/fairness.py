"""Is it fair? What the runs of a comparison had in common, and what differs between them, from their own records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.compare.comparison import Compared, Comparison, Group
from tui_trainer.compare.together import Follower, InOrder, Together
from tui_trainer.events import ResolvedConfig, RunConfigured
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain


class VariableValue(NamedTuple):
    """What one run has for one controlled variable."""

    words: str
    digest: str = ""
    """Where there is one, it decides: equal digests are equal bits, whatever the words."""

    @property
    def key(self) -> str:
        """What must be equal for two to be the same."""
        return self.digest or self.words


NOT_TOLD = VariableValue("", "not told")
"""By records of earlier versions, which may have had the same or not."""


def _known(run: Compared) -> RunConfigured:
    """What it came to; asked only of runs that have come so far."""
    assert run.history.resolved is not None
    return run.history.resolved


def _data(run: Compared) -> VariableValue:
    resolved = _known(run)
    return VariableValue(plain(resolved.dataset), resolved.digests.data) if resolved.digests.data else NOT_TOLD


def _split(run: Compared) -> VariableValue:
    resolved = _known(run)
    if resolved.train_images is None or resolved.val_images is None:
        return NOT_TOLD
    return VariableValue(f"{resolved.train_images:,} + {resolved.val_images:,} images")


def _model(run: Compared) -> VariableValue:
    resolved = _known(run)
    if not resolved.model or resolved.parameters is None:
        return NOT_TOLD
    return VariableValue(f"{plain(resolved.model_words)} ({counted(resolved.parameters, 'parameter')})")


def _weights(run: Compared) -> VariableValue:
    resolved = _known(run)
    if not resolved.digests.weights:
        return NOT_TOLD
    return VariableValue(f"seed {resolved.seed}, {plain(resolved.model)}", resolved.digests.weights)


def _loss(run: Compared) -> VariableValue:
    """Of a person's own the name and its files; ours is cross-entropy, and of watched programs nothing is known."""
    resolved = _known(run)
    name = resolved.code.get("loss")
    if name:
        return VariableValue(plain(name), f"{name} {resolved.digests.code}")
    return VariableValue("cross-entropy") if run.history.program is None else NOT_TOLD


def _order(run: Compared) -> VariableValue:
    """The digest tells the order of the images; the batch size cuts it."""
    resolved = _known(run)
    if not resolved.digests.order:
        return NOT_TOLD
    recipes = [resolved.recipe, *(switch.recipe for switch in run.history.switches)]
    cut = " then ".join(dict.fromkeys(map(_step_images, recipes)))
    return VariableValue(f"seed {resolved.seed}, batches of {cut}", f"{resolved.digests.order} by {cut}")


def _step_images(recipe: ResolvedConfig) -> str:
    """`64`, or `4 × 64` where four batches make a step."""
    return f"{recipe.accumulate} × {recipe.batch_size}" if recipe.accumulate > 1 else str(recipe.batch_size)


def _augmentation(run: Compared) -> VariableValue:
    return VariableValue(plain(_known(run).augmentation)) if _known(run).augmentation else NOT_TOLD


def _kernels(run: Compared) -> VariableValue:
    """With the switches of CUDA, which the CPU does not have."""
    chosen = run.history.settings.get("kernels")
    switches = [f"{name} {value}" for name, value in sorted(_known(run).arithmetic.items())]
    return VariableValue(plain(", ".join([chosen.new, *switches]))) if chosen is not None else NOT_TOLD


def _device(run: Compared) -> VariableValue:
    resolved = _known(run)
    if not resolved.device:
        return NOT_TOLD
    many = f", {resolved.ranks} processes" if resolved.ranks > 1 else ""
    return VariableValue(f"{plain(resolved.device)} {plain(resolved.device_name)}".strip() + many)


def _precision(run: Compared) -> VariableValue:
    return VariableValue(plain(_known(run).precision)) if _known(run).precision else NOT_TOLD


def _threads(run: Compared) -> VariableValue:
    changed = run.history.settings.get("threads")
    if _known(run).threads is None:
        return NOT_TOLD
    first = str(_known(run).threads)
    return VariableValue(
        f"{first}, then {plain(changed.new)}" if changed is not None and changed.new != first else first
    )


def _versions(run: Compared) -> VariableValue:
    if not _known(run).versions:
        return NOT_TOLD
    return VariableValue(
        ", ".join(f"{plain(name)} {plain(text)}" for name, text in sorted(_known(run).versions.items()))
    )


def _machine(run: Compared) -> VariableValue:
    return VariableValue(plain(run.history.started.host)) if run.history.started else NOT_TOLD


Read = Callable[[Compared], VariableValue]
"""Asked only of runs that have come so far as to be resolved."""


def _epochs(run: Compared) -> VariableValue:
    epochs = (run.history.recipe or _known(run).recipe).epochs  # it may be given more, or fewer, as it trains
    return VariableValue(counted(epochs, "epoch") if epochs is not None else say("fairness.not_known"))


Touches: TypeAlias = Literal["results", "rounding", "rounding_and_seconds", "seconds"]

CONTROLLED_VARIABLES: tuple[tuple[str, Touches, Read], ...] = (
    ("data", "results", _data),
    ("split", "results", _split),
    ("model", "results", _model),
    ("initial weights", "results", _weights),
    ("batch order", "results", _order),
    ("augmentation", "results", _augmentation),
    ("epochs", "results", _epochs),
    ("loss", "results", _loss),
    ("precision", "results", _precision),
    ("kernels", "rounding", _kernels),
    ("device", "rounding_and_seconds", _device),
    ("threads", "rounding_and_seconds", _threads),
    ("versions", "rounding", _versions),
    ("machine", "seconds", _machine),
)
"""Name, what suffers where it differs, and how it is read; in the order in which they are told."""


MOST = 4
"""Labels that are listed; of more, the first ones and how many others."""

DIGITS = 8
"""Of a digest, where it must be shown."""


@dataclass(frozen=True)
class Comparability:
    """One thing that a fair comparison holds equal."""

    name: str
    values: dict[str, list[str]]
    """Each value that occurs, and the labels of those that have it."""
    touches: Touches
    """What suffers where it differs."""
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
        parts += [f"{say('fairness.not_told')} ({listed(self.not_told, MOST)})"] if self.not_told else []
        return f"{self.name}: {'; '.join(parts)}"


@dataclass(frozen=True)
class Fairness:
    """All controlled variables, of the runs that have got as far as to have any."""

    variables: tuple[Comparability, ...]
    known: int
    """How many presets have got so far."""
    asides: tuple[str, ...]
    """What else a reader must know."""
    others: bool = False
    """Whether runs of other tools are among them, of which nothing of it is known."""
    reads: bool = False
    """Whether a record was not read to its end by now."""

    @property
    def differing(self) -> list[Comparability]:
        """Those that differ."""
        return [variable for variable in self.variables if variable.differs]

    @property
    def not_told(self) -> list[Comparability]:
        """Those that do not differ as far as is told, which is not by all."""
        return [variable for variable in self.variables if variable.not_told and not variable.differs]

    @property
    def is_fair(self) -> bool:
        """Whether, as far as is told, the presets and nothing else made the results."""
        return not any(variable.touches == "results" for variable in self.differing)

    @property
    def seconds_compare(self) -> bool:
        """Whether, as far as is told, all have trained on the same machine, in the same way."""
        return not any(variable.touches in ("seconds", "rounding_and_seconds") for variable in self.differing)

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
                return say("fairness.short_fair")
            return say("fairness.short_as_told", names=listed([variable.name for variable in self.not_told]))
        caption = "fairness.short_but" if self.is_fair else "fairness.short_not_alike"
        return say(caption, names=listed([variable.name for variable in self.differing]))

    @property
    def sentence(self) -> str:
        """The answer, in words."""
        if self.known < 2 and self.reads:
            return say("fairness.reading")
        if self.known == 0:
            return say("fairness.others_untold" if self.others else "fairness.nothing_trained")
        same = [variable.name for variable in self.variables if variable.same]
        if self.known == 1:
            return say("fairness.only_one", same=", ".join(same))
        results = [variable.words for variable in self.differing if variable.touches == "results"]
        rest = [variable for variable in self.differing if variable.touches != "results"]
        parts = [say("fairness.not_alike", what="; ".join(results))] if results else []
        if same:
            names = [variable.name for variable in self.variables if variable.same and variable.proven]
            proven = say("fairness.proven", names=listed(names)) if names else ""
            as_told = "fairness.fair_as_told" if self.not_told else "fairness.fair"
            parts.append(say("fairness.same" if results else as_told, names=listed(same), proven=proven))
        parts += [say(f"fairness.{variable.touches}", what=variable.words) for variable in rest]
        parts += _who_does_not_tell(self.not_told)
        return " ".join(parts)


def _who_does_not_tell(variables: list[Comparability]) -> list[str]:
    """A sentence for each set of runs."""
    by: dict[tuple[str, ...], list[str]] = {}
    for variable in variables:
        by.setdefault(variable.not_told, []).append(variable.name)
    return [say("fairness.not_told_by", who=listed(who, MOST), names=listed(names)) for who, names in by.items()]


def fairness(comparison: Comparison) -> Fairness:
    """What is known by now."""
    known = comparison.kept(_Variables)
    standing = comparison.standing
    asides = tuple(comparison.kept(_Asides).words)
    return Fairness(known.variables, len(known.told), asides, standing.foreign_begun > 0, standing.unread > 0)


def keep_up(comparison: Comparison) -> None:
    """Take in what happened, and say nothing of it yet."""
    comparison.kept(_Variables)
    comparison.kept(_Asides)


class _Variables(Follower[Compared]):
    """Which presets have what for each controlled variable. A look costs the presets to whose runs something happened,
    and the variables in which that changed something."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self.told: dict[Group, tuple[tuple[VariableValue, ...], ...]] = {}
        """Those whose runs have got so far, and of each variable all that they have."""
        self._with_seeds = 0
        """How many of them have several runs."""
        self._alike: list[dict[_Key, InOrder[Group]]] = [{} for _ in CONTROLLED_VARIABLES]
        self._made: list[Comparability | None] = [None for _ in CONTROLLED_VARIABLES]

    def take(self, runs: Iterable[Compared]) -> None:
        for group in dict.fromkeys(run.group for run in runs if run.history.resolved or run.group in self.told):
            known, before = group.kept(_Told), self.told.get(group)
            new = tuple(tuple(values) for values in known.values) if known.count else None
            if new == before:
                continue
            self._with_seeds += (len(group.runs) > 1) * ((new is not None) - (before is not None))
            for number in range(len(CONTROLLED_VARIABLES)):
                had = before[number] if before is not None else None
                has = new[number] if new is not None else None
                if had != has:
                    self._made[number] = None
                    if had is not None:
                        self._put(number, group, had, False)
                    if has is not None:
                        self._put(number, group, has, True)
            if new is not None:
                self.told[group] = new
            else:
                del self.told[group]

    def _put(self, number: int, group: Group, values: tuple[VariableValue, ...], belongs: bool) -> None:
        key = None if NOT_TOLD in values else tuple(sorted({each.key for each in values}))
        alike = self._alike[number].setdefault(key, InOrder())
        alike.put(group, belongs)
        if not alike:
            del self._alike[number][key]

    @property
    def variables(self) -> tuple[Comparability, ...]:
        """All of them; none where no preset has got so far."""
        if not self.told:
            return ()
        made = []
        for number, (name, touches, _) in enumerate(CONTROLLED_VARIABLES):
            if (known := self._made[number]) is None:
                known = self._made[number] = self._compared(number, name, touches)
            made.append(known)
        return tuple(made)

    def _compared(self, number: int, name: str, touches: Touches) -> Comparability:
        """A group's value is that of all its seeds together, so that two groups with the same seeds are equal."""
        alike = sorted(self._alike[number].items(), key=lambda each: each[1][0].number)
        found: ValueGroups = {
            key: ([*self.told[groups[0]][number]], [group.words for group in groups])
            for key, groups in alike
            if key is not None
        }
        not_told = tuple(group.words for group in self._alike[number].get(None, ()))
        found = _of_whole_groups(found, with_seeds=self._with_seeds > 0)
        proven = not not_told and all(each.digest for values, _ in found.values() for each in values)
        keys = [key for keys in found for key in keys]
        digest = keys[0] if proven and len(keys) == 1 else ""
        return Comparability(name, _in_words(found), touches, not_told, proven, digest)


_Key: TypeAlias = tuple[str, ...] | None
"""What must be equal of a preset's runs; None where one of them does not tell it."""


def _read_of(run: Compared) -> tuple[object, ...]:
    """All that the variables are read of: mostly the same objects as before."""
    history = run.history
    settings = history.settings.get("kernels"), history.settings.get("threads")
    return history.resolved, history.recipe, tuple(history.switches), settings, history.started, history.program


class _Told(Follower[Compared]):
    """What the runs of a preset have for each controlled variable: mostly all of them the same."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self.count = 0
        """How many tell."""
        self.values: list[Counter[VariableValue]] = [Counter() for _ in CONTROLLED_VARIABLES]
        """Of each variable all that they have, and how many have it."""
        self._of: dict[Compared, tuple[VariableValue, ...]] = {}
        self._read_of: dict[Compared, object] = {}
        """What it was read of."""

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            tells = run.record is not None and run.history.resolved is not None
            if self._read_of.get(run) == (read_of := _read_of(run) if tells else None):
                continue
            self._read_of[run] = read_of
            new, before = tuple(read(run) for *_, read in CONTROLLED_VARIABLES) if tells else (), self._of.get(run, ())
            if new == before:
                continue
            self.count += bool(new) - bool(before)
            self._of[run] = new
            for number, value in enumerate(new):
                self.values[number][value] += 1
            for number, value in enumerate(before):
                self.values[number][value] -= 1
                if not self.values[number][value]:
                    del self.values[number][value]


ValueGroups: TypeAlias = dict[tuple[str, ...], tuple[list[VariableValue], list[str]]]
"""The values that a group's runs have, by what must be equal, and the labels of the groups that have them."""


def _of_whole_groups(found: ValueGroups, *, with_seeds: bool) -> ValueGroups:
    """While seeds are still to come, groups differ only in how far they are: not counted where one holds another."""
    if len(found) < 2 or not with_seeds:
        return found
    most = max(found, key=len)
    if all(set(keys) <= set(most) for keys in found):
        return {most: (found[most][0], [label for _, labels in found.values() for label in labels])}
    return found


def _in_words(found: ValueGroups) -> dict[str, list[str]]:
    """Values by what they are called; the same words for what differs to the bit are told apart by its digest."""
    called = [" | ".join(sorted({each.words for each in values})) for values, _ in found.values()]
    often = Counter(called)
    words: dict[str, list[str]] = {}
    for (key, (_, labels)), name in zip(found.items(), called, strict=True):
        apart = f" ({' | '.join(each[:DIGITS] for each in key)})" if often[name] > 1 else ""
        words[name + apart] = labels
    return words


class _Asides(Follower[Compared]):
    """What happened to single runs that a reader must know."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self._of: dict[Compared, list[str]] = {}
        """Of those of which there is anything to say."""

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            self._of.pop(run, None)
            if said := _asides(run):
                self._of[run] = said

    @property
    def words(self) -> list[str]:
        """A sentence an item, preset by preset."""
        runs = sorted(self._of, key=lambda run: (run.group.number, run.number))
        return [sentence for run in runs for sentence in self._of[run]]


def _asides(run: Compared) -> list[str]:
    said, who = [], plain(run.group.label)
    for record in run.entry.given_up:
        said.append(say("fairness.begun_anew", who=who, record=plain(record)))
    for switch in run.history.switches:
        said.append(say("fairness.switched", who=who, preset=plain(switch.recipe.preset), epoch=switch.epoch))
    for changed in run.history.epochs_changed:
        new, old = f"{changed.recipe.epochs or 0:,}", f"{changed.old:,}"
        said.append(say("fairness.epochs", who=who, new=new, old=old, step=f"{changed.step:,}"))
    dialled = next((change for change in run.history.lr_changes if change.why.code == "dial_turned"), None)
    if dialled is not None:
        said.append(say("fairness.dialled", who=who, step=f"{dialled.step + 1:,}"))
    return said
