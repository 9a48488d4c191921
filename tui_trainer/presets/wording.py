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

from tui_trainer.presets.augmentation import TRANSFORMS, Transform
from tui_trainer.presets.early_stopping import EarlyStopping
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.parameter_groups import MuonGroup, ParameterGroup
from tui_trainer.presets.problems import KeyPath, PresetText, Problem
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.text.captions import say

UNKNOWN: dict[str, dict[str, str]] = {
    "optimizer": {
        "foreach": "key.speed",
        "fused": "key.speed",
        "capturable": "key.speed",
        "differentiable": "key.speed",
        "maximize": "key.maximize",
        "params": "key.params",
    },
    "scheduler": {
        "verbose": "key.verbose",
        "last_epoch": "key.last_epoch",
        "optimizer": "key.optimizer",
        "total_steps": "key.length",
        "epochs": "key.length",
        "steps_per_epoch": "key.length",
        "scale_fn": "key.scale_fn",
        "scale_mode": "key.scale_mode",
        "lr_lambda": "key.lr_lambda",
        "monitor": "key.monitor",
        "interval": "key.interval",
    },
    "augmentation": {"size": "key.size_of_images"},
}
"""Captions of keys by table, whatever its `name`, where they are not among the known ones."""

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
    "max_norm": ("clip_grad_norm",),
    "max_grad_norm": ("clip_grad_norm",),
    "gradient_clip_val": ("clip_grad_norm", "clip_grad_value"),
    "clip_value": ("clip_grad_value",),
    "accumulate_grad_batches": ("accumulate",),
    "gradient_accumulation_steps": ("accumulate",),
    "grad_accum_steps": ("accumulate",),
    "accum_iter": ("accumulate",),
    "model_ema_decay": ("ema_decay",),
    "ema": ("ema_decay",),
    "swa_epoch_start": ("swa_start",),
    "swa_lrs": ("swa_lr",),
    "anneal_epochs": ("swa_anneal_epochs",),
    "anneal_strategy": ("swa_anneal_strategy", "anneal_strategy"),
    "annealing_epochs": ("swa_anneal_epochs",),
    "transform": ("augmentation",),
    "transforms": ("augmentation",),
}
"""What a key is called elsewhere, and what may be meant by it, the likelier first."""

OF_TRAINING = (
    "epochs",
    "batch_size",
    "accumulate",
    "label_smoothing",
    "clip_grad_norm",
    "clip_grad_value",
    "ema_decay",
    "swa_start",
    "swa_lr",
    "swa_anneal_epochs",
    "swa_anneal_strategy",
    "early_stopping",
    "augmentation",
)
"""The keys of `[training]`."""

VALUES: dict[tuple[str, str], str] = {
    ("interval", "step"): "key.no_val_loss",
}
"""Values that their key takes elsewhere."""

UNKNOWN_NAMES: dict[str, str] = {
    "MultiplicativeLR": "key.function",
    "ChainedScheduler": "key.joins",
    "SWALR": "key.swalr",
    "LBFGS": "key.lbfgs",
    "SparseAdam": "key.sparse",
    "Muon": "key.muon",
    **dict.fromkeys(("MixUp", "CutMix"), "key.mixes"),
    **dict.fromkeys(("Normalize", "ToTensor", "PILToTensor", "ToImage", "ToDtype", "ConvertImageDtype"), "key.done"),
    **dict.fromkeys(("RandomResizedCrop", "Resize", "CenterCrop", "FiveCrop", "TenCrop", "Pad"), "key.other_size"),
    "Lambda": "key.function",
    "Cutout": "key.cutout",
}
"""Classes of torch.optim and torchvision that are left out for a reason, and a name that is none of torchvision's."""


KINDS: Mapping[str, Mapping[str, type[BaseModel]]] = {"optimizer": OPTIMIZERS, "scheduler": SCHEDULERS}
"""The tables whose keys depend on their `name`."""


WITHIN: Mapping[type[BaseModel], str] = {
    ParameterGroup: "[[optimizer.groups]]",
    MuonGroup: "[[optimizer.groups]] of Muon",
    EarlyStopping: "early_stopping",
}
"""Tables within others, and what they are called."""


def explain(error: ValidationError, model: type[BaseModel], table: str | KeyPath, source: PresetText) -> list[Problem]:
    """All problems of the validation of one table as `model`, one a key.

    `table` is a path where it is a table within another.
    """
    path = table if isinstance(table, tuple) else (table,) if table else ()
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
            message = unknown_key(key, model, path[0] if path else "")
        elif is_missing:
            message = say("key.missing", what=_help(model.model_fields[key]))
        else:
            message = _wrong_value(detail, model.model_fields[key])
        problems.setdefault(key, source.problem((*path, key), message))
    return list(problems.values())


