"""Lightning: `Trainer(callbacks=[WatchCallback()])` has a training watched.

    from tui_trainer.integrations.lightning import WatchCallback

What `self.log` logs is recorded under its own names, with a logger or without.
"""

from __future__ import annotations

from typing import Any

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ModuleNotFoundError:
    from pytorch_lightning import Callback, LightningModule, Trainer

from tui_trainer.watching.own_code import Watch, watch


class WatchCallback(Callback):  # type: ignore[misc]
    """Watches `Trainer.fit`.

    Args:
        options: those of `tui_trainer.watch`: `name`, `runs`, `rehearse` and so on. How many epochs there will be, the
            trainer tells.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._watch: Watch | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Begin, before optimizers are made."""
        if stage == "fit" and trainer.is_global_zero and self._watch is None:
            given = {"epochs": _known(trainer.max_epochs), "steps": _known(trainer.max_steps)}
            self._watch = watch(**{**given, **self._options})

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """It is over."""
        self._finish("")

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """It ended early."""
        stopped = isinstance(exception, KeyboardInterrupt)
        self._finish("stopped" if stopped else f"crashed {type(exception).__name__}: {exception}")

    def _finish(self, problem: str) -> None:
        if self._watch is not None:
            self._watch.finish(problem)
            self._watch = None


def _known(count: int | None) -> int | None:
    """Lightning has -1 for no end."""
    return count if count is not None and count > 0 else None
