"""What all rules have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.trace import AnyDefinition, Observed, Site

Value: TypeAlias = bool | int | float | str
Handler: TypeAlias = Callable[[Call], None]


class Tell(Protocol):
    """Takes what is found to be wrong; the same thing again changes nothing."""

    def __call__(
        self, code: str, where: Site | None, values: Mapping[str, Value], *, file: str = "", lineno: int = 0
    ) -> None:
        """
        Args:
            code: of `text.mistakes`.
            where: the call to point at.
            values: what the words name.
            file: another place to point at.
            lineno: its line.
        """


class Rule:
    """Looks for mistakes of a kind. The loop has taken each call before its rules do.

    A rule says nothing that it does not know: what a right loop could do as well is no evidence.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        self.loop = loop
        self.tell = tell

    def calls(self) -> dict[str, Handler]:
        """What it listens to, by names of `trace.CALLS`."""
        return {}

    def define(self, frame: AnyDefinition) -> None:
        """Something other than a call was told."""

    def observed(self, frame: Observed) -> None:
        """The process itself saw something."""

    def finish(self) -> None:
        """The process ended as a program does; of one that was killed, this never comes."""
