"""What is trained on: the digits of the package, other data sets where they lie, and the order of images."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from tests.engine.tiny import NONE, TinyRun, images, preset
from tui_trainer.engine import datasets, models
from tui_trainer.engine.datasets import Split, batches, load, order_digest, shuffled
from tui_trainer.engine.reproducibility import of_weights
from tui_trainer.errors import UserError
from tui_trainer.events import ConfusionCounted, MetricsLogged, RunConfigured
from tui_trainer.presets.augmentation import CROP_AND_FLIP
from tui_trainer.run_options import CLASS_NAMES, DATASETS, MODEL_OPTIONS, MODELS
from tui_trainer.run_spec import RunSpec

CPU = torch.device("cpu")


def spec(**options: object) -> RunSpec:
    return RunSpec.of("tiny", preset(NONE), **options)


def test_mnist_5k_is_balanced_normalised_and_split_four_to_one() -> None:
    data = load(spec(), CPU)
    assert data.train.images.shape == (4000, 1, 28, 28)
    assert data.val.images.shape == (1000, 1, 28, 28)
    assert torch.equal(data.train.labels.bincount(), torch.full((10,), 400))
    assert torch.equal(data.val.labels.bincount(), torch.full((10,), 100))
    assert abs(float(data.train.images.mean())) < 0.05
    assert abs(float(data.train.images.std()) - 1) < 0.05


def test_no_image_of_mnist_5k_both_trains_and_validates() -> None:
    data = load(spec(), CPU)
    train = {image.numpy().tobytes() for image in data.train.images}
    val = {image.numpy().tobytes() for image in data.val.images}
    assert len(train) == 4000
    assert not train & val


def test_mnist_5k_is_the_file_whose_checksum_stands_beside_it() -> None:
    folder = files("tui_trainer.engine") / "mnist_5k"
    digest, name = (folder / "mnist-5k.npz.sha256").read_text().split()
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_limits_take_the_first_images_which_are_balanced() -> None:
    data = load(spec(limit_train=50, limit_val=20), CPU)
    assert torch.equal(data.train.labels.bincount(), torch.full((10,), 5))
    assert torch.equal(data.val.labels.bincount(), torch.full((10,), 2))


@given(
    count=st.integers(1, 200),
    batch_size=st.integers(1, 70),
    seed=st.integers(0, 2**63 - 1),
    epoch=st.integers(1, 10_000),
)
def test_an_epoch_shows_every_image_once_in_batches_of_which_only_the_last_is_smaller(
    count: int, batch_size: int, seed: int, epoch: int
) -> None:
    data = datasets.Split(torch.arange(count).view(-1, 1, 1, 1).float(), torch.arange(count))
    sizes, seen = [], []
    for pictures, labels in batches(data, batch_size, seed, epoch):
        assert torch.equal(pictures.flatten(), labels.float())
        sizes.append(len(labels))
        seen += labels.tolist()
    assert sorted(seen) == list(range(count))
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert seen == shuffled(count, seed, epoch).tolist()


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    torch.manual_seed(1)
    first = shuffled(1000, 0, 1)
    torch.manual_seed(2)
    assert torch.equal(first, shuffled(1000, 0, 1))
    assert not torch.equal(first, shuffled(1000, 0, 2))
    assert not torch.equal(first, shuffled(1000, 1, 1))


def test_an_epoch_can_be_taken_up_in_the_middle() -> None:
    whole = [labels for _, labels in batches(images().train, 8, 0, 1)]
    rest = [labels for _, labels in batches(images().train, 8, 0, 1, first=2)]
    assert [list(labels) for labels in rest] == [list(labels) for labels in whole[1:]]


def test_missing_data_is_said_with_the_folder_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", _no_network)
    with pytest.raises(UserError) as caught:
        load(spec(dataset="mnist", data_dir=tmp_path / "data"), CPU)
    text = str(caught.value)
    assert str(tmp_path / "data") in text
    assert "--data-dir" in text
    assert "mnist-5k" in text
    assert "MNIST/raw/train-images-idx3-ubyte" in text
    assert "no route to host" in text
    assert "\n" not in text


def _no_network(*args: object, **kwargs: object) -> None:
    raise OSError("no route\nto host")


@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("cnn", (1, 28, 28), 411_802),
        ("mlp", (1, 28, 28), 203_530),
        ("cnn", (3, 32, 32), 535_882),
        ("resnet9", (3, 32, 32), 6_573_120),
        ("resnet9-slim", (3, 32, 32), 412_944),
        ("resnet18", (3, 32, 32), 11_173_962),
        ("lenet", (1, 28, 28), 61_706),
        ("lenet", (3, 32, 32), 62_006),
        ("wrn-16-4", (3, 32, 32), 2_748_890),
        ("resnet9", (1, 28, 28), 6_571_968),
        ("resnet18", (1, 28, 28), 11_172_810),
    ],
)
def test_models_have_the_size_that_they_are_known_by(name: str, shape: models.Shape, parameters: int) -> None:
    model = models.build(name, shape, seed=0)
    assert models.parameter_count(model) == parameters
    assert model(torch.zeros(2, *shape)).shape == (2, 10)
    assert models.build(name, shape, seed=0, classes=100)(torch.zeros(2, *shape)).shape == (2, 100)


def test_initial_weights_follow_from_the_seed_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        return torch.cat([p.flatten() for p in models.build("cnn", (1, 28, 28), seed).parameters()])

    first = weights(0)
    torch.rand(7)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


def test_digests_follow_from_every_bit_and_from_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = spec(limit_train=50, limit_val=20)
    whole = load(asked, CPU).digest
    assert whole == load(asked.model_copy(update={"seed": 5}), CPU).digest
    assert whole != load(asked.model_copy(update={"limit_train": 49}), CPU).digest
    assert whole != load(asked.model_copy(update={"limit_val": 19}), CPU).digest
    monkeypatch.setitem(datasets._STATISTICS, "mnist-5k", ([0.1307], [0.3082]))
    assert whole != load(asked, CPU).digest  # what is made of the pixels counts too


def test_the_digest_of_the_order_is_that_of_what_an_epoch_draws() -> None:
    plain = Split(torch.zeros(40, 1, 8, 8), torch.arange(40))
    digits, photographs = order_digest(plain, 0, "mnist"), order_digest(plain, 0, "cifar10")
    assert digits == order_digest(replace(plain, augmentation=CROP_AND_FLIP), 0, "mnist")
    assert photographs == order_digest(replace(plain, augmentation=CROP_AND_FLIP), 0, "cifar10")
    assert len({digits, photographs, order_digest(plain, 1, "mnist")}) == 3


@pytest.mark.parametrize("name", ["cnn", "mlp", "resnet9-slim"])
def test_the_digest_of_the_weights_is_that_of_the_seed_wherever_they_lie(name: str) -> None:
    model = models.build(name, (3, 32, 32), 0)
    there = of_weights(model)
    assert there == of_weights(models.build(name, (3, 32, 32), 0).to(memory_format=torch.channels_last))
    assert there != of_weights(models.build(name, (3, 32, 32), 1))
    with torch.no_grad():
        next(model.parameters()).view(-1)[-1] += 1e-7
    assert there != of_weights(model)


def test_the_wide_resnet_is_that_of_the_paper() -> None:
    """Written out again: group by group, each convolution behind its normalisation (Zagoruyko and Komodakis, 2016)."""
    model = models.build("wrn-16-4", (3, 32, 32), 1).eval()
    state, images = model.state_dict(), torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2))

    def activated(x: torch.Tensor, name: str) -> torch.Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return functional.relu(functional.batch_norm(x, *(state[f"{name}.{key}"] for key in keys)))

    x = functional.conv2d(images, state["0.weight"], padding=1)
    for number in range(1, 7):
        stride = 2 if number in (3, 5) else 1
        a = activated(x, f"{number}.bn1")
        out = functional.conv2d(a, state[f"{number}.conv1.weight"], stride=stride, padding=1)
        out = functional.conv2d(activated(out, f"{number}.bn2"), state[f"{number}.conv2.weight"], padding=1)
        changes = number in (1, 3, 5)
        assert (f"{number}.shortcut.weight" in state) is changes
        x = out + (functional.conv2d(a, state[f"{number}.shortcut.weight"], stride=stride) if changes else x)
    assert x.shape == (3, 256, 8, 8)
    x = activated(x, "7").mean((2, 3))
    expected = functional.linear(x, state["11.weight"], state["11.bias"])
    assert torch.allclose(model(images), expected, atol=1e-5)


def test_options_change_a_network_and_no_name_in_it() -> None:
    for name in MODELS:
        plain = [key for key, _ in models.build(name, (3, 32, 32), 0).named_parameters()]
        for options in ({"width": 3}, {"dropout": 0.5}):
            if options.keys() <= set(MODEL_OPTIONS[name]):
                model = models.build(name, (3, 32, 32), 0, options=options)
                assert [key for key, _ in model.named_parameters()] == plain
                assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    wide = models.build("wrn-16-4", (3, 32, 32), 0, classes=100, options={"width": 8})
    assert models.parameter_count(wide) == 11_007_540  # 11.0 million in the paper


@pytest.mark.parametrize("name", [name for name in MODELS if "dropout" in MODEL_OPTIONS[name]])
def test_dropout_leaves_out_while_it_trains_alone_and_begins_with_the_same_weights(name: str) -> None:
    plain, dropping = (models.build(name, (1, 28, 28), 0, options={"dropout": p} if p else {}) for p in (0.0, 0.5))
    assert of_weights(dropping) == of_weights(plain)
    some = torch.randn(4, 1, 28, 28, generator=torch.Generator().manual_seed(4))
    assert not torch.equal(dropping(some), dropping(some))
    assert torch.equal(plain.eval()(some), dropping.eval()(some)) or name.startswith("wrn")  # running means moved


def test_classes_have_names_in_the_order_of_their_labels() -> None:
    assert {name: len(names) for name, names in CLASS_NAMES.items()} == {**dict.fromkeys(DATASETS, 10), "cifar100": 100}
    assert list(CLASS_NAMES["cifar100"]) == sorted(set(CLASS_NAMES["cifar100"]))


def test_a_hundred_classes_are_trained_counted_and_told(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    some = images()
    hundred = replace(some, classes=CLASS_NAMES["cifar100"], val=replace(some.val, labels=some.val.labels * 9 + 7))
    monkeypatch.setattr(datasets, "load", lambda spec, device, progress: hundred)
    tiny.train(NONE, epochs=1, dataset="cifar100")
    (configured,) = tiny.of(RunConfigured)
    assert (configured.classes, configured.augmentation) == (100, "crop and flip")
    assert configured.parameters == 64 * 256 + 256 + 256 * 100 + 100
    (counted,) = tiny.of(ConfusionCounted)
    assert [sum(row) for row in counted.counts] == [int(n % 9 == 7 and n < 89) for n in range(100)]
    told = {name for event in tiny.of(MetricsLogged) for name in event.values if name.startswith("val_accuracy/")}
    assert told == {f"val_accuracy/{CLASS_NAMES['cifar100'][n]}" for n in range(7, 89, 9)}
