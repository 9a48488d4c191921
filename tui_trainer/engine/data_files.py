"""The files of a data set: as torchvision keeps them in a folder (what is there, broken, missing), or downloaded."""

from __future__ import annotations

import gzip
import hashlib
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import torch
from torch import Tensor

from tui_trainer.errors import UserError
from tui_trainer.files.atomic import atomic_files, clear_drafts
from tui_trainer.files.regular import read_regular

Progress: TypeAlias = Callable[[str], None]
"""Told in words how far a download is, at a calm rate."""

TELL_EVERY = 0.5
"""Seconds."""

SILENCE_S = 20.0
"""A server that says nothing for so long is given up."""

ABANDONED_S = 3600.0
"""What nobody has written to for so long is nobody's: see `SILENCE_S`."""

CHUNK = 1 << 16


def fetch(urls: Sequence[str], file: Path, md5: str, progress: Progress) -> None:
    """Download `file` from the first of `urls` that has it whole.

    Raises:
        OSError: none of them has; the reason is that of the last one. Nothing is left behind.
    """
    made = [folder for folder in (file.parent, *file.parent.parents) if not folder.exists()]
    file.parent.mkdir(parents=True, exist_ok=True)
    clear_drafts(file, older_than_s=ABANDONED_S)
    failure = OSError(f"no address is known for {file.name}")
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
    raise failure


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

CLASSES = 10
"""Of every data set there is here."""

WHAT_ELSE = (
    "Give a folder that has it with --data-dir DIR (a torchvision root), "
    "or take --dataset mnist-5k, which comes with the package."
)


@dataclass(frozen=True)
class Expected:
    """A file that a data set needs, and what it must be."""

    file: Path
    bytes: int
    md5: str = ""

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty where it is sound. May raise OSError."""
        size = self.file.stat().st_size
        if size != self.bytes:
            return f"has {size:,} bytes where {self.bytes:,} should be"
        if self.md5 and _md5(self.file) != self.md5:
            return "has a wrong checksum"
        return ""


@dataclass(frozen=True)
class DataFolder:
    """One of torchvision's data sets in a root."""

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

    def read(self, progress: Progress, root: Path) -> tuple[Part, Part]:
        """The images that train and those that validate, downloaded first where they are missing.

        Raises:
            UserError: what is wrong, where, and what to do.
        """
        try:
            missing = [each.file for each in self.expected if not each.file.exists()]
            self._check_rest(missing)
        except OSError as error:
            raise UserError(f"{self.name} cannot be read: {_in_a_line(error)}. {WHAT_ELSE}") from error
        if missing:
            self._bring(missing, root, progress)
        try:
            parts = self.read_files()
        except UserError:
            raise
        except Exception as error:  # torchvision raises whatever a file that is not what it seems leads to
            raise UserError(f"{self.name} in {root} cannot be read: {_in_a_line(error)}. {WHAT_ELSE}") from error
        self._check_parts(parts, root)
        return parts

    def _check_parts(self, parts: tuple[Part, Part], root: Path) -> None:
        for (images, labels), count in zip(parts, self.counts, strict=True):
            for what, numbers, shape in (("images", images, (count, *self.shape)), ("labels", labels, (count,))):
                if tuple(numbers.shape) != shape:
                    raise UserError(
                        f"{self.name} in {root} has {what} of {_by(numbers.shape)} where {_by(shape)} should be: "
                        f"a file of it is broken. Remove it to have it downloaded again. {WHAT_ELSE}"
                    )
            if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < CLASSES:
                raise UserError(
                    f"{self.name} in {root} has labels from {int(labels.min())} to {int(labels.max())} where 0 to "
                    f"{CLASSES - 1} should be: a file of labels is broken. Remove it to have it downloaded again. "
                    f"{WHAT_ELSE}"
                )

    def _check_rest(self, missing: list[Path]) -> None:
        for each in self.expected:
            if each.file not in missing and (fault := each.fault):
                raise UserError(
                    f"{each.file} {fault}: it is broken. Remove it to have {self.name} downloaded again. {WHAT_ELSE}"
                )

    def _bring(self, missing: list[Path], root: Path, progress: Progress) -> None:
        try:
            self.download(progress)
        except Exception as error:  # no network, no room, no permission, a wrong checksum: all end here
            names = ", ".join(str(file.relative_to(root)) for file in missing[:4])
            more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
            raise UserError(
                f"{self.name} is not in {root} ({names}{more} missing) and could not be downloaded: "
                f"{_in_a_line(error)}. {WHAT_ELSE}"
            ) from error


