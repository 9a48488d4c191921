"""The machine under the run: how busy it is and with whom, asked once a second beside the screen, and where the time of
a step goes; as lines: a bar, a share, and in words whose it is."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from msgspec.structs import replace

from tui_trainer import threads
from tui_trainer.records.history import History
from tui_trainer.records.summary import steps_per_second
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import UNKNOWN, cut, gigabytes, milliseconds, percent, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of

if TYPE_CHECKING:
    import threading

    from tui_trainer.events import ProgramWatched, RunConfigured, RunStarted
    from tui_trainer.ui.machine.sampling import Gpu, Sample, Sampler

ASK_EVERY = 1.0
"""Seconds from one sample to the next; nothing is asked while nobody looks."""

ASK_AGAIN = 60.0
"""The same after a sample that could not be taken at all."""


class Machine:
    """Has the machine of the run on show sampled, in a thread that lives for one sample: some 0.1 ms of CPU time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.sample: Sample | None = None
        """The latest; None while there is none of the run on show."""
        self.trouble = ""
        """Why there cannot be one, in a sentence."""
        self._clock = clock
        self._sampler: Sampler | None = None
        """Of the thread that asks; there is one at a time."""
        self._answers: deque[tuple[RunStarted, Sample | None, str, float]] = deque(maxlen=1)
        """Of which run, a sample or why there is none, and when to ask again: as the thread hands it over."""
        self._watched: tuple[ProgramWatched, RunStarted] | None = None
        self._of: RunStarted | None = None
        """Whose sample it is."""
        self._unseen = ""
        self._pause = ASK_EVERY
        self._ask_at = 0.0
        self._thread: threading.Thread | None = None

    def look(self, history: History) -> None:
        """Ask anew, if it is time: what comes of it stands in `sample` soon."""
        started = self._who_trains(history)
        self.trouble = _out_of_reach(history)
        if self.trouble or started is None:
            self.sample = None
            return
        if started is not self._of:
            self._of, self.sample, self._unseen, self._pause, self._ask_at = started, None, "", ASK_EVERY, 0.0
        while self._answers:
            of, sample, unseen, pause = self._answers.popleft()
            if of is started:
                self.sample, self._unseen, self._pause = sample, unseen, pause
        self.trouble = self._unseen
        if self._clock() < self._ask_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._ask_at = self._clock() + self._pause
        resolved = history.resolved
        self._thread = threads.begin(
            "machine", lambda: self._ask(started, resolved), lambda why: self._fail(started, why)
        )

    def _who_trains(self, history: History) -> RunStarted | None:
        """The process that trains: of a watched program not the one that writes the record."""
        started, program = history.started, history.program
        if started is None or program is None or not program.pid:
            return started if program is None else None
        if self._watched is None or self._watched[0] is not program:
            self._watched = program, replace(started, pid=program.pid, at=program.at)
        return self._watched[1]

    def _ask(self, started: RunStarted, resolved: RunConfigured | None) -> None:
        if self._sampler is None:
            from tui_trainer.ui.machine.sampling import Sampler

            self._sampler = Sampler()
        sample = self._sampler.take(started, resolved)
        trouble = "" if sample is not None else say("machine.unseen")
        self._answers.append((started, sample, trouble, ASK_EVERY))

    def _fail(self, started: RunStarted, why: str) -> None:
        self._answers.append((started, None, say("machine.failed", why=plain(why)), ASK_AGAIN))


def _out_of_reach(history: History) -> str:
    if history.ended is not None:
        return say("machine.over")
    if history.started is not None and history.started.host != socket.gethostname():
        return say("machine.elsewhere", host=plain(history.started.host))
    return ""


LABEL = 9
CALL = 15
ROOMY = 50
"""Columns from which on bars are long and nothing is called by a shorter name."""


class Part(NamedTuple):
    """One call, or the wait for data, in the mean of many steps."""

    call: str
    seconds: float
    share: float
    """Of all parts together."""


def machine_lines(sample: Sample, width: int, ranks: int = 1) -> list[Line]:
    """The processor, the memory, and the device if the run computes on one; `ranks` is how many processes it has."""
    roomy = width >= ROOMY
    whose = say("machine.this_run" if roomy else "machine.run") if ranks == 1 else say("machine.first_of", ranks=ranks)
    others = say("machine.others" if roomy else "machine.rest", share=_short(max(0.0, sample.cpu - sample.cpu_ours)))
    cpu = f"{whose} {_short(sample.cpu_ours)}, {others}"
    memory = f"{whose} {_of(sample.memory_ours, sample.memory_total)}"
    lines: list[Line] = [
        heading("machine", say("machine.cores", cores=sample.cores)),
        _gauge("cpu", sample.cpu, cpu, width),
        _gauge("memory", sample.memory_used / sample.memory_total, memory, width),
    ]
    if sample.gpu is not None:
        lines += _gpu_lines(sample.gpu, width, whose)
    if trouble := sample.gpu_trouble or (sample.gpu.unknown if sample.gpu is not None else ""):
        lines += [(Span(" " * LABEL), Span(line, "faint")) for line in wrap(trouble, width - LABEL)]
    return lines


