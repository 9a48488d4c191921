"""What the rules know of a watched loop: its things, its passes, how often what was called."""

from __future__ import annotations

from typing import NamedTuple

from tui_trainer.watching.interpreter.configured import epochs_asked
from tui_trainer.watching.interpreter.definitions import Definitions
from tui_trainer.watching.interpreter.passes import Pass, Passes
from tui_trainer.watching.trace import Goodbye, Obeyed, Observed, Options, Planned, SchedulerSeen, Site

MOST_PASSES = 100_000
_LENGTHS = {"OneCycleLR": "total_steps", "CosineAnnealingLR": "T_max", "PolynomialLR": "total_iters"}
"""Which part of a scheduler's state says how many steps it is made for. Behind LinearLR and ConstantLR, which are
warm-ups, training goes on."""


class Call(NamedTuple):
    """A row of a trace."""

    site: Site
    begin: float
    end: float
    value: float


class TrainingPass(NamedTuple):
    """A pass with steps that is over."""

    steps: int
    batches: int
    whole: bool
    """Whether all batches of its loader were taken."""


class Loop:
    """A fold over all that a process tells. Optimizers are those that move weights, not those around them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.definitions = Definitions()
        self.passes = Passes()
        self.main = 0
        """The optimizer whose steps are the run's, the first one until another takes over; 0 before the first."""
        self.steps_of: dict[int, int] = {}
        """Of each optimizer."""
        self.backwards = 0
        self.batches = 0
        """Of all loaders."""
        self.plans: dict[int, Planned] = {}
        self.done: list[TrainingPass] = []
        """Training passes that are over."""
        self.misused: set[int] = set()
        """Schedulers of which something was said: what else is wrong with their LR follows from it."""
        self.ended = False
        """Whether the process said goodbye."""
        self._cut_short = False
        """Whether it was stopped, or an error or a signal ended it, as far as that is known."""
        self._passes_of: dict[int, Pass | None] = {}
        """In which pass each optimizer stepped last."""
        self._is_new: dict[int, bool] = {}
        self._taken_over = False
        """Whether another optimizer has taken over: how long the training of each was to be, nobody knows."""
        self._steps_before = 0
        """Steps of the run that others made before, less those that this one had made by then."""
        self._told_epochs: int | None = None
        """What the program's own global variable says of its epochs, if it never moved; told as it ends."""

    @property
    def step(self) -> int:
        """Steps of the run."""
        return self._steps_before + self.steps_of.get(self.main, 0)

    # What comes in

    def take_over(self, optimizer: int) -> None:
        """From here on the steps of the run are another optimizer's, and what is known of its passes is of these."""
        self._steps_before = self.step - self.steps_of.get(optimizer, 0)
        self.main, self._taken_over = optimizer, True
        self.passes.take_over()
        self.done.clear()

    def define(self, frame: object) -> None:
        """Keep what is defined, and what was observed of the whole program."""
        match frame:
            case Planned():
                self.plans[frame.scheduler] = frame
            case Observed(fact="epochs"):
                epochs = frame.values.get("epochs")
                self._told_epochs = epochs if type(epochs) is int and 0 < epochs < 2**31 else None
            case Obeyed(what="stop"):
                self._cut_short = True
            case Goodbye():
                within = self.passes.innermost
                self._cut_short |= bool(frame.raised) or (within is not None and not within.exhausted)

    def data(self, call: Call) -> None:
        """A loader began, gave a batch or had no more."""
        site, passes = call.site, self.passes
        place = self.definitions.place(site)
        if call.value == 1:
            passes.end(place, site.target)
        elif call.value == 0:
            self.batches += 1
            passes.batch(place, site.target, self.definitions.batches(site.target), call.end)
        else:
            passes.begin(place, site.target, self.definitions.batches(site.target), call.end)
        passes.done.clear()

    def optimizer_step(self, call: Call) -> None:
        """An optimizer stepped."""
        optimizer, passes = call.site.target, self.passes
        self.main = self.main or optimizer
        self.steps_of[optimizer] = self.steps_of.get(optimizer, 0) + 1
        if optimizer == self.main:
            passes.step()
        now = passes.innermost or passes.training
        before = self._passes_of.get(optimizer)
        self._passes_of[optimizer] = now
        self._is_new[optimizer] = not (before is now or before is None or before.is_a_single_batch)
        if before is not None and self._is_new[optimizer] and optimizer == self.main:
            self._keep(before)

    def finish(self) -> None:
        """The process ended as a program does."""
        self.ended = True
        last = self._passes_of.get(self.main)
        if last is not None and not last.is_a_single_batch:
            self._keep(last)

    def _keep(self, one: Pass) -> None:
        if len(self.done) < MOST_PASSES:
            self.done.append(TrainingPass(one.steps, one.batches, one.exhausted))

    # What follows

    def is_new_pass(self, optimizer: int) -> bool:
        """Whether its last step was the first one in a pass, behind steps in another one."""
        return self._is_new.get(optimizer, False)

    def optimizer_of(self, scheduler: int) -> int:
        """The optimizer whose LR a scheduler sets; 0 where that is not known."""
        known = self.definitions.schedulers.get(scheduler)
        return self.definitions.wrapped(known.optimizer) if known is not None else 0

    def optimizer_name(self, optimizer: int) -> str:
        """What the program calls it, else its class."""
        known = self.definitions.optimizers.get(optimizer)
        return (known.name or known.class_name) if known is not None else "the optimizer"

    @property
    def steps_a_pass(self) -> int | None:
        """Steps of the optimizer in each training pass; None where that is not known, or they differ."""
        lengths = {one.steps for one in self.done}
        if lengths:
            return next(iter(lengths)) if len(lengths) == 1 else None
        return self.passes.steps_an_epoch

    @property
    def batches_a_pass(self) -> int | None:
        """Batches of each training pass; None where that is not known."""
        training = self.passes.training
        return training.length if training is not None else None

    @property
    def epochs(self) -> int | None:
        """How many the run was to have, as the person, the program's arguments or its own variable say, however many it
        came to. None where that is not known.
        """
        if self._taken_over:
            return None
        hello = self.definitions.hello
        arguments = hello.arguments if hello is not None else {}
        asked = epochs_asked(self.options, self.definitions, self.passes, arguments)
        if asked is None:
            asked = self._told_epochs
        so_far = len(self.done) + (not self.ended and self.passes.training is not None)
        return asked if asked is not None and asked >= max(1, so_far) else None

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended by itself, behind as many whole epochs as it was to have."""
        whole = self.ended and not self._cut_short and all(one.whole for one in self.done)
        return whole and len(self.done) == self.epochs

    def length_of(self, scheduler: SchedulerSeen) -> int | None:
        """How many steps of its own a scheduler is made for; None where it has no end, or that is not known."""
        plan = self.plans.get(scheduler.id)
        length: object = plan.length if plan is not None else None
        if plan is not None and plan.length_from.startswith("--"):
            length = None  # what the person said of the run
        if length is None:
            length = scheduler.state.get(_LENGTHS.get(scheduler.class_name, ""))
        return length if type(length) is int and 1 < length < 2**40 else None


def alike(one: int, other: int, share: float = 0.02) -> bool:
    """Whether two numbers of steps are the same but for rounding."""
    return abs(one - other) <= max(1, share * max(one, other))
