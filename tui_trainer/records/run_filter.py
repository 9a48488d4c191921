"""Which runs of a list are meant: `lr>=1e-3 and status:running and val_loss<0.3`, in the shell as on the screen.

    NAME<NUMBER  <= > >= = !=   a value compared; a run that has no such value passes none of these
    NAME:VALUE                  the same text in any case, or the same number; `*` and `?` as in the shell
    WORD                        somewhere in the run's id, name, preset, data set, model or status
    and, or, not, ( )           `and` may be left out, and binds closer than `or`
    'A B'  "A B"                a name, a value or a word with spaces in it

Names are those of `runs --json`; what a run was asked to do by its argument's name (`lr`, `batch_size`, `optimizer`) or
in full (`scheduler.gamma`); `objective`, the best value so far; and any metric, by its last value; `acc`, the best
validation accuracy, where no metric is called so. Where two have one name, `config.lr` and `metrics.lr` say which.

What is typed is parsed here and compared, and nothing of it is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple, Protocol

from tui_trainer.records.errors import RunsError
from tui_trainer.records.summary import RunSummary
from tui_trainer.text.captions import say
from tui_trainer.text.glob import glob

LONGEST = 2000
"""Characters of a filter."""

DEEPEST = 50
"""Parentheses and `not` within each other."""

FIELDS: Mapping[str, str] = {
    name: name
    for name in (
        *(
            "id",
            "name",
            "status",
            "preset",
            "dataset",
            "model",
            "device",
            "seed",
            "epochs",
            "epochs_done",
            "steps_done",
        ),
        *("best_val_accuracy", "val_accuracy", "val_loss", "train_loss", "images_per_second", "started_at", "ended_at"),
        *("elapsed_s", "pid", "host", "reason", "parameters", "cut_off_at_step"),
    )
} | {"steps": "steps_done", "data": "dataset"}
"""What every run has, by the names that a filter may use."""

SECTIONS = ("optimizer", "training", "scheduler", "warmup")
"""Of a preset: an argument without one is looked for in these, in their order."""

_OPERATORS = re.compile(r"=>|=<|>=|<=|!=|==|[<>=:]")
_WORD = re.compile(r"(?:(?!>=|<=|!=|[<>=:])[^\s()'\"])+")
_VALUE = re.compile(r"[^\s()]+")
_SPACE = re.compile(r"\s*")

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "==": eq, "!=": ne}


class FilterError(RunsError):
    """What was typed is no filter: where, and what would be right."""

    def __init__(self, at: int, what: str) -> None:
        """`at` counts characters from 1."""
        self.at = at
        self.what = what
        super().__init__(f"filter, at {at}: {what}")


class Part(Protocol):
    """A filter, or a part of one."""

    def passes(self, run: RunSummary) -> bool:
        """Whether a run is meant."""

    def names(self) -> Iterator[tuple[str, int]]:
        """The names of values in it, and where they stand."""


class Unknown(NamedTuple):
    """A name in a filter that no run has."""

    name: str
    at: int
    near: str
    """The nearest that one has; empty where none comes near."""

    @property
    def in_words(self) -> str:
        """What to tell a person."""
        meant = say("record.name_meant", name=self.near) if self.near else ""
        return say("record.no_run_has", name=_shown(self.name), meant=meant)


@dataclass(frozen=True)
class RunFilter:
    """A filter as it was parsed."""

    test: Part

    def passes(self, run: RunSummary) -> bool:
        """Whether a run is meant."""
        return self.test.passes(run)

    def unknown_in(self, runs: Sequence[RunSummary]) -> list[Unknown]:
        """The names in it that none of these runs has; none where there are no runs."""
        found = []
        for name, at in self.test.names():
            if runs and name.casefold() not in FIELDS and name != "objective":
                if any(value_of(run, name) is not None for run in runs):
                    continue
                found.append(Unknown(name, at, _near(name, runs)))
        return found


def parse(text: str) -> RunFilter:
    """The filter that a person typed; one of nothing but spaces passes every run.

    Raises:
        FilterError: it is none; the words say where and what would be right.
    """
    if len(text) > LONGEST:
        raise FilterError(LONGEST + 1, f"a filter has at most {LONGEST:,} characters")
    return RunFilter(_Parser(text).whole())


def words_of(run: RunSummary) -> str:
    """What a word of a filter is looked for in."""
    return f"{run.id} {run.name or ''} {run.trains} {run.dataset} {run.model} {run.status}"


def value_of(run: RunSummary, name: str) -> object:
    """What a run has by a name, as the head of this module tells; None where it has nothing."""
    source, _, rest = name.partition(".")
    if rest and source == "metrics":
        return run.metrics.get(rest)
    if rest and source == "config":
        return _configured(run.config, rest)
    if (field := FIELDS.get(name.casefold())) is not None:
        return getattr(run, field)
    if name == "objective":
        return run.objective.best if run.objective is not None else None
    found = _configured(run.config, name)
    found = run.metrics.get(name) if found is None else found
    return run.best_val_accuracy if found is None and name.casefold() == "acc" else found


def _configured(config: Mapping[str, object], name: str) -> object:
    named = (name, *(f"{section}.{name}" for section in SECTIONS), f"{name}.name")
    return next((config[key] for key in named if key in config), None)


# Parts of a filter


@dataclass(frozen=True)
class _Every:
    parts: Sequence[Part]

    def passes(self, run: RunSummary) -> bool:
        return all(part.passes(run) for part in self.parts)

    def names(self) -> Iterator[tuple[str, int]]:
        return (name for part in self.parts for name in part.names())


@dataclass(frozen=True)
class _Any(_Every):
    def passes(self, run: RunSummary) -> bool:
        return any(part.passes(run) for part in self.parts)


@dataclass(frozen=True)
class _Not(_Every):
    def passes(self, run: RunSummary) -> bool:
        return not super().passes(run)


@dataclass(frozen=True)
class _Word:
    word: str

    def passes(self, run: RunSummary) -> bool:
        return self.word in words_of(run).lower()

    def names(self) -> Iterator[tuple[str, int]]:
        return iter(())


@dataclass(frozen=True)
class _Comparison:
    name: str
    at: int
    operator: str
    text: str
    number: float | int | None
    """What the text says as a number."""

    def passes(self, run: RunSummary) -> bool:
        value = value_of(run, self.name)
        if value is None:
            return False
        if self.operator == ":":
            if "*" in self.text or "?" in self.text:
                return glob(self.text)(_text(value))
            return self._equals(value)
        if self.operator in ("=", "==", "!="):
            return self._equals(value) == (self.operator != "!=")
        return _is_number(value) and _ORDERS[self.operator](value, self.number)

    def names(self) -> Iterator[tuple[str, int]]:
        yield self.name, self.at

    def _equals(self, value: Any) -> bool:
        if self.number is not None and _is_number(value):
            same = value == self.number
            return bool(same or (self.number != self.number and value != value))  # nan is nan; no float is that large
        return _text(value) == self.text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    """As a person types it, for a comparison in any case."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).casefold()


