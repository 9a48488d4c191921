"""What a training loop is to the screen: its lines, which call each stands for, and what the events say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.events import CallFollowed
from tui_trainer.records.columns import CallTally
from tui_trainer.records.history import History
from tui_trainer.text.plain import plain

LinePlace: TypeAlias = Literal["epochs", "batches", "batch", "epoch"]
"""The two `for` lines; a call within a batch; a call at an epoch's end."""


class LoopLine(NamedTuple):
    """A line of the listing."""

    code: str
    call: str
    """As the record names it; `data` for the line that fetches batches, empty where nothing is called. Of a watched
    program, the id of its site."""
    place: LinePlace
    indent: int
    """Levels, two cells each."""
    names: Sequence[str] = ()
    """What it is called where the loop stands in one line, shorter and shorter; without one it has no place there."""
    pass_: str = ""
    """Calls of one pass stand together where the loop stands in one line."""
    meaning: str = ""
    """What it is for, for who follows it by eye."""
    expected: bool = True
    """False for a call that happened where this recipe's loop has none."""
    file: str = ""
    """Of a watched program: the file that the line stands in; empty where that is not known."""
    where: str = ""
    """And its number there: `:218`."""


class Loop:
    """The lines of a loop, and how the events name them."""

    lines: list[LoopLine]
    place_of: dict[str, LinePlace]
    """Where each call is made now."""
    title = "the loop"

    def place(self, followed: CallFollowed) -> LinePlace:
        """Where a call that is followed by eye is made."""
        return "epoch" if followed.batch is None else "batch"

    def tally(self, line: LoopLine, history: History) -> CallTally | None:
        """How often and how long it was called; None for a line whose call is made elsewhere now."""
        if line.place in ("batch", "epoch") and self.place_of.get(line.call) != line.place:
            return None
        return history.calls.get(line.call, CallTally())

    def has_share(self, call: str, on_cuda: bool) -> bool:
        """Whether its time is of the same kind as that of the others."""
        return True

    def wrong_calls(self, history: History) -> frozenset[str]:
        """Those in whose line something was found to be wrong."""
        return frozenset()

    def total_s(self, history: History, on_cuda: bool) -> float:
        """The seconds that shares are of."""
        return sum(tally.seconds for call, tally in history.calls.items() if self.has_share(call, on_cuda))


def is_followed(history: History) -> bool:
    """Whether a person follows the calls one by one: in slow motion, and in the one batch of batch by batch."""
    if not history.followed:
        return False
    last = history.followed[-1]
    ended = history.epochs[-1].epoch if history.epochs else 0
    under_way = last.epoch > ended if last.batch is None else last.step > history.steps
    return history.pace > 0 or history.paused is not None or under_way


class CallFacts:
    """What the events say of the lines: which is lit, how often and how long each ran, what it made."""

    def __init__(self, history: History, loop: Loop, *, takes_commands: bool = True) -> None:
        self.history = history
        self.takes_commands = takes_commands
        self._loop = loop
        self.following = is_followed(history)
        self.values: dict[tuple[str, LinePlace], tuple[str, ...]] = {}
        """What each call of the batch being followed has made so far, in parts."""
        self.lit: tuple[str, LinePlace] | None = None
        """The line that runs now; none in a pause."""
        self.on_cuda = history.resolved is not None and history.resolved.on_cuda
        """Whether calls return as their work is launched: all but `validate`, which waits for what it found."""
        self.wrong = loop.wrong_calls(history)
        """Calls in whose line something was found to be wrong."""
        self.total_s = loop.total_s(history, self.on_cuda)
        if self.following:
            self._follow(history.followed)
        elif history.running:
            self.lit = (history.running, loop.place_of.get(history.running, "batch"))
        if history.paused is not None:
            self.lit = None

    def _follow(self, followed: Sequence[CallFollowed]) -> None:
        for event in followed:
            place = self._loop.place(event)
            self.lit = (event.call, place)
            if event.value is not None:
                self.values[event.call, place] = tuple(filter(None, map(plain, event.parts)))

    def tally(self, line: LoopLine) -> CallTally | None:
        """How often and how long it was called; None for a line whose call is made elsewhere now."""
        return self._loop.tally(line, self.history)

    def has_share(self, call: str) -> bool:
        """Whether its time is one part of all."""
        return self._loop.has_share(call, self.on_cuda)

    def share(self, tally: CallTally) -> float:
        """Of the time that shares are of."""
        return tally.seconds / self.total_s if self.total_s > 0 else 0.0

    def role(self, line: LoopLine) -> str:
        """How a line is written that does not run now."""
        return "" if line.expected and line.call not in self.wrong else "warning"

    def is_lit(self, line: LoopLine) -> bool:
        """Whether it runs now."""
        return self.lit is not None and self.lit == (line.call, line.place)
