"""The grammar of alerts' rules: what is taken, what is refused and with which words, and that nothing hangs or runs."""

from __future__ import annotations

import time
from contextlib import suppress
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.text.alert_rule import (
    LONGEST_RULE,
    LONGEST_SPAN,
    MOST_RULES,
    AlertRule,
    BadRule,
    check_rules,
    parse,
)
from tui_trainer.text.captions import CAPTIONS

names = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=60)
numbers = st.floats(allow_nan=False, allow_infinity=False)
spans = st.just(0) | st.integers(1, LONGEST_SPAN)
units = st.sampled_from(["epoch", "step", "second"])
compared = st.builds(AlertRule, names, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers, spans, units)
states = st.builds(AlertRule, names, st.sampled_from(["nan", "inf"]), st.just(0.0), spans, units)
missing = st.builds(AlertRule, names, st.just("missing"), st.just(0.0), st.integers(1, LONGEST_SPAN), units)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("val_loss > 2 for 3 epochs", AlertRule("val_loss", ">", 2.0, 3, "epoch")),
        ("gpu_temp > 85", AlertRule("gpu_temp", ">", 85.0)),
        ("loss is nan", AlertRule("loss", "nan")),
        ("lr < 1e-6", AlertRule("lr", "<", 1e-6)),
        ("lr<1e-6", AlertRule("lr", "<", 1e-6)),
        ("  train/loss   >=  -.5  for 1 step ", AlertRule("train/loss", ">=", -0.5, 1, "step")),
        ("lr-SGD/pg1 != 0 for 2 minutes", AlertRule("lr-SGD/pg1", "!=", 0.0, 120, "second")),
        ("x == 1 for 1 hour", AlertRule("x", "==", 1.0, 3600, "second")),
        ('"val_accuracy/ankle boot" <= 0.5', AlertRule("val_accuracy/ankle boot", "<=", 0.5)),
        ("'it is > 3' is inf", AlertRule("it is > 3", "inf")),
        (r'"say \"hi\" \\" is nan', AlertRule('say "hi" \\', "nan")),
        ("is is nan", AlertRule("is", "nan")),
        ("val_loss is missing for 2 epochs", AlertRule("val_loss", "missing", 0.0, 2, "epoch")),
    ],
)
def test_what_is_taken(text: str, rule: AlertRule) -> None:
    assert parse(text) == rule
    assert parse(str(rule)) == rule


REFUSED = [
    ("", "it names no series; write such as `val_loss > 2 for 3 epochs`", {"no_series", "ends", "such"}),
    ("> 3", "it begins with no name", {"no_name", "such"}),
    ('"" > 3', "it begins with no name", {"no_name", "such"}),
    ("val_loss", "it does not say what is to be told of val_loss", {"nothing_told", "ends", "such"}),
    ("val_loss = 3", "= compares nothing; == is right", {"bad_sign"}),
    ("val_loss => 3", "=> compares nothing; one of <, <=, >, >=, ==, != is right", {"bad_sign"}),
    ("val_loss >", "no number follows >", {"ends_with_sign", "ends", "such"}),
    ("val_loss > two", "two is no number", {"no_number"}),
    ("val_loss == nan", "nan is no number; write `is nan`", {"no_number", "write_nan"}),
    ("val_loss > 1e999", "1e999 is too large", {"too_large"}),
    ("val_loss > 1_000", "1_000 is no number", {"no_number"}),
    ("val_loss is big", "nothing is big", {"bad_state"}),
    ("val_loss is", "it ends with `is`; write such as", {"ends_with_is", "ends", "such"}),
    ("val_loss is missing", "Write such as `val_loss is missing for 2 epochs`", {"missing_for"}),
    ("ankle boot > 3", 'a name with blanks stands in quotes: "ankle boot"', {"blanks"}),
    ("val_loss > 2 for", "it does not say for how long", {"no_span", "ends", "such"}),
    ("val_loss > 2 for 1.5 epochs", "1.5 is no whole number", {"not_whole"}),
    ("val_loss > 2 for 3", "for 3 of what?", {"of_what", "ends", "such"}),
    ("val_loss > 2 for 3 moons", "moons is none of epochs", {"no_unit"}),
    ("val_loss > 2 or val_loss < 1", "nothing follows a rule, and here does or", {"goes_on"}),
    ('val_loss > 2 "', "a quote in it is not closed", {"open_quote"}),
    ("val_loss\n > 2", "characters that cannot be shown", {"unprintable"}),
    ("val_loss\x1b[31m > 2", "characters that cannot be shown", {"unprintable"}),
    ("x" * (LONGEST_RULE + 1), "1,201 characters are too many", {"too_long"}),
    ("__import__('os').system('id')", "is no comparison", {"no_test", "such"}),
]


