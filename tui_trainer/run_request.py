"""What a person asked of a run, before its preset is read: enough for a first frame."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tui_trainer.allowed_code import refusal
from tui_trainer.commands import SetEpochs
from tui_trainer.presets.folders import shipped_for
from tui_trainer.run_options import DATASET, MODEL

if TYPE_CHECKING:
    from tui_trainer.presets.problems import Problem
    from tui_trainer.presets.schema import Preset
    from tui_trainer.run_spec import RunSpec


EXTEND, CONSTANT = "extend", "constant"
"""What may follow the end of a run that goes on beyond it, beside a preset: its own schedule, or its last LR."""


class Extension(NamedTuple):
    """Another number of epochs, asked for as a run is gone on with."""

    epochs: int
    """In all."""
    then: str = EXTEND
    """What the epochs behind the end of a finished run follow: `extend`, `constant`, or the name of a preset."""
    preset: dict[str, Any] | None = None
    """That preset in full, as `Preset.model_dump()` gives it."""
    by: str = "shell"
    """Who asks."""

    @classmethod
    def of(cls, text: str, by: str) -> Self:
        """What a person types: `15`, `15 constant`, `15 cosine`; a preset is not read.

        Raises:
            ValueError: it begins with no number of epochs; the text says what would be right.
        """
        number, _, then = text.strip().partition(" ")
        return cls(SetEpochs.of(number, by).epochs, then.strip() or EXTEND, by=by)


class RunRequest:
    """A preset's name and the options of a run.

    Presets are read with pydantic, which takes as long to load as the screen does: it is not loaded before `spec` is
    asked for.

    Args:
        preset: a name or a file.
        options: those of `RunSpec.of`; None is what nobody gave.
    """

    def __init__(self, preset: str, **options: Any) -> None:
        self._preset = preset
        self._options = options

    @classmethod
    def of(cls, spec: RunSpec) -> Self:
        """What was asked for with a preset that was read already."""
        apart = {"preset_name", "preset", "from_preset", *spec.from_preset}
        request = cls(spec.preset_name, **{key: value for key, value in spec if key not in apart})
        request.__dict__["spec"] = spec
        return request

    @property
    def preset_name(self) -> str:
        """What the preset is called on the screen: its name, or its file's without folder and ending."""
        return Path(self._preset).stem

    @property
    def model(self) -> str:
        return self._asked("model", MODEL)

    @property
    def dataset(self) -> str:
        return self._asked("dataset", DATASET)

    @property
    def loss(self) -> str:
        """A person's own, as `module:function`; empty for the one that comes with the program."""
        return str((self.ready.loss if self.ready is not None else self._options.get("loss")) or "")

    def _asked(self, option: str, usual: str) -> str:
        """What a person gave, else what the preset is made for."""
        if self.ready is not None:
            return str(getattr(self.ready, option))
        return str(self._options.get(option) or shipped_for(self._preset).get(option, usual))

    @property
    def options(self) -> dict[str, Any]:
        """What a person gave beside the preset."""
        return {key: value for key, value in self._options.items() if value is not None}

    @property
    def ready(self) -> RunSpec | None:
        """The run that was asked for, if its preset was read already."""
        spec: RunSpec | None = self.__dict__.get("spec")
        return spec

    @cached_property
    def spec(self) -> RunSpec:
        """The run that was asked for.

        Raises:
            UserError: a wrong preset or option; with all problems, a line each.
        """
        from tui_trainer.presets.catalogue import load

        return self.spec_with(self.preset_name, load(self._preset))

    def spec_with(self, preset_name: str, preset: Preset) -> RunSpec:
        """The run that was asked for with another preset, which takes along what it is made for where nobody said.

        Raises:
            UserError: a wrong option, with all problems, a line each; or code that is not allowed here.
        """
        from pydantic import ValidationError

        from tui_trainer.errors import UserError
        from tui_trainer.run_spec import RunSpec

        try:
            spec = RunSpec.of(preset_name, preset, **self._options)
        except ValidationError as error:
            problems = (f"--{'-'.join(map(str, e['loc'])).replace('_', '-')}: {_why(e)}" for e in error.errors())
            raise UserError("\n".join(problems)) from None
        if refused := refusal(spec.code):
            raise UserError(refused)
        return spec

    def warnings(self) -> list[Problem]:
        """What the preset's numbers will lead to on this run.

        Raises:
            UserError: it cannot run at all; with the problems.
        """
        from tui_trainer.presets.checks import check
        from tui_trainer.presets.problems import PresetError

        problems = check(self.spec.preset, self.spec.conditions)
        if errors := [problem for problem in problems if problem.severity == "error"]:
            raise PresetError(errors)
        return problems


def _why(error: Any) -> str:
    """What pydantic says, and of what we say ourselves that alone."""
    return str(error["msg"]).removeprefix("Value error, ")
