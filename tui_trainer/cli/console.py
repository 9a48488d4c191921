"""A run without a screen: plain lines for pipes and log files, a bar on a terminal, an object an epoch for scripts; for
as long as somebody reads: a closed terminal, or a pipe's lost reader, ends no run.

What is printed is kept in the run's log too, for who looks at it later, or from elsewhere.

The thread that trains never waits for the one that prints: events lie in a queue between them.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallsMade,
    CallsTimed,
    CommandAnswered,
    ConfusionCounted,
    EpochEnded,
    LRChanged,
    MetricColumns,
    MetricsLogged,
    PresetSwitched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    StepsTaken,
)
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.history import History
from tui_trainer.records.outcome import best_of_all, end_in_words
from tui_trainer.records.record import Record
from tui_trainer.records.summary import images_per_second
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.output import Output, visible
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

CALM = 10.0
"""Seconds between plain lines within an epoch."""

SAID_ALREADY = frozenset({"preset", "best"})
"""Notices that say nothing new here: before the run began they were said, and an epoch's line says that it is best."""


class Reporter(Protocol):
    """Somebody who tells of a run as it goes; owns nothing of it."""

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""

    def close(self) -> None:
        """The run is over: leave the terminal clean."""


def reporter_for(out: TextIO | None, *, as_json: bool) -> Reporter:
    """The one that suits where the output goes; None is nowhere."""
    if out is None:
        return Quiet()
    if as_json:
        return JsonLines(out)
    return Bar(out) if out.isatty() and os.environ.get("TERM", "dumb") != "dumb" else PlainLines(out)


class Quiet:
    """Says nothing: of several processes that train together, the first one speaks."""

    def tell(self, event: AnyEvent, history: History) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing to clean up."""


class JsonLines:
    """One JSON object an epoch, with the columns of `epochs.csv`, and no more."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def tell(self, event: AnyEvent, history: History) -> None:
        if isinstance(event, EpochEnded):
            row = {
                "run": history.started.run if history.started else "",
                "epoch": event.epoch,
                "step": event.step,
                "train_loss": _measured(event.train_loss),
                "train_accuracy": _measured(event.train_accuracy),
                "val_loss": _measured(event.val_loss),
                "val_accuracy": _measured(event.val_accuracy),
                "lr": _measured(event.lr),
                "images_per_second": _measured(event.images_per_second),
                "elapsed_s": event.elapsed,
            }
            print(json.dumps(row), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing to clean up."""


def _measured(share: float) -> float | None:
    return share if isfinite(share) else None


def _validation(ended: EpochEnded) -> str:
    """What was measured on the images that validate."""
    val_loss = "" if ended.validated is None else f"{say('epoch.not_validated')}  "
    if ended.validated:
        val_loss = f"val_loss {ended.val_loss:.4f}  "
    return val_loss + (f"val_accuracy {ended.val_accuracy:.4f}  " if isfinite(ended.val_accuracy) else "")


class PlainLines:
    """Short lines at a calm rate, by a clock in seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._next = clock() + CALM

    def tell(self, event: AnyEvent, history: History) -> None:
        for line in in_lines(event, history):
            self._say(line)
        if history.steps and self._clock() >= self._next:
            self._say(_position(history))

    def close(self) -> None:
        """Nothing to clean up."""

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)
        self._next = self._clock() + CALM


class Bar:
    """A progress bar, with the same lines as on a pipe above it."""

    def __init__(self, out: TextIO) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %", markup=False),
            TimeRemainingColumn(),
            console=console_on(out),
            refresh_per_second=2,
        )
        self._task = self._progress.add_task(say("line.starting"), total=None)
        self._progress.start()

    def tell(self, event: AnyEvent, history: History) -> None:
        for line in in_lines(event, history):
            self._progress.console.print(line, markup=False, highlight=False)
        if history.steps:
            total = history.recipe.total_steps if history.recipe else None
            self._progress.update(self._task, completed=history.steps, total=total, description=_position(history))
        elif history.phase:
            self._progress.update(self._task, description=" ".join((history.phase, plain(history.phase_detail))))

    def close(self) -> None:
        """Give the terminal back."""
        self._progress.stop()


