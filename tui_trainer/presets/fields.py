"""The kinds of numbers that presets hold, each with the range in which PyTorch's classes make sense of it.

Strict: a string is no number and `true` is no 1, but a whole number may stand where a fraction is expected, as
people write it in TOML.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

MOST = 1_000_000_000
"""The largest count: steps beyond it would outlast the machine."""

Count: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]
"""A number of steps, epochs or images: at least one."""

CountOrZero: TypeAlias = Annotated[int, Field(ge=0, le=MOST)]

Rate: TypeAlias = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
"""A learning rate. No optimizer has a use for a thousand; what is beyond it was mistyped."""

NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def one_or_list(value: object) -> str:
    """Which of the two a value is."""
    return "list" if isinstance(value, list | tuple) else "one"


Rates: TypeAlias = Annotated[
    Annotated[Rate, Tag("one")]
    | Annotated[tuple[Rate, ...], Field(min_length=1, max_length=100, strict=False), Tag("list")],
    Discriminator(one_or_list),
]
"""A learning rate for all groups of parameters, or a list with one for each."""

RatesOrZero: TypeAlias = Annotated[
    Annotated[NotNegative, Tag("one")]
    | Annotated[tuple[NotNegative, ...], Field(min_length=1, max_length=100, strict=False), Tag("list")],
    Discriminator(one_or_list),
]


def of_first(value: float | tuple[float, ...]) -> float:
    """Of a value for all groups, or one for each: that of the first."""
    return value[0] if isinstance(value, tuple) else value


Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]

ClipAt: TypeAlias = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)]
"""What gradients are clipped at. No network's come near a million."""

Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
"""From 0 to 1, both included."""

MoreThanOne: TypeAlias = Annotated[float, Field(gt=1, allow_inf_nan=False)]

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]
"""Between 0 and 1, both excluded."""

Factor: TypeAlias = Annotated[float, Field(gt=0, le=1)]
"""More than 0, at most 1: 0 would leave nothing to scale back up."""

Decay: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
"""How much of a running average is kept: 1 would keep all of it for ever."""

Betas: TypeAlias = Annotated[tuple[Decay, Decay], Field(strict=False)]
"""Two decays; not strict, since TOML and JSON write a pair as a list. The numbers in it are strict all the same."""


class Table(BaseModel):
    """A table of a preset: frozen, no unknown keys, strict types; the text under a field is the help for it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)
