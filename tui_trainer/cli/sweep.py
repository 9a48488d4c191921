"""`compare PRESET --grid` and `--random`: trials of one preset, all looked at before the first one trains."""

from __future__ import annotations

from collections.abc import Sequence

from tui_trainer.cli.options import refuse
from tui_trainer.cli.options import say as say_aside
from tui_trainer.compare.sweep import Space, Trial, Varied, checked, made
from tui_trainer.errors import UserError
from tui_trainer.presets.catalogue import find
from tui_trainer.presets.checks import read_text, read_toml
from tui_trainer.presets.folders import called
from tui_trainer.presets.problems import PresetText, key_lines
from tui_trainer.run_request import RunRequest
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say


def trials_of(grids: Sequence[str], random: int | None, spaces: Sequence[str], seeds: int, seed: int) -> list[Trial]:
    """The trials that these options ask for; none without any. What is wrong ends the program, exit 2."""
    if (random is None) != (not spaces):
        refuse(say("sweep.random_and_space"))
    if not grids and not spaces:
        return []
    try:
        axes, drawn_from = [Varied.of(text) for text in grids], [Space.of(text) for text in spaces]
        return made(axes, drawn_from, random or 1, seeds=seeds, seed=seed)
    except UserError as error:
        refuse(str(error))


def specs_of(trials: Sequence[Trial], preset: str, request: RunRequest) -> list[RunSpec]:
    """The run of each trial of a preset; `request` says what all have beside it.

    What is wrong ends the program, all problems said, exit 2; warnings are said.
    """
    try:
        path = find(preset)
        text = read_text(path)
        source = PresetText(called(path), key_lines(text))
        options = request.options
        found = checked(
            read_toml(text, source.file),
            source,
            trials,
            request.spec.conditions,
            epochs=options.get("epochs"),
            batch_size=options.get("batch_size"),
        )
        if found.errors:
            refuse(*found.errors)
        say_aside(*(f"warning: {sentence}" for sentence in found.warnings))
        return [request.spec_with(request.preset_name, each) for each in found.presets]
    except UserError as error:
        refuse(*str(error).splitlines())
