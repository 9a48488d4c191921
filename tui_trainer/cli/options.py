"""The options that `launch`, `run` and others share, and what they come to."""

from __future__ import annotations

import errno
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from tui_trainer.allowed_code import OPTIONS, Code, allow, is_code, refusal
from tui_trainer.errors import UserError
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.remote.address import is_address
from tui_trainer.run_options import (
    DATASET,
    DATASETS,
    DEVICE_PATTERN,
    METRICS_LEVELS,
    MODEL,
    MODELS,
    MOST_THREADS,
    PRECISIONS,
)
from tui_trainer.run_request import RunRequest
from tui_trainer.text.captions import say as caption
from tui_trainer.text.plain import plain, plain_lines
from tui_trainer.torchrun import this_rank

if TYPE_CHECKING:
    from tui_trainer.run_spec import RunSpec


F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
R = TypeVar("R")

BAD_INPUT = 2

LEADER_SPEAKS_S = 5.0


def _device(context: click.Context, parameter: click.Parameter, name: str) -> str:
    if not re.match(DEVICE_PATTERN, name):
        raise click.BadParameter(f"{name!r} is none of auto, cpu, cuda, cuda:0, cuda:1 and so on.", context, parameter)
    return name


class GivenPath(click.Path):
    """The type of every option that takes a path: `given_path`, and what `click.Path` may be told beside it.

    Args:
        absolute: for what a record keeps: it must not mean another folder to who goes on with the run from elsewhere.
        what: `folder` or `file`, where it may be only that, if it is there.
    """

    def __init__(self, *, absolute: bool = False, what: Literal["folder", "file"] | None = None) -> None:
        super().__init__(path_type=Path, readable=False, file_okay=what != "folder", dir_okay=what != "file")
        self._absolute = absolute

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        try:
            path = given_path(value)
        except BadPath as error:
            self.fail(str(error), param, ctx)
        super().convert(path, param, ctx)
        return path if self._absolute else Path(value).expanduser()


class GivenPlace(GivenPath):
    """The same of an argument that may be an address of another machine as well, `ssh://…`: a text then."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:  # type: ignore[override]
        if isinstance(value, str) and is_address(value):
            return value
        return super().convert(value, param, ctx)


_runs_dir = click.option(
    "--runs-dir",
    type=GivenPath(),
    help="Where runs are recorded; default: $TUI_TRAINER_RUNS, else your data folder.",
)


class NameOrCode(click.ParamType):  # type: ignore[type-arg]
    """One of some names, or code of a person's own, as `module:function`. `names` may be empty."""

    name = "name"

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self._names or is_code(value):
            return str(value)
        shown = plain(str(value))
        known = ", ".join(self._names)
        why = caption("code.wrong_name", name=shown, known=known) if known else caption("code.wrong_form", name=shown)
        return self.fail(f"{why}.", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join([*self._names, 'MODULE:FUNCTION'])}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in self._names if name.startswith(incomplete)]


_what = (
    click.option(
        "--dataset",
        type=NameOrCode(DATASETS),
        help=f"Default: what the preset is made for, else {DATASET}. A function of yours gives one with --allow-code.",
    ),
    click.option(
        "--model",
        type=NameOrCode(MODELS),
        help=f"Default: what the preset is made for, else {MODEL}. A function of yours makes one with --allow-code.",
    ),
)
_loss = click.option(
    "--loss",
    type=NameOrCode(()),
    help="A function of yours, f(output, target), instead of cross-entropy; with --allow-code.",
)


class OptimizerCode(NameOrCode):
    """Code that makes an optimizer: as `module:function`, or by the name under which an installed package has it."""

    def __init__(self) -> None:
        super().__init__(())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_code(value):
            from importlib.metadata import entry_points  # of use here alone, and slow to load

            value = next((entry.value for entry in entry_points(group=ENTRY_POINTS, name=str(value))), value)
        return super().convert(value, param, ctx)


ENTRY_POINTS = "tui_trainer.optimizers"
"""Where packages tell of optimizers; to read what they tell runs none of their code."""

_optimizer = click.option(
    "--optimizer",
    type=OptimizerCode(),
    help="A class or function of yours, f(params, lr), instead of the preset's optimizer; with --allow-code.",
)
_portion = (
    click.option("--batch-size", type=click.IntRange(min=1), help="Override the preset's value."),
    click.option("--limit-train", type=click.IntRange(min=1), help="Train on the first N images only."),
)
_epochs = click.option("--epochs", type=click.IntRange(min=1), help="Override the preset's value.")

data_dir_option = click.option(
    "--data-dir",
    type=GivenPath(absolute=True),
    help="The torchvision root folder that holds the data set.",
)


def _rules(context: click.Context, parameter: click.Parameter, rules: tuple[str, ...]) -> tuple[str, ...]:
    if not rules:
        return rules
    from tui_trainer.text.alert_rule import BadRule, check_rules

    try:
        return check_rules(rules)
    except BadRule as error:
        raise click.BadParameter(f"{error}.", context, parameter) from None


