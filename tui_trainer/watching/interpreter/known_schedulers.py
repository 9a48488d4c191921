"""torch's schedulers by what their `state_dict` says: their arguments, as a preset would have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from tui_trainer.lr_reasons import PlateauRules, PlateauSeen
from tui_trainer.presets import schedulers
from tui_trainer.presets.schedulers import SchedulerTable
from tui_trainer.watching.trace import Group, SchedulerSeen

State: TypeAlias = Mapping[str, Any]

PLATEAU = "ReduceLROnPlateau"


def config_of(seen: SchedulerSeen, group: Group | None, interval: Literal["step", "epoch"]) -> SchedulerTable | None:
    """The arguments of a scheduler of torch's own, for the first group of its optimizer.

    None where it is another class, or its state does not tell them.
    """
    kind = schedulers.SCHEDULERS.get(seen.class_name)
    arguments = _ARGUMENTS.get(seen.class_name)
    if kind is None or arguments is None or not is_torchs_own(seen):
        return None
    try:
        given = arguments(seen.state, group.options if group is not None else {})
        return kind.model_validate({"name": seen.class_name, "interval": interval, **given})
    except (ValidationError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def is_torchs_own(seen: SchedulerSeen) -> bool:
    """Whether its class is torch's: others may bear the same name."""
    return seen.module.startswith("torch.optim.")


def total_steps(seen: SchedulerSeen) -> int | None:
    """How many steps it makes in its whole life, where it says so itself."""
    total = seen.state.get("total_steps") if seen.class_name == "OneCycleLR" else None
    return total if type(total) is int and 0 < total < 2**31 else None


def steps_made(state: State) -> int | None:
    """How many steps of its own it had made."""
    made = state.get("last_epoch")
    return made if type(made) is int and 0 <= made < 2**53 else None


def interval_told(state: State) -> Literal["step", "epoch"] | None:
    """When it steps, where it says so itself, as timm's do."""
    in_epochs = state.get("t_in_epochs")
    return None if type(in_epochs) is not bool else "epoch" if in_epochs else "step"


def _only(*names: str) -> Callable[[State, State], dict[str, Any]]:
    return lambda state, _: {name: state[name] for name in names}


def _milestones(state: State, _: State) -> dict[str, Any]:
    told = state["milestones"]
    places = told if isinstance(told, list) else [int(place) for place, times in told.items() for _ in range(times)]
    return {"milestones": sorted(places), "gamma": state["gamma"]}


def _cyclic(state: State, _: State) -> dict[str, Any]:
    up = state["total_size"] * state["step_ratio"]
    lrs = {"base_lr": state["base_lrs"][0], "max_lr": state["max_lrs"][0]}
    return {**lrs, "step_size_up": round(up), "step_size_down": round(state["total_size"] - up), "mode": state["mode"]}


def _one_cycle(state: State, options: State) -> dict[str, Any]:
    highest, first, lowest = options["max_lr"], options["initial_lr"], options["min_lr"]
    phases = state["_schedule_phases"]
    return {
        "max_lr": highest,
        "div_factor": highest / first,
        "final_div_factor": first / lowest,
        "pct_start": (phases[0]["end_step"] + 1) / state["total_steps"],
        "three_phase": len(phases) == 3,
    }


_ARGUMENTS: dict[str, Callable[[State, State], dict[str, Any]]] = {
    "StepLR": _only("step_size", "gamma"),
    "MultiStepLR": _milestones,
    "ExponentialLR": _only("gamma"),
    "ConstantLR": _only("factor", "total_iters"),
    "LinearLR": _only("start_factor", "end_factor", "total_iters"),
    "PolynomialLR": _only("total_iters", "power"),
    "CosineAnnealingLR": _only("T_max", "eta_min"),
    "CosineAnnealingWarmRestarts": _only("T_0", "T_mult", "eta_min"),
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
}


class PlateauFollower:
    """What ReduceLROnPlateau made of each value, from its states after them."""

    def __init__(self) -> None:
        self._before: State = {}
        self._steps = self._best_at = 0

    def take(self, state: State, metric: float | None) -> PlateauSeen | None:
        """It stands so after a step; None where its state does not tell what it made of it."""
        before, self._before = self._before, state
        self._steps += 1
        best = _number(state.get("best"))
        if best is None:
            return None
        better = best != _number(before.get("best"))
        if better:
            self._best_at = self._steps
        ignored = not better and (_number(before.get("cooldown_counter")) or 0) > 0
        bad = 0 if better or ignored else int(_number(before.get("num_bad_epochs")) or 0) + 1
        value = metric if metric is not None and isfinite(metric) else best if better else None
        if value is None:
            return None
        return PlateauSeen(
            value=value,
            best=best,
            best_ago=self._steps - self._best_at,
            bad_epochs=bad,
            cooldown=int(_number(state.get("cooldown_counter")) or 0),
            ignored=ignored,
            tried=bad > (_number(state.get("patience")) or 0),
        )


def plateau_rules(state: State, monitor: str) -> PlateauRules | None:
    """The arguments that reasons name; None where the state does not tell them."""
    patience, eps = _number(state.get("patience")), _number(state.get("eps"))
    lowest = state.get("min_lrs") if "min_lrs" in state else state.get("min_lr", [])
    first = _number(lowest[0] if isinstance(lowest, list) and lowest else lowest)
    if patience is None or patience < 0 or first is None:
        return None
    mode = "max" if state.get("mode") == "max" else "min"
    return PlateauRules(monitor, mode, int(patience), first, eps or 0.0)


def _number(told: object) -> float | None:
    if type(told) not in (int, float):
        return None
    try:
        value = float(told)  # type: ignore[arg-type]
    except OverflowError:
        return None
    return value if isfinite(value) and abs(value) < 2**53 else None
