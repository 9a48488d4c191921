"""Numbers and texts as the screen writes them."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_trainer.text.plain import plain, plain_lines
from tui_trainer.ui import formatting


@given(st.text())
def test_clean_text_is_one_line_without_anything_a_terminal_obeys(text: str) -> None:
    assert not [c for c in plain(text) if unicodedata.category(c) == "Cc"]
    assert plain(plain(text)) == plain(text)


@given(st.text())
def test_lines_of_a_file_hold_nothing_a_terminal_obeys(text: str) -> None:
    for line in plain_lines(text):
        assert not [c for c in line if unicodedata.category(c) == "Cc"]


def test_a_file_keeps_its_indentation() -> None:
    assert plain_lines("[a]\n  b = 1\n\tc = 2\n") == ["[a]", "  b = 1", "    c = 2"]


@given(st.text(), st.integers(0, 40))
def test_fitted_text_has_just_that_width(text: str, width: int) -> None:
    assert cell_len(formatting.fit(plain(text), width)) == width


@given(st.text(), st.integers(1, 40))
def test_wrapped_lines_keep_within_the_width_and_lose_no_word(text: str, width: int) -> None:
    text = plain(text)
    lines = formatting.wrap(text, width)
    if width > 1:
        assert all(cell_len(line) <= width for line in lines)
    if all(cell_len(word) <= width for word in text.split()):
        assert " ".join(lines).split() == text.split()


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("made for 240 steps and is stepped", 40, "made for 240 steps and is stepped"),
        ("made for 240 steps and is stepped", 28, "made for 240 steps and is…"),
        ("made for 240 steps and is stepped", 26, "made for 240 steps and is…"),
        ("made for 240 steps and is stepped", 25, "made for 240 steps and…"),
        ("a/very/long/path/without/blanks", 12, "a/very/long…"),
        ("is averyveryverylongword", 12, "is averyver…"),
        ("損失 損失 損失 損失 損失", 18, "損失 損失 損失…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, width: int, shown: str) -> None:
    assert formatting.cut(text, width) == shown


@given(st.text(), st.integers(1, 40))
def test_what_is_cut_keeps_within_the_width(text: str, width: int) -> None:
    assert cell_len(formatting.cut(plain(text), width)) <= width


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00:00"), (41.9, "0:00:41"), (3661, "1:01:01"), (-1, "0:00:00")])
def test_clock(seconds: float, text: str) -> None:
    assert formatting.clock(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(58.2, "0:58"), (3730, "1:02:10")])
def test_about(seconds: float, text: str) -> None:
    assert formatting.about(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(7, "7"), (411_802, "412k"), (999_700, "1.0M"), (11_173_962, "11.2M"), (250_000_000, "250M")]
)
def test_a_number_of_parameters_in_short(count: int, text: str) -> None:
    assert formatting.in_short(count) == text


@pytest.mark.parametrize(("share", "text"), [(0.0, " 0 %"), (0.001, "<1 %"), (0.54, "54 %"), (1.0, "100 %")])
def test_percent(share: float, text: str) -> None:
    assert formatting.percent(share) == text


def test_what_is_not_finite_is_a_dash() -> None:
    assert formatting.loss(math.nan) == formatting.lr(math.inf) == formatting.UNKNOWN
