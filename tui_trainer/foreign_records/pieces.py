"""What a reader says of a run, piece by piece, and what it is itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

PARTS = frozenset({"train", "validation", "valid", "val", "eval", "test", "dev"})
"""Folders that are parts of one run."""


class Points(NamedTuple):
    """Numbers of one or more series that were logged at the same steps, in the order in which they were written."""

    steps: Sequence[int]
    columns: Mapping[str, Sequence[float | int]]
    """By name, each as long as `steps`; none where it is told only when something was logged."""
    times: Sequence[float] = ()
    """When each was logged, Unix time in seconds; as long as `steps`, or empty."""
    epochs: Sequence[int] = ()
    """As long as `steps`, or empty."""
    writer: int = 0
    """Which of several writers of these series logged them; a later one has a higher number, and wins."""
    part: str = ""
    """Of which part of the run they are: `train` where a tool keeps two folders for one run; its series are its own."""
    again: bool = False
    """Whether the file was read from its beginning once more: what is known already is told again."""


class Restarted(NamedTuple):
    """A writer says that it went on from a step: what others before it logged there and behind it counts no more."""

    step: int
    writer: int
    part: str = ""


class Ended(NamedTuple):
    """The tool says that the run is over."""

    at: float
    """Unix time in seconds."""
    well: bool
    reason: str
    """In the tool's own word."""


Piece: TypeAlias = Points | Restarted | Ended

SettingValue: TypeAlias = bool | int | float | str | list[bool | int | float | str]
"""What a setting of a run was: a learning rate, a name, the sizes of layers."""


class Reader(Protocol):
    """Follows what one tool recorded of one run."""

    tool: str
    """What a person calls the form: `TensorBoard`."""

    name: str
    """What the run is called."""

    @property
    def written_at(self) -> float | None:
        """When a file of it changed last, Unix time in seconds; None before the first look."""

    @property
    def lags(self) -> bool:
        """Whether the last `read` left something: there is more than one piece of a file."""

    @property
    def share(self) -> float | None:
        """How much of what there was at the last look is read, from 0 to 1; None where nobody knows."""

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        """What the run was set to, as far as it was read, by name; empty where the form does not say that."""

    @property
    def flaws(self) -> Sequence[str]:
        """What was wrong with what was read so far, each in words: numbers are missing."""

    @property
    def notes(self) -> Sequence[str]:
        """What else is to be said of it: what it holds beside numbers, and how its steps were found."""

    def read(self) -> Iterator[Piece]:
        """What came since the last call, at most some megabytes of it; nothing if nothing did.

        Raises:
            OSError: it cannot be read. A later call may be luckier.
        """

    def close(self) -> None:
        """Let go of what is open."""


class Kind(Protocol):
    """A form of record, and how one is recognised."""

    tool: str

    def recognises(self, path: Path) -> bool:
        """Whether such a record lies there, by what is in it; a glance, that neither waits nor raises."""

    def open(self, path: Path) -> Reader:
        """Follow it. Nothing is read yet.

        Raises:
            RunsError: something is not installed that its form needs.
        """
