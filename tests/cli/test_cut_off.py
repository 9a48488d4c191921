"""Runs whose record was cut off: the end says so, and so does the exit code; and how they go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests import preloaded
from tests.cli.conftest import SMALL
from tui_trainer.events import RunEnded, StepsTaken, encode
from tui_trainer.records.export import export_csv
from tui_trainer.records.run_index import newest
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

Cli = Callable[..., Result]

LIMIT = 6000
"""Bytes that no file may have more of: a journal of the first epoch or so, and no checkpoint."""


@pytest.mark.says("runs.cut_off")
def test_a_run_that_could_not_be_recorded_is_no_success(runs: Path, cli: Cli) -> None:
    ended = preloaded.run(str(LIMIT), "run", "--preset", "steplr", *SMALL, module="tests.cli.limited")
    assert ended.returncode == 1, ended.stderr
    assert "nothing was recorded after step" in ended.stdout
    assert "checkpoint" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
    summary = summarize(newest(runs))
    assert summary.status == "finished"
    assert 0 < summary.steps_done < 40
    assert f"finished, record cut off at step {summary.steps_done}" in cli("runs").stdout


@pytest.fixture
def stopped(runs: Path, cli: Cli) -> Path:
    """The folder of a run of two epochs that was killed in its third, as far as its record tells."""
    assert cli("run", "--preset", "steplr", "--epochs", "3", *SMALL).exit_code == 0
    folder = newest(runs)
    journal = folder / "events.jsonl"
    with Tail(journal) as tail:
        kept = [event for event in tail if not isinstance(event, RunEnded)]
    journal.write_bytes(b"".join(map(encode, kept)))
    (folder / "events.packed").unlink()
    return folder


@pytest.mark.says("notice.record_behind")
@pytest.mark.never_says("notice.new_record")
def test_a_checkpoint_ahead_of_its_record_is_told(stopped: Path, cli: Cli, tmp_path: Path) -> None:
    journal = stopped / "events.jsonl"
    with Tail(journal) as tail:
        kept = [event for event in tail if not isinstance(event, StepsTaken) or event.step <= 2]
    last = max(i for i, event in enumerate(kept) if isinstance(event, StepsTaken))
    journal.write_bytes(b"".join(map(encode, kept[: last + 1])))
    resumed = cli("resume", stopped.name)
    assert resumed.exit_code == 0, resumed.stderr
    said = "the checkpoint is of step 12: what was trained between them is not recorded"
    assert said in " ".join(resumed.stdout.split())
    history = replay(stopped)
    assert any(said in notice.text for notice in history.notices)
    warnings: list[str] = []
    export_csv(stopped, tmp_path / "out", warnings.append)
    assert any(warning.endswith("to 12.") for warning in warnings) or history.steps < 12
    assert any("missing" in flaw or "to 12" in flaw for flaw in summarize(stopped).flaws)


@pytest.mark.says("notice.new_record")
@pytest.mark.never_says("notice.record_behind")
def test_a_record_that_lies_is_left_for_a_new_one(stopped: Path, cli: Cli, runs: Path) -> None:
    with (stopped / "events.jsonl").open("ab") as file:
        for step in (13, 14):
            lie = StepsTaken(at=2e9, step=step, epoch=4, batch=step - 12, losses=[0.1], lrs=[0.1], elapsed=[9.0])
            file.write(encode(lie))
    before = (stopped / "events.jsonl").read_bytes()
    refused = cli("resume", stopped.name)
    assert refused.exit_code == 2
    assert f"tui-trainer resume {stopped.name} --new-record" in refused.stderr
    assert (stopped / "events.jsonl").read_bytes() == before
    resumed = cli("resume", stopped.name, "--new-record")
    assert resumed.exit_code == 0, resumed.stderr
    assert (stopped / "events.jsonl").read_bytes() == before
    (new,) = [folder for folder in runs.iterdir() if folder != stopped]
    assert (new / "checkpoints" / "last.pt").is_file()
    history = replay(new)
    assert history.ended is not None
    assert any(f"a new record, from the checkpoint of {stopped.name}" in notice.text for notice in history.notices)


def test_a_sound_record_is_resumed_without_a_word_of_it(stopped: Path, cli: Cli) -> None:
    resumed = cli("resume", stopped.name)
    assert resumed.exit_code == 0, resumed.stderr
    assert "record" not in resumed.stdout.replace("recorded in", "").replace("the record is", "")
    assert [notice for notice in replay(stopped).notices if notice.kind == "recording"] == []
