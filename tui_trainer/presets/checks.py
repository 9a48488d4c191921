"""From a preset's file to its values, and everything that is wrong with it on a given run, all at once: its text, its
values, and what they lead to. No file makes a traceback.

A text is read table by table, so that one that is broken hides nothing of another.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from tui_trainer.files.safe_open import Irregular, open_regular
from tui_trainer.presets.augmentation import MOST_TRANSFORMS, TRANSFORMS
from tui_trainer.presets.early_stopping import EarlyStopping
from tui_trainer.presets.folders import called
from tui_trainer.presets.group_rules import GROUP_RULES
from tui_trainer.presets.optimizers import SGD
from tui_trainer.presets.parameter_groups import MOST_GROUPS, kind_of_group
from tui_trainer.presets.plan_rules import PLAN_RULES
from tui_trainer.presets.problems import (
    KeyPath,
    PresetError,
    PresetText,
    Problem,
    first_duplicate,
    key_lines,
    key_name,
    longest_key,
)
from tui_trainer.presets.rules import RULES, Find, PresetOnRun, Rule, RunConditions
from tui_trainer.presets.schedulers import SCHEDULERS, STAGES, SequentialLR, StageLength
from tui_trainer.presets.schema import (
    PRESET_KEYS,
    TAKEN_ALONG,
    MadeFor,
    ModelOptions,
    Preset,
    Published,
    TitleAndText,
    Training,
    Warmup,
)
from tui_trainer.presets.stage_rules import STAGE_RULES
from tui_trainer.presets.wording import KINDS, explain, nearest, shown, unknown_name
from tui_trainer.text.alert_rule import MOST_RULES, BadRule
from tui_trainer.text.alert_rule import parse as parse_rule
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

LARGEST_FILE = 64 * 1024
"""Bytes. A preset is a page of text; what is larger is another file."""

TOLD_BY_OPTIONS = ("notify", "notify-on", "webhook", "webhook-file", "url", "command", "bell")
"""How a person is told is for the person to say: who gets a preset from elsewhere runs nothing of it."""

LONGEST_KEY = 100
"""Names in a dotted key: two would do, and thousands would keep `tomllib` busy for minutes."""


def read_text(path: Path) -> str:
    """The text of a preset's file.

    Raises:
        PresetError: there is none to read.
    """
    file = str(path)
    try:
        content = _read(path)
    except Irregular as error:
        raise _refusal(file, f"{error}; a preset is a TOML file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refusal(file, f"cannot be read: {reason}") from None
    if len(content) > LARGEST_FILE:
        raise _refusal(file, f"larger than {LARGEST_FILE // 1024} KiB; a preset is a page of TOML")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(file, "not UTF-8 text; a preset is a TOML file", line) from None


def _read(path: Path) -> bytes:
    """Of a file, enough to tell whether it is too large. One of the kernel's may have nothing yet: nobody waits for it.

    Raises:
        OSError: it cannot be read.
    """
    content = b""
    with os.fdopen(open_regular(path), "rb", buffering=0) as opened:
        while len(content) <= LARGEST_FILE and (piece := opened.read(LARGEST_FILE + 1 - len(content))) != b"":
            if piece is None:
                raise OSError("it has no end, as a file of the kernel's may have none")
            content += piece
    return content


def read_toml(text: str, file: str) -> dict[str, Any]:
    """What a TOML text says; `file` is what problems call it.

    Raises:
        PresetError: it is not valid TOML.
    """
    if longest_key(text) > LONGEST_KEY:
        raise _refusal(file, say("key.too_deep"))
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise _refusal(file, say("key.too_deep")) from None
    except (ValueError, OverflowError) as error:
        duplicate = first_duplicate(text)
        if duplicate and str(error).startswith("Cannot"):  # overwrite a value, or declare a table twice
            before, again = duplicate
            problem = Problem(file, again.line, key_name(again.path), say("key.twice", line=before.line))
            raise PresetError([problem]) from None
        message, line = _place_of(str(error))
        raise _refusal(file, say("key.no_toml", why=message), line) from None


def _place_of(message: str) -> tuple[str, int | None]:
    """tomllib's message without its place, and the line of it."""
    match = re.search(r" \(at line (\d+), column \d+\)$", message)
    return (message[: match.start()], int(match[1])) if match else (message, None)


def _refusal(file: str, message: str, line: int | None = None) -> PresetError:
    return PresetError([Problem(file, line, "", plain(message))])


