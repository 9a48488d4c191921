"""The listing of a watched loop: its calls in the order in which they come, nested by passes; how often each was made,
for how long, and which runs."""

from __future__ import annotations

from collections import deque
from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tui_trainer.events import CallSite
from tui_trainer.watching.interpreter.definitions import LARGEST, Definitions, name
from tui_trainer.watching.interpreter.passes import Pass
from tui_trainer.watching.trace import Rows, Site

LISTED_AT_MOST = 1000
COUNTED_AT_MOST = 100
"""Sites whose times are told; a line of a record holds no more."""

SAMPLE_EVERY = 0.2
"""Seconds between the instants at which the call that runs is taken down."""

NOT_LISTED = frozenset({"lr", "momentum", "weight_decay", "scale", "train", "item", "held"})
"""Rows that tell a value: they are no call of the loop."""

LARGEST_SITE = 100_000

HOLDS_KEPT = 256
"""Times that the program was held: a call around more of them seems longer than it was."""

LONGEST_CALL = 1e6
"""Seconds; a row that claims more is not believed."""

TOP = 0

Row: TypeAlias = tuple[float, float, float, float]
"""A call: its site, when it began and ended, and its value."""


class Listing:
    """Places each site as it is seen first, and counts the calls of all."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._order: dict[int, list[int]] = {TOP: []}
        """The sites within each pass, or within another call; those of no pass are at the top."""
        self._listed_as: dict[float, int] = {}
        """Sites by the number that their line is listed by: a program may make its loaders anew for each epoch."""
        self._within: dict[int, int] = {}
        self._data: list[int] = []
        """Sites of passes."""
        self._closures: set[int] = set()
        """Steps of optimizers within which there are calls."""
        self.changed = False
        self._counts: dict[int, int] = {}
        self._seconds: dict[int, float] = {}
        self._running = ""
        self._sampled = 0.0
        """The last instant at which the call that ran was taken down."""
        self._holds: deque[tuple[float, float]] = deque(maxlen=HOLDS_KEPT)
        """When the program was held last, each from and until when."""
        self._owed: dict[int, float] = {}
        """Seconds of calls within another, whose own are still to come."""

    def knows(self, site: int) -> bool:
        """Whether it has its place."""
        return site in self._listed_as

    def place(self, site: Site, innermost: Pass | None, begin: float, recent: list[Row]) -> None:
        """A call is made for the first time.

        Args:
            site: of the call.
            innermost: the pass that runs; of `data` the one that it stands in.
            begin: when it began.
            recent: the calls until it, as rows, the newest last: those that began later are within it.
        """
        if site.call in NOT_LISTED or len(self._listed_as) >= 10 * LISTED_AT_MOST:
            return
        listed = self._listed_as[site.id] = self._definitions.place(site)
        if site.call == "data":
            self._data.append(site.id)
        if listed in self._within or len(self._within) >= LISTED_AT_MOST:
            return
        container = TOP
        if innermost is not None and (not innermost.exhausted or innermost.batches == 1):
            container = innermost.site
        order = self._order.setdefault(container, [])
        place = self._after_last(container, recent, begin)
        order.insert(place, listed)
        self._within[listed] = container
        if site.call == "optimizer.step":
            self._move_inside(listed, container, begin, recent)
        self.changed = True

    def _after_last(self, container: int, recent: list[Row], begin: float) -> int:
        order = self._order[container]
        for row in reversed(recent):
            before = self._listed_as.get(row[0], TOP)
            if row[1] < begin and self._within.get(before) == container:
                return order.index(before) + 1
        return len(order)

    def _move_inside(self, site: int, container: int, begin: float, recent: list[Row]) -> None:
        """Calls of a closure are within the optimizer's step that calls it."""
        inside: list[int] = []
        for row in reversed(recent):
            if not row[1] >= begin:
                break
            other = self._listed_as.get(row[0], TOP)
            if other not in (site, *inside) and self._within.get(other) == container:
                inside.insert(0, other)
        for other in inside:
            self._order[container].remove(other)
            self._within[other] = site
        if inside:
            self._order[site] = inside
            self._closures.add(site)

    # Times

    def count(self, rows: Rows) -> None:
        """Add what was called."""
        sites, begins, ends = rows[:, 0], rows[:, 1], rows[:, 2]
        with np.errstate(invalid="ignore", over="ignore"):
            seconds = ends - begins
            sound = (sites >= 1) & (sites <= LARGEST_SITE) & (sites == np.floor(sites)) & (seconds >= 0)
            sound &= seconds < LONGEST_CALL
        numbers = sites[sound].astype(np.int64)
        if not len(numbers):
            return
        counts = np.bincount(numbers)
        times = np.bincount(numbers, seconds[sound] - self._seconds_held(begins[sound], ends[sound]))
        called = np.flatnonzero(counts).tolist()
        for site in self._data:  # that it begins or has no more is no batch
            if site < len(counts) and counts[site]:
                counts[site] = np.count_nonzero((numbers == site) & (rows[:, 3][sound] == 0))
        for site in called:
            listed = self._listed_as.get(site)
            if listed in self._within:
                self._counts[listed] = self._counts.get(listed, 0) + int(counts[site])
                self._seconds[listed] = self._seconds.get(listed, 0.0) + float(times[site])
        self._sample(numbers, begins[sound], ends[sound])

    def held(self, begin: float, end: float) -> None:
        """The program was held between two moments; calls around that are still to be counted."""
        if isfinite(end) and begin < end:
            self._holds.append((begin, end))

    def _seconds_held(self, begins: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
        """For how many seconds of each call the program was held."""
        held = np.zeros(len(begins))
        if self._holds and self._holds[-1][1] > begins.min():
            for begin, end in self._holds:
                held += np.where((begins <= begin) & (end <= ends), end - begin, 0.0)
        return held

    def _sample(self, sites: Rows, begins: Rows, ends: Rows) -> None:
        """Take down which call ran at an instant: over time each is caught in proportion to the time that it takes. In
        between there may be none: the program's own code runs then, its network's forward pass among it."""
        instant = float(ends[-1]) // SAMPLE_EVERY * SAMPLE_EVERY
        if not isfinite(instant) or instant == self._sampled:
            return
        self._sampled = instant
        place = int(np.searchsorted(ends, instant))
        ran = self._listed_as.get(int(sites[place])) if place < len(ends) and begins[place] <= instant else None
        self._running = str(ran) if ran in self._within else ""

    def timed(self) -> tuple[dict[str, int], dict[str, float], str]:
        """Counts and seconds since the last time, and the call that runs, by the ids of the listing."""
        self._subtract_closures()
        most = sorted(self._counts, key=lambda site: -self._seconds.get(site, 0.0))[:COUNTED_AT_MOST]
        counts = {str(site): self._counts[site] for site in most}
        seconds = {str(site): round(self._seconds[site], 6) for site in most}
        self._counts, self._seconds = {}, {}
        return counts, seconds, self._running

    def _subtract_closures(self) -> None:
        """The time of calls within an optimizer's step is theirs, and not the step's."""
        for outer, inside in self._order.items():
            if outer == TOP or outer not in self._closures:
                continue
            own = self._seconds.get(outer, 0.0) - sum(self._seconds.get(site, 0.0) for site in inside)
            own += self._owed.pop(outer, 0.0)
            if own < 0:
                self._owed[outer] = own
            if outer in self._seconds:
                self._seconds[outer] = max(own, 0.0)

    # The listing

    def sites(self) -> list[CallSite]:
        """All that was seen, in its order; a pass, or a step with a closure, comes before what is within it."""
        self.changed = False
        listed: list[CallSite] = []
        self._list(TOP, listed, set())
        return listed

    def _list(self, container: int, listed: list[CallSite], seen: set[int]) -> None:
        for site in self._order.get(container, []):
            if site in seen:
                continue
            seen.add(site)
            if (known := self._definitions.sites.get(site)) is not None:
                listed.append(self._listed(known, container))
            self._list(site, listed, seen)

    def _listed(self, site: Site, container: int) -> CallSite:
        return CallSite(
            id=str(site.id),
            call=name(site.call),
            text=name(self._text(site)),
            file=name(site.file),
            lineno=site.lineno if 0 <= site.lineno <= LARGEST else 0,
            function=name(site.function),
            within=str(container) if container != TOP else "",
        )

    def _text(self, site: Site) -> str:
        """The line of the program; where there is none to read, what it would be."""
        if site.text:
            return site.text.strip()
        if site.call == "data":
            loader = self._definitions.loaders.get(site.target)
            return f"for batch in {site.name or (loader.class_name if loader is not None else 'DataLoader')}:"
        if site.call == "backward":
            return f"{site.name or 'loss'}.backward()"
        _, _, method = site.call.rpartition(".")
        return f"{site.name}.{method}()" if site.name else f"{site.call}()"
