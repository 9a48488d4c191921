"""Copies follow files that grow, shrink, are written anew, rotate and go; by a shell of this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.far_side import fake_ssh
from tests.waiting import until
from tui_trainer.remote import mirror as module
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.mirror import Mirror

HEAD = b"step,loss\n"


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    fake_ssh(tmp_path, monkeypatch)
    monkeypatch.setattr(module, "LIST_EVERY_S", 0.0)
    monkeypatch.setattr(module, "SETTLED_S", 0.0)
    one = Connection(Address("box"))
    yield one
    one.close()


@pytest.fixture
def there(tmp_path: Path) -> Path:
    folder = tmp_path / "far"
    folder.mkdir()
    return folder


def catch_up(mirror: Mirror, connection: Connection) -> None:
    mirror.look(connection)

    def looks() -> bool:
        mirror.look(connection)
        return not mirror.lags

    until(looks)


def test_each_byte_comes_once(tmp_path: Path, there: Path, connection: Connection) -> None:
    mirror = Mirror(tmp_path / "here", str(there), lambda name: name.endswith(".csv"))
    file, copy = there / "a.csv", tmp_path / "here" / "a.csv"
    (there / "a.pt").write_bytes(b"no record")
    whole = HEAD
    file.write_bytes(whole)
    came = 0
    for _ in range(5):
        new = os.urandom(1000)
        with file.open("ab") as end:
            end.write(new)
        whole += new
        came += mirror.look(connection)
        assert copy.read_bytes() == whole
    assert came == len(whole)
    assert mirror.look(connection) == 0
    assert [path.name for path in copy.parent.iterdir()] == ["a.csv"]


def test_a_file_that_shrinks_or_begins_otherwise_is_copied_anew(
    tmp_path: Path, there: Path, connection: Connection
) -> None:
    mirror = Mirror(tmp_path / "here", str(there), lambda _: True)
    file, copy = there / "a", tmp_path / "here" / "a"
    for content in (b"long" * 100, b"short", b"other" * 400, b"", b"x"):
        with file.open("r+b" if file.exists() else "wb") as same_file:
            same_file.truncate(0)
            same_file.write(content)
        catch_up(mirror, connection)
        assert copy.read_bytes() == content


def test_of_a_file_that_rotates_the_rest_comes_first_and_then_the_new_one(
    tmp_path: Path, there: Path, connection: Connection
) -> None:
    mirror = Mirror(tmp_path / "here", str(there), lambda name: name == "a")
    file, copy = there / "a", tmp_path / "here" / "a"
    file.write_bytes(HEAD + b"1\n")
    catch_up(mirror, connection)
    seen = copy.open("rb")
    with file.open("ab") as end:
        end.write(b"2\n")
    file.rename(there / "a.1")
    file.write_bytes(HEAD + b"3\n4\n5\n6\n")  # longer than the old one was, with the same beginning
    catch_up(mirror, connection)
    assert seen.read() == HEAD + b"1\n2\n"
    seen.close()
    assert copy.read_bytes() == HEAD + b"3\n4\n5\n6\n"


def test_one_that_goes_leaves_its_copy_and_one_that_comes_is_found(
    tmp_path: Path, there: Path, connection: Connection
) -> None:
    mirror = Mirror(tmp_path / "here", str(there), lambda _: True)
    for name in ("a", "b"):
        (there / name).write_text(name)
    catch_up(mirror, connection)
    (there / "a").unlink()
    with (there / "b").open("a") as end:
        end.write("b")
    (there / "deep").mkdir()
    (there / "deep" / "c").write_text("c")
    for _ in range(2):
        catch_up(mirror, connection)
    here = tmp_path / "here"
    assert [(here / name).read_text() for name in ("a", "b", "deep/c")] == ["a", "bb", "c"]
    (there / "a").write_text("again")
    catch_up(mirror, connection)
    assert (here / "a").read_text() == "again"


def test_a_document_is_only_ever_seen_whole(tmp_path: Path, there: Path, connection: Connection) -> None:
    mirror = Mirror(tmp_path / "here", str(there), lambda _: True, documents=lambda _: True)
    file, copy = there / "state.json", tmp_path / "here" / "state.json"
    same = b"x" * 300
    seen = set()
    for content in (same + b"1" * 400_000, same + b"2" * 500_000, same + b"3" * 500_000, same + b"4"):
        file.write_bytes(content)
        os.utime(file, (1e9 + len(seen), 1e9 + len(seen)))
        catch_up(mirror, connection)
        seen.add(copy.read_bytes())
        assert copy.read_bytes() == content
    file.write_bytes(same + b"5")
    for content in (same + b"5", same + b"6"):  # twice in a second, of one length
        file.write_bytes(content)
        os.utime(file, ns=(time.time_ns(), time.time_ns() // 10**9 * 10**9))
        catch_up(mirror, connection)
        assert copy.read_bytes() == content


def test_of_a_log_only_the_end_comes_and_takes_no_more_room(
    tmp_path: Path, there: Path, connection: Connection
) -> None:
    (there / "log.txt").write_bytes(b"a" * 500_000 + b"end")
    mirror = Mirror(tmp_path / "here", str(there), lambda _: True, last_bytes=lambda _: 1000)
    assert mirror.look(connection) == 1000
    copy = tmp_path / "here" / "log.txt"
    assert copy.stat().st_size == 500_003
    assert copy.read_bytes().endswith(b"a" * 997 + b"end")
    assert copy.stat().st_blocks * 512 < 100_000


@pytest.mark.says("remote.too_large", "remote.too_many_files")
@pytest.mark.never_says("remote.too_large", "remote.too_many_files")
def test_what_is_too_much_is_not_fetched_and_told(
    tmp_path: Path, there: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    for name in ("a", "b"):
        (there / name).write_bytes(b"x" * (3 << 20))
    mirror = Mirror(tmp_path / "here", str(there), lambda _: True, most=4 << 20)
    mirror.look(connection)
    assert not captions_said
    (there / "c").touch()
    catch_up(mirror, connection)
    assert mirror.flaws == [
        "there are more than 2 files: the others are not fetched",
        *[flaw for flaw in mirror.flaws if "its rest is not fetched: no more than 4 MiB of a record is" in flaw],
    ]
    assert 2 <= len(mirror.flaws) <= 3
    assert sum(path.stat().st_size for path in (tmp_path / "here").iterdir()) < 6 << 20
