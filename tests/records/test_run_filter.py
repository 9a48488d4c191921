"""The words by which runs are looked for, in the shell and on the screen."""

from __future__ import annotations

import time
from math import inf, nan
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui_trainer.records.run_filter import DEEPEST, LONGEST, FilterError, parse
from tui_trainer.records.summary import Objective, RunSummary

LARGER_THAN_ANY_FLOAT = "1" * 400


def run(**facts: Any) -> RunSummary:
    """A run in a list, as far as the test says what it is."""
    known: dict[str, Any] = {"id": "20261127-020305-steplr-28aa", "status": "finished", "folder": "/runs/x"}
    known |= {"epochs_done": 0, "steps_done": 0, "elapsed_s": 0.0, "loss": [], "flaws": []}
    return RunSummary(**(known | facts))


NIGHT = run(
    name="night shift",
    status="running",
    preset="onecycle",
    dataset="mnist-5k",
    model="cnn",
    seed=9007199254740993,
    epochs=10,
    epochs_done=4,
    steps_done=252,
    val_loss=0.12,
    best_val_accuracy=0.971,
    config={
        "optimizer.name": "SGD",
        "optimizer.lr": 0.05,
        "optimizer.nesterov": True,
        "training.batch_size": 64,
        "scheduler.name": "OneCycleLR",
        "scheduler.max_lr": 0.1,
        "limit_train": 200,
    },
    objective=Objective(name="val_accuracy", goal="max", best=0.971, step=252),
    metrics={"lr": 0.002, "grad/norm": 1.5, "val loss": nan, "broken": inf, "tokens": 2**60 + 1},
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "night",
        "NIGHT one",  # each word somewhere, in any case, as ever
        "28aa",
        "lr>=1e-3 and status:running and val_loss<0.3",
        "lr>=1e-3 status:running val_loss<0.3",
        "lr = 0.05",
        "acc>0.97",
        "lr==5e-2",
        "optimizer.lr:0.05",
        "metrics.lr<0.01 and config.lr>0.01",
        "max_lr:0.1",
        "optimizer:sgd and scheduler:OneCycle*",
        "batch_size=64",
        "epochs=10 and epochs_done>3 and steps>=252 and steps_done<253",
        "preset:one*le dataset:mnist-?k MODEL:CNN",
        "name:'night shift'",
        'name:"*shift"',
        'name="night shift"',
        "nesterov:true",
        "objective>0.97",
        "objective:0.971",
        "grad/norm > 1",
        "'val loss':nan",
        "broken>1e300",
        "tokens=1152921504606846977",
        "tokens!=1152921504606846976",
        "seed=9007199254740993",
        "seed!=9007199254740992",
        "not status:finished",
        "NOT status:finished AND lr>0",
        "not (status:finished or preset:cosine*)",
        "not not night",
        "status:finished or preset:onecycle and lr>0",
        "(status:finished or preset:onecycle) lr>0",
        "lr>1 or lr<1",
        "preset!=steplr",
        "not no_such",
        "limit_train<=200",
        "((night))",
        f"lr!={LARGER_THAN_ANY_FLOAT}",
        f"lr<{LARGER_THAN_ANY_FLOAT}",
    ],
)
def test_what_passes(text: str) -> None:
    assert parse(text).passes(NIGHT), text


