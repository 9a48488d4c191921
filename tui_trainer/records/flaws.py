"""What is wrong with a record, in words: what is missing from it, and what contradicts itself.

The last lines of a process may be lost with nothing behind them that would show a gap. But an epoch's end, a checkpoint
and a goodbye say which step is the last one; where the record does not come so far, something is missing. And a line
that says a step, or an epoch, where the run cannot have been as it was written is a wrong one, and is said to be.
"""

from __future__ import annotations

from typing import TypeAlias

from tui_trainer.events import (
    CallsMade,
    CheckpointSaved,
    EpochEnded,
    LRChanged,
    LRUnchanged,
    PresetSwitched,
    ResolvedConfig,
    RunEnded,
)
from tui_trainer.records.series import MOST_SERIES
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

NAMED_AT_MOST = 3
"""Places that are named; of others, how many there are."""

KEPT_AT_MOST = 1000

Span = tuple[int, int]
"""The first and the last of steps or epochs in a row."""


class Flaws:
    """What was found while a record was read; bounded, whatever stands in it."""

    def __init__(self) -> None:
        self.steps_missing = 0
        self.told_again = self.out_of_order = 0
        """Events of other kinds that a process told twice, or after later ones."""
        self.misnumbered = 0
        """Events that say a step or an epoch where the run cannot have been."""
        self.series_left_out = False
        """Whether there are more series than are kept."""
        self.steps_behind: Span | None = None
        self.epochs_behind: Span | None = None
        """What a process said was done and has not told, steps and ends of epochs; the next one may train it again."""
        self._beyond = 0, 0
        """The highest step that is told of, and the last one, where that comes before it."""
        self._holes: list[Span] = []
        self._epochs: list[Span] = []
        self._twice: list[Span] = []
        self._wrong_epoch: list[Span] = []
        self._left_out: list[tuple[int, int, int]] = []
        """First and last step of a line, and the step behind which it stands."""
        self._epochs_left_out: list[Span] = []

    def __bool__(self) -> bool:
        return bool(self.in_words())

    def missing(self, first: int, last: int) -> None:
        """These steps are not in the record."""
        self.steps_missing += last - first + 1
        _add(self._holes, first, last)

    def epochs_missing(self, first: int, last: int) -> None:
        """Of these epochs no end is in the record."""
        _add(self._epochs, first, last)

    def told_twice(self, first: int, last: int) -> None:
        """A line tells steps that those before it, of the same process, have told."""
        _add(self._twice, first, last)

    def in_wrong_epoch(self, first: int, last: int) -> None:
        """These steps say that they are of an epoch that they cannot be of."""
        _add(self._wrong_epoch, first, last)

    def leave_out(self, first: int, last: int, *, after: int) -> None:
        """A line says that it tells these steps, and stands behind step `after` and before the one that follows."""
        if len(self._left_out) < KEPT_AT_MOST:
            self._left_out.append((first, last, after))

    def epoch_left_out(self, epoch: int) -> None:
        """The end of an epoch that cannot be here."""
        _add(self._epochs_left_out, epoch, epoch)

    def nothing_behind(self) -> None:
        """What was missing at the end is told now, or will be; or that it is missing has been said in other words."""
        self.steps_behind = self.epochs_behind = None

    def tells_of(self, step: int, last: int) -> None:
        """A line tells of a step that cannot be, behind the last one."""
        self._beyond = max(self._beyond, (step, last))

    def in_words(self) -> list[str]:
        """A sentence for each kind of flaw; none for a sound record."""
        return [*self.missing_in_words(), *self.contradictions_in_words()]

    def missing_in_words(self) -> list[str]:
        """What is not there."""
        said = []
        if holes := _with(self._holes, self.steps_behind):
            behind = self.steps_behind
            missing = self.steps_missing + (behind[1] - behind[0] + 1 if behind else 0)
            are = "is" if missing == 1 else "are"
            said.append(say("record.steps_missing", steps=counted(missing, "step"), are=are, where=_listed(holes)))
        if epochs := _with(self._epochs, self.epochs_behind):
            said.append(say("record.epoch_ends_missing", epochs=_called("epoch", epochs)))
        if self.series_left_out:
            said.append(say("record.too_many_series", most=f"{MOST_SERIES:,}"))
        return said

    def contradictions_in_words(self) -> list[str]:
        """What cannot be as it stands there, and what was done about it."""
        said = []
        if self._left_out:
            places = [f"{_span(first, last)} behind step {after:,}" for first, last, after in self._left_out]
            said.append(say("record.left_out", where=_some(places)))
        if self._twice:
            said.append(say("record.told_twice", where=_listed(self._twice)))
        if self._wrong_epoch:
            said.append(say("record.wrong_epoch", where=_listed(self._wrong_epoch)))
        if self._epochs_left_out:
            said.append(say("record.epoch_end_left_out", epochs=_called("epoch", self._epochs_left_out)))
        if self._beyond[0]:
            step, last = self._beyond
            said.append(say("record.beyond_its_end", step=f"{step:,}", last=f"{last:,}"))
        for number, caption, verb in (
            (self.told_again, "record.stands_twice", "stand"),
            (self.out_of_order, "record.out_of_order", "stand"),
            (self.misnumbered, "record.misnumbered", "say"),
        ):
            if number:
                said.append(say(caption, lines=counted(number, "line"), **{verb: verb + "s" * (number == 1)}))
        return said


