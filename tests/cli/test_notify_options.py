"""`--notify`, `--notify-on` and `--bell`, on real runs."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import SMALL
from tests.cli.test_launch import only
from tests.compare.made import compared, record
from tests.run_sources.test_webhook import SECRET, Listening
from tests.terminal import Terminal
from tui_trainer.engine.trainer import Trainer
from tui_trainer.events import Alert
from tui_trainer.records.record import Record
from tui_trainer.records.tail import Tail

pytestmark = pytest.mark.slow

Cli = Callable[..., Result]


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A program that keeps what it was told, and its file."""
    program = tmp_path / "tell me.py"
    names = "k[12:]: v for k, v in os.environ.items() if k.startswith('TUI_TRAINER_') and k != 'TUI_TRAINER_RUNS'"
    program.write_text(
        "import json, os, sys\n"
        "print('told with', sys.argv[1:])\n"
        f"print(json.dumps({{{names}}}), file=open({str(tmp_path / 'told')!r}, 'a'))\n"
    )
    return program


def facts(told: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in told.with_name("told").read_text().splitlines()]


def notices(runs: Path) -> list[Alert]:
    with Tail(only(runs) / "events.jsonl") as tail:
        return [event for event in tail if isinstance(event, Alert)]


def test_the_end_of_a_run_is_told_with_its_facts(cli: Cli, runs: Path, told: Path) -> None:
    command = f"{sys.executable} '{told}' 'two words' '$HOME;ls'"
    result = cli("run", "--preset", "none", *SMALL, "--epochs", "2", "--notify", command)
    assert result.exit_code == 0
    (fact,) = facts(told)
    run = only(runs)
    assert (fact["EVENT"], fact["STATUS"], fact["EXIT_CODE"]) == ("end", "finished", "0")
    assert (fact["RUN"], fact["FOLDER"], fact["STEP"], fact["EPOCH"]) == (run.name, str(run), "8", "2")
    assert fact["TEXT"].startswith("finished: all epochs done; best val accuracy 0.")
    assert "told with ['two words', '$HOME;ls']" in (run / "log.txt").read_text()


def test_a_command_that_fails_is_a_notice_and_the_run_is_as_it_was(cli: Cli, runs: Path) -> None:
    result = cli("run", "--preset", "none", *SMALL, "--epochs", "1", "--notify", "false")
    assert result.exit_code == 0
    assert [notice.text for notice in notices(runs)] == ["--notify: false ended with exit code 1"]


