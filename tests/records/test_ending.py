"""How a run ended, read from the end of its journal, against its whole history."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tui_trainer.events import Alert, AnyEvent, RunEnded, RunStarted, encode
from tui_trainer.records.errors import RunUnreadable
from tui_trainer.records.run_metadata import LAST_BLOCK, ending
from tui_trainer.run_sources.run_source import replay

WHOLE = scripted_run(epochs=2)
NOTICE = Alert(at=2e9, kind="recording", text="run.json could not be written")
LONG = Alert(at=2e9, kind="recording", text="x" * 3 * LAST_BLOCK)
AGAIN = RunStarted(at=2e9, run="again", schema=1, pid=1, host="here")


def journal(folder: Path, *events: AnyEvent, torn: bytes = b"") -> Path:
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)) + torn)
    return folder


@pytest.mark.parametrize("status", ["finished", "stopped", "diverged", "crashed"])
def test_a_goodbye_is_found_behind_notices_and_a_torn_line(tmp_path: Path, status: str) -> None:
    events = scripted_run(epochs=2, status=status)  # type: ignore[arg-type]
    for after in ((), (NOTICE,), (LONG,)):
        folder = journal(tmp_path, *events, *after, torn=b'{"type":"Run')
        found = ending(folder)
        assert isinstance(found, RunEnded)
        assert found == replay(folder).ended == events[-1]
        assert found.status == status


@pytest.mark.parametrize(
    "events",
    [
        scripted_run(epochs=2, status=None),
        [*WHOLE, AGAIN],
        [*WHOLE, AGAIN, LONG],
        [*WHOLE, AGAIN, *scripted_run(epochs=3, status=None)[5:40]],
        [],
        [NOTICE],
    ],
    ids=["still going", "gone on with", "and noticed", "and trained", "empty", "only a notice"],
)
def test_a_run_that_goes_on_has_said_none(tmp_path: Path, events: list[AnyEvent]) -> None:
    assert ending(journal(tmp_path, *events)) is None
    assert replay(tmp_path).ended is None


def test_the_last_of_several_goodbyes_holds(tmp_path: Path) -> None:
    first = scripted_run(epochs=2, status="stopped")
    assert ending(journal(tmp_path, *first, AGAIN, *WHOLE[5:])) == WHOLE[-1]


def test_a_damaged_goodbye_is_passed_over_as_the_history_does(tmp_path: Path) -> None:
    journal(tmp_path, *WHOLE[:-1], torn=encode(WHOLE[-1])[:-9] + b"\n")
    assert ending(tmp_path) is None
    assert replay(tmp_path).ended is None


def test_where_there_is_no_journal_there_is_no_goodbye(tmp_path: Path) -> None:
    assert ending(tmp_path) is None


def test_what_is_no_journal_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "events.jsonl")
    with pytest.raises(RunUnreadable, match=r"events\.jsonl cannot be read: it is a named pipe"):
        ending(tmp_path)


def test_a_long_journal_is_not_read_for_it(tmp_path: Path) -> None:
    with (tmp_path / "events.jsonl").open("wb") as file:
        file.seek(1 << 36)  # a hole of 64 GB
        file.write(b"\n" + b"".join(map(encode, WHOLE[-3:])))
    assert ending(tmp_path) == WHOLE[-1]
