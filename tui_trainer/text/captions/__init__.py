"""All that the program claims of a run, a preset, a comparison, a record or the machine; one door leads to it, `say`.

The id of a caption begins with its section, and each section is a file: the words of `plan.waits` stand in `plan.py`,
which is loaded when the first of them is said. Each caption says when it is said and when it must not be, and has a
test for both (`tests/test_captions.py` sees to it). Why the LR moved or held is told by `text/reasons.py`, whose words
a record keeps: they are among these, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from tui_trainer.text.captions.caption import Caption

SECTIONS = (
    "state",
    "plan",
    "why",
    "epoch",
    "health",
    "help",
    "alert",
    "alert_rule",
    "notice",
    "notify",
    "setting",
    "data",
    "device",
    "checkpoint",
    "end",
    "crash",
    "line",
    "exit",
    "refusal",
    "sweep",
    "shell",
    "question",
    "entry",
    "form",
    "answer",
    "reply",
    "hint",
    "screen",
    "log",
    "record",
    "foreign",
    "remote",
    "runs",
    "confusion",
    "untold",
    "loop",
    "calls",
    "order",
    "watched",
    "metric",
    "chart",
    "machine",
    "comparison",
    "report",
    "queue",
    "cluster",
    "code",
    "fairness",
    "rule",
    "key",
    "picker",
    "editor",
    "find_lr",
    "groups",
    "card",
    "doctor",
    "mistake",
    "command",
)
"""What ids begin with, in the order of the list."""


class _Captions(Mapping[str, Caption]):
    """All captions by id. A section is read when one of its captions is asked for: no first frame waits for others."""

    def __init__(self) -> None:
        self._read: dict[str, Caption] = {}

    def __getitem__(self, id: str) -> Caption:
        if id not in self._read and (section := id.partition(".")[0]) in SECTIONS:
            self._read.update(import_module(f"{__name__}.{section}").CAPTIONS)
        return self._read[id]

    def __iter__(self) -> Iterator[str]:
        for section in SECTIONS:
            yield from import_module(f"{__name__}.{section}").CAPTIONS

    def __len__(self) -> int:
        return sum(1 for _ in self)


CAPTIONS: Mapping[str, Caption] = _Captions()


def say(caption: str, **values: object) -> str:
    """A caption with its values, which are written as they are: bring them into words before.

    Raises:
        KeyError: there is no such caption, or it names another value.
    """
    return CAPTIONS[caption].words.format_map(values)


def load() -> None:
    """Read all of them, for a process that may outlive what is installed: it says what it would have as it began."""
    for section in SECTIONS:
        import_module(f"{__name__}.{section}")
