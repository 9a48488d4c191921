"""What a check is given, and what it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, TypeVar

Status: TypeAlias = Literal["ok", "failed", "skipped"]
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        status: skipped is what this machine cannot show; the words tell why.
        words: a sentence for a person.
        figures: what was measured, by name; the units are in the names.
    """

    status: Status
    words: str
    figures: dict[str, Any] = field(default_factory=dict)


def ok(words: str, **figures: Any) -> Outcome:
    """It is as it should be."""
    return Outcome("ok", words, figures)


def failed(words: str, **figures: Any) -> Outcome:
    """Something is wrong."""
    return Outcome("failed", words, figures)


def skipped(words: str, **figures: Any) -> Outcome:
    """It cannot be told here."""
    return Outcome("skipped", words, figures)


def judged(right: bool, words: str, **figures: Any) -> Outcome:
    """As it should be, or not."""
    return Outcome("ok" if right else "failed", words, figures)


@dataclass(frozen=True)
class Bench:
    """Where and how the checks run.

    Attributes:
        devices: as torch names them.
        rehearsal: everything small, on cards that are the CPU, to see that the checks themselves run.
        work: a folder of the check's own, for records and whatever else it writes.
        data: a torchvision root that holds CIFAR-10; None without.
        ends_at: when it must have ended, by `time.monotonic`, which all processes of a machine have in common.
    """

    devices: tuple[str, ...]
    rehearsal: bool
    work: Path
    data: Path | None = None
    ends_at: float = float("inf")

    @property
    def seconds_left(self) -> float:
        """Until it must have ended."""
        return max(0.0, self.ends_at - time.monotonic())

    @property
    def device(self) -> str:
        """The first of the devices."""
        return self.devices[0]

    @property
    def runs(self) -> Path:
        """Where the runs of the check are recorded."""
        return self.work / "runs"

    def either(self, real: T, rehearsed: T) -> T:
        """The one on a GPU, the other in a rehearsal."""
        return rehearsed if self.rehearsal else real

    def command(self, module: str, *arguments: str) -> list[str]:
        """A module and its arguments, run as a rehearsal has it: with cards that are the CPU."""
        rehearsed = self.rehearsal and self.device != "cpu"
        return [*(["tests.benchmarks.cuda.rehearsed"] if rehearsed else []), module, *arguments]

    def of(self, name: str, seconds: float) -> Self:
        """The same for a check that may take so long, with a folder of its own, which is there."""
        folder = self.work / name
        folder.mkdir(parents=True)
        return replace(self, work=folder, ends_at=time.monotonic() + seconds)

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` gave."""
        told = json.loads(text)
        data = Path(told["data"]) if told["data"] else None
        return cls(tuple(told["devices"]), told["rehearsal"], Path(told["work"]), data, told["ends_at"])


@dataclass(frozen=True)
class Check:
    """One thing to find out.

    Attributes:
        function: finds it out.
        seconds: how long it may take.
        own_process: whether it computes, and so may break CUDA for all that comes after it in its process.
        is_figure: whether it measures how fast something is, which `--quick` leaves out.
    """

    function: Callable[[Bench], Outcome]
    seconds: float
    own_process: bool = True
    is_figure: bool = False

    @property
    def name(self) -> str:
        """As the report has it."""
        return self.function.__name__
