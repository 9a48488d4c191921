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
