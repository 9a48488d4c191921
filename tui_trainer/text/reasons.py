"""Why the LR moved or did not, and why a run ended: as a code with its values, and in the words that a record keeps.

A record holds the words alone. So the table here is read both ways: `word` makes words of a reason, `read` the reason
of its words, of a live run as of a recorded one. Nothing else may look into the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import isfinite, nextafter
from typing import Any, Literal, TypeAlias, cast

import msgspec

from tui_trainer.text.numbers import counted, format_lr, format_metric, lr_change


class Steps(msgspec.Struct, frozen=True):
    """So many steps of a scheduler."""

    number: int
    unit: Literal["epoch", "batch", "step"]
    """After what it steps."""
    epochs: int | None = None
    """The same in epochs, where batches come out even."""


Param: TypeAlias = bool | int | float | str | Steps


class Reason(msgspec.Struct, frozen=True):
    """A code of `WORDS` with the values that its words name.

    What holds for several codes stands beside them: `old` and `new`, where the words tell from which LR to which it
    moved, `unused`, where no epoch is left that could use the new one, `dial`, where the LRs named are the
    schedule's, and the LR dial has so many times as much used, `group`, where it is the reason of a group of
    parameters, and `stage` and `stages`, where it is the reason of a stage, with `until_step` or `until_epoch`, the
    last one that it has.
    """

    code: str
    params: Mapping[str, Param] = msgspec.field(default_factory=dict)

    def but(self, **params: Param) -> Reason:
        """The same with more values."""
        return Reason(self.code, {**self.params, **params})

    @property
    def tells_change(self) -> bool:
        """Whether its words tell from which LR to which it moved."""
        return "new" in self.params or (self.code == "in_words" and "→" in str(self.params["text"]))


_BEST = "(best {best:metric} at epoch {best_epoch:int})"
_CHANGE = "{old:lr} → {new:lr}"
_NOT_BETTER_FOR = "{monitor:name} not better than {best:metric} for {bad_epochs:epoch} (patience {patience:int})"

WORDS: dict[str, str] = {
    # A warm-up
    "warmup_over": "warm-up over after {length:steps}, at {lr:lr}; from here {scheduler:name} has it",
    "warmup_over_no_scheduler": "warm-up over after {length:steps}, at {lr:lr}",
    # StepLR
    "step_size_reached": "step_size {step_size:int} reached",
    "next_drop": "next drop in {left:steps}",
    "no_drop_left": "no drop left in this run",
    # MultiStepLR
    "milestone_reached": "milestone {milestone:int} reached",
    "next_milestone": "next milestone in {left:steps}",
    "no_milestone_left": "no milestone left",
    # ExponentialLR
    "gamma": "gamma ×{gamma:lr}",
    # ConstantLR
    "factor_holds": "factor {factor:lr} for {left:steps} more",
    "factor_lifted": "total_iters {total_iters:int} reached, factor {factor:lr} lifted",
    "factor_over": "all of the LR since total_iters {total_iters:int}",
    # LinearLR, PolynomialLR
    "line": "line {place:int}/{total_iters:int} of the way",
    "line_over": "line over since total_iters {total_iters:int}",
    "power_curve": "power curve {place:int}/{total_iters:int} of the way",
    "power_curve_over": "power curve over since total_iters {total_iters:int}",
    # CosineAnnealingLR
    "cosine": "cosine {place:int}/{half:int} of the way",
    "cosine_bottom": "cosine at its bottom",
    "cosine_top": "cosine at its top again",
    "cosine_climbs": "past T_max, so the cosine climbs again, {place:int}/{half:int} of the way",
    "cosine_at_eta_min": "cosine at eta_min",
    "cosine_begins_again": "cosine back where it began",
    "cosine_goes_back": "past T_max, so the cosine goes back, {place:int}/{half:int} of the way",
    # CosineAnnealingWarmRestarts
    "restart": "restart: the next cycle lasts {cycle:steps}",
    "cosine_to_restart": "cosine {place:int}/{cycle:int} of the way to a restart",
    # CyclicLR
    "cyclic_bottom": "CyclicLR at the bottom, cycle {cycle:int} begins",
    "cyclic_up": "CyclicLR {place:int}/{up:int} of the way up",
    "cyclic_top": "CyclicLR at the top of cycle {cycle:int}",
    "cyclic_down": "CyclicLR {place:int}/{down:int} of the way down",
    # OneCycleLR
    "one_cycle_up": "OneCycleLR {place:int}/{up:int} of the way to its peak",
    "one_cycle_peak": "OneCycleLR at its peak, {lr:lr}; from here it anneals to {lowest:lr}",
    "one_cycle_down": "OneCycleLR anneals, {place:int}/{down:int} of the way from its peak",
    "one_cycle_back": "OneCycleLR back where it started, {lr:lr}; from here it anneals to {lowest:lr}",
    "one_cycle_bottom": "OneCycleLR at its bottom, {lowest:lr}",
    "one_cycle_end": "OneCycleLR at its end, {lr:lr}",
    "one_cycle_over": "OneCycleLR is over",
    # SequentialLR: before the words of the stage stands which one it is
    "stage_begins": "{scheduler:name} begins",
    "stable": "stable",
    # LambdaLR
    "formula_up": "{formula:name} {place:int}/{up:int} of the way up",
    "formula_top": "{formula:name} at its top, and falls from here",
    "formula_holds": "{formula:name} stable for {left:steps} more",
    "formula_falls": "{formula:name} falls",
    "formula_down": "{formula:name} {place:int}/{down:int} of the way down",
    # PiecewiseLinear
    "at_point": "point {point:int} of {points:int} ({lr:lr}) reached",
    "to_point": "on the line to point {point:int} of {points:int} ({lr:lr})",
    "behind_points": "behind the last point ({lr:lr})",
    # SWALR, behind the scheduler
    "swa": "SWALR {place:int}/{epochs:int} of the way to {lr:lr}",
    "swa_holds": "SWALR holds {lr:lr}",
    # ReduceLROnPlateau
    "best_so_far": "{monitor:name} {value:metric}, best so far",
    "not_better": f"not better for {{bad_epochs:int}} of {{patience:epoch}} {_BEST}",
    "not_better_by_threshold": f"not better by the threshold for {{bad_epochs:int}} of {{patience:epoch}} {_BEST}",
    "cooling_down": f"{{monitor:name}} {{value:metric}} not counted, {{cooldown:more epoch}} of cooldown {_BEST}",
    "cooled_down": f"{{monitor:name}} {{value:metric}} not counted, the last epoch of cooldown {_BEST}",
    "patience_used_up": f"{_NOT_BETTER_FOR}: {_CHANGE}",
    "at_min_lr": f"{_NOT_BETTER_FOR}, but the LR is at min_lr already, {{lr:lr}}",
    "drop_too_small": f"{_NOT_BETTER_FOR}, but a drop of {{eps:lr}} (eps) or less is not made: still {{lr:lr}}",
    # Where its patience stands, under the listing of the loop; no record has these
    "patience_at_its_end": f"patience of {{patience:epoch}} used up {_BEST}",
    "patience_cools_down": f"cooling down for {{cooldown:epoch}} more {_BEST}",
    "patience_begins": "best so far, patience of {patience:epoch} begins afresh",
    "patience_begins_low": "patience of {patience:epoch} begins afresh",
    # A watched program: where it has its LR from
    "written_by": "written by {place:place}",
    "written_falls": "written by {place:place}: it rose until here, and falls from here",
    "written_rises": "written by {place:place}: it fell until here, and rises from here",
    "changed_by": "changed by {scheduler:name} at {place:place}",
    "changed_falls": "changed by {scheduler:name} at {place:place}: it rose until here, and falls from here",
    "changed_rises": "changed by {scheduler:name} at {place:place}: it fell until here, and rises from here",
    "kept_by": "left as it is by {scheduler:name} at {place:place}",
    "next_scheduler": "milestone {milestone:int} of {scheduler:name} reached: its next scheduler has it",
    "taken_over": "taken over by {optimizer:name}",
    # The LR dial
    "dial_turned": "by hand ({by:name}): × {factor:lr} of the schedule",
    "dial_off": "by hand ({by:name}): the schedule's own again",
    "dialled": "by hand ({by:name}): × {factor:lr} of the program's own",
    "dialled_off": "by hand ({by:name}): the program's own again",
    # The end of a run
    "comparison_stopped": "the comparison was stopped{detail:detail}",
    "worse_than_median": "its best {monitor:name} was {best:metric}, worse than {median:metric}, the median of "
    "{others:int} others at epoch {epoch:int}{detail:detail}",
    # Whatever this version has no code for
    "in_words": "{text:text}",
}
"""Each code, and its words: in braces stands a value with the way in which it is written, a key of `_WAYS`."""

ENDS = frozenset({"comparison_stopped", "worse_than_median"})
"""Why a run has ended."""

WORSE_THAN_MEDIAN = "worse_than_median"
"""A rule of its comparison has stopped it."""

DIALS = frozenset({"dial_turned", "dial_off", "dialled", "dialled_off"})
"""A person turned the LR dial: to `factor`, or back to 1."""

NOT_BETTER = frozenset({"not_better", "not_better_by_threshold"})
"""An epoch that a plateau scheduler counts, within its patience."""

_DIAL = "; used × {}, by hand"
_UNUSED = ", with no epoch left to use it"


def word(reason: Reason) -> str:
    """A reason in words, on one line.

    Raises:
        KeyError: it has a code that there is none of, or lacks a value of its code.
    """
    words = WORDS[reason.code]
    if "new" in reason.params:
        change = " → ".join(lr_change(cast("float", reason.params["old"]), cast("float", reason.params["new"])))
        words = words.replace(_CHANGE, change) if _CHANGE in words else f"{words}, {change}"
    words = re.sub(_VALUE, lambda found: _WAYS[found[2]].write(reason.params[found[1]]), words)
    words += _UNUSED if reason.params.get("unused") else ""
    if "stage" in reason.params:
        words = _stage(reason.params) + words
    if "group" in reason.params:
        words = f"{_GROUP.format(reason.params['group'])}{words}"
    return words + _DIAL.format(_number(reason.params["dial"])) if "dial" in reason.params else words


def _stage(params: Mapping[str, Param]) -> str:
    unit = next((unit for unit in ("step", "epoch") if f"until_{unit}" in params), "")
    until = f" (until {unit} {params[f'until_{unit}']})" if unit else ""
    return f"stage {params['stage']} of {params['stages']}{until}: "


def says(reason: Reason, words: str) -> bool:
    """Whether these are a reason's words, and JSON has all of its values as they are."""
    if any(isinstance(value, float) and not isfinite(value) for value in reason.params.values()):
        return False
    try:
        return word(reason) == words
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):  # a record may hold anything
        return False


