"""What commands load: torch takes seconds, and only those that train may pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.terminal import Terminal
from tui_trainer.records.record import Record

HEAVY = {"torch", "torchvision"}
DRAWING = {"textual", "plotext", "rich"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a finished run."""
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return over(tmp_path / "runs")


def loaded_by(*arguments: str) -> set[str]:
    """The packages that a command has imported as it ends."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tui_trainer", *arguments], capture_output=True, text=True
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 50
    return {line.rpartition("|")[2].strip().split(".")[0] for line in lines}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("runs",),
        ("runs", "--json"),
        ("runs", "--filter", "lr>0"),
        ("stream", "RUN"),
        ("stream", "RUN", "--json"),
        ("export", "RUN", "--out", "OUT"),
        ("stop", "RUN"),
        ("pause", "RUN"),
        ("presets", "list"),
        ("presets", "show", "onecycle"),
        ("attach", "RUN"),
    ],
    ids=" ".join,
)
def test_commands_that_do_not_train_load_no_torch_and_draw_nothing(
    run: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    given = [{"RUN": run, "OUT": str(tmp_path / "out")}.get(argument, argument) for argument in arguments]
    assert not loaded_by(*given) & (HEAVY | DRAWING)


@pytest.mark.slow
def test_attach_shows_a_run_without_torch(run: str) -> None:
    with Terminal("attach", run, preloaded=False) as terminal:
        terminal.until("best val accuracy")
        terminal.press("r")
        terminal.until("1 run, newest first")
        libraries = {Path(region.path).name for region in psutil.Process(terminal.pid).memory_maps()}
        assert any("python" in name for name in libraries)
        assert not [name for name in libraries if "torch" in name]
        terminal.press("q")
        assert terminal.wait() == 0


def test_attach_readonly_shows_and_takes_no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    for event in scripted_run()[:20]:
        record.emit(event)
    with Terminal("attach", "--readonly") as terminal:
        terminal.until("epoch")
        terminal.press(" ")
        terminal.until("read-only")
        assert record.inbox.poll() == []
        terminal.press("q")
        assert terminal.wait() == 0
    record.close()


@pytest.mark.slow
def test_attach_says_what_of_the_record_was_skipped(run: str, tmp_path: Path) -> None:
    journal = tmp_path / "runs" / run / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:10], b"garbage\n", b'{"type":"FromTheFuture","at":1}\n', *lines[10:]]))
    with Terminal("attach", run, preloaded=False) as terminal:
        terminal.until("2 lines of the record could not")
        terminal.press("q")
        assert terminal.wait() == 0
