"""What torch keeps to itself and this program needs: its private names stand here, and in no other file.

`tests/test_private_names.py` names each of them, so that a version of torch without one fails there.
"""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer
from torch.optim.swa_utils import SWALR

_COMPILER = ("torch._dynamo", "torch._inductor")
"""Where the errors of `torch.compile` are defined; the public ones among them have no base of their own."""


def closed_form_lr(scheduler: Any) -> float:
    """The LR that a scheduler has after `scheduler.last_epoch` steps, reckoned without making them.

    torch reckons so within SequentialLR; in public, `step(epoch)` does, with a warning that it will go.
    """
    return float(scheduler._get_closed_form_lr()[0])


def set_closed_form_lr(scheduler: Any) -> None:
    """Set the optimizer to the LR that a scheduler has by its closed form, where it has one, as SequentialLR does where
    the scheduler begins: rounding may set that apart from the LR that it was built with."""
    if not hasattr(scheduler, "_get_closed_form_lr"):
        return
    scheduler._last_lr = list(scheduler._get_closed_form_lr())
    for group, lr in zip(scheduler.optimizer.param_groups, scheduler._last_lr, strict=True):
        group["lr"] = lr


def stand_after(scheduler: SWALR, steps: int) -> None:
    """Have it go on as if it had made so many steps: it goes from LR to LR by the count of them alone."""
    scheduler._step_count, scheduler.last_epoch = steps + 1, steps
    scheduler._last_lr = [group["lr"] for group in scheduler.optimizer.param_groups]


def mark_stepped(optimizer: Optimizer) -> None:
    """Tell schedulers that this optimizer has made steps, in the run that is gone on with.

    torch warns of a scheduler that steps before its optimizer ever did.
    """
    optimizer._opt_called = True  # type: ignore[attr-defined]


def is_of_compiler(error: Exception) -> bool:
    """Whether `torch.compile` raised it, and not the network that it compiles."""
    return type(error).__module__.startswith(_COMPILER)