@lru_cache(maxsize=1024)
def read(words: str) -> Reason:
    """The reason whose words these are; `in_words`, with its `text`, where they are none that this version says.

    Values are as precise as the words: the same words give the same reason, whoever reads them.
    """
    params: dict[str, Param] = {}
    if (dial := _dial().fullmatch(words)) is not None:
        words, params["dial"] = dial["rest"], float(dial["dial"])
    if (group := _OF_GROUP.match(words)) is not None:
        words, params["group"] = words[group.end() :], group["group"]
    if (stage := _STAGE.match(words)) is not None:
        words = words[stage.end() :]
        params |= {"stage": int(stage["stage"]), "stages": int(stage["stages"])}
        params |= {f"until_{stage['unit']}": int(stage["until"])} if stage["unit"] else {}
    rest = words.removesuffix(_UNUSED)
    params |= {} if rest == words else {"unused": True}
    if (reason := _read(rest)) is not None:
        return reason.but(**params)
    if (change := _change().fullmatch(rest)) is not None:
        params |= {"old": float(change["old"]), "new": float(change["new"])}
        rest = change["rest"]
    if (reason := _read(rest)) is not None:
        return reason.but(**params)
    return Reason("in_words", {"text": rest, **params})


def _read(words: str) -> Reason | None:
    for code, pattern in _patterns():
        if (found := pattern.fullmatch(words)) is not None:
            ways = dict(re.findall(_VALUE, WORDS[code]))
            return Reason(code, {name: _WAYS[ways[name]].read(text) for name, text in found.groupdict().items()})
    return None


