"""`find-lr`: an LR range test with what it suggests, and a copy of the preset with that, where it is asked for."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui_trainer.cli import completion
from tui_trainer.cli.columns import Column, in_columns, room
from tui_trainer.cli.options import checked, need_torch, range_test_options, refuse, runs_dir_option
from tui_trainer.cli.options import say as tell
from tui_trainer.errors import UserError
from tui_trainer.files.atomic import write_new
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.lr_suggestions import DEFAULT_RULE, DIGITS, RULES, LRCurve, Rule, are_apart, in_words, middle, of_seeds
from tui_trainer.presets.folders import called, is_name, user_folder
from tui_trainer.records import range_tests
from tui_trainer.records.errors import RunNotFound, RunsError
from tui_trainer.records.range_tests import RangeTestRecord
from tui_trainer.records.runs_folder import runs_folder, shell_command
from tui_trainer.run_options import PRESET
from tui_trainer.run_request import RunRequest
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.plain import plain
from tui_trainer.torchrun import this_rank

if TYPE_CHECKING:
    from tui_trainer.events import AnyEvent
    from tui_trainer.run_spec import RunSpec

LEAST_STEPS = 30
"""Fewer make no curve."""

Tell = Callable[[str, int], object]
"""Is given what goes on, in words, and how many steps are made."""


def _target(context: click.Context, parameter: click.Parameter, name: str | None) -> Path | None:
    """Where a copy goes: a path, or a name among the user's own presets."""
    if name is None:
        return None
    if "/" not in name and not name.endswith(".toml"):
        if not is_name(name):
            raise click.BadParameter(
                f"{name!r} is no name for a preset; take letters, digits, - and _, or a path", context, parameter
            )
        return user_folder() / f"{name}.toml"
    if not name.rpartition("/")[2].removesuffix(".toml").strip(" ."):
        raise click.BadParameter(f"{name!r} names no file; take a name, or a path as mine.toml", context, parameter)
    try:
        given_path(name)
    except BadPath as error:
        raise click.BadParameter(str(error), context, parameter) from None
    return Path(name).expanduser()


@click.command("find-lr")
@click.argument("preset", default=PRESET, metavar="[PRESET]", shell_complete=completion.presets)
@click.option(
    "--from",
    "lowest",
    type=click.FloatRange(1e-12, 1000),
    default=1e-7,
    show_default=True,
    metavar="LR",
    help="The LR of the first step.",
)
@click.option(
    "--to",
    "highest",
    type=click.FloatRange(1e-12, 1000),
    default=10.0,
    show_default=True,
    metavar="LR",
    help="The LR of the last step, where the loss does not end the test before.",
)
@click.option(
    "--steps",
    type=click.IntRange(LEAST_STEPS, 100_000),
    default=200,
    show_default=True,
    help="In how many steps the LR rises from one to the other.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help="Test N seeds, from --seed on, and tell how far they spread.",
)
@click.option(
    "--rule", type=click.Choice(RULES), default=DEFAULT_RULE, show_default=True, help="Whose suggestion comes first."
)
@click.option(
    "--write",
    "-o",
    "target",
    callback=_target,
    metavar="NAME|FILE",
    help="Write a copy of the preset with the suggestion; what changes is shown first.",
)
@click.option("--yes", is_flag=True, help="Do not ask before it is written.")
@click.option("--list", "list_them", is_flag=True, help="List the tests that were made, newest first.")
@click.option("--show", "recorded", metavar="ID", help="Print what a recorded test came to, and make none.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with the curves; with --list: a list.")
@range_test_options
@runs_dir_option
def find_lr(
    preset: str,
    lowest: float,
    highest: float,
    steps: int,
    seeds: int,
    rule: Rule,
    target: Path | None,
    *,
    yes: bool,
    list_them: bool,
    recorded: str | None,
    as_json: bool,
    runs_dir: Path | None,
    **options: Any,
) -> None:
    """Raise the LR step by step on a copy of the network, and suggest one from where the loss falls.

    The preset's optimizer, batch size and augmentation are used; its schedule and weights stay as they are. Prints a
    line for each of three rules, the LR first; exits with 1 where the loss suggests none. What came of it is recorded:
    --list, --show ID, and `tui-trainer export ID`.
    """
    runs = runs_folder(runs_dir)
    if list_them:
        _list(runs, as_json=as_json)
        return
    if recorded is not None:
        if target is not None:
            raise UserError("--show makes no copy: leave --write out")
        record = _found(runs, recorded)
        if not _report(record.spec, record, record.curves, rule, as_json=as_json, writes=False):
            sys.exit(1)
        return
    if not this_rank().alone:
        raise UserError("find-lr runs in one process: leave torchrun out")
    if lowest >= highest:
        raise UserError(f"--from {format_lr(lowest)} is not below --to {format_lr(highest)}")
    spec = checked(RunRequest(preset, **options))
    if target is not None:
        _see_that_it_can_be_written(target, spec, yes=yes)
    need_torch("find-lr")
    curves = _tested(spec, lowest, highest, steps, seeds)
    made = range_tests.made_of(spec.model_dump(mode="json"), sys.argv, lowest, highest, curves)
    try:
        made = range_tests.write(runs, made)
    except RunsError as error:
        tell(f"warning: {error}")
    suggested = _report(spec, made, curves, rule, as_json=as_json, writes=target is not None)
    if made.id:
        tell(say("find_lr.recorded", command=shell_command("find-lr --show", made.id, runs)))
    if not suggested:
        sys.exit(1)
    if target is not None:
        _write(target, preset, spec, middle(suggested[rule]), yes=yes)


