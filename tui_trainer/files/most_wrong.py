"""`most_wrong.json` in a run's folder: the images that the last validation was most wrong about, to be looked at."""

from __future__ import annotations

import os
from base64 import b64decode
from binascii import Error
from math import prod
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.safe_open import open_regular

FILE = "most_wrong.json"

LARGEST = 4 << 20
"""Bytes; what is larger is none of ours."""

Side = Annotated[int, Meta(ge=1, le=512)]


class WrongImage(msgspec.Struct, frozen=True):
    """An image that was taken for another class."""

    index: Annotated[int, Meta(ge=0)]
    """Its place among those that validate, from 0."""
    label: Annotated[int, Meta(ge=0)]
    """The number of its class."""
    taken_for: Annotated[int, Meta(ge=0)]
    loss: float
    pixels: str
    """Bytes (C, H, W), as base64."""


class MostWrong(msgspec.Struct, frozen=True):
    """The images of one validation, those with the highest loss first."""

    epoch: Annotated[int, Meta(ge=1)]
    shape: tuple[Annotated[int, Meta(ge=1, le=3)], Side, Side]
    """Channels, height, width."""
    images: Annotated[list[WrongImage], Meta(max_length=100)]

    def pixels(self, place: int) -> bytes:
        """Those of an image: a byte a pixel of a channel, (C, H, W)."""
        return b64decode(self.images[place].pixels)


def write(folder: Path, most_wrong: MostWrong) -> None:
    """Put them into a run's folder, in the place of those of an earlier epoch.

    Raises:
        OSError: they cannot be written.
    """
    write_atomic(folder / FILE, msgspec.json.encode(most_wrong))


def read(folder: Path) -> MostWrong | None:
    """Those of the run in a folder; None where there are none that can be read."""
    try:
        with os.fdopen(open_regular(folder / FILE, most=LARGEST), "rb") as file:
            found = msgspec.json.decode(file.read(LARGEST), type=MostWrong)
        size = prod(found.shape)
        whole = all(len(b64decode(image.pixels, validate=True)) == size for image in found.images)
    except (OSError, msgspec.MsgspecError, Error, ValueError, RecursionError):
        return None
    return found if whole else None
