"""What differs between the presets of a comparison, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from math import inf
from typing import Any, NamedTuple

import msgspec
from pydantic import BaseModel, ValidationError

from tui_trainer.compare.comparison import Compared, Comparison
from tui_trainer.compare.together import Follower, Together
from tui_trainer.events import PresetSwitched
from tui_trainer.presets.checks import check
from tui_trainer.presets.lrs import CoursesOfLRs, PlannedLRs
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
    return _found_out(comparison).differences


def setting(comparison: Comparison, key: str) -> Difference:
    """A setting of each preset, be they alike or not."""
    return Difference(key, _found_out(comparison).cells(key))


def setting_keys(comparison: Comparison) -> list[str]:
    """All settings that any preset has."""
    return _found_out(comparison).keys


def varied(comparison: Comparison) -> list[Difference]:
    """What was varied in trials of one preset, in the order in which it was named; runs beside them have there what
    their presets say."""
    return comparison.kept(_Presets).varied


def settings_of(comparison: Comparison) -> list[dict[str, object] | None]:
    """What the runs of each preset began with, `optimizer.lr` say, in its order; None where that cannot be told."""
    return _found_out(comparison).values


def untold(comparison: Comparison) -> list[str]:
    """Whose preset cannot be told, and why, a sentence each; of runs that have begun and whose record is there."""
    return _found_out(comparison).untold


def warnings(comparison: Comparison) -> list[str]:
    """What is to be known of the presets before they train, a sentence each: two that come to the same LRs on this run,
    and what each preset's numbers lead to."""
    return _found_out(comparison).warnings


def same_plans(comparison: Comparison) -> list[str]:
    """Which presets come to the same LRs on this run, though their schedules be called otherwise."""
    return _found_out(comparison).same_plans


def find_out_presets(comparison: Comparison, until: float) -> bool:
    """Find out what each preset is, and what it leads to, until this thread has computed so long
    (`time.thread_time`); whether that was all. All else here waits for it."""
    return comparison.kept(_Presets).catch_up(until)


def _found_out(comparison: Comparison) -> _Presets:
    presets = comparison.kept(_Presets)
    presets.catch_up(inf)
    return presets


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
    def conditions(self) -> RunConditions | None:
        """On what it trains; None where that cannot be told."""
        return _conditions(self.began.asked) if isinstance(self.preset, Preset) else None

    @cached_property
    def preset(self) -> Preset | str:
        """What its runs followed as they began, or why that cannot be told."""
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

    @cached_property
    def planned(self) -> PlannedLRs | None:
        """What its preset plans on its data; None where that cannot be told, or it followed another one later."""
        preset, run = self.preset, self.conditions
        if not isinstance(preset, Preset) or run is None or self.began.switches:
            return None
        if any(problem.severity == "error" for problem in self.problems):
            return None
        return PlannedLRs(preset, preset.training.steps_per_epoch(run.train_images))


def _conditions(asked: dict[str, Any]) -> RunConditions | None:
    """On what a run trains whose preset is sound; None where the rest of what was asked for is not. Of many trials
    that is mostly the same."""
    rest = {key: value for key, value in asked.items() if key != "preset"}
    try:
        return _conditions_of(msgspec.json.encode(rest))
    except (TypeError, ValueError):  # in none of our files
        return None


@lru_cache(maxsize=256)
def _conditions_of(rest: bytes) -> RunConditions | None:
    try:
        return RunSpec.model_validate({**msgspec.json.decode(rest), "preset": ANY_PRESET}).conditions
    except ValidationError:
        return None


ANY_PRESET = {"optimizer": {"name": "SGD", "lr": 0.1}}
"""A sound one, beside which the rest of what was asked for is looked at."""