def _report(
    spec: RunSpec,
    record: RangeTestRecord,
    curves: dict[int, LRCurve],
    rule: Rule,
    *,
    as_json: bool,
    writes: bool,
) -> dict[Rule, list[float]]:
    """Print what a test came to; what each rule suggests of each seed."""
    suggested = _suggested(curves.values(), rule)
    if as_json:
        asked = {"from": record.lowest, "to": record.highest, "steps": record.steps, "rule": rule}
        click.echo(json.dumps({"record": record.id or None, **_as_object(spec, asked, curves, suggested)}))
    else:
        for each, lrs in suggested.items():
            click.echo(_line(each, lrs))
    for sentence in _about(spec, curves, suggested, writes=writes):
        tell(sentence)
    return suggested


COLUMNS = (
    Column("when", drop=2),
    Column("test", least=20),
    Column("preset"),
    Column("data", drop=1),
    Column("model", drop=3),
    Column("batch", drop=4),
    *(Column(rule) for rule in RULES),
)


def _list(runs: Path, *, as_json: bool) -> None:
    """Each test in a line, or an object; what of them cannot be read is told of."""
    told: list[dict[str, Any]] = []
    for folder in range_tests.folders(runs):
        try:
            record = range_tests.read(folder)
            told.append(_in_a_list(record, record.spec))
        except RunsError as error:
            tell(f"warning: {error}")
    if as_json:
        click.echo(json.dumps(told, indent=2))
    elif told:
        for row in in_columns(COLUMNS, [_cells(each) for each in told], room()):
            click.echo(row)
    else:
        tell(say("find_lr.none_recorded", folder=runs))


def _in_a_list(record: RangeTestRecord, spec: RunSpec) -> dict[str, Any]:
    suggested = _suggested(record.curves.values(), DEFAULT_RULE)
    return {
        "id": record.id,
        "created_at": record.created_at,
        "preset": spec.preset_name,
        "dataset": spec.dataset,
        "model": spec.model,
        "loss": spec.loss,
        "optimizer": spec.preset.optimizer.name,
        "batch_size": spec.preset.training.batch_size,
        "seeds": [tested.seed for tested in record.seeds],
        "suggestions": {rule: middle(lrs) for rule, lrs in suggested.items()},
    }


def _cells(told: dict[str, Any]) -> tuple[str, ...]:
    lrs = (told["suggestions"].get(rule) for rule in RULES)
    return (
        time.strftime("%Y-%m-%d %H:%M", time.localtime(told["created_at"])),
        plain(told["id"]),
        plain(told["preset"]),
        plain(told["dataset"]),
        plain(told["model"]),
        str(told["batch_size"]),
        *("none" if lr is None else format_lr(lr, DIGITS) for lr in lrs),
    )