def _number(text: str) -> float | int | None:
    """A number as it was typed: a whole one exactly. None where it is none."""
    if not text.isascii() or "_" in text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:  # or a whole one with more digits than are converted: it is none of a run's
            continue
    return None


class _Parser:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._all = text
        self._next = 0

    def whole(self) -> Part:
        self._skip()
        if self._is_over:
            return _Every(())
        test = self._either(0)
        if not self._is_over:
            raise self._error("no ( was opened for this )")
        return test

    def _either(self, depth: int) -> Part:
        parts = [self._both(depth)]
        while after := self._take_keyword("or"):
            parts.append(self._both(depth, after))
        return parts[0] if len(parts) == 1 else _Any(parts)

    def _both(self, depth: int, after: str = "") -> Part:
        parts = [self._negated(depth, after)]
        while not self._is_over and not self._sees(")") and self._keyword != "or":
            parts.append(self._negated(depth, self._take_keyword("and")))
        return parts[0] if len(parts) == 1 else _Every(parts)

    def _negated(self, depth: int, after: str) -> Part:
        if after and (self._is_over or self._sees(")") or self._keyword in ("and", "or")):
            raise self._error(f"something must come after {after}")
        if depth > DEEPEST:
            raise self._error(f"at most {DEEPEST} parentheses and not can be within each other")
        if said := self._take_keyword("not"):
            return _Not((self._negated(depth + 1, said),))
        if self._keyword:
            raise self._error(f"something must stand before {self._keyword}")
        if not self._sees("("):
            return self._comparison()
        opened = self._next
        if depth == DEEPEST:
            raise self._error(f"at most {DEEPEST} parentheses and not can be within each other")
        self._go(1)
        if self._sees(")"):
            raise self._error("something must stand between ( and )")
        if self._is_over:
            raise self._error("this ( is not closed", opened)
        inner = self._either(depth + 1)
        if not self._sees(")"):
            raise self._error("this ( is not closed", opened)
        self._go(1)
        return inner

    def _comparison(self) -> Part:
        at = self._next
        name = self._quoted()
        if name is None:
            word = _WORD.match(self._all, at)
            name = word[0] if word else ""
            self._go(len(name))
        operator = _OPERATORS.match(self._all, self._next)
        if operator is None:
            if meant := {"&&": "and", "||": "or"}.get(name):
                raise self._error(f"write {meant}", at)
            return _Word(name.lower())
        said = operator[0]
        if said in ("=>", "=<"):
            raise self._error(f"write {said[::-1]}")
        example = "status:running" if said == ":" else f"lr{said}0.001"
        if not name:
            raise self._error(f"a name must stand before {said}, as in {example}", at)
        self._next += len(said)
        behind = self._next
        self._skip()
        return self._compared(name, at, said, self._value(said, example, behind))

    def _compared(self, name: str, at: int, operator: str, value: tuple[str, int]) -> Part:
        text, stands = value
        number = _number(text)
        if operator not in (":", "=", "==", "!=") and number is None:
            raise self._error(f"after {operator} comes a number, and {_shown(text)} is none", stands)
        return _Comparison(name, at + 1, operator, text.casefold(), number)

    def _value(self, operator: str, example: str, behind: int) -> tuple[str, int]:
        at = self._next
        text = self._quoted()
        if text is None:
            value = _VALUE.match(self._all, at)
            if value is None:
                kind = "value" if operator in (":", "=", "==", "!=") else "number"
                raise self._error(f"a {kind} must come after {operator}, as in {example}", behind - len(operator))
            text = value[0]
            self._go(len(text))
        return text, at

    # What stands where reading has come to

    @property
    def _is_over(self) -> bool:
        return self._next >= len(self._all)

    @property
    def _keyword(self) -> str:
        """The keyword that stands here; empty where none does."""
        word = _WORD.match(self._all, self._next)
        if word is None or word[0].lower() not in ("and", "or", "not"):
            return ""
        return "" if _OPERATORS.match(self._all, word.end()) else word[0].lower()

    def _sees(self, character: str) -> bool:
        return self._all.startswith(character, self._next)

    def _take_keyword(self, wanted: str) -> str:
        if self._keyword != wanted:
            return ""
        self._go(len(wanted))
        return wanted

    def _quoted(self) -> str | None:
        """What stands in quotes here."""
        if not (self._sees("'") or self._sees('"')):
            return None
        quote = self._all[self._next]
        end = self._all.find(quote, self._next + 1)
        if end < 0:
            raise self._error(f"this {quote} is not closed")
        text = self._all[self._next + 1 : end]
        self._go(len(text) + 2)
        return text

    def _go(self, characters: int) -> None:
        self._next += characters
        self._skip()

    def _skip(self) -> None:
        space = _SPACE.match(self._all, self._next)
        assert space is not None
        self._next = space.end()

    def _error(self, what: str, at: int | None = None) -> FilterError:
        return FilterError((self._next if at is None else at) + 1, what)


LOOKED_THROUGH = 5000
"""Names, for one that comes near."""


def _near(name: str, runs: Iterable[RunSummary]) -> str:
    """The name that some run has, and that comes nearest."""
    import difflib

    known = dict.fromkeys((*FIELDS, "objective"))
    for run in runs:
        known |= dict.fromkeys(key.rpartition(".")[2] for key in run.config)
        known |= dict.fromkeys(run.metrics)
    near = difflib.get_close_matches(name[:100], [key[:100] for key in islice(known, LOOKED_THROUGH)], n=1, cutoff=0.7)
    return near[0] if near else ""


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
