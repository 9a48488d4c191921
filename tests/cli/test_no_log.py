"""What stands in the place of a log and is no file is not opened, and nothing waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_S
from tui_trainer.ui.terminal.terminal import Terminal


@contextmanager
def pipe(log: Path) -> Iterator[None]:
    """A pipe that nobody reads: to open it is to wait."""
    os.mkfifo(log)
    yield


@contextmanager
def read_pipe(log: Path) -> Iterator[None]:
    """A pipe that somebody reads, who would then have what was printed."""
    os.mkfifo(log)
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


@contextmanager
def link(log: Path) -> Iterator[None]:
    """To another file of the same user."""
    other = log.with_name("other")
    other.write_text("precious\n")
    log.symlink_to(other)
    yield
    assert other.read_text() == "precious\n"


NO_LOGS = [pipe, read_pipe, link]

PRINT_TO = "from tui_trainer.cli.foreground import print_to; print_to(log)"
FALL_SILENT = """
from tui_trainer.cli.console import SafeOutput
def lost():
    raise BrokenPipeError
SafeOutput(lambda: log.parent).say(lost)
"""


@pytest.mark.parametrize("make", NO_LOGS)
@pytest.mark.parametrize(("way", "said"), [(PRINT_TO, "still here\n"), (FALL_SILENT, "")], ids=["print", "unheard"])
def test_what_is_printed_goes_on_without_a_log(
    tmp_path: Path, make: Callable[..., object], way: str, said: str
) -> None:
    code = f"import sys; from pathlib import Path; log = Path(sys.argv[1])\n{way}\nprint('still here')"
    with make(tmp_path / "log.txt"):  # type: ignore[attr-defined]
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "log.txt")], capture_output=True, text=True, timeout=PATIENCE_S
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


@pytest.mark.parametrize(
    ("make", "what"),
    [(pipe, "named pipe"), (read_pipe, "named pipe"), (link, "symbolic link")],
    ids=["pipe", "read_pipe", "link"],
)
def test_a_screen_keeps_what_is_printed(tmp_path: Path, make: Callable[..., object], what: str) -> None:
    with (
        make(tmp_path / "log.txt"),  # type: ignore[attr-defined]
        Terminal() as kept,
        pytest.raises(OSError, match=what),
    ):
        kept.log_to(tmp_path / "log.txt")


@pytest.mark.parametrize("way", [PRINT_TO, FALL_SILENT], ids=["print", "unheard"])
def test_a_log_is_private_whatever_the_umask(tmp_path: Path, way: str) -> None:
    code = f"import os, sys; from pathlib import Path; log = Path(sys.argv[1]); os.umask(0)\n{way}\nprint('logged')"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "log.txt")], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "log.txt").read_text().endswith("logged\n")
    assert (tmp_path / "log.txt").stat().st_mode & 0o777 == 0o600
