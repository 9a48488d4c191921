"""Trials of one preset that differ in chosen values: all that a grid has.

Values are those of TOML, and data: whether a preset takes them, its own schema tells, of every trial before the first
one trains.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any

from tui_trainer.errors import UserError
from tui_trainer.presets.checks import check_data
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.other_values import with_values
from tui_trainer.presets.problems import PresetText, Problem
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.presets.schema import Preset, Training, Warmup
from tui_trainer.presets.wording import nearest
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed
from tui_trainer.text.plain import plain

TABLES = ("training", "optimizer", "scheduler", "warmup")
"""Those of a preset whose keys may be varied: what is trained on what stays the same for all."""

MOST = 10_000
"""Runs of a comparison that a sweep may make."""

_KEY = re.compile(r"[A-Za-z]\w*(\.\w+)*")
_WORD = re.compile(r"[A-Za-z][\w.+-]*")
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|.', re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?|\d*\.\d+)([eE][+-]?\d+)?")


class BadSweep(UserError):
    """No trials can be made so; the text says of which option, and why."""


@dataclass(frozen=True)
class Value:
    """A value of a key."""

    value: Any
    written: str
    """As a person wrote it."""

    @property
    def is_like(self) -> tuple[bool, str]:
        """What another one that is the same has, too: 1 and 1.0 are the same, 1 and true are not."""
        value = self.value
        whole = isinstance(value, float) and value.is_integer()
        return isinstance(value, bool), repr(int(value) if whole else value)


@dataclass(frozen=True)
class Varied:
    """A key of a preset, and the values that it is to have."""

    key: str
    values: tuple[Value, ...]

    @classmethod
    def of(cls, text: str) -> Varied:
        """What `optimizer.lr=0.01,0.03` says.

        Raises:
            BadSweep: it says no such thing.
        """
        key, equals, rest = text.partition("=")
        key = key.strip()
        if not equals or not rest.strip() or not _KEY.fullmatch(key):
            raise _bad(text, say("sweep.no_values"))
        if key.partition(".")[0] not in TABLES or "." not in key:
            raise _bad(key, say("sweep.no_such_key", hint=_hint(key)))
        values: dict[tuple[bool, str], Value] = {}
        for written in _between_commas(rest):
            value = Value(_read(written, key), written)
            if values.setdefault(value.is_like, value) is not value:
                raise _bad(key, say("sweep.value_twice", value=plain(written)))
        return cls(key, tuple(values.values()))


@dataclass(frozen=True)
class Trial:
    """What one of them has for each key that is varied."""

    values: Mapping[str, Value]

    @property
    def label(self) -> str:
        """`optimizer.lr 0.03`; of several keys the ends of their names, where these tell them apart."""
        ends = [key.rpartition(".")[2] for key in self.values]
        names = ends if len(ends) > 1 and len({*ends}) == len(ends) else list(self.values)
        return plain(
            " ".join(f"{name} {value.written}" for name, value in zip(names, self.values.values(), strict=True))
        )

    @property
    def data(self) -> dict[str, Any]:
        """The values by their keys."""
        return {key: value.value for key, value in self.values.items()}


def grid(axes: Sequence[Varied], seeds: int = 1) -> list[Trial]:
    """Each combination of their values; those of the last key change first.

    Raises:
        BadSweep: a key is varied twice, or there are more than `MOST`, with so many seeds for each.
    """
    keys = [each.key for each in axes]
    if again := next((key for key in keys if keys.count(key) > 1), None):
        raise BadSweep(f"--grid: {say('sweep.key_twice', key=again)}")
    if (count := prod(len(each.values) for each in axes) * seeds) > MOST:
        raise BadSweep(f"--grid: {say('sweep.too_many', count=f'{count:,}', most=f'{MOST:,}')}")
    return [Trial(dict(zip(keys, values, strict=True))) for values in product(*(each.values for each in axes))]


@dataclass(frozen=True)
class Checked:
    """What became of trials, all of which were looked at."""

    presets: tuple[Preset, ...]
    """One a trial, in their order; none where there are errors."""
    errors: tuple[str, ...]
    """What keeps some from training, a line each: what is wrong is said once, however many trials have it."""
    warnings: tuple[str, ...]


def checked(
    data: Mapping[str, Any],
    source: PresetText,
    trials: Sequence[Trial],
    run: RunConditions,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
) -> Checked:
    """The preset of each trial, as its schema reads it on a run.

    Args:
        data: what the preset's file says.
        source: where it says so.
        trials: what they have in place of that.
        run: the conditions of all of them.
        epochs: in place of what they all say.
        batch_size: in place of what they all say.

    Raises:
        BadSweep: one of the last two is varied, too.
    """
    for name, given in (("epochs", epochs), ("batch_size", batch_size)):
        if given is not None and any(f"training.{name}" in trial.values for trial in trials):
            raise _bad(f"training.{name}", say("sweep.by_option", option=f"--{name.replace('_', '-')}"))
    presets: list[Preset] = []
    found: dict[tuple[str, str, str], tuple[str, list[Trial]]] = {}
    for trial in trials:
        result = check_data(with_values(data, trial.data), source, run, epochs=epochs, batch_size=batch_size)
        if result.preset is not None:
            presets.append(result.preset)
        for problem in result.problems:
            told = _of_value(problem, trial) or str(problem)
            found.setdefault((problem.severity, problem.key, problem.message), (told, []))[1].append(trial)
    said: dict[str, list[str]] = {"error": [], "warning": []}
    for (severity, _, _), (text, those) in found.items():
        of_all = text.startswith("--grid ") or len(those) == len(trials)
        said[severity].append(text if of_all else f"{_named(those)}: {text}")
    return Checked(() if said["error"] else tuple(presets), tuple(said["error"]), tuple(said["warning"]))


NAMED = 3
"""Trials that are named of those that have the same problem."""


def _named(trials: Sequence[Trial]) -> str:
    return listed([trial.label for trial in trials], NAMED)


def _of_value(problem: Problem, trial: Trial) -> str | None:
    """What is wrong with a value that is varied, with the option; None of what is wrong elsewhere."""
    for key, value in trial.values.items():
        above = "." in problem.key and f"{key}.".startswith(f"{problem.key}.")
        if above or problem.key.startswith(f"{key}."):
            return plain(f"--grid {key}={value.written}: {problem.message}")
    return None


def _hint(key: str) -> str:
    """What is most likely meant by what begins with no table."""
    known = [f"training.{name}" for name in Training.model_fields]
    known += [f"optimizer.{name}" for kind in OPTIMIZERS.values() for name in kind.model_fields]
    known += [f"scheduler.{name}" for kind in SCHEDULERS.values() for name in kind.model_fields]
    known += [f"warmup.{name}" for name in Warmup.model_fields]
    end = key.rpartition(".")[2].casefold()
    meant = next((name for name in known if name.rpartition(".")[2] == end), None) or nearest(key, known)
    return say("sweep.meant", meant=meant) if meant else say("sweep.tables", tables=listed(TABLES))


def _bad(what: str, why: str) -> BadSweep:
    return BadSweep(f"--grid {plain(what)}: {why}")


def _between_commas(text: str) -> list[str]:
    """The texts between the commas that stand in no list, no table and no quotes."""
    pieces, depth = [""], 0
    for piece in _PIECE.findall(text):
        depth += (piece in "[{") - (piece in "]}") if len(piece) == 1 else 0
        if piece == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += piece
    return [piece.strip() for piece in islice(pieces, MOST + 1)]


def _read(written: str, key: str) -> Any:
    """A value as TOML has it; a word needs no quotes, and `.5` and `1.` are numbers.

    Raises:
        BadSweep: it is none.
    """
    if not written:
        raise _bad(key, say("sweep.value_missing"))
    try:
        read = tomllib.loads(f"value = {written}")
    except (ValueError, RecursionError):
        read = {}
    if list(read) == ["value"]:
        return read["value"]
    if _NUMBER.fullmatch(written) and len(written) < 30:
        return float(written)
    if _WORD.fullmatch(written):
        return written
    raise _bad(key, say("sweep.no_value", value=plain(written)))
