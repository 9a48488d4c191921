"""Records of other tools are sources like any other: followed, told of, and never written to."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.foreign_records.event_files import event_file, scalars
from tui_trainer.commands import Pause
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.run_sources.registry import open_source
from tui_trainer.ui.live.status_lines import state_word


def notices(source: ForeignSource) -> list[str]:
    return [notice.text for notice in source.history.notices]


def looking(path: Path) -> ForeignSource:
    source = open_source(path)
    assert isinstance(source, ForeignSource)
    source.LOOK_EVERY_S = 0.0
    while source.poll():
        pass
    return source


@pytest.mark.says("foreign.took", "foreign.read_only", "foreign.written")
@pytest.mark.never_says("foreign.unreadable", "state.no_end", "state.running")
def test_each_form_is_opened_by_what_lies_there_and_followed(tmp_path: Path, captions_said: set[str]) -> None:
    event_file(tmp_path / "board", scalars("loss", range(3)))
    (tmp_path / "a").write_text("step,loss\n0,0\n1,0.5\n2,1\n")
    (tmp_path / "b").write_text('{"step":0,"loss":0}\n{"step":1,"loss":0.5}\n{"step":2,"loss":1}\n')
    (tmp_path / "c").write_text('{"log_history":[{"step":0,"loss":0},{"step":1,"loss":0.5},{"step":2,"loss":1}]}')
    for name, tool in {"board": "TensorBoard", "a": "CSV", "b": "JSON lines", "c": "Hugging Face"}.items():
        source = looking(tmp_path / name)
        assert [*source.history.series["loss"].values] == [0.0, 0.5, 1.0]
        assert notices(source) == [f"read from {tool}: 1 series, 3 numbers"]
        assert not source.capabilities.tells_end
        assert state_word(source.history)[0].startswith("written ")
        with pytest.raises(PermissionError, match="another program trains it"):
            source.send(Pause(by="test"))
    with (tmp_path / "a").open("a") as file:
        file.write("3,1.5\n")
    source = looking(tmp_path / "a")
    assert source.history.last_step == 3
    assert not {"state.running", "state.no_end", "foreign.unreadable"} & captions_said


@pytest.mark.never_says("foreign.took", "foreign.written")
@pytest.mark.says("foreign.unreadable")
def test_what_cannot_be_read_is_told_once(
    tmp_path: Path, captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ForeignSource, "LOOK_EVERY_S", 0.0)
    path = event_file(tmp_path, b"")
    source = open_source(tmp_path)
    source.poll()
    path.unlink()
    path.mkdir()
    for _ in range(3):
        source.poll()
    assert [notice.text for notice in source.history.notices] == ["cannot be read: it is a folder, not a file"]
    assert state_word(source.history)[0] == "starting"
    assert not captions_said & {"foreign.took", "foreign.written"}


def test_a_poll_of_a_long_record_reads_for_a_moment_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.foreign_records.followed_file.PIECE", 1000)
    monkeypatch.setattr("tui_trainer.foreign_records.tensorboard_file.PIECE", 1000)
    event_file(tmp_path, scalars("loss", range(1000)))
    source = open_source(tmp_path)
    assert isinstance(source, ForeignSource)
    source.READ_FOR = 0.0
    began = time.monotonic()
    assert source.lags  # a screen that is drawn before it was read says that it is being read
    assert source.poll() > 0
    assert source.lags
    assert source.history.share_read is not None
    assert 0 < source.history.share_read < 0.5
    while source.lags and time.monotonic() < began + 20:
        source.poll()
    assert source.history.share_read is None
    assert len(source.history.series["loss"].values) == 1000
    assert len(notices(source)) == 1


def test_nothing_is_left_beside_what_was_read(tmp_path: Path) -> None:
    path = event_file(tmp_path, scalars("loss", range(3)))
    before = path.stat()
    looking(tmp_path).close()
    assert [*tmp_path.iterdir()] == [path]
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)


def test_looks_that_take_long_are_the_rarer(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n" + "0,0.5\n" * 20_000)
    source = open_source(path)
    source.REST = 10**9  # type: ignore[attr-defined]
    while source.poll() or source.lags:
        pass
    looked = time.monotonic()
    with path.open("a") as file:
        file.write("1,0.5\n")
    while not source.poll():
        assert time.monotonic() < looked + 60
    assert time.monotonic() >= looked + 0.8
