"""A run watched from another process: what its viewer makes of the record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.records.streams import fold, state_of
from tests.scripted import scripted_run
from tui_trainer.commands import Pause
from tui_trainer.events import StepsTaken, encode
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JournalSource, "LOOK_EVERY", 0.0)


@pytest.mark.never_says("notice.unreadable", "end.gone")
def test_a_viewer_sees_what_the_writer_sees(tmp_path: Path) -> None:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    host = JournalSource(record.folder)
    events = scripted_run()
    for count, event in enumerate(events, 1):
        record.emit(event)
        assert host.poll() == 1
        assert host.poll() == 0
        if count % 10 == 0:
            written = fold(events[:count])
            written.clock_behind = host.history.clock_behind  # these events are of another time
            assert state_of(host.history) == state_of(written)
    host.send(Pause(by="attach"))
    assert [type(command) for command in record.inbox.poll()] == [Pause]
    record.close()
    host.close()


@pytest.mark.parametrize("torn", [b"", b'{"type":"StepsTaken","at":1.0,"st'])
def test_a_writer_that_was_killed_has_crashed_though_its_last_line_is_torn(tmp_path: Path, torn: bytes) -> None:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    host = JournalSource(record.folder)
    events = scripted_run()[:20]
    for event in events:
        record.emit(event)
    assert host.poll() == 20
    assert host.poll() == 0
    assert host.history.status == "running"
    with (record.folder / "events.jsonl").open("ab") as file:
        file.write(torn)
    record.close()
    assert host.poll() == 1
    assert host.history.status == "crashed"
    assert host.poll() == 0
    again = Record.reopen(record.folder)
    again.emit(events[0])
    host.poll()
    assert host.history.status == "running"
    again.close()
    host.close()


def test_a_long_record_is_opened_in_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JournalSource, "READ_FOR", 0.0)
    line = encode(StepsTaken(at=1.0, step=1, epoch=1, batch=1, losses=[0.1] * 50, lrs=[0.1] * 50, elapsed=[1.0] * 50))
    size = 3 * 2**20 // len(line)
    (tmp_path / "events.jsonl").write_bytes(
        b"".join(line.replace(b'"step":1,', b'"step":%d,' % (1 + 50 * i)) for i in range(size))
    )
    host = JournalSource(tmp_path)
    assert host.lags  # a screen that is drawn before it was read says that it is being read
    polls = 0
    while host.history.status == "running":
        assert host.poll() > 0
        assert host.lags is (host.history.steps > 0 and host.history.status == "running")
        polls += 1
    assert host.history.steps == 50 * size
    assert not host.lags
    assert 3 <= polls <= 6
    host.close()


def test_watching_loads_no_torch() -> None:
    script = "import sys, tui_trainer.run_sources; raise SystemExit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.says("notice.unreadable")
def test_a_journal_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    record = Record.create(tmp_path, {})
    record.close()
    (record.folder / "events.jsonl").unlink()
    (record.folder / "events.jsonl").mkdir()
    source = JournalSource(record.folder)
    source.poll()
    source.poll()
    assert [notice.text for notice in source.history.notices] == [
        "the record cannot be read: its events.jsonl: it is a folder, not a file"
    ]
