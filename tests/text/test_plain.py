"""What is shown where there is no Unicode."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_trainer.text.plain import in_ascii, shows_unicode


@given(st.text())
@example("\U0001f3fb")
def test_any_text_becomes_ascii_of_the_same_width(text: str) -> None:
    shown = in_ascii(text)
    assert shown.isascii()
    printable = "".join(c for c in text if c.isprintable())
    if cell_len(printable) == sum(map(cell_len, printable)):  # no sequences that a terminal joins
        assert abs(len(in_ascii(printable)) - cell_len(printable)) <= sum(not c.isascii() for c in printable)


@pytest.mark.parametrize(
    "text", ["│ 2.3┤⡀⢣⠱ ", "▌backward ▏ 54 %", "epoch 4/10 ━━━╸───", "0.001 → 0.0005", "◆ ● · …", "ｌoss 損失"]
)
def test_what_the_screen_draws_keeps_its_width(text: str) -> None:
    assert len(in_ascii(text)) == cell_len(text)


def test_curves_stay_curves() -> None:
    assert in_ascii("⠉⠒⣀⡇⠀") == "''.: "


@pytest.mark.parametrize(
    ("environment", "unicode"),
    [
        ({}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_CTYPE": "POSIX"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, True),
    ],
)
def test_the_locale_tells(environment: dict[str, str], unicode: bool) -> None:
    assert shows_unicode(environment) is unicode
