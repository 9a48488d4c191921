"""What a preset makes of images: each by itself, as torchvision has it, the same whenever an epoch is taken up."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.engine import tiny as t
from tests.engine.test_control import ME, send_on
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import SwitchPreset
from tui_trainer.engine.augmentation import Augmentation, Normalisation, in_words
from tui_trainer.engine.datasets import Split, batches
from tui_trainer.engine.distributed import ManyRanks
from tui_trainer.engine.reproducibility import generator_for
from tui_trainer.events import CommandAnswered, RunConfigured, StepsTaken
from tui_trainer.presets.augmentation import CROP_AND_FLIP, TRANSFORMS, Transform
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.schema import Training
from tui_trainer.torchrun import Rank

CPU = torch.device("cpu")
COUNT = 300
MARGIN = 4
OF_PHOTOGRAPHS = Normalisation((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randint(256, (COUNT, 3, 12, 10), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.fixture(scope="module")
def pictures(pixels: Tensor) -> Tensor:
    return OF_PHOTOGRAPHS.floats(pixels)


def transforms(*wanted: str | dict[str, Any]) -> tuple[Transform, ...]:
    made = Training.model_validate({"augmentation": wanted}).augmentation
    assert made is not None
    return made


def shown(pictures: Tensor, *wanted: str | dict[str, Any], seed: int = 0, epoch: int = 1) -> Tensor:
    of = (len(pictures), pictures.shape[1:], OF_PHOTOGRAPHS, seed, epoch, CPU)
    return Augmentation(transforms(*wanted), *of)(pictures, 0)


EACH: dict[str, dict[str, Any]] = {
    "RandomCrop": {"padding": 3},
    "RandomHorizontalFlip": {},
    "RandomVerticalFlip": {"p": 0.3},
    "RandomRotation": {"degrees": 30},
    "RandomErasing": {},
    "AutoAugment": {"policy": "cifar10"},
    "RandAugment": {},
    "TrivialAugmentWide": {},
}


def test_the_list_of_transforms_is_whole() -> None:
    assert EACH.keys() == TRANSFORMS.keys()


@pytest.mark.parametrize("epoch", [1, 7])
def test_what_photographs_have_by_themselves_keeps_the_bits_that_it_always_had(pictures: Tensor, epoch: int) -> None:
    generator = generator_for("crop and flip", 5, epoch)
    top, left = (torch.randint(9, (COUNT,), generator=generator) for _ in range(2))
    flip = torch.randint(2, (COUNT,), generator=generator, dtype=torch.bool)
    padded = functional.pad(pictures, (MARGIN,) * 4, mode="reflect")
    for at, image in enumerate(
        Augmentation(CROP_AND_FLIP, COUNT, (3, 12, 10), OF_PHOTOGRAPHS, 5, epoch, CPU)(pictures, 0)
    ):
        y, x = int(top[at]), int(left[at])
        cut = padded[at, :, y : y + 12, x : x + 10]
        assert torch.equal(image, cut.flip(2) if flip[at] else cut)


@pytest.mark.parametrize(
    ("mode", "theirs"), [("constant", {"value": 0}), ("edge", {}), ("reflect", {})], ids=["constant", "edge", "reflect"]
)
def test_a_crop_moves_the_image_within_its_margin(pixels: Tensor, pictures: Tensor, mode: str, theirs: Any) -> None:
    after = OF_PHOTOGRAPHS.pixels(shown(pictures, {"name": "RandomCrop", "padding": 2, "padding_mode": mode}))
    called = "replicate" if mode == "edge" else mode
    chosen = set()
    for before, image in zip(pixels[:60], after[:60], strict=True):
        padded = functional.pad(before[None].float(), (2,) * 4, mode=called, **theirs)[0].to(torch.uint8)
        views = [padded[:, y : y + 12, x : x + 10] for y in range(5) for x in range(5)]
        (place,) = [at for at, view in enumerate(views) if torch.equal(view, image)]
        chosen.add(place)
    assert len(chosen) > 15


def test_a_margin_has_the_value_that_it_is_given(pictures: Tensor) -> None:
    after = OF_PHOTOGRAPHS.pixels(shown(pictures, {"name": "RandomCrop", "padding": 9, "fill": 128}))
    corners = {tuple(image[:, 0, 0].tolist()) for image in after} & {(128, 128, 128), (0, 0, 0)}
    assert corners == {(128, 128, 128)}


@pytest.mark.parametrize(("name", "axis"), [("RandomHorizontalFlip", 2), ("RandomVerticalFlip", 1)])
@pytest.mark.parametrize(("p", "least", "most"), [(0.5, 110, 190), (0.1, 10, 60), (1, COUNT, COUNT)])
def test_a_part_of_the_images_is_mirrored(
    pictures: Tensor, name: str, axis: int, p: float, least: int, most: int
) -> None:
    after = shown(pictures, {"name": name, "p": p})
    mirrored = [torch.equal(image, before.flip(axis)) for before, image in zip(pictures, after, strict=True)]
    assert least <= sum(mirrored) <= most
    assert all(
        torch.equal(image, before) or is_so for before, image, is_so in zip(pictures, after, mirrored, strict=True)
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_rotation_is_torchvisions(pixels: Tensor, interpolation: str) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    plain = Normalisation((0.0,) * 3, (1.0,) * 3)
    images = plain.floats(pixels)
    asked = transforms({"name": "RandomRotation", "degrees": 40, "interpolation": interpolation, "fill": 51})
    after = Augmentation(asked, COUNT, (3, 12, 10), plain, 0, 1, CPU)(images, 0)
    angles = torch.rand(COUNT, generator=generator_for("crop and flip", 0, 1), dtype=torch.float64) * 80 - 40
    mode = v2.InterpolationMode(interpolation)
    same, inside = [], 0
    for image, angle, turned in [*zip(images, angles.tolist(), after, strict=True)][:30]:
        theirs = v2.functional.rotate(image, angle, interpolation=mode, fill=[0.2])
        covered = v2.functional.rotate(torch.ones(1, 12, 10), angle, interpolation=mode, fill=[0.0])[0]
        settled = (covered == 0) | (covered > 0.9999)  # between the two, torchvision fills in its own way
        inside += int((covered > 0.9999).sum())
        same.append(((theirs - turned).abs() < 1e-4)[:, settled].float().mean())
    assert float(torch.stack(same).mean()) > 0.995  # a place half-way between two pixels may fall to either
    assert inside > 0.6 * 30 * 120


def test_a_rectangle_is_blotted_out_of_the_size_and_shape_that_are_asked_for(pictures: Tensor) -> None:
    asked = {"name": "RandomErasing", "scale": [0.2, 0.4], "ratio": [0.5, 2], "value": -7.5}
    after = shown(pictures, asked)
    gone = (after == -7.5).all(1)
    assert torch.equal(after[~gone[:, None].expand_as(after)], pictures[~gone[:, None].expand_as(after)])
    shares, places = [], set()
    for image in gone:
        if not image.any():
            continue
        rows, columns = image.any(1).nonzero().flatten(), image.any(0).nonzero().flatten()
        height, width = len(rows), len(columns)
        assert image.sum() == height * width  # nothing but a rectangle
        assert (int(rows[-1]) - int(rows[0]), int(columns[-1]) - int(columns[0])) == (height - 1, width - 1)
        shares.append(height * width / 120)
        assert 0.4 <= height / width <= 2.5  # whole pixels
        places.add((int(rows[0]), int(columns[0])))
    assert 110 < len(shares) < 190
    assert 0.15 < min(shares) < 0.25 < 0.33 < max(shares) < 0.48
    assert len(places) > 20


def test_a_cutout_is_a_square(pictures: Tensor) -> None:
    square = shown(
        torch.ones(COUNT, 3, 16, 16), {"name": "RandomErasing", "p": 1, "scale": [0.25, 0.25], "ratio": [1, 1]}
    )
    gone = (square == 0).all(1)
    assert [int(each.sum()) for each in gone] == [64] * COUNT
    assert {(int(each.any(0).sum()), int(each.any(1).sum())) for each in gone} == {(8, 8)}
    assert {int(each.any(1).nonzero()[0]) for each in gone} == set(range(9))


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "AutoAugment", "policy": "cifar10"},
        {"name": "AutoAugment", "policy": "svhn", "interpolation": "bilinear"},
        {"name": "RandAugment", "num_ops": 3, "magnitude": 14},
        {"name": "TrivialAugmentWide"},
    ],
    ids=lambda asked: asked["name"],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_policies_are_torchvisions_own_to_the_bit(pixels: Tensor, asked: dict[str, Any], channels: int) -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2")
    normalisation = Normalisation((0.5,) * channels, (0.2,) * channels)
    some = pixels[:24, :channels]
    made = Augmentation(transforms(asked), 24, some.shape[1:], normalisation, 3, 2, CPU)
    before = torch.get_rng_state()
    after = normalisation.pixels(made(normalisation.floats(some), 0))
    assert torch.equal(torch.get_rng_state(), before)
    arguments = {key: value for key, value in asked.items() if key != "name"}
    if "policy" in arguments:
        arguments["policy"] = v2.AutoAugmentPolicy(arguments["policy"])
    theirs = getattr(v2, asked["name"])(**arguments)
    seeds = torch.randint(2**62, (24,), generator=generator_for("crop and flip", 3, 2)).tolist()
    changed = 0
    with torch.random.fork_rng(devices=[]):
        for image, seed, got in zip(some, seeds, after, strict=True):
            torch.manual_seed(seed)
            assert torch.equal(got, theirs(image))
            changed += not torch.equal(got, image)
    assert changed > 8


@pytest.mark.parametrize("name", EACH)
def test_what_is_drawn_follows_from_seed_and_epoch_alone(pictures: Tensor, name: str) -> None:
    asked = {"name": name, **EACH[name]}
    first = shown(pictures[:12], asked)
    torch.rand(7)
    assert torch.equal(first, shown(pictures[:12], asked))
    assert not torch.equal(first, shown(pictures[:12], asked, epoch=2))
    assert not torch.equal(first, shown(pictures[:12], asked, seed=1))


@pytest.mark.parametrize("batch_size", [7, 16])
def test_an_epoch_taken_up_in_the_middle_shows_the_same(pictures: Tensor, batch_size: int) -> None:
    pictures, labels = pictures[:36], torch.arange(36)
    split = Split(pictures, labels, transforms(*({"name": n, **EACH[n]} for n in ORDER)), OF_PHOTOGRAPHS)
    whole = [images for images, _ in batches(split, batch_size, 3, 2)]
    rest = [images for images, _ in batches(split, batch_size, 3, 2, first=3)]
    assert len(rest) == len(whole) - 2
    assert all(torch.equal(one, other) for one, other in zip(rest, whole[2:], strict=True))
    plain = [images for images, _ in batches(Split(pictures, labels), batch_size, 3, 2)]
    assert not torch.equal(plain[0], whole[0])


@pytest.mark.parametrize("batch_size", [7, 12])
@pytest.mark.parametrize("count", [2, 3])
def test_ranks_augment_their_own_parts_alone_which_make_up_what_one_alone_has(
    pictures: Tensor, monkeypatch: pytest.MonkeyPatch, batch_size: int, count: int
) -> None:
    pictures, labels = pictures[:22], torch.arange(22)
    split = Split(pictures, labels, transforms(*({"name": n, **EACH[n]} for n in ORDER)), OF_PHOTOGRAPHS)
    augmented: list[int] = []
    whole_call = Augmentation.__call__

    def counted(self: Augmentation, images: Tensor, first: int) -> Tensor:
        augmented.append(len(images))
        return whole_call(self, images, first)

    monkeypatch.setattr(Augmentation, "__call__", counted)
    whole = [*batches(split, batch_size, 3, 2)]
    assert sum(augmented) == 22
    ranks = [ManyRanks(Rank(rank=n, ranks=count, local_rank=n, local_ranks=count)) for n in range(count)]
    parts = [[*batches(split, batch_size, 3, 2, share=rank.share)] for rank in ranks]
    assert sum(augmented) == 2 * 22
    for of_ranks, (images, of_one) in zip(zip(*parts, strict=True), whole, strict=True):
        assert torch.equal(torch.cat([part for part, _ in of_ranks]), images)
        assert torch.equal(torch.cat([part for _, part in of_ranks]), of_one)
        sizes = [len(part) for _, part in of_ranks]
        assert sizes == [len(part) for part in of_one.tensor_split(count)]


ORDER = [*(name for name in EACH if name != "RandomErasing"), "RandomErasing"]


def test_images_that_validate_are_shown_as_they_are(pictures: Tensor) -> None:
    split = Split(pictures, torch.arange(COUNT))
    for images, labels in batches(split, 64, 0, 1):
        assert torch.equal(images, pictures[labels])


@pytest.mark.never_says("data.crop_and_flip")
def test_it_is_told_with_what_is_other_than_torchvision_has_it() -> None:
    said = in_words(
        transforms(
            {"name": "RandomCrop", "padding": 4},
            "RandomHorizontalFlip",
            {"name": "RandomErasing", "p": 1, "scale": [0.25, 0.25], "ratio": [1, 1]},
        )
    )
    assert (
        said
        == "RandomCrop(padding=4), RandomHorizontalFlip(), RandomErasing(p=1.0, scale=[0.25, 0.25], ratio=[1.0, 1.0])"
    )
    assert in_words(()) == "none"


PRESET = 'augmentation = [{name = "RandomCrop", padding = 2}, "RandomErasing"]\n' + t.NONE


def test_a_preset_says_what_is_made_of_images_and_the_record_tells_it(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1)
    plain = tiny.losses
    tiny.events.clear()
    tiny.train(PRESET, epochs=1)
    assert tiny.losses[0] != plain[0]
    assert tiny.of(RunConfigured)[0].augmentation == "RandomCrop(padding=2), RandomErasing()"
    tiny.events.clear()
    tiny.train("augmentation = []\n" + t.NONE, epochs=1, dataset="cifar10")
    assert tiny.losses == plain
    assert tiny.of(RunConfigured)[0].augmentation == "none"


@pytest.mark.parametrize("other", [PRESET, t.NONE], ids=["to", "from"])
def test_a_switch_of_presets_switches_what_is_made_of_images(tiny: TinyRun, other: str) -> None:
    def train(text: str, to: str) -> list[float | None]:
        tiny.events.clear()
        tiny.when.clear()
        wanted = t.preset(to).model_dump(mode="json")
        send_on(tiny, StepsTaken, SwitchPreset(by=ME, name="other", preset=wanted))
        tiny.train(text, epochs=2)
        assert tiny.of(CommandAnswered)[0].accepted
        return tiny.losses

    plain = train(t.NONE, t.NONE)
    switched = train(t.NONE, PRESET)
    assert switched[:BATCHES] == plain[:BATCHES]
    assert switched[BATCHES] != plain[BATCHES]
    back = train(PRESET, other)
    assert (back == train(PRESET, PRESET)) is (other == PRESET)


@pytest.mark.says("data.no_torchvision")
@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "TrivialAugmentWide"])
def test_without_torchvision_its_policies_are_refused_before_anything_is_trained(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.transforms", None)
    with pytest.raises(
        PresetError, match=rf"{name} is carried out by torchvision, which cannot be loaded here: .*leave"
    ):
        tiny.train(f'augmentation = ["{name}"]\n{t.NONE}')
    assert not tiny.of(RunConfigured)


@pytest.mark.never_says("data.no_torchvision")
def test_the_others_need_none(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.transforms", None)
    assert tiny.train(PRESET, epochs=1).status == "finished"


@pytest.mark.says("data.margin_too_wide")
def test_an_image_is_mirrored_by_no_more_than_it_has(tiny: TinyRun) -> None:
    wide = 'augmentation = [{name = "RandomCrop", padding = 8, padding_mode = "reflect"}]\n'
    with pytest.raises(
        PresetError, match=r"an image of 8×8 has no 8 pixels to mirror at its edge; less than 8 is right"
    ):
        tiny.train(wide + t.NONE)


@pytest.mark.never_says("data.margin_too_wide")
@pytest.mark.parametrize(
    "margin", ["padding = 7, padding_mode = 'reflect'", "padding = 27", "padding = 9, padding_mode = 'edge'"]
)
def test_and_any_margin_else_will_do(tiny: TinyRun, margin: str) -> None:
    assert tiny.train(f"augmentation = [{{name = 'RandomCrop', {margin}}}]\n{t.NONE}", epochs=1).status == "finished"


def test_versions_name_what_carries_out_the_policies(tiny: TinyRun) -> None:
    pytest.importorskip("torchvision")
    tiny.train('augmentation = ["TrivialAugmentWide"]\n' + t.NONE, epochs=1)
    assert "torchvision" in tiny.of(RunConfigured)[0].versions
    assert math.isfinite(tiny.losses[-1] or math.nan)
