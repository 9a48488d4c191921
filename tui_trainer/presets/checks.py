"""Everything that is wrong with a preset on a given run, all at once: its text, its values, and what they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_trainer.preset_folders import called
from tui_trainer.presets.cases import Case, Run
from tui_trainer.presets.loading import read_text, read_toml
from tui_trainer.presets.optimizers import SGD
from tui_trainer.presets.problems import PresetError, Problem, Source
from tui_trainer.presets.rules import RULES
from tui_trainer.presets.schema import Preset
from tui_trainer.presets.toml_lines import key_lines
from tui_trainer.presets.validation import sound_fields


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


def check(preset: Preset, run: Run | None = None) -> list[Problem]:
    """What a sound preset leads to on a run: errors where it cannot do so, warnings where it hardly means to.

    Without a run, on the default data set and model.
    """
    return _found(preset, frozenset(Preset.model_fields), run)


def check_text(
    text: str, file: str = "", run: Run | None = None, *, epochs: int | None = None, batch_size: int | None = None
) -> Checked:
    """All that is wrong with a preset's text; `epochs` and `batch_size` take the place of what it says."""
    try:
        data = read_toml(text, file)
    except PresetError as error:
        return Checked(None, error.problems)
    source = Source(file, key_lines(text))
    fields, problems = sound_fields(data, source)
    if problems:
        stand_in = Preset(**{"optimizer": SGD(name="SGD"), **fields}).written_in(source)
        sound = frozenset(name for name in Preset.model_fields if name in fields or name not in data)
        return Checked(None, _in_order(problems + _found(stand_in, sound - _lacking(fields), run)))
    try:
        preset = Preset(**fields).written_in(source).with_training(epochs, batch_size)
    except PresetError as error:
        return Checked(None, error.problems)
    return Checked(preset, check(preset, run))


def check_file(
    path: Path, run: Run | None = None, *, epochs: int | None = None, batch_size: int | None = None
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


def _found(preset: Preset, sound: frozenset[str], run: Run | None) -> list[Problem]:
    """What the rules find that read sound tables alone."""
    case = Case(preset, run or Run())
    findings = [
        finding
        for rule in RULES
        if rule.tables <= sound and (case.span > 0 or not rule.needs_span)
        for finding in rule.find(case)
    ]
    return _in_order([preset.source.problem(*finding) for finding in findings])


def _lacking(fields: dict[str, object]) -> frozenset[str]:
    """The optimizer has no default: where it is missing, nothing can be said of it."""
    return frozenset() if "optimizer" in fields else frozenset({"optimizer"})


def _in_order(problems: list[Problem]) -> list[Problem]:
    """As the file has them; what stands nowhere comes first."""
    return sorted(problems, key=lambda problem: problem.line or 0)