@pytest.mark.parametrize(
    "text",
    [
        "day",
        "acc>0.98",
        "night day",
        "lr<1e-3",
        "status:finished",
        "status:runn",  # the whole of it, or a glob
        "preset:one",
        "name=night*",  # only a colon takes globs
        "'val loss'>0",  # nan is neither more nor less
        "'val loss'<=0",
        "train_loss<1",  # what is not known is neither
        "train_loss!=1",
        "seed=9007199254740992",
        "tokens=1152921504606846976",
        "preset:steplr or lr>1",
        "not night",
        "not (night or day)",
        "status:finished and preset:onecycle or lr>1",
        "val_accuracy:*",
        f"lr={LARGER_THAN_ANY_FLOAT}",
        f"lr:{LARGER_THAN_ANY_FLOAT}",
        f"'val loss'=-{LARGER_THAN_ANY_FLOAT}",
        f"seed>{LARGER_THAN_ANY_FLOAT}",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not parse(text).passes(NIGHT), text


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("lr>=", 3, "a number must come after >=, as in lr>=0.001"),
        ("lr>= and x", 6, "after >= comes a number, and 'and' is none"),
        ("val_loss<abc", 10, "after < comes a number, and 'abc' is none"),
        ("status:", 7, "a value must come after :, as in status:running"),
        (">=3", 1, "a name must stand before >=, as in lr>=0.001"),
        ("lr => 3", 4, "write >="),
        ("lr =< 3", 4, "write <="),
        ("(lr>1", 1, "this ( is not closed"),
        ("lr>1)", 5, "no ( was opened for this )"),
        ("()", 2, "something must stand between ( and )"),
        ("a and", 6, "something must come after and"),
        ("a or or b", 6, "something must come after or"),
        ("not", 4, "something must come after not"),
        ("and b", 1, "something must stand before and"),
        ("a && b", 3, "write and"),
        ("a || b", 3, "write or"),
        ("name:'x", 6, "this ' is not closed"),
        ("lr>1<2", 4, "after > comes a number, and '1<2' is none"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_is_right(text: str, at: int, words: str) -> None:
    with pytest.raises(FilterError) as wrong:
        parse(text)
    assert (wrong.value.at, words in str(wrong.value)) == (at, True), str(wrong.value)
    assert f"at {at}" in str(wrong.value)


def test_a_name_that_no_run_has_is_told_with_the_nearest() -> None:
    (unknown,) = parse("val_los<0.3 and lr>1").unknown_in([NIGHT])
    assert (unknown.name, unknown.at, unknown.near) == ("val_los", 1, "val_loss")
    (unknown,) = parse("lr>1 and grad/nrom>1").unknown_in([NIGHT])
    assert (unknown.at, unknown.near) == (10, "grad/norm")
    (unknown,) = parse("zzz>1").unknown_in([NIGHT])
    assert unknown.near == ""
    assert not parse("val_los<0.3").unknown_in([])  # who knows
    assert not parse("grad/norm>1 or momentum>1").unknown_in([run(config={"optimizer.momentum": 0.9}), NIGHT])


def test_a_run_of_others_that_says_little_is_no_trouble() -> None:
    assert not parse("lr>0 or objective>0 or name:x or optimizer:x or metrics.x>0").passes(run())


# Whatever is typed


def told(text: str, one: RunSummary) -> FilterError | None:
    """What is said of a filter that is none."""
    try:
        parse(text).passes(one)
    except FilterError as wrong:
        return wrong
    return None


names = st.sampled_from(["lr", "status", "val_loss", "'a b'", "objective", "x"])
pieces = st.sampled_from(
    ["and", "or", "not", "(", ")", " ", ">=", "<", "=", "!=", ":", "*", "?", "'", '"', "0.3", "1e-3", "nan", "é"]
)
typed = st.lists(pieces | names | st.text(max_size=5), max_size=30).map("".join)


@given(text=typed | st.text(max_size=60))
@example(text="lr>" + "9" * 1900)
@example(text="lr>١")
def test_whatever_is_typed_is_a_filter_or_told(text: str) -> None:
    wrong = told(text, NIGHT)
    assert wrong is None or (1 <= wrong.at <= len(text) + 1 and str(wrong))


words = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=4).filter(
    lambda word: word not in ("and", "or", "not")
)
expressions = st.recursive(
    words.map(lambda word: (word, lambda run, word=word: word in _words(run)))
    | st.tuples(st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), st.floats(-10, 10)).map(
        lambda pair: (f"val_loss{pair[0]}{pair[1]!r}", _compared(*pair))
    ),
    lambda inner: (
        inner.map(lambda one: (f"not ({one[0]})", lambda run: not one[1](run)))
        | st.tuples(inner, inner).map(
            lambda two: (f"({two[0][0]}) and ({two[1][0]})", lambda run: two[0][1](run) and two[1][1](run))
        )
        | st.tuples(inner, inner).map(
            lambda two: (f"({two[0][0]}) or ({two[1][0]})", lambda run: two[0][1](run) or two[1][1](run))
        )
        | st.tuples(inner, inner).map(
            lambda two: (f"({two[0][0]}) ({two[1][0]})", lambda run: two[0][1](run) and two[1][1](run))
        )
    ),
    max_leaves=8,
)


def _words(one: RunSummary) -> str:
    return f"{one.id} {one.name or ''} {one.preset} {one.dataset} {one.model} {one.status}".lower()


def _compared(operator: str, number: float) -> Any:
    reference = {
        "<": lambda value: value < number,
        "<=": lambda value: value <= number,
        ">": lambda value: value > number,
        ">=": lambda value: value >= number,
        "=": lambda value: value == number,
        "!=": lambda value: value != number,
    }[operator]
    return lambda run: run.val_loss is not None and reference(run.val_loss)


@given(made=expressions, val_loss=st.none() | st.floats(-10, 10), name=st.none() | words)
def test_it_means_what_it_says(made: tuple[str, Any], val_loss: float | None, name: str | None) -> None:
    text, expected = made
    one = run(val_loss=val_loss, name=name)
    assert parse(text).passes(one) == bool(expected(one)), text


# Whatever is meant to harm


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "(" * 10_000,
        "not " * 2_500,
        "(" * 400 + "x" + ")" * 400,
        "not " * 400 + "x",
        "a or " * 399 + "a",
        "name:" + "*a" * 900,
        "name:" + "?" * 1900,
        "'" * 1999,
        "lr>" + "9" * 1900,
        "lr>1e" + "9" * 1900,
    ],
    ids=lambda text: f"{text[:6]}…{len(text)}",
)
def test_what_is_hostile_is_bounded(text: str) -> None:
    one = run(name="a" * 1000, config={"optimizer.lr": 0.1})
    began = time.thread_time()
    wrong = told(text, one)
    assert time.thread_time() - began < 0.5
    assert wrong is None or len(str(wrong)) < 200


def test_bounds_are_told() -> None:
    with pytest.raises(FilterError, match=f"{LONGEST:,} characters"):
        parse("x" * (LONGEST + 1))
    parse("(" * DEEPEST + "x" + ")" * DEEPEST)
    with pytest.raises(FilterError, match=f"{DEEPEST}"):
        parse("(" * (DEEPEST + 1) + "x" + ")" * (DEEPEST + 1))
