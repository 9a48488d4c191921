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

from . import import_hook, torch_calls
from .observer import Observer
from .settings import Settings

__all__ = ["begin"]


def begin() -> None:
    """Wait for the program to import torch. Does nothing where no folder for traces is named. Never raises."""
    try:
        settings = Settings.of_environment()
        if settings is None:
            return
        observer = Observer(settings)
        import_hook.begin(observer.guard, torch_calls.after_imports(observer))
    except Exception:
        return
