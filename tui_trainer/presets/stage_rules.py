"""What goes wrong with stages, formulas and points although every argument by itself is in order; as `rules.py`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tui_trainer.presets import schedulers as s
from tui_trainer.presets.rules import LENGTH, PresetOnRun, Rule, RuleBroken
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

FORMULA_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "inverse_sqrt": ("warmup_iters", "timescale"),
    "warmup_stable_decay": ("warmup_iters", "decay_iters", "decay", "end_factor"),
    "triangle": ("start_factor", "peak", "end_factor"),
    "inverse_time": ("gamma",),
}
"""What each formula of LambdaLR takes."""


def _scheduler_tables(case: PresetOnRun) -> list[tuple[str, s.SchedulerTable]]:
    """The scheduler, or each of its stages, with the key that it stands under."""
    scheduler = case.preset.scheduler
    if not isinstance(scheduler, s.SequentialLR):
        return [("scheduler", scheduler)]
    return [(f"scheduler.stages.{number}", stage.scheduler) for number, stage in enumerate(scheduler.stages, 1)]


def formula_has_its_arguments(case: PresetOnRun) -> Iterator[RuleBroken]:
    for table, scheduler in _scheduler_tables(case):
        if not isinstance(scheduler, s.LambdaLR):
            continue
        takes = FORMULA_ARGUMENTS[scheduler.formula]
        for key in sorted({key for taken in FORMULA_ARGUMENTS.values() for key in taken} - {*takes}):
            if getattr(scheduler, key) is not None:
                said = say("rule.not_of_formula", formula=scheduler.formula, known=", ".join(takes))
                yield RuleBroken(f"{table}.{key}", said, "error")


def points_rise(case: PresetOnRun) -> Iterator[RuleBroken]:
    for table, scheduler in _scheduler_tables(case):
        if not isinstance(scheduler, s.PiecewiseLinear):
            continue
        places = [point[0] for point in scheduler.points]
        if any(two <= one for one, two in pairwise(places)):
            yield RuleBroken(f"{table}.points", say("rule.points_unordered"), "error")
        elif scheduler.unit == "share" and places[-1] > 1:
            yield RuleBroken(f"{table}.points", say("rule.share_above_one", share=f"{places[-1]:g}"), "error")
        if all(point[1] == 0 for point in scheduler.points):
            yield RuleBroken(f"{table}.points", say("rule.points_at_zero"), "error")


def points_fit_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if not isinstance(scheduler, s.PiecewiseLinear) or scheduler.unit != "epoch" or case.swa_follows:
        return
    each = case.batches_per_epoch if scheduler.interval == "step" else 1
    if scheduler.points[-1][0] * each > case.span:
        part = case.run_has(counted(case.epochs, "epoch"))
        said = say("rule.points_beyond", epoch=f"{scheduler.points[-1][0]:g}", part=part)
        yield RuleBroken("scheduler.points", said)


def stages_have_lengths(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if not isinstance(scheduler, s.SequentialLR):
        return
    open_ended = 0
    for number, stage in enumerate(scheduler.stages, 1):
        told = [key for key in s.StageLength.model_fields if getattr(stage, key) is not None]
        open_ended += not told
        if len(told) > 1:
            said = say("rule.stage_length_twice", first=told[0])
            yield RuleBroken(f"scheduler.stages.{number}.{told[1]}", said, "error")
        if stage.steps is not None and scheduler.interval == "epoch":
            yield RuleBroken(f"scheduler.stages.{number}.steps", say("rule.stage_in_steps"), "error")
        if not told and open_ended > 1:
            yield RuleBroken(f"scheduler.stages.{number}", say("rule.stage_without_length"), "error")


def stages_fit_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if not isinstance(scheduler, s.SequentialLR):
        return
    parts = scheduler.parts(case.span, case.batches_per_epoch if scheduler.interval == "step" else 1)
    for number, part in enumerate(parts, 1):
        where = f"scheduler.stages.{number}"
        if part.length == 0:
            yield RuleBroken(where, say("rule.stage_without_step", number=number, part=case.part))
        elif part.start >= case.span:
            yield RuleBroken(where, say("rule.stage_never_begins", number=number, part=case.part))
    last = parts[-1]
    if last.start < case.span and last.start + last.length < case.span - 1:
        over = case.steps(case.span - last.start - last.length)
        yield RuleBroken(f"scheduler.stages.{len(parts)}", say("rule.stages_too_short", over=over, part=case.part))


SCHEDULER = frozenset({"scheduler"})

STAGE_RULES: list[Rule] = [
    Rule(SCHEDULER, formula_has_its_arguments),
    Rule(SCHEDULER, points_rise),
    Rule(SCHEDULER, stages_have_lengths),
    Rule(LENGTH, points_fit_the_run),
    Rule(LENGTH, stages_fit_the_run),
]
