"""Which column or key of a record is its step, its epoch or its time, by name."""

from __future__ import annotations

from collections.abc import Iterable

STEPS = (
    "step",
    "global_step",
    "_step",
    "trainer/global_step",
    "iteration",
    "iter",
    "train_step",
    "num_updates",
    "update",
    "batch",
    "env_step",
    "total_timesteps",
    "time/total_timesteps",
    "timesteps_total",
    "training_iteration",
)
"""The first of these that a record has is its step."""

EPOCHS = ("epoch", "epochs", "trainer/epoch", "current_epoch")
"""What counts epochs; the step of a record that has none of `STEPS`."""

TIMES = ("_timestamp", "timestamp", "wall_time", "time", "unix_time")
"""When a row was written, where its numbers can be Unix times in seconds."""

EARLIEST, LATEST = 1e8, 1e11
"""Unix times in seconds: what is less are seconds since something else."""


def named(names: Iterable[str], wanted: tuple[str, ...]) -> str | None:
    """The first of the wanted names that is there, in any case and with spaces around; None where none is."""
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(name.strip().lower(), name)
    return next((by_plain[each] for each in wanted if each in by_plain), None)


def step_name(names: Iterable[str]) -> str | None:
    """What says the step: one of `STEPS`, else one of `EPOCHS`; None where none does."""
    there = list(names)
    return named(there, STEPS) or named(there, EPOCHS)