def source(name: str, root: Path) -> DataFolder:
    """The data set `name` of torchvision in `root`.

    Raises:
        KeyError: torchvision is not asked for that one.
    """
    from torchvision import datasets

    if name == "cifar10":
        return _cifar10(name, datasets.CIFAR10, root)
    return _idx_files(name, {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name], root)


def _idx_files(name: str, kind: Any, root: Path) -> DataFolder:
    """MNIST and its kin: four files of images and labels, after a header of 16 and 8 bytes.

    torchvision itself would take what lies in a folder `processed`, of its older versions, for them.
    """
    raw = root / kind.__name__ / "raw"
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
        fault = "does not begin as such a file does"
    elif there != shape:
        fault = f"says that it holds {_by(there)} bytes where {_by(shape)} should be"
    else:
        return torch.frombuffer(content, dtype=torch.uint8, offset=_head(shape)).view(shape)
    raise UserError(f"{file} {fault}: it is broken. Remove it to have it downloaded again. {WHAT_ELSE}")


def _head(shape: tuple[int, ...]) -> int:
    """Bytes of such a file before the first number: its kind, and its shape."""
    return 4 + 4 * len(shape)


def _by(shape: Iterable[int]) -> str:
    return "×".join(f"{size:,}" for size in shape)


def _unpack(packed: Path) -> None:
    """Whole or not at all, whatever stops it."""
    draft = packed.with_name(f"{packed.stem}.part")
    try:
        draft.write_bytes(gzip.decompress(packed.read_bytes()))
        draft.replace(packed.with_suffix(""))
    finally:
        draft.unlink(missing_ok=True)


def _cifar10(name: str, kind: Any, root: Path) -> DataFolder:
    """Five files that train, one that validates, and the names of the classes, in one archive."""
    folder = root / kind.base_folder
    batch_bytes = {"data_batch_1": 31_035_704, "data_batch_2": 31_035_320, "data_batch_3": 31_035_999}
    batch_bytes |= {"data_batch_4": 31_035_696, "data_batch_5": 31_035_623, "test_batch": 31_035_526}
    files = [Expected(folder / file, batch_bytes[file], md5) for file, md5 in (*kind.train_list, *kind.test_list)]
    files.append(Expected(folder / kind.meta["filename"], 158, kind.meta["md5"]))

    def download(progress: Progress) -> None:
        if not _is(root / kind.filename, kind.tgz_md5):
            fetch([kind.url], root / kind.filename, kind.tgz_md5, progress)
        progress("unpacking")
        kind(root, train=True, download=True)

    def read() -> tuple[Part, Part]:
        train, val = (_of_torchvision(kind(root, train=train, download=False)) for train in (True, False))
        return train, val

    return DataFolder(name, (3, 32, 32), (50_000, 10_000), files, read, download)


def _is(file: Path, md5: str) -> bool:
    return file.is_file() and _md5(file) == md5


def _md5(file: Path) -> str:
    import hashlib

    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _in_a_line(error: Exception) -> str:
    # torchvision asserts, without a word, that a file begins as its kind does.
    text = " ".join(str(error).split()) or "a file in it is not of the kind that its name says"
    return text.rstrip(".")[:200]


def _of_torchvision(part: Any) -> Part:
    images, labels = torch.as_tensor(part.data), torch.as_tensor(part.targets)
    return images.permute(0, 3, 1, 2).contiguous(), labels