def _found(runs: Path, given: str) -> RangeTestRecord:
    """The test that is meant; where there is none, that ends the program."""
    try:
        folder = range_tests.find(runs, given)
        if folder is None:
            raise RunNotFound(f"there is no LR range test {given!r} in {runs}; find-lr --list has all")
        return range_tests.read(folder)
    except RunsError as error:
        refuse(str(error))


def _see_that_it_can_be_written(target: Path, spec: RunSpec, *, yes: bool) -> None:
    """Before minutes are spent on the test.

    Raises:
        UserError: what hinders.
    """
    from tui_trainer.presets.another_lr import lr_key

    lr_key(spec.preset)
    if target.exists():
        raise UserError(f"{target} is there already, and stays; write the copy under another name")
    if not yes and not os.isatty(0):
        raise UserError("--write: nobody can be asked here: --yes writes it")


def _tested(spec: RunSpec, lowest: float, highest: float, steps: int, seeds: int) -> dict[int, LRCurve]:
    """The curve of each seed."""
    from tui_trainer.engine.devices import is_out_of_memory
    from tui_trainer.engine.lr_range_test import RangeTest
    from tui_trainer.engine.prepare import prepare
    from tui_trainer.events import PhaseStarted

    test, curves = RangeTest(lowest, highest, steps), {}
    with _progress(steps * seeds) as show:

        def emit(event: AnyEvent) -> None:
            if isinstance(event, PhaseStarted):
                show(" ".join((event.phase, plain(event.detail))), 0)

        try:
            prepared = prepare(spec, emit)
        except UserError as error:
            if not error.lines:
                raise
            refuse(str(error), *error.lines.splitlines())
        if left_out := prepared.train_state.left_out:
            tell(f"warning: {left_out}")
        for number in range(seeds):
            seed = spec.seed + number

            def made(curve: LRCurve, seed: int = seed, before: int = number * steps) -> None:
                position = _position(curve)
                of = position if seeds == 1 else say("find_lr.of_seed", seed=seed, position=position)
                show(of, before + len(curve.losses))

            try:
                curves[seed] = test.run(prepared, seed, made)
            except Exception as error:
                if is_out_of_memory(error):
                    images = counted(min(spec.preset.training.batch_size, len(prepared.images.train)), "image")
                    refuse(say("end.out_of_memory", images=images, what="--batch-size"), exit_code=1)
                if blamed := prepared.code.blame(error):
                    refuse(blamed, *prepared.code.lines_of(error).splitlines(), exit_code=1)
                raise
    return curves


