"""`doctor`: what a bug report needs to tell of this machine, and nothing that a person would not want to tell."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from tui_trainer import __version__
from tui_trainer.cli.options import has_torch
from tui_trainer.errors import UserError
from tui_trainer.files.given_path import data_folder
from tui_trainer.presets.folders import user_folder
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.text.captions import say
from tui_trainer.text.plain import NAMES_ITS_ENCODING, plain, shows_unicode
from tui_trainer.threads import usable_cores

PACKAGES = (
    "torch",
    "torchvision",
    "textual",
    "rich",
    "plotext",
    "numpy",
    "pydantic",
    "msgspec",
    "click",
    "psutil",
    "nvidia-ml-py",
    "textual-serve",
    "tensorboard",
    "pyarrow",
)

TOLD = ("TERM", "COLORTERM", "NO_COLOR", *NAMES_ITS_ENCODING, "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")
"""The variables whose values are printed: no other is looked at, but whether it is set."""

TORCH_PATIENCE_S = 60.0
"""A torch that cannot even say what it sees in this time is a finding by itself."""

PACKAGE = Path(__file__).parents[1]

ASKS_TORCH = """
import json, sys
sys.path.append(sys.argv[1])
from tui_trainer.engine.devices import facts
print(json.dumps(facts()))
"""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Print what a bug report needs: versions, device, terminal, folders. No secrets; your home is shown as ~."""
    found = {
        "versions": _versions(),
        "system": _system(),
        "torch": _torch(),
        "terminal": _terminal(os.environ),
        "environment": {name: without_home(os.environ[name]) for name in TOLD if name in os.environ},
        "folders": {
            "runs": _folder(runs_folder),
            "data": _folder(data_folder),
            "presets": _folder(user_folder),
        },
    }
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for title, facts in found.items():
        click.echo(f"{title}:")
        for name, value in facts.items():
            click.echo(f"  {name:<16} {plain(_in_words(value))}")


def without_home(text: str) -> str:
    """A text with the user's home as ~: its path often holds the user's name."""
    home = os.path.expanduser("~")  # noqa: PTH111 - where there is none, this raises nothing
    for path in {home, os.path.realpath(home)}:
        if len(path) > 1:
            text = re.sub(re.escape(path) + r"(?![\w-]|\.\w)", "~", text)
    return text


def _versions() -> dict[str, str | None]:
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    return {"python": python, "tui-trainer": __version__, **_installed()}


def _installed() -> dict[str, str | None]:
    """The version of each package; None of what is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _system() -> dict[str, Any]:
    return {
        "os": platform.platform(),
        "machine": platform.machine(),
        "cores": usable_cores(),
        "python_at": without_home(sys.executable),
    }


def _torch() -> dict[str, Any]:
    """What torch sees, asked in a process of its own: one that breaks as it is loaded is what people ask about."""
    if not has_torch():
        return {"installed": False}
    try:
        # -P: no file of the folder that one stands in is taken for a module.
        command = [sys.executable, "-P", "-c", ASKS_TORCH, str(PACKAGE.parent)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TORCH_PATIENCE_S)
        if done.returncode == 0:
            return {"installed": True, **json.loads(done.stdout)}
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        why = last or say("doctor.ended", code=done.returncode)
    except (OSError, ValueError) as error:
        why = str(error)
    except subprocess.TimeoutExpired:
        why = say("doctor.silent", seconds=f"{TORCH_PATIENCE_S:g}")
    return {"installed": True, "trouble": without_home(why)}


def _terminal(environment: Mapping[str, str]) -> dict[str, Any]:
    terminal = next((number for number in (1, 2, 0) if os.isatty(number)), None)
    columns, lines = os.get_terminal_size(terminal) if terminal is not None else (None, None)
    return {
        "is_terminal": os.isatty(0) and os.isatty(1),
        "columns": columns,
        "lines": lines,
        "colors": _colors(environment),
        "unicode": shows_unicode(environment),
        "inside": "tmux" if environment.get("TMUX") else "screen" if environment.get("STY") else None,
        "ssh": bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")),
    }


def _colors(environment: Mapping[str, str]) -> str:
    """How many the terminal says that it can show."""
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million"
    term = environment.get("TERM", "")
    if term in ("", "dumb", "unknown") or _WITHOUT_COLOURS.match(term):
        return "none"
    if "direct" in term:
        return "16 million"
    return "256" if _WITH_256_COLOURS.search(term) else "16"


_WITHOUT_COLOURS = re.compile(r"vt\d|.*-(m|mono)$")
_WITH_256_COLOURS = re.compile(r"256|kitty|alacritty|foot|wezterm|ghostty")
"""As terminfo has them, which need not be installed."""


def _folder(find: Callable[[], Path]) -> dict[str, Any]:
    """A folder as it is, or, where it is not there yet, what it would be made in."""
    try:
        folder = find()
        there = next(each for each in (folder, *folder.parents) if each.exists())
        return {
            "path": without_home(str(folder)),
            "exists": there == folder,
            "writable": there.is_dir() and os.access(there, os.W_OK | os.X_OK),
            "free_bytes": shutil.disk_usage(there).free,
        }
    except (OSError, UserError) as error:
        return {"path": None, "trouble": without_home(str(error))}


def _in_words(value: object) -> str:
    match value:
        case None:
            return say("doctor.none")
        case True | False:
            return "yes" if value else "no"
        case {"path": None, "trouble": trouble}:
            return str(trouble)
        case {"path": path, "exists": exists, "writable": writable, "free_bytes": int(free)}:
            may = say("doctor.writable" if writable else "doctor.not_writable")
            there = "" if exists else say("doctor.not_there")
            return say("doctor.folder", path=path, writable=may, there=there, free=f"{free / 1e9:.1f}")
        case {"name": name, "memory_bytes": int(memory), "fault": fault}:
            hindered = say("doctor.fault", fault=fault) if fault else ""
            return say("doctor.device", name=name, memory=f"{memory / 1e9:.1f}", fault=hindered)
        case list():
            return ", ".join(map(_in_words, value)) or say("doctor.none")
        case _:
            return str(value)
