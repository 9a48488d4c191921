"""Numbers as a person writes them."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence


def format_lr(lr: float, digits: int = 4) -> str:
    """A learning rate with up to so many significant digits: `0.001`, `0.0005`, and `4e-7` for many zeros."""
    return _without_padding(f"{lr:.{digits}g}")


def lr_change(old: float, new: float) -> tuple[str, str]:
    """Two learning rates with as many digits as tell them apart, and four at the least: `0.0006` and `0.00059998`."""
    told = format_lr(old), format_lr(new)
    for digits in range(5, 18):
        if old == new or told[0] != told[1]:
            break
        told = format_lr(old, digits), format_lr(new, digits)
    return told


def format_metric(value: float) -> str:
    """A loss or an accuracy, with four digits after the point, so that they stand under each other: `0.8010`."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4f}"
    return format_lr(value)


def float32_text(number: float) -> str:
    """In single precision, with the fewest digits that tell it from its neighbours: `0.1`, and not `0.10000000149`.

    The digits of `str(numpy.float32(number))`, for where there is no NumPy.
    """
    try:
        exact = _in_float32(number)
    except OverflowError:
        return "inf" if number > 0 else "-inf"
    if exact == 0 or not math.isfinite(exact):
        return str(exact)
    return str(next(short for short in _shortened(exact) if _rounds_to(short, exact)))


def _shortened(exact: float) -> Iterator[float]:
    """With one digit, with two, …: rounded, and one more in the last place.

    Below a power of two the next number is half as far as above it: what is rounded down there may be another's.
    """
    for digits in range(1, 10):  # nine are enough for any
        mantissa, _, exponent = f"{exact:.{digits - 1}e}".partition("e")
        whole = int(mantissa.replace(".", ""))
        for last in (whole, whole + (1 if exact > 0 else -1)):
            yield float(f"{last}e{int(exponent) - digits + 1}")


def _rounds_to(short: float, exact: float) -> bool:
    try:
        return _in_float32(short) == exact
    except OverflowError:
        return False


def _in_float32(number: float) -> float:
    (exact,) = struct.unpack("f", struct.pack("f", number))
    return float(exact)


def counted(number: int, word: str) -> str:
    """A number of things: `1 epoch`, `2 epochs`, `12,480 images`, `3 batches`."""
    plural = f"{word}es" if word.endswith("tch") else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"


def in_bytes(count: float) -> str:
    """Bytes as a person reads them: `812 kB`, `1.2 GB`."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """`a, b and c`; of more than `most`, the first ones and how many others."""
    if len(names) == 1:
        return names[0]
    if most is not None and len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def since(seconds: float) -> str:
    """How long ago something was, in its largest unit: `14 s`, `3 min`, `5 h`, `12 days`."""
    whole = int(max(0.0, seconds))
    for unit, size in (("day", 86_400), ("h", 3_600), ("min", 60)):
        if whole >= size:
            count = whole // size
            return counted(count, unit) if unit == "day" else f"{count} {unit}"
    return f"{whole} s"


def _without_padding(text: str) -> str:
    """`4e-07` as `4e-7`."""
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text


def in_json(value: float | int) -> float | int | str:
    """A number, or the word for what JSON has no number for: `nan`, `inf`, `-inf`, which `float()` of Python reads."""
    return value if isinstance(value, int) or math.isfinite(value) else str(value)