@contextmanager
def _progress(total: int) -> Iterator[Tell]:
    """A bar on a terminal, else nothing."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield lambda _, __: None
        return
    from rich.progress import BarColumn, Progress, TextColumn

    from tui_trainer.cli.console import console_on

    columns = TextColumn("{task.description}", markup=False), BarColumn()
    with Progress(*columns, console=console_on(sys.stderr), refresh_per_second=4, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda words, done: progress.update(task, description=words, completed=done)


def _position(curve: LRCurve) -> str:
    loss = f"{curve.losses[-1]:.4f}"
    return say(
        "find_lr.position", step=len(curve.losses), steps=curve.steps, lr=format_lr(curve.lrs[-1], DIGITS), loss=loss
    )


def _suggested(curves: Iterable[LRCurve], first: Rule) -> dict[Rule, list[float]]:
    """By each rule, the one that was asked for first: what each seed suggests that suggests something."""
    found = of_seeds(curves)
    return dict(sorted(found.items(), key=lambda of: of[0] != first))


def _line(rule: Rule, lrs: Sequence[float]) -> str:
    """`0.0042    valley      half-way down the deepest fall of the loss`."""
    why = in_words(rule)
    if len(lrs) > 1:
        low, high = (format_lr(lr, DIGITS) for lr in (min(lrs), max(lrs)))
        why = f"{why}, {say('find_lr.spread', low=low, high=high, seeds=counted(len(lrs), 'seed'))}"
    return f"{format_lr(middle(lrs), DIGITS):<8}  {rule:<10}  {why}"


def _about(
    spec: RunSpec, curves: dict[int, LRCurve], suggested: dict[Rule, list[float]], *, writes: bool
) -> Iterator[str]:
    """How it ended, and what to make of it."""
    of = "" if len(curves) == 1 else "seed {}: "
    for seed, curve in curves.items():
        lr, steps = format_lr(curve.lrs[-1], DIGITS), counted(len(curve.losses), "step")
        yield of.format(seed) + say(f"find_lr.{curve.ended}", steps=steps, lr=lr)
        if curve.none_because is not None and not suggested:
            yield of.format(seed) + say(f"find_lr.{curve.none_because}", lr=format_lr(curve.lrs[0]))
    if not suggested:
        return
    silent = sum(not curve.suggestions for curve in curves.values())
    if silent:
        yield f"warning: {say('find_lr.some_seeds', count=silent, seeds=counted(len(curves), 'seed'))}"
    if are_apart(middle(lrs) for lrs in suggested.values()):
        yield f"warning: {say('find_lr.apart')}"
    if cut_off := [curve.lrs[-1] for curve in curves.values() if curve.is_cut_off]:
        yield f"warning: {say('find_lr.cut_off', lr=format_lr(max(cut_off), DIGITS))}"
    if not writes and (key := _key(spec)):
        yield say("find_lr.where", key=key)


def _key(spec: RunSpec) -> str | None:
    """`scheduler.max_lr`; None where the preset's LRs stand in points."""
    from tui_trainer.presets.another_lr import lr_key

    try:
        return ".".join(lr_key(spec.preset))
    except UserError:
        return None


def _as_object(
    spec: RunSpec, asked: dict[str, Any], curves: dict[int, LRCurve], suggested: dict[Rule, list[float]]
) -> dict[str, Any]:
    middles = {rule: middle(lrs) for rule, lrs in suggested.items()}
    return {
        "preset": spec.preset_name,
        "dataset": spec.dataset,
        "model": spec.model,
        "loss": spec.loss,
        "optimizer": spec.preset.optimizer.name,
        "batch_size": spec.preset.training.batch_size,
        **asked,
        "lr": middles.get(asked["rule"]),
        "key": _key(spec),
        "suggestions": middles,
        "spread": {rule: [min(lrs), max(lrs)] for rule, lrs in suggested.items()},
        "apart": are_apart(middles.values()),
        "curves": [{"seed": seed, **_curve(curve)} for seed, curve in curves.items()],
    }


def _curve(curve: LRCurve) -> dict[str, Any]:
    """Lists of one length: an LR, the loss of its batch, and the smoothed one, null where there is none."""
    losses = [loss if isfinite(loss) else None for loss in curve.losses]
    settling = min(curve.settling, len(losses))
    smoothed = [*[None] * settling, *(point.loss for point in curve.points)]
    return {
        "ended": curve.ended,
        "none_because": curve.none_because,
        "suggestions": curve.suggestions,
        "lrs": curve.lrs,
        "losses": losses,
        "smoothed": [*smoothed, *[None] * (len(losses) - len(smoothed))],
    }


def _write(target: Path, preset: str, spec: RunSpec, lr: float, *, yes: bool) -> None:
    """Show what changes, ask, and write; what cannot be written ends the program."""
    from tui_trainer.presets.another_lr import difference, with_lr
    from tui_trainer.presets.catalogue import find
    from tui_trainer.presets.checks import check_text, read_text

    file = find(preset)
    text = read_text(file)
    changed = with_lr(text, spec.preset, lr)
    for line in difference(text, changed, called(file), str(target)):
        click.echo(line, err=True)
    found = check_text(changed, str(target), spec.conditions)
    if found.errors:
        refuse(*map(str, found.errors))
    for problem in found.warnings:
        tell(f"warning: {problem}")
    if not yes:
        click.confirm(f"Write {target}?", abort=True, err=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_new(target, changed.encode())
    except FileExistsError as error:
        raise UserError(f"{target} is there by now, and stays; write the copy under another name") from error
    tell(say("find_lr.written", path=target))
