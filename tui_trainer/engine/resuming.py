"""Going on with a run from the newest of its checkpoints that can be gone on from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from tui_trainer.engine import checkpoints
from tui_trainer.engine.distributed import Ranks
from tui_trainer.engine.precision import ComputeOptions
from tui_trainer.engine.train_state import TrainState, planned_in
from tui_trainer.events import Alert, AnyEvent
from tui_trainer.presets.schema import Preset

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
            text = f"{why}; going on from {found.file.name}, saved after step {found.state['step']}"
            emit(Alert(at=time.time(), kind="checkpoint", text=text))
        return found.state

    state = ranks.as_leader(newest)
    if state is None:
        return None
    return Resumption(state, ours[0] if ours else train_state_at(state), last_is_sound=not passed_over)


def train_state_at(
    state: checkpoints.State, model: nn.Module, compute_options: ComputeOptions, train_images: int, epochs: int
) -> TrainState:
    """What stands where `state` was saved, in a run of so many epochs; its weights go into `model`.

    Raises:
        ValueError: it is not a state of this run; the key that tells is in the words.
        PresetError: the rehearsal found what is wrong with its preset.
    """
    for key, kind in _MUST_HAVE.items():
        if key not in state:
            raise ValueError(f"{key} is missing")
        if not isinstance(state[key], kind) or isinstance(state[key], bool):
            raise ValueError(f"{key} is of a wrong kind")
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
            raise ValueError("switch is of a wrong kind")
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