@pytest.mark.parametrize(("text", "words", "ids"), REFUSED)
@pytest.mark.says("alert_rule.*")
@pytest.mark.never_says("alert_rule.*")
def test_what_is_refused_and_how(text: str, words: str, ids: set[str], captions_said: set[str]) -> None:
    with pytest.raises(BadRule) as error:
        parse(text)
    assert words in str(error.value)
    assert {id.removeprefix("alert_rule.") for id in captions_said if id.startswith("alert_rule.")} == ids


def test_each_reason_is_one_of_these_or_that_rules_are_too_many() -> None:
    told = {f"alert_rule.{id}" for _, _, ids in REFUSED for id in ids}
    assert {id for id in CAPTIONS if id.startswith("alert_rule.")} == told | {"alert_rule.too_many"}


@pytest.mark.never_says("alert_rule.*")
@pytest.mark.parametrize("span", ["0 epochs", f"{'9' * 400} epochs"])
def test_a_span_that_cannot_be_is_out_of_range(span: str, captions_said: set[str]) -> None:
    with pytest.raises(BadRule, match=r"is out of range"):
        parse(f"val_loss > 2 for {span}")
    assert captions_said == {"key.out_of_range"}


@given(compared | states | missing)
def test_a_rule_is_what_its_text_says(rule: AlertRule) -> None:
    again = parse(str(rule))
    assert str(again) == str(rule)
    assert (again.series, again.test, again.value, again.span) == (rule.series, rule.test, rule.value, rule.span)
    assert not rule.span or again.unit == rule.unit


@given(st.text(max_size=LONGEST_RULE + 10))
def test_any_text_is_a_rule_or_refused_in_a_line(text: str) -> None:
    refused = ""
    try:
        rule = parse(text)
    except BadRule as error:
        refused = str(error)
    else:
        assert parse(str(rule)) == rule
    assert len(refused) < 400
    assert refused.isprintable()


@pytest.mark.parametrize("piece", ['"', '\\"', "'", "\\", "<", "=", "for ", "is ", '"\\', "1", "1.", " ", "a"])
def test_hostile_rules_take_no_time(piece: str) -> None:
    text = f"x > 1 {piece * LONGEST_RULE}"[:LONGEST_RULE]
    began = time.process_time()
    for hostile in (text, f'"{text}'[:LONGEST_RULE], text[6:]):
        with suppress(BadRule):
            parse(hostile)
    assert time.process_time() - began < 0.1


def test_nothing_is_above_or_below_nan() -> None:
    """So a nan neither trips a comparison nor ends what one has told."""
    above = parse("loss > 2")
    assert [above.holds(value) for value in (3.0, inf, 2.0, -inf, nan)] == [True, True, False, False, None]
    assert [parse("loss is nan").holds(value) for value in (nan, inf, 1.0)] == [True, False, False]
    assert [parse("loss is inf").holds(value) for value in (nan, -inf, 1.0)] == [False, True, False]


@pytest.mark.says("alert_rule.too_many")
@pytest.mark.never_says("alert_rule.too_many")
def test_rules_are_told_once_and_not_without_end(captions_said: set[str]) -> None:
    assert check_rules(("loss>2", "loss > 2.0", "lr < 1")) == ("loss > 2", "lr < 1")
    assert not captions_said
    with pytest.raises(BadRule, match="too many"):
        check_rules(tuple(f"x > {i}" for i in range(MOST_RULES + 1)))
