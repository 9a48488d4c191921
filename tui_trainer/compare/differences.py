"""What differs between the presets of a comparison, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from tui_trainer.compare.comparison import Comparison, Group
from tui_trainer.presets.checks import check
from tui_trainer.presets.lrs import PlannedLRs, same_lrs
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
    rows = []
    switches = tuple(_switches(group) for group in comparison.groups)
    if any(cell != ABSENT for cell in switches):
        rows.append(Difference("switched", switches))
    every = _every(comparison)
    known = [each for each in every.settings if each is not None]
    keys = dict.fromkeys(key for each in known for key in each)
    for key in sorted(keys, key=_place):
        cells = every.cells(key)
        if len({*cells} - {UNKNOWN}) > 1 or (key == FIRST and UNKNOWN in cells):
            rows.append(Difference(key, cells))
    if not known:
        rows.append(Difference(FIRST, tuple(UNKNOWN for _ in every.settings)))
    return rows


def setting(comparison: Comparison, key: str) -> Difference:
    """A setting of each preset, be they alike or not."""
    return Difference(key, _every(comparison).cells(key))


def varied(comparison: Comparison) -> list[Difference]:
    """What was varied in trials of one preset, in the order in which it was named; runs beside them have there what
    their presets say."""
    keys = dict.fromkeys(key for group in comparison.groups for key in group.runs[0].entry.varied)
    return [
        Difference(
            key,
            tuple(
                _value(group.runs[0].entry.varied[key]) if key in group.runs[0].entry.varied else said
                for group, said in zip(comparison.groups, setting(comparison, key).values, strict=True)
            ),
        )
        for key in keys
    ]


def settings_of(comparison: Comparison) -> list[dict[str, object] | None]:
    """What the runs of each preset began with, `optimizer.lr` say, in its order; None where that cannot be told."""
    return [
        {key: each.value for key, each in told.items()} if told is not None else None
        for told in _every(comparison).settings
    ]


def untold(comparison: Comparison) -> list[str]:
    """Whose preset cannot be told, and why, a sentence each; of runs that have begun and whose record is there."""
    said = []
    for group in comparison.groups:
        why = _preset(group)
        if group.runs[0].history.program is not None:
            said.append(say("comparison.watched", who=plain(group.label)))
        elif isinstance(why, str) and (group.runs[0].facts or group.runs[0].entry.asked):
            said.append(say("comparison.preset_untold", who=plain(group.label), why=plain(why)))
    return said


def warnings(comparison: Comparison) -> list[str]:
    """What is to be known of the presets before they train, a sentence each: two that come to the same LRs on this run,
    and what each preset's numbers lead to.

    It is worked out once for the same presets: all LRs of each pair are compared.
    """
    presets = [(group.label, _asked(group), bool(group.runs[0].history.switches)) for group in comparison.groups]
    known = _warned.get(comparison)
    if known is None or known[0] != presets:
        known = _warned[comparison] = presets, [*same_plans(comparison), *_of_presets(comparison)]
    return known[1]


_warned: WeakKeyDictionary[Comparison, tuple[list[tuple[str, Any, bool]], list[str]]] = WeakKeyDictionary()


def same_plans(comparison: Comparison) -> list[str]:
    """Which presets come to the same LRs on this run, though their schedules be called otherwise."""
    alike: list[dict[str, PlannedLRs]] = []
    for group in comparison.groups:
        if (plan := _planned(group)) is None:
            continue
        for those in alike:
            if same_lrs(next(iter(those.values())), plan):
                those[group.label] = plan
                break
        else:
            alike.append({group.label: plan})
    said = []
    for those in alike:
        if len(those) < 2:
            continue
        first, *others = (plan.preset for plan in those.values())
        more = say("comparison.one_preset") if all(_trains_alike(first, other) for other in others) else ""
        said.append(say("comparison.same_lrs", who=listed([plain(label) for label in those]), more=more))
    return said


def _trains_alike(a: Preset, b: Preset) -> bool:
    """Whether but for the LR, which is the same, nothing tells two apart."""
    cycled = any(getattr(preset.scheduler, "cycle_momentum", False) for preset in (a, b))
    rest = [preset.optimizer.model_dump(exclude={"lr"}) for preset in (a, b)]
    return rest[0] == rest[1] and a.training == b.training and (not cycled or a.scheduler == b.scheduler)


def _of_presets(comparison: Comparison) -> list[str]:
    said = []
    for group in comparison.groups:
        preset, run = _preset(group), _conditions(group)
        if isinstance(preset, Preset) and run is not None:
            found = [problem for problem in check(preset, run) if problem.severity == "warning"]
            said += [f"{plain(group.label)}: {problem}" for problem in found]
    return said


def _planned(group: Group) -> PlannedLRs | None:
    """What its preset plans on its data; None where that cannot be told, or it followed another one later."""
    preset, run = _preset(group), _conditions(group)
    if not isinstance(preset, Preset) or run is None or group.runs[0].history.switches:
        return None
    if any(problem.severity == "error" for problem in check(preset, run)):
        return None
    return PlannedLRs(preset, preset.training.steps_per_epoch(run.train_images))


def _asked(group: Group) -> Any:
    """What was asked for, as far as it is told."""
    run = group.runs[0]
    return run.entry.asked or run.facts.get("asked")


def _conditions(group: Group) -> RunConditions | None:
    try:
        return RunSpec.model_validate(_asked(group)).conditions
    except ValidationError:
        return None


def _switches(group: Group) -> str:
    """What the settings below held no longer for, of a run that followed another preset from an epoch on."""
    told = [f"to {plain(s.recipe.preset)} in epoch {s.epoch}" for s in group.runs[0].history.switches]
    return ", ".join(told) or ABSENT


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


def _every(comparison: Comparison) -> _Every:
    settings = [_told(group) for group in comparison.groups]
    are_others = [bool(group.runs[0].history.hyperparameters) for group in comparison.groups]
    ours = [key for each, other in zip(settings, are_others, strict=True) if each and not other for key in each]
    named = [
        {_as_ours(key, ours): value for key, value in each.items()} if each and other else each
        for each, other in zip(settings, are_others, strict=True)
    ]
    return _Every(named, are_others)


def _told(group: Group) -> dict[str, _Setting] | None:
    """What a group's runs began with: of its preset, or as another tool has recorded it."""
    if hyperparameters := group.runs[0].history.hyperparameters:
        return {key: _Setting(value, is_default=False) for key, value in hyperparameters.items()}
    preset = _preset(group)
    return _settings(preset) if isinstance(preset, Preset) else None


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


def _as_ours(key: str, ours: Sequence[str]) -> str:
    """The name of another tool's setting, or where one of ours is the same, that."""
    name = SAME_AS.get(key.lower(), key)
    ending = {each for each in ours if each == name or each.endswith(f".{name}")}
    return ending.pop() if len(ending) == 1 else key


def _cell(setting: _Setting | None, everywhere: bool) -> str:
    if setting is None or (setting.is_default and not everywhere):
        return ABSENT
    return _value(setting.value)


def _preset(group: Group) -> Preset | str:
    """What its runs followed as they began, or why that cannot be told."""
    asked = _asked(group)
    if not isinstance(asked, dict) or "preset" not in asked:
        return say("comparison.not_said")
    try:
        return Preset.model_validate(asked["preset"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return say("comparison.not_known", where=where, why=first["msg"])


def _settings(preset: Preset) -> dict[str, _Setting]:
    settings: dict[str, _Setting] = {}
    for table in TABLES:
        part = getattr(preset, table)
        for key, field in type(part).model_fields.items() if part is not None else ():
            value = getattr(part, key)
            if value is not None:
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
