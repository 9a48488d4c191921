"""`rename`, `delete` and `prune`: records change and go only as was asked, and never a live run's."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.scripted import scripted_run
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize
from tui_trainer.text.numbers import in_bytes

Cli = Callable[..., Result]

WHOLE = scripted_run(epochs=2, batches=4)
"""Of 2025."""


def recorded(runs: Path, name: str, part: float = 1.0, checkpoint: int = 0) -> Record:
    record = Record.create(runs, {"preset_name": "none", "name": name})
    for event in WHOLE[: round(len(WHOLE) * part)]:
        record.emit(event)
    (record.checkpoints / "last.pt").write_bytes(os.urandom(checkpoint))
    return record


@pytest.fixture
def live(runs: Path) -> Iterator[Record]:
    """Three runs: one that trains; one that finished, and a large one that crashed, are over."""
    recorded(runs, "done").close()
    recorded(runs, "gone", 0.5, checkpoint=2_000_000).close()
    made = recorded(runs, "alive", 0.5)
    yield made
    made.close()


def names(runs: Path) -> set[str | None]:
    return {summarize(folder).name for folder in runs.iterdir()}


def test_a_run_is_renamed_and_found_by_its_new_name(cli: Cli, runs: Path, live: Record) -> None:
    result = cli("rename", "done", " baseline ")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(": baseline\n")
    assert names(runs) == {"baseline", "gone", "alive"}
    folder = next(folder for folder in runs.iterdir() if summarize(folder).name == "baseline")
    facts = json.loads((folder / "run.json").read_text())
    assert facts["name"] == facts["asked"]["name"] == "baseline"
    assert (folder / "run.json").stat().st_mode & 0o777 == 0o600
    assert cli("rename", "baseline", "").exit_code == 0
    assert names(runs) == {None, "gone", "alive"}
    refused = cli("rename", "alive", "x")
    assert refused.exit_code == 2
    assert "is being written by" in refused.stderr
    (folder / "run.json").write_text("{")
    assert "run.json is damaged" in cli("rename", folder.name, "x").stderr
    assert (folder / "run.json").read_text() == "{"


def test_what_goes_is_shown_and_nothing_goes_unasked(cli: Cli, runs: Path, live: Record) -> None:
    asked = cli("delete", "done", "gone")
    assert asked.exit_code == 2
    assert "nobody can be asked here: --yes deletes for good" in asked.stderr
    assert "2 runs, 2 MB" in asked.stderr
    assert len(names(runs)) == 3
    refused = cli("delete", "done", live.id, "--yes")
    assert refused.exit_code == 2
    assert f"{live.id} is running: stop it first" in refused.stderr
    assert len(names(runs)) == 3
    recorded(runs, "done").close()
    assert "may be any of" in cli("delete", "done", "--yes").stderr  # no newest one is guessed here
    assert cli("delete", "gone", "gone", "--yes").stdout == "deleted 1 run, 2 MB\n"
    assert "gone" not in names(runs)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--status", "crashed"], {"done", "alive"}),
        (["--status", "crashed", "--status", "finished"], {"alive"}),
        (["--larger-than", "1MB"], {"done", "alive"}),
        (["--older-than", "7d"], {"alive"}),
        (["--older-than", "20000d"], {"done", "gone", "alive"}),
        (["--filter", "done"], {"gone", "alive"}),
        (["--filter", "status:running"], {"done", "gone", "alive"}),
        (["--larger-than", "1MB", "--status", "finished"], {"done", "gone", "alive"}),
    ],
)
def test_pruned_is_what_is_over_and_all_of_that(
    cli: Cli, runs: Path, live: Record, options: list[str], left: set[str]
) -> None:
    result = cli("prune", *options, "--yes")
    assert result.exit_code == 0, result.output
    assert names(runs) == left
    gone = 3 - len(left)
    assert (f"deleted {gone} run" in result.stdout) is (gone > 0)
    assert ("nothing to delete" in result.stdout) is (gone == 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "prune needs to know which"),
        (["--older-than", "soon"], "write 30d, 12h, 90m or 2w"),
        (["--larger-than", "big"], "write 500MB or 2G"),
        (["--filter", "lr>"], "a number must come after >"),
        (["--status", "running"], "'running' is not one of"),
    ],
)
def test_what_is_not_understood_deletes_nothing(
    cli: Cli, runs: Path, live: Record, options: list[str], said: str
) -> None:
    result = cli("prune", *options, "--yes")
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(names(runs)) == 3


@pytest.mark.parametrize(("count", "told"), [(0, "0 B"), (999, "999 B"), (1e6, "1 MB"), (2.04e9, "2.0 GB")])
def test_bytes_as_a_person_reads_them(count: float, told: str) -> None:
    assert in_bytes(count) == told
