"""What the curves of all presets span together, as one after the other of them changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, TypeAlias

from tui_trainer.plotting.curves import Extent
from tui_trainer.ui.compare.highest import Highest
from tui_trainer.ui.compare.lines import Curve, Lines

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group

Work: TypeAlias = Callable[[Curve], Extent | None]
"""What finds the range of a curve, such as one without spikes."""

AT_A_TIME = 8
"""Presets between two looks at the clock."""


class NotYet(Exception):
    """A frame has done its share; what is asked for comes with a later one."""


class Ranges:
    """Of presets' lines, by what finds them; of lines that ended early, without what is more than `most`."""

    def __init__(self) -> None:
        self._lines: dict[Group, Lines] = {}
        self._of: dict[tuple[Work, bool], _Range] = {}
        self._early: dict[Group, None] = {}
        """Those that ended early."""

    @property
    def any_early(self) -> bool:
        """Whether any ended early."""
        return bool(self._early)

    def put(self, group: Group, lines: Lines) -> None:
        """The lines of a preset as they are now."""
        self._lines[group] = lines
        if lines.end is not None:
            self._early[group] = None
        else:
            self._early.pop(group, None)
        for each in self._of.values():
            each.waiting[group] = None

    def leave_out(self, group: Group) -> None:
        """That one is not drawn."""
        if self._lines.pop(group, None) is not None:
            self._early.pop(group, None)
            for each in self._of.values():
                each.leave_out(group)

    def together(self, work: Work, until: float, *, most: float | None = None, calm: bool = False) -> Extent | None:
        """What all of them span, or with `calm` those that did not end early; None where there is nothing.

        Raises:
            NotYet: this thread has computed until then.
        """
        known = self._of.get((work, calm))
        if known is None:
            known = self._of[work, calm] = _Range(self._lines)
        if most != known.most:
            known.most = most
            known.waiting.update(self._early)
        for count, group in enumerate([*known.waiting], 1):
            lines = self._lines[group]
            early = lines.end is not None
            known.put(group, None if early and calm else lines.range_by(work, most if early else None))
            if count % AT_A_TIME == 0 and time.thread_time() >= until:
                raise NotYet
        return known.extent


class _Range:
    """The lowest and the highest value of all."""

    def __init__(self, groups: dict[Group, Lines]) -> None:
        self.most: float | None = None
        self.waiting: dict[Group, None] = dict.fromkeys(groups)
        """Those that are to be looked at."""
        self._highest: Highest[Group] = Highest(-inf)
        self._lowest: Highest[Group] = Highest(-inf)
        """With a minus before it."""

    def put(self, group: Group, extent: Extent | None) -> None:
        """What one spans."""
        self.waiting.pop(group, None)
        self._lowest.put(group, -extent[0] if extent is not None else -inf)
        self._highest.put(group, extent[1] if extent is not None else -inf)

    def leave_out(self, group: Group) -> None:
        """That one is not drawn."""
        self.waiting.pop(group, None)
        self._lowest.leave_out(group)
        self._highest.leave_out(group)

    @property
    def extent(self) -> Extent | None:
        """None where none spans anything."""
        low, high = -self._lowest.value, self._highest.value
        return (low, high) if low <= high else None
