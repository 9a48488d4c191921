"""What torch keeps to itself and the observer needs: its private names stand here, and in no other file of it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INITIAL_STEP = "_initial_step"
"""The method of LRScheduler that makes the step of its constructor."""


def data_loader_iterator(torch: Any) -> Any:
    """The class whose `__next__` gives the batches of DataLoaders of all kinds."""
    return torch.utils.data.dataloader._BaseDataLoaderIter


def skip_code(torch: Any) -> Any:
    """What tells dynamo to run a code object as it is where its frame would be compiled.

    Where a compiled function calls something that dynamo cannot trace, what that calls is compiled by itself: our
    wrappers would be too. Called from code that is traced they are traced with it all the same. It takes the code, and
    whether that calls code of the program's, which is not skipped. None where it is missing.
    """
    dynamo = getattr(torch._C, "_dynamo", None)
    frames: Any = getattr(dynamo, "eval_frame", None)
    own = getattr(frames, "skip_code", None)
    if own is not None:  # until torch 2.6
        return lambda code, calls_theirs: own(code)
    set_strategy, action = getattr(frames, "set_code_exec_strategy", None), getattr(frames, "_FrameAction", None)
    if set_strategy is None or action is None:
        return None
    alone = frames._FrameExecStrategy(action.SKIP, action.DEFAULT)
    with_all = frames._FrameExecStrategy(action.SKIP, action.SKIP)
    return lambda code, calls_theirs: set_strategy(code, alone if calls_theirs else with_all)


def hook_all_steps(before: Any, after: Any) -> None:
    """What `register_optimizer_step_pre_hook` and `..._post_hook` do, but for the numbers that they give to hooks.

    The hooks that the program registers keep the numbers that they have without ours: they are pickled with a network.
    """
    optimizer = submodule("optim.optimizer")
    optimizer._global_optimizer_pre_hooks[-1] = before
    optimizer._global_optimizer_post_hooks[-1] = after


def submodule(name: str) -> Any:
    """A module of torch's, which its package may have hidden by something of the same name."""
    return sys.modules["torch." + name]


def scale_of(scaler: Any) -> Any:
    """The tensor that holds the scale of a GradScaler; None as long as there is none."""
    return getattr(scaler, "_scale", None)


def found_infs(scaler: Any, optimizer: Any) -> list[Any]:
    """The tensors, one for each device, that tell whether this optimizer's gradients had an infinity."""
    state = getattr(scaler, "_per_optimizer_states", {}).get(id(optimizer), {})
    return list(state.get("found_inf_per_device", {}).values())


def does_skip_itself(optimizer: Any) -> bool:
    """Whether an optimizer is called by a GradScaler in any case: a fused one."""
    return bool(getattr(optimizer, "_step_supports_amp_scaling", False))


def is_compiled_in_place(network: Any) -> bool:
    """Whether `Module.compile` was called on it."""
    return getattr(network, "_compiled_call_impl", None) is not None


def batch_norm_classes(torch: Any) -> tuple[Any, ...]:
    """What normalises by the batch in training mode, and by what it has seen in evaluation mode."""
    return (torch.nn.modules.batchnorm._NormBase,)


def closed_form(scheduler: Any) -> Any:
    """The method of a scheduler that reckons its LRs from `last_epoch` alone; None where it has none."""
    return getattr(scheduler, "_get_closed_form_lr", None)


def lrs_at(scheduler: Any, step: int) -> list[float]:
    """The LRs of a scheduler that can be reckoned without being stepped there. It is at that step then."""
    scheduler.last_epoch = step
    reckon = closed_form(scheduler)
    if reckon is None:
        scheduler._get_lr_called_within_step = True
        reckon = scheduler.get_lr
    return [float(lr) for lr in reckon()]


def has_compiled() -> bool:
    """Whether dynamo has compiled anything of this process: hooks of ours would have it compile anew."""
    counters = getattr(sys.modules.get("torch._dynamo.utils"), "counters", None)
    return bool(counters and counters.get("frames"))


def version_of(tensor: Any) -> int:
    """Rises with each change in place."""
    return int(tensor._version)


def divisor_of(tensor: Any) -> float | None:
    """The number by which this tensor's last operation divides, or multiplies with the inverse of: as `loss / 4` and
    `loss * 0.25` do. None where it is another operation, the number is no whole one above 1, or lies on a device."""
    node: Any = getattr(tensor, "grad_fn", None)
    kind = node.name() if node is not None else ""
    if kind not in ("DivBackward0", "MulBackward0"):
        return None
    try:
        other = node._saved_other
    except (AttributeError, RuntimeError):  # its graph is freed
        return None
    if not getattr(other, "is_cpu", False) or other.dim() or other.requires_grad or other.is_complex():
        return None
    number = float(other.tolist())
    number = 1.0 / number if kind == "MulBackward0" and number else number
    whole = float(round(number)) if 1.5 < number < 1e6 else 0.0
    return whole if whole and abs(number - whole) < 1e-6 * whole else None
