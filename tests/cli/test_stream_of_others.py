"""`stream` follows what another tool records, until that says that it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.scripted_record import over

Cli = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, runs: Path) -> Path:
    """A run of MLflow's that has failed: four losses, a second apart."""
    run = tmp_path / "1" / "abc"
    (run / "metrics" / "val").mkdir(parents=True)
    (run / "meta.yaml").write_text("end_time: 1700000009000\nrun_id: abc\nrun_name: night owl\nstatus: 4\n")
    lines = [f"{1_700_000_000_000 + 1000 * step} {loss} {step}\n" for step, loss in enumerate([0.5, 3, 4, 0.25])]
    (run / "metrics" / "val" / "loss").write_text("".join(lines))
    return run


def test_objects_of_a_run_of_another_tool(cli: Cli, run: Path) -> None:
    done = cli("stream", str(run), "--json", "--since", "0")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["step"], each["values"]) for each in told if each["type"] == "metrics"] == [
        (1, {"val/loss": 3.0}),
        (2, {"val/loss": 4.0}),
        (3, {"val/loss": 0.25}),
    ]
    assert [each for each in told if each["type"] == "ended"] == [told[-1]]
    assert (told[-1]["status"], done.exit_code) == ("crashed", 1)


@pytest.mark.says("alert.so", "alert.over", "foreign.no_rules_for_ours")
@pytest.mark.never_says("foreign.no_rules_for_ours")
def test_rules_are_held_against_its_numbers(cli: Cli, run: Path, runs: Path, captions_said: set[str]) -> None:
    rules = ["val/loss > 2 for 2 steps", "val/loss > 2 for 5 minutes"]
    done = cli("stream", str(run), "--json", "--alert", rules[0], "--alert", rules[1])
    told = [json.loads(line) for line in done.stdout.splitlines()]
    alerts = [(each["kind"], each["text"]) for each in told if each["type"] == "alert"]
    assert [kind for kind, _ in alerts] == ["alert", "recovered", "read"]
    assert "4 at step 2" in alerts[0][1]
    assert "0.25 at step 3" in alerts[1][1]
    lines = cli("stream", str(run), "--alert", "val/loss > 2 for 1 seconds").stdout
    assert "step 3  val/loss 0.2500" in lines
    assert "4 at step 2" in lines
    assert "foreign.no_rules_for_ours" not in captions_said
    refused = cli("stream", over(runs), "--alert", "loss > 2")
    assert (refused.exit_code, "given its rules as it is started" in refused.stderr) == (2, True)