alert_option = click.option(
    "--alert",
    "alerts",
    multiple=True,
    metavar="RULE",
    callback=_rules,
    help="Tell when this is so, such as 'val_loss > 2 for 3 epochs', 'loss is nan' or 'lr < 1e-6'; may be repeated.",
)

_machine = (
    data_dir_option,
    click.option("--device", default="auto", show_default=True, callback=_device, help="auto, cpu, cuda or cuda:N."),
    click.option(
        "--seed",
        type=click.IntRange(min=0, max=2**63 - 1),
        default=0,
        show_default=True,
        help="Decides what else were chance: the first weights, the order of images, their augmentation.",
    ),
    click.option("--threads", type=click.IntRange(1, MOST_THREADS), help="Number of CPU threads."),
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        help="Precision of the forward pass; default: what the preset is made for, else bf16 on CUDA where the "
        "hardware has it, else fp32.",
    ),
)
_rest = (
    *_machine,
    click.option("--compile", is_flag=True, help="Use torch.compile: about a minute's wait first, then faster steps."),
    click.option("--deterministic", is_flag=True, help="On CUDA: the same bits in every run; slower."),
    click.option(
        "--metrics",
        type=click.Choice(METRICS_LEVELS),
        default="default",
        show_default=True,
        help="minimal: losses, LR and accuracy alone, no norms and no confusion matrix.",
    ),
    click.option("--limit-val", type=click.IntRange(min=1), help="Validate on the first N images only."),
    click.option("--name", help="A name to find the run by."),
    alert_option,
)


def runs_dir_option(command: F) -> F:
    """`--runs-dir`."""
    return _runs_dir(command)


def length_options(command: F) -> F:
    """The options that decide how many steps a run has."""
    return _with((*_what, _epochs, *_portion, data_dir_option, allow_code_option), _with_code(command))


def range_test_options(command: F) -> F:
    """What a few steps are made with, and on what."""
    return _with((*_what, _loss, _optimizer, *_portion, *_machine, allow_code_option), _with_code(command))


def training_options(command: F) -> F:
    """All options of a run but `--preset`."""
    own = (_loss, _optimizer)
    return _with((*_what, *own, _epochs, *_portion, *_rest, allow_code_option, _runs_dir), _with_code(command))


def _with_code(command: F) -> F:
    """A command that is told where code of a person's own is looked for, if any is named and allowed."""

    @wraps(command)
    def with_code(*given: Any, **options: Any) -> Any:
        return command(*given, **options, **_code(options))

    return cast("F", with_code)


def _note_allowed(context: click.Context, _parameter: click.Parameter, given: object) -> None:
    context.meta[_ALLOWS] = bool(given)


_ALLOWS = f"{__name__}.allows"
"""In a command's `meta`: whether it has `--allow-code`."""

allow_code_option = click.option(
    "--allow-code",
    is_flag=True,
    expose_value=False,
    callback=_note_allowed,
    help="Run code of your own: what --dataset, --model, --loss or --optimizer name by MODULE:FUNCTION, or what a "
    "record asks for.",
)


def _code(options: Mapping[str, Any]) -> dict[str, Any]:
    """Allow the code that is named on the command line, if that says so; else end the program, exit 2. Options beside
    those that name it: where its modules are looked for."""
    folder = Path.cwd()
    named = [Code(option, options[option], str(folder)) for option in OPTIONS if is_code(options.get(option))]
    if named:
        allow_or_refuse(named)
    found: dict[str, Any] = {"code_dir": folder} if named else {}
    if named and named[0].option == "dataset":
        found["own_images"] = _counted(named[0], options.get("data_dir"))
    return found


def _counted(code: Code, data_dir: Path | None) -> int:
    """How many images a data set of a person's own has to train on: all that follows from a run's length hangs on it.
    What cannot be had ends the program, exit 2."""
    need_torch(f"--dataset {code.name}")
    from tui_trainer.engine.user_code import UserCodeFailed, images_of

    try:
        return images_of(code, data_dir)
    except UserError as error:
        refuse(str(error), *(error.lines.splitlines() if isinstance(error, UserCodeFailed) else ()))


def allow_or_refuse(codes: Sequence[Code], whose: str = "") -> None:
    """Allow code if the command line has `--allow-code`; else say what would run, and end the program, exit 2.

    `whose` is the run or the session that asks for it, where that is not the command line.
    """
    if click.get_current_context().meta.get(_ALLOWS):
        allow(codes)
    elif refused := refusal(codes, whose):
        refuse(refused)


