"""Data sets and ResNet-18 are torchvision's to the bit, though it is not used: a root of either is read by both."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.engine.test_data_files import Server, server  # noqa: F401
from tui_trainer.engine import data_files, models


@pytest.fixture
def torchvision() -> Any:
    """Imported where a test is run: all who only collect the tests go without the second that it takes."""
    return pytest.importorskip("torchvision")


@pytest.mark.parametrize(("name", "kind"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_files_and_checksums_are_those_of_torchvision(torchvision: Any, name: str, kind: str) -> None:
    theirs, ours = getattr(torchvision.datasets, kind), data_files.DIGITS[name]
    assert ours.folder == kind
    assert ours.resources == [tuple(each) for each in theirs.resources]
    assert set(ours.mirrors) & set(theirs.mirrors)


def test_so_are_those_of_cifar10(torchvision: Any) -> None:
    theirs = torchvision.datasets.CIFAR10
    sums = {**dict(theirs.train_list), **dict(theirs.test_list), theirs.meta["filename"]: theirs.meta["md5"]}
    assert {file: md5 for file, (_, md5) in data_files.CIFAR10_FILES.items()} == sums
    assert theirs.base_folder == data_files.CIFAR10_FOLDER
    assert (theirs.url, theirs.tgz_md5) == (data_files.CIFAR10_URL, data_files.CIFAR10_MD5)


IMAGES = 6
"""In each of the files that are made up here."""


def batch(number: int) -> bytes:
    generator = np.random.default_rng(number)
    data = generator.integers(0, 256, (IMAGES, 3072), dtype=np.uint8)
    labels = [int(each) for each in generator.integers(0, 10, IMAGES)]
    return pickle.dumps({"data": data, "labels": labels, "batch_label": "made up"}, protocol=2)


def test_photographs_are_downloaded_unpacked_and_read_as_torchvision_reads_them(
    torchvision: Any,
    server: Server,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [name for name in data_files.CIFAR10_FILES if name != "batches.meta"]
    contents = {name: batch(number) for number, name in enumerate(names)}
    contents["batches.meta"] = pickle.dumps({"label_names": list("abcdefghij")}, protocol=2)
    sums = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in contents.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{data_files.CIFAR10_FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    server.files["/cifar-10-python.tar.gz"] = packed.getvalue()
    md5 = hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(data_files, "CIFAR10_URL", f"{server.url}/cifar-10-python.tar.gz")
    monkeypatch.setattr(data_files, "CIFAR10_MD5", md5)
    sizes = {name: (len(content), sums[name]) for name, content in contents.items()}
    monkeypatch.setattr(data_files, "CIFAR10_FILES", sizes)
    theirs = torchvision.datasets.CIFAR10
    monkeypatch.setattr(theirs, "train_list", [[name, sums[name]] for name in names if name != "test_batch"])
    monkeypatch.setattr(theirs, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(theirs, "meta", {**theirs.meta, "md5": sums["batches.meta"]})

    source = data_files.source("cifar10", tmp_path)
    told: list[str] = []
    source.download(told.append)
    assert told[-1] == "unpacking"
    assert {file.name: file.read_bytes() for file in (tmp_path / data_files.CIFAR10_FOLDER).iterdir()} == contents
    for (images, labels), train in zip(source.read_files(), (True, False), strict=True):
        expected = theirs(tmp_path, train=train)
        assert images.dtype == torch.uint8
        assert labels.dtype == torch.int64
        assert torch.equal(images, torch.as_tensor(expected.data).permute(0, 3, 1, 2))
        assert labels.tolist() == expected.targets

    gone = tmp_path / data_files.CIFAR10_FOLDER / "data_batch_3"
    gone.unlink()
    source.download(told.append)
    assert gone.read_bytes() == contents["data_batch_3"]
    assert server.asked == ["/cifar-10-python.tar.gz"], "the archive is there still"


@pytest.mark.parametrize("channels", [1, 3])
def test_resnet18_has_the_weights_names_and_outputs_of_torchvisions(torchvision: Any, channels: int) -> None:
    ours = models.build("resnet18", (channels, 32, 32), seed=3)
    torch.manual_seed(3)
    theirs = torchvision.models.resnet18(num_classes=10)
    theirs.conv1 = nn.Conv2d(channels, 64, kernel_size=3, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]
    expected = theirs.state_dict()
    assert list(ours.state_dict()) == list(expected)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, expected[name]), name
    images = torch.randn(4, channels, 32, 32)
    for model in (ours, theirs):
        model.train()
    assert torch.equal(ours(images), theirs(images))
    assert torch.equal(ours.eval()(images), theirs.eval()(images))
