"""The machine under the run: how busy it is and with whom, and where the time of a step goes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from itertools import zip_longest

from tui_trainer.records.history import History
from tui_trainer.ui.formatting import cut, wrap
from tui_trainer.ui.machine.lines import ROOMY, Part, heading, in_one_line, machine_lines, step_in_short, step_lines
from tui_trainer.ui.machine.machine import Machine
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of

WINDOW_S = 10.0
"""Seconds that are looked back on."""

PARTS = ("data", "zero_grad", "forward", "loss", "backward", "optimizer.step", "scheduler.step")


class StepTimes:
    """Keeps what the tallies of calls were a while ago; the difference to now is the answer."""

    def __init__(self) -> None:
        self._history: History | None = None
        self._before: deque[tuple[float, dict[str, tuple[int, float]]]] = deque()

    def parts(self, history: History, now: float) -> list[Part]:
        """The parts of a step in their order; of a run that stands still, over all of it. Empty before the first.

        `now` is in monotonic seconds.
        """
        if history is not self._history:
            self._history = history
            self._before.clear()
        tallies = {call: (tally.count, tally.seconds) for call, tally in history.calls.items()}
        if not self._before or now - self._before[-1][0] >= 1.0:
            self._before.append((now, tallies))
        while len(self._before) > 1 and now - self._before[1][0] >= WINDOW_S:
            self._before.popleft()
        return _between(self._before[0][1], tallies) or _between({}, tallies)


def _between(before: dict[str, tuple[int, float]], after: dict[str, tuple[int, float]]) -> list[Part]:
    nothing = (0, 0.0)
    batches = after.get("forward", nothing)[0] - before.get("forward", nothing)[0]
    if batches <= 0:
        return []
    seconds: dict[str, float] = {}
    for call in PARTS:
        count, spent = after.get(call, nothing)
        count_before, spent_before = before.get(call, nothing)
        if call == "data" or count - count_before >= batches / 2:  # what is at an epoch's end is not in a step
            seconds[call] = spent - spent_before
    total = sum(seconds.values())
    return [Part(call, spent / batches, spent / total if total > 0 else 0.0) for call, spent in seconds.items()]


NOT_YET = "measured once the run has begun"
STEP_WIDTH = 36
"""What a step takes in little room."""
TWO_COLUMNS = 78
"""From this width on, what the machine does stands left of what a step does."""


class MachinePanel(Panel):
    """Figures of the last second; of a run that is over or elsewhere, only where the time of its steps went."""

    def __init__(self, machine: Machine, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._machine = machine
        self._times = StepTimes()
        self._history: History | None = None
        self._share = 0.0
        self._draw_at = 0.0
        self._full = False
        self.height = 0
        """Lines that it takes."""

    def show(self, history: History, share: float) -> None:
        """Draw what is new, once a second; `share` is the screen's own of all cores."""
        if self.has_class("-hidden"):
            return
        self._machine.look(history)
        now = time.monotonic()
        full = self.has_class("-full")
        if full is self._full and now < self._draw_at and history is self._history and self._drawn:
            return
        self._draw_at = now + (1.0 if self._machine.sample is not None else 0.2)
        self._history, self._share, self._full = history, share, full
        self._make_room()
        self.redraw()

    def on_resize(self) -> None:
        super().on_resize()
        self._make_room()

    def _make_room(self) -> None:
        """As high as its lines; a layout, but only where that changes."""
        left, right = self._columns()
        side_by_side = self.size.width >= TWO_COLUMNS
        wanted = max(len(left), len(right)) if side_by_side else len(left) + 1 + len(right)
        height = wanted if self._full else 1
        if height != self.height:
            self.height = height
            self.styles.height = height

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        if self._history is None:
            return []
        if not self._full:
            return [self._in_one_line(width)]
        left, right = self._columns()
        if width < TWO_COLUMNS:
            if len(left) + 1 + len(right) <= self.size.height:
                return [*left, BLANK, *right]
            return [*left, *step_in_short(self._times.parts(self._history, time.monotonic()), width)]
        left_width, _ = self._widths()
        return [
            (*one, Span(" " * max(1, left_width + 2 - width_of(one))), *two)
            for one, two in zip_longest(left, right, fillvalue=BLANK)
        ]

    def _columns(self) -> tuple[list[Line], list[Line]]:
        history = self._history
        if history is None:
            return [], []
        left_width, right_width = self._widths()
        sample, trouble = self._machine.sample, self._machine.trouble
        resolved = history.resolved
        if sample is not None:
            left = machine_lines(sample, left_width, resolved.ranks if resolved is not None else 1)
        else:
            left = [heading("machine"), *((Span(line, "faint"),) for line in wrap(trouble or NOT_YET, left_width))]
        parts = self._times.parts(history, time.monotonic())
        on_device = resolved is not None and resolved.device.startswith("cuda")
        return left, step_lines(parts, right_width, self._share, on_device=on_device)

    def _widths(self) -> tuple[int, int]:
        """Of what the machine does, and of what a step does."""
        width = self.size.width
        if width < TWO_COLUMNS:
            return width, width
        right = width // 2 - 1 if width >= 2 * ROOMY + 2 else STEP_WIDTH
        return width - 2 - right, right

    def _in_one_line(self, width: int) -> Line:
        sample, trouble = self._machine.sample, self._machine.trouble
        told = in_one_line(sample) if sample is not None else trouble or NOT_YET
        return (Span(" machine  ", "faint"), Span(cut(told, width - 10), "" if sample is not None else "faint"))
