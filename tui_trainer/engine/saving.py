"""Saving checkpoints while a run goes on, and telling of it; a disk that is full ends no training."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tui_trainer.engine import checkpoints
from tui_trainer.engine.distributed import Ranks
from tui_trainer.events import CheckpointSaved, Event, Noticed


class Saver:
    """Writes a run's checkpoints to `folder`, in the process that leads."""

    def __init__(self, folder: Path, ranks: Ranks, emit: Callable[[Event], None]) -> None:
        self._folder, self._ranks, self._emit = folder, ranks, emit

    def save(self, state: Callable[[], checkpoints.State], epoch: int, *, best: bool) -> bool:
        """Save what `state` gives, after `epoch`; whether it is on the disk, as far as that is for this process."""
        if not self._ranks.leads:
            return True
        saved = state()
        try:
            checkpoints.save(saved, self._folder, best=best)
        except OSError as error:
            why = error.strerror or str(error)
            self._emit(Noticed(at=time.time(), kind="checkpoint", text=f"no checkpoint was saved: {why}"))
            return False
        file = f"checkpoints/{checkpoints.BEST if best else checkpoints.LAST}"
        self._emit(CheckpointSaved(at=time.time(), step=saved["step"], epoch=epoch, file=file, best=best))
        return True