def test_a_run_that_diverges_is_told_of_before_its_loss_is_nan(
    cli: Cli, runs: Path, told: Path, tmp_path: Path
) -> None:
    preset = tmp_path / "far.toml"
    preset.write_text(
        'title = "An LR that grows without end"\n[training]\nepochs = 20\nbatch_size = 8\n'
        '[optimizer]\nname = "SGD"\nlr = 0.1\n'
        '[scheduler]\nname = "ExponentialLR"\ngamma = 1.05\ninterval = "step"\n'
    )
    size = ["--model", "mlp", "--limit-train", "800", "--limit-val", "50", "--threads", "1", "--device", "cpu"]
    result = cli("run", "--preset", str(preset), *size, "--notify", f"{sys.executable} '{told}'")
    assert result.exit_code == 3
    rises, end = facts(told)
    assert (rises["EVENT"], rises["STATUS"], rises["EXIT_CODE"]) == ("diverging", "running", "")
    assert (end["EVENT"], end["STATUS"], end["EXIT_CODE"]) == ("end", "diverged", "3")
    assert int(rises["STEP"]) < int(end["STEP"])
    lines = result.output.splitlines()
    (index,) = [index for index, line in enumerate(lines) if line == rises["TEXT"]]
    assert lines[index].startswith("diverging: loss ")
    assert lines[-1].startswith("diverged: ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--notify", "'unbalanced"], "cannot be split into words"),
        (["--notify", "  "], "there is no command in it"),
        (["--notify", "no-such-program-anywhere now"], "there is no program 'no-such-program-anywhere' here"),
        (
            ["--notify-on", "end,lunch"],
            "'lunch' is none of end, diverging, chance-level, overfitting, plateaued",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_written(
    cli: Cli, runs: Path, options: list[str], words: str
) -> None:
    result = cli("run", "--preset", "none", *SMALL, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())
    assert not runs.exists()


def test_a_run_that_lives_elsewhere_cannot_be_told_to_notify(cli: Cli, runs: Path) -> None:
    record = Record.create(runs, {"preset_name": "none"})
    result = cli("resume", record.id, "--notify", "true")
    record.close()
    assert result.exit_code == 2
    assert "trains in another process" in result.output


def test_launch_and_run_ring_the_bell_at_the_end_and_launch_notifies(runs: Path, told: Path) -> None:
    for command in ("launch", "run"):
        more = ["--exit-when-done", "--notify", f"{sys.executable} '{told}'"] if command == "launch" else []
        with Terminal(command, "--preset", "none", *SMALL, "--epochs", "2", "--bell", *more) as terminal:
            assert terminal.wait() == 0
            assert b"\a" in terminal.text
    assert [fact["EVENT"] for fact in facts(told)] == ["end"]
    with Terminal("run", "--preset", "none", *SMALL, "--epochs", "1") as terminal:
        assert terminal.wait() == 0
        assert b"\a" not in terminal.text


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening()
    yield server
    server.close()


@pytest.mark.usefixtures("trainers_in_forks")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_run_of_a_comparison_is_told_of_and_no_secret_is_kept(
    cli: Cli, runs: Path, told: Path, listening: Listening, tmp_path: Path, jobs: str
) -> None:
    address = tmp_path / "address"
    address.write_text(listening.address)
    address.chmod(0o600)
    notify = ["--notify", f"{sys.executable} '{told}' --token={SECRET}", "--webhook-file", str(address)]
    result = cli("compare", "none", "onecycle", *SMALL, "--epochs", "1", "--jobs", jobs, *notify)
    assert result.exit_code == 0
    assert len({fact["RUN"] for fact in facts(told) if fact["EVENT"] == "end"}) == 2
    assert len({json.loads(body)["run"] for _, _, body in listening.posted}) == 2
    kept = b"".join(file.read_bytes() for file in runs.rglob("*") if file.suffix in (".json", ".jsonl"))
    assert b"none" in kept
    assert SECRET.encode() not in kept


def test_of_a_comparison_that_is_over_nobody_is_notified_and_that_is_said(cli: Cli, runs: Path) -> None:
    comparison = compared(runs, [record(runs), record(runs, scheduler="OneCycleLR")])
    result = cli("compare", comparison.session.id, "--notify", "true")
    assert "warning: nothing trains here, so nobody is notified" in result.output
    assert "nobody is notified" not in cli("compare", comparison.session.id, "--bell").output


def test_compare_rings_the_bell_as_a_run_ends(runs: Path) -> None:
    asked = ["compare", "none", "onecycle", *SMALL, "--epochs", "1", "--again"]
    with Terminal(*asked, "--json", "--bell") as terminal:
        assert terminal.wait() == 0
        assert terminal.text.count(b"\a") in (1, 2)
    rung = []
    for more in [], ["--bell"]:  # a screen ends sequences with that character, too
        with Terminal(*asked, "--exit-when-done", *more) as terminal:
            assert terminal.wait() == 0
            rung.append(re.sub(rb"\x1b[]P_].*?(\a|\x1b\\)", b"", terminal.text).count(b"\a"))
    assert rung[0] == 0 < rung[1]


def test_what_a_library_warns_of_is_in_the_log_of_the_run(
    cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_trainer.engine import train

    fit = train.fit

    def warned(run: Trainer) -> None:
        warnings.warn("a library is unhappy", UserWarning, stacklevel=1)
        fit(run)

    monkeypatch.setattr(train, "fit", warned)
    with pytest.warns(UserWarning, match="unhappy"):
        assert cli("run", "--preset", "none", *SMALL, "--epochs", "1").exit_code == 0
    assert "UserWarning: a library is unhappy" in (only(runs) / "log.txt").read_text()