def step_lines(
    parts: Sequence[Part],
    width: int,
    screen: float,
    *,
    on_device: bool = False,
    untold: bool = False,
    apart: float = 0.0,
) -> list[Line]:
    """Where the time of a step goes.

    Args:
        parts: in their order; empty where none is known.
        width: in cells.
        screen: the share of all cores that the screen itself takes.
        on_device: it was launched on a device in that time, and computed there later.
        untold: there were steps, or none comes any more, so that no parts will be known.
        apart: seconds from one step to the next, for where no parts are known; 0 where these are not known either.
    """
    total = _whole_step(parts, on_device=on_device, untold=untold, apart=apart)
    if parts and not on_device:
        total = say("machine.on_average", seconds=total)
    lines: list[Line] = [(Span("a step".ljust(CALL), "faint"), Span(total, "faint"))]
    for part in parts:
        bar = _bar(part.share, width)
        time_of_it = Span(milliseconds(part.seconds).rjust(9), "faint")
        lines.append((Span(part.call.ljust(CALL), "faint"), *bar, Span(f" {percent(part.share).rjust(5)}"), time_of_it))
    beside = say("machine.of_all_cores" if width >= ROOMY else "machine.of_cores")
    screens = Span(f"{screen * 100:4.1f} %")
    lines.append((Span("screen".ljust(CALL), "faint"), *_bar(screen, width), screens, Span(beside, "faint")))
    if on_device and parts:
        lines.append((Span(say("machine.handed_over"), "faint"),))
    return lines


def step_in_short(
    parts: Sequence[Part], width: int, *, on_device: bool = False, untold: bool = False, apart: float = 0.0
) -> list[Line]:
    """The same where there is room for a line or two."""
    told = [f"{part.call} {_short(part.share)}" for part in parts if part.share >= 0.01]
    lines = [_whole_step(parts, on_device=on_device, untold=untold, apart=apart)]
    for piece in told:
        if len(lines[-1]) + len(piece) + 3 > width - LABEL:
            lines.append(piece)
        else:
            lines[-1] += f" · {piece}"
    return [(Span(("" if n else "a step").ljust(LABEL), "faint"), Span(line)) for n, line in enumerate(lines)]


def _whole_step(parts: Sequence[Part], *, on_device: bool, untold: bool, apart: float) -> str:
    if not parts and apart > 0:
        return say("machine.steps_apart", seconds=milliseconds(apart))
    if not parts:
        return say("machine.step_untold" if untold else "machine.no_step_yet")
    seconds = milliseconds(sum(part.seconds for part in parts))
    return say("machine.launched", seconds=seconds) if on_device else seconds


def in_one_line(sample: Sample) -> str:
    """The same of the machine, where there is room for a line."""
    facts = [
        say("machine.busy", share=_short(sample.cpu), ours=_short(sample.cpu_ours)),
        say(
            "machine.memory", share=_short(sample.memory_used / sample.memory_total), ours=gigabytes(sample.memory_ours)
        ),
    ]
    if sample.gpu is not None:
        busy = say("machine.gpu", share=_short(sample.gpu.busy))
        facts += [text for text in (busy, _heat(sample.gpu)) if text]
        facts += [say("machine.slowed_by", reasons=reason) for reason in sample.gpu.slowed_by[:1]]
    return " · ".join(facts)


def heading(title: str, told: str = "") -> Line:
    """What the lines under it are about."""
    return (Span(title.ljust(LABEL), "faint"), Span(told, "faint"))


def _gpu_lines(gpu: Gpu, width: int, whose: str) -> list[Line]:
    lines: list[Line] = [_gauge("gpu", gpu.busy, gpu.name, width)]
    if gpu.memory_used is not None and gpu.memory_total:
        told = _of(gpu.memory_used, gpu.memory_total)
        if gpu.memory_ours is not None and gpu.others and width >= ROOMY:
            others = _of(max(0, gpu.memory_used - gpu.memory_ours), gpu.memory_total)
            told = f"run {gigabytes(gpu.memory_ours).removesuffix(' GB')}, others {others}"
        elif gpu.memory_ours is not None:
            told = f"{whose} {_of(gpu.memory_ours, gpu.memory_total)}"
        lines.append(_gauge("  memory", gpu.memory_used / gpu.memory_total, told, width))
    if gpu.watts is not None:
        share = gpu.watts / gpu.watts_allowed if gpu.watts_allowed else None
        lines.append(_gauge("  power", share, _heat(gpu), width))
    elif gpu.celsius is not None:
        lines.append(_gauge("  heat", None, _heat(gpu), width))
    if gpu.slowed_by:
        slowed = say("machine.slowed_by", reasons=" and ".join(gpu.slowed_by))
        lines.append((Span(cut(f"  {slowed}", width), "warning"),))
    return lines