class _Presets(Follower[Compared]):
    """What each preset began with, and what is to be said of that; found out once for the same presets.

    `catch_up` looks at those of which that is to be found out anew, and all but `varied` asks for it first.
    """

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self._of: dict[int, _Told] = {}
        self._waiting: dict[int, None] = {}
        """Those of which it is to be found out, by their numbers."""
        self._in_turn: list[int] = []
        """The same, the first one last; empty where another one has come since."""
        self._warned: dict[int, list[str]] = {}
        """Of presets whose numbers lead to something, what."""
        self._untold: dict[int, str] = {}
        self._courses = CoursesOfLRs()
        self._planned: dict[int, PlannedLRs] = {}

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            if run is not run.group.runs[0]:
                continue
            began, known = _Began.of(run), self._of.get(run.group.number)
            if known is None or known.began != began:
                self._of[run.group.number] = _Told(began)
                self._waiting[run.group.number], self._in_turn = None, []
                for name in DERIVED:
                    self.__dict__.pop(name, None)

    def catch_up(self, until: float) -> bool:
        """See `find_out_presets`."""
        if not self._in_turn:
            self._in_turn = sorted(self._waiting, reverse=True)
        for count in range(1, len(self._in_turn) + 1):
            number = self._in_turn.pop()
            del self._waiting[number]
            self._find_out(number, self._of[number])
            if count % AT_A_TIME == 0 and time.thread_time() >= until:
                break
        return not self._waiting and self._compare(until)

    def _compare(self, until: float) -> bool:
        """Find out what each has for each setting, a setting after the other; whether that was all."""
        waiting = [key for key in self.keys if key not in self._cells]
        for count, key in enumerate(waiting, 1):
            self.cells(key)
            if count < len(waiting) and time.thread_time() >= until:
                return False
        return True

    def _find_out(self, number: int, told: _Told) -> None:
        began, who = told.began, plain(told.began.label)
        self._untold.pop(number, None)
        if began.is_watched:
            self._untold[number] = say("comparison.watched", who=who)
        elif began.is_there and isinstance(told.preset, str):
            self._untold[number] = say("comparison.preset_untold", who=who, why=plain(told.preset))
        self._warned.pop(number, None)
        if warned := [str(problem) for problem in told.problems if problem.severity == "warning"]:
            self._warned[number] = warned
        if number in self._planned:  # it was another one: who is like whom is found out anew
            del self._planned[number]
            self._courses = CoursesOfLRs()
            for other in sorted(self._planned):
                self._courses.add(other, self._planned[other])
        if (plan := told.planned) is not None:
            self._planned[number] = plan
            self._courses.add(number, plan)
        _ = told.settings

    @property
    def _told(self) -> list[_Told]:
        """In the order of the comparison."""
        return [self._of[number] for number in sorted(self._of)]

    @cached_property
    def every(self) -> _Every:
        """All settings."""
        settings = [told.settings for told in self._told]
        are_others = [bool(told.began.hyperparameters) for told in self._told]
        if not any(are_others):
            return _Every(settings, are_others)
        ours = dict.fromkeys(
            key for each, other in zip(settings, are_others, strict=True) if each and not other for key in each
        )
        named = [
            {_as_ours(key, ours): value for key, value in each.items()} if each and other else each
            for each, other in zip(settings, are_others, strict=True)
        ]
        return _Every(named, are_others)

    @cached_property
    def keys(self) -> list[str]:
        """Of all settings that any has, in the order in which they come."""
        return [*dict.fromkeys(chain.from_iterable(each for each in self.every.settings if each is not None))]

    @cached_property
    def values(self) -> list[dict[str, object] | None]:
        """The same without what is a default."""
        return [
            {key: each.value for key, each in told.items()} if told is not None else None
            for told in self.every.settings
        ]

    @cached_property
    def _cells(self) -> dict[str, tuple[str, ...]]:
        return {}

    def cells(self, key: str) -> tuple[str, ...]:
        """What each has for a setting, see `_Every.cells`."""
        if key not in self._cells:
            self._cells[key] = self.every.cells(key)
        return self._cells[key]

    @cached_property
    def differences(self) -> list[Difference]:
        rows = []
        switches = tuple(_switches(told.began.switches) for told in self._told)
        if any(cell != ABSENT for cell in switches):
            rows.append(Difference("switched", switches))
        for key in sorted(self.keys, key=_place):
            cells = self.cells(key)
            if len({*cells} - {UNKNOWN}) > 1 or (key == FIRST and UNKNOWN in cells):
                rows.append(Difference(key, cells))
        if not any(each is not None for each in self.every.settings):
            rows.append(Difference(FIRST, tuple(UNKNOWN for _ in self.every.settings)))
        return rows

    @cached_property
    def varied(self) -> list[Difference]:
        of_each = [told.began.varied for told in self._told]
        keys = dict.fromkeys(chain.from_iterable(of_each))
        found = []
        for key in keys:
            if all(key in varied for varied in of_each):
                cells = tuple(_value(varied[key]) for varied in of_each)
            else:
                said = self.cells(key)
                cells = tuple(
                    _value(varied[key]) if key in varied else cell for varied, cell in zip(of_each, said, strict=True)
                )
            found.append(Difference(key, cells))
        return found

    @cached_property
    def untold(self) -> list[str]:
        return [self._untold[number] for number in sorted(self._untold)]

    @cached_property
    def warnings(self) -> list[str]:
        whose: dict[str, list[str]] = {}
        for number in sorted(self._warned):
            for problem in self._warned[number]:
                whose.setdefault(problem, []).append(plain(self._of[number].began.label))
        return [*self.same_plans, *(f"{listed(names, MOST_NAMED)}: {problem}" for problem, names in whose.items())]

    @cached_property
    def same_plans(self) -> list[str]:
        said = []
        for numbers in self._courses.alike:
            first, *others = (self._planned[number].preset for number in numbers)
            more = say("comparison.one_preset") if all(_trains_alike(first, other) for other in others) else ""
            who = listed([plain(self._of[number].began.label) for number in numbers])
            said.append(say("comparison.same_lrs", who=who, more=more))
        return said


