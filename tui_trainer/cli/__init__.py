"""The commands. Each module is imported when its command is asked for, so that none pays for another's imports."""

from __future__ import annotations

import errno
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tui_trainer import __version__, garbage
from tui_trainer.cli.foreground import fill_descriptors
from tui_trainer.text.output import guard, settled

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# pydantic would look through all installed packages for plugins; none is meant for this program.
_OURS = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
_set_here = [name for name in _OURS if name not in os.environ]
"""Variables that are none of the user's."""
os.environ.update({name: _OURS[name] for name in _set_here})

OUT_OF_REACH = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}
"""What a path met that no command has words of its own for: it is the person's to mend, and no fault of ours."""

_COMMANDS = {
    "launch": "tui_trainer.cli.launch",
    "run": "tui_trainer.cli.run",
    "watch": "tui_trainer.cli.watch",
    "attach": "tui_trainer.cli.launch",
    "compare": "tui_trainer.cli.compare",
    "runs": "tui_trainer.cli.runs",
    "stream": "tui_trainer.cli.stream",
    "export": "tui_trainer.cli.runs",
    "stop": "tui_trainer.cli.control",
    "pause": "tui_trainer.cli.control",
    "resume": "tui_trainer.cli.control",
    "ask": "tui_trainer.cli.control",
    "checkpoint": "tui_trainer.cli.control",
    "switch": "tui_trainer.cli.control",
    "lr": "tui_trainer.cli.control",
    "epochs": "tui_trainer.cli.control",
    "rerun": "tui_trainer.cli.rerun",
    "rename": "tui_trainer.cli.tidying",
    "delete": "tui_trainer.cli.tidying",
    "prune": "tui_trainer.cli.tidying",
    "presets": "tui_trainer.cli.presets",
    "find-lr": "tui_trainer.cli.find_lr",
    "serve": "tui_trainer.cli.serve",
    "completion": "tui_trainer.cli.completion",
    "doctor": "tui_trainer.cli.doctor",
}

_OTHER_NAMES = {"open": "attach"}
"""Of commands that have two names, the one that is not listed."""


class _Commands(click.Group):
    """Knows the commands' names without importing them."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Click's own; nothing is printed, be it of a mistake or of help, but through the door."""
        fill_descriptors()
        guard()
        try:
            return super().main(*args, **options)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            raise SystemExit(settled(code)) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Click's own; what is no text could not be written into any record."""
        for text in args:
            try:
                text.encode()
            except UnicodeEncodeError:
                shown = text.encode("utf-8", "backslashreplace").decode()
                raise click.UsageError(f"{shown} is not UTF-8 text") from None
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Click's own; who interrupts it, or asks for what cannot be had, gets no traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)
        except OSError as error:
            if error.filename is None or error.errno not in OUT_OF_REACH:
                raise
            _refuse(_say("refusal.out_of_reach", path=error.filename, why=os.strerror(error.errno).lower()))
        except Exception as error:
            if not _is_a_persons(error):
                raise
            _refuse(*str(error).splitlines())

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = _OTHER_NAMES.get(cmd_name, cmd_name)
        if name not in _COMMANDS:
            return None
        with garbage.none_in_imports():
            command: click.Command = getattr(import_module(_COMMANDS[name]), name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own looks for what was meant among commands that are loaded, and none is.

        Once the command is loaded, ctrl+c is an exception again, for it to clean up.
        """
        if args[0] not in _COMMANDS | _OTHER_NAMES and not ctx.resilient_parsing:
            from difflib import get_close_matches

            if near := get_close_matches(args[0], _COMMANDS, n=1):
                ctx.fail(_say("refusal.command_meant", typed=repr(args[0]), meant=repr(near[0])))
        found = super().resolve_command(ctx, args)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as the program begins
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Click's own would import every command for its first line of help."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name) for name in _COMMANDS if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def environment() -> dict[str, str]:
    """That of this process, without what it has set for itself: for commands of the user's."""
    return {name: text for name, text in os.environ.items() if name not in _set_here}


def _is_a_persons(error: Exception) -> bool:
    """Whether it says by itself what is wrong and what to do."""
    from tui_trainer.errors import UserError
    from tui_trainer.records.errors import RunsError

    return isinstance(error, UserError | RunsError)


def _say(caption: str, **values: object) -> str:
    from tui_trainer.text.captions import say

    return say(caption, **values)


def _refuse(*sentences: str) -> NoReturn:
    from tui_trainer.cli.options import refuse

    refuse(*sentences)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tui-trainer")
def main() -> None:
    """Watch a network train in your terminal: its loss, its learning rate, and the calls that make them.

    Begin with: tui-trainer launch
    """
