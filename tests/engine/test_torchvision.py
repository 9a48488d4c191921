"""Data sets and ResNet-18 are torchvision's to the bit, though it is not used: a root of either is read by both."""

from __future__ import annotations

import dataclasses
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


CIFAR = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}


@pytest.mark.parametrize("name", CIFAR)
def test_so_are_those_of_cifar(torchvision: Any, name: str) -> None:
    theirs, ours = getattr(torchvision.datasets, CIFAR[name]), data_files.CIFAR[name]
    assert ours.train == dict(theirs.train_list)
    assert ours.val == dict(theirs.test_list)
    assert ours.names == {theirs.meta["filename"]: theirs.meta["md5"]}
    assert (ours.folder, ours.url, ours.md5) == (theirs.base_folder, theirs.url, theirs.tgz_md5)


IMAGES = 6
"""In each of the files that are made up here."""


def batch(number: int, labels: str) -> bytes:
    generator = np.random.default_rng(number)
    data = generator.integers(0, 256, (IMAGES, 3072), dtype=np.uint8)
    drawn = [int(each) for each in generator.integers(0, 10, IMAGES)]
    return pickle.dumps({"data": data, labels: drawn, "batch_label": "made up"}, protocol=2)


@pytest.mark.parametrize("name", CIFAR)
def test_photographs_are_downloaded_unpacked_and_read_as_torchvision_reads_them(
    torchvision: Any,
    server: Server,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    kind, theirs = data_files.CIFAR[name], getattr(torchvision.datasets, CIFAR[name])
    contents = {file: batch(at, kind.labels) for at, file in enumerate((*kind.train, *kind.val))}
    (of_names,) = kind.names
    contents[of_names] = pickle.dumps({theirs.meta["key"]: list("abcdefghij")}, protocol=2)
    sums = {file: hashlib.md5(content, usedforsecurity=False).hexdigest() for file, content in contents.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for file, content in contents.items():
            member = tarfile.TarInfo(f"{kind.folder}/{file}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    at = f"/{Path(kind.url).name}"
    server.files[at] = packed.getvalue()
    md5 = hashlib.md5(packed.getvalue(), usedforsecurity=False).hexdigest()
    parts = {part: {file: sums[file] for file in getattr(kind, part)} for part in ("train", "val", "names")}
    made = dataclasses.replace(kind, url=f"{server.url}{at}", md5=md5, **parts, bytes={})
    monkeypatch.setitem(data_files.CIFAR, name, made)
    monkeypatch.setattr(theirs, "train_list", [[file, sums[file]] for file in kind.train])
    monkeypatch.setattr(theirs, "test_list", [[file, sums[file]] for file in kind.val])
    monkeypatch.setattr(theirs, "meta", {**theirs.meta, "md5": sums[of_names]})

    source = data_files.source(name, tmp_path)
    told: list[str] = []
    source.download(told.append)
    assert told[-1] == "unpacking"
    assert {file.name: file.read_bytes() for file in (tmp_path / kind.folder).iterdir()} == contents
    for (images, labels), train in zip(source.read_files(), (True, False), strict=True):
        expected = theirs(tmp_path, train=train)
        assert images.dtype == torch.uint8
        assert labels.dtype == torch.int64
        assert torch.equal(images, torch.as_tensor(expected.data).permute(0, 3, 1, 2))
        assert labels.tolist() == expected.targets
    assert [each.fault for each in source.expected] == [""] * len(contents)

    gone = tmp_path / kind.folder / next(iter(kind.train))
    gone.unlink()
    source.download(told.append)
    assert gone.read_bytes() == contents[gone.name]
    assert server.asked == [at], "the archive is there still"
    gone.write_bytes(b"torn")
    (broken,) = (each.fault for each in source.expected if each.fault)
    assert broken == "has a wrong checksum"


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
