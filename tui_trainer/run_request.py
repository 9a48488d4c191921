"""What a person asked of a run, before its preset is read: enough for a first frame."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tui_trainer.presets.problems import Problem
    from tui_trainer.run_spec import RunSpec


class RunRequest:
    """A preset's name and the options of a run.

    Presets are read with pydantic, which takes as long to load as the screen does: it is not loaded before `spec` is
    asked for.

    Args:
        preset: a name or a file.
        options: those of `RunSpec.of`.
    """

    def __init__(self, preset: str, **options: Any) -> None:
        self._preset = preset
        self._options = options

    @classmethod
    def of(cls, spec: RunSpec) -> Self:
        """What was asked for with a preset that was read already."""
        request = cls(spec.preset_name, model=spec.model, dataset=spec.dataset)
        request.__dict__["spec"] = spec
        return request

    @property
    def preset_name(self) -> str:
        """What the preset is called on the screen: its name, or its file's without folder and ending."""
        return Path(self._preset).stem

    @property
    def model(self) -> str:
        model: str = self._options["model"]
        return model

    @property
    def dataset(self) -> str:
        dataset: str = self._options["dataset"]
        return dataset

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
        from pydantic import ValidationError

        from tui_trainer.errors import UserError
        from tui_trainer.presets.catalogue import load
        from tui_trainer.run_spec import RunSpec

        preset = load(self._preset)
        try:
            return RunSpec.of(self.preset_name, preset, **self._options)
        except ValidationError as error:
            problems = (f"--{'-'.join(map(str, e['loc'])).replace('_', '-')}: {e['msg']}" for e in error.errors())
            raise UserError("\n".join(problems)) from None

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
