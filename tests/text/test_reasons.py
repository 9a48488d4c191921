"""Reasons as data and in words: the one table read both ways, whatever a record holds."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.text.numbers import format_lr, format_metric
from tui_trainer.text.reasons import ENDS, NOT_BETTER, WORDS, Reason, Steps, read, word

COUNTS = st.integers(0, 10**7)
RATES = st.floats(0, 1e3, allow_nan=False).map(lambda rate: float(format_lr(rate)))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": COUNTS,
    "epoch": COUNTS,
    "more epoch": COUNTS,
    "lr": RATES,
    "metric": st.floats(0, 1e6, allow_nan=False).map(lambda value: float(format_metric(value))),
    "name": st.sampled_from(["val_loss", "val_accuracy", "CosineAnnealingLR"]),
    "steps": st.builds(Steps, COUNTS, st.just("epoch"), st.none())
    | st.builds(Steps, COUNTS, st.sampled_from(["batch", "step"]), st.none() | st.integers(1, 10**5)),
    "place": st.sampled_from(["train.py:112", "the program", "a b (copy).py:3"]),
    "detail": st.sampled_from(["", "left", "stopped by SIGTERM; the last checkpoint could not be saved"]),
    "text": st.sampled_from(["", "the moon is full", "step_size 2 attained", "0.1 → 0.2"]),
}
"""What may stand for each way in which a value is written: as precise as the words are."""


@st.composite
def reasons(draw: st.DrawFn, code: str) -> Reason:
    """A reason of a code, with what may stand beside those of a schedule."""
    ways = re.findall(r"\{(\w+):([\w ]+)\}", WORDS[code])
    params = {name: draw(VALUES[way]) for name, way in ways}
    if "new" not in params and code not in ENDS and draw(st.booleans()):
        params |= {"old": draw(RATES), "new": draw(RATES)}
    if code not in ENDS and draw(st.booleans()):
        params["unused"] = True
    if code not in ENDS and draw(st.booleans()):
        params["dial"] = draw(RATES)
    return Reason(code, params)


@pytest.mark.parametrize("code", WORDS)
@settings(max_examples=20)  # of each code, and there are fifty
@given(data=st.data())
def test_the_reason_of_its_words_is_the_same(code: str, data: st.DataObject) -> None:
    reason = data.draw(reasons(code))
    assert read(word(reason)) == reason


@given(st.floats(0, 1e6) | st.sampled_from([0.00099999, 9999.99999]), st.integers(1, 9))
def test_words_with_more_digits_than_they_show_are_read_as_they_stand(value: float, epoch: int) -> None:
    said = word(Reason("cooled_down", {"monitor": "val_loss", "value": value, "best": value, "best_epoch": epoch}))
    assert word(read(said)) == said


def test_what_is_in_a_reason_can_be_reckoned_with() -> None:
    assert read("step_size 5 reached, 0.001 → 0.0005, with no epoch left to use it") == Reason(
        "step_size_reached", {"step_size": 5, "old": 0.001, "new": 0.0005, "unused": True}
    )
    assert read("next drop in 12,480 batches (26 epochs)").params == {"left": Steps(12_480, "batch", 26)}
    assert read("val_loss 0.8010, best so far").params == {"monitor": "val_loss", "value": 0.801}


@pytest.mark.parametrize("words", ["", "said once", "step_size reached", "cosine 1/x of the way", "comparison stopped"])
def test_words_that_nobody_here_says_stay_words(words: str) -> None:
    assert read(words) == Reason("in_words", {"text": words})


def test_of_words_of_a_later_version_it_is_known_whether_they_tell_the_change() -> None:
    assert read("the moon is full, 0.1 → 0.2").tells_change
    assert not read("the moon is full").tells_change


@pytest.mark.parametrize("words", ["1," * 2000, ", 1 → " * 600, "a" * 4000, "9" * 4000, "line " + "1" * 3990 + "/1"])
def test_words_of_a_damaged_record_cost_no_time(words: str) -> None:
    read("warm")
    began = time.process_time()
    read(words)
    assert time.process_time() - began < 0.5


def test_codes_that_are_asked_for_are_in_the_table() -> None:
    assert set(WORDS) >= NOT_BETTER


def test_what_a_stopped_comparison_says() -> None:
    assert word(Reason("comparison_stopped", {"detail": ""})) == "the comparison was stopped"
    assert word(Reason("comparison_stopped", {"detail": "left"})) == "the comparison was stopped: left"


@pytest.mark.parametrize("more", ["", ": left", ": left; last.pt could not be saved", "; last.pt could not be saved"])
def test_a_stopped_comparison_is_known_by_its_code_whatever_else_is_said(more: str) -> None:
    assert read(f"the comparison was stopped{more}").code == "comparison_stopped"
    assert read(f"because the comparison was stopped{more}").code == "in_words"
