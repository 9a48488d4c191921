"""A preset's text in colours: comments, tables and values are told apart, and no text is lost or waited for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.ui.presets.toml_colours import TOO_LONG, coloured, coloured_lines

TEXT = """\
# falls in steps
[optimizer]
name = "SGD"  # plain
lr = 0.1
nesterov = true
points = [
  [0, 1e-3],
]
note = '''a
# no comment'''"""


def test_tables_values_and_comments_are_told_apart() -> None:
    lines = TEXT.split("\n")
    pieces = [
        [(line[start:end], role) for start, end, role in each] for line, each in zip(lines, coloured(TEXT), strict=True)
    ]
    joined = [
        ["".join(piece for piece, role in each if role == wanted) for wanted in ("strong", "value", "faint")]
        for each in pieces
    ]
    assert joined == [
        ["", "", "# falls in steps"],
        ["[optimizer]", "", ""],
        ["", '"SGD"', "# plain"],
        ["", "0.1", ""],
        ["", "true", ""],
        ["", "", ""],
        ["", "01e-3", ""],
        ["", "", ""],
        ["", "'''a", ""],
        ["", "# no comment'''", ""],
    ]


@given(st.text(alphabet="[]=\"#'\n\r\t\\ .,a1-_é\x0b\x85\u2028", max_size=80))
def test_every_letter_is_still_there(text: str) -> None:
    lines = text.split("\n")
    assert ["".join(span.text for span in line) for line in coloured_lines(lines)] == lines


def test_a_text_that_would_take_long_has_one_colour() -> None:
    assert coloured("a = 1\n" * 100)
    assert coloured("a = 1\n" * TOO_LONG) == ()
