"""A command of the user's own: what it is given, and that it harms nothing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.waiting import PATIENCE_S, until
from tui_trainer.run_sources.notifier import WAITING_AT_MOST, Notifier, NotifyCommand

FACTS = {"RUN": "20261122-steplr", "TEXT": "all done"}


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], tuple[str, ...]]:
    """A program of these lines of Python, in a folder with a blank in its name."""

    def write(lines: str) -> tuple[str, ...]:
        file = tmp_path / "my scripts" / "tell.py"
        file.parent.mkdir()
        file.write_text(lines)
        return sys.executable, str(file)

    return write


def test_the_facts_are_in_its_environment_as_text(tmp_path: Path, script: Callable[[str], tuple[str, ...]]) -> None:
    out = tmp_path / "out"
    lines = "import os\nprint(os.environ['TUI_TRAINER_TEXT'])"
    failures: list[str] = []
    notifier = Notifier(NotifyCommand(script(lines)), failures.append, lambda: out.open("ab"))
    nasty = "loss\x1b[31m $(touch harm) `touch harm`;\n touch harm \ud800\0"
    notifier.tell("end", {**FACTS, "TEXT": nasty})
    notifier.finish()
    assert out.read_text() == "loss[31m $(touch harm) `touch harm`; touch harm\n"
    assert failures == []


@pytest.mark.never_says(
    "notify.not_run", "notify.took_long", "notify.ended_with", "notify.exit_code", "notify.too_many", "notify.no_more"
)
def test_it_is_called_for_what_was_asked_alone(tmp_path: Path, script: Callable[[str], tuple[str, ...]]) -> None:
    out = tmp_path / "out"
    command = script("import os; print(os.environ['TUI_TRAINER_EVENT'])")
    notifier = Notifier(NotifyCommand(command, frozenset({"best", "end"})), pytest.fail, lambda: out.open("ab"))
    for event in ("diverging", "best", "stall", "recovered", "end"):
        notifier.tell(event, FACTS)
    notifier.finish()
    assert out.read_text().split() == ["best", "end"]


@pytest.mark.says("notify.*")
@pytest.mark.parametrize(
    ("command", "words", "ids"),
    [
        (
            (sys.executable, "-c", "raise SystemExit(3)"),
            "ended with exit code 3",
            {"notify.ended_with", "notify.exit_code"},
        ),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"), "ended with SIGKILL", {"notify.ended_with"}),
        (("/nowhere/at-all",), "could not be run: No such file or directory", {"notify.not_run"}),
    ],
    ids=["exit code", "signal", "not there"],
)
def test_what_went_wrong_is_said_once(
    command: tuple[str, ...], words: str, ids: set[str], captions_said: set[str]
) -> None:
    failures: list[str] = []
    notifier = Notifier(NotifyCommand(command), failures.append)
    notifier.tell("stall", FACTS)
    notifier.tell("end", FACTS)
    notifier.finish()
    assert failures == [f"--notify: {Path(command[0]).name} {words}"]
    assert {id for id in captions_said if id.startswith("notify.")} == ids


@pytest.mark.says("notify.took_long")
@pytest.mark.never_says("notify.ended_with")
def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hangs = 'echo $$ > "$0"; sleep 600; exit'
    failures: list[str] = []
    told = threading.Event()
    waited: list[bool] = []
    command = NotifyCommand(("sh", "-c", hangs, str(pid)))
    notifier = Notifier(command, failures.append, lambda: waited.append(told.wait(PATIENCE_S)), longest_s=3.0)
    notifier.tell("end", FACTS)
    told.set()  # before the command is begun, or whoever calls would wait for it
    until(lambda: bool(failures))
    notifier.finish()
    assert waited == [True]
    assert failures == ["--notify: sh took longer than 3 s, and was ended"]
    group = int(pid.read_text())
    # All were sent a signal that kills; whose parent is gone ends a moment later.
    until(lambda: not any(_is_alive(pid) for pid in psutil.pids() if _group(pid) == group))


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


@pytest.mark.says("notify.too_many")
def test_calls_beyond_those_that_wait_are_left_out_and_never_waited_for(tmp_path: Path) -> None:
    go = tmp_path / "go"
    os.mkfifo(go)
    failures: list[str] = []
    started = threading.Event()

    def open_log() -> None:
        started.set()

    notifier = Notifier(NotifyCommand((sys.executable, "-c", f"open({str(go)!r}).read()")), failures.append, open_log)
    notifier.tell("end", FACTS)
    assert started.wait(PATIENCE_S)
    for _ in range(WAITING_AT_MOST + 3):
        notifier.tell("end", FACTS)
    assert failures == [f"--notify: {Path(sys.executable).name} not told of end: {WAITING_AT_MOST} events wait already"]
    stop = threading.Event()

    def open_again() -> None:
        while not stop.is_set():
            try:
                os.close(os.open(go, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                stop.wait(0.01)

    opener = threading.Thread(target=open_again)
    opener.start()
    notifier.finish()
    stop.set()
    opener.join()
    assert len(failures) == 1


def test_what_nobody_foresaw_is_said_and_the_next_call_is_made(
    tmp_path: Path, script: Callable[[str], tuple[str, ...]]
) -> None:
    out = tmp_path / "out"
    failures: list[str] = []
    opened: list[int] = []

    def open_log() -> IO[bytes]:
        opened.append(1)
        if len(opened) == 1:
            raise RuntimeError("no log")
        return out.open("ab")

    notifier = Notifier(
        NotifyCommand(script("import os; print(os.environ['TUI_TRAINER_EVENT'])")), failures.append, open_log
    )
    notifier.tell("stall", FACTS)
    notifier.tell("end", FACTS)
    notifier.finish()
    assert [failure.partition(" could not be run: ")[2] for failure in failures] == ["RuntimeError: no log"]
    assert out.read_text() == "end\n"


def test_a_thread_that_dies_is_told(script: Callable[[str], tuple[str, ...]]) -> None:
    failures: list[str] = []

    def open_log() -> IO[bytes]:
        raise SystemExit(3)

    notifier = Notifier(NotifyCommand(script("")), failures.append, open_log)
    notifier.tell("end", FACTS)
    notifier.finish()
    assert [failure.partition(" is told")[2] for failure in failures] == [" no more: SystemExit: 3"]


@pytest.mark.says("notify.no_more")
@pytest.mark.never_says("notify.no_more")
def test_what_no_longer_delivers_says_so_and_a_single_failure_is_none(
    monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    failures: list[str] = []
    notifier = Notifier(NotifyCommand(("/nowhere/at-all",)), failures.append)
    notifier.tell("end", FACTS)
    until(lambda: bool(failures))
    assert "notify.no_more" not in captions_said

    def exit(*_: object) -> None:
        raise SystemExit(3)  # as libraries do

    monkeypatch.setattr(notifier, "deliver", exit)
    notifier.tell("end", FACTS)
    notifier.finish()
    assert failures[1:] == ["--notify: at-all is told no more: SystemExit: 3"]
