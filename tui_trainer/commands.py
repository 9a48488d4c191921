"""What may be asked of a live run, from its own screen, another terminal or the shell.

A run reads commands once a batch and answers each with a `CommandAnswered` event. `by` says who asks, for all
viewers to read: `screen`, `attach`, `shell`, `signal`.
"""

from __future__ import annotations

import os
from math import isfinite
from typing import Any, TypeAlias

import msgspec

from tui_trainer.run_options import MOST_EPOCHS

LARGEST_FACTOR = 1e6
"""What the LR dial multiplies the LR with is less."""


def _new_id() -> str:
    return os.urandom(4).hex()


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The base of all commands."""

    by: str
    id: str = msgspec.field(default_factory=_new_id)


class Pause(Command, frozen=True, kw_only=True, tag=True):
    """Stand still after the batch that runs now."""


class Continue(Command, frozen=True, kw_only=True, tag=True):
    """Go on after a pause."""


class OneBatch(Command, frozen=True, kw_only=True, tag=True):
    """Train one batch, each of its calls to be followed by eye, then pause."""


class SetPace(Command, frozen=True, kw_only=True, tag=True):
    """Slow motion: hold each call for so many seconds; 0 is full speed."""

    seconds_a_call: float


class SetLR(Command, frozen=True, kw_only=True, tag=True):
    """The LR dial: from the next step on, use `factor` times the LR that the schedule gives; 1 ends that.

    With `lr` in its place, the factor is the one that makes this LR of what the schedule gives for the next step.
    """

    factor: float | None = None
    lr: float | None = None

    @classmethod
    def of(cls, text: str, by: str) -> SetLR:
        """The command of what a person types: `0.01` for an LR, `x0.5` (or `×0.5`, `*0.5`) for a factor.

        Raises:
            ValueError: it is neither; the text says what would be.
        """
        sign, number = text.strip()[:1], text.strip()
        is_factor = sign in tuple("x×X*")
        try:
            value = float(number[1:] if is_factor else number)
        except ValueError:
            value = 0.0
        if not (isfinite(value) and value > 0):
            raise ValueError(f"{text.strip() or 'nothing'} is no LR: give one above 0, as 0.01, or a factor, as x0.5")
        if is_factor and value >= LARGEST_FACTOR:
            raise ValueError(f"a factor is below {LARGEST_FACTOR:,.0f}")
        return cls(by=by, factor=value) if is_factor else cls(by=by, lr=value)


class SetEpochs(Command, frozen=True, kw_only=True, tag=True):
    """Train so many epochs in all instead of those that were planned."""

    epochs: int

    @classmethod
    def of(cls, text: str, by: str) -> SetEpochs:
        """The command of what a person types: `12` for as many in all.

        Raises:
            ValueError: it is no such number; the text says what would be.
        """
        number = text.strip()
        if not (number.isdecimal() and number.isascii() and len(number) <= 7 and 1 <= int(number) <= MOST_EPOCHS):
            raise ValueError(f"{number or 'nothing'} is no number of epochs: give one from 1 to {MOST_EPOCHS:,}, as 12")
        return cls(by=by, epochs=int(number))


class Stop(Command, frozen=True, kw_only=True, tag=True):
    """End the run after the batch that runs now."""

    reason: str = "stopped"
    exit_code: int = 0


class SwitchPreset(Command, frozen=True, kw_only=True, tag=True):
    """Follow another preset from the next epoch on, with the weights kept."""

    name: str
    preset: dict[str, Any]
    """The preset in full, as `Preset.model_dump()` gives it: the asker's files need not be the run's."""


class SaveCheckpoint(Command, frozen=True, kw_only=True, tag=True):
    """Write a checkpoint now."""


AnyCommand: TypeAlias = Pause | Continue | OneBatch | SetPace | SetLR | SetEpochs | Stop | SwitchPreset | SaveCheckpoint

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(command: AnyCommand) -> bytes:
    """One line of a control file, with its newline."""
    return _encoder.encode(command) + b"\n"


def decode(line: bytes) -> AnyCommand:
    """The command of one line.

    Raises:
        msgspec.DecodeError: not a command that this version knows, or a torn line.
    """
    return _decoder.decode(line)
