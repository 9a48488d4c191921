"""Passes over DataLoaders, and the epochs that follow from them.

An epoch is a training pass: one with steps of the optimizer inside. A pass ends at its loader's length, as the loader
has no more, or as another pass over it begins, whichever is first: some loops leave early, some fetch a batch ahead. A
length that more batches come than is believed no more. Several loaders may be iterated by turns, as `zip` does: their
passes go on beside each other, where others lie within each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MOST_OPEN = 64
"""Passes within each other; a trace that was made to harm may begin any number."""

MOST_REMEMBERED = 10_000
"""Loaders, and places of them, of which something is remembered."""

MOST_AHEAD = 16
"""Batches that a program may have fetched before it trains with them, at most."""


@dataclass(slots=True, eq=False)
class Pass:
    """One pass over a DataLoader."""

    site: int
    """Where it is iterated."""
    loader: int
    length: int | None
    """Batches that the loader has; None where that is not known."""
    after_training: bool
    """Whether steps were made before it began."""
    batches: int = 0
    """That it gave so far."""
    steps: int = 0
    backwards: int = 0
    ended: bool = False
    """Whether the loader said that it has no more."""
    began: float = 0.0
    last: float = 0.0
    """The moment of its last batch."""
    trains: bool = False
    """Whether steps were made while it was open, be it in a pass within it."""
    takes_turns: bool = False
    """Whether it goes on beside others."""
    until: int | None = None
    """Of one that does: after how many batches the first of those that are level with it has no more, as far as that is
    known."""
    steps_behind: int = 0
    """Steps that were made behind its end, and in no other pass."""

    @property
    def exhausted(self) -> bool:
        """Whether all of its batches were given."""
        return self.ended or (self.length is not None and 0 < self.length <= self.batches)

    @property
    def is_a_single_batch(self) -> bool:
        """Whether one batch alone was taken of a loader that has more: `next(iter(loader))`, which is no epoch."""
        return self.batches <= 1 and not self.exhausted

    @property
    def is_outrun(self) -> bool:
        """Whether the training went on behind its end without another one: with batches that the program has kept, as
        `itertools.cycle` does, so that nobody sees where its epochs begin."""
        before = self.steps - self.steps_behind
        return self.steps_behind > MOST_AHEAD or (before <= self.batches < self.steps and self.steps_behind > 0)

    @property
    def may_go_on(self) -> bool:
        """Whether a batch of its loader that comes after it was left belongs to it; else to a new one."""
        return not self.ended and (self.trains or not self.batches)


class Passes:
    """Follows the passes of one process, and counts epochs."""

    def __init__(self) -> None:
        self._open: list[Pass] = []
        self._left: list[Pass] = []
        """Passes that were left, but may go on, the latest ones."""
        self._misjudged: set[int] = set()
        """Loaders that gave more batches than they said."""
        self._in_turn: set[tuple[str, int]] = set()
        """Loaders, and places, of passes that go on beside others."""
        self._turns_are_over = False
        """Whether another pass was made since one of those ended that go on beside each other."""
        self._single: Pass | None = None
        """The pass that trained before this one, with a single batch of a loader that had more."""
        self.training: Pass | None = None
        """The pass of the epoch that is being trained, or was last; None while none was, or where there is no
        loader."""
        self.epoch = 0
        """The epoch of the last step; 0 before the first."""
        self.counts_epochs = False
        """Whether its epochs are passes; a loop without a DataLoader has none that could be counted."""
        self.over = False
        """Whether the epoch of the last step is over, and its end is still to be told."""
        self.done: list[Pass] = []
        """Passes without steps that are over, since whoever asks took them out."""
        self._told: Pass | None = None
        """The training pass of the epoch whose end was told last."""
        self._whole_epochs: list[int] = []
        """How many steps each epoch had that is over, those alike once."""
        self._first_epochs: dict[int, int] = {}
        """The first epoch of each place that trained."""
        self._alternate = False
        """Whether a place trained again, behind another one: neither has all epochs."""

    @property
    def steps_an_epoch(self) -> int | None:
        """Steps of each epoch, as far as the epochs that are over and the loader's length agree; None where that is not
        known."""
        training = self.training
        if training is None or not self.counts_epochs:
            return None
        if self._whole_epochs:
            return self._whole_epochs[0] if len(self._whole_epochs) == 1 else None
        ahead = 1 if training.steps > 1 else 0
        length = training.until if training.takes_turns else training.length
        return length if 0 <= training.batches - training.steps <= ahead else None

    def epochs_before(self, is_same_line: Callable[[int, int], bool]) -> int | None:
        """Epochs that were over before the line that trains was come to first, be it with another loader; None where it
        is one of several places that take turns."""
        training = self.training
        if training is None or self._alternate or not self.counts_epochs:
            return None
        firsts = (epoch for site, epoch in self._first_epochs.items() if is_same_line(site, training.site))
        return min(firsts, default=1) - 1 if training.site in self._first_epochs else None

    @property
    def batches_a_step(self) -> int | None:
        """Batches of the loader in each step, as far as that is seen: several where gradients are accumulated. None
        where that is not known, or some steps have none of their own."""
        training = self.training
        if training is None or not training.steps:
            return None
        each = round(training.batches / training.steps)
        ahead = training.batches - each * training.steps
        if training.steps <= 2 and not training.exhausted and (each > 1 or ahead):  # it may have fetched a batch ahead
            return None
        return each if each >= 1 and (0 <= ahead <= 1 or training.exhausted) else None

    @property
    def innermost(self) -> Pass | None:
        """The pass that runs; None between passes."""
        return self._open[-1] if self._open else None

    @property
    def around(self) -> Pass | None:
        """The pass that the innermost one stands in."""
        return self._open[-2] if len(self._open) > 1 else None

    def begin(self, site: int, loader: int, length: int | None, moment: float) -> Pass:
        """A loader is iterated anew."""
        for place, other in enumerate(self._open):
            if other.loader == loader or other.site == site:
                self._close(place)
                break
        self._left = [each for each in self._left if each.loader != loader]
        while self._open and self._open[-1].exhausted:  # it is left, though it may not say so
            self._close(len(self._open) - 1)
        if len(self._open) >= MOST_OPEN:
            self._close(0)
        training = self.training
        if training is not None and training not in self._open and _is_next(training, site, loader):
            self._close_begun_after(training)
            self.over = self.over or (not training.is_a_single_batch and training is not self._told)
        length = length if loader not in self._misjudged else None
        begun = Pass(site, loader, length, after_training=self.epoch > 0, began=moment, last=moment, until=length)
        begun.takes_turns = not self._in_turn.isdisjoint((("loader", loader), ("site", site)))
        self._turns_are_over |= not begun.takes_turns and not any(each.takes_turns for each in self._open)
        self._open.append(begun)
        return begun

    def batch(self, site: int, loader: int, length: int | None, moment: float) -> Pass:
        """A batch was given."""
        place = self._place(site, loader)
        if place is None:
            if not self._go_on(site, loader):
                self.begin(site, loader, length, moment)
            place = len(self._open) - 1
        elif place + 1 < len(self._open) and not self._open[place + 1].takes_turns:
            self._close(place + 1)
        given = self._open[place]
        given.batches += 1
        given.last = moment
        if given.length is not None and given.batches > given.length:
            given.length = given.until = None
            if len(self._misjudged) < MOST_REMEMBERED:
                self._misjudged.add(loader)
        if given.takes_turns:
            level = [each for each in self._open if each.takes_turns and abs(each.batches - given.batches) <= 1]
            given.until = min((each.length for each in level if each.length is not None), default=None)
        return given

    def _go_on(self, site: int, loader: int) -> bool:
        """Whether the batch is of a pass that was left, which goes on. It does so beside those that are open, if it
        trains."""
        left = next((each for each in reversed(self._left) if _is_of(each, site, loader)), None)
        if left is None:
            return False
        self._left.remove(left)
        if left.trains and self._open and len(self._in_turn) < MOST_REMEMBERED:
            for each in (left, *(other for other in self._open if other.trains)):
                each.takes_turns = True
                self._in_turn |= {("loader", each.loader), ("site", each.site)}
            self._turns_are_over = False
            if left is self._single and self.training is not None:
                left.steps += self.training.steps
                self.training, self._single = left, None
        self._open.append(left)
        return True

    def end(self, site: int, loader: int) -> Pass | None:
        """A loader had no more."""
        place = self._place(site, loader)
        if place is None:
            return None
        ended = self._open[place]
        ended.ended = True
        if ended.takes_turns:  # `zip` is over with the first of them; those of another loop go on with their next batch
            place = next(at for at, each in enumerate(self._open) if each.takes_turns)
        self._close(place)
        return ended

    def trains(self, given: Pass | None) -> bool:
        """Whether a pass is the training one, or the next of those."""
        training = self.training
        if given is None or training is None:
            return False
        return given is training or _is_next(training, given.site, given.loader)

    def backward(self) -> None:
        """A loss went backward."""
        if self._open:
            self._open[-1].backwards += 1

    def is_over_at_step(self) -> bool:
        """Whether the step that comes now is the first of another epoch, so that the one before it is over."""
        of, training = self.innermost, self.training
        if of is None or training is None or of is training or training in self._open or training is self._told:
            return False
        return not training.is_a_single_batch and not self._is_beside_training(of)

    def _is_beside_training(self, of: Pass) -> bool:
        """Whether the pass of the epoch goes on as well, as soon as it is its turn."""
        training = self.training
        if training is None or training is self._told or training.ended or self._turns_are_over:
            return False
        return of.takes_turns and training.takes_turns and of.batches <= 1

    def step(self) -> None:
        """The optimizer stepped."""
        of, training = self.innermost or self.training, self.training
        for each in self._open:
            each.trains = True
        if of is not None:
            of.steps += 1
            if training is not None and (training in self._open or self._is_beside_training(of)):
                training.steps += of is not training
            elif of is not training:
                if training is not None and training.is_a_single_batch:
                    self._single = training
                else:
                    self.epoch += training is not None
                self.training = of
                if training is None or training.site != of.site:
                    beside = training is not None and of.takes_turns and training.takes_turns
                    self._alternate |= of.site in self._first_epochs and not beside
                    self._first_epochs.setdefault(of.site, max(self.epoch, 1))
            elif not self._open:
                of.steps_behind += of.exhausted
            self._single = self._single if of.is_a_single_batch else None
            self.counts_epochs = not of.is_outrun and self._single is None
        self.epoch = max(self.epoch, 1)

    def end_epoch(self) -> None:
        """The epoch that was over has been told of."""
        self.over = False
        training = self._told = self.training
        if training is not None and training.steps and training.steps not in self._whole_epochs[:2]:
            self._whole_epochs.append(training.steps)

    def is_left(self) -> bool:
        """Whether the pass that trained is over, now that another optimizer steps in none."""
        training = self.training
        return (
            self.innermost is None
            and training is not None
            and training is not self._told
            and not training.is_a_single_batch
        )

    def take_over(self) -> None:
        """Another optimizer takes the steps of the run from here on, in passes of its own, or in none."""
        training = self.training
        self._open = [each for each in self._open if each is not training]
        self._whole_epochs.clear()
        if training is not None and not self._open:
            self.epoch += not training.is_a_single_batch
            self.training = None

    def close_all(self) -> None:
        """The process is gone: whatever is open is over."""
        self._close(0)

    def finish(self, *, validated: bool) -> None:
        """The process is gone. An epoch that was left early is over if something was validated behind it, and if it is
        known to be one: there were others, or its loader has an end."""
        training = self.training
        if training is None or training is self._told or training.is_outrun:
            return
        single = training.is_a_single_batch and self._single is not None
        known = training.length is not None or len(self._whole_epochs) > 0
        if training.exhausted or (validated and known and not single):
            self.over = self.over or training.steps > 0

    def _place(self, site: int, loader: int) -> int | None:
        for place in range(len(self._open) - 1, -1, -1):
            if _is_of(self._open[place], site, loader):
                return place
        return None

    def _close_begun_after(self, training: Pass) -> None:
        """Passes behind the training are over as it begins anew, be it that a validation was left early."""
        behind = (place for place, each in enumerate(self._open) if each.began > training.last and not each.trains)
        if (place := next(behind, None)) is not None:
            self._close(place)

    def _close(self, place: int) -> None:
        """Passes from a place of the stack on are over, or left."""
        closed = self._open[place:]
        del self._open[place:]
        self.done += [each for each in reversed(closed) if not each.trains and len(self.done) < MOST_OPEN]
        self._left = [*self._left, *(each for each in closed if each.may_go_on)][-MOST_OPEN:]


def _is_of(one: Pass, site: int, loader: int) -> bool:
    return one.loader == loader and (one.site == site or loader != 0)


def _is_next(training: Pass, site: int, loader: int) -> bool:
    """Whether a pass there is the next one over the data that trains; loaders may be made anew for each epoch."""
    return training.steps > 0 and (training.loader == loader or training.site == site)
