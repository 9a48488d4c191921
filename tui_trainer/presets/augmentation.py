"""`augmentation` of `[training]`: what every epoch makes of each training image anew, one transform after the other.

Names, arguments and defaults are those of `torchvision.transforms.v2`. Here are those that act on an image by itself
and keep its size. Those that torchvision itself carries out are a `Policy`; the others need no torchvision.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from tui_trainer.presets.fields import Factor, Positive, Table

MOST_TRANSFORMS = 20
"""More than anybody has in a row."""

PixelValue: TypeAlias = Annotated[int, Field(ge=0, le=255)]
"""A value of a pixel, before images are normalised: 0 is black."""

Interpolation: TypeAlias = Literal["nearest", "bilinear"]


class Transform(Table):
    """What all transforms share."""

    name: str
    """A class of `torchvision.transforms.v2`."""

    def __str__(self) -> str:
        """`RandomCrop(padding=4, padding_mode=reflect)`: what is other than torchvision's default, or has none."""
        said = (
            f"{key}={list(value) if isinstance(value, tuple) else value}"
            for key, value in self.arguments().items()
            if value != type(self).model_fields[key].default
        )
        return f"{self.name}({', '.join(said)})"

    def arguments(self) -> dict[str, Any]:
        """All but the name."""
        return {key: getattr(self, key) for key in type(self).model_fields if key != "name"}


class RandomCrop(Transform):
    """A cut of the image's own size out of the image with a margin around it."""

    name: Literal["RandomCrop"]
    """Moves the image by up to `padding` pixels each way."""
    padding: Annotated[int, Field(ge=1, le=27)]
    """How many pixels of margin each side gets, and so how far the image may move: 4 is usual for 32×32."""
    padding_mode: Literal["constant", "edge", "reflect"] = "constant"
    """What the margin holds: `fill`, the pixels of the edge, or the image mirrored at its edge."""
    fill: PixelValue = 0
    """The value of the margin's pixels, where it is constant."""


class RandomHorizontalFlip(Transform):
    """The image mirrored left to right."""

    name: Literal["RandomHorizontalFlip"]
    """Mirrors left to right."""
    p: Factor = 0.5
    """Of how many images."""


class RandomVerticalFlip(Transform):
    """The image upside down."""

    name: Literal["RandomVerticalFlip"]
    """Mirrors top to bottom."""
    p: Factor = 0.5
    """Of how many images."""


class RandomRotation(Transform):
    """The image turned about its centre."""

    name: Literal["RandomRotation"]
    """Turns by an angle."""
    degrees: Annotated[float, Field(gt=0, le=180)]
    """How far, in degrees: from -degrees to +degrees."""
    interpolation: Interpolation = "nearest"
    """Whether a pixel is the nearest one of the image or lies between its neighbours."""
    fill: PixelValue = 0
    """The value of pixels that come from outside."""


class RandomErasing(Transform):
    """A rectangle of the normalised image is blotted out (Zhong et al. 2017); of a fixed size it is a cutout."""

    name: Literal["RandomErasing"]
    """Blots out a rectangle."""
    p: Factor = 0.5
    """Of how many images."""
    scale: Annotated[tuple[Factor, Factor], Field(strict=False)] = (0.02, 0.33)
    """Which share of the image the rectangle takes, at least and at most."""
    ratio: Annotated[tuple[Positive, Positive], Field(strict=False)] = (0.3, 3.3)
    """How high it is for its width, at least and at most."""
    value: Annotated[float, Field(ge=-10, le=10)] = 0.0
    """What stands in it, of a normalised image: 0 is the mean of all pixels."""


class Policy(Transform):
    """What torchvision carries out, image by image, on bytes."""

    interpolation: Interpolation = "nearest"
    """Whether a pixel that moves is the nearest one of the image or lies between its neighbours."""


class AutoAugment(Policy):
    """One of 25 pairs of changes that were found by a search (Cubuk et al. 2018)."""

    name: Literal["AutoAugment"]
    """A pair of changes of a learned policy."""
    policy: Literal["imagenet", "cifar10", "svhn"] = "imagenet"
    """For which data the policy was found."""


class RandAugment(Policy):
    """Some changes in a row, of one strength (Cubuk et al. 2019)."""

    name: Literal["RandAugment"]
    """`num_ops` changes of one strength."""
    num_ops: Annotated[int, Field(ge=1, le=10)] = 2
    """How many changes."""
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    """How strong they are, of `num_magnitude_bins`."""
    num_magnitude_bins: Annotated[int, Field(ge=2, le=1000)] = 31
    """How many strengths there are."""


class TrivialAugmentWide(Policy):
    """One change of any strength (Müller and Hutter 2021)."""

    name: Literal["TrivialAugmentWide"]
    """One change of any strength."""
    num_magnitude_bins: Annotated[int, Field(ge=2, le=1000)] = 31
    """How many strengths there are."""


AnyTransform: TypeAlias = Annotated[
    RandomCrop
    | RandomHorizontalFlip
    | RandomVerticalFlip
    | RandomRotation
    | RandomErasing
    | AutoAugment
    | RandAugment
    | TrivialAugmentWide,
    Field(discriminator="name"),
]

TRANSFORMS: dict[str, type[Transform]] = {
    kind.__name__: kind
    for kind in (
        *(RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, RandomRotation, RandomErasing),
        *(AutoAugment, RandAugment, TrivialAugmentWide),
    )
}
"""Every transform that a preset may name."""

CROP_AND_FLIP: tuple[Transform, ...] = (
    RandomCrop(name="RandomCrop", padding=4, padding_mode="reflect"),
    RandomHorizontalFlip(name="RandomHorizontalFlip"),
)
"""What photographs have where a preset says nothing."""


def _as_tables(items: object) -> object:
    """A name alone stands for a transform with torchvision's defaults."""
    if not isinstance(items, list | tuple):
        return items
    return [{"name": item} if isinstance(item, str) else item for item in items]


Augmentation: TypeAlias = Annotated[
    tuple[AnyTransform, ...], Field(max_length=MOST_TRANSFORMS, strict=False), BeforeValidator(_as_tables)
]
"""Transforms in their order, each a table or a name."""
