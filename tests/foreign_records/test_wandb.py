"""W&B's file of a run: blocks of 32 KiB, records over several of them, torn ones and damaged ones."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.foreign_records.event_files import block, number
from tests.foreign_records.followed import Followed
from tui_trainer.foreign_records.block_log import BLOCK
from tui_trainer.foreign_records.wandb_file import HEAD, Wandb
from tui_trainer.foreign_records.wandb_history import ENOUGH, Histories
from tui_trainer.foreign_records.wire import BYTES, fields

KIND = Wandb()


def history(step: int, **values: object) -> bytes:
    return logged(step, {name: json.dumps(value) for name, value in values.items()})


def logged(step: int, texts: Mapping[str, str]) -> bytes:
    """A record of what was logged at a step; a step of 0 is left out."""
    items = b"".join(
        block(1, b"".join(block(2, part) for part in name.split("__")) + block(16, text))
        for name, text in texts.items()
    )
    return number(1, step + 1) + block(2, items + block(2, number(1, step) if step else b""))


def log(*records: bytes) -> bytearray:
    """As LevelDB's log has them, with W&B's head."""
    made = bytearray(HEAD)
    for record in records:
        first, left = True, record
        while first or left:
            room = BLOCK - len(made) % BLOCK
            if room < 7:
                made += bytes(room)
                continue
            part, left = left[: room - 7], left[room - 7 :]
            kind = (1 if first else 4) if not left else (2 if first else 3)
            made += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            first = False
    return made


def test_keys_within_keys_words_for_numbers_and_the_end(tmp_path: Path) -> None:
    assert not KIND.recognises(tmp_path)
    (path := tmp_path / "run-abc.wandb").write_bytes(
        log(
            block(17, block(1, "abc") + block(8, "night")),
            history(0, loss=0.5, val__acc=0.25, note="words", _timestamp=1.7e9, _runtime=1.5),
            history(1, loss=float("nan"), _timestamp=1.7e9 + 2, _runtime=3.5, hist___type="histogram", hist__count=3),
            history(2, val={"img": {"_type": "image", "width": 8}}, _timestamp=1.7e9 + 2),
            block(18, number(1, 1)),
        )
    )
    assert KIND.recognises(path)
    followed = Followed(KIND, path)
    assert str(followed.all_numbers) == "{'loss': {0: 0.5, 1: nan}, 'val.acc': {0: 0.25}}"
    assert followed.history.first_started is not None
    assert followed.reader.name == followed.history.first_started.run == "night"
    assert followed.flaws == ["left out: hist, note, val.img"]
    assert (followed.history.status, followed.history.elapsed_s) == ("crashed", 2.0)


def test_block_by_block_as_it_is_written_nothing_is_missed_or_doubled(tmp_path: Path) -> None:
    content = log(*(history(step, loss=step / 2, text="x" * (step % 7) * 4000) for step in range(40)))
    assert len(content) > 5 * BLOCK
    (path := tmp_path / "run.wandb").write_bytes(b"")
    followed = Followed(KIND, path)
    for end in (3, 7, 9, *range(BLOCK // 3, len(content), BLOCK // 3), len(content)):
        path.write_bytes(content[:end])
        followed.look()
    assert followed.numbers("loss") == {step: step / 2 for step in range(40)}
    assert not followed.history.series["loss"].attempts


@pytest.mark.says("foreign.bad_events")
def test_a_damaged_record_is_left_out_and_the_next_block_is_read(tmp_path: Path) -> None:
    content = log(*(history(step, loss=step) for step in range(3000)))
    content[HEAD.__len__() + 12] ^= 1  # the first record's
    content[BLOCK + 40] ^= 1
    (path := tmp_path / "run.wandb").write_bytes(content)
    followed = Followed(KIND, path)
    assert len(followed.numbers("loss")) >= 2990
    assert max(followed.numbers("loss")) == 2999
    assert "damaged; left out" in followed.flaws[0]


def taken(histories: Histories, records: Iterable[bytes]) -> tuple[dict[str, list[str]], int]:
    """What is read of them, to the bit, and how many fitted a form that was known."""
    known = 0
    for record in records:
        if histories.take_known(record):
            known += 1
        else:
            histories.take(record, next(each for each in fields(record, 0, len(record)) if each.form == BYTES))
    return {
        name: [*map(repr, zip(points.steps, values, points.times or points.steps, strict=True))]
        for points in histories.rows().points()
        for name, values in points.columns.items()
    }, known


KEYS = ("train/loss", "val__acc", "_timestamp", "_runtime", "_step")
NUMBERS = st.one_of(st.floats(), st.integers(-(10**30), 10**30)).map(json.dumps)
OTHERS = st.sampled_from(
    ["1E400", "1e-7", "-0.0e+00", "-0", "01", "1.", "true", "null", '"x"', "[1]", '{"a": 2}', "1" * 130]
)


@given(st.lists(st.tuples(st.integers(0, 2**64), NUMBERS, NUMBERS | OTHERS, st.sampled_from(["", "", "x", "k" * 150]))))
def test_by_its_form_a_record_says_the_same_as_item_by_item(rows: list[tuple[int, str, str, str]]) -> None:
    first = [logged(step, dict.fromkeys(KEYS, "1")) for step in range(ENOUGH)]
    records = []
    for step, one, other, more in rows:
        texts = dict(zip(KEYS, (one, other, f"{1.7e9 + step % 100}", "2", "3"), strict=True))
        records.append(logged(step, texts | ({more: "4"} if more else {})))
    by_form, by_item = Histories(), Histories()
    assert taken(by_form, first) == taken(by_item, first)
    found, _ = taken(by_form, records)
    wanted, _ = taken(Histories(), records)
    assert found == wanted


def test_records_that_differ_in_their_numbers_alone_fit_their_form() -> None:
    histories = Histories()
    _, known = taken(histories, [history(step, loss=0.5, val__acc=1) for step in range(ENOUGH)])
    assert known == 0
    values = [0, -1, 2.5e-300, -1e22, float("nan"), float("inf"), 10**20]
    records = [history(step * 1000, loss=value, val__acc=-value) for step, value in enumerate(values)]
    found, known = taken(histories, records)
    assert known == len(values)
    assert found["loss"] == [repr((step * 1000, float(value), step * 1000)) for step, value in enumerate(values)]
