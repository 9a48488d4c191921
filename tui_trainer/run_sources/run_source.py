"""What a screen holds of a run, wherever that lives, and what it can expect of it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, get_args

from tui_trainer.commands import AnyCommand, Command, SaveCheckpoint, SetEpochs, Stop, SwitchPreset
from tui_trainer.events import RunEnded
from tui_trainer.records.history import History
from tui_trainer.records.runs_folder import shell_command
from tui_trainer.records.tail import Tail
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.remote.address import Address

ALL_COMMANDS: frozenset[type[Command]] = frozenset(get_args(AnyCommand))


@dataclass(frozen=True)
class Capabilities:
    """What a source has of a run. The screen shows what there is, and says what there is not."""

    tells_end: bool = True
    """Whether it knows if the process that trains still lives; else only time tells."""
    commands: frozenset[type[Command]] = ALL_COMMANDS
    """What may be asked of the run."""
    why_not: str = ""
    """What a person is told who asks something else; empty where the view is read-only."""
    why_not_this: Mapping[type[Command], str] = field(default_factory=dict)
    """The same of single commands, where that is another reason."""
    calls: bool = True
    """Whether it tells the calls of the loop, and why the LR moved."""
    plan: bool = True
    """Whether it tells the planned LR."""
    checkpoints: bool = True
    """Whether the run can be gone on with from what it saved."""
    address: Address | None = None
    """Where the record is, if on another machine and one of ours; its folder has copies then."""

    def refusal(self, command: type[Command]) -> str:
        """Why something cannot be asked of the run; empty where it can."""
        if command in self.commands:
            return ""
        return self.why_not_this.get(command) or self.why_not or say("answer.read_only")


READONLY = Capabilities(commands=frozenset())
"""All that our own records have, to be looked at."""


def of_watched(*, readonly: bool, controlled: bool) -> Capabilities:
    """What there is of a watched program's run: its network, its data and its checkpoints are its own.

    Args:
        readonly: nothing is to be asked of it from here.
        controlled: whether its processes may be told anything, by the person who began to watch.
    """
    if readonly:
        return replace(READONLY, checkpoints=False)
    none: dict[type[Command], str] = {
        SwitchPreset: say("watched.no_switch"),
        SaveCheckpoint: say("watched.no_checkpoint"),
        SetEpochs: say("watched.no_epochs"),
    }
    commands = ALL_COMMANDS - none.keys() if controlled else frozenset({Stop})
    return Capabilities(commands=commands, why_not=say("watched.no_control"), why_not_this=none, checkpoints=False)


class RunSource(Protocol):
    """A run, as a screen sees it. All of it belongs to the thread that polls."""

    history: History
    """The state of the run, as of the last `poll`."""

    capabilities: Capabilities
    """What it has of the run."""

    lags: bool
    """Whether the last `poll` left something for the next one: a long record is being read."""

    @property
    def folder(self) -> Path | None:
        """Where its record lies, once it has one."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def send(self, command: AnyCommand) -> None:
        """Ask something of the run; the answer comes as an event.

        Raises:
            PermissionError: this may not be asked here.
        """

    def close(self) -> None:
        """Stop looking. A run in this process goes on; stop it with a command first."""


def command_of(name: str, folder: Path, address: Address | None = None, *options: str) -> str:
    """A command of this program for a run, as a person types it; with the machine, where that is another one.

    Args:
        name: the command's.
        folder: the record's.
        address: the record's, if it is on another machine: what the folder of runs is there, is not known here.
        options: what else is to be typed.
    """
    if address is None:
        return " ".join([shell_command(name, plain(folder.name), folder.parent), *options])
    there = PurePosixPath(address.path)
    words = ("tui-trainer", name, plain(there.name), "--runs-dir", plain(str(there.parent)), *options)
    return say("remote.typed_there", host=plain(address.place), command=shlex.join(words))


def replay(folder: Path, *, forgets: bool = False) -> History:
    """The state of the run whose record lies in `folder`, as far as it was recorded; `forgets` as for `History`."""
    history = History(forgets=forgets)
    with Tail(folder / "events.jsonl", packed=True) as tail:
        for event in tail:
            history.apply(event)
    return history


def crashed(reason: str, *, exit_code: int, step: int = 0, epoch: int = 0) -> RunEnded:
    """The end of a run that said no goodbye itself."""
    return RunEnded(at=time.time(), status="crashed", reason=reason, step=step, epoch=epoch, exit_code=exit_code)


GATE_S = 2.0
"""The longest that anything waits for the first frame of a screen."""
