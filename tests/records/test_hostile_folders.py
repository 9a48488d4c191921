"""A folder of runs that others can write to: what is no file is named, passed over, and waited for by nobody."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.scripted import scripted_run
from tui_trainer.cli import main
from tui_trainer.commands import Stop
from tui_trainer.records import inbox
from tui_trainer.records.errors import RunsError
from tui_trainer.records.lock import WriterLock
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import find, newest, summaries
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.journal_source import JournalSource

LONG_S = 180
"""What takes so long waits for ever."""

pytestmark = pytest.mark.timeout(LONG_S)

TERABYTE = 1 << 40


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(TERABYTE)


def folder(path: Path) -> None:
    path.mkdir()


HOSTILE = [pipe, endless, sparse, folder]


@pytest.fixture(autouse=True)
def no_feast() -> Iterator[None]:
    """What takes memory without end fails instead of taking the machine with it."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The folder of a sound run."""
    record = Record.create(tmp_path / "runs", {"preset_name": "steplr", "name": "mine"})
    for event in scripted_run():
        record.emit(event)
    record.close()
    return record.folder


def replaced(record: Path, name: str, make: Callable[[Path], None]) -> None:
    (record / name).unlink(missing_ok=True)
    make(record / name)


def said(*arguments: str) -> tuple[int, str]:
    """What a command ends with, and all that it prints."""
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.output


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("name", ["run.json", "events.jsonl"])
def test_a_list_names_what_is_no_file_and_shows_the_rest(record: Path, name: str, make: Callable[[Path], None]) -> None:
    sound = Record.create(record.parent, {"preset_name": "plateau"})
    for event in scripted_run():
        sound.emit(event)
    sound.close()
    replaced(record, name, make)
    exit_code, text = said("runs", "--runs-dir", str(record.parent))
    assert exit_code == 0
    assert sound.id in text
    assert name in text
    assert any(what in text for what in ("pipe", "device", "larger than", "folder, not"))


@pytest.mark.says("record.no_files", "record.none_readable", "record.look_elsewhere")
@pytest.mark.never_says("record.none_yet", "record.near", "record.newest", "record.not_listed", "record.more_likewise")
@pytest.mark.parametrize("make", [pipe, endless, folder])
def test_a_folder_in_which_nothing_is_a_file_is_no_run(record: Path, make: Callable[[Path], None]) -> None:
    for name in ("run.json", "events.jsonl", "lock", "control.jsonl"):
        replaced(record, name, make)
    exit_code, text = said("runs", "--runs-dir", str(record.parent))
    assert exit_code == 0
    assert "no runs in" not in text  # there is one, that cannot be read
    assert record.name in text
    with pytest.raises(RunsError, match="cannot be read"):
        newest(record.parent)
    with pytest.raises(RunsError):
        find(record.parent, "mine")


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "events.packed", "lock", "control.jsonl", "log.txt"])
def test_no_reader_waits_for_it(record: Path, name: str, make: Callable[[Path], None]) -> None:
    replaced(record, name, make)
    runs = record.parent
    assert summarize(record).id == record.name
    assert len(summaries(runs)) == 1
    host = JournalSource(record)
    for _ in range(5):
        host.poll()
    host.close()
    if name == "events.jsonl":
        assert any("cannot be read" in notice.text for notice in host.history.notices)
    else:
        assert host.history.steps == 60
    with pytest.raises(RunsError):
        inbox.send(record, Stop(by="test", reason="x"))
    exit_code, text = said("export", record.name, "--out", str(runs / "out"), "--runs-dir", str(runs))
    assert exit_code == (2 if name == "events.jsonl" else 0)
    assert name != "events.jsonl" or "events.jsonl" in text
    for command in ("stop", "pause", "checkpoint"):
        assert said(command, record.name, "--runs-dir", str(runs))[0] in (1, 2)


@pytest.mark.parametrize("make", HOSTILE)
@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "lock", "control.jsonl"])
def test_no_writer_goes_on_with_it(record: Path, name: str, make: Callable[[Path], None]) -> None:
    if make is sparse and name in ("lock", "control.jsonl"):
        pytest.skip("a long file is one that can be written to")
    replaced(record, name, make)
    with pytest.raises((RunsError, OSError), match=name if name == "run.json" else None):
        Record.reopen(record)
    if name != "lock":
        WriterLock(record).release()  # nobody holds it


@pytest.mark.parametrize("make", HOSTILE)
def test_a_session_that_is_no_file_is_passed_over(record: Path, make: Callable[[Path], None]) -> None:
    session = record.parent / "comparisons" / "20251121-212000-x-0000"
    session.mkdir(parents=True)
    make(session / "session.json")
    assert said("compare", "--list", "--runs-dir", str(record.parent))[0] == 0
    assert said("stop", "20251121-212000-x-0000", "--runs-dir", str(record.parent))[0] == 2


@pytest.mark.parametrize("make", HOSTILE)
def test_a_shell_completes_past_it(record: Path, make: Callable[[Path], None]) -> None:
    replaced(record, "run.json", make)
    words = {"_TUI_TRAINER_COMPLETE": "bash_complete", "COMP_WORDS": "tui-trainer attach ", "COMP_CWORD": "2"}
    result = subprocess.run(
        [sys.executable, "-c", "from tui_trainer.cli import main; main(prog_name='tui-trainer')"],
        env={**os.environ, **words, "TUI_TRAINER_RUNS": str(record.parent)},
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    assert record.name in result.stdout
    assert result.stderr == ""


def test_a_journal_that_ends_in_a_hole_is_not_written_to(record: Path) -> None:
    journal = record / "events.jsonl"
    os.truncate(journal, 1 << 35)
    with pytest.raises(RunsError, match=r"no line.*--new-record"):
        Record.reopen(record)
    assert journal.stat().st_size == 1 << 35
    assert summarize(record).steps_done == 60


def test_a_journal_that_ends_in_no_line_is_said_to_and_a_torn_one_is_not(tmp_path: Path) -> None:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    for event in scripted_run():
        record.emit(event)
    record.close()
    folder = record.folder
    journal = folder / "events.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"type":"Ste')  # its writer may be about to end it
    assert summarize(folder).flaws == []
    with Tail(journal) as tail:
        assert len(list(tail)) > 1
        assert tail.flaws == []
    journal.write_bytes(whole + bytes(8 << 20))
    assert summarize(folder).flaws == ["The record ends in something that is no line"]
    with Tail(journal) as tail:
        assert len(list(tail)) > 1
        assert tail.flaws == ["The record ends in something that is no line."]