def console_on(out: TextIO) -> Console:
    """One that writes sequences of its own, and shows those in a text as what they are."""
    from rich.console import Console
    from rich.segment import Segment

    class Plain(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else Segment(visible(segment.text), segment.style)

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))  # rich would end the program

    raw = out.raw if isinstance(out, Output) else out
    return Plain(file=raw, markup=False, highlight=False)


def in_lines(event: AnyEvent, history: History) -> list[str]:
    """What a person should read of an event, without a screen to see it on."""
    match event:
        case RunConfigured(recipe=recipe) as run:
            return [_began(run, recipe)]
        case LRChanged(epoch=epoch, reason=reason):
            return [say("line.lr", epoch=epoch, reason=plain(reason))]
        case EpochEnded() as ended:
            return [_epoch(ended, is_best=history.best is ended and history.health.beats_guessing(ended))]
        case PresetSwitched(epoch=epoch, recipe=recipe):
            return [say("line.switched", epoch=epoch, preset=plain(recipe.preset))]
        case CommandAnswered(command=command, by=by, answer=answer):
            return [say("line.answered", by=plain(by), command=plain(command), answer=plain(answer))]
        case Alert(kind=kind, text=text) if kind not in SAID_ALREADY:
            return [plain(text)]
        case RunEnded() as ended:
            return [end_in_words(ended, best_of_all(history), history.finding)]
        case _:
            return []


def _began(run: RunConfigured, recipe: ResolvedConfig) -> str:
    device = plain(run.device)
    if run.threads and run.device == "cpu":  # beside another device it would be read as so many of those
        device += say("line.threads", threads=run.threads)
    ranks = say("line.ranks", ranks=run.ranks) if run.ranks > 1 else ""
    length = ""
    if recipe.epochs is not None and recipe.batches_per_epoch is not None:
        epochs, batches = counted(recipe.epochs, "epoch"), counted(recipe.batches_per_epoch, recipe.unit)
        length = say("line.length", epochs=epochs, batches=batches)
    model, data = plain(run.model), plain(run.dataset)
    parameters = counted(run.parameters, "parameter") if run.parameters is not None else ""
    images = counted(run.train_images, "image") if run.train_images is not None else ""
    if not recipe.preset:
        samples = counted(run.train_images, "sample") if run.train_images is not None else ""
        trained = [
            f"{what} ({size})" if what and size else what for what, size in ((model, parameters), (data, samples))
        ]
        facts = [*trained, device + ranks, plain(recipe.optimizer), plain(recipe.scheduler)]
        return say("line.watched", facts=", ".join(filter(None, facts)), length=length)
    return say(
        "line.began",
        preset=plain(recipe.preset),
        model=model,
        parameters=parameters,
        dataset=data,
        images=images,
        device=device,
        ranks=ranks,
        seed=run.seed,
        length=length,
    )


def _epoch(ended: EpochEnded, *, is_best: bool) -> str:
    speed = ended.images_per_second
    return say(
        "line.epoch",
        epoch=f"{ended.epoch:>3}",
        train_loss=f"{ended.train_loss:.4f}" if isfinite(ended.train_loss) else "–",
        validation=_validation(ended),
        lr=say("line.lr_used", lr=format_lr(ended.lr)) if isfinite(ended.lr) else "",
        speed=say("line.speed", speed=f"{speed:,.0f}") if isfinite(speed) else "",
        best=say("line.best") if is_best else "",
    )


