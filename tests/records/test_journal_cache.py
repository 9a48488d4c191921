"""A journal's packed form: the same state of the run, sooner; and never trusted beyond what the journal says."""

from __future__ import annotations

import errno
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.streams import anything, fold, runs, runs_with_metrics, state_of, tables
from tests.scripted import scripted_run
from tui_trainer.events import AnyEvent, encode
from tui_trainer.records import journal_cache, merging
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.journal_cache import Packer, packed_beside
from tui_trainer.records.lines import LONGEST_LINE
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.run_source import replay

SMALL = 1500
"""Bytes of a block: some ten lines."""


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with patch.object(journal_cache, "BLOCK", SMALL), patch.object(merging, "LEAST_IN_A_TABLE", 4):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a journal that is written anew for each example."""
    return tmp_path_factory.mktemp("run")


def written(folder: Path, events: list[AnyEvent]) -> Path:
    """A journal of these events, packed as far as its blocks are full."""
    path = folder / "events.jsonl"
    for file in folder.iterdir():
        file.unlink()
    journal = Journal(path)
    for event in events:
        journal.emit(event)
    journal.close()
    return path


def told(path: Path, *, quickly: bool) -> tuple[int, Any]:
    """How many events a reader is given, and what state of the run they come to."""
    history, count = History(), 0
    with Tail(path, packed=quickly) as tail:
        for event in tail:
            history.apply(event)
            count += 1
        lines = tail.lines, tail.skipped_lines
    history.version = 0  # fewer events were applied
    return count, (lines, state_of(history))


@given(st.one_of(runs(), anything, runs_with_metrics(), tables()))
def test_what_is_packed_comes_to_the_same_state(folder: Path, events: list[AnyEvent]) -> None:
    path = written(folder, events)
    assert told(path, quickly=True)[1] == told(path, quickly=False)[1]


def test_what_is_packed_is_fewer_events_and_is_used(folder: Path) -> None:
    with patch.object(journal_cache, "BLOCK", 4 * SMALL):
        path = written(folder, scripted_run(epochs=2, batches=200, steps_a_line=1))
    quick, slow = told(path, quickly=True), told(path, quickly=False)
    assert quick[0] < slow[0] / 2
    assert quick[1] == slow[1]
    assert stat.S_IMODE(packed_beside(path).stat().st_mode) == 0o600
    history = replay(folder)
    assert history.steps == 400
    assert history.version < slow[0] / 2


@given(st.data())
def test_a_damaged_one_is_passed_over(folder: Path, data: st.DataObject) -> None:
    path = written(folder, scripted_run(epochs=3, batches=20))
    file = packed_beside(path)
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.sampled_from(["flipped", "cut", "garbage", "lost"]))
    if damage == "flipped":
        file.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    elif damage == "cut":
        file.write_bytes(whole[:at])
    elif damage == "garbage":
        file.write_bytes(whole[:at] + data.draw(st.binary(max_size=200)))
    else:
        file.unlink()
    assert told(path, quickly=True)[1] == told(path, quickly=False)[1]


@given(st.data())
def test_one_of_another_journal_is_passed_over(folder: Path, data: st.DataObject) -> None:
    path = written(folder, scripted_run(epochs=3, batches=20))
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(whole[:at])
    else:
        path.write_bytes(whole[:at] + data.draw(st.sampled_from([b"x", b"\n", b"7"])) + whole[at + 1 :])
    assert told(path, quickly=True)[1] == told(path, quickly=False)[1]


@pytest.mark.parametrize("torn", [b"ttp1", b"\0" * 100, b"ttp1" + b"\xff" * 100])
def test_a_process_that_goes_on_cuts_off_what_is_torn_and_packs_on(folder: Path, torn: bytes) -> None:
    events = scripted_run(epochs=4, batches=20)
    path = written(folder, events[: len(events) // 2])
    half = packed_beside(path).read_bytes()
    packed_beside(path).write_bytes(half + torn)
    journal = Journal(path, known=fold(events[: len(events) // 2]).known)
    for event in events[len(events) // 2 :]:
        journal.emit(event)
    journal.close()
    now = packed_beside(path).read_bytes()
    assert now.startswith(half)
    assert len(now) > len(half) * 3 // 2
    assert told(path, quickly=True)[1] == told(path, quickly=False)[1]


def test_a_full_disk_costs_the_packed_form_alone(folder: Path) -> None:
    events = scripted_run(epochs=3, batches=20)
    path = folder / "events.jsonl"
    for file in folder.iterdir():
        file.unlink()
    journal = Journal(path)
    write = os.write

    def full(fd: int, text: bytes) -> int:
        if text.startswith(b"ttp1"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, text)

    with patch.object(os, "write", full):
        for event in events:
            journal.emit(event)
    journal.close()
    with Tail(path) as tail:
        assert list(tail) == events
        assert tail.flaws == []
    assert packed_beside(path).read_bytes() == b""


def test_lines_that_are_no_events_are_left_to_be_read_one_by_one(folder: Path) -> None:
    lines = [encode(event) for event in scripted_run(epochs=3, batches=20)]
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(lines[:30]) + b"garbage\n" + b"".join(lines[30:]))
    packed_beside(path).unlink(missing_ok=True)
    packer = Packer(path)
    with path.open("rb") as journal:
        for _ in lines:
            packer.follow(journal.fileno(), path.stat().st_size)
    packer.close()
    assert packed_beside(path).stat().st_size > 0
    quick = told(path, quickly=True)[1]
    assert quick == told(path, quickly=False)[1]
    assert quick[0] == (len(lines) + 1, [31])


def test_a_line_that_nobody_reads_is_not_read_to_be_packed(folder: Path) -> None:
    """Such a line is damage, and may be longer than there is memory."""
    path = folder / "events.jsonl"
    sound = b"".join(encode(event) for event in scripted_run(epochs=3, batches=20))
    with path.open("wb") as journal:
        journal.write(b"x" * (64 << 20) + b"\n" + sound)
    packed_beside(path).unlink(missing_ok=True)
    packer = Packer(path)
    tracemalloc.start()
    try:
        with path.open("rb") as journal:
            packer.follow(journal.fileno(), path.stat().st_size)
        assert tracemalloc.get_traced_memory()[1] < 2 * LONGEST_LINE
    finally:
        tracemalloc.stop()
        packer.close()
    assert packed_beside(path).read_bytes() == b""


@pytest.mark.parametrize(
    "forged",
    [
        {"type": "MetricColumns", "at": 1.0, "steps": [], "values": {}},
        {"type": "StepsTaken", "at": 1.0, "step": 1, "epoch": 1, "batch": 1, "losses": [], "lrs": [], "elapsed": []},
        {"type": "ConfusionCounted", "at": 1.0, "epoch": 1, "step": 1, "classes": ["a", "b"], "counts": [[1]]},
        {"type": "Paused", "at": float("nan"), "step": 1, "by": "x"},
    ],
    ids=lambda forged: forged["type"],
)
def test_events_that_no_line_could_be_are_passed_over(folder: Path, forged: dict[str, Any]) -> None:
    """A block's checksum is no secret: whoever may write there may forge it."""
    path = written(folder, scripted_run(epochs=1, batches=20))
    lines = path.read_bytes()
    with patch.object(journal_cache, "merged", lambda events: [forged]):
        packed_beside(path).write_bytes(journal_cache.pack(lines, 0))
    assert told(path, quickly=True)[1] == told(path, quickly=False)[1]
