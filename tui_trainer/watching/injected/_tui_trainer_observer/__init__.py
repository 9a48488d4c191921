"""The observer: what tui-trainer brings into a process that it watches.

It puts wrappers around the calls of torch that make a training loop, and writes down when each was made, from which
line of the program, with which loss and learning rate, into a trace (`tui_trainer.watching.trace` describes it).

It is a guest in somebody else's process, of any Python from 3.9 and any torch from 2.0:

- It imports built-in modules of Python alone, and those that have no name that a program's own module could bear.
  What else it needs of the standard library, it takes once the program itself has loaded it.
- Nothing is opened before the first step of an optimizer or the first loss that goes backward: processes that do not
  train, workers of a DataLoader among them, leave no trace.
- It has no thread. Its own errors end in `guard`, which turns it off after three. What the program's own calls raise
  and return goes through untouched.
- Random numbers, graphs, hooks, what is pickled and saved: all as without it.
"""

from __future__ import annotations

import sys

from . import import_hook
from .observer import Observer
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["begin", "begin_here", "current"]

LISTENED = (
    "torch",
    "argparse",
    "torch.utils.tensorboard.writer",
    "tensorboardX.writer",
    "wandb.sdk.wandb_run",
    "mlflow.tracking.client",
    "lightning.pytorch.trainer.connectors.logger_connector.logger_connector",
    "pytorch_lightning.trainer.connectors.logger_connector.logger_connector",
    "transformers.trainer",
    "accelerate.accelerator",
    "timm.scheduler.scheduler",
    "safetensors.torch",
    "torch.distributed.checkpoint",
)
"""The modules that `torch_calls.after_imports` wants to know of. It is imported with the first of them: an interpreter
that trains nothing starts the sooner."""

_of_this_process: list[Observer] = []
"""One, once there is one."""


def begin() -> None:
    """Wait for the program to import torch. Does nothing where no folder for traces is named. Never raises."""
    try:
        settings = Settings.of_environment()
        if settings is not None:
            _begin(settings)
    except Exception:
        return


def begin_here(folder: str) -> Observer:
    """Watch this program from now on, which may have imported torch already, with the options that lie in this folder.
    One that was watched before is watched anew."""
    settings = Settings.of_folder(folder)
    observer = current()
    if observer is None:
        return _begin(settings)
    observer.begin_again(settings)
    return observer


def current() -> Observer | None:
    """What watches this process; None where nothing does."""
    return _of_this_process[0] if _of_this_process else None


def _begin(settings: Settings) -> Observer:
    observer = Observer(settings)
    _of_this_process.append(observer)
    calls: dict[str, Callable[[Any], None]] = {}

    def imported(name: str, module: Any) -> None:
        if not calls:
            from . import torch_calls

            calls.update(torch_calls.after_imports(observer))
        calls[name](module)

    here = [(name, sys.modules[name]) for name in LISTENED if name in sys.modules]
    import_hook.begin(observer.guard, [name for name in LISTENED if name not in sys.modules], imported)
    for name, module in here:
        try:
            imported(name, module)
        except Exception as error:
            observer.guard.failed("import of " + name, error)
    return observer
