"""Runs on other machines are compared with those of this one."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.foreign_records.event_files import event, event_file, frame, scalar
from tests.remote.far_side import NOT_TO_BE_HAD, fake_ssh
from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.ui.test_compare import show
from tests.waiting import until
from tui_trainer.cli import main
from tui_trainer.compare.comparison import UNREACHED, Comparison
from tui_trainer.compare.entries import joined, told_apart
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.session import Session
from tui_trainer.records.record import Record
from tui_trainer.remote import following
from tui_trainer.run_sources.far_records import FarRecords
from tui_trainer.ui.app import TrainerApp

Cli = Callable[..., Result]


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of another machine, of which no copies are left here."""
    home, temporary = tmp_path / "far", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    fake_ssh(home, monkeypatch, first=f"echo $$ >>'{home}/pids'")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setattr(following, "AGAIN_S", (0.05,))
    yield home
    assert not list(temporary.iterdir())


@pytest.fixture
def there(far: Path) -> Path:
    """The folder of runs there."""
    return far / ".local" / "share" / "tui-trainer" / "runs"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def no_route(far: Path) -> None:
    (far / "bin" / "ssh").write_text("#!/bin/sh\necho 'no route' >&2\nexit 255\n")


def cut(far: Path) -> None:
    """End the newest connection, if it has not ended by itself."""
    with suppress(ProcessLookupError):
        os.kill(int((far / "pids").read_text().split()[-1]), signal.SIGKILL)


@pytest.mark.says("comparison.not_reached")
@pytest.mark.never_says("comparison.not_reached", "comparison.not_asked", "remote.cut_short")
def test_runs_of_another_machine_stand_beside_those_of_this_one(
    cli: Cli, far: Path, there: Path, tmp_path: Path, captions_said: set[str]
) -> None:
    here = over(tmp_path / "runs", name="day")
    night = over(there, name="night")
    points = (event(i, scalar("eval/loss", 2 / i), scalar("eval/acc", 1 - 1 / i)) for i in range(1, 101))
    event_file(far / "logs" / "owl", b"".join(map(frame, points)))
    before = {path: path.stat().st_mtime_ns for path in far.rglob("*") if path.is_file() and path.name not in NOTED}
    asked = "day", "ssh://box/night", f"ssh://box/{night}", "ssh://box/~/logs"
    report = tmp_path / "out.html"
    said = cli("compare", *asked, "--metric", "val_loss", "--json", "--report", str(report))
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert [(each["preset"], each["status"]) for each in told["presets"]] == [
        ("day", "finished"),
        ("night", "finished"),
        ("owl", "unknown"),
    ]
    day, of_night, owl = (each["figures"] for each in told["presets"])
    assert day == of_night
    assert (owl["final_metric"]["mean"], owl["final_accuracy"]["mean"]) == (pytest.approx(0.02), pytest.approx(0.99))
    figures = report.read_text().split("<figcaption>")
    (losses,) = [figure for figure in figures if figure.startswith("Validation loss")]
    assert set(re.findall(r'data-run="(\d)">\n<polyline[^>]* points="[^"]', losses)) == {"0", "1", "2"}
    assert len((far / "pids").read_text().splitlines()) == 1  # one connection for all of them
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not captions_said & {"comparison.not_reached", "comparison.not_asked", "remote.cut_short"}
    session = told["session"]
    assert cli("compare", session, "--json").stdout == said.stdout
    no_route(far)
    again = cli("compare", session)
    assert again.exit_code == 0, again.output
    assert f"night is left out: ssh://box{there}/{night} is not reached: no route." in again.stdout
    assert re.search(r"^night +not reached", again.stdout, re.MULTILINE)
    assert re.search(r"^day +finished", again.stdout, re.MULTILINE)
    assert here in [folder.name for folder in (tmp_path / "runs").iterdir()]


NOTED = ("pids", "given", "ssh")


@pytest.mark.parametrize(("address", "first", "code", "words"), NOT_TO_BE_HAD)
def test_where_one_cannot_be_had_it_is_said_and_nothing_is_begun(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, first: str, code: int, words: str
) -> None:
    (tmp_path / "far").mkdir()
    fake_ssh(tmp_path / "far", monkeypatch, first=first)
    day = over(tmp_path / "runs")
    said = cli("compare", day, address)
    assert said.exit_code == code
    assert words in said.stderr
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == [day]


def compared(runs: Path, far: FarRecords, *names: str) -> Comparison:
    _, records = told_apart(names, runs, far)
    return Comparison(Session.create(runs, joined(records, runs, far=far)), far=far)


def polled(comparison: Comparison, condition: Callable[[], bool]) -> None:
    def looks() -> bool:
        comparison.poll(look=True)
        return condition()

    until(looks)


