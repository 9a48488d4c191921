"""A command as a person reads it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from tui_trainer.text.plain import plain


def command_in_short(command: Sequence[str]) -> str:
    """`python train.py --epochs 20`: as it would be typed, without the folder of the program that is run."""
    if not command:
        return ""
    program, *arguments = command
    return plain(shlex.join([PurePath(program).name or program, *arguments]))


def program_in_short(command: Sequence[str]) -> str:
    """`train.py --epochs 20`: the same without the interpreter, where the program's name follows it."""
    if len(command) > 1 and PurePath(command[0]).name.startswith("python") and not command[1].startswith("-"):
        script, *arguments = command[1:]
        return command_in_short([script, *arguments])
    return command_in_short(command)
