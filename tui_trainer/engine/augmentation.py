"""What every epoch makes of each training image anew, as a preset's `augmentation` has it.

All is drawn as an epoch begins, from (seed, epoch) alone and for the images in the order in which they are trained on:
position in the epoch decides, not what was trained before. An epoch taken up in the middle is the same, and so is one
that several processes share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from tui_trainer.engine.reproducibility import generator_for
from tui_trainer.presets.augmentation import (
    CROP_AND_FLIP,
    AutoAugment,
    Policy,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomRotation,
    RandomVerticalFlip,
    Transform,
)
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from torchvision.transforms import v2


@dataclass(frozen=True)
class Normalisation:
    """The mean and the standard deviation of each channel, of pixels from 0 to 1: what makes floats of bytes."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def floats(self, pixels: Tensor) -> Tensor:
        """Of bytes (N, C, H, W), float32."""
        mean, std = self.tensors(pixels.device)
        return pixels.float().div_(255).sub_(mean).div_(std)

    def pixels(self, images: Tensor) -> Tensor:
        """The bytes (N, C, H, W), uint8, of what `floats` has made; what lies between two becomes the nearer one."""
        mean, std = self.tensors(images.device)
        return (images * std + mean).mul(255).round().clamp(0, 255).to(torch.uint8)

    def filled(self, value: int, device: torch.device) -> Tensor:
        """A pixel (1, C, 1, 1) of that value in all channels."""
        mean, _ = self.tensors(device)
        return self.floats(torch.full(mean.shape, value, dtype=torch.uint8, device=device))

    def tensors(self, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
        """Mean and deviation (1, C, 1, 1), float32."""
        mean, std = (torch.tensor(values, device=device).view(1, -1, 1, 1) for values in (self.mean, self.std))
        return mean, std


@dataclass(frozen=True)
class _Epoch:
    """What the transforms of an epoch are drawn with, and for."""

    count: int
    shape: Sequence[int]
    """Channels, height, width of an image."""
    normalisation: Normalisation
    generator: torch.Generator
    device: torch.device

    def whole(self, end: int) -> Tensor:
        """A whole number from 0 to below `end` for each image; int64."""
        return torch.randint(end, (self.count,), generator=self.generator).to(self.device)

    def uniform(self, low: float, high: float, *more: int) -> Tensor:
        """A number from `low` to `high` for each image; float64, on the CPU."""
        drawn = torch.rand((*more, self.count), generator=self.generator, dtype=torch.float64)
        return drawn * (high - low) + low

    def chance(self, p: float) -> Tensor:
        """Whether, for each image, what happens to a part `p` of them does; (N, 1, 1, 1)."""
        if p == 0.5:
            happens = torch.randint(2, (self.count,), generator=self.generator, dtype=torch.bool)
        else:
            happens = self.uniform(0, 1) < p
        return happens.to(self.device).view(-1, 1, 1, 1)

    def filled(self, value: int) -> Tensor:
        return self.normalisation.filled(value, self.device)


STREAM = "crop and flip"
"""The name of the random numbers: that of the first transforms there were, whose bits it keeps."""


def drawn_usually(count: int, seed: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
    """What `CROP_AND_FLIP` draws: top, left and whether it is flipped, of each image of an epoch."""
    generator = generator_for(STREAM, seed, epoch)
    top, left = (torch.randint(9, (count,), generator=generator) for _ in range(2))
    return top, left, torch.randint(2, (count,), generator=generator, dtype=torch.bool)


Drawn: TypeAlias = Callable[[Tensor, slice], Tensor]
"""Makes of images (B, C, H, W), which stand at a place of the epoch, what was drawn for them."""


class Augmentation:
    """The transforms of an epoch."""

    def __init__(
        self,
        transforms: Sequence[Transform],
        count: int,
        shape: Sequence[int],
        normalisation: Normalisation,
        seed: int,
        epoch: int,
        device: torch.device,
    ) -> None:
        """For `count` images of `shape` (channels, height, width) in the order in which they are trained on."""
        drawn_from = _Epoch(count, shape, normalisation, generator_for(STREAM, seed, epoch), device)
        self._drawn = [_draw(each, drawn_from) for each in transforms]

    def __call__(self, images: Tensor, first: int) -> Tensor:
        """Of the images (B, C, H, W) that stand at `first` (from 0) and after it in the epoch."""
        for drawn in self._drawn:
            images = drawn(images, slice(first, first + len(images)))
        return images


def _draw(transform: Transform, epoch: _Epoch) -> Drawn:
    match transform:
        case RandomCrop():
            return _crop(transform, epoch)
        case RandomHorizontalFlip():
            return _flip(transform.p, 3, epoch)
        case RandomVerticalFlip():
            return _flip(transform.p, 2, epoch)
        case RandomRotation():
            return _rotation(transform, epoch)
        case RandomErasing():
            return _erasing(transform, epoch)
        case Policy():
            return _policy(transform, epoch)
    raise TypeError(transform.name)


def _crop(transform: RandomCrop, epoch: _Epoch) -> Drawn:
    margin, places = transform.padding, 2 * transform.padding + 1
    top, left = epoch.whole(places), epoch.whole(places)
    fill = epoch.filled(transform.fill)

    def padded(images: Tensor) -> Tensor:
        if transform.padding_mode != "constant":
            mode = "reflect" if transform.padding_mode == "reflect" else "replicate"
            return functional.pad(images, (margin,) * 4, mode=mode)
        count, channels, height, width = images.shape
        around = fill.expand(count, channels, height + 2 * margin, width + 2 * margin).clone()
        around[:, :, margin:-margin, margin:-margin] = images
        return around

    def cropped(images: Tensor, at: slice) -> Tensor:
        _, _, height, width = images.shape
        crops = padded(images).unfold(2, height, 1).unfold(3, width, 1)  # a view: (B, C, tops, lefts, H, W)
        each = torch.arange(len(images), device=images.device)
        return crops[each, :, top[at], left[at]]

    return cropped


def _flip(p: float, axis: int, epoch: _Epoch) -> Drawn:
    is_flipped = epoch.chance(p)
    return lambda images, at: torch.where(is_flipped[at], images.flip(axis), images)


def _rotation(transform: RandomRotation, epoch: _Epoch) -> Drawn:
    """Each pixel comes from where it is turned back to; what comes from outside is filled."""
    angle = epoch.uniform(-transform.degrees, transform.degrees).mul_(math.pi / 180).view(-1, 1, 1)
    cosines, sines = (each.float().to(epoch.device) for each in (angle.cos(), angle.sin()))
    _, height, width = epoch.shape
    y = (torch.arange(height, device=epoch.device) - (height - 1) / 2).view(1, -1, 1)
    x = (torch.arange(width, device=epoch.device) - (width - 1) / 2).view(1, 1, -1)
    fill = epoch.filled(transform.fill)

    def rotated(images: Tensor, at: slice) -> Tensor:
        cos, sin = cosines[at], sines[at]
        places = torch.stack(((x * cos - y * sin) * (2 / width), (x * sin + y * cos) * (2 / height)), dim=3)
        mode = transform.interpolation
        turned = functional.grid_sample(images - fill, places, mode=mode, padding_mode="zeros", align_corners=False)
        return turned + fill

    return rotated


TRIES = 10
"""How many rectangles are drawn for an image, of which the first that fits is taken; as in torchvision."""


def _erasing(transform: RandomErasing, epoch: _Epoch) -> Drawn:
    happens = epoch.chance(transform.p)
    _, height, width = epoch.shape
    area = epoch.uniform(*transform.scale, TRIES) * height * width
    lowest, highest = transform.ratio
    ratio = epoch.uniform(math.log(lowest), math.log(highest), TRIES).exp_()
    heights, widths = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (heights < height) & (widths < width)
    first = fits.int().argmax(0, keepdim=True)
    h, w = heights.gather(0, first)[0], widths.gather(0, first)[0]
    top = (epoch.uniform(0, 1) * (height - h + 1)).floor()
    left = (epoch.uniform(0, 1) * (width - w + 1)).floor()
    begins, ends, lefts, rights = (
        each.to(epoch.device, torch.int64).view(-1, 1, 1, 1) for each in (top, top + h, left, left + w)
    )
    happens = happens & fits.any(0).to(epoch.device).view(-1, 1, 1, 1)
    y = torch.arange(height, device=epoch.device).view(1, 1, -1, 1)
    x = torch.arange(width, device=epoch.device).view(1, 1, 1, -1)
    value = transform.value

    def erased(images: Tensor, at: slice) -> Tensor:
        inside = (y >= begins[at]) & (y < ends[at]) & (x >= lefts[at]) & (x < rights[at])
        return images.masked_fill(inside & happens[at], value)

    return erased


def _policy(transform: Policy, epoch: _Epoch) -> Drawn:
    """torchvision's own, on the CPU: for each image from a seed of its own, so that it draws what it would there."""
    change = _of_torchvision(transform)
    seeds = torch.randint(2**62, (epoch.count,), generator=epoch.generator).tolist()
    normalisation = epoch.normalisation

    def changed(images: Tensor, at: slice) -> Tensor:
        pixels = normalisation.pixels(images).cpu()
        with torch.random.fork_rng(devices=[]):
            changed_ones = []
            for image, seed in zip(pixels, seeds[at], strict=True):
                torch.default_generator.manual_seed(seed)
                changed_ones.append(change(image))
        return normalisation.floats(torch.stack(changed_ones).to(images.device))

    return changed


def _of_torchvision(transform: Policy) -> v2.Transform:
    from torchvision.transforms import v2

    arguments: dict[str, Any] = transform.arguments()
    arguments["interpolation"] = v2.InterpolationMode(transform.interpolation)
    if isinstance(transform, AutoAugment):
        arguments["policy"] = v2.AutoAugmentPolicy(transform.policy)
    made: v2.Transform = getattr(v2, transform.name)(**arguments)
    return made


def check_augmentation(preset: Preset, shape: Sequence[int] | None = None) -> None:
    """See that what a preset makes of images can be made of them here.

    Raises:
        PresetError: as `impossible` finds it.
    """
    if problems := impossible(preset, shape):
        raise PresetError(problems)


def impossible(preset: Preset, shape: Sequence[int] | None = None) -> list[Problem]:
    """What of a preset's augmentation cannot be done here: torchvision is not to be had; an image is too small.

    Args:
        preset: what it says by itself is in order.
        shape: channels, height, width of an image, where they are known.
    """
    found = []
    for number, each in enumerate(preset.training.augmentation or (), 1):
        path = ("training", "augmentation", str(number))
        if isinstance(each, Policy):
            try:
                _of_torchvision(each)
            except (ImportError, RuntimeError, OSError) as error:  # one that goes with another torch raises any of them
                said = say("data.no_torchvision", name=each.name, why=plain(str(error)))
                found.append(preset.source.problem(path, said))
        if shape and isinstance(each, RandomCrop) and each.padding_mode == "reflect":
            most = min(shape[1:])
            if each.padding >= most:
                named = {"size": f"{shape[1]}×{shape[2]}", "padding": each.padding, "most": most}
                found.append(preset.source.problem((*path, "padding"), say("data.margin_too_wide", **named)))
    return found


def versions_of(transforms: Sequence[Transform]) -> dict[str, str]:
    """What beside torch carries them out, by name."""
    if not any(isinstance(each, Policy) for each in transforms):
        return {}
    import torchvision

    return {"torchvision": str(torchvision.__version__)}


def in_words(transforms: Sequence[Transform]) -> str:
    """`none`, `crop and flip`, or each with its arguments."""
    if tuple(transforms) == CROP_AND_FLIP:
        return say("data.crop_and_flip")
    return ", ".join(map(str, transforms)) or "none"
