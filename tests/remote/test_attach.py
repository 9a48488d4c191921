"""`attach` of a run on another machine, in a terminal."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.remote.far_side import NOT_TO_BE_HAD, fake_ssh
from tests.scripted_record import over
from tests.terminal import Terminal
from tests.ui.scripted_finding import falling, recorded_test
from tests.waiting import until


def test_a_run_of_another_machine_is_shown_and_a_lost_line_is_told_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, first=f"echo 'enter, friend' >&2; echo $$ >'{tmp_path}/pid'")
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "none"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    over(tmp_path / ".local" / "share" / "tui-trainer" / "runs", name="far away")
    with Terminal("attach", "ssh://box", env={"TMPDIR": str(temporary)}) as terminal:
        terminal.until("enter, friend")  # before there is a screen
        terminal.until("finished")
        terminal.until("steplr")
        until(lambda: (tmp_path / "pid").exists())
        (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho 'no route to host' >&2\nexit 255\n")
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        terminal.until("the connection to box is lost")
        terminal.press("q")
        assert terminal.wait() == 0
        terminal.until("open it again: tui-trainer attach ssh://box/")
    assert not list(temporary.iterdir())


def test_a_range_test_of_another_machine_is_shown_as_one_of_this(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "none"))
    tested = recorded_test(tmp_path / ".local" / "share" / "tui-trainer" / "runs", {0: falling()})
    with Terminal("attach", f"ssh://box/{tested.id}") as terminal:
        terminal.until("half-way down the deepest fall")
        assert "which LR? onecycle on mnist-5k, mlp" in terminal.screen
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize(("address", "first", "code", "words"), NOT_TO_BE_HAD)
def test_where_it_cannot_be_shown_it_is_said_without_a_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, first: str, code: int, words: str
) -> None:
    fake_ssh(tmp_path, monkeypatch, first=first)
    with Terminal("attach", address) as terminal:
        terminal.until(words)
        assert terminal.wait() == code
