"""Numbers that a program reads batch by batch while it validates, and what they come to over the whole pass.

`test_loss += F.nll_loss(output, target, reduction="sum").item()` is a sum over images; `losses.append(loss.item())` is
a loss of each batch. Which it is, the line of the program says, or a number that it prints behind the pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import NamedTuple

from tui_trainer.watching.interpreter.named_values import Measure, meaning, words
from tui_trainer.watching.interpreter.printed import is_written_as
from tui_trainer.watching.trace import LoaderSeen, Site

HITS = frozenset({"correct", "corrects", "hits", "right", "ncorrect"})
"""What programs call the number of images that were classified rightly."""

_GIVEN_TO = re.compile(
    r"^\s*(?:self\.)?([A-Za-z_][\w.]*?)\s*(?:\[[^\]]*\])?\s*(?:\+=|=(?!=)|\.(?:append|update|add)\()"
)
_SUMMED = re.compile(r"reduction\s*=\s*['\"]sum['\"]|size_average\s*=\s*False")
_DIVIDED = re.compile(r"\.item\(\)\s*/")
_BY_SIZE = re.compile(r"/\s*(?:float\()?\s*(?:len\(|[\w.]+\.(?:size\(\)\s*\[0\]|size\(0\)|shape\[0\]))")
_MOST_ON_THE_WAY = 10_000
"""Batches of a pass of which it is remembered what had been read by then."""

_TIMES_SIZE = re.compile(r"size\(0\)|shape\[0\]|\blen\(|batch_size|\bbs\b|\bn\b")


@dataclass(slots=True)
class BatchRead:
    """The numbers that one line read in a pass."""

    site: Site
    count: int = 0
    total: float = 0.0
    last: float = 0.0
    least: float = 0.0
    most: float = 0.0
    whole: bool = True
    weighted: float = 0.0
    """The sum of each number times the images of its batch."""
    images: int = 0
    parts: float = 0.0
    """The sum of each number divided by the images of its batch; nan where one of these is not known."""
    on_the_way: list[tuple[float, float, float]] = field(default_factory=list)
    """Behind each batch: the number, the mean of all until then, and the mean over images."""

    def add(self, value: float, size: int) -> None:
        """A number of a batch of so many images."""
        self.least = value if not self.count else min(self.least, value)
        self.most = value if not self.count else max(self.most, value)
        self.count += 1
        self.total += value
        self.weighted += value * size
        self.images += size
        self.parts += value / size if size else nan
        self.last = value
        self.whole = self.whole and value == value // 1
        if len(self.on_the_way) < _MOST_ON_THE_WAY:
            over_images = self.weighted / self.images if self.images else value
            self.on_the_way.append((value, self.total / self.count, over_images))

    def passed(self, written: str) -> bool:
        """Whether a number that was printed is what this was at a batch on the way: a progress bar tells it as it
        comes."""
        on_the_way = [value for values in self.on_the_way[:-1] for value in values]
        return self.count > 1 and any(is_written_as(value, written) for value in (*on_the_way, self.last))

    @property
    def label(self) -> str:
        """What the program calls it: what it is given to, but of a meter that has no name for it the number's own."""
        given_to = _GIVEN_TO.match(self.site.text)
        if given_to is None or (".update(" in self.site.text and not meaning(given_to[1]).measure):
            return self.site.name
        return given_to[1]


class Candidate(NamedTuple):
    """A number that a pass may come to."""

    label: str
    measure: Measure
    value: float
    likely: bool
    """Whether the line of the program says that this is it."""


def candidates(read: BatchRead, loader: LoaderSeen | None, *, whole_pass: bool) -> list[Candidate]:
    """What the numbers of a line may come to, the likeliest first."""
    if not read.count or not isfinite(read.total):
        return []
    said, label, text = meaning(read.label), read.label, read.site.text
    samples = loader.samples if loader is not None and whole_pass and not loader.drop_last else None
    if said.measure in ("accuracy", "") and HITS.intersection(words(label)) and _DIVIDED.search(text):
        mean_part = read.parts / read.count
        is_part = _BY_SIZE.search(text) is not None and 0 <= mean_part <= 1  # of each batch, and these are averaged
        return [Candidate(label, "accuracy", mean_part, likely=True)] if is_part and read.whole else []
    if HITS.intersection(words(label)) or (said.measure == "accuracy" and read.whole and ".sum()" in text):
        if samples and read.whole and read.least >= 0 and read.total <= samples:
            return [Candidate(label, "accuracy", read.total / samples, likely=True)]
        return []
    if said.measure == "lr":
        return []
    # What has a name that says nothing may be a loss, if a number that is printed behind the pass says so.
    measure, named = said.measure or "loss", bool(said.measure)
    mean = read.total / read.count
    found = []
    if samples and measure == "loss":
        found.append(Candidate(label, "loss", read.total / samples, named and _SUMMED.search(text) is not None))
    if samples:
        by_size = "*" in text or ".update(" in text
        likely = named and by_size and _TIMES_SIZE.search(text) is not None
        found.append(Candidate(label, measure, read.weighted / samples, likely=likely))
    is_summed = any(each.likely for each in found)
    found.append(Candidate(label, measure, mean, likely=named and not is_summed))
    return sorted(found, key=lambda each: not each.likely)
