"""What is said of a record's lines and of the whole of it: in each case that, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tui_trainer.events import encode
from tui_trainer.records.lines import LONGEST_LINE, EndsInNoLine, seal, split_tail
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail

OF_LINES = (
    "record.unread",
    "record.and_more",
    "record.unread_seen",
    "record.ends_in_no_line",
    "record.lines_missing",
    "record.lines_misplaced",
    "record.no_events",
    "record.cut_off",
    "record.later_form",
    "record.unknown_form",
    "record.may_lack",
)

LINES = [seal(encode(event), number) for number, event in enumerate(scripted_run(epochs=2), 1)]


def damaged(*numbers: int) -> list[bytes]:
    """The lines with a digit of some of them flipped."""
    return [line.replace(b'"at":1', b'"at":2', 1) if at in numbers else line for at, line in enumerate(LINES, 1)]


def tail_flaws(lines: list[bytes], folder: Path, more: bytes = b"") -> str:
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(lines) + more)
    with Tail(path) as tail:
        list(tail)
        return " ".join(tail.flaws)


def no_end(folder: Path) -> str:
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(LINES) + b"x" * (LONGEST_LINE + 200_000))
    with path.open("rb") as file, pytest.raises(EndsInNoLine) as refused:
        split_tail(file.fileno(), path.stat().st_size)
    return str(refused.value)


def summary(folder: Path, change: Callable[[Path], object]) -> str:
    record = Record.create(folder, {"preset_name": "steplr"})
    for event in scripted_run(epochs=2):
        record.emit(event)
    record.close()
    change(record.folder)
    return " ".join(summarize(record.folder).flaws)


def schema(value: object) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        facts = json.loads((folder / "run.json").read_text())
        (folder / "run.json").write_text(json.dumps({**facts, "schema": value}))

    return write


def damage(folder: Path) -> None:
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"at":1', b'"at":2', 1)
    (folder / "events.jsonl").write_bytes(b"".join(lines))


def no_file(folder: Path) -> None:
    (folder / "events.jsonl").unlink()
    (folder / "events.jsonl").mkdir()


Case = tuple[Callable[[Path], str], set[str], list[str]]

CASES: dict[str, Case] = {
    "a digit is flipped": (
        lambda folder: tail_flaws(damaged(3), folder),
        {"record.unread"},
        ["1 line of the record could not be read: 3. Damaged, or a later version's."],
    ),
    "many are": (
        lambda folder: tail_flaws(damaged(*range(2, 9)), folder),
        {"record.unread", "record.and_more"},
        ["7 lines of the record could not be read: 2, 3, 4, 5, 6 and more. Damaged"],
    ),
    "lines are missing": (
        lambda folder: tail_flaws([*LINES[:3], *LINES[5:]], folder),
        {"record.lines_missing"},
        ["2 lines of the record are missing."],
    ),
    "a line stands twice": (
        lambda folder: tail_flaws([*LINES[:5], LINES[3], *LINES[5:]], folder),
        {"record.lines_misplaced"},
        ["1 line of the record is not in its place, behind later ones or there twice; left out."],
    ),
    "garbage behind it": (no_end, {"record.ends_in_no_line"}, ["it ends in something that is no line"]),
    "seen at a glance": (
        lambda folder: summary(folder, damage),
        {"record.unread_seen"},
        ["1 line of the record could not be read"],
    ),
    "no file": (
        lambda folder: summary(folder, no_file),
        {"record.no_events"},
        ["its events.jsonl cannot be read: "],
    ),
    "a later form": (
        lambda folder: summary(folder, schema(99)),
        {"record.later_form", "record.may_lack"},
        ["it was written by a later version of tui-trainer: its form is 99, and", ". What is shown may lack something"],
    ),
    "a form that is none": (
        lambda folder: summary(folder, schema("x")),
        {"record.unknown_form", "record.may_lack"},
        ["its form is not known: its run.json says schema 'x'. What is shown may lack something"],
    ),
}


@pytest.mark.says("record.*")
@pytest.mark.never_says("record.*")
@pytest.mark.parametrize("case", CASES)
def test_this_is_said_and_nothing_else(case: str, tmp_path: Path, captions_said: set[str]) -> None:
    of, ids, words = CASES[case]
    told = of(tmp_path)
    for each in words:
        assert each in told
    assert captions_said & set(OF_LINES) == ids


@pytest.mark.never_says("record.cut_off", "record.unread", "record.ends_in_no_line", "record.lines_missing")
def test_of_a_sound_record_and_of_a_torn_last_line_nothing_is_said(tmp_path: Path, captions_said: set[str]) -> None:
    assert tail_flaws(LINES, tmp_path) == ""
    assert tail_flaws(LINES[:-1], tmp_path, more=LINES[-1][:20]) == ""
    assert summary(tmp_path / "runs", lambda folder: None) == ""
    assert not captions_said & set(OF_LINES)


def test_each_is_said_in_a_case() -> None:
    assert set().union(*(ids for _, ids, _ in CASES.values())) | {"record.cut_off"} == set(OF_LINES)
