"""Rules for alerts, as a person writes them: `val_loss > 2 for 3 epochs`. They are parsed, and never evaluated.

    rule = series test [ "for" span ]
    series = a name without blanks | a name in quotes, "like this" or 'this', a backslash before a quote within
    test = ( "<" | "<=" | ">" | ">=" | "==" | "!=" ) number | "is" ( "nan" | "inf" ) | "is" "missing"
    span = whole number ( "epochs" | "steps" | "seconds" | "minutes" | "hours" )

`is missing` wants a span. A rule is one line of at most `LONGEST_RULE` characters, and takes time that grows with them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, isinf, isnan
from typing import Literal, TypeAlias, get_args

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

Unit: TypeAlias = Literal["epoch", "step", "second"]
Test: TypeAlias = Literal["<", "<=", ">", ">=", "==", "!=", "nan", "inf", "missing"]

LONGEST_RULE = 1200
"""Characters: a name may have a thousand."""

MOST_RULES = 50
"""That a run may be watched by."""

LONGEST_SPAN = 1_000_000_000
"""Steps, epochs or seconds."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_STATES = ("nan", "inf", "missing")
_UNITS: dict[str, tuple[Unit, int]] = {
    "epoch": ("epoch", 1),
    "step": ("step", 1),
    "second": ("second", 1),
    "minute": ("second", 60),
    "hour": ("second", 3600),
}

_TOKEN = re.compile(
    r"""\s* (?: (?P<quoted> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<sign> [<>=!]+ ) | (?P<word> [^\s"'<>=!]+ ) )""",
    re.VERBOSE,
)
_BARE = re.compile(r"""[^\s"'<>=!]+""")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[0-9]+")
_ESCAPED = re.compile(r"\\(.)")


class BadRule(ValueError):
    """It is no rule; `str()` says why, and what would be right."""


@dataclass(frozen=True)
class AlertRule:
    """When a person is to be told. `str()` is the rule as `parse` takes it."""

    series: str
    test: Test
    value: float = 0.0
    """What values are compared with; of no meaning for `nan`, `inf` and `missing`."""
    span: int = 0
    """For how long it must be so, in `unit`; 0: one value is enough."""
    unit: Unit = "step"

    def __str__(self) -> str:
        name = self.series if _BARE.fullmatch(self.series) else _quoted(self.series)
        test = f"is {self.test}" if self.test in _STATES else f"{self.test} {_number(self.value)}"
        return f"{name} {test}{self._span}"

    @property
    def _span(self) -> str:
        if not self.span:
            return ""
        for word, (unit, many) in reversed(_UNITS.items()):
            if unit == self.unit and self.span % many == 0:
                return f" for {counted(self.span // many, word).replace(',', '')}"
        raise AssertionError(self.unit)

    def holds(self, value: float) -> bool | None:
        """Whether it is so with this value; None where that cannot be told, as nothing is above or below nan."""
        match self.test:
            case "nan":
                return isnan(value)
            case "inf":
                return isinf(value)
            case "missing":
                return False
            case test:
                return None if isnan(value) else _COMPARE[test](value, self.value)


def parse(text: str) -> AlertRule:
    """The rule that a text is.

    Raises:
        BadRule: it is none; with why.
    """
    if len(text) > LONGEST_RULE:
        raise BadRule(say("alert_rule.too_long", count=f"{len(text):,}", most=f"{LONGEST_RULE:,}"))
    if not text.isprintable():
        raise BadRule(say("alert_rule.unprintable"))
    return _Parser(text).rule()


def check_rules(rules: tuple[str, ...]) -> tuple[str, ...]:
    """The same rules, in one form, each once.

    Raises:
        BadRule: one of them is none, or they are too many.
    """
    if len(rules) > MOST_RULES:
        raise BadRule(say("alert_rule.too_many", count=len(rules), most=MOST_RULES))
    return tuple(dict.fromkeys(str(parse(rule)) for rule in rules))