class _Way(msgspec.Struct, frozen=True):
    """How a value is written."""

    write: Callable[[Any], str]
    pattern: str
    read: Callable[[str], Param]


_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_COUNT = r"[0-9][0-9,]{0,24}"


def _number(value: Any) -> str:
    return format_lr(value)


def _metric(value: float) -> str:
    return format_metric(value) if isfinite(value) else "–"


def _metric_of(text: str) -> float:
    """The value that is written so: just under a bound of `format_metric` it is written as another at the bound is."""
    value = float(text)
    return value if format_metric(value) == text else nextafter(value, 0.0)


def _steps(steps: Steps) -> str:
    return counted(steps.number, steps.unit) + (f" ({counted(steps.epochs, 'epoch')})" if steps.epochs else "")


def _steps_of(text: str) -> Steps:
    count, _, epochs = text.partition(" (")
    unit: Literal["epoch", "batch", "step"] = "epoch" if "epoch" in count else "batch" if "batch" in count else "step"
    return Steps(_count_of(count), unit, _count_of(epochs) if epochs else None)


def _count_of(text: str) -> int:
    return int(text.partition(" ")[0].replace(",", ""))


_WAYS: dict[str, _Way] = {
    "int": _Way(str, r"-?[0-9]{1,18}", int),
    "lr": _Way(_number, _NUMBER, float),
    "metric": _Way(_metric, _NUMBER, _metric_of),
    "name": _Way(str, r"\w+", str),
    "epoch": _Way(lambda number: counted(number, "epoch"), rf"{_COUNT} epochs?", _count_of),
    "more epoch": _Way(lambda number: counted(number, "more epoch"), rf"{_COUNT} more epochs?", _count_of),
    "place": _Way(str, r"[^,;→\n]{1,300}", str),
    "steps": _Way(_steps, rf"{_COUNT} (?:epochs?|batch(?:es)?|steps?)(?: \({_COUNT} epochs?\))?", _steps_of),
    "detail": _Way(lambda text: f": {text}" if text else "", r"(?:[:;] .*)?", lambda text: text[2:]),
    "text": _Way(str, r"(?!)", str),
}