def _add(spans: list[Span], first: int, last: int) -> None:
    if spans and spans[-1][1] + 1 == first:
        spans[-1] = spans[-1][0], last
    elif len(spans) < KEPT_AT_MOST:
        spans.append((first, last))


def _with(spans: list[Span], behind: Span | None) -> list[Span]:
    all_of_them = [*spans]
    if behind is not None:
        _add(all_of_them, *behind)
    return all_of_them


def _span(first: int, last: int) -> str:
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _some(places: list[str]) -> str:
    more = len(places) - NAMED_AT_MOST
    return ", ".join(places[:NAMED_AT_MOST]) + (f" and {more:,} more places" if more > 0 else "")


def _listed(spans: list[Span]) -> str:
    return _some([_span(*span) for span in spans])


def _called(word: str, spans: list[Span]) -> str:
    plural = len(spans) > 1 or spans[0][0] != spans[0][1]
    return f"{word}{'s' if plural else ''} {_listed(spans)}"


SteppedEvent: TypeAlias = LRChanged | LRUnchanged | PresetSwitched | CallsMade
"""They say at which step and in which epoch they stand."""

Closing: TypeAlias = EpochEnded | CheckpointSaved | RunEnded
"""They come when all steps until then are told, and say which is the last."""

MISSING_AT_MOST = 1_000_000
"""Steps that may be missing from a record, or as many as it has: a line that claims more is left out. Each costs."""


class Claims:
    """What the process that writes has said so far, for `Known`, which says how far the lines that tell steps came."""

    def __init__(self, flaws: Flaws) -> None:
        self._flaws = flaws
        self._from = 0
        """The step of the checkpoint that the process went on from."""
        self._total = 0
        """The last step of the run under all recipes that were followed; 0 where none was told."""
        self.last_step = 0
        """The last step that was said to be done."""
        self._last_epoch = 0
        """The last epoch."""
        self._farthest = 0
        """The highest step at which a line says that it stands."""

    def begin(self, resumed_from: int) -> None:
        """Another process writes: it trains again what comes behind its checkpoint."""
        self._from = self.last_step = resumed_from
        self._last_epoch = self._farthest = 0
        self._flaws.nothing_behind()

    def follow(self, recipe: ResolvedConfig) -> None:
        """A recipe of the run. That of a watched program, which is no preset, guesses at its end: it bounds nothing."""
        self._total = max(self._total, recipe.total_steps) if recipe.total_steps and recipe.preset else 0

    def cannot_stand(self, event: SteppedEvent, *, steps: int, epoch: int, epoch_begins: int, resumed_at: int) -> bool:
        """Whether the step or the epoch that a line says is one where the process cannot have been.

        Args:
            event: what the line tells.
            steps: the last step that was told.
            epoch: that step's.
            epoch_begins: the first step of that epoch.
            resumed_at: the last step that was known as the process began: until there it trains again.
        """
        step = event.step
        if step < max(1, self._from) or (0 < self._total < step):
            return True
        if step <= resumed_at:
            return False
        if step <= steps:
            return event.epoch != epoch or step < epoch_begins
        return not epoch <= event.epoch <= epoch + step - steps  # an epoch has a step at least

    def stands(self, event: SteppedEvent) -> None:
        """A line that says where it stands, and may."""
        self._farthest = max(self._farthest, event.step)
        if isinstance(event, CallsMade) and event.batch is None:
            self._last_epoch = max(self._last_epoch, event.epoch)

    def go_on(self, step: int) -> None:
        """This step comes next; where it was said to be done, nothing that was said of the last ones holds."""
        self._flaws.steps_behind = None
        if step <= self.last_step:
            self.last_step = 0

    def close(self, event: Closing, *, steps: int, epoch: int, epochs: int) -> None:
        """A line says which step is the last so far; a goodbye is held against all that was told.

        Args:
            event: what the line tells.
            steps: the last step that was told.
            epoch: that step's.
            epochs: the last epoch whose end was told.
        """
        goodbye = event if isinstance(event, RunEnded) else None
        if goodbye is not None and goodbye.status == "crashed":  # it may have had no time to tell its last steps
            return
        self.last_step = max(self.last_step, event.step)
        if goodbye is not None:
            self._last_epoch = max(self._last_epoch, goodbye.epoch - (goodbye.status != "finished"))
            self._compare_epochs(steps, epoch, epochs)
            self.compare_steps(steps)
            if goodbye.status != "diverged" and self._farthest > max(steps, self.last_step):  # that is found out later
                self._flaws.tells_of(self._farthest, max(steps, self.last_step))
            self._farthest = 0

    def compare_steps(self, steps: int) -> None:
        """Nothing comes any more from the process: all steps that were said to be done should be there."""
        if self.last_step <= steps:
            return
        if self.last_step <= (self._total or steps + MISSING_AT_MOST):
            self._flaws.steps_behind = steps + 1, self.last_step
        else:
            self._flaws.tells_of(self.last_step, steps)

    def _compare_epochs(self, steps: int, epoch: int, epochs: int) -> None:
        if self._last_epoch <= epochs:
            return
        if self._last_epoch <= epoch + max(0, self.last_step - steps):
            self._flaws.epochs_behind = epochs + 1, self._last_epoch
        else:
            self._flaws.misnumbered += 1