def _with(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command


def checked(request: RunRequest) -> RunSpec:
    """The run that was asked for. What is wrong ends the program, all problems said, exit 2; warnings are said."""
    (spec,) = all_checked([request])
    return spec


def all_checked(requests: Iterable[RunRequest]) -> list[RunSpec]:
    """The runs that were asked for, as `checked`: all problems of all of them are said."""
    found = of_each(requests, lambda request: (request.spec, request.warnings()))
    if this_rank().leads:
        for _, problems in found:
            for problem in problems:
                click.echo(f"warning: {problem}", err=True)
    return [spec for spec, _ in found]


def of_each(asked: Iterable[T], get: Callable[[T], R]) -> list[R]:
    """What is had of each. What is wrong with any of them ends the program, all problems said, exit 2."""
    found: list[R] = []
    wrong: list[str] = []
    for each in asked:
        try:
            found.append(get(each))
        except UserError as error:
            wrong += str(error).splitlines()
    if wrong:
        refuse(*dict.fromkeys(wrong))
    return found


def rehearse(*specs: RunSpec) -> None:
    """As `impossible`; what is ends the program, exit 2."""
    if found := impossible(*specs):
        refuse(*found)


def impossible(*specs: RunSpec) -> list[str]:
    """What cannot run, a line each: the real scheduler of each run whose LRs cannot be reckoned is stepped through all
    of them, as `presets check` does, groups of parameters are looked for in the network, and torchvision where
    transforms are its own; these alone need torch."""
    from tui_trainer.presets.augmentation import Policy
    from tui_trainer.presets.lrs import PlannedLRs

    doubtful = [spec for spec in specs if not PlannedLRs(spec.preset, spec.batches_per_epoch).are_finite]
    with_groups = [spec for spec in specs if spec.preset.optimizer.groups]
    with_policies = [
        spec for spec in specs if any(isinstance(x, Policy) for x in spec.preset.training.augmentation or ())
    ]
    if not doubtful and not with_groups and not with_policies:
        return []
    from tui_trainer.engine import augmentation
    from tui_trainer.engine.lr_preview import length_of
    from tui_trainer.engine.lr_preview import rehearse as rehearsed
    from tui_trainer.engine.parameter_groups import misfits

    found = [
        each for spec in doubtful for each in rehearsed(spec.preset, length_of(spec.preset, spec.train_images)).problems
    ]
    found += [each for spec in with_groups for each in misfits(spec.preset, spec.model)]
    found += [each for spec in with_policies for each in augmentation.impossible(spec.preset)]
    return list(dict.fromkeys(map(str, found)))


def refuse(*problems: str, exit_code: int = BAD_INPUT) -> NoReturn:
    """Say what is wrong, a line each, and end the program."""
    say(*problems)
    sys.exit(exit_code)


def has_torch() -> bool:
    """Whether PyTorch is installed, without loading it."""
    from importlib.util import find_spec

    try:
        return find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def need_torch(command: str) -> None:
    """See that there is a PyTorch before anything is made or drawn; if not, say what to install and end the program."""
    if not has_torch():
        refuse(caption("refusal.no_torch", command=command))


def say(*sentences: str) -> None:
    """To the standard error, once: of several processes that are told the same, the first one speaks.

    As it ends, `torchrun` ends the others; one that still stands after that has a trouble of its own to tell.
    """
    here = this_rank()
    if not here.leads:
        time.sleep(LEADER_SPEAKS_S)
    for sentence in sentences:
        for line in plain_lines(sentence):
            click.echo(line if here.leads else f"rank {here.rank}: {line}", err=True)


def found(runs: Path, given: str) -> Path:
    """The run that is meant; where there is none, say so and end the program, exit 2."""
    from tui_trainer.records.errors import RunsError
    from tui_trainer.records.run_index import find

    try:
        return find(runs, given, say)
    except RunsError as error:
        refuse(str(error))


def range_test(runs: Path, given: str) -> Path | None:
    """The folder of the LR range test that is meant; None where a run is, or nothing."""
    from tui_trainer.records.run_index import find, is_record

    if is_record(runs / given):
        return None  # by its id, as a list names it
    from tui_trainer.records import range_tests
    from tui_trainer.records.errors import RunsError, unsaid

    tested, why = None, ""
    try:
        tested = range_tests.find(runs, given)
    except RunsError as error:
        why = str(error)
    if tested is None and not why:
        return None
    try:
        find(runs, given, unsaid)
    except RunsError:
        if why:
            refuse(why)
        return tested
    return None


def warn_of_same_name(name: str | None, runs: Path) -> None:
    """Say so where runs bear that name already: none is found by a name that several have."""
    from tui_trainer.records.run_index import named

    same = named(runs, name) if name and this_rank().leads else 0
    if same:
        several = caption("shell.same_name" if same == 1 else "shell.same_names", count=same, name=plain(name or ""))
        click.echo(f"warning: {several}", err=True)


def check_runs_folder(runs: Path) -> None:
    """See that records can be made there before anything is loaded; if not, say why and end the program, exit 2."""
    from tui_trainer.records.errors import RunsFolderUnwritable

    there = next(folder for folder in (runs, *runs.parents) if folder.exists())
    if not there.is_dir():
        refuse(str(RunsFolderUnwritable(runs, NotADirectoryError(errno.ENOTDIR, "", str(there)))))
    if not os.access(there, os.W_OK | os.X_OK):
        refuse(str(RunsFolderUnwritable(runs, PermissionError(errno.EACCES, "", str(there)))))
