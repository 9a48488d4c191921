"""Numbers as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence


def format_lr(lr: float, digits: int = 4) -> str:
    """A learning rate with up to so many significant digits: `0.001`, `0.0005`, and `4e-7` for many zeros."""
    return _without_padding(f"{lr:.{digits}g}")


def format_metric(value: float) -> str:
    """A loss or an accuracy, with four digits after the point, so that they stand under each other: `0.8010`."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4f}"
    return format_lr(value)


def counted(number: int, word: str) -> str:
    """A number of things: `1 epoch`, `2 epochs`, `12,480 images`, `3 batches`."""
    plural = f"{word}es" if word.endswith("tch") else f"{word}s"
    return f"{number:,} {word if number == 1 else plural}"


def listed(names: Sequence[str], most: int | None = None) -> str:
    """`a, b and c`; of more than `most`, the first ones and how many others."""
    if len(names) == 1:
        return names[0]
    if most is not None and len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _without_padding(text: str) -> str:
    """`4e-07` as `4e-7`."""
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else text