def _of(some: int, total: int) -> str:
    """`0.6 of 16.0 GB`."""
    return f"{gigabytes(some).removesuffix(' GB')} of {gigabytes(total)}"


def _heat(gpu: Gpu) -> str:
    """`310 of 700 W, 64 °C`, as far as it is told."""
    facts = []
    if gpu.watts is not None:
        allowed = say("machine.allowed", watts=f"{gpu.watts_allowed:.0f}") if gpu.watts_allowed else ""
        facts.append(say("machine.power", watts=f"{gpu.watts:.0f}", allowed=allowed))
    if gpu.celsius is not None:
        facts.append(say("machine.heat", celsius=gpu.celsius))
    return ", ".join(facts)


def _gauge(label: str, share: float | None, told: str, width: int) -> Line:
    gap = "  " if width >= ROOMY else " "
    start = (Span(label.ljust(LABEL), "faint"), *_bar(share or 0.0, width), Span(f" {_share(share).rjust(5)}{gap}"))
    return (*start, Span(cut(told, max(0, width - width_of(start))), "faint"))


def _share(share: float | None) -> str:
    return UNKNOWN if share is None else percent(share)


def _short(share: float | None) -> str:
    return _share(share).strip()


def _bar(share: float, width: int) -> tuple[Span, Span]:
    """Ten cells, in little room five, in halves."""
    cells = 10 if width >= ROOMY else 5
    halves = round(min(max(share, 0.0), 1.0) * cells * 2)
    whole, half = divmod(halves, 2)
    done = "━" * whole + ("╸" if half else "")
    return Span(done, "live"), Span("─" * (cells - len(done)), "rule")


WINDOW_S = 10.0
"""Seconds that are looked back on."""

PARTS = (
    "data",
    "zero_grad",
    "forward",
    "loss",
    "backward",
    "clip_grad",
    "optimizer.step",
    "ema.update",
    "scheduler.step",
)


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


def _is_untold(history: History) -> bool:
    """Whether no time of a call is to be waited for: batches were trained without one, or none comes any more."""
    return history.ended is not None or history.last_step > 0


class _How(TypedDict):
    """What `step_lines` is told of a run."""

    on_device: bool
    untold: bool
    apart: float


def _how(history: History) -> _How:
    speed = steps_per_second(history) if history.program is not None else 0.0
    apart = 1.0 / speed if speed > 0 else 0.0
    return {"on_device": _on_device(history), "untold": _is_untold(history), "apart": apart}


def _on_device(history: History) -> bool:
    return history.resolved is not None and history.resolved.on_cuda


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
            return [self._in_one_line(self._history, width)]
        left, right = self._columns()
        if width < TWO_COLUMNS:
            if len(left) + 1 + len(right) <= self.size.height:
                return [*left, BLANK, *right]
            parts = self._times.parts(self._history, time.monotonic())
            short = step_in_short(parts, width, **_how(self._history))
            return [*left, *short]
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
        sample, resolved = self._machine.sample, history.resolved
        if sample is not None:
            left = machine_lines(sample, left_width, resolved.ranks if resolved is not None else 1)
        else:
            left = [heading("machine"), *((Span(line, "faint"),) for line in wrap(self._why_not(history), left_width))]
        parts = self._times.parts(history, time.monotonic())
        return left, step_lines(parts, right_width, self._share, **_how(history))

    def _why_not(self, history: History) -> str:
        """Why there is no sample."""
        if self._machine.trouble:
            return self._machine.trouble
        return say("machine.not_begun" if history.started is None else "machine.being_measured")

    def _widths(self) -> tuple[int, int]:
        """Of what the machine does, and of what a step does."""
        width = self.size.width
        if width < TWO_COLUMNS:
            return width, width
        right = width // 2 - 1 if width >= 2 * ROOMY + 2 else STEP_WIDTH
        return width - 2 - right, right

    def _in_one_line(self, history: History, width: int) -> Line:
        sample = self._machine.sample
        told = in_one_line(sample) if sample is not None else self._why_not(history)
        return (Span(" machine  ", "faint"), Span(cut(told, width - 10), "" if sample is not None else "faint"))
