"""A preset's optimizer and schedule, built from the real classes of `torch.optim`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from math import isfinite
from typing import Any, Literal

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

from tui_trainer.commands import LARGEST_FACTOR
from tui_trainer.engine.beside_muon import BesideMuon, is_of_muon, muon
from tui_trainer.engine.devices import broken_context, is_out_of_memory
from tui_trainer.engine.torch_internals import mark_stepped, stand_after
from tui_trainer.engine.torch_schedulers import InStages, build_scheduler, is_same
from tui_trainer.engine.user_code import own_optimizer
from tui_trainer.lr_reasons import PlateauSeen
from tui_trainer.presets.optimizers import Optimizer as OptimizerTable
from tui_trainer.presets.optimizers import OwnOptimizer
from tui_trainer.presets.schedulers import SequentialLR, TurningPoints, turns
from tui_trainer.presets.schema import Preset, Warmup
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted


@dataclass(frozen=True)
class RunLength:
    """How long a preset is followed."""

    epochs: int
    batches_per_epoch: int
    """The last and smaller batch included."""
    first_epoch: int = 1
    """Of the run, with which the preset begins to be followed."""

    @property
    def total_steps(self) -> int:
        """Steps of the optimizer in all."""
        return self.epochs * self.batches_per_epoch


def build_optimizer(
    config: OptimizerTable, parameters: Iterable[torch.nn.Parameter | dict[str, Any]], **kernel_options: Any
) -> torch.optim.Optimizer:
    """The preset's optimizer, of parameters or of groups of them.

    `kernel_options` (`fused`, `foreach`) change speed alone; what the class of this torch does not take on the device
    of the parameters is left out.
    """
    parameters = list(parameters)
    if of_muon := [part for part in parameters if isinstance(part, dict) and is_of_muon(part)]:
        others = [part for part in parameters if not is_of_muon(part)]
        return BesideMuon(build_optimizer(config, others, **kernel_options), parameters) if others else muon(of_muon)
    if isinstance(config, OwnOptimizer):
        return own_optimizer(config, parameters)
    kind = getattr(torch.optim, config.name)
    each = (one for part in parameters for one in (part["params"] if isinstance(part, dict) else (part,)))
    devices = frozenset(parameter.device for parameter in each)
    options = {key: value for key, value in kernel_options.items() if _takes(kind, key, value, devices)}
    optimizer: torch.optim.Optimizer = kind(parameters, **config.arguments(), **options)
    return optimizer


@cache
def _takes(kind: type[torch.optim.Optimizer], key: str, value: Any, devices: frozenset[torch.device]) -> bool:
    """Whether an optimizer's class takes an option there: older torch has a fused Adagrad for the CPU alone."""
    if key not in inspect.signature(kind).parameters:
        return False
    for device in devices:
        weight = torch.nn.Parameter(torch.zeros(1, device=device))
        weight.grad = torch.zeros_like(weight)
        try:
            kind([weight], **{"lr": 0.0, key: value}).step()
        except RuntimeError as error:  # NotImplementedError is one
            if is_out_of_memory(error) or broken_context(error):
                raise
            return False
    return True


