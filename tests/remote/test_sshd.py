"""Records are followed over ssh: a daemon on the loopback, lines that are cut, files that rotate."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.processes import started_by
from tests.remote.far_side import Sshd, sshd
from tests.scripted import scripted_run
from tests.waiting import until
from tui_trainer.events import Alert
from tui_trainer.records.record import Record
from tui_trainer.remote.address import Address
from tui_trainer.run_sources.remote_source import RemoteSource


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as one:
        yield one


@pytest.fixture
def attach(box: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RemoteSource]]:
    """Looks at what lies at a path of the host; nothing is left of it afterwards, neither here nor there."""
    monkeypatch.setenv("PATH", f"{box.bin}{os.pathsep}{os.environ['PATH']}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    open_ones: list[RemoteSource] = []

    def attach(path: Path | str, **options: bool) -> RemoteSource:
        open_ones.append(RemoteSource(Address("box", path=str(path)), asks=print, warn=print, **options))
        return open_ones[-1]

    yield attach
    for one in open_ones:
        one.close()
    assert not list(temporary.iterdir())
    assert not ssh_processes()
    until(lambda: not sessions(box))


def ssh_processes() -> list[psutil.Process]:
    """Those of this process's."""
    return started_by(os.getpid(), lambda child: child.name() == "ssh")


def sessions(box: Sshd) -> list[psutil.Process]:
    """What the daemon has begun, and what that has: shells, and tools that they run."""
    return started_by(box.process.pid)


def shells(box: Sshd) -> list[psutil.Process]:
    return started_by(box.process.pid, lambda process: process.name() in ("sh", "dash", "bash"))


def polled(source: RemoteSource, condition: Callable[[], bool]) -> None:
    def looks() -> bool:
        source.poll()
        return condition()

    until(looks)


def losses(source: RemoteSource) -> dict[int, float]:
    series = source.history.series.get("loss")
    return {} if series is None else dict(zip(series.steps, series.values, strict=True))


def notices(source: RemoteSource) -> list[Alert]:
    return list(source.history.notices)


class Writer:
    """Writes rows with a number each, until it is told to stop."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        path.write_text("step,loss\n")
        self.write(3)

    def write(self, rows: int) -> None:
        with self.path.open("a") as file:
            file.write("".join(f"{self.rows + row},{0.5 + self.rows + row}\n" for row in range(rows)))
        self.rows += rows

    def rotate(self) -> None:
        """The file goes by another name, with rows in it that nobody has seen, and one of its name begins."""
        self.write(50)
        self.path.rename(self.path.with_suffix(".1"))
        self.path.write_text("step,loss\n")
        self.write(50)

    @property
    def expected(self) -> dict[int, float]:
        return {row: 0.5 + row for row in range(self.rows)}


@pytest.mark.slow
@pytest.mark.says("remote.lost", "remote.back")
def test_nothing_is_lost_or_doubled_where_the_line_is_cut_ten_times(
    box: Sshd, attach: Callable[..., RemoteSource], tmp_path: Path
) -> None:
    writer = Writer(tmp_path / "metrics.csv")
    source = attach(writer.path)
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.01):
            writer.write(7)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for cut in range(10):
            before = len(losses(source))
            polled(source, lambda before=before: len(losses(source)) > before + 20)  # type: ignore[misc]
            victims = ssh_processes() if cut % 2 else shells(box)  # at either end
            victims[-1].send_signal(signal.SIGKILL)
            polled(source, lambda cut=cut: sum(n.kind == "recovered" for n in notices(source)) > cut)  # type: ignore[misc]
    finally:
        over.set()
        thread.join()
    polled(source, lambda: losses(source) == writer.expected)
    assert not [notice for notice in notices(source) if notice.kind == "recording"]
    assert len(notices(source)) == 21  # what it took, and of each cut that it was one, and that it is over


def test_what_was_written_before_a_file_rotated_is_fetched_too(
    attach: Callable[..., RemoteSource], tmp_path: Path
) -> None:
    writer = Writer(tmp_path / "metrics.csv")
    source = attach(writer.path)
    polled(source, lambda: losses(source) == writer.expected)
    writer.rotate()
    polled(source, lambda: losses(source) == writer.expected)


def test_a_run_of_ours_is_followed_and_its_end_is_told_as_it_is(
    attach: Callable[..., RemoteSource], tmp_path: Path
) -> None:
    *events, end = scripted_run()
    record = Record.create(tmp_path / "runs", {"preset_name": "steplr"})
    for event in events:
        record.emit(event)
    (record.folder / "log.txt").write_text("printed\n")
    before = {path: path.stat().st_mtime_ns for path in record.folder.iterdir()}
    source = attach(tmp_path / "runs")
    assert source.folder is not None
    polled(source, lambda: source.history.steps > 0 and not source.lags)
    copied = source.folder / "events.jsonl"
    polled(source, lambda: copied.read_bytes() == (record.folder / "events.jsonl").read_bytes())
    assert (source.folder / "log.txt").read_text() == "printed\n"
    assert source.history.ended is None
    assert {path: path.stat().st_mtime_ns for path in record.folder.iterdir()} == before
    began = time.monotonic()
    record.emit(end)
    polled(source, lambda: source.history.ended is not None)
    assert time.monotonic() - began < 30
    record.close()


def test_of_a_run_that_was_killed_the_far_side_tells_that_it_is_gone(
    attach: Callable[..., RemoteSource], tmp_path: Path
) -> None:
    *events, _ = scripted_run()
    record = Record.create(tmp_path / "runs", {"preset_name": "steplr"})
    for event in events:
        record.emit(event)
    source = attach(record.folder)
    polled(source, lambda: source.history.steps > 0)
    assert source.history.ended is None
    record.close()
    polled(source, lambda: source.history.ended is not None)
    assert source.history.ended is not None
    assert source.history.ended.status == "crashed"
