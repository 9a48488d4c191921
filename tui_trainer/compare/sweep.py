"""Trials of one preset that differ in chosen values: all that a grid has, or some drawn from spaces, or both.

Values are those of TOML, and data: whether a preset takes them, its own schema tells, of every trial before the first
one trains.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import exp, isfinite, log, prod
from random import Random
from typing import Any, TypeAlias

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
_NUMBER = re.compile(r"[+-]?(\d+\.?|\d*\.\d+)([eE][+-]?\d+)?", re.ASCII)


class BadSweep(UserError):
    """No trials can be made so; the text says of which option, and why."""


@dataclass(frozen=True)
class Value:
    """A value of a key."""

    value: Any
    written: str
    """As a person wrote it; of one that was drawn, so that it reads back the same."""
    option: str = "--grid"
    """Who asked for it."""

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
        key, rest = _key_and_rest(text, "--grid")
        return cls(key, _values(rest, key, "--grid"))


Draw: TypeAlias = Callable[[float], Value]
"""The value at a place from 0 to below 1."""


@dataclass(frozen=True)
class Space:
    """A key of a preset, and where its values are drawn from."""

    key: str
    draw: Draw

    @classmethod
    def of(cls, text: str) -> Space:
        """What `optimizer.lr=log:1e-4:1e-1` says: evenly on a log scale, or `uniform:` on a plain one, or whole
        numbers, `int:`, both ends among them, or one of several values, `SGD,Adam`.

        Raises:
            BadSweep: it says no such thing.
        """
        key, rest = _key_and_rest(text, "--space")
        kind, colon, ends = rest.strip().partition(":")
        if colon and kind in ("log", "uniform", "int"):
            return cls(key, _between(kind, ends, key))
        values = _values(rest, key, "--space")
        return cls(key, lambda place: values[int(place * len(values))])


@dataclass(frozen=True)
class Trial:
    """What one of them has for each key that is varied."""

    values: Mapping[str, Value]

    @property
    def label(self) -> str:
        """`optimizer.lr 0.03`; of several keys the ends of their names, where these tell them apart."""
        ends = [key.removesuffix(".name").rpartition(".")[2] for key in self.values]
        names = ends if len(ends) > 1 and len({*ends}) == len(ends) else list(self.values)
        return plain(
            " ".join(f"{name} {value.written}" for name, value in zip(names, self.values.values(), strict=True))
        )

    @property
    def data(self) -> dict[str, Any]:
        """The values by their keys."""
        return {key: value.value for key, value in self.values.items()}


def made(
    axes: Sequence[Varied], spaces: Sequence[Space] = (), draws: int = 1, *, seeds: int = 1, seed: int = 0
) -> list[Trial]:
    """Each combination of the values of a grid, those of the last key changing first; with spaces each of them with
    each of the draws.

    Args:
        axes: the grid.
        spaces: what is drawn from.
        draws: how many different ones are drawn.
        seeds: how often each trial is trained.
        seed: what decides the draws; each key has a sequence of its own, whatever else is varied.

    Raises:
        BadSweep: a key is varied twice, there are more than `MOST`, or the spaces have no such number of draws.
    """
    option = "--random" if spaces else "--grid"
    keys = [*(each.key for each in axes), *(each.key for each in spaces)]
    if again := next((key for key in keys if keys.count(key) > 1), None):
        raise BadSweep(f"{option}: {say('sweep.key_twice', key=again)}")
    if (count := prod(len(each.values) for each in axes) * draws * seeds) > MOST:
        raise BadSweep(f"{option}: {say('sweep.too_many', count=f'{count:,}', most=f'{MOST:,}')}")
    drawn = _drawn(spaces, draws, seed) if spaces else [()]
    of_grid = product(*(each.values for each in axes))
    return [Trial(dict(zip(keys, (*values, *more), strict=True))) for values in of_grid for more in drawn]


TRIES = 200
"""Draws for each trial that is asked for, from which on no more different ones are waited for."""


def _drawn(spaces: Sequence[Space], draws: int, seed: int) -> list[tuple[Value, ...]]:
    chances = [Random(f"{seed} {space.key}") for space in spaces]
    found: dict[tuple[tuple[bool, str], ...], tuple[Value, ...]] = {}
    for _ in range(draws * TRIES):
        values = tuple(space.draw(chance.random()) for space, chance in zip(spaces, chances, strict=True))
        found.setdefault(tuple(value.is_like for value in values), values)
        if len(found) == draws:
            return list(found.values())
    raise BadSweep(f"--random {draws}: {say('sweep.too_few_draws', count=len(found))}")


DIGITS = 4
"""Of a number that is drawn: as many as a person reads in a table, so that the table says what was trained."""

LARGEST = 1e15
"""Of the ends of a space: whole numbers up to it are exact."""


def _between(kind: str, ends: str, key: str) -> Draw:
    """Numbers between two ends, both of which may come.

    Raises:
        BadSweep: they are no such ends.
    """
    try:
        low, high = (int(end) if kind == "int" else float(end) for end in ends.split(":"))
    except (ValueError, OverflowError):
        low, high = 0, 0
    if not low < high or not isfinite(high - low) or max(abs(low), abs(high)) > LARGEST or (kind == "log" and low <= 0):
        raise _bad(key, say("sweep.no_range", space=plain(f"{kind}:{ends}")), "--space")

    def draw(place: float) -> Value:
        if kind == "int":
            value: float = low + int(place * (high - low + 1))
            return Value(value, str(value), "--space")
        at = exp(log(low) + place * (log(high) - log(low))) if kind == "log" else low + place * (high - low)
        value = min(max(float(f"{at:.{DIGITS}g}"), low), high)
        short = f"{value:.{DIGITS}g}"
        return Value(value, short if float(short) == value else repr(value), "--space")

    return draw


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
            option = next(trial.values[f"training.{name}"].option for trial in trials)
            raise _bad(f"training.{name}", say("sweep.by_option", option=f"--{name.replace('_', '-')}"), option)
    presets: list[Preset] = []
    found: dict[tuple[str, str, str], tuple[str, list[Trial]]] = {}
    for trial in trials:
        result = check_data(with_values(data, trial.data), source, run, epochs=epochs, batch_size=batch_size)
        if result.preset is not None:
            presets.append(result.preset)
        for problem in result.problems:
            told = _of_value(problem, trial) or str(problem)
            what = "" if told.startswith("--space ") else problem.message  # of draws from one space, one is enough
            found.setdefault((problem.severity, problem.key, what), (told, []))[1].append(trial)
    said: dict[str, list[str]] = {"error": [], "warning": []}
    for (severity, _, _), (text, those) in found.items():
        of_all = text.startswith(("--grid ", "--space ")) or len(those) == len(trials)
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
            return plain(f"{value.option} {key}={value.written}: {problem.message}")
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


def _bad(what: str, why: str, option: str = "--grid") -> BadSweep:
    return BadSweep(f"{option} {plain(what)}: {why}")


def _key_and_rest(text: str, option: str) -> tuple[str, str]:
    """The key that is varied, and what is said of it.

    Raises:
        BadSweep: one of the two is missing, or no such key can be varied.
    """
    key, equals, rest = text.partition("=")
    key = key.strip()
    if not equals or not rest.strip() or not _KEY.fullmatch(key):
        raise _bad(text, say("sweep.no_space") if option == "--space" else say("sweep.no_values"), option)
    if key.partition(".")[0] not in TABLES or "." not in key:
        raise _bad(key, say("sweep.no_such_key", hint=_hint(key)), option)
    return key, rest


def _values(text: str, key: str, option: str) -> tuple[Value, ...]:
    """Different values, with commas between them.

    Raises:
        BadSweep: they are not that.
    """
    values: dict[tuple[bool, str], Value] = {}
    for written in _between_commas(text):
        value = Value(_read(written, key, option), written, option)
        if values.setdefault(value.is_like, value) is not value:
            raise _bad(key, say("sweep.value_twice", value=plain(written)), option)
    return tuple(values.values())


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


def _read(written: str, key: str, option: str) -> Any:
    """A value as TOML has it; a word needs no quotes, and `.5` and `1.` are numbers.

    Raises:
        BadSweep: it is none.
    """
    if not written:
        raise _bad(key, say("sweep.value_missing"), option)
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
    raise _bad(key, say("sweep.no_value", value=plain(written)), option)
