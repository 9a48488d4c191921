"""A run without its terminal, and runs among users: nobody else gets at them."""

from __future__ import annotations

import contextlib
import importlib
import os
import pty
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from tests.cli.conftest import SMALL
from tests.scripted import scripted_run
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.cli import main
from tui_trainer.commands import Stop
from tui_trainer.presets.catalogue import load
from tui_trainer.records import inbox, run_index
from tui_trainer.records.errors import RunsError
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

SOMEBODY = 65534

LONG = ["--preset", "none", *SMALL, "--epochs", "4000"]


@pytest.mark.parametrize("keys", ["", "q"])
def test_after_the_terminal_is_closed_nothing_but_training_uses_the_cpu(runs: Path, keys: str) -> None:
    with Terminal("launch", *LONG, "--name", "left") as terminal:
        terminal.until("training")
        program = psutil.Process(terminal.pid).children()[0]
        if keys:
            before = terminal.screen
            terminal.press(keys)
            terminal.until(lambda screen: screen != before)
        terminal.close()
        terminal.wait()
        (run,) = runs.iterdir()
        until(lambda: "without a terminal" in (run / "log.txt").read_text())
        at = replay(run).steps
        until(lambda: replay(run).steps > at + 50)
        began, spent = _cpu_by_thread(program)
        until(lambda: sum(program.cpu_times()[:2]) > began + 1.0)  # a second of work, however busy the machine is
        ended, now_spent = _cpu_by_thread(program)
        by_thread = sorted(now_spent[thread] - spent.get(thread, 0.0) for thread in now_spent)
        program.terminate()
        until(lambda: not program.is_running())
    assert sum(by_thread[:-1]) <= 0.1 * (ended - began), by_thread
    assert replay(run).status == "stopped"


def _cpu_by_thread(program: psutil.Process) -> tuple[float, dict[int, float]]:
    spent = {thread.id: thread.user_time + thread.system_time for thread in program.threads()}
    return sum(spent.values()), spent


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_somebody_else(act: Callable[[], None]) -> None:
    """Do it with another user's rights, in a process of its own; fails where it does."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(SOMEBODY)
            os.setuid(SOMEBODY)
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's place")
def test_another_user_cannot_read_or_control_a_run(shared: Path) -> None:
    runs = shared / "runs"
    runs.mkdir(0o777)
    runs.chmod(0o777)  # the worst that a person may have made of it
    old = os.umask(0)
    try:
        record = Record.create(runs, {"preset_name": "steplr"})
        for event in scripted_run()[:20]:
            record.emit(event)
        with record.open_log() as log:
            log.write(b"secret")
    finally:
        os.umask(old)
    for path in [record.folder, *record.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path

    def look() -> None:
        for name in ("run.json", "events.jsonl", "log.txt", "control.jsonl", "lock", "checkpoints"):
            with pytest.raises(PermissionError):
                (record.folder / name).stat()
        with pytest.raises(PermissionError):
            list(record.folder.iterdir())
        unread: list[str] = []
        assert run_index.summaries(runs, unread.append) == []
        assert unread == [f"{record.folder} cannot be read: permission denied"]
        listed = CliRunner().invoke(main, ["runs", "--runs-dir", str(runs)])
        assert "no runs" not in listed.output
        assert f"{record.id} cannot be read: permission denied" in listed.output
        with pytest.raises(RunsError, match=r"no run in .* can be read: .*permission denied"):
            run_index.newest(runs)
        with pytest.raises(RunsError):
            run_index.find(runs, record.id)
        with pytest.raises(RunsError):
            inbox.send(record.folder, Stop(by="somebody"))
        with pytest.raises(RunsError):
            run_index.delete(record.folder)
        host = JournalSource(record.folder)
        host.poll()
        assert [notice.text for notice in host.history.notices] == [
            "the record cannot be read: its events.jsonl: permission denied"
        ]
        assert host.history.ended is None  # nobody can tell
        with pytest.raises(PermissionError):
            host.send(Stop(by="somebody"))

    as_somebody_else(look)
    assert record.inbox.poll() == []
    record.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's place")
def test_a_readable_run_can_be_watched_by_another_user_and_not_controlled(shared: Path) -> None:
    record = Record.create(shared / "runs", {"preset_name": "steplr"})
    for event in scripted_run()[:20]:
        record.emit(event)
    for path in [record.folder.parent, record.folder, *record.folder.iterdir()]:
        path.chmod(0o755 if path.is_dir() else 0o644)  # its owner wants others to see it

    def watch() -> None:
        host = JournalSource(record.folder)
        assert host.poll() == 20
        assert host.poll() == 0
        assert host.history.status == "running"
        with pytest.raises(PermissionError, match="takes no commands from here"):
            host.send(Stop(by="somebody"))

    as_somebody_else(watch)
    assert record.inbox.poll() == []
    record.close()


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """A command on a terminal of its own, in a fork of this process; its exit code and what it showed.

    Another user need not be able to start this Python anew: what commands import must be imported before.
    """
    pid, master = pty.fork()
    if pid == 0:
        code: object = 99
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 98)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            shown += piece
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take another user's place")
def test_another_user_s_commands_do_not_get_at_a_run(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("launch", "control", "runs", "run"):
        importlib.import_module(f"tui_trainer.cli.{module}")
    load("cosine")
    runs = shared / "runs"
    runs.mkdir()
    runs.chmod(0o777)
    for name, value in {"TUI_TRAINER_RUNS": str(runs), "HOME": "/nonexistent", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    record = Record.create(runs, {"preset_name": "steplr", "name": "mine"})
    for event in scripted_run()[:20]:
        record.emit(event)
    by_name = [[], [record.id], ["mine"], [str(record.folder)]]
    commands = [
        *(["attach", *run] for run in by_name),
        *([command, *run] for run in by_name[1:] for command in ("stop", "pause", "resume", "checkpoint")),
        *(["switch", *run, "cosine"] for run in by_name[1:]),
        *(["export", *run, "--out", str(shared / "out")] for run in by_name[1:]),
    ]

    def try_all() -> None:
        for command in commands:
            code, shown = on_a_terminal(*command)
            assert code == 2, (command, shown)
            assert "Traceback" not in shown, shown
            assert "\x1b" not in shown, shown  # no screen was opened
            assert "needs a terminal" not in shown
        listed = " ".join(on_a_terminal("runs")[1].split())
        assert listed == f"warning: {record.folder} cannot be read: permission denied"

    as_somebody_else(try_all)
    assert record.inbox.poll() == []
    assert not (shared / "out").exists()
    assert record.id in on_a_terminal("runs")[1]  # what its owner sees
    record.close()


@pytest.mark.parametrize("command", [["attach"], ["stop", "nothing"], ["export", "nothing", "--out", "x"]])
def test_there_is_nothing_to_find_in_a_folder_that_is_not_there(runs: Path, command: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-m", "tui_trainer", *command], capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