class Schedule:
    """The preset's schedule over a run: the warm-up's ramp, then the preset's own scheduler.

    Guarantee, float for float: during a warm-up of W batches the LR of batch k (from 0) is what
    `LinearLR(start_factor, 1.0, total_iters=W)` gives after k steps, or `ConstantLR(start_factor, W)`, or, from 0, for
    which torch's LinearLR has no form, `LambdaLR(lambda k: k / W)`; from then on it is what the preset's scheduler
    gives, built afresh on an optimizer at its base LR and stepped after every batch, or every epoch. The ramp's
    rounding is not carried over (`SequentialLR` does the same where it begins the next scheduler in closed form).

    Build the optimizer, then this, then load the optimizer's state, then this one's: constructors change the LR.
    """

    def __init__(self, preset: Preset, optimizer: torch.optim.Optimizer, length: RunLength) -> None:
        """Sets the optimizer to the LR of the first batch.

        Raises:
            ValueError: torch refuses the arguments, or the warm-up leaves nothing of the run.
        """
        self._warmup_steps = preset.warmup_steps(length.batches_per_epoch)
        self.preset = preset
        self.length = length
        steps = self._scheduled_epochs * length.batches_per_epoch
        if preset.warmup and self._warmup_steps >= steps and length.total_steps > 0:
            epochs = counted(self._scheduled_epochs, "epoch")
            raise ValueError(f"a warm-up of {preset.warmup.words} leaves nothing of {epochs}")
        self._optimizer = optimizer
        self._hands_over_between_epochs = self._warmup_steps % length.batches_per_epoch == 0
        self._steps = 0
        self.factor = 1.0
        """That of the LR dial: an optimizer uses so many times what the schedule gives."""
        self._scheduled: list[float] = []
        """While the dial is turned: what the schedule gives, of each group of the optimizer."""
        self._used: list[dict[str, Any]] = []
        self._best_at = 0
        self.seen: PlateauSeen | None = None
        """Of ReduceLROnPlateau, after its first step here."""
        self._swa: SWALR | None = None
        self._swa_steps = 0
        self._ramp: lr_scheduler.LRScheduler | None = None
        self._main: lr_scheduler.LRScheduler | None = None
        if preset.warmup:
            self._ramp = _ramp(preset.warmup, optimizer, self._warmup_steps)
        else:
            self._main = self._build_main()

    @property
    def interval(self) -> Literal["step", "epoch"] | None:
        """When the preset's own scheduler steps; None where there is none."""
        return self.preset.scheduler.interval

    @property
    def warming_up(self) -> bool:
        """Whether the LR that the next batch uses is still the ramp's."""
        return self._ramp is not None

    @property
    def due_after_batch(self) -> bool:
        """Whether `step()` stands after this batch. In a warm-up it does, but see `due_after_epoch`."""
        if self._swa is not None:
            return False
        if self._ramp is None:
            return self.interval == "step"
        return not self.due_after_epoch

    @property
    def due_after_epoch(self) -> bool:
        """Whether `step()` stands after this epoch's validation.

        The last step of a warm-up stands where the next scheduler's own steps will: it sets that one's first LR.
        """
        if self._swa is not None:
            return True
        if self.interval != "epoch":
            return False
        if self._ramp is None:
            return True
        only_batch = self.length.batches_per_epoch == 1
        return self._hands_over_between_epochs and (only_batch or self._steps == self._warmup_steps - 1)

    @property
    def lr(self) -> float:
        """What the next batch uses."""
        return float(self._optimizer.param_groups[0]["lr"])

    @property
    def lrs(self) -> list[float]:
        """The same for each group of the optimizer."""
        return [float(group["lr"]) for group in self._groups]

    @property
    def scheduled_lrs(self) -> list[float]:
        """What the schedule gives for the next batch, for each group."""
        return self._scheduled or self.lrs

    @property
    def scheduled_lr(self) -> float:
        """What the schedule gives for the next batch: `lr`, unless the LR dial is turned."""
        return self._scheduled[0] if self._scheduled else self.lr

    @property
    def momentum(self) -> float | None:
        """The momentum that the next batch uses, beta1 of an optimizer with betas; None where no schedule moves it."""
        if not self.preset.scheduler.moves_momentum:
            return None
        group = self._groups[0]
        found = group["betas"][0] if "betas" in group else group.get("momentum")
        return None if found is None else float(found)

    @property
    def scheduler(self) -> lr_scheduler.LRScheduler | None:
        """The torch scheduler at work: the ramp, then the preset's own; None where there is none."""
        return self._swa or self._ramp or self._main

    @property
    def swa_steps(self) -> int | None:
        """How many steps SWALR has made, behind the preset's own scheduler; None before it begins."""
        return None if self._swa is None else self._swa_steps

    @property
    def is_followed_by_swa(self) -> bool:
        """Whether SWALR comes in the run: the last LR that the preset's own scheduler sets is used."""
        return self._scheduled_epochs < self.length.epochs

    @property
    def _scheduled_epochs(self) -> int:
        return self.preset.training.scheduled_epochs(self.length.epochs, self.length.first_epoch)

    @property
    def step_count(self) -> int:
        """How many steps the preset's own scheduler has made; negative in a warm-up, 0 right after it."""
        return self._steps - self._warmup_steps

    @property
    def warmup_steps(self) -> int:
        """How many batches the warm-up takes; 0 without one."""
        return self._warmup_steps

    @property
    def steps_per_epoch(self) -> int:
        """How many steps it makes in an epoch."""
        return self.length.batches_per_epoch if self.interval == "step" else 1

    @property
    def total_steps(self) -> int:
        """How many steps it makes in all; the last one, after the last batch, sets an LR that no batch uses."""
        epochs = self._scheduled_epochs or 1  # where SWALR has all of it, there is one to set its first LR
        if self.interval == "step":
            return epochs * self.length.batches_per_epoch - self._warmup_steps
        return epochs - self._warmup_steps // self.length.batches_per_epoch

    @cached_property
    def presets(self) -> list[Preset]:
        """The preset as it is for each group of parameters, first for those that none matches."""
        return [self.preset.of_group(number) for number in range(len(self.preset.optimizer.groups) + 1)]

    @cached_property
    def turns(self) -> list[TurningPoints]:
        """The places at which the curve turns, by kind."""
        return turns(self.preset.scheduler, self.total_steps, self.steps_per_epoch)

    def begin_epoch(self, epoch: int) -> None:
        """An epoch of the run begins: with that of `swa_start`, SWALR has the LR from where the scheduler left it.

        Guarantee, float for float: that epoch is trained with the LR that was set last; from its end on it is what
        `SWALR(optimizer, swa_lr, anneal_epochs, anneal_strategy)` gives, built on the optimizer then and stepped after
        each epoch, as in torch's own example of it.
        """
        start = self.preset.training.swa_start
        if self._swa is None and self.preset.training.swa_lr is not None and start is not None and epoch >= start:
            with self._by_itself():
                self._begin_swa()

    def step(self, val_loss: float | None = None, val_accuracy: float | None = None) -> None:
        """Move on by one batch or one epoch, whichever was due.

        Raises:
            ValueError: ReduceLROnPlateau is due and was not given what it watches.
        """
        self._used = self._moving()
        with self._by_itself():
            self._step(val_loss, val_accuracy)

    @property
    def used(self) -> list[dict[str, Any]]:
        """LR and momentum of each group of the optimizer before the last step of the schedule; what they are, where it
        has none. Of a run that stands behind its last step, those that this one used.

        Raises:
            ValueError: it goes on from a checkpoint that does not tell.
        """
        if self.interval is None and self._ramp is None:
            return self._moving()
        if not self._used:
            raise ValueError(say("checkpoint.no_last_lr"))
        return self._used

    def skip_warmup(self) -> None:
        """Stand where the warm-up is over; for a rehearsal, which need not walk through it."""
        if self._ramp is not None:
            self._steps = self._warmup_steps
            self._hand_over()

    def set_lr(self, lr: float) -> None:
        """Stand at an LR; for a rehearsal, which leaps."""
        for group in self._groups:
            group["lr"] = lr

    def dial(self, factor: float) -> None:
        """Use `factor` times what the schedule gives, from the next batch on; 1 ends that.

        The schedule goes on as it would without: its own LRs are the same, float for float.
        """
        with self._by_itself():
            self.factor = factor

    def set_length(self, length: RunLength) -> None:
        """Be followed for longer, or not so long. The LRs are the same, float for float, as far as both lengths reach.

        Raises:
            ValueError: they would not be: the schedule is made for the length that it has, or the warm-up for no
                shorter one.
        """
        config, old = self.preset.scheduler, self.length
        if self._warmup_steps >= length.total_steps:
            raise ValueError(f"the warm-up takes {counted(self._warmup_steps, 'batch')}")
        before = self.total_steps
        self.length = length
        if not is_same(config, before, self.total_steps, self.steps_per_epoch):
            self.length = old
            raise ValueError(f"{config.name} plans its LRs for {counted(old.epochs, 'epoch')} from its first step on")
        self.__dict__.pop("turns", None)  # known anew for this length
        if isinstance(self._main, InStages) and isinstance(config, SequentialLR):
            with self._by_itself():
                self._main.lie_in(config.parts(self.total_steps, self.steps_per_epoch))

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        """Have the optimizer at the LR that the schedule gives, and after it at what the dial makes of it."""
        for group, lr in zip(self._groups, self._scheduled, strict=False):
            group["lr"] = lr
        try:
            yield
        finally:
            self._scheduled = [] if self.factor == 1.0 else [group["lr"] for group in self._groups]
            for group, lr in zip(self._groups, self._scheduled, strict=False):
                group["lr"] = lr * self.factor

    def _step(self, val_loss: float | None, val_accuracy: float | None) -> None:
        if self._swa is not None:
            self._swa_steps += 1
            self._swa.step()
            return
        self._steps += 1
        if self._ramp is not None:
            if self._steps == self._warmup_steps:
                self._hand_over()
            else:
                self._ramp.step()
        elif isinstance(self._main, lr_scheduler.ReduceLROnPlateau):
            self._step_plateau(self._main, self._watched(val_loss, val_accuracy))
        elif self._main is not None:
            self._main.step()

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands, in primitives alone. The optimizer's state, saved apart, is its other half."""
        running = None if self._swa is not None else self.scheduler
        return {
            **({} if self._swa is None else {"swa_steps": self._swa_steps}),
            "steps": self._steps,
            "warming_up": self.warming_up,
            "best_at": self._best_at,
            "dial": [self.factor, *self._scheduled],
            "used": self._used,
            "scheduler": None if running is None else _primitives(running.state_dict()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where `state` was saved, for the same preset and length. The optimizer is left as it is.

        Raises:
            ValueError: something is missing in it: which key.
        """
        if missing := {"steps", "best_at", "warming_up", "scheduler"} - state.keys():
            raise ValueError(f"scheduler.{min(missing)} is missing")
        if wrong := [key for key in ("steps", "best_at", "warming_up") if not isinstance(state[key], int)]:
            raise ValueError(f"scheduler.{wrong[0]} {say('checkpoint.wrong_kind')}")
        self.factor, *self._scheduled = _dial(state.get("dial", [1.0]), len(self._groups))
        self._used = _used(state.get("used", []), len(self._groups))
        self._steps = state["steps"]
        self._best_at = state["best_at"]
        if self.warming_up and not state["warming_up"]:
            with self._groups_kept():
                self._hand_over()
        vars(self._optimizer)["_opt_called"] = True  # it was, before the state was saved; torch warns otherwise
        if "swa_steps" in state:
            self._stand_in_swa(state["swa_steps"])
        elif (running := self.scheduler) is not None:
            inner = state["scheduler"]
            if isinstance(running, InStages):
                inner = self._stand_in_stage(running, inner)
                _check(running.at_work, inner, "scheduler.scheduler.stage")
            else:
                _check(running, inner, "scheduler.scheduler")
            running.load_state_dict(copy.deepcopy(state["scheduler"]))

    def _stand_in_swa(self, steps: object) -> None:
        if type(steps) is not int or self.preset.training.swa_lr is None or not 0 <= steps <= self.length.epochs:
            raise ValueError(f"scheduler.swa_steps cannot be {steps}")
        with self._groups_kept():
            self._begin_swa()
        for group in self._groups:
            group["swa_lr"] = self.preset.training.swa_lr
        self._swa_steps = steps
        if self._swa is not None:
            stand_after(self._swa, steps)

    def _begin_swa(self) -> None:
        training = self.preset.training
        assert training.swa_lr is not None
        self._ramp = None
        mark_stepped(self._optimizer)  # as it will have before SWALR steps; torch sees none that it is not told of
        self._swa = SWALR(self._optimizer, training.swa_lr, training.swa_anneal_epochs, training.swa_anneal_strategy)

    def _stand_in_stage(self, running: InStages, saved: object) -> object:
        """Be in the stage that was at work; what was saved of that."""
        if not isinstance(saved, dict):
            raise ValueError("scheduler.scheduler is missing")
        if saved.get("last_epoch") != self.step_count:
            raise ValueError("scheduler.scheduler.last_epoch is not one of this schedule")
        with self._groups_kept():
            running.stand_at(self.step_count)
        return saved.get("stage")

    @contextmanager
    def _groups_kept(self) -> Iterator[None]:
        """Have the optimizer's groups behind it as they are."""
        groups = [{key: value for key, value in group.items() if key != "params"} for group in self._groups]
        yield
        for group, saved in zip(self._groups, groups, strict=True):
            group.update(saved)

    def _moving(self) -> list[dict[str, Any]]:
        """What schedulers move, as it is."""
        return [{key: group[key] for key in _MOVED if key in group} for group in self._groups]

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return self._optimizer.param_groups

    def _hand_over(self) -> None:
        """End the warm-up: the preset's scheduler begins at its step 0, with the base LR exactly."""
        for group in self._groups:
            group["lr"] = group["initial_lr"]
        self._ramp = None
        self._main = self._build_main()

    def _build_main(self) -> lr_scheduler.LRScheduler | None:
        config = self.preset.scheduler
        if config.name == "none":
            return None
        return build_scheduler(config, self._optimizer, self.total_steps, self.steps_per_epoch)

    def _step_plateau(self, main: lr_scheduler.ReduceLROnPlateau, value: float) -> None:
        bad_before, best_before, ignored = main.num_bad_epochs, main.best, main.in_cooldown
        main.step(value)
        better = main.best != best_before
        if better:
            self._best_at = self.step_count
        bad = 0 if better or ignored else bad_before + 1
        self.seen = PlateauSeen(
            value=value,
            best=float(main.best),
            best_ago=self.step_count - self._best_at,
            bad_epochs=bad,
            cooldown=main.cooldown_counter,
            ignored=ignored,
            tried=bad > main.patience,
        )

    def _watched(self, val_loss: float | None, val_accuracy: float | None) -> float:
        monitor = self.preset.scheduler.monitor
        value = val_accuracy if monitor == "val_accuracy" else val_loss
        if value is None:
            raise ValueError(f"ReduceLROnPlateau is to be stepped with {monitor}")
        return value


def _ramp(warmup: Warmup, optimizer: torch.optim.Optimizer, steps: int) -> lr_scheduler.LRScheduler:
    """What raises the LR in the first `steps` batches."""
    if warmup.method == "constant":
        return lr_scheduler.ConstantLR(optimizer, warmup.start_factor, total_iters=steps)
    if warmup.start_factor == 0:
        return lr_scheduler.LambdaLR(optimizer, lambda step: step / steps)
    return lr_scheduler.LinearLR(optimizer, warmup.start_factor, 1.0, total_iters=steps)


def _dial(saved: object, groups: int) -> list[float]:
    """The factor of the LR dial and, where it is turned, what the schedule gives for each group.

    Raises:
        ValueError: that is not what was saved.
    """
    if not (isinstance(saved, list) and saved and all(type(value) is float and isfinite(value) for value in saved)):
        raise ValueError(f"scheduler.dial {say('checkpoint.wrong_kind')}")
    if not 0 < saved[0] < LARGEST_FACTOR or len(saved) != 1 + groups * (saved[0] != 1.0):
        raise ValueError(f"scheduler.dial cannot be {saved}")
    return saved


_MOVED = ("lr", "momentum", "betas")
"""Of a group of an optimizer, what schedulers move."""


def _used(saved: object, groups: int) -> list[dict[str, Any]]:
    """What was saved of `Schedule.used`.

    Raises:
        ValueError: no schedule has saved that.
    """
    if not isinstance(saved, list) or len(saved) not in (0, groups):
        raise ValueError(f"scheduler.used {say('checkpoint.wrong_kind')}")
    for group in saved:
        if not _is_moved(group):
            raise ValueError(f"scheduler.used {say('checkpoint.wrong_kind')}")
    return saved


def _is_moved(group: object) -> bool:
    if not isinstance(group, dict) or group.keys() - set(_MOVED) or not isinstance(group.get("betas", ()), tuple):
        return False
    numbers = [group.get("lr"), group.get("momentum", 0.0), *group.get("betas", ())]
    return all(isinstance(number, int | float) and isfinite(number) for number in numbers)


_MOVING = {"last_epoch", "best", "num_bad_epochs", "cooldown_counter", "T_cur", "T_i"}
"""What torch's schedulers cannot go on without; the rest follows from the preset."""

_CHANGING = _MOVING | {"_step_count", "_last_lr", "_get_lr_called_within_step", "_is_initial", "verbose"}
"""What they change as they step."""


def _check(running: lr_scheduler.LRScheduler, saved: object, path: str) -> None:
    """Whether what was saved is the state of such a scheduler.

    Raises:
        ValueError: it is not: which key.
    """
    if not isinstance(saved, dict):
        raise ValueError(f"{path} is missing")
    if missing := _MOVING & running.state_dict().keys() - saved.keys():
        raise ValueError(f"{path}.{min(missing)} is missing")
    for key, fresh in _primitives(running.state_dict()).items():
        if key in saved and not (_alike if key in _CHANGING else _equal)(saved[key], fresh):
            raise ValueError(f"{path}.{key} is not one of this schedule")


def _equal(saved: object, fresh: object) -> bool:
    return repr(saved) == repr(fresh)


def _alike(saved: object, fresh: object) -> bool:
    """Whether a value of torch's state can stand where another does, as far as plain numbers go."""
    if isinstance(fresh, list):
        return isinstance(saved, list) and len(saved) == len(fresh) and all(map(_alike, saved, fresh))
    return not isinstance(fresh, int | float) or isinstance(saved, int | float)


def _primitives(state: dict[str, Any]) -> dict[str, Any]:
    """torch's state without `milestones`, a Counter: `torch.load(weights_only=True)` takes primitives, and the
    preset says them anyway."""
    return {key: _primitives(value) if key == "stage" else value for key, value in state.items() if key != "milestones"}
