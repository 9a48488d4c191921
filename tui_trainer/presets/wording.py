"""What is wrong with a key of a preset, in a person's words, and what would be right.

pydantic's errors about one table are worded here; so are keys that do not belong where they stand: arguments that torch
has dropped, that follow from elsewhere, or that people look for under another name.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.problems import PresetText, Problem
from tui_trainer.presets.schedulers import SCHEDULERS

_SPEED = "changes speed and not results, so the program chooses it; leave it out"
_LENGTH = "follows from the run's length and is filled in; leave it out"

UNKNOWN: dict[str, dict[str, str]] = {
    "optimizer": {
        "foreach": _SPEED,
        "fused": _SPEED,
        "capturable": _SPEED,
        "differentiable": _SPEED,
        "maximize": "would climb the loss instead of going down; leave it out",
        "params": "are the model's own; leave it out",
    },
    "scheduler": {
        "verbose": "PyTorch has removed it, and every change of the LR is shown here anyway; leave it out",
        "last_epoch": "is for resuming, which takes care of itself here; leave it out",
        "optimizer": "is the one of the [optimizer] table; leave it out",
        "total_steps": _LENGTH,
        "epochs": _LENGTH,
        "steps_per_epoch": _LENGTH,
        "scale_fn": "is a function, and a preset holds no code; choose a mode instead",
        "scale_mode": "belongs to scale_fn, a function, and a preset holds no code; choose a mode instead",
        "lr_lambda": "is a function, and a preset holds no code",
        "monitor": "only ReduceLROnPlateau watches a metric; leave it out",
        "interval": "there is no scheduler to step; leave it out",
    },
}
"""Keys by table, whatever its `name`, where they are not among the known ones."""

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "min_lr": ("eta_min",),
    "eta_min": ("min_lr",),
    "learning_rate": ("lr",),
    "beta": ("betas", "momentum"),
    "beta1": ("betas", "momentum"),
    "beta2": ("betas",),
    "step": ("step_size",),
    "decay": ("gamma", "weight_decay"),
    "factor": ("gamma",),
    "gamma": ("factor",),
    "steps": ("milestones", "step_size"),
    "iterations": ("epochs", "total_iters"),
}
"""What a key is called elsewhere, and what may be meant by it, the likelier first."""

VALUES: dict[tuple[str, str], str] = {
    ("interval", "step"): 'there is no validation loss after a batch to watch; "epoch" is right, or leave it out',
}
"""Values that their key takes elsewhere."""

UNKNOWN_NAMES: dict[str, str] = {
    "LambdaLR": "takes a function, and a preset holds no code",
    "MultiplicativeLR": "takes a function, and a preset holds no code",
    "SequentialLR": "joins several; a [warmup] table puts a LinearLR in front of one",
    "ChainedScheduler": "joins several; a [warmup] table puts a LinearLR in front of one",
    "LBFGS": "calls the loss several times a step, which this training loop does not",
    "SparseAdam": "is for sparse gradients, which these models have not",
}
"""Classes of torch.optim that are left out for a reason."""


KINDS: Mapping[str, Mapping[str, type[BaseModel]]] = {"optimizer": OPTIMIZERS, "scheduler": SCHEDULERS}
"""The tables whose keys depend on their `name`."""


def explain(error: ValidationError, model: type[BaseModel], table: str, source: PresetText) -> list[Problem]:
    """All problems of the validation of one table as `model`, one a key."""
    problems: dict[str, Problem] = {}
    details = error.errors(include_url=False)
    unknown = {str(detail["loc"][0]) for detail in details if detail["type"] == "extra_forbidden"}
    misspelt = {meant for key in unknown if (meant := nearest(key, model.model_fields))}
    for detail in details:
        key = str(detail["loc"][0]) if detail["loc"] else ""
        is_missing = detail["type"] == "missing" and len(detail["loc"]) == 1
        if is_missing and key in misspelt:
            continue
        if key in unknown:
            message = unknown_key(key, model, table)
        elif is_missing:
            message = f"missing; it says {_help(model.model_fields[key])}"
        else:
            message = _wrong_value(detail, model.model_fields[key])
        problems.setdefault(key, source.problem((table, key) if table else (key,), message))
    return list(problems.values())


def unknown_key(key: str, model: type[BaseModel], table: str) -> str:
    """Why a key has no place in a table, and what was most likely meant."""
    known = [name for name in model.model_fields if name != "name"]
    owner = str(get_args(model.model_fields["name"].annotation)[0]) if table in KINDS else f"[{table}]"
    if sentence := UNKNOWN.get(table, {}).get(key):
        return f"{owner}: {sentence}" if table in KINDS and key in ("monitor", "interval") else sentence
    if meant := next((name for name in OTHER_NAMES.get(key, ()) if name in known), None):
        return f"not known to {owner}; did you mean {meant}?"
    if meant := nearest(key, known):
        return f"not known to {owner}; did you mean {meant}?"
    if home := _home(key, table):
        return f"not known to {owner}; {home}"
    return f"not known to {owner}, which takes {', '.join(known)}" if known else f"{owner} takes no arguments"


def unknown_name(name: Any, table: str) -> tuple[str, str | None]:
    """Why a table's `name` names nothing; and what was most likely meant, where there is such a thing."""
    kinds = KINDS[table]
    if not isinstance(name, str):
        return f"{shown(name)} is not a name; one of {', '.join(kinds)}", None
    if sentence := UNKNOWN_NAMES.get(name):
        return f"{name} {sentence}; one of {', '.join(kinds)}", None
    if meant := nearest(name, kinds):
        return f"{shown(name)} is not known; did you mean {meant}?", meant
    return f"{shown(name)} is not known; one of {', '.join(kinds)}", None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely means: case and the like aside, the closest in its letters."""
    folded = {_folded(name): name for name in known}
    close = difflib.get_close_matches(_folded(word)[:100], folded, n=1, cutoff=0.65)
    return folded[close[0]] if close else None


def shown(value: Any) -> str:
    """A value as TOML would write it, cut short."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 100:
            return "a number of far too many digits"
        case dict():
            return "a table"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str():
            return f'"{value}"' if len(value) <= 40 else f'"{value[:37]}..."'
        case _:
            return str(value)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")


