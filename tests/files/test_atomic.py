"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_trainer.files.atomic import atomic_files, clear_drafts, write_atomic, write_new


def test_a_file_is_replaced_and_its_mode_is_what_was_asked_for(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for private, mode in ((True, 0o600), (False, 0o644)):
            for content in (b"one", b"two"):
                write_atomic(tmp_path / "file", content, private=private)
                assert (tmp_path / "file").read_bytes() == content
            assert (tmp_path / "file").stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_where_the_disk_is_full_the_old_one_stands_and_no_draft_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomic(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(tmp_path / "file", b"new")
    with pytest.raises(OSError, match="No space left"):
        write_new(tmp_path / "other", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_the_file_and_then_its_folder_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []

    def sync(fd: int) -> None:
        path = Path(f"/dev/fd/{fd}")
        synced.append((path.is_dir(), (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write_atomic(tmp_path / "file", b"content")
    assert synced == [(False, False), (True, True)]


def test_of_several_files_all_take_their_places_or_none(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    with atomic_files(paths, private=False) as files:
        for file, content in zip(files, (b"1", b"2"), strict=True):
            file.write(content)
        assert not any(path.exists() for path in paths)

    def interrupted() -> None:
        with atomic_files(paths, private=False) as files:
            files[0].write(b"3")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"1", b"2"]


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    write_new(tmp_path / "file", b"first")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"first"


@pytest.mark.parametrize("write", [write_atomic, write_new])
def test_what_killed_processes_left_is_cleared_by_the_next_writer_and_what_others_are_writing_is_not(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    names = (".[f]*.0123abcd", ".[f]*.4567cdef", ".f.0123abcd", ".[f]*.old")
    old, new, another, no_draft = (tmp_path / name for name in names)
    for path in (old, new, another, no_draft):
        path.write_bytes(b"half")
    for path in (old, another, no_draft):
        os.utime(path, (0, 0))
    write(tmp_path / "[f]*", b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "[f]*", new, another, no_draft])


def test_who_has_a_folder_alone_clears_the_drafts_of_all_its_files(tmp_path: Path) -> None:
    for name in (".run.json.0123abcd", ".most_wrong.json.4567cdef"):
        (tmp_path / name).write_bytes(b"half")
    kept = [tmp_path / name for name in (".hidden", "events.jsonl", "file.0123abcd")]
    for path in kept:
        path.write_bytes(b"whole")
    clear_drafts(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
