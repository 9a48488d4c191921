"""Files from the network, from a server that this test is."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.engine.tiny import NONE, preset
from tui_trainer.engine import data_files
from tui_trainer.engine.data_files import DataFolder, Expected, Part, fetch
from tui_trainer.engine.datasets import load
from tui_trainer.errors import UserError
from tui_trainer.run_spec import RunSpec

CPU = torch.device("cpu")
CONTENT = bytes(range(256)) * 8192


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Server:
    """Serves what is put into `files`; `asked` tells what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *args: object) -> None:
                """Tell nobody."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    thread = threading.Thread(target=served.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.http.shutdown()
    thread.join()
    served.http.server_close()


def test_a_file_comes_whole_and_how_far_it_is_was_told(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data_files, "TELL_EVERY", 0)
    server.files["/data.gz"] = CONTENT
    told: list[str] = []
    fetch([f"{server.url}/data.gz"], tmp_path / "new" / "data.gz", md5(CONTENT), told.append)
    assert (tmp_path / "new" / "data.gz").read_bytes() == CONTENT
    assert told[0] == "0 of 2 MB"
    assert told[-1] == "2 of 2 MB"
    assert capfd.readouterr() == ("", "")


def test_progress_is_told_at_a_calm_rate(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(100.0, 0.1)  # each look at the clock is a tenth of a second later
    monkeypatch.setattr(data_files, "time", SimpleNamespace(monotonic=lambda: next(seconds), time=time.time))
    server.files["/data.gz"] = CONTENT
    told: list[str] = []
    fetch([f"{server.url}/data.gz"], tmp_path / "data.gz", md5(CONTENT), told.append)
    assert 1 < len(told) <= 1 + (next(seconds) - 100) / data_files.TELL_EVERY


def test_the_next_address_serves_where_one_has_it_not_or_something_else(server: Server, tmp_path: Path) -> None:
    server.files |= {"/b": b"something else", "/c": CONTENT}
    urls = [f"{server.url}/{name}" for name in "abc"]
    fetch(urls, tmp_path / "file", md5(CONTENT), lambda _: None)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == ["/a", "/b", "/c"]


@pytest.mark.says("data.no_address")
def test_a_file_of_no_address_is_not_tried(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"^no address is known for file$"):
        fetch([], tmp_path / "file", md5(CONTENT), lambda _: None)


@pytest.mark.says("data.wrong_checksum")
@pytest.mark.never_says("data.wrong_size")
def test_a_file_of_the_right_size_and_another_content_has_a_wrong_checksum(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one")
    assert Expected(tmp_path / "file", 3, md5(b"two")).fault == "has a wrong checksum"
    assert Expected(tmp_path / "file", 3).fault == ""


def folder_that_raises(error: Exception) -> DataFolder:
    def read() -> tuple[Part, Part]:
        raise error

    return DataFolder("mnist", (1, 28, 28), (60_000, 10_000), [], read, lambda _: None)


def test_what_has_no_words_is_told_by_its_name_and_nothing_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read: IndexError\. Give a folder"):
        folder_that_raises(IndexError()).read(lambda _: None, tmp_path)


def test_where_memory_runs_out_no_file_is_blamed(tmp_path: Path) -> None:
    with pytest.raises(MemoryError):
        folder_that_raises(MemoryError()).read(lambda _: None, tmp_path)


def test_what_is_not_whole_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT[:1000]
    with pytest.raises(OSError, match=r"/a gave a file that is not the one expected \(1,000 bytes, wrong checksum\)"):
        fetch([f"{server.url}/a"], tmp_path / "file", md5(CONTENT), lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_download_left_is_removed_and_what_one_writes_that_lives_is_not(
    server: Server, tmp_path: Path
) -> None:
    server.files["/a"] = CONTENT
    old, new = tmp_path / ".file.01234711", tmp_path / ".file.01234712"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    fetch([f"{server.url}/a"], tmp_path / "file", md5(CONTENT), lambda _: None)
    assert sorted(tmp_path.iterdir()) == [new, tmp_path / "file"]


def idx_file(name: str) -> bytes:
    """A file of Fashion-MNIST with one class a tenth of the images, in its real size."""
    count = 60_000 if name.startswith("train") else 10_000
    if "labels" in name:
        return b"\0\0\x08\x01" + count.to_bytes(4, "big") + bytes(i % 10 for i in range(count))
    return b"\0\0\x08\x03" + count.to_bytes(4, "big") + (28).to_bytes(4, "big") * 2 + bytes(count * 784)


@pytest.fixture
def fashion(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Fashion-MNIST's four files on the server."""
    source = data_files.DIGITS["fashion-mnist"]
    names = [name for name, _ in source.resources]
    server.files = {f"/{name}": gzip.compress(idx_file(name), compresslevel=1) for name in names}
    checksums = [(name, md5(server.files[f"/{name}"])) for name in names]
    monkeypatch.setattr(source, "resources", checksums)
    monkeypatch.setattr(source, "mirrors", [f"{server.url}/"])
    return server


