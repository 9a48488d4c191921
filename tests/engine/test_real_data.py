"""The real data sets, where there is a folder that holds them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.tiny import NONE, TinyRun, preset
from tui_trainer.engine import datasets
from tui_trainer.engine.datasets import Images, Split, load
from tui_trainer.errors import UserError
from tui_trainer.events import EpochEnded
from tui_trainer.run_spec import RunSpec

DATA = Path(os.environ.get("TUI_TRAINER_TEST_DATA", "../shared/data"))
CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def mnist_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A torchvision root with MNIST in it."""
    packed = sorted((DATA / "mnist").glob("*-ubyte.gz"))
    if len(packed) != 4:
        pytest.skip(f"MNIST's four files are not in {DATA / 'mnist'}; name a folder with TUI_TRAINER_TEST_DATA")
    root = tmp_path_factory.mktemp("root")
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in packed:
        (raw / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    return root


def spec(root: Path, **options: object) -> RunSpec:
    return RunSpec.of("tiny", preset(NONE), dataset="mnist", data_dir=root, **options)


def test_mnist_is_read_where_it_lies(mnist_root: Path) -> None:
    data = load(spec(mnist_root), CPU)
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.val.images.shape == (10_000, 1, 28, 28)
    assert abs(float(data.train.images.mean())) < 0.01
    assert abs(float(data.train.images.std()) - 1) < 0.01
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_limits_hold(mnist_root: Path) -> None:
    data = load(spec(mnist_root, limit_train=100, limit_val=7), CPU)
    assert (len(data.train), len(data.val)) == (100, 7)


def test_a_file_that_is_not_whole_is_named_as_what_it_is(mnist_root: Path, tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (mnist_root / "MNIST" / "raw").iterdir():
        (raw / file.name).write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"has 1,000 bytes where 47,040,016 should be.*Remove it") as caught:
        load(spec(tmp_path), CPU)
    assert str(raw / "train-images-idx3-ubyte") in str(caught.value)


PHOTOGRAPHS = 'augmentation = [{name = "RandomCrop", padding = 4, padding_mode = "reflect"}, "RandomHorizontalFlip"]\n'
PHOTOGRAPHS += '[optimizer]\nname = "SGD"\nlr = 0.05\nmomentum = 0.9\n'


def test_a_narrow_resnet_learns_real_photographs_cropped_and_flipped(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = DATA / "small" / "cifar10-1k200.npz"
    if not file.exists():
        pytest.skip(f"{file} is not there; name a folder with TUI_TRAINER_TEST_DATA")
    with np.load(file) as arrays:
        parts = [
            Split(
                torch.from_numpy(arrays[f"x_{part}"][:500]).permute(0, 3, 1, 2).float() / 127.5 - 1,
                torch.from_numpy(arrays[f"y_{part}"][:500]).long(),
            )
            for part in ("train", "test")
        ]
    monkeypatch.setattr(datasets, "load", lambda spec, device, progress: Images(*parts))
    tiny.train(PHOTOGRAPHS, epochs=2, model="resnet9-slim", batch_size=20, limit_train=500)
    first, second = tiny.of(EpochEnded)
    assert second.train_loss < first.train_loss < 2.3
    assert second.val_accuracy > 0.15


def test_a_broken_file_of_cifar_is_named_and_so_are_missing_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    cifar = RunSpec.of("tiny", preset(NONE), dataset="cifar10", data_dir=tmp_path)
    monkeypatch.setattr("urllib.request.urlopen", _no_network)
    with pytest.raises(UserError, match=r"\(cifar-10-batches-py/data_batch_1 and 6 more missing\) .*no network"):
        load(cifar, CPU)
    (tmp_path / "data_batch_1").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"missing; it lies in the folder itself, and belongs in its cifar-10-batches-py\)"
    ):
        load(cifar, CPU)
    (folder / "data_batch_2").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"data_batch_2 has 4 bytes where 31,035,320 should be.*Remove it"):
        load(cifar, CPU)


def _no_network(*args: object, **kwargs: object) -> None:
    raise OSError("no network")