MOST_NAMED = 3
"""Presets that are named where one thing is wrong with several."""

AT_A_TIME = 4
"""Presets that are looked at between looks at the clock."""

DERIVED = ("every", "keys", "values", "_cells", "differences", "varied", "untold", "warnings", "same_plans")
"""What is found out of all of them together."""


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
        if not any(self.are_others):
            found = [each.get(key) if each is not None else None for each in self.settings]
            everywhere = not any(
                setting is None and each is not None for setting, each in zip(found, self.settings, strict=True)
            )
            return tuple(
                _cell(setting, everywhere) if setting is not None else ABSENT if each is not None else UNKNOWN
                for setting, each in zip(found, self.settings, strict=True)
            )
        kinds = {other for each, other in zip(self.settings, self.are_others, strict=True) if each and key in each}
        everywhere = all(
            key in each
            for each, other in zip(self.settings, self.are_others, strict=True)
            if each is not None and other in kinds
        )
        cells = []
        for each, other in zip(self.settings, self.are_others, strict=True):
            if each is None or other not in kinds:
                cells.append(UNKNOWN)
            elif (setting := each.get(key)) is None:
                cells.append(ABSENT)
            else:
                cells.append(_cell(setting, everywhere))
        return tuple(cells)


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


def _cell(setting: _Setting, everywhere: bool) -> str:
    return ABSENT if setting.is_default and not everywhere else _value(setting.value)


def _settings(preset: Preset) -> dict[str, _Setting]:
    settings: dict[str, _Setting] = {}
    for table in TABLES:
        part = getattr(preset, table)
        if part is None:
            continue
        model: type[BaseModel] = type(part)
        for key, name, may_be_default, default in _fields(model, table):
            value = getattr(part, key)
            if value is not None:
                settings[name] = _Setting(value, may_be_default and value == default)
    if preset.scheduler.own_start is not None:
        settings.pop("optimizer.lr", None)  # it has no say
    return settings


@lru_cache(maxsize=256)
def _fields(model: type[BaseModel], table: str) -> tuple[tuple[str, str, bool, object], ...]:
    """Of each key of a table its name as a setting, whether it says nothing at its default, and that."""
    found = []
    for key, field in model.model_fields.items():
        if (table, key) in NO_SETTINGS:
            continue
        may_be_default = (table, key) == ("warmup", "method") or table != "warmup"
        may_be_default = may_be_default and key not in ("name", "lr")
        found.append((key, f"{table}.{key}", may_be_default, field.get_default()))
    return tuple(found)


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