def spec(root: Path) -> RunSpec:
    return RunSpec.of("tiny", preset(NONE), dataset="fashion-mnist", data_dir=root, limit_train=30, limit_val=20)


@pytest.mark.never_says("data.*")
def test_a_data_set_is_downloaded_once_and_only_what_is_missing(
    fashion: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    data = load(spec(tmp_path), CPU, told.append)
    assert (data.train.images.shape, data.val.images.shape) == ((30, 1, 28, 28), (20, 1, 28, 28))
    assert data.train.labels.tolist() == [*range(10)] * 3
    assert len(fashion.asked) == 4
    assert told[0].startswith("train-images-idx3-ubyte.gz: 0 of ")
    assert told[-1] == "unpacking"
    load(spec(tmp_path), CPU)
    assert len(fashion.asked) == 4
    raw = tmp_path / "FashionMNIST" / "raw"
    (raw / "t10k-labels-idx1-ubyte").unlink()
    (raw / "t10k-labels-idx1-ubyte.gz").unlink()
    load(spec(tmp_path), CPU)
    assert fashion.asked[4:] == ["/t10k-labels-idx1-ubyte.gz"]
    (raw / "t10k-labels-idx1-ubyte").unlink()  # the packed one is still there
    load(spec(tmp_path), CPU)
    assert len(fashion.asked) == 5
    assert capfd.readouterr() == ("", "")


@pytest.mark.says("data.wrong_size", "data.what_else")
@pytest.mark.never_says("data.no_header", "data.other_shape", "data.wrong_checksum", "data.no_address")
def test_a_broken_file_is_named_and_never_overwritten(fashion: Server, tmp_path: Path) -> None:
    load(spec(tmp_path), CPU)
    broken = tmp_path / "FashionMNIST" / "raw" / "t10k-images-idx3-ubyte"
    broken.write_bytes(broken.read_bytes()[:5000])
    asked = len(fashion.asked)
    with pytest.raises(UserError, match=r"t10k-images-idx3-ubyte has 5,000 bytes where 7,840,016 should be") as caught:
        load(spec(tmp_path), CPU)
    assert str(broken) in str(caught.value)
    assert broken.stat().st_size == 5000
    assert len(fashion.asked) == asked


def test_without_a_network_the_files_that_are_missing_are_named(fashion: Server, tmp_path: Path) -> None:
    fashion.files.clear()
    with pytest.raises(UserError) as caught:
        load(spec(tmp_path), CPU)
    text = str(caught.value)
    for words in (str(tmp_path), "FashionMNIST/raw/train-images-idx3-ubyte", "404", "--data-dir", "mnist-5k"):
        assert words in text
    assert "\n" not in text


def test_without_a_network_no_folder_is_left_behind(fashion: Server, tmp_path: Path) -> None:
    fashion.files.clear()
    with pytest.raises(UserError):
        load(spec(tmp_path / "some" / "root"), CPU)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.says("data.no_header", "data.what_else")
@pytest.mark.never_says("data.wrong_size", "data.other_shape")
def test_labels_that_no_class_has_are_said_and_where(fashion: Server, tmp_path: Path) -> None:
    load(spec(tmp_path), CPU)
    labels = tmp_path / "FashionMNIST" / "raw" / "train-labels-idx1-ubyte"
    content = bytearray(labels.read_bytes())
    content[-1] = 42
    labels.write_bytes(content)
    with pytest.raises(UserError, match=r"has labels from 0 to 42 where 0 to 9 should be"):
        load(spec(tmp_path), CPU)
    content[:4] = b"nope"
    labels.write_bytes(content)
    with pytest.raises(UserError, match=r"train-labels-idx1-ubyte does not begin as such a file does: .*--data-dir"):
        load(spec(tmp_path), CPU)


@pytest.mark.says("data.other_shape")
@pytest.mark.never_says("data.no_header")
@pytest.mark.parametrize(
    ("name", "place", "number", "words"),
    [
        ("train-images-idx3-ubyte", 8, (14, 56), "60,000×14×56 bytes where 60,000×28×28"),
        ("t10k-images-idx3-ubyte", 8, (56, 14), "10,000×56×14 bytes where 10,000×28×28"),
        ("train-images-idx3-ubyte", 4, (30_000, 56), "30,000×56×28 bytes where 60,000×28×28"),
        ("train-labels-idx1-ubyte", 4, (59_999,), "59,999 bytes where 60,000"),
        ("t10k-labels-idx1-ubyte", 4, (10_001,), "10,001 bytes where 10,000"),
    ],
)
def test_images_of_another_shape_or_number_than_they_should_be_are_named(
    fashion: Server, tmp_path: Path, name: str, place: int, number: tuple[int, ...], words: str
) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for other, _ in data_files.DIGITS["fashion-mnist"].resources:
        (raw / Path(other).stem).write_bytes(idx_file(other))
    content = bytearray((raw / name).read_bytes())
    for at, value in enumerate(number):
        content[place + 4 * at : place + 4 * at + 4] = value.to_bytes(4, "big")
    (raw / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        load(spec(tmp_path), CPU)
    assert str(caught.value).startswith(f"{raw / name} says that it holds {words} should be: it is broken. Remove it")


def test_what_an_older_torchvision_made_of_the_files_is_not_taken_for_them(fashion: Server, tmp_path: Path) -> None:
    whole = load(spec(tmp_path), CPU)
    processed = tmp_path / "FashionMNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.full((100, 28, 28), 7, dtype=torch.uint8), torch.zeros(100).long()), processed / name)
    data = load(spec(tmp_path), CPU)
    assert data.digest == whole.digest
    assert torch.equal(data.train.labels, whole.train.labels)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ((5, 3, 32, 32), (4,), "labels of 4 where 5 should be"),
        ((4, 3, 32, 32), (5,), "images of 4×3×32×32 where 5×3×32×32 should be"),
        ((5, 3, 16, 64), (5,), "images of 5×3×16×64 where"),
        ((5, 32, 32), (5,), "images of 5×32×32 where"),
        ((5, 3, 32, 32), (5, 1), "labels of 5×1 where 5 should be"),
    ],
)
def test_photographs_of_another_shape_or_number_than_they_should_be_are_told(
    tmp_path: Path, images: tuple[int, ...], labels: tuple[int, ...], words: str
) -> None:
    sound = torch.zeros(5, 3, 32, 32, dtype=torch.uint8), torch.zeros(5).long()
    broken = torch.zeros(images, dtype=torch.uint8), torch.zeros(labels).long()
    for parts in ((sound, broken), (broken, sound)):
        source = DataFolder("cifar10", (3, 32, 32), (5, 5), [], lambda parts=parts: parts, lambda progress: None)
        with pytest.raises(UserError) as caught:
            source.read(lambda text: None, tmp_path)
        assert f"cifar10 in {tmp_path} has {words}" in str(caught.value)


def test_a_root_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"fashion-mnist .*Not a directory.*--data-dir"):
        load(spec(tmp_path / "file"), CPU)
