"""The real data sets, where there is a folder that holds them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import torch

from tests.engine.tiny import NONE, preset
from tui_trainer.engine.datasets import load
from tui_trainer.engine.errors import BadInput
from tui_trainer.spec import RunSpec

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
    with pytest.raises(BadInput, match=r"has 1,000 bytes where 47,040,016 should be.*Remove it") as caught:
        load(spec(tmp_path), CPU)
    assert str(raw / "train-images-idx3-ubyte") in str(caught.value)
