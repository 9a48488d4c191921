"""Numbers as a person writes them, and text that is safe to show."""

from __future__ import annotations

import struct
import subprocess
import sys
from decimal import Decimal
from math import inf, isfinite, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.text.numbers import counted, float32_text, format_lr, format_metric, lr_change
from tui_trainer.text.plain import plain


@pytest.mark.parametrize(
    ("lr", "text"),
    [
        (0.001, "0.001"),
        (1e-3 * 0.5, "0.0005"),
        (0.00025, "0.00025"),
        (0.0001, "0.0001"),
        (0.1, "0.1"),
        (1, "1"),
        (0.0, "0"),
        (4e-7, "4e-7"),
        (6.25e-5, "6.25e-5"),
        (0.1 * 0.7 * 3, "0.21"),
        (0.07123456, "0.07123"),
        (12345.0, "1.234e4"),
        (-1e-12, "-1e-12"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_learning_rates(lr: float, text: str) -> None:
    assert format_lr(lr) == text


@given(st.floats(1e-12, 1000))
@settings(deadline=None)
def test_a_learning_rate_reads_back_to_four_digits(lr: float) -> None:
    assert float(format_lr(lr)) == pytest.approx(lr, rel=5e-4)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (0.001, 0.0005, ("0.001", "0.0005")),
        (0.0006, 0.00059998, ("0.0006", "0.00059998")),
        (0.1, 0.1, ("0.1", "0.1")),
        (1 / 3, 1 / 3, ("0.3333", "0.3333")),
        (0.0, 0.1, ("0", "0.1")),
    ],
)
def test_two_learning_rates_are_told_apart(old: float, new: float, told: tuple[str, str]) -> None:
    assert lr_change(old, new) == told


@given(st.floats(1e-12, 1e3), st.floats(1e-12, 1e3))
def test_two_that_differ_never_read_the_same(old: float, new: float) -> None:
    told = lr_change(old, new)
    assert (told[0] == told[1]) == (old == new)


def test_metrics_and_counts() -> None:
    assert [format_metric(value) for value in (0.801, 0, 1, 12.34567, 0.0001)] == [
        "0.8010",
        "0.0000",
        "1.0000",
        "12.3457",
        "0.0001",
    ]
    assert [counted(1, "epoch"), counted(2, "epoch"), counted(12480, "image"), counted(2, "batch")] == [
        "1 epoch",
        "2 epochs",
        "12,480 images",
        "2 batches",
    ]


@given(st.text(alphabet=st.one_of(st.sampled_from(" \n\x07\x1b\u202eab"), st.characters())))
@settings(deadline=None)
def test_plain_text_is_one_line_and_plain_already(text: str) -> None:
    once = plain(text)
    assert once == plain(once)
    assert not any(character in once for character in "\n\r\t\x1b\x07\x9b\u202e\u2028")


def test_plain_text_keeps_what_people_write() -> None:
    assert plain("  Größe 0.1 → 0.05 [bold] 👩‍🔬 \n über ") == "Größe 0.1 → 0.05 [bold] 👩‍🔬 über"


def test_presets_load_no_torch() -> None:
    code = (
        "import sys\nfrom tui_trainer.presets.catalogue import catalogue\ncatalogue()\n"
        "print(*{'torch', 'numpy', 'textual'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=120)
def test_single_precision_has_the_digits_that_numpy_gives_it(bits: int) -> None:
    (number,) = struct.unpack("f", struct.pack("I", bits))
    assert_as_numpy(number)


@pytest.mark.parametrize("exponent", range(-149, 128))
def test_so_have_powers_of_two_and_what_is_beside_them(exponent: int) -> None:
    power = np.float32(2.0**exponent)
    for number in (power, np.nextafter(power, np.float32(0)), np.nextafter(power, np.float32(1e38))):
        assert_as_numpy(float(number))
        assert_as_numpy(-float(number))


@pytest.mark.parametrize("number", [0.0, -0.0, 0.1, 1 / 3, 1e-50, 1e39, -1e39, inf, -inf, nan, 999999.9])
def test_so_has_what_single_precision_cannot_hold(number: float) -> None:
    with np.errstate(all="ignore"):
        assert_as_numpy(number)


def assert_as_numpy(number: float) -> None:
    ours, numpys = float32_text(number), str(np.float32(number))
    # From where on there is an exponent is another question: NumPy's versions have answered it in two ways.
    assert Decimal(ours) == Decimal(numpys) if isfinite(number) and abs(number) >= 1e6 else ours == numpys
