"""The files of a data set: as torchvision keeps them in a folder (what is there, broken, missing), or downloaded."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import shutil
import tarfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import BinaryIO, TypeAlias

import torch
from torch import Tensor

from tui_trainer.errors import UserError
from tui_trainer.files.atomic import atomic_files, write_atomic
from tui_trainer.files.safe_open import read_regular
from tui_trainer.run_options import CLASSES
from tui_trainer.text.captions import say

Progress: TypeAlias = Callable[[str], None]
"""Told in words how far a download is, at a calm rate."""

TELL_EVERY = 0.5
"""Seconds."""

SILENCE_S = 20.0
"""A server that says nothing for so long is given up."""

CHUNK = 1 << 16


def fetch(urls: Sequence[str], file: Path, md5: str, progress: Progress) -> None:
    """Download `file` from the first of `urls` that has it whole.

    Raises:
        OSError: none of them has; the reason is that of the last one. Nothing is left behind.
    """
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    failure: OSError | None = None
    for url in urls:
        try:
            with atomic_files([file], private=False) as (out,):
                _fetch(url, out, md5, progress)
            return
        except OSError as error:
            failure = error
    with suppress(OSError):
        for folder in made:
            folder.rmdir()
    raise failure or OSError(say("data.no_address", file=file.name))


def _fetch(url: str, out: BinaryIO, md5: str, progress: Progress) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "tui-trainer"})
    digest = hashlib.md5(usedforsecurity=False)
    done, tell_at = 0, 0.0
    with urllib.request.urlopen(request, timeout=SILENCE_S) as response:
        total = int(response.headers.get("Content-Length") or 0)
        while chunk := response.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() >= tell_at:
                progress(_in_words(done, total))
                tell_at = time.monotonic() + TELL_EVERY
    if digest.hexdigest() != md5:
        raise OSError(f"{url} gave a file that is not the one expected ({done:,} bytes, wrong checksum)")


def _in_words(done: int, total: int) -> str:
    return f"{done / 1e6:.0f} of {total / 1e6:.0f} MB" if total else f"{done / 1e6:.0f} MB"


Part: TypeAlias = tuple[Tensor, Tensor]
"""Images (N, C, H, W) in uint8, and labels (N)."""


@dataclass(frozen=True)
class Expected:
    """A file that a data set needs, and what it must be."""

    file: Path
    bytes: int | None
    """None: not known, and the checksum tells."""
    md5: str = ""

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where it is sound. May raise OSError."""
        size = self.file.stat().st_size
        if self.bytes is not None and size != self.bytes:
            return say("data.wrong_size", size=f"{size:,}", expected=f"{self.bytes:,}")
        if self.md5 and _md5(self.file) != self.md5:
            return say("data.wrong_checksum")
        return ""


@dataclass(frozen=True)
class DataFolder:
    """One of the data sets in a root, as torchvision keeps it there."""

    name: str
    shape: tuple[int, int, int]
    """Channels, height, width of an image."""
    counts: tuple[int, int]
    """Images that train, and that validate."""
    expected: list[Expected]
    read_files: Callable[[], tuple[Part, Part]]
    """Read what is there; raises whatever a file that is not what it seems leads to."""
    download: Callable[[Progress], None]
    """Bring what is missing, unpacked; leaves what is whole as it is."""
    classes: int = 10

    def read(self, progress: Progress, root: Path) -> tuple[Part, Part]:
        """The images that train and those that validate, downloaded first where they are missing.

        Raises:
            UserError: what is wrong, where, and what to do.
        """
        try:
            missing = [each.file for each in self.expected if not each.file.exists()]
            self._check_rest(missing)
        except OSError as error:
            raise UserError(f"{self.name} cannot be read: {_in_a_line(error)}. {_what_else()}") from error
        if missing:
            self._bring(missing, root, progress)
        try:
            parts = self.read_files()
        except (UserError, MemoryError):
            raise
        except Exception as error:  # whatever a file that is not what it seems leads to
            raise UserError(f"{self.name} in {root} cannot be read: {_in_a_line(error)}. {_what_else()}") from error
        self._check_parts(parts, root)
        return parts

    def _check_parts(self, parts: tuple[Part, Part], root: Path) -> None:
        for (images, labels), count in zip(parts, self.counts, strict=True):
            for what, numbers, shape in (("images", images, (count, *self.shape)), ("labels", labels, (count,))):
                if tuple(numbers.shape) != shape:
                    raise UserError(
                        f"{self.name} in {root} has {what} of {_by(numbers.shape)} where {_by(shape)} should be: "
                        f"a file of it is broken. Remove it to have it downloaded again. {_what_else()}"
                    )
            if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
                raise UserError(
                    f"{self.name} in {root} has labels from {int(labels.min())} to {int(labels.max())} where 0 to "
                    f"{self.classes - 1} should be: a file of labels is broken. Remove it to have it downloaded again. "
                    f"{_what_else()}"
                )

    def _check_rest(self, missing: list[Path]) -> None:
        for each in self.expected:
            if each.file not in missing and (fault := each.fault):
                raise UserError(
                    f"{each.file} {fault}: it is broken. Remove it to have {self.name} downloaded again. {_what_else()}"
                )

    def _bring(self, missing: list[Path], root: Path, progress: Progress) -> None:
        try:
            self.download(progress)
        except Exception as error:  # no network, no room, no permission, a wrong checksum: all end here
            first, more = missing[0].relative_to(root), f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            astray = any((root / f"{first.name}{end}").exists() for end in ("", ".gz"))
            raise UserError(
                f"{self.name} is not in {root} ({first}{more} missing"
                + (f"; it lies in the folder itself, and belongs in its {first.parent}" if astray else "")
                + f") and could not be downloaded: {_in_a_line(error)}. {_what_else()}"
            ) from error


