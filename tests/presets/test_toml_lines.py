"""Every key of a TOML document on the line where it stands."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tui_trainer.presets.problems import DEEPEST, first_duplicate, key_lines, keys

TRICKY = '''\
# title = "not this one"
"quoted key" = 1            # a key in quotes
'literal.key' = "a # in a string"
text = """
title = "not this one either"
[not.a.table] \\""" still text """
raw = \'\'\'
key = "x"
\'\'\'
list = [  # comment ]
  1, [2, 3], { inside = "a list" },
  "]", # }
]
after = 2
inline = { a = 1, b.c = "}", d = { e = [1,
  2] }, "f\\u0041" = 3 }
dotted . key = 1979-05-27T07:32:00Z
[table]
a = true
[table.sub]  # comment
b = 1
[[array]]
c = 1
[[array]]
c = 2
[ last . "one" ]
d = 3
'''

WHERE = {
    ("quoted key",): 2,
    ("literal.key",): 3,
    ("text",): 4,
    ("raw",): 7,
    ("list",): 10,
    ("after",): 14,
    ("inline",): 15,
    ("inline", "a"): 15,
    ("inline", "b"): 15,
    ("inline", "b", "c"): 15,
    ("inline", "d"): 15,
    ("inline", "d", "e"): 15,
    ("inline", "fA"): 16,
    ("dotted",): 17,
    ("dotted", "key"): 17,
    ("table",): 18,
    ("table", "a"): 19,
    ("table", "sub"): 20,
    ("table", "sub", "b"): 21,
    ("array",): 22,
    ("array", "1"): 22,
    ("array", "1", "c"): 23,
    ("array", "2"): 24,
    ("array", "2", "c"): 25,
    ("last",): 26,
    ("last", "one"): 26,
    ("last", "one", "d"): 27,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_all_that_toml_allows(newline: str) -> None:
    text = TRICKY.replace("\n", newline)
    tomllib.loads(text)
    assert key_lines(text) == WHERE


def paths(data: dict[str, Any], above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """All key paths of what tomllib read, lists not entered."""
    found = set()
    for key, value in data.items():
        found.add((*above, key))
        if isinstance(value, dict):
            found |= paths(value, (*above, key))
    return found


PIECES = st.sampled_from(
    [
        "a = 1",
        "b.c = 'x'",
        '"q\\tk" = "\\"#"',
        "t = '''\n[x]\ny = 1'''",
        't2 = """\n\\""" \nz = 1""""',
        "l = [1,\n# ]\n[2], {i = 1}]",
        "in = {x = 1, y.z = [\n]}",
        "[h]",
        "[h.i]",
        "[ j . 'k' ]",
        "[[m]]",
        "# [no]",
        "",
        "d = 2020-01-01 10:00:00",
        "f = -1e5 # = 3",
    ]
)


@given(st.lists(PIECES, max_size=12, unique=True))
@settings(max_examples=75, deadline=None)
def test_any_valid_document_is_gone_through_to_its_end(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    found = key_lines(text)
    outside_arrays = {path for path in found if path[0] != "m"}
    assert outside_arrays == {path for path in paths(data) if path[0] != "m" and len(path) <= DEEPEST}
    line_of = text.split("\n")
    for path, line in found.items():
        named = {"q\tk": "q\\tk"}.get(path[-1], path[-1])
        assert named in line_of[line - 1] or (named.isdigit() and f"[[{path[-2]}]]" in line_of[line - 1])


@given(st.text(alphabet=st.sampled_from(list("ab=.[]{}\"'\\\n\r#, 1")), max_size=60))
@settings(max_examples=120, deadline=None)
def test_no_text_is_too_much_for_it(text: str) -> None:
    total = text.count("\n") + 1
    assert all(1 <= key.line <= total for key in keys(text))
    first_duplicate(text)


@pytest.mark.parametrize(
    ("text", "first", "again"),
    [
        ("a = 1\nb = 2\na = 3", 1, 3),
        ("[t]\na = '''\n'''\n'a' = [\n]", 2, 4),
        ("[t]\n[u]\n[t]", 1, 3),
        ("x = {a = 1,\nb = 1, a = 2}", 1, 2),
    ],
)
def test_what_is_given_twice(text: str, first: int, again: int) -> None:
    duplicate = first_duplicate(text)
    assert duplicate is not None
    assert [key.line for key in duplicate] == [first, again]


def test_tables_of_an_array_may_say_the_same() -> None:
    assert first_duplicate("[[a]]\nb = 1\n[[a]]\nb = 2") is None
    assert first_duplicate("a = [{b = 1}, {b = 2}]") is None
