"""Traces made by hand: what a watched process would tell of loops of some shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tui_trainer.events import AnyEvent
from tui_trainer.records.history import History
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import (
    AnyDefinition,
    Goodbye,
    Group,
    Hello,
    LoaderSeen,
    Logged,
    ModelSeen,
    OptimizerSeen,
    Options,
    Rows,
    SchedulerSeen,
    Site,
)

START = 1_764_000_000.0
"""Unix time at which each made process begins; its own clock shows 100 then."""

Frame = AnyDefinition | Rows


class MadeTrace:
    """Writes frames as an observer would: definitions as they come, rows between them together."""

    def __init__(self, *, arguments: dict[str, Any] | None = None) -> None:
        self.frames: list[Frame] = []
        self._rows: list[tuple[float, float, float, float]] = []
        self.row = 0
        """The number of the next row."""
        self.now = 100.0
        self._ids = 0
        self._steps: dict[int, int] = {}
        self.define(
            Hello(
                pid=4711,
                parent=4710,
                argv=["train.py"],
                cwd="/home/somebody",
                script="/home/somebody/train.py",
                python="3.11.9",
                torch="2.6.0",
                clock=self.now,
                at=START,
                arguments=arguments or {},
            )
        )

    def define(self, frame: AnyDefinition) -> None:
        """Add a definition."""
        self.flush()
        self.frames.append(frame)

    def flush(self) -> None:
        """End the frame of rows."""
        if self._rows:
            self.frames.append(np.array(self._rows, "<f8"))
            self._rows = []

    def number(self) -> int:
        """One for a thing that is seen for the first time."""
        self._ids += 1
        return self._ids

    # Things

    def site(self, call: str, name: str = "", target: int = 0, **fields: Any) -> int:
        """A place where a call is made; its line is that of its number."""
        number = self.number()
        told = {"file": "/home/somebody/train.py", "lineno": number, "function": "main", **fields}
        self.define(Site(id=number, call=call, name=name, target=target, **told))
        return number

    def optimizer(
        self, name: str = "optimizer", class_name: str = "SGD", lrs: Sequence[float | None] = (0.1,), **fields: Any
    ) -> int:
        """An optimizer with a group for each LR."""
        number = self.number()
        groups = [Group(parameters=10, tensors=1, lr=lr) for lr in lrs]
        module = f"torch.optim.{class_name.lower()}"
        self.define(OptimizerSeen(id=number, class_name=class_name, module=module, name=name, groups=groups, **fields))
        return number

    def scheduler(self, optimizer: int, class_name: str = "StepLR", name: str = "scheduler", **fields: Any) -> int:
        """A scheduler of an optimizer."""
        number = self.number()
        told = {"module": "torch.optim.lr_scheduler", "state": {}, **fields}
        self.define(SchedulerSeen(id=number, class_name=class_name, name=name, optimizer=optimizer, **told))
        return number

    def loader(
        self, name: str = "train_loader", batches: int | None = 4, batch_size: int | None = 8, **fields: Any
    ) -> int:
        """A DataLoader over full batches."""
        number = self.number()
        told: dict[str, Any] = {"dataset": "MNIST", "sampler": "RandomSampler", "map_style": True, "shuffles": True}
        samples = batches * batch_size if batches and batch_size else None
        told |= {"samples": samples, **fields}
        self.define(
            LoaderSeen(id=number, class_name="DataLoader", name=name, batches=batches, batch_size=batch_size, **told)
        )
        return number

    def model(self, class_name: str = "Net", **fields: Any) -> int:
        """A network on the CPU."""
        number = self.number()
        told: dict[str, Any] = {"name": "model", "parameters": 1000, "trainable": 1000, "in_optimizer": 1000}
        told |= {"device": "cpu", "device_name": "", "dtype": "float32", "modules": 5, "mode_matters": True}
        self.define(ModelSeen(id=number, class_name=class_name, **{**told, "threads": 2, **fields}))
        return number

    # Calls

    def call(self, site: int, value: float = 0.0, seconds: float = 0.001) -> int:
        """A call that takes so long; the number of its row."""
        begin = self.now
        self.now += seconds
        return self.ended(site, begin, value)

    def ended(self, site: int, begin: float, value: float = 0.0) -> int:
        """A call that began then, and ends now; the number of its row."""
        self._rows.append((float(site), begin, self.now, value))
        self.row += 1
        return self.row - 1

    def late(self, row: int, value: float) -> None:
        """The value of a row comes."""
        self._rows.append((0.0, float(row), self.now, value))
        self.row += 1

    def step(self, site: int, optimizer: int) -> int:
        """An optimizer steps."""
        self._steps[optimizer] = self._steps.get(optimizer, 0) + 1
        return self.call(site, self._steps[optimizer])

    def batches(self, site: int, count: int, *, stops: bool = True) -> Iterator[int]:
        """A pass over a loader."""
        self.call(site, -1.0)
        for batch in range(count):
            self.call(site, 0.0)
            yield batch
        if stops:
            self.call(site, 1.0)

    def logged(self, values: dict[str, float], step: int | None = None, by: str = "SummaryWriter") -> None:
        """The program logs numbers by their names."""
        self.define(Logged(by=by, values=dict(values), step=step, clock=self.now))

    def end(self) -> list[Frame]:
        """The process ends; all frames."""
        self.define(Goodbye(clock=self.now))
        return self.frames


def interpreted(
    frames: Sequence[Frame],
    options: Options | None = None,
    lines: Callable[[Interpreter], None] | None = None,
    dials: Mapping[int, float] | None = None,
) -> tuple[list[AnyEvent], History]:
    """The events of a trace that is read in one go, and the history that they make; `dials` has what the LR dial is
    turned to before which frame."""
    events: list[AnyEvent] = []
    clock = iter(range(10**9))
    interpreter = Interpreter(events.append, options or Options(), lambda: START + next(clock) * 1e-3)
    for place, frame in enumerate(frames):
        if dials and place in dials:
            interpreter.dial(dials[place], "shell")
        interpreter.take("4711-1", frame)
    if lines is not None:
        lines(interpreter)
    interpreter.finish()
    history = replayed(events)
    assert not history.known.flaws.in_words()
    return events, history


def replayed(events: Sequence[AnyEvent]) -> History:
    """The history of events."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def mnist(
    epochs: int = 3, batches: int = 4, loss: Callable[[int], float] = lambda step: 2.0 / step, **arguments: Any
) -> MadeTrace:
    """The shape of many examples: a loop over batches in a loop over epochs, validation and a scheduler behind it."""
    made = MadeTrace(arguments={"epochs": epochs, "lr": 1.0, "seed": 1, **arguments})
    made.model()
    optimizer = made.optimizer(class_name="Adadelta", lrs=[1.0])
    scheduler = made.scheduler(optimizer, state={"step_size": 1, "gamma": 0.7, "last_epoch": 0})
    train, test = made.loader("train_loader", batches), made.loader("test_loader", 2, 10)
    train_data, test_data = made.site("data", "train_loader", train), made.site("data", "test_loader", test)
    zero_grad = made.site("zero_grad", "optimizer", optimizer)
    backward = made.site("backward", "loss")
    step = made.site("optimizer.step", "optimizer", optimizer)
    scheduled = made.site("scheduler.step", "scheduler", scheduler)
    lr_site = made.site("lr", "", optimizer)
    lr, steps = 1.0, 0
    for _ in range(epochs):
        for _ in made.batches(train_data, batches):
            made.call(zero_grad)
            steps += 1
            made.call(backward, loss(steps))
            made.step(step, optimizer)
        for _ in made.batches(test_data, 2):
            pass
        lr *= 0.7
        made.call(scheduled, lr)
        made.call(lr_site, lr)
    return made
