"""Validation: passes without steps, with their loss and accuracy where these can be told.

Best is what the program logs by name; then what it reads batch by batch, checked against what it prints; what it prints
alone comes last, and is marked as read from the output. What cannot be told is not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple, TypeAlias

from tui_trainer.watching.interpreter.batch_reads import BatchRead, Candidate, candidates
from tui_trainer.watching.interpreter.definitions import Definitions
from tui_trainer.watching.interpreter.named_values import HELD_OUT, Measure, Shares, meaning, words
from tui_trainer.watching.interpreter.passes import Pass
from tui_trainer.watching.interpreter.printed import PrintedNumber, from_output, is_written_as, numbers_in
from tui_trainer.watching.trace import Site

LINES_KEPT = 100
"""Numbers that were printed since the last step, the latest ones."""

READS_KEPT = 50
"""Lines of the program that read numbers in a pass."""


Line: TypeAlias = tuple[float, PrintedNumber]
"""A number that was printed, with the moment at which it came."""


class Told(NamedTuple):
    """A number, and where it is from."""

    value: float
    shown_as: str
    """The program's own name for it, and that it was read from the output, if it was."""


@dataclass(slots=True)
class Found:
    """What is known of a validation."""

    loss: Told | None = None
    accuracy: Told | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing more can come of it."""
        return self.loss is not None and self.accuracy is not None


class Validation:
    """Takes what may tell of one since the last step of the run."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self.shares = Shares()
        self._printed: list[Line] = []
        """They may come before the calls that were made before them."""
        self.prints = False
        """Whether the program ever printed a number of one."""
        self._within: set[str] = set()
        """What it calls numbers that it printed within an epoch."""
        self._logged: dict[str, float] = {}
        self._passes_told: list[tuple[Pass, dict[int, BatchRead]]] = []
        """The passes of the one that was told last."""
        self._passes: list[tuple[Pass, dict[int, BatchRead]]] = []
        self._reads: dict[int, BatchRead] = {}
        self._reading: Pass | None = None

    def read(self, site: Site, value: float, of: Pass) -> None:
        """The program read a number in a pass that has trained nothing."""
        if self._reading is not of:
            self._reading, self._reads = of, {}
        read = self._reads.get(site.id)
        if read is None:
            if len(self._reads) >= READS_KEPT:
                return
            read = self._reads[site.id] = BatchRead(site)
        read.add(value, self._batch_size(of))

    def pass_over(self, done: Pass, training: Pass | None) -> None:
        """A pass is over in which nothing was trained."""
        reads = self._reads if self._reading is done else {}
        if self._reading is done:
            self._reading, self._reads = None, {}
        is_training_data = training is not None and done.loader == training.loader
        if done.after_training and done.batches and not is_training_data and len(self._passes) < LINES_KEPT:
            self._passes.append((done, reads))

    def logged(self, values: dict[str, float]) -> None:
        """The program logged numbers by name."""
        self._logged.update(values)

    def printed(self, line: str, at: float) -> None:
        """The program printed a line, which came at this moment."""
        numbers = [(at, number) for number in numbers_in(line)]
        if numbers:
            self.prints = self.prints or any(number.of == "val" for _, number in numbers)
            self._printed += numbers
            del self._printed[:-LINES_KEPT]

    def is_pending(self, until: float) -> bool:
        """Whether there is something to take."""
        return bool(self._passes or self._logged or (self._printed and self._printed[0][0] < until))

    @property
    def seen(self) -> bool:
        """Whether there was a pass since the last step."""
        return bool(self._passes)

    def take(self, until: float, *, within: bool = False) -> Found | None:
        """What is known of the validation since the last step, up to a moment; None where nothing is.

        What came until then is of no later one. `within`: whether the epoch goes on.
        """
        lines = [each for each in self._printed if each[0] < until]
        if within:
            self._within.update(number.label for _, number in lines if number.of == "val")
        found = Found(self._by_name("loss"), self._by_name("accuracy"))
        self._complete(found, self._passes, lines)
        self._printed, self._logged = self._printed[len(lines) :], {}
        self._passes_told, self._passes = self._passes, []
        return found if found.loss or found.accuracy else None

    def take_late(self, found: Found, until: float) -> bool:
        """Whether what was printed until a moment, steps after an epoch's end, is of the validation before that end:
        what is known of this has it then. It is not where another one was made since, where the program prints that
        within epochs, or told it of that one already."""
        lines = [each for each in self._printed if each[0] < until]
        of_one = [number for _, number in lines if number.of == "val"]
        told = {"loss": found.loss, "accuracy": found.accuracy}
        known = any(told.get(number.measure) or number.label in self._within for number in of_one)
        if not of_one or known or self._passes:
            return False
        self._complete(found, self._passes_told, lines)
        self._printed = self._printed[len(lines) :]
        return True

    def _complete(self, found: Found, passes: list[tuple[Pass, dict[int, BatchRead]]], lines: list[Line]) -> None:
        """Add what these passes and lines tell and nothing better did."""
        reads, read = self._read_candidates(passes)
        found.loss = found.loss or self._otherwise("loss", reads, read, lines)
        found.accuracy = found.accuracy or self._otherwise("accuracy", reads, read, lines)

    def _by_name(self, measure: Measure) -> Told | None:
        named = [called for called in self._logged if meaning(called)[:2] == (measure, "val") and meaning(called).plain]
        for called in sorted(named, key=lambda called: "step" in words(called)):
            value: float | None = self._logged[called]
            if value is not None and measure == "accuracy":
                value = self.shares.share(called, value)
            if value is not None:
                return Told(value, called)
        return None

    def _read_candidates(
        self, passes: list[tuple[Pass, dict[int, BatchRead]]]
    ) -> tuple[list[BatchRead], list[Candidate]]:
        """What was read in the pass that is meant, and what that may come to."""
        if not passes:
            return [], []
        done, reads = min(passes, key=lambda each: self._rank(each[0]))
        loader = self._definitions.loaders.get(done.loader)
        whole = done.exhausted
        found = [each for read in reads.values() for each in candidates(read, loader, whole_pass=whole)]
        return list(reads.values()), found

    def _rank(self, done: Pass) -> int:
        """Of several passes that is meant whose loader is called after validation, else after a test."""
        loader = self._definitions.loaders.get(done.loader)
        said = words(loader.name) if loader is not None else []
        return 0 if HELD_OUT.intersection(said) else 1 if "test" in said else 2

    def _otherwise(
        self, measure: Measure, reads: list[BatchRead], read: list[Candidate], lines: list[Line]
    ) -> Told | None:
        """Of what was read batch by batch; of what was printed where nothing was. Of two that contradict each other
        none is told: output may come late. What a pass prints of itself on its way contradicts nothing; nor is it what
        the pass comes to."""
        told = self._of_reads(measure, reads, read, lines)
        if told is not None or any(each.measure == measure and each.likely for each in read):
            return told
        behind = [(at, number) for at, number in lines if not any(each.passed(number.written) for each in reads)]
        return self._of_output(measure, behind)

    def _of_reads(
        self, measure: Measure, reads: list[BatchRead], read: list[Candidate], lines: list[Line]
    ) -> Told | None:
        possible = [each for each in read if each.measure == measure]
        printed = [number for _, number in lines if number.measure == measure and number.of != "train"]
        likely = [each for each in possible if each.likely]
        if likely:  # a number that may be told on the way decides only where nothing else does
            printed = [number for number in printed if not any(each.passed(number.written) for each in reads)]
        for each in possible:
            if any(is_written_as(each.value, number.written) for number in printed):
                return self._told(each, measure)
            if measure == "accuracy" and any(is_written_as(100 * each.value, number.written) for number in printed):
                return self._told(each, measure)
        contradicted = any(number.of == "val" for number in printed) and measure == "loss"
        plain = [each for each in likely if meaning(each.label).plain] or likely
        return self._told(plain[0], measure) if len(plain) == 1 and not contradicted else None

    def _of_output(self, measure: Measure, lines: list[Line]) -> Told | None:
        """What the last line says that tells of a validation, of a test only where none does; of `9832/10000 (98%)` the
        first."""
        told = [(at, number) for at, number in lines if number.measure == measure and number.of == "val"]
        if not told:
            return None
        told = [each for each in told if HELD_OUT.intersection(words(each[1].label))] or told
        first = next(number for at, number in told if (at, number.label) == (told[-1][0], told[-1][1].label))
        value: float | None = first.value
        if measure == "accuracy" and not first.is_share:
            value = self.shares.share(first.label, first.value)
        return Told(value, from_output(first.label)) if value is not None else None

    def _told(self, found: Candidate, measure: Measure) -> Told | None:
        value: float | None = found.value
        if measure == "accuracy":
            value = self.shares.share(found.label, found.value)
        return Told(value, found.label) if value is not None and isfinite(value) else None

    def _batch_size(self, of: Pass) -> int:
        """Images of the batch that runs; the last one of a pass holds what is left."""
        loader = self._definitions.loaders.get(of.loader)
        if loader is None or not loader.batch_size:
            return 0
        if loader.samples is not None and not loader.drop_last and of.batches == of.length:
            return max(0, loader.samples - loader.batch_size * (of.batches - 1))
        return loader.batch_size
