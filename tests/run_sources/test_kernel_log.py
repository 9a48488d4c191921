"""What the kernel's log and its control groups tell, from the forms that they have."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.run_sources import kernel_log
from tui_trainer.run_sources.kernel_log import Message, killed_for_memory, parsed, xids

RECORDS = [
    b"6,1201,5000000,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=python,uid=1000\n SUBSYSTEM=x\n",
    b"3,1202,6000000,-;Memory cgroup out of memory: Killed process 4711 (python) total-vm:9kB, anon-rss:8kB\n",
    b"4,1203,7500000,-;NVRM: Xid (PCI:0000:65:00): 13, pid='<unknown>', name=<unknown>, Graphics Exception: ESR 0x1\n",
    b"4,1204,8000000,-;NVRM: Xid (PCI:0000:65:00): 31, pid=12, name=other, Ch 00000008, MMU Fault\n",
    b"4,1205,9000000,-;NVRM: Xid (0000:65:00): 79, GPU has fallen off the bus.\n",
    b"no record at all",
    b"6,1206,x,-;no time",
    b"",
]


def test_messages_have_their_time_and_their_first_line() -> None:
    found = parsed(RECORDS, 1000.0)
    assert [message.at for message in found] == [1005.0, 1006.0, 1007.5, 1008.0, 1009.0]
    assert found[0].text.endswith("uid=1000")


def test_who_was_killed_for_memory_is_told_by_number_and_time() -> None:
    found = parsed(RECORDS, 1000.0)
    assert killed_for_memory(found, 4711, since=1001.0)
    assert not killed_for_memory(found, 471, since=1001.0)
    assert not killed_for_memory(found, 4711, since=1100.0)  # a pid that was used again
    assert not killed_for_memory([Message(1006.0, "Killed process 4711 (x) by hand")], 4711, since=1001.0)


def test_errors_of_gpus_are_those_of_the_time_and_of_no_other_process() -> None:
    found = xids(parsed(RECORDS, 1000.0), 4711, since=1000.0, until=1010.0)
    assert [(xid.number, xid.text) for xid in found] == [
        (13, "Graphics Exception: ESR 0x1"),
        (79, "GPU has fallen off the bus."),
    ]
    assert xids(parsed(RECORDS, 1000.0), 4711, since=1100.0, until=1200.0) == []


@given(st.lists(st.binary(max_size=60)))
def test_whatever_stands_there_is_read_or_passed_over(records: list[bytes]) -> None:
    assert len(parsed(records, 0.0)) <= len(records)


def test_a_control_group_counts_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel_log.messages()  # readable or not, it raises nothing
    then = {"file": "/sys/fs/cgroup/none/memory.events", "count": 1, "boot": "b"}
    assert kernel_log.memory_kills_since(then) == 0  # a group that is gone
    assert kernel_log.memory_kills_since({}) == 0
    monkeypatch.setattr(kernel_log, "_boot", lambda: "b")
    monkeypatch.setattr(kernel_log, "_count", lambda file: 3)
    assert kernel_log.memory_kills_since(then) == 2
    assert kernel_log.memory_kills_since(then | {"boot": "a"}) == 0
    assert kernel_log.memory_kills_since(then | {"file": "/etc/passwd"}) == 0
    assert kernel_log.memory_kills_since(then | {"file": "/sys/fs/cgroup/../../etc/passwd"}) == 0
    if Path("/sys/fs/cgroup/memory.events").exists():
        assert (kernel_log.memory_kills() or {}).get("count") == 3
