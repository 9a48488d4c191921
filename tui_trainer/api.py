"""The public API: `from tui_trainer import open_run, list_runs, watch, log`. It reads records, has one's own
training watched, and records what one's own code logs; it needs no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_trainer.events import EpochEnded
from tui_trainer.files.given_path import BadPath
from tui_trainer.logged_numbers import log
from tui_trainer.records.errors import RunNotFound, RunsError, RunUnreadable
from tui_trainer.records.export import journal_of
from tui_trainer.records.history import History
from tui_trainer.records.run_index import find, summaries
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.records.summary import RunSummary, summarize
from tui_trainer.records.tail import Tail
from tui_trainer.watching.own_code import Watch, watch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Metric", "Run", "RunSummary", "RunsError", "Watch", "list_runs", "log", "open_run", "watch"]

EPOCH_FIELDS = (
    ("epoch", "i8"),
    ("step", "i8"),
    ("train_loss", "f8"),
    ("train_accuracy", "f8"),
    ("val_loss", "f8"),
    ("val_accuracy", "f8"),
    ("lr", "f8"),
    ("images_per_second", "f8"),
    ("elapsed", "f8"),
)
"""The fields of `Run.epochs`, with NumPy's name of their types."""


@dataclass(frozen=True, eq=False)
class Metric:
    """A series of a run, as it was logged: `values[i]` at `steps[i]`, and steps rise."""

    name: str
    steps: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)
    """nan and the infinities are values that were logged."""
    goal: str = "none"
    """`min`, `max` or `none`: whether less or more of it is better."""
    unit: str = ""
    """Empty for plain numbers."""


@dataclass(frozen=True, eq=False)
class Run:
    """A run as far as it was recorded when it was opened; of a live one, open it again to see more.

    Index `i` of an array of steps is step `i + 1`. Steps that a damaged record has lost are nan.
    """

    folder: Path
    """Where its record lies."""
    summary: RunSummary
    """What `tui-trainer runs` tells of it: preset, data, status, seed, …"""
    losses: NDArray[np.float32] = field(repr=False)
    """The training loss of each step; nan where it was not finite."""
    lrs: NDArray[np.float64] = field(repr=False)
    """The LR that the optimizer used for each step."""
    elapsed: NDArray[np.float64] = field(repr=False)
    """The run's own clock at the end of each step, in seconds, without pauses; never falls."""
    epochs: NDArray[np.void] = field(repr=False)
    """A structured array, an element for each whole epoch: `epochs["val_loss"]` is an array of its own.

    The fields are `epoch` and `step` (its last), counted from 1; `train_loss`, `val_loss` (means over images; nan where
    not finite), `train_accuracy`, `val_accuracy` (0 to 1), `lr` (of the last step), `images_per_second`, `elapsed` (s).
    """
    metrics: Mapping[str, Metric] = field(default_factory=dict, repr=False)
    """All series by name, in the order in which they came: those above, and whatever else was logged."""
    flaws: tuple[str, ...] = ()
    """What of the record could not be read, is missing or contradicts itself; each in words."""

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def name(self) -> str | None:
        """What `--name` called it."""
        return self.summary.name

    @property
    def status(self) -> str:
        """`running`, `paused`, `finished`, `stopped`, `diverged` or `crashed`."""
        return self.summary.status


def open_run(run: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None) -> Run:
    """Read a run.

    Args:
        run: its id, its name, the unique start of its id, or the path of its folder.
        folder: where runs lie; by default what TUI_TRAINER_RUNS says, else the user's data folder.

    Raises:
        RunsError: there is no such run, several go by that, or its record cannot be read; the words say which.
        ModuleNotFoundError: NumPy is not installed.
    """
    import numpy as np

    found = find(_folder(folder), os.fspath(run))
    history, flaws = _read(found)
    return Run(
        folder=found,
        summary=summarize(found),
        losses=np.array(history.losses, np.float32),
        lrs=np.array(history.lrs, np.float64),
        elapsed=np.array(history.elapsed, np.float64),
        epochs=np.array([_row(epoch) for epoch in history.epochs], np.dtype(list(EPOCH_FIELDS))),
        metrics={name: _metric(history, name) for name in history.series},
        flaws=flaws,
    )


def list_runs(folder: str | os.PathLike[str] | None = None) -> list[RunSummary]:
    """All runs of a folder, newest first; no record is read as a whole. What cannot be read is left out.

    Args:
        folder: where runs lie; by default what TUI_TRAINER_RUNS says, else the user's data folder.

    Raises:
        RunsError: the folder cannot be read, or can be none.
    """
    runs = _folder(folder)
    try:
        return summaries(runs)
    except OSError as cause:
        raise RunUnreadable(runs, cause) from cause


def _folder(given: str | os.PathLike[str] | None) -> Path:
    try:
        return runs_folder(given)
    except BadPath as error:
        raise RunNotFound(str(error)) from error


def _read(folder: Path) -> tuple[History, tuple[str, ...]]:
    history = History()
    journal = journal_of(folder)
    try:
        with Tail(journal, packed=True) as tail:
            for event in tail:
                history.apply(event)
            history.known.go_on()  # nothing comes any more that could confirm what is in doubt
            return history, (*tail.flaws, *history.known.flaws.in_words())
    except OSError as cause:
        raise RunUnreadable(journal, cause) from cause


def _metric(history: History, name: str) -> Metric:
    import numpy as np

    series, declared = history.series[name], history.series.declared(name)
    return Metric(
        name=name,
        steps=np.array(series.steps, np.int64),
        values=np.array(series.values, np.float64),
        goal=history.series.goal(name),
        unit=declared.unit if declared is not None else "",
    )


def _row(epoch: EpochEnded) -> tuple[Any, ...]:
    return tuple(getattr(epoch, name) for name, _ in EPOCH_FIELDS)
