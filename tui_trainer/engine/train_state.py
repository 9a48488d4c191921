"""A model and what moves its weights: the optimizer and the scheduler of the preset that it follows; and going on with
a run from the newest of its checkpoints that can be gone on from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tui_trainer.engine import checkpoints
from tui_trainer.engine.beside_muon import is_of_muon
from tui_trainer.engine.distributed import Ranks
from tui_trainer.engine.early_stopping import is_state
from tui_trainer.engine.lr_preview import PlannedRun, plan
from tui_trainer.engine.parameter_groups import examples, grouped
from tui_trainer.engine.precision import ComputeOptions, LossScaler
from tui_trainer.engine.schedules import Schedule, build_optimizer
from tui_trainer.engine.torch_internals import mark_stepped
from tui_trainer.engine.weight_average import WeightAverage
from tui_trainer.errors import UserError
from tui_trainer.events import Alert, AnyEvent
from tui_trainer.presets.optimizers import OwnOptimizer
from tui_trainer.presets.schema import Preset
from tui_trainer.run_options import MOST_EPOCHS
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain


class TrainState:
    """What training changes, and what must be saved of it.

    Attributes:
        planned: the preset that is followed, worked out.
        optimizer, scheduler: as that preset asks for them.
        average: that of the weights, where that preset has one.
        loss_scaler: keeps small gradients in fp16.
    """

    optimizer: torch.optim.Optimizer
    scheduler: Schedule
    average: WeightAverage | None
    holds: bool
    """Whether the optimizer made its steps under another preset, whose last LRs this one has."""

    def __init__(self, model: nn.Module, planned: PlannedRun, compute_options: ComputeOptions) -> None:
        self.model = model
        self._compute_options = compute_options
        self.loss_scaler = LossScaler(compute_options)
        self.use(planned)

    @property
    def left_out(self) -> str:
        """Which parameters that ask for gradients a person's own optimizer does not have, in a sentence; empty where it
        has all."""
        if not isinstance(own := self.planned.preset.optimizer, OwnOptimizer):
            return ""
        has = {id(each) for group in self.optimizer.param_groups for each in group["params"]}
        names = {name: id(each) for name, each in self.model.named_parameters() if each.requires_grad}
        lacks = [plain(name) for name, parameter in names.items() if parameter not in has]
        told = {"optimizer": plain(own.name), "missing": len(lacks), "parameters": len(names)}
        return say("code.left_out", **told, names=examples(lacks)) if lacks else ""

    def use(self, planned: PlannedRun) -> None:
        """Build what the preset asks for around the model as it is: a fresh optimizer, the schedule's beginning."""
        self.planned, self.holds = planned, False
        self.optimizer = build_optimizer(
            planned.preset.optimizer,
            parameters_of(planned.preset, self.model),
            **self._compute_options.optimizer_options(planned.preset.optimizer),
        )
        try:
            self.scheduler = Schedule(planned.preset, self.optimizer, planned.length)
        except ValueError as error:
            if not isinstance(own := planned.preset.optimizer, OwnOptimizer):
                raise
            raise UserError(f"--optimizer {plain(own.name)} {say('code.no_schedule', why=error)}") from None
        self.average = WeightAverage.of(planned.preset.training, self.model)

    def hold(self, planned: PlannedRun) -> None:
        """Follow a preset without a scheduler, with the optimizer as it is and what its last step used."""
        used = self.scheduler.used
        self.planned, self.holds = planned, True
        self.scheduler = Schedule(planned.preset, self.optimizer, planned.length)
        for group, last in zip(self.optimizer.param_groups, used, strict=True):
            group.update(last)

    def train_until(self, last_epoch: int, train_images: int) -> None:
        """Follow the preset until another epoch of the run; from here on, for what was trained stays as it was.

        Raises:
            ValueError: the schedule is made for the length that it has.
            PresetError: the rehearsal found what would go wrong.
        """
        old = self.planned
        planned = plan(
            old.recipe.preset,
            old.preset,
            train_images,
            first_epoch=old.first_epoch,
            last_epoch=last_epoch,
            first_step=old.first_step,
        )
        self.scheduler.set_length(planned.length)
        self.planned = planned

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizer, schedule, and the preset they belong to; tensors and primitives alone."""
        planned = self.planned
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "preset_name": planned.recipe.preset,
            "preset": planned.preset.model_dump(mode="json"),
            "first_epoch": planned.first_epoch,
            "first_step": planned.first_step,
            **({"holds": True} if self.holds else {}),
            **({self.average.kind: self.average.state_dict()} if self.average is not None else {}),
            **({"loss_scaler": self.loss_scaler.state_dict()} if self.loss_scaler.is_on else {}),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where `state` was saved; what was planned is `planned_in` it, and nothing has been trained since.

        Raises:
            ValueError: it is the state of another network, optimizer or schedule; the key that tells is in the words.
        """
        _check_weights(self.model.state_dict(), state["model"])
        self.holds = state.get("holds") is True
        stepped = self.holds or state["step"] >= self.planned.first_step
        self._check_optimizer(state["optimizer"], stepped=stepped)
        if self.average is not None:
            kind = self.average.kind
            _check_average(self.average.model.state_dict(), state.get(kind), kind)
            self.average.load_state_dict(state[kind])
        self.model.load_state_dict(state["model"])
        # After all constructors, which change the LR.
        own = [{key: group[key] for key in _OF_THE_DEVICE & group.keys()} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, options in zip(self.optimizer.param_groups, own, strict=True):
            group.update(options)
        self.scheduler.load_state_dict(state["scheduler"])
        self.loss_scaler.load_state_dict(state.get("loss_scaler", {}))
        mark_stepped(self.optimizer)  # it made steps in the run that stopped

    def _check_optimizer(self, saved: dict[str, Any], *, stepped: bool) -> None:
        for key, kind in (("param_groups", list), ("state", dict)):
            if not isinstance(saved.get(key), kind):
                raise ValueError(f"optimizer.{key} is missing")
        groups, names = self.optimizer.param_groups, {id(each): name for name, each in self.model.named_parameters()}
        parameters = [(names[id(each)], each, group) for group in groups for each in group["params"]]
        self._check_groups(groups, saved["param_groups"], len(parameters))
        for index, (name, parameter, group) in enumerate(parameters):
            there, held = saved["state"].get(index, {}), self._held_for(parameter, group) if stepped else {}
            if not isinstance(there, dict):
                raise ValueError(f"optimizer.state.{index} (of {name}) {say('checkpoint.wrong_kind')}")
            for key in sorted({*held, *there}, key=str):
                # What torch is given of another shape or kind it does not look at: it writes beyond its end.
                fault = _fault(there.get(key), held.get(key))
                if fault:
                    raise ValueError(f"optimizer.state.{index}.{key} (of {name}) {fault}")

    def _check_groups(self, groups: list[dict[str, Any]], saved: list[Any], parameters: int) -> None:
        """The groups have the options of the preset, and their parameters are numbered one after the other."""
        first = 0
        if len(saved) != len(groups):
            raise ValueError(f"optimizer.param_groups is not that of {parameters} parameters")
        for number, (group, options) in enumerate(zip(groups, saved, strict=True)):
            numbers = [*range(first, first := first + len(group["params"]))]
            if not isinstance(options, dict) or repr(options.get("params")) != repr(numbers):
                raise ValueError(f"optimizer.param_groups is not that of {parameters} parameters")
            _check_options(group, options, f"optimizer.param_groups.{number}")

    def _held_for(self, parameter: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """What the optimizer holds for a parameter of such a shape, in a group, once it has made a step; found by
        making one."""
        twin = nn.Parameter(torch.zeros(parameter.shape))
        twin.grad = torch.zeros(parameter.shape)
        config = self.planned.preset.optimizer
        own: list[Any] = [{**group, "params": [twin]}] if is_of_muon(group) else [twin]
        optimizer = build_optimizer(config, own, **self._compute_options.optimizer_options(config))
        optimizer.step()
        return {key: value for key, value in optimizer.state[twin].items() if value is not None}


def parameters_of(preset: Preset, model: nn.Module) -> list[Any]:
    """A network's parameters, in groups where the preset makes some.

    Raises:
        PresetError: the groups do not fit the network.
    """
    return grouped(preset, model) if preset.optimizer.all_groups else [*model.parameters()]


_MOVING = {"lr", "initial_lr", "momentum", "betas", "base_momentum", "max_momentum", "max_lr", "min_lr"}
"""Options that schedulers change; all others are the preset's."""


_OF_THE_DEVICE = {"fused", "foreach"}
"""Options that say how a step is computed: those of the device here, whatever the checkpoint was written on."""


def _check_options(wanted: Mapping[str, Any], saved: Mapping[str, Any], where: str) -> None:
    for key, value in wanted.items():
        path = f"{where}.{key}"
        if key == "params" or key in _OF_THE_DEVICE or (key not in saved and not isinstance(value, float)):
            continue
        if key not in saved:
            raise ValueError(f"{path} is missing")
        had = saved[key]
        parts = had if isinstance(value, tuple) and isinstance(had, tuple) and len(had) == len(value) else [had]
        moved = key in _MOVING and all(isinstance(part, int | float) for part in parts)
        if not moved and (type(had) is not type(value) or had != value):
            raise ValueError(f"{path} is not that of the preset")


def _fault(value: object, wanted: object) -> str:
    """What is wrong with what an optimizer holds for a parameter, where it holds `wanted` for one of its shape."""
    if wanted is None:
        return "" if value is None else say("checkpoint.not_held")
    if value is None:
        return say("checkpoint.value_missing")
    if not isinstance(wanted, Tensor):
        return "" if type(value) is type(wanted) else say("checkpoint.wrong_kind")
    if not isinstance(value, Tensor) or value.dtype != wanted.dtype:
        return say("checkpoint.wrong_kind")
    return "" if value.shape == wanted.shape else _other_shape(value.shape, wanted.shape)


def _check_average(wanted: Mapping[str, Tensor], saved: object, kind: str) -> None:
    """What was saved of an average of the weights."""
    if not isinstance(saved, dict) or not isinstance(saved.get("model"), dict):
        raise ValueError(f"{kind}.model is missing")
    if type(count := saved.get("count")) is not int or count < 0:
        raise ValueError(f"{kind}.count {say('checkpoint.wrong_kind')}")
    _check_weights(wanted, saved["model"], f"{kind}.model")


def _check_weights(wanted: Mapping[str, Tensor], saved: Mapping[str, Any], path: str = "model") -> None:
    for name, weight in wanted.items():
        if not isinstance(value := saved.get(name), Tensor):
            raise ValueError(f"{path}.{name} is missing")
        if value.shape != weight.shape:
            raise ValueError(f"{path}.{name} {_other_shape(value.shape, weight.shape)}")
        if value.dtype != weight.dtype:
            raise ValueError(f"{path}.{name} {say('checkpoint.wrong_kind')}")
    for name in saved:
        if name not in wanted:
            raise ValueError(f"{path}.{name} is not of this network")


def _other_shape(saved: Sequence[int], wanted: Sequence[int]) -> str:
    one, other = ("×".join(map(str, shape)) or say("checkpoint.single_number") for shape in (saved, wanted))
    return say("checkpoint.other_shape", shape=one, wanted=other)


def planned_in(state: dict[str, Any], train_images: int, last_epoch: int) -> PlannedRun:
    """The preset that was followed where `state` was saved, worked out for a run of so many epochs."""
    return plan(
        state["preset_name"],
        Preset.model_validate(state["preset"]),
        train_images,
        first_epoch=state["first_epoch"],
        last_epoch=last_epoch,
        first_step=state["first_step"],
    )


_NUMBER = (int, float)
_MUST_HAVE: dict[str, type | tuple[type, ...]] = {
    "model": dict,
    "optimizer": dict,
    "scheduler": dict,
    "preset_name": str,
    "preset": dict,
    "first_epoch": int,
    "first_step": int,
    "step": int,
    "epoch": int,
    "batch": int,
    "lr": _NUMBER,
    "elapsed": _NUMBER,
    "epoch_began": _NUMBER,
    "loss_sum": _NUMBER,
    "images": int,
    "hits": int,
    "best_val_accuracy": _NUMBER,
    "switch": (list, type(None)),
}
"""What a run cannot go on without, and of which kind it is. All checkpoints there ever were have these."""


@dataclass(frozen=True)
class Resumption:
    """Where a run goes on, and what stands there."""

    state: checkpoints.State
    train_state: TrainState
    last_is_sound: bool
    """Whether it is the last checkpoint; newer ones that are damaged may lie there."""


def resume(
    folder: Path,
    facts: dict[str, Any],
    train_state_at: Callable[[checkpoints.State], TrainState],
    ranks: Ranks,
    emit: Callable[[AnyEvent], None],
) -> Resumption | None:
    """Go on from the newest checkpoint in `folder` from which that can be done; None where none was ever saved.

    That newer ones were passed over is told.

    Args:
        folder: where they lie.
        facts: what must hold of them.
        train_state_at: what stands where a state was saved; raises ValueError where the state is not one of this run.
        ranks: those that go on; the first one reads.
        emit: is told.

    Raises:
        BadCheckpoint: there are some, and none that fits.
    """
    ours: list[TrainState] = []
    passed_over: list[str] = []

    def newest() -> checkpoints.State | None:
        found = checkpoints.load_newest(folder, facts, train_state_at)
        if found is None:
            return None
        ours.append(found.taken)
        passed_over.extend(found.passed_over)
        for why in found.passed_over:
            taken = {"file": found.file.name, "step": f"{found.state['step']:,}"}
            text = say("checkpoint.going_on_from", why=why, **taken)
            emit(Alert(at=time.time(), kind="checkpoint", text=text))
        return found.state

    state = ranks.as_leader(newest)
    if state is None:
        return None
    return Resumption(state, ours[0] if ours else train_state_at(state), last_is_sound=not passed_over)


def train_state_at(
    state: checkpoints.State, model: nn.Module, compute_options: ComputeOptions, train_images: int, epochs: int
) -> TrainState:
    """What stands where `state` was saved, in a run of so many epochs, unless that was changed since it began; its
    weights go into `model`.

    Raises:
        ValueError: it is not a state of this run; the key that tells is in the words.
        PresetError: the rehearsal found what is wrong with its preset.
    """
    for key, kind in _MUST_HAVE.items():
        if key not in state:
            raise ValueError(f"{key} is missing")
        if not isinstance(state[key], kind) or isinstance(state[key], bool):
            raise ValueError(f"{key} {say('checkpoint.wrong_kind')}")
    epochs = state.get("epochs", epochs)
    if type(epochs) is not int or not 1 <= epochs <= MOST_EPOCHS:
        raise ValueError(f"epochs {say('checkpoint.wrong_kind')}")
    if not is_state(state.get("early_stopping")):
        raise ValueError(f"early_stopping {say('checkpoint.wrong_kind')}")
    if type(state.get("clipped", 0)) is not int:
        raise ValueError(f"clipped {say('checkpoint.wrong_kind')}")
    for key, least, most in (
        ("epoch", 1, epochs + 1),
        ("step", 0, None),
        ("batch", 0, None),
        ("images", 0, None),
        ("hits", 0, state["images"]),
        ("first_epoch", 1, state["epoch"]),
        ("first_step", 1, state["step"] + 1),
    ):
        if state[key] < least or (most is not None and state[key] > most):
            raise ValueError(f"{key} cannot be {state[key]}")
    if (switch := state["switch"]) is not None:
        if len(switch) != 2 or not isinstance(switch[0], str):
            raise ValueError(f"switch {say('checkpoint.wrong_kind')}")
        Preset.model_validate(switch[1])
    if state["first_epoch"] > epochs:
        raise ValueError(f"first_epoch cannot be {state['first_epoch']}")
    planned = planned_in(state, train_images, epochs)
    batches = (state["epoch"] - state["first_epoch"]) * planned.length.batches_per_epoch + state["batch"]
    if state["step"] != state["first_step"] - 1 + batches:
        raise ValueError(f"step cannot be {state['step']}, {batches} after {state['first_step'] - 1}")
    train_state = TrainState(model, planned, compute_options)
    train_state.load_state_dict(state)
    return train_state
