"""What happens in a run as objects of JSON, one a line: for scripts, agents and dashboards, live and in an export.

This form is documented (`docs/records-and-api.md`) and has a version of its own, which the journal's form is free of:
fields and types of objects may be added under the same version, and whoever reads passes over those that it does not
know. None is taken away or changed without another version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite, nan
from typing import Any, TypeAlias

from msgspec.structs import asdict

from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallFollowed,
    CallsMade,
    CallsTimed,
    CheckpointSaved,
    CommandAnswered,
    ConfusionCounted,
    Continued,
    EpochEnded,
    EpochsChanged,
    LoopFound,
    LRChanged,
    LRUnchanged,
    MetricColumns,
    MetricDeclared,
    MetricsLogged,
    MistakeFound,
    PaceChanged,
    Paused,
    PhaseStarted,
    PlanMade,
    PlateauCounted,
    PresetSwitched,
    ProgramWatched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    RunStarted,
    SettingChanged,
    StepsTaken,
    SwitchPlanned,
)
from tui_trainer.records.metric_rows import Row, rows_of
from tui_trainer.records.series import shown_name
from tui_trainer.text.numbers import in_json

VERSION = 1

Object: TypeAlias = dict[str, Any]


class StreamForm:
    """Turns the events of one run, in their order, into objects."""

    def __init__(
        self, since: int | None = None, stands: Callable[[Row], bool] = lambda _: True, *, has_steps: bool = False
    ) -> None:
        """Nothing was told yet.

        Args:
            since: begin with the first thing that is of a step after this one; None begins with all.
            stands: whether a number of a series is told.
            has_steps: whether the run is known to tell its steps one by one, before the first one is.
        """
        self._since = -1 if since is None else since
        self._begun = since is None
        self._stands = stands
        self._has_steps = has_steps

    def of(self, event: AnyEvent) -> list[Object]:
        """What is to be told of an event."""
        self._has_steps |= isinstance(event, StepsTaken)
        rows = [row for row in rows_of(event) if self._stands(row)]
        began = self._begun
        if not self.begins(event):
            return []
        if isinstance(event, StepsTaken) or (isinstance(event, MetricColumns) and not began):
            rows = [row for row in rows if row.step > self._since]
        return _objects(event, [(self._shown(row), row) for row in rows])

    def _shown(self, row: Row) -> str:
        return shown_name(row.name, self._has_steps) if row.logged else row.name

    def begins(self, event: AnyEvent) -> bool:
        """Whether something is to be told of an event, or was to be of one before it."""
        if self._begun or not _is_after(event, self._since):
            return self._begun
        self._begun = not isinstance(event, RunEnded)
        return True


def _is_after(event: AnyEvent, step: int) -> bool:
    """Whether it is of a step after this one; the end of a run is, whenever it comes."""
    if isinstance(event, RunEnded):
        return True
    if isinstance(event, StepsTaken):
        return event.step + len(event.losses) - 1 > step
    if isinstance(event, MetricColumns):
        return event.steps[-1] > step
    return getattr(event, "step", -1) > step


def _objects(event: AnyEvent, rows: Iterable[tuple[str, Row]]) -> list[Object]:
    if isinstance(event, StepsTaken | MetricsLogged | MetricColumns):
        return _metrics(event, rows)
    form = FORMS.get(type(event))
    if form is None:
        return []
    kind, fields = form
    made: Object = {"v": VERSION, "type": kind, "at": event.at, **fields(event)}
    if isinstance(event, EpochEnded):
        made["values"] = {name: in_json(row.value) for name, row in rows}
    return [made]


def _metrics(event: StepsTaken | MetricsLogged | MetricColumns, rows: Iterable[tuple[str, Row]]) -> list[Object]:
    """An object for each step of which numbers are told."""
    made: dict[int, Object] = {}
    last = event.elapsed[-1] if isinstance(event, StepsTaken) else None
    for name, row in rows:
        if (there := made.get(row.step)) is None:
            at = event.at if last is None or row.elapsed is None else round(event.at - last + row.elapsed, 6)
            there = {"v": VERSION, "type": "metrics", "at": at, "step": row.step}
            told = {"epoch": row.epoch, "batch": row.batch, "elapsed_s": row.elapsed}
            there |= {field: value for field, value in told.items() if value is not None}
            there["values"] = {}
            made[row.step] = there
        there["values"][name] = in_json(row.value)
    return list(made.values())


def _batches(event: RunConfigured, recipe: ResolvedConfig) -> int | None:
    """Batches of an epoch; None where that is not known."""
    if recipe.accumulate == 1 or event.train_images is None or not recipe.batch_size:
        return recipe.batches_per_epoch
    return -(-event.train_images // recipe.batch_size)


def _configured(event: RunConfigured) -> Object:
    recipe = event.recipe
    return {
        "preset": recipe.preset or None,
        "dataset": event.dataset or None,
        "model": event.model or None,
        "parameters": event.parameters,
        "device": event.device or None,
        "precision": event.precision or None,
        "threads": event.threads,
        "processes": event.ranks,
        "seed": event.seed,
        "optimizer": recipe.optimizer or None,
        "scheduler": recipe.scheduler or None,
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size or None,
        "accumulate": recipe.accumulate if recipe.accumulate > 1 else None,
        "batches_per_epoch": _batches(event, recipe),
        "total_steps": recipe.total_steps,
        "title": recipe.title or None,
        "interval": recipe.interval,
        "monitor": recipe.monitor,
        "min_lr": recipe.min_lr,
        "warmup_epochs": recipe.warmup_epochs or None,
        "warmup_steps": recipe.warmup_steps or None,
        "clip_grad_norm": recipe.clip_grad_norm,
        "clip_grad_value": recipe.clip_grad_value,
        "ema_decay": recipe.ema_decay,
        "swa_start": recipe.swa_start,
        "swa_lr": recipe.swa_lr,
        "train_images": event.train_images,
        "val_images": event.val_images,
        "classes": event.classes or None,
        "model_options": event.model_options or None,
        "augmentation": event.augmentation or None,
        "device_name": event.device_name or None,
        "device_uuid": event.device_uuid or None,
        "versions": event.versions,
        "arithmetic": event.arithmetic,
        "code": event.code,
        "digests": {name: digest for name, digest in asdict(event.digests).items() if digest},
    }


def _moved(*names: str) -> Callable[[Any], Object]:
    """Of an LR: these, whose it is, and why as a code with its values."""

    def told(event: LRChanged | LRUnchanged) -> Object:
        because: Object | None = None
        if event.because is not None:
            params = event.because.params.items()
            values = {name: in_json(value) if isinstance(value, float) else value for name, value in params}
            because = {**values, "code": event.because.code}
        return {**_fields(*names)(event), "group": event.group or None, "because": because}

    return told


def _epoch(event: EpochEnded) -> Object:
    """Its series are among `values`; here, what else an epoch has."""
    return {
        "step": event.step,
        "epoch": event.epoch,
        "elapsed_s": event.elapsed,
        "train_loss": in_json(event.train_loss),
        "lr": event.lr if isfinite(event.lr) else None,
    }


def _plateau(event: PlateauCounted) -> Object:
    best = in_json(event.best if isfinite(event.best) else nan)
    told = {"epoch": event.epoch, "monitor": event.monitor, "value": in_json(event.value), "best": best}
    counts = {"bad_epochs": event.bad_epochs, "patience": event.patience, "cooldown": event.cooldown}
    return {**told, "best_epoch": event.best_epoch, **counts}


def _length(event: PresetSwitched | EpochsChanged) -> Object:
    return {"total_steps": event.recipe.total_steps}


def _fields(*names: str) -> Callable[[Any], Object]:
    return lambda event: {name: getattr(event, name) for name in names}


_changed = _fields("step", "epoch", "old", "by", "then")

FORMS: Mapping[type, tuple[str, Callable[[Any], Object]]] = {
    RunStarted: ("run", _fields("run", "pid", "host", "resumed_from_step")),
    PhaseStarted: ("phase", _fields("phase", "detail")),
    RunConfigured: ("configured", _configured),
    MetricDeclared: ("metric", _fields("name", "goal", "unit", "kind", "group", "shown_as", "objective")),
    CallsMade: ("calls", _fields("step", "epoch", "batch", "calls")),
    LRChanged: ("lr", _moved("step", "epoch", "old", "new", "reason")),
    LRUnchanged: ("lr_unchanged", _moved("step", "epoch", "lr", "reason")),
    PlateauCounted: ("plateau", _plateau),
    EpochEnded: ("epoch", _epoch),
    ConfusionCounted: ("confusion", _fields("step", "epoch", "classes", "counts")),
    SwitchPlanned: ("switch_planned", _fields("epoch", "preset")),
    EpochsChanged: (
        "epochs",
        lambda event: {**_changed(event), "new": event.recipe.epochs, **_length(event)},
    ),
    PresetSwitched: (
        "switch",
        lambda event: {**_fields("step", "epoch", "old")(event), "new": event.recipe.preset, **_length(event)},
    ),
    SettingChanged: ("setting", _fields("setting", "old", "new", "reason")),
    CheckpointSaved: ("checkpoint", _fields("step", "epoch", "file", "best")),
    Paused: ("paused", _fields("step", "by")),
    Continued: ("continued", _fields("step", "by", "one_batch")),
    PaceChanged: ("pace", _fields("seconds_a_call", "by")),
    CommandAnswered: ("answer", _fields("id", "command", "by", "accepted", "answer")),
    Alert: ("alert", _fields("kind", "text", "over", "rule")),
    ProgramWatched: ("program", _fields("command", "cwd", "pid")),
    MistakeFound: ("mistake", _fields("mistake", "step", "file", "lineno", "values")),
    RunEnded: ("ended", _fields("status", "reason", "step", "epoch", "exit_code")),
}
"""What is left out is for the eye alone: `LEFT_OUT`."""

LEFT_OUT: Mapping[type, frozenset[str]] = {
    PlanMade: frozenset(),
    CallsTimed: frozenset(),
    CallFollowed: frozenset(),
    LoopFound: frozenset(),
    RunStarted: frozenset({"schema"}),
    StepsTaken: frozenset({"losses_seen"}),
    EpochEnded: frozenset({"validated"}),
}
"""Events of which nothing is told, or not these fields: the planned LR as a curve, how long calls took, a batch in slow
motion, the listing of a watched loop; the version of the journal's form; what is known by values that are not there."""