def _position(history: History) -> str:
    return say(
        "line.position",
        epoch=history.epoch,
        unit=history.recipe.unit if history.recipe is not None else "batch",
        batch=history.batch,
        batches=history.batches_in_epoch,
        loss=f"{history.losses[-1]:.4f}",
        speed=f"{images_per_second(history):,.0f}",
    )


class LogReporter:
    """A reporter whose lines go to the run's `log.txt` too, as soon as there is a record; a full disk is no error."""

    def __init__(self, reporter: Reporter, record: Callable[[], Record | None]) -> None:
        self._reporter, self._record = reporter, record
        self._waiting: list[str] = []

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        self._reporter.tell(event, history)
        self._waiting += in_lines(event, history)
        record = self._record()
        if record is None or not self._waiting:
            return
        text = "".join(f"{line}\n" for line in self._waiting)
        self._waiting.clear()
        with suppress(OSError), record.open_log() as log:
            log.write(text.encode("utf-8", "replace"))

    def close(self) -> None:
        """The run is over."""
        self._reporter.close()


MOST_WAITING = 1000
"""Events that wait to be told before those that come again and again are passed over."""

_PASSED_OVER = StepsTaken | CallsTimed | CallsMade | MetricsLogged | MetricColumns | ConfusionCounted


class EventQueue:
    """A queue that training never waits for, and that hardly grows while nobody reads: `run | less`, left overnight."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[AnyEvent] = queue.SimpleQueue()

    def put(self, event: AnyEvent) -> None:
        """Take an event; of steps and the times of calls the record tells, whatever is passed over here."""
        if self._events.qsize() < MOST_WAITING or not isinstance(event, _PASSED_OVER):
            self._events.put(event)

    def get(self, timeout: float | None) -> AnyEvent:
        """The oldest, waited for.

        Raises:
            queue.Empty: none has come within `timeout` seconds.
        """
        return self._events.get(timeout=timeout)


class SafeOutput:
    """Prints until what it prints goes nowhere any more; from then on it is silent, and a log says since when."""

    def __init__(self, folder: Callable[[], Path | None], clear_up: Callable[[], object] = lambda: None) -> None:
        """`folder` gives that of the log, once there is one; `clear_up` ends what else would go on printing."""
        self._folder = folder
        self._clear_up = clear_up
        self._is_heard = True

    def say(self, what: Callable[[], object]) -> None:
        """Print something, if somebody reads it."""
        if not self._is_heard:
            return
        try:
            what()
        except BrokenPipeError:  # a disk that is full is told of by `output`, and may have room again
            self._is_heard = False
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Nothing may be written to where nobody is: not even what waits to be, as the process ends."""
        _lead_to(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))
        with contextlib.suppress(OSError):
            self._clear_up()
            sys.stdout.flush()
        if (folder := self._folder()) is None:
            return
        with contextlib.suppress(OSError):
            _lead_to(open_private(folder / "log.txt", os.O_WRONLY | os.O_APPEND))
            at = time.strftime("%Y-%m-%d %H:%M:%S")
            print(f"{at} {say('line.nobody_reads')}", flush=True)


class SafeReporter:
    """A reporter that tells as long as somebody reads it."""

    def __init__(self, reporter: Reporter, folder: Callable[[], Path | None]) -> None:
        """`folder` gives the run's, once it has one."""
        self._reporter = reporter
        self._voice = SafeOutput(folder, reporter.close)

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        self._voice.say(lambda: self._reporter.tell(event, history))

    def close(self) -> None:
        """The run is over: leave the terminal clean, if there is one."""
        self._voice.say(self._reporter.close)


def _lead_to(file: int) -> None:
    """Have what is printed go to a descriptor, which is closed: errors too, where they went the same way."""
    ways = os.fstat(1), os.fstat(2)
    alike = (ways[0].st_dev, ways[0].st_ino) == (ways[1].st_dev, ways[1].st_ino)
    for descriptor in (1, 2) if alike else (1,):
        os.dup2(file, descriptor)
    os.close(file)
