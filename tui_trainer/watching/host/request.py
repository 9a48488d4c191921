"""What a person asks of a watched command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from tui_trainer.run_sources.notifier import Told
from tui_trainer.text.secrets import blanked
from tui_trainer.watching.host.environment import told

_STARTERS = frozenset({"env", "uv", "run", "nohup", "nice", "time", "poetry", "pdm", "hatch", "conda", "accelerate"})


@dataclass(frozen=True)
class WatchRequest:
    """A command, and how it is to be watched."""

    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(repr=False)
    """What it would have found without us."""
    runs: Path = field()
    name: str | None = None
    calls: str = "light"
    control: bool = True
    rehearse: bool = False
    epochs: int | None = None
    steps: int | None = None
    alerts: Sequence[str] = ()
    """Rules that are held against each run of it, as `parse` takes them."""
    notify: Sequence[Told] = ()
    typed: Sequence[str] = ()
    """The command line of this program, as in `sys.argv`."""

    @property
    def label(self) -> str:
        """What the command is called in the id of its run: the script's name, the module's, or the program's."""
        return label(self.command)

    @property
    def asked(self) -> dict[str, Any]:
        """What a record tells of it; nothing secret is among it."""
        values, names = told(self.environment)
        return {
            "name": self.name,
            "calls": self.calls,
            "control": self.control,
            "rehearse": self.rehearse,
            "epochs": self.epochs,
            "steps": self.steps,
            "alerts": list(self.alerts),
            "program": {
                "command": blanked(self.command),
                "cwd": str(self.cwd),
                "environment": values,
                "environment_names": names,
            },
        }


def label(command: Sequence[str]) -> str:
    """What a command is called in the id of its run: the script's name, the module's, or the program's."""
    for word, after in zip(command, (*command[1:], ""), strict=True):
        if word.endswith((".py", ".sh", ".ipynb")):
            return PurePath(word).stem
        if word == "-m" and after:
            return after
        if word == "-c":
            break
    named = (PurePath(word).name for word in command if not word.startswith("-") and "=" not in word)
    return next((word for word in named if word not in _STARTERS), PurePath(command[0]).name)
