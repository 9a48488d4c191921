"""A disk that runs low: when that is told, and when it is not."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from tui_trainer.run_sources.disk_room import DiskRoom

MB = 1_000_000
DISK = 500_000 * MB

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.says("health.low_disk")
def test_under_500_mb_are_low_and_told_once() -> None:
    room = DiskRoom()
    assert room.take(500 * MB, DISK) is None
    assert room.take(499 * MB, DISK) == (
        "low-disk",
        "low disk: 499 MB left on the disk of this record: make room there",
        "",
    )
    assert room.take(100 * MB, DISK) is None


@pytest.mark.says("health.low_disk")
@pytest.mark.never_says("health.low_disk")
def test_of_a_small_disk_it_is_a_twentieth() -> None:
    room = DiskRoom()
    assert room.take(3 * MB, 60 * MB) is None
    assert room.take(3 * MB - 1, 60 * MB) is not None


@pytest.mark.says("health.low_disk_checkpoints")
@pytest.mark.never_says("health.low_disk_checkpoints")
def test_three_checkpoints_must_have_room() -> None:
    room = DiskRoom()
    assert room.take(2_700 * MB, DISK, 900 * MB) is None
    told = room.take(2_699 * MB, DISK, 900 * MB)
    assert told is not None
    assert told[1] == "low disk: 2.7 GB left on the disk of this record, for checkpoints of 900 MB: make room there"


@pytest.mark.says("health.disk_left", "health.over")
@pytest.mark.never_says("health.disk_left")
def test_it_is_over_with_half_as_much_again() -> None:
    room = DiskRoom()
    assert room.take(900 * MB, DISK) is None  # nothing was told
    assert room.take(400 * MB, DISK) is not None
    assert room.take(749 * MB, DISK) is None
    assert room.take(750 * MB, DISK) == ("recovered", "no longer low disk: 750 MB left", "low-disk")
    assert room.take(400 * MB, DISK) is not None


def test_a_record_is_looked_at_with_the_largest_of_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(DISK, DISK - 600 * MB, 600 * MB))
    assert DiskRoom().look(tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    for name, size in (("last.pt", 200 * MB + 1), ("best.pt", 1 * MB)):
        with (tmp_path / "checkpoints" / name).open("wb") as file:
            file.truncate(size)
    told = DiskRoom().look(tmp_path)
    assert told is not None
    assert "for checkpoints of 200 MB" in told[1]


def test_a_disk_that_cannot_be_asked_is_no_matter_of_room(tmp_path: Path) -> None:
    assert DiskRoom().look(tmp_path / "gone") is None
