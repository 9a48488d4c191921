"""Runs of all kinds in one list: ours, and what other tools have recorded below the folders that a person named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite
from pathlib import Path

from tui_trainer.foreign_records import forms
from tui_trainer.foreign_records.forms import Record
from tui_trainer.records import range_tests
from tui_trainer.records.errors import reason
from tui_trainer.records.history import History
from tui_trainer.records.run_index import Listed, listed
from tui_trainer.records.series_names import our_name
from tui_trainer.records.summary import SPARK_POINTS, Objective, RunSummary
from tui_trainer.records.told_epochs import told_epochs
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.text.captions import say


def runs_at(roots: Sequence[Path]) -> list[Listed]:
    """What lies at paths and below them, each run once."""
    found: dict[Path, Listed] = {}
    for root in roots:
        ours, others = forms.all_in(root)
        found |= {folder: listed(folder) for folder in ours}
        found |= {record.path: Listed(record.path, record.written_at, partial(summary_of, record)) for record in others}
    return [*found.values()]


def range_tests_beside(runs: Path) -> list[Listed]:
    """The LR range tests that lie beside the runs of a folder. Each is written once, and stays as it is.

    Raises:
        RunUnreadable: the folder of them cannot be read.
    """
    return [Listed(folder, folder.name, partial(range_tests.summarize, folder)) for folder in range_tests.folders(runs)]


def summaries_at(roots: Sequence[Path]) -> list[RunSummary]:
    """The runs at paths and below them, those that were begun last first."""
    found = [run.summarize() for run in runs_at(roots)]
    return sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)


def summary_of(record: Record) -> RunSummary:
    """The summary of another tool's record, of which all is read.

    What a run of ours has by another name (`our_name`) is what `val_loss` and its like are; the rest is under its own.
    """
    source = ForeignSource(record.kind, record.path)
    trouble = ""
    try:
        source.read_all()
    except OSError as error:
        trouble = reason(error)
    finally:
        source.close()
    history, series = source.history, source.history.series
    ours: dict[str, str] = {}
    for name in series:
        if (called := our_name(name)) is not None:
            ours.setdefault(called, name)
    last = {called: _finite(series[name].values[-1]) for called, name in ours.items() if len(series[name].values)}
    best = series.best(ours["val_accuracy"], "max") if "val_accuracy" in ours else None
    begun, ended = history.first_started, history.ended
    told = told_epochs(history)
    return RunSummary(
        id=str(record.path),
        name=source.name,
        status=ended.status if ended is not None else "unknown",
        epochs_done=told.last if told is not None else 0,
        steps_done=history.last_step,
        best_val_accuracy=best.value if best is not None else None,
        val_accuracy=last.get("val_accuracy"),
        val_loss=last.get("val_loss"),
        train_loss=last.get("train_loss"),
        started_at=begun.at if begun is not None else record.written_at,
        ended_at=ended.at if ended is not None else None,
        elapsed_s=history.elapsed_s,
        reason=ended.reason if ended is not None else None,
        folder=str(record.path),
        loss=_spark(history, ours.get("train_loss")),
        flaws=[*([say("foreign.unreadable", why=trouble)] if trouble else []), *source.flaws],
        objective=_objective(history),
        metrics={name: each.values[-1] for name, each in series.items() if len(each.values)},
        config=dict(source.settings),
        tool=record.kind.tool,
        written_at=history.written_at or record.written_at,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _objective(history: History) -> Objective | None:
    series = history.series
    if (name := series.objective) is None:
        return None
    best = series.best(name)
    value, step = (best.value, best.step) if best is not None else (None, None)
    return Objective(name=name, goal=series.goal(name), best=value, step=step)


def _spark(history: History, loss: str | None) -> list[float]:
    """The means of equal parts of the training loss, else of what the run is judged by."""
    name = loss or history.series.objective
    if name is None:
        return []
    values = [value for value in history.series[name].values if isfinite(value)]
    parts = min(SPARK_POINTS, len(values))
    shares = (values[part * len(values) // parts : (part + 1) * len(values) // parts] for part in range(parts))
    return [sum(share) / len(share) for share in shares]
