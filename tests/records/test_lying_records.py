"""Records that are damaged, or made to lie: each loss is said, none costs much, and writing goes on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.damaged import exported, on_screen, written
from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tui_trainer.events import (
    LONGEST_TEXT,
    Alert,
    AnyEvent,
    CallsMade,
    EpochEnded,
    PlanMade,
    RunEnded,
    RunStarted,
    StepsTaken,
    decode,
    encode,
)
from tui_trainer.records.flaws import MISSING_AT_MOST
from tui_trainer.records.journal import Journal
from tui_trainer.records.journal_cache import packed_beside
from tui_trainer.records.lines import seal
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import replay

EVENTS = scripted_run(epochs=5, batches=20, steps_a_line=3)


def lied(events: list[AnyEvent], at_step: int, **fields: Any) -> list[AnyEvent]:
    """The events with other numbers in the line that begins with this step."""
    told = list(events)
    (at,) = [i for i, event in enumerate(told) if isinstance(event, StepsTaken) and event.step == at_step]
    told[at] = msgspec.structs.replace(told[at], **fields)  # type: ignore[type-var]
    return told


# Old records, whose lines carry nothing that shows what they were


@pytest.mark.parametrize("wrong", [98, 95, 24, 16, 1, 10**6, 10**12])
def test_a_wrong_step_costs_its_line_and_nothing_behind_it(tmp_path: Path, wrong: int) -> None:
    written(tmp_path, lied(EVENTS, 19, step=wrong, batch=min(wrong, 19)), sealed=False)
    steps, warnings = exported(tmp_path)
    assert [step for step in range(1, 101) if step not in steps] == [19, 20]
    assert steps == sorted(set(steps))
    assert "2 steps are missing from the record: 19 to 20." in warnings
    assert any("contradicts itself" in warning for warning in warnings)
    assert set(warnings) <= set(on_screen(tmp_path))


def test_a_wrong_last_line_is_not_believed(tmp_path: Path) -> None:
    cut = max(i for i, event in enumerate(EVENTS[:60]) if isinstance(event, StepsTaken))
    last = EVENTS[cut]
    assert isinstance(last, StepsTaken)
    written(tmp_path, lied(EVENTS[: cut + 1], last.step, step=97), sealed=False)
    record = Record.reopen(tmp_path)
    assert record.history.steps == last.step - 1
    for event in EVENTS:
        record.emit(event)  # trained again, from the first step
    record.close()
    assert exported(tmp_path)[0] == list(range(1, 101))


@pytest.mark.parametrize("wrong", [98, 1])
def test_a_resumed_run_records_on_behind_a_wrong_step(tmp_path: Path, wrong: int) -> None:
    """The line said 98 where 19 stands: nothing that was trained behind it was recorded any more."""
    cut = next(i for i, event in enumerate(EVENTS) if isinstance(event, StepsTaken) and event.step > 60)
    written(tmp_path, lied(EVENTS[:cut], 19, step=wrong, batch=1), sealed=False)
    record = Record.reopen(tmp_path)
    assert record.history.steps == 60
    for event in EVENTS:
        record.emit(event)
    record.close()
    steps, _ = exported(tmp_path)
    assert [step for step in range(1, 101) if step not in steps] == [19, 20]


@pytest.mark.says("record.wrong_epoch")
def test_a_wrong_epoch_is_the_one_around_it(tmp_path: Path) -> None:
    written(tmp_path, lied(EVENTS, 27, epoch=9), sealed=False)
    history = replay(tmp_path)
    assert history.epoch_starts == [1, 21, 41, 61, 81]
    assert history.known.flaws.in_words() == [
        "the record contradicts itself; counted to the epoch around them: steps 27 to 29."
    ]


@pytest.mark.says("record.epoch_end_left_out", "record.epoch_ends_missing")
def test_the_end_of_an_epoch_that_cannot_be_is_left_out(tmp_path: Path) -> None:
    told = [
        msgspec.structs.replace(event, epoch=900) if isinstance(event, EpochEnded) and event.epoch == 2 else event
        for event in EVENTS
    ]
    written(tmp_path, told, sealed=False)
    history = replay(tmp_path)
    assert [epoch.epoch for epoch in history.epochs] == [1, 3, 4, 5]
    assert history.known.flaws.in_words() == [
        "the record does not have the end of epoch 2.",
        "the record contradicts itself; left out: the end of epoch 900.",
    ]


@pytest.mark.says("record.left_out")
def test_a_gap_of_millions_of_steps_is_left_out(tmp_path: Path) -> None:
    far = [
        StepsTaken(at=START, step=9_900_000 + i, epoch=1, batch=1 + i, losses=[1.0], lrs=[0.1], elapsed=[9.0])
        for i in range(3)
    ]
    written(tmp_path, [*EVENTS[:-1], *far], sealed=True)
    history = replay(tmp_path)
    assert history.steps == 100
    assert any("9,900,000 behind step 100" in flaw for flaw in history.known.flaws.in_words())


def test_many_gaps_are_no_more_than_one(tmp_path: Path) -> None:
    far = [
        StepsTaken(at=START, step=step, epoch=1, batch=1, losses=[1.0], lrs=[0.1], elapsed=[9.0])
        for step in range(1, 40 * MISSING_AT_MOST, MISSING_AT_MOST // 2)
    ]
    written(tmp_path, far, sealed=True)
    assert replay(tmp_path).steps < 1.1 * MISSING_AT_MOST


def test_lines_that_are_lost_leave_a_hole_that_is_told(tmp_path: Path) -> None:
    told = [event for event in EVENTS if not (isinstance(event, StepsTaken) and 40 < event.step <= 60)]
    told = [event for event in told if not (isinstance(event, EpochEnded) and event.epoch == 3)]
    written(tmp_path, told, sealed=False)
    steps, warnings = exported(tmp_path)
    assert steps == [*range(1, 41), *range(61, 101)]
    assert warnings == [
        "20 steps are missing from the record: 41 to 60.",
        "the record does not have the end of epoch 3.",
    ]
    assert on_screen(tmp_path) == warnings
    assert summarize(tmp_path).flaws == [warnings[1]]  # a glance does not read every step


# Records with seals


@pytest.mark.slow
@given(st.data())
def test_no_flipped_bit_and_no_line_is_lost_in_silence(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = tmp_path_factory.mktemp("run")
    journal = written(folder, EVENTS, sealed=True)
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    kind = data.draw(st.sampled_from(["bit", "lost", "twice", "swapped", "put in"]))
    at = data.draw(st.integers(0, len(lines) - 2))
    if kind == "bit":
        place = data.draw(st.integers(0, len(whole) - 2))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << data.draw(st.integers(0, 7))
        journal.write_bytes(flipped)
    elif kind == "lost":
        journal.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
    elif kind == "twice":
        journal.write_bytes(b"".join([*lines[: at + 1], *lines[at:]]))
    elif kind == "swapped":
        journal.write_bytes(b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]))
    else:
        journal.write_bytes(b"".join([*lines[:at], b"garbage\n", *lines[at:]]))
    with Tail(journal) as tail:
        read = list(tail)
    if [*map(repr, read)] == [*map(repr, EVENTS)] and kind == "bit":
        return  # in the mark of a seal: the line is whole, and was taken as an older one
    assert tail.flaws
    assert read == [event for event in read if event in EVENTS]
    assert len(read) >= len(EVENTS) - 2
    assert set(tail.flaws) <= set(on_screen(folder))
    assert set(tail.flaws) <= set(exported(folder)[1])
    assert summarize(folder).flaws or kind == "bit"  # it does not look at every bit


def test_a_flipped_digit_of_a_loss_is_found(tmp_path: Path) -> None:
    journal = written(tmp_path, EVENTS, sealed=True)
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(i for i, event in enumerate(EVENTS) if isinstance(event, StepsTaken) and event.step == 19)
    lines[at] = lines[at].replace(b'"losses":[', b'"losses":[1')
    journal.write_bytes(b"".join(lines))
    steps, warnings = exported(tmp_path)
    assert 19 not in steps
    assert 18 in steps
    assert 21 in steps
    assert any(f"could not be read: {at + 1}." in warning for warning in warnings)


def test_a_sound_record_is_said_to_have_no_flaw(tmp_path: Path) -> None:
    for sealed in (True, False):
        written(tmp_path, EVENTS, sealed=sealed)
        assert exported(tmp_path) == (list(range(1, 101)), [])
        assert on_screen(tmp_path) == []
        assert summarize(tmp_path).flaws == []


def test_lines_stay_plain_json_in_which_two_fields_are_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    for event in EVENTS:
        journal.emit(event)
    journal.close()
    for number, line in enumerate((tmp_path / "events.jsonl").read_text().splitlines(), 1):
        fields = json.loads(line)
        assert fields.pop("line") == number
        assert len(fields.pop("crc32")) == 8
        assert fields == json.loads(encode(EVENTS[number - 1]))


def test_an_older_record_is_gone_on_with_and_its_lines_are_counted_on(tmp_path: Path) -> None:
    journal = written(tmp_path, EVENTS[:40], sealed=False)
    record = Record.reopen(tmp_path)
    for event in EVENTS[40:]:
        record.emit(event)
    record.close()
    assert json.loads(journal.read_text().splitlines()[40])["line"] == 41
    with Tail(journal) as tail:
        assert list(tail) == EVENTS
        assert tail.flaws == []


@pytest.mark.parametrize("cut", [0, 1, 10, 18, 19, 21, 40])
def test_a_sealed_line_that_is_torn_is_cut_off(tmp_path: Path, cut: int) -> None:
    journal = written(tmp_path, EVENTS[:41], sealed=True)
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) - cut])
    writer = Journal(journal)
    writer.emit(EVENTS[41])
    writer.close()
    with Tail(journal) as tail:
        kept = list(tail)
        assert tail.flaws == []
    assert kept == (EVENTS[:42] if cut <= 1 else [*EVENTS[:40], EVENTS[41]])


def test_a_packed_form_over_a_damaged_line_is_not_made(tmp_path: Path) -> None:
    journal = tmp_path / "events.jsonl"
    writer = Journal(journal)
    for event in scripted_run(epochs=40, batches=100, steps_a_line=3):
        writer.emit(event)
    writer.close()
    whole = journal.read_bytes()
    packed_beside(journal).unlink()
    at = whole.index(b'"losses":[') + len(b'"losses":[')
    journal.write_bytes(whole[:at] + b"7" + whole[at + 1 :])
    Journal(journal).close()
    with Tail(journal, packed=True) as tail:
        for _ in tail:
            pass
    assert tail.skipped == 1


# What one event may cost


def test_a_plan_whose_lists_differ_is_no_event(tmp_path: Path) -> None:
    plan = PlanMade(at=START, steps=[1, 2, 3], lrs=[0.1], last_step=100)
    written(tmp_path, [*EVENTS[:2], plan, *EVENTS[2:]], sealed=True)
    assert all(len(plan.steps) == len(plan.lrs) for plan in replay(tmp_path).plans)
    assert any("could not be read: 3." in text for text in on_screen(tmp_path))


@pytest.mark.parametrize("steps", [[0, 1], [2, 1], [1, 1], [-3]])
def test_a_plan_whose_steps_do_not_follow_is_no_event(steps: list[int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(encode(PlanMade(at=START, steps=steps, lrs=[0.1] * len(steps), last_step=100)))


@pytest.mark.says("notice.cut")
@pytest.mark.never_says("notice.cut")
def test_a_text_without_measure_is_cut_as_it_is_told_and_as_it_is_read(captions_said: set[str]) -> None:
    told = Alert(at=START, kind="warning", text="x" * 2**20)
    assert len(told.text) <= LONGEST_TEXT
    assert "more characters are left out" in told.text
    line = b'{"type":"Noticed","at":1.0,"kind":"warning","text":"%s"}' % (b"x" * 2**20)
    read = decode(line)
    assert isinstance(read, Alert)
    assert read.text == told.text
    captions_said.clear()
    short = Alert(at=START, kind="warning", text="x" * LONGEST_TEXT)
    assert short.text == "x" * LONGEST_TEXT
    assert not captions_said


@pytest.mark.parametrize(
    "line",
    [
        encode(CallsMade(at=START, step=1, epoch=1, batch=1, calls=["x"] * 10_000)),
        encode(CallsMade(at=START, step=1, epoch=1, batch=1, calls=["x" * 10_000])),
        encode(RunStarted(at=START, run="x" * 2**20, schema=1, pid=1, host="h")),
        encode(EpochEnded(**{name: 1 for name in EpochEnded.__struct_fields__ if name != "at"}, at=1e300)),
    ],
)
def test_what_no_run_says_is_no_event(line: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(line)


def test_a_viewer_is_quick_with_what_would_cost_most(tmp_path: Path) -> None:
    costly = [Alert(at=START, kind="warning", text="\u202e" * 2**20)] * 3
    written(
        tmp_path,
        [
            *EVENTS[:-1],
            *costly,
            RunEnded(at=START, status="finished", reason="x" * 10**6, step=100, epoch=5, exit_code=0),
        ],
        sealed=True,
    )
    began = time.process_time()
    host = JournalSource(tmp_path)
    while host.poll():
        pass
    assert host.history.ended is not None
    assert sum(len(notice.text) for notice in host.history.notices) < 5 * LONGEST_TEXT
    assert time.process_time() - began < 5


# Where the record of a resumed run begins


def test_steps_of_a_checkpoint_that_the_record_does_not_reach_are_a_hole(tmp_path: Path) -> None:
    begun = EVENTS[:30]
    again = RunStarted(at=START, run="r", schema=1, pid=1, host="h", resumed_from_step=60)
    behind = [event for event in EVENTS if getattr(event, "step", 0) > 60]
    history = fold([*begun, again, *behind])
    assert history.steps == 100
    (missing, *_) = history.known.flaws.in_words()
    assert missing.endswith("to 60.")
    written(tmp_path, [*begun, again, *behind], sealed=True)
    flaws = summarize(tmp_path).flaws
    assert any(flaw.endswith("to 60.") for flaw in flaws)


@pytest.mark.parametrize("resumed", [None, 0])
def test_a_run_trained_again_from_its_first_step_has_no_hole(resumed: int | None) -> None:
    again = RunStarted(at=START, run="r", schema=1, pid=1, host="h", resumed_from_step=resumed)
    assert fold([*EVENTS[:30], again, *EVENTS[6:]]).known.flaws.in_words() == []


def test_a_glance_at_a_record_keeps_no_room_for_steps_that_it_cannot_hold(tmp_path: Path) -> None:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    for event in scripted_run():
        record.emit(event)
    record.close()
    sound = summarize(record.folder)
    assert sound.flaws == []
    lie = StepsTaken(at=2e9, step=10**12, epoch=9, batch=1, losses=[0.1], lrs=[0.1], elapsed=[9.0])
    with (record.folder / "events.jsonl").open("ab") as file:
        file.write(encode(lie))
    summary = summarize(record.folder)
    assert summary.steps_done == sound.steps_done
    assert "1 line of the record could not be read" in summary.flaws


@pytest.mark.parametrize(
    "row",
    [
        b'"at":1,"step":1,"values":5}',
        b'"step":1}',
        b'"at":1,"step":-1,"values":{"a":1}}',
        b'"at":1,"step":1,"values":{"a":1e999}}',
        b'"at":1,"step":1,"values":{"a":1}}x',
    ],
)
def test_a_row_of_numbers_that_is_none_is_counted_in_a_list_of_runs(row: bytes, tmp_path: Path) -> None:
    """Sealed as a sound one: by a later version, or by somebody who means ill."""
    folder = tmp_path / "20260101-000000-x"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    began = encode(RunStarted(at=1.0, run="r", schema=2, pid=1, host="h"))
    lines = [began, *[b'{"type":"MetricsLogged",' + row + b"\n"] * 2]
    (folder / "events.jsonl").write_bytes(b"".join(seal(line, number) for number, line in enumerate(lines, 1)))
    assert any("could not be read" in flaw for flaw in summarize(folder).flaws)
