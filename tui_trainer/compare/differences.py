"""What differs between the presets of a comparison, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from tui_trainer.compare.comparison import Compared, Comparison
from tui_trainer.compare.together import Follower, Together
from tui_trainer.events import PresetSwitched
from tui_trainer.presets.checks import check
from tui_trainer.presets.lrs import PlannedLRs, alike
from tui_trainer.presets.problems import Problem
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed
from tui_trainer.text.plain import plain

ABSENT = "–"
FIRST = "scheduler.name"
"""The setting that is told of a preset before others, and beside which one that cannot be told stands as such."""

UNKNOWN = "?"
"""In place of a setting of a preset that cannot be told."""

TABLES = ("scheduler", "warmup", "optimizer", "training")
"""The tables of a preset, in the order in which a reader asks for them."""


NO_SETTINGS = {("optimizer", "folder")}
"""What a preset's tables hold beside settings: where a person's own optimizer was looked for."""


@dataclass(frozen=True)
class Difference:
    """A setting, and what each preset has there, in the order of the comparison."""

    key: str
    values: tuple[str, ...]


def differences(comparison: Comparison) -> list[Difference]:
    """The settings in which at least two presets differ; one that a preset does not have is `–` there.

    What only some of the classes take, and was left at its default, says nothing that the name does not. Presets that
    cannot be told differ from none: `untold` names them.
    """
    return comparison.kept(_Presets).differences


def setting(comparison: Comparison, key: str) -> Difference:
    """A setting of each preset, be they alike or not."""
    return Difference(key, comparison.kept(_Presets).every.cells(key))


def varied(comparison: Comparison) -> list[Difference]:
    """What was varied in trials of one preset, in the order in which it was named; runs beside them have there what
    their presets say."""
    return comparison.kept(_Presets).varied


def settings_of(comparison: Comparison) -> list[dict[str, object] | None]:
    """What the runs of each preset began with, `optimizer.lr` say, in its order; None where that cannot be told."""
    return comparison.kept(_Presets).values


def untold(comparison: Comparison) -> list[str]:
    """Whose preset cannot be told, and why, a sentence each; of runs that have begun and whose record is there."""
    return comparison.kept(_Presets).untold


def warnings(comparison: Comparison) -> list[str]:
    """What is to be known of the presets before they train, a sentence each: two that come to the same LRs on this run,
    and what each preset's numbers lead to."""
    return comparison.kept(_Presets).warnings


def same_plans(comparison: Comparison) -> list[str]:
    """Which presets come to the same LRs on this run, though their schedules be called otherwise."""
    return comparison.kept(_Presets).same_plans


class _Began(NamedTuple):
    """What the first run of a preset tells of how it began."""

    label: str
    asked: Any
    """What was asked for, as far as it is told."""
    varied: dict[str, Any]
    hyperparameters: Mapping[str, object]
    """Of another tool's record."""
    switches: tuple[PresetSwitched, ...]
    is_watched: bool
    is_there: bool
    """Whether there is a record, or something was asked for."""

    @classmethod
    def of(cls, run: Compared) -> _Began:
        asked, history = run.entry.asked or run.facts.get("asked"), run.history
        return cls(
            run.group.label,
            asked,
            run.entry.varied,
            history.hyperparameters,
            tuple(history.switches),
            history.program is not None,
            bool(run.facts or run.entry.asked),
        )


