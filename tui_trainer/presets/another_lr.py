"""A preset's text with another LR, and all else of it to the letter."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from tui_trainer.errors import UserError
from tui_trainer.presets.problems import value_places
from tui_trainer.presets.schedulers import CyclicLR, OneCycleLR, PiecewiseLinear, SequentialLR
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain_lines


def lr_key(preset: Preset) -> tuple[str, str]:
    """The table and the key that say how high the LR goes: `max_lr` of OneCycleLR and CyclicLR, else the optimizer's.

    Raises:
        UserError: the LRs stand in points, in a list with one for each group of parameters, or in groups.
    """
    scheduler = preset.scheduler
    if any(group.lr is not None for group in preset.optimizer.groups):
        raise UserError(say("find_lr.in_groups"))
    if "max_lr" in scheduler.lists:
        raise UserError(say("find_lr.in_a_list"))
    if isinstance(scheduler, OneCycleLR | CyclicLR):
        return "scheduler", "max_lr"
    parts = [stage.scheduler for stage in scheduler.stages] if isinstance(scheduler, SequentialLR) else [scheduler]
    if any(isinstance(part, PiecewiseLinear) for part in parts):
        raise UserError("the preset's LRs stand in its points, and no single key has them; write the points by hand")
    return "optimizer", "lr"


def with_lr(text: str, preset: Preset, lr: float) -> str:
    """A preset's text with another LR where `lr_key` has it: its value is replaced, or the key added behind `name`.

    Args:
        text: what `preset` was read from.
        preset: what it says.
        lr: the other LR.

    Raises:
        UserError: as `lr_key`; or no such text means the preset with that LR and nothing else.
    """
    table, key = lr_key(preset)
    value = str(lr)
    wanted = tomllib.loads(text)
    wanted[table][key] = tomllib.loads(f"lr = {value}")["lr"]
    changed = next((each for each in _ways(text, table, key, value) if _read(each) == wanted), None)
    if changed is None:
        raise UserError(f"{table}.{key} = {value} fits nowhere into this preset's text; write it by hand")
    return changed


def _ways(text: str, table: str, key: str, value: str) -> Iterator[str]:
    """Texts of which one means what it should: the value replaced, else a key of a table, a dotted or an inline one."""
    places = value_places(text)
    if (place := places.get((table, key))) is not None:
        yield text[: place.start] + value + text[place.stop :]
        return
    behind = places[table, "name"].stop
    line_end = text.find("\n", behind) + 1 or len(text)
    before, after = text[:line_end], text[line_end:]
    newline = "\r\n" if before.endswith("\r\n") else "\n"
    broken = "" if before.endswith("\n") else newline
    for name in (key, f"{table}.{key}"):
        yield f"{before}{broken}{name} = {value}{newline}{after}"
    yield f"{text[:behind]}, {key} = {value}{text[behind:]}"


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def difference(before: str, after: str, of: str, to: str) -> list[str]:
    """What changes from one text to the other, in lines as `diff -u` has them, safe to show."""
    lines = unified_diff(before.splitlines(), after.splitlines(), of, to, n=2, lineterm="")
    return [shown for line in lines for shown in plain_lines(line)]
