"""W&B's file of a run: blocks of 32 KiB, records over several of them, torn ones and damaged ones."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pytest

from tests.foreign_records.event_files import block, number
from tests.foreign_records.followed import Followed
from tui_trainer.foreign_records.wandb_file import BLOCK, HEAD, Wandb

KIND = Wandb()


def history(step: int, **values: object) -> bytes:
    items = b"".join(
        block(1, b"".join(block(2, part) for part in name.split("__")) + block(16, json.dumps(value)))
        for name, value in values.items()
    )
    return number(1, step + 1) + block(2, items + block(2, number(1, step)))


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
            history(1, loss=float("nan"), _timestamp=1.7e9 + 2, _runtime=3.5),
            block(18, number(1, 1)),
        )
    )
    assert KIND.recognises(path)
    followed = Followed(KIND, path)
    assert str(followed.all_numbers) == "{'loss': {0: 0.5, 1: nan}, 'val.acc': {0: 0.25}}"
    assert followed.reader.name == "night"
    assert followed.flaws == ["left out: note"]
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