def _help(field: FieldInfo) -> str:
    """A field's help, to go on with after a colon."""
    text = (field.description or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _home(key: str, table: str) -> str | None:
    """Where a key that is known elsewhere would be at home."""
    others = {name: kinds for name, kinds in KINDS.items() if name != table}
    if takers := [name for name, kind in KINDS.get(table, {}).items() if key in kind.model_fields and key != "name"]:
        return f"{', '.join(takers[:3])} {'takes' if len(takers) == 1 else 'take'} it"
    for name, kinds in others.items():
        if any(key in kind.model_fields and key != "name" for kind in kinds.values()):
            return f"it belongs in [{name}]"
    if key in ("epochs", "batch_size") and table != "training":
        return "it belongs in [training]"
    if key in ("dataset", "model", "precision") and table != "for":
        return "it belongs in [for]"
    return None


def _wrong_value(detail: Mapping[str, Any], field: FieldInfo) -> str:
    """What is wrong with a value, and which would be right."""
    value, kind = detail["input"], detail["type"]
    place = "".join(f"item {place + 1}, " for place in detail["loc"][1:] if kind != "missing")
    match kind:
        case "int_type" | "float_type":
            return f"{place}{_not_a_number(value, whole=kind == 'int_type')}"
        case "bool_type":
            return f"{shown(value)} is neither true nor false; write one of them, without quotes"
        case "string_type":
            return f"{shown(value)} is not text; put it in quotes"
        case "string_too_long":
            return f"{len(value):,} characters are too many; at most {detail['ctx']['max_length']}"
        case "literal_error":
            return _wrong_choice(str(detail["loc"][0]), value, _choices(field.annotation))
        case "finite_number":
            return f"{shown(value)} is not a finite number"
        case "tuple_type" | "too_short" | "too_long" | "missing":
            return _wrong_list(value, field)
        case _:
            return f"{place}{shown(value)} is out of range; {_range(field)} is right"


def _not_a_number(value: Any, whole: bool) -> str:
    what = "a whole number" if whole else "a number"
    if isinstance(value, str) and _is_number(value, whole):
        return f"{shown(value)} is text; write {value.strip()} without the quotes"
    if whole and isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value} is not written as a whole number; write {int(value)}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{shown(value)} is out of range"
    return f"{shown(value)} is not {what}"


def _is_number(text: str, whole: bool) -> bool:
    try:
        int(text) if whole else float(text)
    except ValueError:
        return False
    return len(text) < 30


def _choices(annotation: Any) -> tuple[str, ...]:
    """Those of a `Literal`, or of one behind an `or None`."""
    args = get_args(annotation)
    return tuple(choice for arg in args for choice in (get_args(arg) or ((arg,) if isinstance(arg, str) else ())))


def _wrong_choice(key: str, value: Any, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        return f"{shown(value)} is not known; {_either(choices)}"
    if sentence := VALUES.get((key, value)):
        return sentence
    close = nearest(value, choices)
    return f"{shown(value)} is not known; " + (f"did you mean {shown(close)}?" if close else _either(choices))


def _either(choices: tuple[str, ...]) -> str:
    *others, last = map(shown, choices)
    return f"{', '.join(others)} or {last} is" if others else f"only {last} is"


def _wrong_list(value: Any, field: FieldInfo) -> str:
    if isinstance(field.default, tuple):
        return f"{shown(value)} is not a pair of numbers; write such as {list(field.default)}"
    if isinstance(value, list) and value:
        return f"{len(value):,} numbers are too many for a list"
    return f"{shown(value)} is not a list of numbers; write such as [3, 7]"


_BOUNDS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
"""What pydantic's annotations call the ends of a range, and what a person does."""


def _range(field: FieldInfo) -> str:
    """Which numbers a field takes: `more than 0`, `at least 0 and less than 1`."""
    parts = [
        f"{words} {end:,}" if isinstance(end := getattr(bound, name), int) else f"{words} {end:g}"
        for bound in _metadata(field.metadata, field.annotation)
        for name, words in _BOUNDS.items()
        if hasattr(bound, name)
    ]
    return " and ".join(parts) or "a finite number"


def _metadata(metadata: Iterable[Any], annotation: Any) -> Iterator[Any]:
    """What a field's type says besides the type, that of the numbers in a list or behind an `or None` included."""
    for item in (*metadata, *dict.fromkeys(get_args(annotation))):
        if isinstance(item, FieldInfo):
            yield from item.metadata
        elif get_args(item):
            yield from _metadata((), item)
        else:
            yield item