def sound_fields(data: Mapping[str, Any], source: PresetText) -> tuple[dict[str, Any], list[Problem]]:
    """The fields of `Preset` that are in order, and all that is wrong with the others, in the order of the file."""
    reading = _Reading(source)
    reading.top_level(data)
    reading.heading({key: data[key] for key in TitleAndText.model_fields if key in data})
    if "training" in data and reading.is_table("training", data["training"]):
        reading.training(data["training"])
    for table, model in (("warmup", Warmup), ("for", MadeFor), ("model", ModelOptions), ("published", Published)):
        if table in data and reading.is_table(table, data[table]):
            reading.plain_table(table, data[table], model)
    if "alerts" in data:
        reading.alerts(data["alerts"])
    for table in KINDS:
        if table in data and reading.is_table(table, data[table]):
            reading.named_table(table, data[table])
    return reading.fields, sorted(reading.problems, key=lambda problem: problem.line or 0)


def _hint(key: str, meant: str | None) -> str:
    """What to do about a key that is none of a preset's."""
    if key in TAKEN_ALONG:
        return say("key.belongs_in", table="for")
    if key.casefold().replace("_", "-") in TOLD_BY_OPTIONS:
        return say("key.by_options")
    return say("key.top_meant", meant=meant) if meant else say("key.top_has", keys=", ".join(PRESET_KEYS))