def unknown_key(key: str, model: type[BaseModel], table: str) -> str:
    """Why a key has no place in a table, and what was most likely meant."""
    table = "augmentation" if issubclass(model, Transform) else table
    named = _choices(model.model_fields["name"].annotation) if "name" in model.model_fields else ()
    classes = [name for name in named if isinstance(name, str)]
    known = [name for name in model.model_fields if not (classes and name == "name")]
    owner = classes[0] if classes else WITHIN.get(model, f"[{table}]")
    if caption := UNKNOWN.get(table, {}).get(key):
        return say(caption, owner=owner)
    if meant := next((name for name in OTHER_NAMES.get(key, ()) if name in known), None):
        return say("key.meant", owner=owner, meant=meant)
    if meant := nearest(key, known):
        return say("key.meant", owner=owner, meant=meant)
    if home := _home(key, table):
        return say("key.at_home", owner=owner, home=home)
    return say("key.takes", owner=owner, known=", ".join(known)) if known else say("key.takes_none", owner=owner)


def unknown_name(name: Any, table: str) -> tuple[str, str | None]:
    """Why a table's `name` names nothing; and what was most likely meant, where there is such a thing."""
    kinds = TRANSFORMS if table == "augmentation" else KINDS[table]
    if not isinstance(name, str):
        return say("key.not_a_name", value=shown(name), names=", ".join(kinds)), None
    if caption := UNKNOWN_NAMES.get(name):
        return say("key.left_out", name=name, why=say(caption), names=", ".join(kinds)), None
    if meant := nearest(name, kinds):
        return say("key.name_meant", name=shown(name), meant=meant), meant
    return say("key.name_unknown", name=shown(name), names=", ".join(kinds)), None


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
            return say("key.many_digits")
        case dict():
            return say("key.a_table")
        case list() | tuple():
            return say("key.a_list" if value else "key.empty_list")
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
        return say("key.takes_it" if len(takers) == 1 else "key.take_it", who=", ".join(takers[:3]))
    for name, kinds in others.items():
        if any(key in kind.model_fields and key != "name" for kind in kinds.values()):
            return say("key.belongs_in", table=name)
    if key in OF_TRAINING and table != "training":
        return say("key.belongs_in", table="training")
    if key in ("width", "dropout") and table != "model":
        return say("key.belongs_in", table="model")
    if key in ("dataset", "model", "precision") and table != "for":
        return say("key.belongs_in", table="for")
    return None


def _wrong_value(detail: Mapping[str, Any], field: FieldInfo) -> str:
    """What is wrong with a value, and which would be right."""
    value, kind = detail["input"], detail["type"]
    place = "".join(f"item {place + 1}, " for place in detail["loc"][1:] if type(place) is int and kind != "missing")
    match kind:
        case "int_type" | "float_type":
            return f"{place}{_not_a_number(value, whole=kind == 'int_type')}"
        case "bool_type":
            return say("key.not_bool", value=shown(value))
        case "string_type":
            return say("key.not_text", value=shown(value))
        case "string_too_long":
            return say("key.too_long", count=f"{len(value):,}", most=detail["ctx"]["max_length"])
        case "literal_error":
            return _wrong_choice(str(detail["loc"][0]), value, _choices(field.annotation))
        case "finite_number":
            return say("key.not_finite", value=shown(value))
        case "tuple_type" | "too_short" | "too_long" | "missing":
            return say("key.no_points") if detail["loc"][0] == "points" else _wrong_list(value, field)
        case _:
            return place + say("key.out_of_range", value=shown(value), range=_range(field))


def _not_a_number(value: Any, whole: bool) -> str:
    if isinstance(value, str) and _is_number(value, whole):
        return say("key.in_quotes", value=shown(value), number=value.strip())
    if whole and isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return say("key.not_whole", value=value, number=int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return say("key.too_large", value=shown(value))
    return say("key.no_whole_number" if whole else "key.no_number", value=shown(value))


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
        return say("key.choice_unknown", value=shown(value), either=_either(choices))
    if caption := VALUES.get((key, value)):
        return say(caption)
    if close := nearest(value, choices):
        return say("key.choice_meant", value=shown(value), meant=shown(close))
    return say("key.choice_unknown", value=shown(value), either=_either(choices))


def _either(choices: tuple[str, ...]) -> str:
    *others, last = map(shown, choices)
    return say("key.either", choices=", ".join(others), last=last) if others else say("key.only", last=last)


def _wrong_list(value: Any, field: FieldInfo) -> str:
    if isinstance(field.default, tuple):
        return say("key.no_pair", value=shown(value), such=list(field.default))
    if isinstance(value, list) and value:
        return say("key.long_list", count=f"{len(value):,}")
    return say("key.no_list", value=shown(value))


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
    return " and ".join(dict.fromkeys(parts)) or "a finite number"


def _metadata(metadata: Iterable[Any], annotation: Any) -> Iterator[Any]:
    """What a field's type says besides the type, that of the numbers in a list or behind an `or None` included."""
    for item in (*metadata, *dict.fromkeys(get_args(annotation))):
        if isinstance(item, FieldInfo):
            yield from item.metadata
        elif get_args(item):
            yield from _metadata((), item)
        else:
            yield item
