"""Saving checkpoints while a run goes on, and telling of it; a disk that is full ends no training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tui_trainer.engine import checkpoints
from tui_trainer.engine.checkpoints import BEST, LAST
from tui_trainer.engine.distributed import Ranks
from tui_trainer.events import CheckpointSaved, Event, Noticed

_CALLED = {BEST: "best", LAST: "last"}


class Saver:
    """Writes a run's checkpoints to `folder`, in the process that leads.

    `last_is_sound` tells whether the last one that is there, if one is, can be gone on from.
    """

    def __init__(
        self, folder: Path, ranks: Ranks, emit: Callable[[Event], None], *, last_is_sound: bool = True
    ) -> None:
        self._folder, self._ranks, self._emit = folder, ranks, emit
        self._last_is_sound = last_is_sound
        self._lacking: dict[str, str] = {}
        self._there: dict[str, str] = {}
        if ranks.leads:
            checkpoints.tidy(folder)

    @property
    def lacking(self) -> str:
        """Which checkpoints are not those of the epochs that they should be of, and why; empty where all are."""
        return "; ".join(self._lacking.values())

    def save(self, state: Callable[[], checkpoints.State], epoch: int, *, best: bool) -> bool:
        """Save what `state` gives, after `epoch`.

        Returns:
            Whether the last checkpoint is on the disk, as far as that is for this process.
        """
        if not self._ranks.leads:
            return True
        saved = state()
        wanted = (BEST, LAST) if best else (LAST,)
        failed = checkpoints.save(saved, self._folder, best=best, keep_last=self._last_is_sound)
        self._last_is_sound |= LAST not in failed
        self._keep_count(wanted, failed, f"epoch {epoch}" if saved["batch"] == 0 else f"step {saved['step']}")
        if failed:
            reasons = dict.fromkeys(map(_reason, failed.values()))
            which = "no checkpoint was saved" if len(failed) == len(wanted) else f"{next(iter(failed))} was not saved"
            self._emit(Noticed(at=time.time(), kind="checkpoint", text=f"{which}: {'; '.join(reasons)}"))
        there = [name for name in wanted if name not in failed]
        if there:
            best = BEST in there
            file = f"checkpoints/{there[0]}"
            self._emit(CheckpointSaved(at=time.time(), step=saved["step"], epoch=epoch, file=file, best=best))
        return LAST not in failed

    def _keep_count(self, wanted: Iterable[str], failed: Mapping[str, OSError], of: str) -> None:
        for name in wanted:
            if name in failed:
                instead = f" ({name} is still of {self._there[name]})" if name in self._there else ""
                text = f"the {_CALLED[name]} checkpoint, of {of}, could not be saved{instead}: {_reason(failed[name])}"
                self._lacking[name] = text
            else:
                self._lacking.pop(name, None)
                self._there[name] = of


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
