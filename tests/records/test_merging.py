"""Lines that are decoded together: the same state of the run as one by one, in fewer events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.streams import fold, state_of, tables
from tui_trainer.events import AnyEvent, MetricColumns, MetricsLogged, decode, encode
from tui_trainer.records import merging
from tui_trainer.records.lines import in_a_row, seal, seal_of
from tui_trainer.records.merging import decode_rows, merged

ROWS = [MetricsLogged(at=1e9 + i, step=i, values={"loss": i / 7, "lr": 0.1}, elapsed=float(i)) for i in range(200)]


@pytest.fixture(autouse=True, scope="module")
def small_tables() -> Iterator[None]:
    with patch.object(merging, "LEAST_IN_A_TABLE", 4):
        yield


def state(events: list[AnyEvent]) -> Any:
    history = fold(events)
    history.version = 0  # fewer events were applied
    return state_of(history)


def lines_of(events: list[AnyEvent]) -> bytes:
    return b"".join(seal(encode(event), number) for number, event in enumerate(events, 1))


@settings(max_examples=30)
@given(tables())
def test_rows_in_columns_come_to_the_same_state(events: list[AnyEvent]) -> None:
    lines = lines_of(events)
    one_by_one = [decode(line) for line in lines.split(b"\n")[:-1]]
    assert state(list(merged(decode_rows(lines)))) == state(one_by_one)


def test_rows_of_one_table_are_one_event() -> None:
    (table,) = decode_rows(lines_of(list(ROWS)))
    assert isinstance(table, MetricColumns)
    assert table.steps == [row.step for row in ROWS]
    assert table.values == {name: [row.values[name] for row in ROWS] for name in ("loss", "lr")}


@pytest.mark.parametrize(
    "wrong",
    [
        b'"step":-1',
        b'"step":1.5',
        b'"step":"7"',
        b'"step":4,"batch":-1',
        b'"step":4,"epoch":[]',
        b'"step":4,"elapsed":-1',
        b'"step":4,"at":-5',
        b'"step":4,"values":{"loss":true,"lr":1}',
        b'"step":4,"values":{"loss":"much","lr":1}',
    ],
)
def test_a_row_that_is_no_event_is_none_among_others(wrong: bytes) -> None:
    lines = lines_of(list(ROWS)).replace(b'"step":4', wrong, 1)
    with pytest.raises((msgspec.MsgspecError, ValueError)):
        decode_rows(lines)


@pytest.mark.parametrize("name", ['a "quoted" one', "a\\b", "加/ü ", "", "line\nline", "x" * 1000])
def test_names_may_be_any_text(name: str) -> None:
    rows = [msgspec.structs.replace(row, values={name: 1.5, "lr": 0.1}) for row in ROWS]
    assert state(list(merged(decode_rows(lines_of(list(rows)))))) == state(list(rows))


@given(
    first=st.sampled_from([1, 8, 95, 99_998]),
    count=st.integers(1, 30),
    spot=st.integers(0, 10**4),
    bit=st.integers(0, 7),
)
def test_lines_are_in_a_row_where_each_is_sound_and_has_the_next_number(
    first: int, count: int, spot: int, bit: int
) -> None:
    lines = [seal(encode(ROWS[i]), first + i)[:-1] for i in range(count)]
    assert in_a_row(lines, first)
    assert not in_a_row(lines, first + 1)
    assert count == 1 or not in_a_row(lines[::-1], first)
    assert not in_a_row([*lines[:-1], lines[-1][:10]], first)
    damaged = bytearray(lines[spot % count])
    damaged[spot % len(damaged)] ^= 1 << bit
    lines[spot % count] = bytes(damaged)
    sealed = seal_of(bytes(damaged))
    upper = sealed is not None and sealed.holds  # a digit of the seal itself in upper case
    assert not in_a_row(lines, first) or upper