_STAGE = re.compile(
    r"stage (?P<stage>[0-9]{1,9}) of (?P<stages>[0-9]{1,9})"
    r"(?: \(until (?P<unit>step|epoch) (?P<until>[0-9]{1,18})\))?: "
)

_GROUP = "group {}: "
_OF_GROUP = re.compile(r"group (?P<group>[\w.*?\[\]! -]{1,220}): ")

_VALUE = r"\{(\w+):([\w ]+)\}"


@cache
def _change() -> re.Pattern[str]:
    return re.compile(rf"(?P<rest>.*), (?P<old>{_NUMBER}) → (?P<new>{_NUMBER})", re.DOTALL)


@cache
def _dial() -> re.Pattern[str]:
    return re.compile(f"(?P<rest>.*){_DIAL.format(f'(?P<dial>{_NUMBER})')}", re.DOTALL)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Made when the first reason is read, which is after the first frame."""
    return [(code, re.compile(_pattern(words), re.DOTALL)) for code, words in WORDS.items()]


def _pattern(words: str) -> str:
    pieces = re.split(_VALUE, words)  # text, name, way, text, …
    pattern = re.escape(pieces[0])
    for name, way, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        pattern += f"(?P<{name}>{_WAYS[way].pattern}){re.escape(text)}"
    return pattern
