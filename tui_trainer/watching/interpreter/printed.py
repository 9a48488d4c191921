"""Numbers that a program prints: `Test set: Average loss: 0.0523, Accuracy: 9832/10000 (98%)`."""

from __future__ import annotations

import re
from typing import NamedTuple

from tui_trainer.text.captions import say
from tui_trainer.watching.interpreter.named_values import TRAINING, VALIDATION, Measure, Of, meaning, words

LONGEST_LINE = 1000
"""Characters that are looked through."""


def from_output(label: str) -> str:
    """What a number is called that the program printed, and told in no better way."""
    return f"{label} {say('metric.from_output')}"


def is_from_output(called: str) -> bool:
    """Whether a number is called so."""
    return called.endswith(say("metric.from_output"))


_NUMBER = re.compile(r"(?<![\w.])(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?:\s*/\s*(\d+))?(\s*%)?(?![\w.]*\w)")

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-Z\\^_]|[\x00-\x08\x0b-\x1f]")
"""Colours and movements of the cursor."""


_FIRST_OF = re.compile(r"\b(acc|top|prec)[@-]1\b", re.I)
"""`Acc@1`, `top-1`: with the 1 as a part of the word."""

_NO_SHARE = re.compile(
    r"\s*(?:\(\s*\d|m/s|(?:x|g|s|ms|sec|seconds?|pts?|points?|times|steps?|epochs?|batches|samples|images)\b)", re.I
)
"""What says of a number in front of it that it is no share of anything, or that of a batch, with the mean behind it."""


class PrintedNumber(NamedTuple):
    """A number with the words before it."""

    label: str
    measure: Measure
    of: Of
    value: float
    """A share where it is in percent, or one number of another; else as it is, which of an accuracy above 1 is percent
    that nobody has said is."""
    written: str
    """As it stands there."""
    is_share: bool = False
    """Of an accuracy: whether the line says what part of the whole it is."""


def numbers_in(line: str) -> list[PrintedNumber]:
    """The losses and accuracies that a line tells, and of what."""
    found: list[PrintedNumber] = []
    line = _FIRST_OF.sub(r"\g<1>1", _ESCAPES.sub("", line)[:LONGEST_LINE])
    of: Of = ""
    end = 0
    for number in _NUMBER.finditer(line):
        between = line[end : number.start()]
        end = number.end()
        of = _of(between) or of
        # What stands behind the last comma or bracket belongs to this number: `loss 0.3, acc 0.9`.
        label = re.split(r"[,;|\[\](){}\t]", between)[-1].strip(" :=-\t>'\"")
        said = meaning(label)
        if said.measure in ("loss", "accuracy") and label and "best" not in words(label):  # that may be an older one's
            alone = said.plain and not _NO_SHARE.match(line, end)
            value = _value(number, said.measure, in_percent=alone)
            if value is not None:
                is_share = number[2] is not None or number[3] is not None
                found.append(PrintedNumber(label, said.measure, said.of or of, value, number[1], is_share))
    return found


def training_loss(line: str) -> PrintedNumber | None:
    """The first loss of a line that is said to be no validation's; None where there is none, or the line tells of a
    validation, too."""
    losses = [number for number in numbers_in(line) if number.measure == "loss"]
    return losses[0] if losses and all(number.of != "val" for number in losses) else None


def _of(between: str) -> Of:
    """Of what the last word that says it tells."""
    for word in reversed(words(between)):
        if word in VALIDATION:
            return "val"
        if word in TRAINING:
            return "train"
    return ""


def _value(number: re.Match[str], measure: Measure, *, in_percent: bool) -> float | None:
    """What a number tells; `in_percent`: whether an accuracy that stands alone may be."""
    value = float(number[1])
    if number[2] is not None:  # 9832/10000
        whole = float(number[2])
        return value / whole if measure == "accuracy" and 0 < whole >= value >= 0 else None
    if number[3] is not None:
        return value / 100 if measure == "accuracy" else None
    if measure == "accuracy":
        return value if 0 <= value <= (100 if in_percent else 1) and "." in number[1] else None
    return value if "." in number[1] or "e" in number[1].lower() else None


def is_written_as(value: float, written: str) -> bool:
    """Whether a number, rounded as another one was, is that."""
    if "e" in written.lower():
        digits = len(written.lower().partition("e")[0].replace("-", "").replace(".", "")) - 1
        return float(f"{value:.{digits}e}") == float(written)
    decimals = len(written.partition(".")[2])
    return decimals > 0 and f"{value:.{decimals}f}" == written
