"""Code of a person's own that a run is made of, by `module:function`; and what of it this process may run.

It is named on the command line alone, with `--allow-code`. What a record or another process asks for is data until a
person has allowed the same here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

OPTIONS = ("dataset", "model", "loss", "optimizer")
"""What a person may have code of their own for, as options and `RunSpec` name it."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")

LONGEST = 200
"""Characters of a name."""


class Code(NamedTuple):
    """A function of a person's own."""

    option: str
    """What it is for: one of `OPTIONS`."""
    name: str
    """`module:function`."""
    folder: str
    """Where modules are looked for first."""

    @property
    def words(self) -> str:
        """As it is typed: `--loss mine:focal`."""
        return f"--{self.option} {plain(self.name)}"


_allowed: set[Code] = set()


def is_code(name: object) -> bool:
    """Whether this is of the form `module:function`."""
    return isinstance(name, str) and len(name) <= LONGEST and _NAME.fullmatch(name) is not None


def allow(codes: Iterable[Code]) -> None:
    """This process may run it: a person has said so."""
    _allowed.update(codes)


def is_allowed(codes: Iterable[Code]) -> bool:
    """Whether this process may run all of it."""
    return _allowed.issuperset(codes)


def listed(codes: Iterable[Code]) -> str:
    """`--model mine:net, --loss mine:focal`."""
    return ", ".join(code.words for code in codes)


def refusal(codes: Iterable[Code], whose: str = "") -> str:
    """What would run, from where, and how to allow it; empty where it may run here.

    `whose` is the run or the session that asks for it, where that is not the command line.
    """
    wanted = [code for code in codes if code not in _allowed]
    if not wanted:
        return ""
    named = {"code": listed(wanted), "folder": plain(wanted[0].folder)}
    return say("code.of_a_record", whose=plain(whose), **named) if whose else say("code.not_allowed", **named)