def source(name: str, root: Path) -> DataFolder:
    """The data set `name` in `root`.

    Raises:
        KeyError: there is none of that name.
    """
    return _cifar(name, CIFAR[name], root) if name in CIFAR else _idx_files(name, DIGITS[name], root)


@dataclass
class IdxSource:
    """Where a data set of Y. LeCun's form comes from, and the folder that it has in a root."""

    folder: str
    mirrors: list[str]
    """Addresses of folders that hold the same."""
    resources: list[tuple[str, str]]
    """The files, packed, and their MD5."""


DIGITS = {
    "mnist": IdxSource(
        "MNIST",
        ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"],
        [
            ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        ],
    ),
    "fashion-mnist": IdxSource(
        "FashionMNIST",
        ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
        [
            ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ],
    ),
}
"""Addresses and checksums are torchvision's, whose roots are read here. It is not used: each of its versions wants one
version of torch, and to require it would replace a torch that is installed already."""


def _idx_files(name: str, kind: IdxSource, root: Path) -> DataFolder:
    """MNIST and its kin: four files of images and labels, after a header of 16 and 8 bytes."""
    raw = root / kind.folder / "raw"
    counts = {"train": 60_000, "t10k": 10_000}
    shapes: dict[Path, tuple[int, ...]] = {}
    for part, count in counts.items():
        shapes[raw / f"{part}-images-idx3-ubyte"] = (count, 28, 28)
        shapes[raw / f"{part}-labels-idx1-ubyte"] = (count,)

    def download(progress: Progress) -> None:
        for packed, md5 in kind.resources:
            if (raw / Path(packed).stem).exists():
                continue
            if not _is(raw / packed, md5):
                urls = [f"{mirror.rstrip('/')}/{packed}" for mirror in kind.mirrors]
                fetch(urls, raw / packed, md5, lambda done, packed=packed: progress(f"{packed}: {done}"))  # type: ignore[misc]
            progress("unpacking")
            _unpack(raw / packed)

    def read() -> tuple[Part, Part]:
        x_train, y_train, x_val, y_val = (_read_idx(file, shape) for file, shape in shapes.items())
        return (x_train.unsqueeze(1), y_train), (x_val.unsqueeze(1), y_val)

    expected = [Expected(file, _head(shape) + prod(shape)) for file, shape in shapes.items()]
    return DataFolder(name, (1, 28, 28), (60_000, 10_000), expected, read, download)


def _read_idx(file: Path, shape: tuple[int, ...]) -> Tensor:
    """The bytes of a file of Y. LeCun's form, which must have that shape.

    Raises:
        UserError: it has another one, or is of another form.
        OSError: it cannot be read.
    """
    content = bytearray(read_regular(file, _head(shape) + prod(shape)))
    there = tuple(int.from_bytes(content[at : at + 4], "big") for at in range(4, _head(shape), 4))
    if content[:4] != bytes([0, 0, 8, len(shape)]):
        fault = say("data.no_header")
    elif there != shape:
        fault = say("data.other_shape", there=_by(there), expected=_by(shape))
    else:
        return torch.frombuffer(content, dtype=torch.uint8, offset=_head(shape)).view(shape)
    raise UserError(f"{file} {fault}: it is broken. Remove it to have it downloaded again. {_what_else()}")