class _Parser:
    """Tokens of a text, taken from the left."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def rule(self) -> AlertRule:
        series = self._series()
        test, value = self._test(series)
        span, unit = self._for() if self._is("for") else (0, "step")
        if self._at < len(self._tokens):
            raise BadRule(say("alert_rule.goes_on", word=_shown(self._tokens[self._at][1])))
        if test == "missing" and not span:
            raise BadRule(say("alert_rule.missing_for", series=_name(series)))
        return AlertRule(series, test, value, span, unit)

    def _series(self) -> str:
        kind, name = self._next("no_series")
        if kind == "sign" or not name:
            raise BadRule(say("alert_rule.no_name", such=_such()))
        return name

    def _test(self, series: str) -> tuple[Test, float]:
        kind, word = self._next("nothing_told", series=_name(series))
        if kind == "sign":
            if word not in _COMPARE:
                right = "==" if word == "=" else f"one of {', '.join(_COMPARE)}"
                raise BadRule(say("alert_rule.bad_sign", sign=_shown(word), right=right))
            return _a_test(word), self._number(word)
        if kind == "word" and word == "is":
            _, state = self._next("ends_with_is")
            if state not in _STATES:
                raise BadRule(say("alert_rule.bad_state", state=_shown(state)))
            return _a_test(state), 0.0
        if kind == "word" and any(token in _COMPARE or token == "is" for _, token in self._tokens[self._at :]):
            raise BadRule(say("alert_rule.blanks", name=_quoted(f"{series} {word}")))
        raise BadRule(say("alert_rule.no_test", word=_shown(word), such=_such()))

    def _number(self, sign: str) -> float:
        kind, word = self._next("ends_with_sign", sign=sign)
        if kind != "word" or not _NUMBER.fullmatch(word):
            hint = say("alert_rule.write_nan") if word.casefold() == "nan" else ""
            raise BadRule(say("alert_rule.no_number", word=_shown(word), hint=hint))
        if not isfinite(number := float(word)):
            raise BadRule(say("alert_rule.too_large", word=_shown(word)))
        return number

    def _for(self) -> tuple[int, Unit]:
        self._at += 1
        kind, word = self._next("no_span")
        if kind != "word" or not _WHOLE.fullmatch(word):
            raise BadRule(say("alert_rule.not_whole", word=_shown(word)))
        _, name = self._next("of_what", number=_shown(word))
        if (found := _UNITS.get(name.removesuffix("s"))) is None:
            raise BadRule(say("alert_rule.no_unit", word=_shown(name)))
        span = int(word) * found[1] if len(word) < 20 else LONGEST_SPAN + 1
        if not 1 <= span <= LONGEST_SPAN:
            right = f"1 to {LONGEST_SPAN // found[1]:,}"
            raise BadRule(say("key.out_of_range", value=f"{_shown(word)} {name}", range=right))
        return span, found[0]

    def _is(self, word: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("word", word)

    def _next(self, lacking: str, **values: str) -> tuple[str, str]:
        """The next token; where there is none, it is told what is lacking: how its caption ends, and its values."""
        if self._at >= len(self._tokens):
            raise BadRule(say("alert_rule.ends", lacking=say(f"alert_rule.{lacking}", **values), such=_such()))
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise BadRule(say("alert_rule.open_quote"))
        token = match[match.lastgroup]
        found.append((match.lastgroup, _ESCAPED.sub(r"\1", token[1:-1]) if match.lastgroup == "quoted" else token))
        at = match.end()
    return found


def _a_test(word: str) -> Test:
    return next(test for test in get_args(Test) if test == word)


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(series: str) -> str:
    return _shown(series if _BARE.fullmatch(series) else _quoted(series))


def _number(value: float) -> str:
    """With all of its digits, and without a point that says nothing."""
    return repr(value).removesuffix(".0")


def _such() -> str:
    return say("alert_rule.such")


def _shown(word: str) -> str:
    text = plain(word)
    return text if len(text) <= 60 else f"{text[:57]}..."
