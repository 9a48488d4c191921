"""What is shown where there is no Unicode."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

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


ROOT = Path(__file__).parent.parent.parent
TEXTUAL = Path(find_spec("textual").origin or "").parent  # type: ignore[union-attr]
DRAWN_BY_TEXTUAL = ("_border.py", "scrollbar.py", "renderables/bar.py", "widgets/_option_list.py", "command.py")
HAS_NONE = "\N{REPLACEMENT CHARACTER}"


def in_literals(file: Path) -> set[str]:
    """The characters of a module's texts that ASCII has not."""
    texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    return {c for text in texts if isinstance(text, str) for c in text if not c.isascii() and c.isprintable()}


@pytest.mark.slow
def test_every_character_that_the_program_writes_has_a_stand_in() -> None:
    written: dict[str, str] = {}
    for file in (*(ROOT / "tui_trainer").rglob("*.py"), *(TEXTUAL / name for name in DRAWN_BY_TEXTUAL)):
        written |= dict.fromkeys(in_literals(file), file.name)
    for file in (ROOT / "presets").glob("*.toml"):
        written |= dict.fromkeys((c for c in file.read_text() if not c.isascii()), file.name)
    assert {"◆", "▌", "╸", "…", "▁", "┊"} <= set(written)
    assert not {c: file for c, file in written.items() if "?" in in_ascii(c) and c != HAS_NONE}


def test_every_character_that_curves_bars_and_frames_are_drawn_with_has_a_stand_in() -> None:
    for first, last in ((0x2800, 0x28FF), (0x2500, 0x257F), (0x2580, 0x259F)):
        for code in range(first, last + 1):
            shown = in_ascii(chr(code))
            assert len(shown) == 1, f"U+{code:x}"
            assert shown != "?", f"U+{code:x}"
            assert (shown == " ") == (code == 0x2800), f"U+{code:x}"


def test_dots_of_a_curve_stay_in_their_half_of_a_cell() -> None:
    upper, lower = (1, 2, 8, 16), (4, 32, 64, 128)
    assert {in_ascii(chr(0x2800 + bit)) for bit in upper} == {"'"}
    assert {in_ascii(chr(0x2800 + bit)) for bit in lower} == {"."}
    assert {in_ascii(chr(0x2800 + a + b)) for a in upper for b in lower} == {":"}
    assert (in_ascii("▀▘▝"), in_ascii("▄▖▗"), in_ascii("▚▞▛▜▙▟")) == ("'''", "...", "::::::")


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