@pytest.mark.says("comparison.not_asked")
def test_one_that_goes_on_is_followed_and_a_lost_line_is_said_until_it_is_back(
    far: Path, there: Path, tmp_path: Path
) -> None:
    *events, end = scripted_run()
    half = len(events) // 2
    record = Record.create(there, {"preset_name": "steplr", "name": "night"})
    for told in events[:half]:
        record.emit(told)
    day = over(tmp_path / "runs", name="night")
    with FarRecords(asks=None, warn=print) as records:
        comparison = compared(tmp_path / "runs", records, day, "ssh://box/night")
        here, run = comparison.runs
        assert run.entry.label == "night box"
        records.follow()
        polled(comparison, lambda: bool(run.history.steps))
        assert run.state == "running"
        for told in events[half:]:
            record.emit(told)
        polled(comparison, lambda: run.history.steps == here.history.steps)
        ssh = (far / "bin" / "ssh").read_text()
        no_route(far)
        cut(far)
        polled(comparison, lambda: any("connection to box is lost" in line for line in find_out(comparison).verdict))
        assert run.state == "running"  # what is not known is not said
        record.emit(end)
        record.close()
        (far / "bin" / "ssh").write_text(ssh)
        polled(comparison, lambda: run.state == "finished")
        polled(comparison, lambda: not comparison.of_lines)
        comparison.close()
    alone = Comparison(comparison.session)
    alone.poll_all()
    assert [each.state for each in alone.runs] == ["finished", UNREACHED]
    assert any("is not reached: nobody has asked for it." in line for line in find_out(alone).verdict)
    alone.close()


@pytest.mark.says("foreign.which")
def test_of_several_records_in_a_far_folder_one_is_to_be_named_and_that_one_is_taken_again(
    cli: Cli, far: Path, tmp_path: Path
) -> None:
    here = over(tmp_path / "runs", name="day")
    points = (event(i, scalar("eval/loss", 2 / i)) for i in range(1, 101))
    event_file(far / "logs" / "owl", b"".join(map(frame, points)))
    (far / "logs" / "other.csv").write_text("step,val_loss\n1,7\n")
    refused = cli("compare", here, "ssh://box/~/logs")
    assert refused.exit_code == 2
    assert "ssh://box/~/logs holds several runs; name one: " in refused.stderr
    assert f"ssh://box{far}/logs/owl" in refused.stderr
    assert f"ssh://box{far}/logs/other.csv" in refused.stderr
    said = cli("compare", here, "ssh://box/~/logs/owl", "--metric", "val_loss", "--json")
    assert said.exit_code == 0, said.output
    (far / "logs" / "owl" / "new.csv").write_text("step,val_loss\n1,9\n")  # written last, and not what was named
    os.utime(far / "logs" / "owl" / "new.csv", (2e9, 2e9))
    assert cli("compare", json.loads(said.stdout)["session"], "--json").stdout == said.stdout


@pytest.mark.says("remote.cut_short")
def test_what_had_come_is_told_where_the_line_breaks_before_all_is_fetched(
    far: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{step},{step / 2}\n" for step in range(40_000))
    (far / "table.csv").write_text(f"step,loss\n{rows}")
    monkeypatch.setattr("tui_trainer.remote.mirror.PIECE", 16 << 10)
    with FarRecords(asks=None, warn=print) as records:
        comparison = compared(tmp_path / "runs", records, "ssh://box/~/table.csv")
        cut(far)
        records.fetch()
        comparison.poll_all()
        (run,) = comparison.runs
        assert 0 < len(run.history.series["train_loss"].values) < 40_000
        assert any("lost before all was fetched" in line for line in find_out(comparison).verdict)
        comparison.close()


@pytest.mark.says("comparison.far_not_paused")
@pytest.mark.never_says("comparison.far_not_paused")
async def test_on_the_screen_it_is_opened_on_its_machine_and_not_paused_from_here(
    far: Path, there: Path, tmp_path: Path, captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(TrainerApp, "show_far_run", lambda _, address: opened.append(address))
    live = [Record.create(runs, {"preset_name": "steplr"}) for runs in (tmp_path / "runs", there)]
    for record in live:
        for told in list(scripted_run())[:-1]:
            record.emit(told)
    with FarRecords(asks=None, warn=print) as records:
        both = compared(tmp_path / "runs", records, live[0].id, "ssh://box")
        alone = compared(tmp_path / "runs", records, "ssh://box")
        records.follow()
        for comparison in (both, alone):
            polled(comparison, lambda comparison=comparison: all(run.state == "running" for run in comparison.runs))  # type: ignore[misc]
        async with show(both) as (pilot, _):
            await pilot.press("space")
            assert "comparison.far_not_paused" not in captions_said
            await pilot.press("down", "enter")
        assert opened == [f"ssh://box{there}/{live[1].id}"]
        async with show(alone) as (pilot, _):
            await pilot.press("space")
            assert "comparison.far_not_paused" in captions_said
        for comparison in (both, alone):
            comparison.close()
    for record in live:
        record.close()
