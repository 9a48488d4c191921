"""Watch a network train in your terminal, and read what was recorded of it:

    import tui_trainer

    for summary in tui_trainer.list_runs():
        print(summary.id, summary.status, summary.best_val_accuracy)
    run = tui_trainer.open_run("night")
    run.losses.min(), run.lrs[-1], run.epochs["val_accuracy"].max()

and have a training loop of your own watched, from within its program:

    with tui_trainer.watch(name="mine") as run:
        train()
        run.log({"val_loss": 0.31})

A loss or a model of your own that trains here (`--loss mine:focal --allow-code`) records numbers with
`tui_trainer.log({"margin": margin})`.

`__all__` is the public API. As long as the version begins with 0, a change of it raises the second number, later the
first (semantic versions). Everything else in this package may change with each release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_trainer.api import Metric, Run, RunsError, RunSummary, Watch, list_runs, log, open_run, watch

__version__ = "0.1.0"

__all__ = ["Metric", "Run", "RunSummary", "RunsError", "Watch", "__version__", "list_runs", "log", "open_run", "watch"]


def __getattr__(name: str) -> object:
    """Import the API once it is asked for: the commands import this package, and none should wait for it."""
    if name in __all__:
        from importlib import import_module

        value: object = getattr(import_module("tui_trainer.api"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
