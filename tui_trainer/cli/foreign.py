"""What a person gives to a command of what another tool has recorded: its path, and what its series are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from tui_trainer.cli.options import refuse
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.records.beside_runs import is_beside_runs
from tui_trainer.records.errors import RunNotFound, RunsError
from tui_trainer.records.run_index import find, folders
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.foreign_records.forms import Record
    from tui_trainer.run_sources.remembered import Remembered
    from tui_trainer.text.alert_rule import AlertRule

F = TypeVar("F", bound=Callable[..., Any])

NAMED_AT_MOST = 4


def _objective(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    if text:
        from tui_trainer.records.series_names import parsed

        try:
            parsed(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}.", context, parameter) from None
    return text


def _renames(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=")[::2] for text in texts]
    if wrong := [text for text, (old, _) in zip(texts, pairs, strict=True) if not old or "=" not in text]:
        raise click.BadParameter(f"{wrong[0]!r} is no OLD=NEW.", context, parameter)
    return dict(pairs)


def series_options(command: F) -> F:
    """`--objective` and `--rename`, as the arguments `objective` and `renames`."""
    objective = click.option(
        "--objective",
        metavar="NAME:min|max",
        callback=_objective,
        help="Judge this run of another tool, and all of that tool, by this series; '' lets names decide again.",
    )
    rename = click.option(
        "--rename",
        "renames",
        multiple=True,
        metavar="OLD=NEW",
        callback=_renames,
        help="Call a series of that tool's runs otherwise; OLD= takes its own name again. May be repeated.",
    )
    return objective(rename(command))


def keep_choices(record: Record | None, objective: str | None, renames: dict[str, str]) -> None:
    """Remember what was said of the series of a tool. Where that cannot be, say so and end the program, exit 2.

    Args:
        record: one of the tool; None where a run of ours was named.
        objective: `NAME`, `NAME:min` or `NAME:max`; empty forgets it, None says nothing.
        renames: new names by old ones; an empty new one forgets it.
    """
    if objective is None and not renames:
        return
    if record is None:
        refuse(say("foreign.not_for_ours"))
    from tui_trainer.run_sources.remembered import remember

    tool = record.kind.tool

    def changed(before: Remembered) -> Remembered:
        objectives = before.objectives if objective is None else before.objectives | {tool: objective}
        of_tool = before.renames.get(tool, {}) | renames
        return replace(
            before,
            objectives={each: name for each, name in objectives.items() if name},
            renames=before.renames | {tool: {old: new for old, new in of_tool.items() if new}},
        )

    try:
        remember(changed)
    except RunsError as error:
        refuse(str(error))


def rules_of(alerts: Sequence[str]) -> list[AlertRule]:
    """Rules that were checked as they were given."""
    from tui_trainer.text.alert_rule import parse

    return [parse(rule) for rule in alerts]


def refuse_rules_for_ours(alerts: Sequence[str]) -> None:
    """Of a run of ours, who trains holds rules against it: say so and end the program, exit 2."""
    if alerts:
        refuse(say("foreign.no_rules_for_ours"))


def foreign_record(runs: Path, given: str, warn: Callable[[str], None]) -> Record | None:
    """The record of another tool that is meant; None where a run of ours is, what lies beside runs, or nothing.

    Where something lies there that is no record, nor holds one, say so and end the program, exit 2.

    Args:
        runs: the folder of our runs, whose ids and names come first.
        given: what was given.
        warn: told where there are several records: the one that was written last is meant.
    """
    try:
        path = given_path(given)
    except BadPath:
        return None
    if not (path.exists() or path.parent.is_file()) or _is_ours(runs, given) or is_beside_runs(path):
        return None
    from tui_trainer.foreign_records import forms

    found = forms.records_in(path)
    if not found:
        if path.is_dir() and folders(path):
            refuse(say("foreign.runs_of_ours", folder=plain(given)))
        tools = ", ".join(["tui-trainer", *forms.TOOLS])
        refuse(say("foreign.none", path=plain(given), tools=tools))
    if len(found) > 1:
        names = [plain(record.name) or _within(record.path, path) for record in found]
        others = listed(names[1:], NAMED_AT_MOST)
        warn(say("foreign.several", count=f"{len(found):,}", folder=plain(given), name=names[0], others=others))
    return found[0]


def _is_ours(runs: Path, given: str) -> bool:
    try:
        find(runs, given, lambda _: None)
    except RunNotFound:
        return False
    return True


def _within(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    return plain(folder.name if name == "." else name)