class _Told:
    """What that comes to; found out as it is asked for."""

    def __init__(self, began: _Began) -> None:
        self.began = began

    @cached_property
    def _spec(self) -> RunSpec | None:
        try:
            return RunSpec.model_validate(self.began.asked)
        except ValidationError:
            return None

    @cached_property
    def conditions(self) -> RunConditions | None:
        """On what it trains; None where that cannot be told."""
        return self._spec.conditions if self._spec is not None else None

    @cached_property
    def preset(self) -> Preset | str:
        """What its runs followed as they began, or why that cannot be told."""
        if self._spec is not None:
            return self._spec.preset
        asked = self.began.asked
        if not isinstance(asked, dict) or "preset" not in asked:
            return say("comparison.not_said")
        try:
            return Preset.model_validate(asked["preset"])
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return say("comparison.not_known", where=where, why=first["msg"])

    @cached_property
    def settings(self) -> dict[str, _Setting] | None:
        """What its runs began with: of its preset, or as another tool has recorded it."""
        if self.began.hyperparameters:
            return {key: _Setting(value, is_default=False) for key, value in self.began.hyperparameters.items()}
        return _settings(self.preset) if isinstance(self.preset, Preset) else None

    @cached_property
    def problems(self) -> list[Problem]:
        """What its preset's numbers lead to, where it is known on what it trains."""
        if not isinstance(self.preset, Preset) or self.conditions is None:
            return []
        return [*check(self.preset, self.conditions)]

    @property
    def planned(self) -> PlannedLRs | None:
        """What its preset plans on its data; None where that cannot be told, or it followed another one later."""
        preset, run = self.preset, self.conditions
        if not isinstance(preset, Preset) or run is None or self.began.switches:
            return None
        if any(problem.severity == "error" for problem in self.problems):
            return None
        return PlannedLRs(preset, preset.training.steps_per_epoch(run.train_images))


class _Presets(Follower[Compared]):
    """What each preset began with, and what is to be said of that; found out once for the same presets."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self._of: dict[int, _Told] = {}

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            if run is not run.group.runs[0]:
                continue
            began, known = _Began.of(run), self._of.get(run.group.number)
            if known is None or known.began != began:
                self._of[run.group.number] = _Told(began)
                for name in ("every", "values", "differences", "varied", "untold", "warnings", "same_plans"):
                    self.__dict__.pop(name, None)

    @property
    def _told(self) -> list[_Told]:
        """In the order of the comparison."""
        return [self._of[number] for number in sorted(self._of)]

    @cached_property
    def every(self) -> _Every:
        """All settings."""
        settings = [told.settings for told in self._told]
        are_others = [bool(told.began.hyperparameters) for told in self._told]
        ours = dict.fromkeys(
            key for each, other in zip(settings, are_others, strict=True) if each and not other for key in each
        )
        named = [
            {_as_ours(key, ours): value for key, value in each.items()} if each and other else each
            for each, other in zip(settings, are_others, strict=True)
        ]
        return _Every(named, are_others)

    @cached_property
    def values(self) -> list[dict[str, object] | None]:
        """The same without what is a default."""
        return [
            {key: each.value for key, each in told.items()} if told is not None else None
            for told in self.every.settings
        ]

    @cached_property
    def differences(self) -> list[Difference]:
        rows = []
        switches = tuple(_switches(told.began.switches) for told in self._told)
        if any(cell != ABSENT for cell in switches):
            rows.append(Difference("switched", switches))
        every = self.every
        known = [each for each in every.settings if each is not None]
        keys = dict.fromkeys(key for each in known for key in each)
        for key in sorted(keys, key=_place):
            cells = every.cells(key)
            if len({*cells} - {UNKNOWN}) > 1 or (key == FIRST and UNKNOWN in cells):
                rows.append(Difference(key, cells))
        if not known:
            rows.append(Difference(FIRST, tuple(UNKNOWN for _ in every.settings)))
        return rows

    @cached_property
    def varied(self) -> list[Difference]:
        of_each = [told.began.varied for told in self._told]
        keys = dict.fromkeys(key for varied in of_each for key in varied)
        found = []
        for key in keys:
            if all(key in varied for varied in of_each):
                cells = tuple(_value(varied[key]) for varied in of_each)
            else:
                said = self.every.cells(key)
                cells = tuple(
                    _value(varied[key]) if key in varied else cell for varied, cell in zip(of_each, said, strict=True)
                )
            found.append(Difference(key, cells))
        return found

    @cached_property
    def untold(self) -> list[str]:
        said = []
        for told in self._told:
            began = told.began
            if began.is_watched:
                said.append(say("comparison.watched", who=plain(began.label)))
            elif began.is_there and isinstance(told.preset, str):
                said.append(say("comparison.preset_untold", who=plain(began.label), why=plain(told.preset)))
        return said

    @cached_property
    def warnings(self) -> list[str]:
        found = [(told.began.label, problem) for told in self._told for problem in told.problems]
        of_presets = [f"{plain(label)}: {problem}" for label, problem in found if problem.severity == "warning"]
        return [*self.same_plans, *of_presets]

    @cached_property
    def same_plans(self) -> list[str]:
        plans = [(told.began.label, plan) for told in self._told if (plan := told.planned) is not None]
        said = []
        for places in alike([plan for _, plan in plans]):
            if len(places) < 2:
                continue
            first, *others = (plans[place][1].preset for place in places)
            more = say("comparison.one_preset") if all(_trains_alike(first, other) for other in others) else ""
            who = listed([plain(plans[place][0]) for place in places])
            said.append(say("comparison.same_lrs", who=who, more=more))
        return said


def _trains_alike(a: Preset, b: Preset) -> bool:
    """Whether but for the LR, which is the same, nothing tells two apart."""
    cycled = any(getattr(preset.scheduler, "cycle_momentum", False) for preset in (a, b))
    rest = [preset.optimizer.model_dump(exclude={"lr"}) for preset in (a, b)]
    return rest[0] == rest[1] and a.training == b.training and (not cycled or a.scheduler == b.scheduler)


def _switches(switches: Sequence[PresetSwitched]) -> str:
    """What the settings below held no longer for, of a run that followed another preset from an epoch on."""
    return ", ".join(f"to {plain(each.recipe.preset)} in epoch {each.epoch}" for each in switches) or ABSENT


class _Setting(NamedTuple):
    value: object
    is_default: bool


class _Every(NamedTuple):
    """The settings of all groups, as far as they are told."""

    settings: list[dict[str, _Setting] | None]
    """In the order of the comparison; None where that cannot be told."""
    are_others: list[bool]
    """Whether they are those of another tool's record, which has names of its own."""

    def cells(self, key: str) -> tuple[str, ...]:
        """What each group has for a setting. Where none of its kind has it, what it had there is not known."""
        kinds = {other for each, other in zip(self.settings, self.are_others, strict=True) if each and key in each}
        alike = [
            each
            for each, other in zip(self.settings, self.are_others, strict=True)
            if each is not None and other in kinds
        ]
        everywhere = all(key in each for each in alike)
        return tuple(
            UNKNOWN if each is None or other not in kinds else _cell(each.get(key), everywhere)
            for each, other in zip(self.settings, self.are_others, strict=True)
        )