class _Reading:
    """The fields and problems found so far."""

    def __init__(self, source: PresetText) -> None:
        self.fields: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._source = source

    def top_level(self, data: Mapping[str, Any]) -> None:
        """Keys and tables that a preset does not have, or lacks."""
        unknown = [key for key in data if key not in PRESET_KEYS]
        meant = {key: nearest(key, PRESET_KEYS) for key in unknown}
        for key in unknown:
            self._add((key,), say("key.unknown", hint=_hint(key, meant[key])))
        if "optimizer" not in data and "optimizer" not in meant.values():
            self._add("optimizer", say("key.no_optimizer"))

    def heading(self, words: dict[str, Any]) -> None:
        sound = self._validated("", words, TitleAndText)
        if sound is not None:
            self.fields |= {key: getattr(sound, key) for key in words}

    def alerts(self, rules: Any) -> None:
        """A list of rules; all that is wrong with them, each with its number."""
        if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
            self._add("alerts", say("key.no_rules"))
            return
        sound = True
        for number, rule in enumerate(rules[: MOST_RULES + 1], 1):
            try:
                parse_rule(rule)
            except BadRule as error:
                sound = False
                self._add("alerts", say("key.rule", number=number, rule=shown(rule), why=error))
        if len(rules) > MOST_RULES:
            self._add("alerts", say("alert_rule.too_many", count=f"{len(rules):,}", most=MOST_RULES))
        elif sound:
            self.fields["alerts"] = tuple(rules)

    def is_table(self, table: str, value: Any) -> bool:
        if not isinstance(value, dict):
            misplaced = table == "model" and isinstance(value, str)
            self._add(table, say("key.belongs_in", table="for") if misplaced else say("key.no_table", table=table))
        return isinstance(value, dict)

    def plain_table(self, table: str, value: dict[str, Any], model: type[BaseModel]) -> None:
        sound = self._validated(table, value, model)
        if sound is not None:
            self.fields[table] = sound

    def training(self, value: dict[str, Any]) -> None:
        """`[training]`, and the tables within it."""
        wrong = []
        for key, read in (("early_stopping", self._early_stopping), ("augmentation", self._augmentation)):
            before = len(self.problems)
            if key in value:
                read(value[key])
            if len(self.problems) > before:
                wrong.append(key)
        self.plain_table("training", {key: value[key] for key in value if key not in wrong}, Training)
        if wrong:
            self.fields.pop("training", None)

    def _early_stopping(self, value: Any) -> None:
        if isinstance(value, dict):
            self._validated(("training", "early_stopping"), value, EarlyStopping)
        else:
            self._add("training.early_stopping", say("key.no_early_stopping"))

    def _augmentation(self, items: Any) -> None:
        """A list of transforms, each with its number; all that is wrong with them is entered."""
        if not isinstance(items, list) or not all(isinstance(each, dict | str) for each in items):
            self._add("training.augmentation", say("key.no_augmentation"))
            return
        if len(items) > MOST_TRANSFORMS:
            said = say("key.many_transforms", count=f"{len(items):,}", most=MOST_TRANSFORMS)
            self._add("training.augmentation", said)
        for number, each in enumerate(items[:MOST_TRANSFORMS], 1):
            path, value = ("training", "augmentation", str(number)), {"name": each} if isinstance(each, str) else each
            name = value.get("name")
            if "name" not in value:
                self._add((*path, "name"), say("key.nameless", names=", ".join(TRANSFORMS)))
            elif isinstance(name, str) and name in TRANSFORMS:
                self._validated(path, value, TRANSFORMS[name])
            else:
                self._add((*path, "name"), unknown_name(name, "augmentation")[0])

    def named_table(self, table: str, value: dict[str, Any]) -> None:
        """A table whose `name` says which keys it takes; a misspelt one is read as what it most likely means."""
        if table == "scheduler" and "stages" in value and "name" not in value:
            value = value | {"name": "SequentialLR"}
        kinds, name = KINDS[table], value.get("name")
        if "name" not in value:
            self._add(f"{table}.name", say("key.nameless", names=", ".join(kinds)))
        elif table == "scheduler" and name == "SequentialLR":
            self.stages(value)
        elif table == "optimizer" and "groups" in value:
            self.groups(value["groups"])
            self.named_table(table, {key: value[key] for key in value if key != "groups"})
            self._enter_groups(value["groups"])
        elif isinstance(name, str) and name in kinds:
            self.plain_table(table, value, kinds[name])
        else:
            message, meant = unknown_name(name, table)
            self._add(f"{table}.name", message)
            if meant == "SequentialLR":
                self.stages(value | {"name": meant})
            elif meant:
                self._validated(table, value | {"name": meant}, kinds[meant])

    def groups(self, tables: Any) -> None:
        """The groups of parameters, each with its number; all that is wrong with them is entered."""
        if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
            self._add("optimizer.groups", say("key.no_groups"))
            return
        if len(tables) > MOST_GROUPS:
            self._add("optimizer.groups", say("key.many_groups", count=f"{len(tables):,}", most=MOST_GROUPS))
        for number, each in enumerate(tables[:MOST_GROUPS], 1):
            self._validated(("optimizer", "groups", str(number)), each, kind_of_group(each))

    def _enter_groups(self, tables: Any) -> None:
        """Give the optimizer its groups; without them it is another, and so it is left out where they are wrong."""
        optimizer = self.fields.pop("optimizer", None)
        if optimizer is None or any(problem.key.startswith("optimizer.groups") for problem in self.problems):
            return
        written = {key: getattr(optimizer, key) for key in optimizer.model_fields_set} | {"groups": tables}
        self.fields["optimizer"] = type(optimizer).model_validate(written)

    def stages(self, value: dict[str, Any]) -> None:
        """SequentialLR and the tables of its stages, each with its number."""
        tables = value.get("stages")
        if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
            self._add("scheduler.stages", say("key.no_stages"))
            return
        before = len(self.problems)
        stages = [self._stage(number, each) for number, each in enumerate(tables, 1)]
        stand_in = value | {"stages": stages if len(self.problems) == before else [{"name": "none"}]}
        sound = self._validated("scheduler", stand_in, SequentialLR)
        if sound is not None and len(self.problems) == before:
            self.fields["scheduler"] = sound

    def _stage(self, number: int, value: dict[str, Any]) -> dict[str, Any]:
        """One stage; all that is wrong with it is entered."""
        path = ("scheduler", "stages", str(number))
        self._validated(path, {key: value[key] for key in StageLength.model_fields if key in value}, StageLength)
        own = {key: value[key] for key in value if key not in StageLength.model_fields}
        for key in ("interval", "monitor"):
            if key in own:
                self._add((*path, key), say("key.of_all_stages"))
                del own[key]
        name = own.get("name")
        if "name" not in own:
            self._add((*path, "name"), say("key.nameless", names=", ".join(STAGES)))
        elif isinstance(name, str) and name in STAGES:
            self._validated(path, own, STAGES[name])
        elif isinstance(name, str) and name in SCHEDULERS:
            self._add((*path, "name"), say("key.no_stage", name=name, names=", ".join(STAGES)))
        else:
            self._add((*path, "name"), unknown_name(name, "scheduler")[0])
        return value

    def _validated(self, table: str | KeyPath, value: dict[str, Any], model: type[BaseModel]) -> BaseModel | None:
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.problems += explain(error, model, table, self._source)
            return None

    def _add(self, key: str | KeyPath, message: str) -> None:
        self.problems.append(self._source.problem(key, message))