def _head(shape: tuple[int, ...]) -> int:
    """Bytes of such a file before the first number: its kind, and its shape."""
    return 4 + 4 * len(shape)


def _by(shape: Iterable[int]) -> str:
    return "×".join(f"{size:,}" for size in shape)


def _unpack(packed: Path) -> None:
    """Whole or not at all, whatever stops it."""
    write_atomic(packed.with_suffix(""), gzip.decompress(packed.read_bytes()), private=False)


@dataclass
class CifarSource:
    """Where a data set of A. Krizhevsky's form comes from, and what its archive holds."""

    url: str
    md5: str
    folder: str
    """In a root, and in the archive."""
    train: dict[str, str]
    """The files that train, and their MD5."""
    val: dict[str, str]
    """The file that validates."""
    names: dict[str, str]
    """That of the classes' names."""
    labels: str
    """What labels are called in it."""
    bytes: dict[str, int] = field(default_factory=dict)
    """How many bytes a file has, where that is known: it is quicker to see than a checksum."""

    @property
    def files(self) -> dict[str, str]:
        """All of them."""
        return {**self.train, **self.val, **self.names}


CIFAR = {
    "cifar10": CifarSource(
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        md5="c58f30108f718f92721af3b95e74349a",
        folder="cifar-10-batches-py",
        train={
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        },
        val={"test_batch": "40351d587109b95175f43aff81a1287e"},
        names={"batches.meta": "5ff9c542aee3614f3951f8cda6e48888"},
        labels="labels",
        bytes={
            "data_batch_1": 31_035_704,
            "data_batch_2": 31_035_320,
            "data_batch_3": 31_035_999,
            "data_batch_4": 31_035_696,
            "data_batch_5": 31_035_623,
            "test_batch": 31_035_526,
            "batches.meta": 158,
        },
    ),
    "cifar100": CifarSource(
        url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        md5="eb9058c3a382ffc7106e4002c42a8d85",
        folder="cifar-100-python",
        train={"train": "16019d7e3df5f24257cddd939b257f8d"},
        val={"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
        names={"meta": "7973b15100ade9c7d40fb424638fde48"},
        labels="fine_labels",
    ),
}
"""Addresses and checksums are torchvision's."""


def _cifar(name: str, kind: CifarSource, root: Path) -> DataFolder:
    folder = root / kind.folder
    expected = [Expected(folder / file, kind.bytes.get(file), md5) for file, md5 in kind.files.items()]

    def download(progress: Progress) -> None:
        packed = root / Path(kind.url).name
        if not _is(packed, kind.md5):
            fetch([kind.url], packed, kind.md5, progress)
        progress("unpacking")
        _unpack_some(packed, [each.file for each in expected if not each.file.exists()])

    def read() -> tuple[Part, Part]:
        train, val = ([_read_pickled(folder / file, kind.labels) for file in part] for part in (kind.train, kind.val))
        images, labels = zip(*train, strict=True)
        return (torch.cat(images), torch.cat(labels)), val[0]

    return DataFolder(name, (3, 32, 32), (50_000, 10_000), expected, read, download, CLASSES[name])


def _read_pickled(file: Path, labels: str) -> Part:
    """One file of CIFAR. It was compared with its checksum before: what is unpickled is nobody's but its makers'."""
    with file.open("rb") as content:
        entry = pickle.load(content, encoding="latin1")
    return torch.as_tensor(entry["data"]).view(-1, 3, 32, 32), torch.as_tensor(entry[labels])


def _unpack_some(packed: Path, files: list[Path]) -> None:
    """Files of an archive, which has each in the folder that it is to lie in; whole or not at all."""
    with tarfile.open(packed) as archive:
        for file in files:
            file.parent.mkdir(exist_ok=True)
            member = archive.extractfile(f"{file.parent.name}/{file.name}")
            if member is None:
                raise OSError(f"{packed.name} holds no {file.name}")
            with atomic_files([file], private=False) as (out,):
                shutil.copyfileobj(member, out)


def _is(file: Path, md5: str) -> bool:
    return file.is_file() and _md5(file) == md5


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _what_else() -> str:
    """What to do where a data set cannot be had."""
    return say("data.what_else")


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")[:200]
