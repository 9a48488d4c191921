"""A live run, told what to do from an attached screen and from the shell: answered in its record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.ssh.together import run_named
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.events import CommandAnswered
from tui_trainer.run_sources.run_source import replay


@pytest.fixture
def live(runs: Path) -> Iterator[Path]:
    """A run that trains in a process of its own."""
    options = ["--preset", "none", *SMALL, "--epochs", "4000", "--name", "live"]
    with preloaded.Running("run", *options) as training:
        try:
            run = run_named(runs, "live")
            until(lambda: replay(run).steps > 0)
            yield run
        finally:
            training.kill()


def shell(*arguments: str) -> tuple[int, str]:
    done = preloaded.run(*arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def answers(run: Path) -> list[CommandAnswered]:
    return list(replay(run).answers)


def test_a_checkpoint_now(live: Path) -> None:
    with Terminal("attach", "live") as screen:
        screen.until("epoch")
        screen.press("k")
        screen.until("saved after step")
        code, said = shell("checkpoint", "live")
        assert (code, "saved after step" in said) == (0, True)
        screen.until("(asked by shell)")
        screen.press("q")
        screen.until("trains in another process")
        screen.press("l")
        assert screen.wait() == 0
    told = [(answer.command, answer.by, answer.accepted) for answer in answers(live)]
    assert told == [("checkpoint", "attach", True), ("checkpoint", "shell", True)]
    assert (live / "checkpoints" / "last.pt").exists()


def test_another_preset_and_what_cannot_be(live: Path, tmp_path: Path) -> None:
    code, said = shell("switch", "live", "cosine")
    assert (code, "cosine from epoch" in said) == (0, True)
    until(lambda: bool(replay(live).switches))
    code, said = shell("switch", "live", "cosin")
    assert (code, "cosine" in said) == (2, True)
    bad = tmp_path / "bad.toml"
    bad.write_text('[optimizer]\nname = "SGD"\nlr = 0.1\n[scheduler]\nname = "StepLR"\nstep_size = 0\n')
    assert shell("switch", "live", str(bad))[0] == 2
    assert [answer.accepted for answer in answers(live)] == [True]


def test_who_is_gone_is_asked_nothing(live: Path) -> None:
    assert shell("stop", "live")[0] == 0
    until(lambda: replay(live).ended is not None)
    for command in (["checkpoint", "live"], ["switch", "live", "cosine"], ["pause", "live"]):
        assert shell(*command)[0] != 0