@dataclass(frozen=True)
class Checked:
    """A preset, and what is wrong with it."""

    preset: Preset | None
    """None where the text does not say one. One that cannot run has errors among its problems all the same."""
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What keeps it from running."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """What a person should know before it runs."""
        return [problem for problem in self.problems if problem.severity == "warning"]


def check(preset: Preset, run: RunConditions | None = None) -> list[Problem]:
    """What a sound preset leads to on a run: errors where it cannot do so, warnings where it hardly means to.

    Without a run, on the data set and the model that it is made for, else the default ones.
    """
    return _found(preset, frozenset(Preset.model_fields), run)


ConditionsOf: TypeAlias = Callable[[MadeFor | None], RunConditions]
"""The conditions of a run with a preset, by what that is made for."""


def check_text(
    text: str,
    file: str = "",
    run: RunConditions | ConditionsOf | None = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> Checked:
    """All that is wrong with a preset's text; `epochs` and `batch_size` take the place of what it says.

    `run` may be a function that gives the conditions for what the preset says that it is made for.
    """
    try:
        data = read_toml(text, file)
    except PresetError as error:
        return Checked(None, error.problems)
    return check_data(data, PresetText(file, key_lines(text)), run, epochs=epochs, batch_size=batch_size)


def check_data(
    data: Mapping[str, Any],
    source: PresetText,
    run: RunConditions | ConditionsOf | None = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> Checked:
    """As `check_text`, of what `read_toml` makes of a text."""
    fields, problems = sound_fields(data, source)
    if problems:
        stand_in = Preset(**{"optimizer": SGD(name="SGD"), **fields}).written_in(source)
        sound = frozenset(name for name in Preset.model_fields if name in fields or name not in data)
        return Checked(None, _in_order(problems + _found(stand_in, sound - _lacking(fields), _on(run, stand_in))))
    try:
        preset = Preset(**fields).written_in(source).with_training(epochs, batch_size)
    except PresetError as error:
        return Checked(None, error.problems)
    return Checked(preset, check(preset, _on(run, preset)))


def _on(run: RunConditions | ConditionsOf | None, preset: Preset) -> RunConditions | None:
    return run(preset.made_for) if callable(run) else run


def check_file(
    path: Path,
    run: RunConditions | ConditionsOf | None = None,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> Checked:
    """As `check_text`, of a file."""
    try:
        text = read_text(path)
    except PresetError as error:
        return Checked(None, error.problems)
    return check_text(text, called(path), run, epochs=epochs, batch_size=batch_size)


def parse(text: str, file: str = "") -> Preset:
    """The preset of a TOML text; `file` is what problems call it. `check` tells what it leads to.

    Raises:
        PresetError: it is no preset; with everything that is wrong.
    """
    checked = check_text(text, file)
    if checked.preset is None:
        raise PresetError(checked.problems)
    return checked.preset


def read(path: Path) -> Preset:
    """The preset of a file. `check` tells what it leads to.

    Raises:
        PresetError: it cannot be read, or is no preset; with everything that is wrong.
    """
    return parse(read_text(path), called(path))


def _found(preset: Preset, sound: frozenset[str], run: RunConditions | None) -> list[Problem]:
    """What the rules find that read sound tables alone."""
    whole = PresetOnRun(preset, run or RunConditions.of(preset.made_for))
    case = PresetOnRun(preset.of_group(0), whole.run)  # of most, and of what a run's LR is
    of_case, of_whole = _rules_of(sound, case.span > 0)
    findings = [finding for find in of_case for finding in find(case)]
    findings += [finding for find in of_whole for finding in find(whole)]
    return _in_order([preset.source.problem(*finding) for finding in findings])


@lru_cache(maxsize=64)
def _rules_of(sound: frozenset[str], has_span: bool) -> tuple[tuple[Find, ...], tuple[Find, ...]]:
    """Those that read sound tables alone: of the LR of most parameters, and of a preset with all its groups. Of many
    presets they are the same."""

    def are_asked(rules: Iterable[Rule]) -> tuple[Find, ...]:
        return tuple(rule.find for rule in rules if rule.tables <= sound and (has_span or not rule.needs_span))

    return are_asked((*RULES, *STAGE_RULES, *PLAN_RULES)), are_asked(GROUP_RULES)


def _lacking(fields: dict[str, object]) -> frozenset[str]:
    """The optimizer has no default: where it is missing, nothing can be said of it."""
    return frozenset() if "optimizer" in fields else frozenset({"optimizer"})


def _in_order(problems: list[Problem]) -> list[Problem]:
    """As the file has them; what stands nowhere comes first."""
    return sorted(problems, key=lambda problem: problem.line or 0)