SAME_AS = {
    "learning_rate": "optimizer.lr",
    "lr0": "optimizer.lr",
    "batch": "training.batch_size",
    "bs": "training.batch_size",
    "train_batch_size": "training.batch_size",
    "per_device_train_batch_size": "training.batch_size",
    "num_train_epochs": "training.epochs",
    "max_epochs": "training.epochs",
}
"""What other tools call settings of a preset; any other is one whose name is the end of its own: `lr`, `momentum`."""


def _as_ours(key: str, ours: Iterable[str]) -> str:
    """The name of another tool's setting, or where one of ours is the same, that."""
    name = SAME_AS.get(key.lower(), key)
    ending = {each for each in ours if each == name or each.endswith(f".{name}")}
    return ending.pop() if len(ending) == 1 else key


def _cell(setting: _Setting | None, everywhere: bool) -> str:
    if setting is None or (setting.is_default and not everywhere):
        return ABSENT
    return _value(setting.value)


def _settings(preset: Preset) -> dict[str, _Setting]:
    settings: dict[str, _Setting] = {}
    for table in TABLES:
        part = getattr(preset, table)
        for key, field in type(part).model_fields.items() if part is not None else ():
            value = getattr(part, key)
            if value is not None and (table, key) not in NO_SETTINGS:
                is_default = (table, key) == ("warmup", "method") or table != "warmup"
                is_default = is_default and key not in ("name", "lr") and value == field.get_default()
                settings[f"{table}.{key}"] = _Setting(value, is_default)
    if preset.scheduler.own_start is not None:
        settings.pop("optimizer.lr", None)  # it has no say
    return settings


def _place(key: str) -> tuple[int, int, str]:
    table, _, name = key.partition(".")
    return TABLES.index(table) if table in TABLES else len(TABLES), name != "name", name or table


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        plain_values = all(isinstance(each, int | float | str) for each in value)
        return (", " if plain_values else "; ").join(_value(each) for each in value)
    return plain(str(value))
