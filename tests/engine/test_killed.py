"""A run that was killed comes out as if it had not been; and one process at a time writes it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.conftest import runs
from tests.engine.killing import OPTIONS, Kills, differences, killed_and_whole
from tests.ssh.together import run_named, together
from tests.waiting import until
from tui_trainer.records.errors import RunInUse
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource

pytestmark = pytest.mark.slow

__all__ = ["runs"]


@pytest.mark.parametrize("preset", ["onecycle", "plateau"])
def test_killed_at_random_moments_it_comes_out_the_same_to_the_bit(runs: Path, tmp_path: Path, preset: str) -> None:
    assert differences(*killed_and_whole(4, preset, tmp_path, Kills(random.Random(preset)))) == []


DRAWS = """[training]
augmentation = [{name = "RandomCrop", padding = 3}, {name = "RandomRotation", degrees = 90}, "RandomErasing"]
[optimizer]
name = "SGD"
lr = 0.05
momentum = 0.9
[model]
dropout = 0.5
"""


def test_so_does_one_whose_images_and_network_are_changed_at_random(runs: Path, tmp_path: Path) -> None:
    preset = tmp_path / "draws.toml"
    preset.write_text(DRAWS)
    assert differences(*killed_and_whole(4, str(preset), tmp_path, Kills(random.Random("draws")))) == []


def test_a_second_process_on_the_same_run_is_refused(runs: Path, tmp_path: Path) -> None:
    long = [*OPTIONS[:-1], "5000"]
    with together(1, "run", *long, "--preset", "none", "--name", "busy", log=tmp_path) as first:
        host = JournalSource(run_named(runs, "busy"))
        until(lambda: bool(host.poll()) and host.history.steps > 0)
        events = host.folder / "events.jsonl"
        with together(1, "resume", str(host.folder), log=tmp_path) as second:  # it lives: it is told to go on
            assert second.wait() == [0]
            assert "going on" in second.said[0]
        with pytest.raises(RunInUse):
            Record.reopen(host.folder)
        size = events.stat().st_size
        until(lambda: events.stat().st_size > size)
        assert first.processes[0].poll() is None
