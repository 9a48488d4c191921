"""What the shell completes, and `completion`, which prints the script for it. Nothing slow is imported here."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from tui_trainer.files.given_path import BadPath

_SAFE = re.compile(r"[\w.+-]+")
"""Names that every shell takes as one word: others must be typed."""

MOST = 200
"""Runs that are offered, the newest: more help nobody choose."""


def runs(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids and names of runs, newest first."""
    from tui_trainer.records.run_index import folders
    from tui_trainer.records.run_metadata import read_facts
    from tui_trainer.records.runs_folder import runs_folder

    try:
        there = folders(runs_folder(context.params.get("runs_dir")))
    except (BadPath, OSError):
        return []  # the command that is being typed will say what is wrong
    newest = sorted(there, key=lambda folder: folder.name, reverse=True)  # an id begins with when its run did
    facts = {folder.name: read_facts(folder) for folder in newest[:MOST]}
    names = {str(each["name"]): identity for identity, each in facts.items() if each.get("name")}
    found = [CompletionItem(identity, help=_preset_of(each)) for identity, each in facts.items()]
    found += [CompletionItem(name, help=identity) for name, identity in names.items()]
    return [item for item in found if item.value.startswith(begun) and _SAFE.fullmatch(item.value)]


def presets(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of presets, and files once something of a path stands there."""
    if "/" in begun or begun.startswith((".", "~")):
        return [CompletionItem(begun, type="file")]
    from tui_trainer.presets.folders import shipped_folder, user_folder

    names = {path.stem for folder in (shipped_folder(), user_folder()) for path in _files(folder)}
    found = [CompletionItem(name) for name in sorted(names) if name.startswith(begun) and _SAFE.fullmatch(name)]
    return found or [CompletionItem(begun, type="file")]


def then(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """What may follow the end of a run."""
    words = [CompletionItem(word) for word in ("extend", "constant") if word.startswith(begun)]
    return [*words, *(item for item in presets(context, parameter, begun) if item.type == "plain" or not words)]


def presets_and_runs(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """What can be compared."""
    both = presets(context, parameter, begun) + runs(context, parameter, begun)
    return [item for item in both if item.type == "plain"] or both


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands, options, runs and presets.

    bash, zsh: add `eval "$(tui-trainer completion bash)"` to ~/.bashrc, or with zsh to ~/.zshrc. fish: `tui-trainer
    completion fish > ~/.config/fish/completions/tui-trainer.fish`.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(context.find_root().command, {}, "tui-trainer", "_TUI_TRAINER_COMPLETE").source())


def _preset_of(facts: dict[str, object]) -> str | None:
    asked = facts.get("asked")
    preset = asked.get("preset_name") if isinstance(asked, dict) else None
    return preset if isinstance(preset, str) and _SAFE.fullmatch(preset) else None


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == ".toml"]
    except OSError:
        return []
