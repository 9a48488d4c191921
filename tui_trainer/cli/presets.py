"""`tui-trainer presets`: what there is, what a file says, whether it is sound, and the LR that it plans."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from tui_trainer import garbage
from tui_trainer.cli import completion
from tui_trainer.cli.columns import cells
from tui_trainer.cli.options import BAD_INPUT, has_torch, length_options, need_torch, refuse
from tui_trainer.cli.options import say as tell
from tui_trainer.errors import UserError
from tui_trainer.run_request import RunRequest
from tui_trainer.text.captions import say as caption
from tui_trainer.text.numbers import format_lr
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.presets.problems import Problem
    from tui_trainer.run_spec import RunSpec


@click.group()
def presets() -> None:
    """Presets: an optimizer, a schedule and how long to train, each in a TOML file."""


@presets.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_presets(as_json: bool) -> None:
    """List all presets: the shipped ones, your own, and the recipes that others have published."""
    from tui_trainer.presets.catalogue import catalogue

    entries = catalogue()
    if as_json:
        click.echo(json.dumps([_as_object(entry) for entry in entries], indent=2))
        return
    width = max(cells(plain(entry.name)) for entry in entries)
    own = {True: "", False: ""} if all(entry.builtin for entry in entries) else {True: "       ", False: "yours  "}
    for entry in entries:
        what = plain(entry.preset.title) if entry.preset else caption("shell.preset_unusable", why=entry.problems[0])
        steps = (entry.preset.scheduler.interval if entry.preset else None) or ""
        name = plain(entry.name)
        click.echo(f"{name}{' ' * (width - cells(name))}  {steps:<5}  {own[entry.builtin]}{what}")


@presets.command()
@click.argument("name", shell_complete=completion.presets)
@length_options
def show(name: str, **options: Any) -> None:
    """Print the preset's file unchanged, with warnings about what its numbers lead to on such a run.

    Control characters are printed as TOML escapes: \\u001b.
    """
    from tui_trainer.presets.catalogue import find

    try:
        request = RunRequest(name, **options)
        problems = request.warnings()
    except UserError as error:
        refuse(*str(error).splitlines())
    text = find(name).read_text(encoding="utf-8")
    click.echo(text, nl=not text.endswith("\n"))
    if problems and request.spec.taken:
        click.echo(caption("shell.reckoned", taken=request.spec.taken), err=True)
    for problem in problems:
        click.echo(f"warning: {problem}", err=True)


@presets.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=completion.presets)
@length_options
def check(files: tuple[str, ...], **options: Any) -> None:
    """Report every problem in each file; exit 0 if all can be used, else 2."""
    sound = True
    if not has_torch():
        tell(caption("shell.not_rehearsed"))
    for file in files:
        problems = _problems(file, options)
        for problem in problems:
            warning = "warning: " if problem.severity == "warning" else ""
            click.echo(f"{warning}{problem}", err=True)
        broken = any(problem.severity == "error" for problem in problems)
        if not broken:
            click.echo(f"{plain(file)}: {caption('shell.preset_warned' if problems else 'shell.preset_fine')}")
        sound = sound and not broken
    if not sound:
        raise SystemExit(BAD_INPUT)


@presets.command()
@click.argument("name", shell_complete=completion.presets)
@click.option("--json", "as_json", is_flag=True, help="Print the LR of every step as a JSON list of numbers.")
@length_options
def plan(name: str, as_json: bool, **options: Any) -> None:
    """Print the LR of every step, from the real scheduler (steps with the same LR on one line)."""
    need_torch("presets plan")
    with garbage.none_in_imports():
        from tui_trainer.engine.devices import load_optimizers
        from tui_trainer.engine.lr_preview import full_plan, length_of, rehearse
        from tui_trainer.engine.parameter_groups import check_groups

        load_optimizers()
    from tui_trainer.presets.problems import PresetError

    try:
        spec = _spec(name, options)
        length = length_of(spec.preset, spec.train_images)
        check_groups(spec.preset, spec.model)
        note = rehearse(spec.preset, length).note
        lrs = [full_plan(spec.preset.of_group(number), length) for number in (0, *spec.preset.groups_with_lr)]
    except PresetError as error:
        refuse(*map(str, error.problems))
    if as_json:
        click.echo(json.dumps(lrs[0]))
        return
    if spec.taken:
        click.echo(f"# made for {spec.taken}")
    if note:
        click.echo(f"# {note}")
    if numbers := spec.preset.groups_with_lr:
        labels = ", ".join(spec.preset.optimizer.groups[number - 1].label for number in numbers)
        click.echo(f"# {caption('groups.columns', groups=labels)}")
    rows = [*zip(*lrs, strict=True)]
    first = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end] != rows[first]:
            steps = f"step {first + 1}" if end == first + 1 else f"steps {first + 1} to {end}"
            click.echo(f"{steps:<24} {'  '.join(f'{format_lr(lr):<12}' for lr in rows[first])}".rstrip())
            first = end


def _spec(name: str, options: dict[str, Any]) -> RunSpec:
    return RunRequest(name, **options).spec


def _problems(file: str, options: dict[str, Any]) -> list[Problem]:
    """All that is wrong with a file: its words, then its numbers, last a rehearsal of the real scheduler."""
    from tui_trainer.presets.catalogue import find
    from tui_trainer.presets.checks import check_file
    from tui_trainer.presets.problems import PresetError
    from tui_trainer.presets.rules import RunConditions

    try:
        path = find(file)
    except PresetError as error:
        return error.problems
    conditions = partial(RunConditions.of, options=options)
    checked = check_file(path, conditions, epochs=options["epochs"], batch_size=options["batch_size"])
    if checked.preset is None or checked.errors or not has_torch():
        return checked.problems
    with garbage.none_in_imports():
        from tui_trainer.engine.lr_preview import length_of, rehearse
        from tui_trainer.engine.parameter_groups import misfits
    run = conditions(checked.preset.made_for)
    if misfit := misfits(checked.preset, run.model):
        return checked.problems + misfit
    length = length_of(checked.preset, run.train_images)
    with garbage.none_in_imports():  # the first optimizer imports as much again
        rehearsed = rehearse(checked.preset, length)
    return checked.problems + rehearsed.problems


def _as_object(entry: PresetEntry) -> dict[str, Any]:
    preset = entry.preset
    return {
        "name": entry.name,
        "path": str(entry.path),
        "builtin": entry.builtin,
        "title": preset.title if preset else None,
        "description": preset.description if preset else None,
        "optimizer": preset.optimizer.name if preset else None,
        "scheduler": preset.scheduler.name if preset else None,
        "interval": preset.scheduler.interval if preset else None,
        "epochs": preset.training.epochs if preset else None,
        "for": preset.made_for.options if preset and preset.made_for else {},
        "published": preset.published.model_dump() if preset and preset.published else None,
        "problems": [str(problem) for problem in entry.problems],
    }
