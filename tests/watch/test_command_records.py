"""The records of watched commands: one for each training, and every command that reads records copes with them."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.preloaded import Running, run
from tests.waiting import until
from tests.watch.watching import ACTING, ended, history, pid_of_command, the_run, trains
from tui_trainer.records.errors import RunsError
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import delete, summaries
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.run_sources.in_process import asked_of

pytestmark = pytest.mark.slow

ENDLESS = shlex.join([*ACTING, "--steps", "-1", "--seconds", "0.02"])


@contextmanager
def watched(runs: Path, *command: str, options: Sequence[str] = ()) -> Iterator[tuple[Running, Path]]:
    """A command that goes on, watched, and the folder of its run; it is stopped at the end."""
    with Running("watch", *options, "--", *command, stdout=subprocess.PIPE) as running:
        folder = the_run(runs)
        try:
            yield running, folder
        finally:
            while running.poll() is None:
                run("stop", folder.name)
    ended(folder)


def control(word: str, folder: Path) -> str:
    """A command from the shell, and what it answers."""
    done = run(word, folder.name)
    return done.stdout + done.stderr


def test_it_pauses_goes_on_and_stops(runs: Path, endless: list[str]) -> None:
    with watched(runs, *endless) as (running, folder):
        trains(folder)
        assert f"{folder.name}: paused after step " in control("pause", folder)
        until(lambda: history(folder).status == "paused")
        stands = history(folder).last_step
        assert history(folder).paused.step >= stands - 1  # type: ignore[union-attr]
        assert "paused after step" in control("pause", folder)
        assert history(folder).last_step == stands
        assert control("resume", folder) == f"{folder.name}: going on\n"
        trains(folder, stands + 10)
        assert history(folder).status == "running"
        assert "stopping after step" in control("stop", folder)
        assert running.wait() == 130
    goodbye = ended(folder)
    assert (goodbye.status, goodbye.reason, goodbye.exit_code) == ("stopped", "stopped from the shell", 130)


def test_what_cannot_be_asked_of_it_is_refused_with_the_reason(runs: Path, endless: list[str]) -> None:
    with watched(runs, *endless) as (_, folder):
        trains(folder)
        assert "what a checkpoint of it holds, it alone knows" in control("checkpoint", folder)
        refused = run("switch", folder.name, "onecycle")
        assert refused.returncode == 1
        assert "its optimizer and its scheduler are its own" in refused.stderr


def test_before_anything_trains_there_is_nothing_to_hold(runs: Path) -> None:
    with watched(runs, "sleep", "1000") as (running, folder):
        assert "there is no step to hold it at" in control("pause", folder)
        assert "sent SIGINT to the command, as ctrl+c does; asked again, it is sent SIGTERM" in control("stop", folder)
        assert running.wait() == 130


def test_without_control_it_is_only_sent_what_the_keyboard_would(runs: Path, endless: list[str]) -> None:
    with watched(runs, *endless, options=["--no-control"]) as (running, folder):
        trains(folder)
        assert "watched with --no-control: nothing but stop" in control("pause", folder)
        assert "sent SIGINT to the command" in control("stop", folder)
        assert running.wait() == 130


def test_what_will_not_stop_is_sent_more_each_time(runs: Path, endless: list[str]) -> None:
    deaf = [*endless, "--deaf", "--ignore", str(int(signal.SIGINT)), str(int(signal.SIGTERM))]
    with watched(runs, *deaf) as (running, folder):
        trains(folder)
        assert "its step takes long: sent SIGINT to the command" in control("stop", folder)
        assert "sent SIGTERM to the command; asked again, it is sent SIGKILL" in control("stop", folder)
        trains(folder, trains(folder) + 10)
        assert "sent SIGKILL to the command" in control("stop", folder)
        assert running.wait() == 137
    assert ended(folder).status == "stopped"


def _obey_ctrl_c() -> None:
    """What a shell begins in the background ignores it, and so these tests may."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_stopped_from_the_shell_nobody_else_in_the_job_is_sent_anything(runs: Path, tmp_path: Path) -> None:
    """What runs beside it in a script goes on: the keyboard would have ended that, too."""
    command = f"{sys.executable} -m tui_trainer watch -- sleep 1000; echo $?"
    with (tmp_path / "out").open("w") as out:
        script = subprocess.Popen(["sh", "-c", command], stdout=out, preexec_fn=_obey_ctrl_c)
        try:
            folder = the_run(runs)
            until(lambda: "sent SIGINT" in control("stop", folder))
            assert script.wait() == 0
        finally:
            while script.poll() is None:
                run("stop", the_run(runs).name)
    assert (tmp_path / "out").read_text() == "130\n"


def test_ranks_of_one_run_are_one_run_and_stand_still_at_one_step(runs: Path) -> None:
    text = " ".join(f"RANK={rank} WORLD_SIZE=2 {ENDLESS} &" for rank in (0, 1)) + " wait"
    with watched(runs, "sh", "-c", text) as (_, folder):
        trains(folder, 5)
        until(lambda: "paused after step" in control("pause", folder))
        told = history(folder)
        assert told.paused is not None
        until(lambda: history(folder).last_step == told.paused.step)  # type: ignore[union-attr]
        assert control("resume", folder) == f"{folder.name}: going on\n"
        assert len(list(runs.iterdir())) == 1


def test_ranks_that_are_not_seen_are_not_left_hanging(runs: Path) -> None:
    with watched(runs, "sh", "-c", f"RANK=0 WORLD_SIZE=2 exec {ENDLESS}") as (_, folder):
        trains(folder)
        assert "one that stood still would hang the rest" in control("pause", folder)


def test_trainings_one_after_the_other_have_records_of_their_own(runs: Path) -> None:
    short = shlex.join([*ACTING, "--steps"])
    done = run("watch", "--name", "both", "--", "sh", "-c", f"{short} 30 --raises ValueError; {short} 40 --exit 4")
    assert done.returncode == 4
    second, first = summaries(runs)
    assert (first.name, first.steps_done, first.status) == ("both", 30, "crashed")  # the command's: it ended with 4
    assert (second.name, second.steps_done) == ("both 2", 40)
    why = "the command ended with exit code 4; its training ended with ValueError, which nobody caught"
    assert ended(Path(first.folder)).reason == why
    assert read_facts(Path(second.folder))["asked"]["group"] == first.id
    assert f"another training has begun: {second.id}" in [alert.text for alert in history(Path(first.folder)).notices]
    assert ended(Path(second.folder)).reason.startswith("its process ended")


@contextmanager
def two(runs: Path) -> Iterator[tuple[Running, Path, Path]]:
    """Two trainings of one command, and the folders of their runs, the command's first; all is stopped at the end."""
    with Running("watch", "--", "sh", "-c", f"{ENDLESS} & {ENDLESS} & wait") as running:
        try:
            until(lambda: len([each for each in summaries(runs) if each.steps_done]) == 2)
            main, other = sorted(runs.iterdir(), key=lambda folder: "group" in read_facts(folder)["asked"])
            yield running, main, other
        finally:
            while running.poll() is None:
                for folder in runs.iterdir():
                    run("stop", folder.name)
    for folder in runs.iterdir():
        ended(folder)


def test_of_two_at_once_each_is_paused_and_stopped_by_itself(runs: Path) -> None:
    with two(runs) as (running, main, other):
        assert "paused after step" in control("pause", main)
        stands, trained = history(main).last_step, pid_of_command(main)
        trains(other, history(other).last_step + 10)
        assert "the command's other runs go on" in control("stop", main)
        until(lambda: not psutil.pid_exists(trained))
        trains(other, history(other).last_step + 10)
        assert history(main).ended is None  # the command goes on
        assert history(main).last_step == stands
        assert "sent SIGINT to the command" in control("stop", main)
        assert running.wait() in (0, 130)
        assert history(other).ended is None  # what a shell begins with & is sent no ctrl+c
        assert "stopping after step" in control("stop", other)
        assert ended(other).reason == "stopped from the shell"


def test_killed_one_of_several_says_so(runs: Path) -> None:
    with two(runs) as (_, _, other):
        psutil.Process(pid_of_command(other)).kill()
        assert "without a word" in ended(other).reason


def test_secrets_in_it_are_blanked_and_of_the_environment_little_is_told(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush-hush")
    monkeypatch.setenv("OMP_NUM_THREADS_HERE", "1")
    monkeypatch.setenv("NCCL_DEBUG", "WARN")
    run("watch", "--", "true", "--token", "hush-hush", "https://me:hush-hush@example.org/x")
    folder = the_run(runs)
    ended(folder)
    asked = read_facts(folder)["asked"]["program"]
    assert asked["command"] == ["true", "--token", "***", "https://***@example.org/x"]
    assert asked["environment"]["NCCL_DEBUG"] == "WARN"
    assert "MY_TOKEN" in asked["environment_names"]
    for path in folder.rglob("*"):
        assert not path.is_file() or b"hush-hush" not in path.read_bytes(), path


@pytest.fixture
def over(runs: Path) -> Path:
    """A watched run that has ended."""
    run("watch", "--name", "over", "--", *ACTING, "--steps", "30")
    return the_run(runs)


def test_all_that_reads_records_copes_with_it(over: Path, tmp_path: Path) -> None:
    (told,) = json.loads(run("runs", "--json").stdout)
    assert (told["id"], told["name"], told["status"], told["steps_done"]) == (over.name, "over", "finished", 30)
    assert told["flaws"] == []
    assert "over" in run("runs").stdout
    assert run("runs", "--filter", "status:finished and calls:light").stdout
    streamed = [json.loads(line) for line in run("stream", "over", "--json").stdout.splitlines()]
    assert streamed[-1]["reason"] == "the command ended"
    assert run("stream", "over").stdout.splitlines()[-1] == "finished: the command ended"
    for form in ("csv", "jsonl"):
        assert run("export", "over", "--out", str(tmp_path / form), "--format", form).returncode == 0
    assert len((tmp_path / "csv" / "steps.csv").read_text().splitlines()) == 31
    assert "hush" not in (tmp_path / "jsonl" / "run.jsonl").read_text()
    for word in ("stop", "pause", "checkpoint"):
        assert re.search(r"`tui-trainer rerun \S+` runs its command once more", run(word, "over").stderr)


def test_two_of_them_can_be_compared(over: Path) -> None:
    run("watch", "--name", "again", "--", *ACTING, "--steps", "40")
    done = run("compare", "over", "again", "--json")
    assert done.returncode == 0
    assert [each["status"] for each in json.loads(done.stdout)["presets"]] == ["finished", "finished"]
    assert "None" not in run("compare", "over", "again").stdout


def test_one_that_has_ended_is_not_resumed_but_run_again(over: Path) -> None:
    refused = run("resume", "over")
    assert refused.returncode == 2
    assert "`tui-trainer rerun` begins it once more" in refused.stderr
    for act in (lambda: asked_of(over), lambda: asked_of(over, new_record=True), lambda: Record.reopen(over)):
        with pytest.raises(RunsError, match="rerun"):
            act()


def test_it_can_be_deleted(over: Path, runs: Path) -> None:
    delete(over)
    assert list(runs.iterdir()) == []


def test_rerun_shows_the_command_and_runs_it(over: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = run("rerun", "over")
    assert asked.returncode == 2
    assert "nobody can be asked here: --yes runs it" in asked.stderr
    assert len(list(runs.iterdir())) == 1
    monkeypatch.chdir("/")
    done = run("rerun", "over", "--yes", "--name", "again")
    assert done.returncode == 0
    assert done.stdout == "done\n"
    assert shlex.join([*ACTING, "--steps", "30"]) in done.stderr
    again = next(each for each in summaries(runs) if each.name == "again")
    assert again.steps_done == 30
    facts = read_facts(Path(again.folder))["asked"]["program"]
    assert facts["cwd"] == read_facts(over)["asked"]["program"]["cwd"]


def _changed(folder: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    facts = json.loads((folder / "run.json").read_text())
    change(facts)
    (folder / "run.json").write_text(json.dumps(facts))


def test_rerun_runs_nothing_that_is_not_this_users_own(over: Path, runs: Path) -> None:
    def again() -> str:
        done = run("rerun", "over", "--yes")
        assert done.returncode == 2
        assert len(list(runs.iterdir())) == 1
        return done.stderr

    _changed(over, lambda facts: facts["asked"]["program"]["command"].append("***"))
    assert "it has to be typed again" in again()
    _changed(over, lambda facts: facts["asked"]["program"].update(command=["true"], cwd="/no/such/folder"))
    assert "the folder that it ran in is gone" in again()
    _changed(over, lambda facts: facts["asked"]["program"].update(cwd="/"))
    journal = (over / "events.jsonl").read_text()
    (over / "events.jsonl").write_text(journal.replace(f'"host":"{os.uname().nodename}"', '"host":"elsewhere"'))
    assert "does not tell on which machine it was recorded" in again()
    (over / "events.jsonl").write_text(journal)
    if os.geteuid() == 0:
        os.chown(over / "run.json", 65534, -1)
        assert "is another user's" in again()
        os.chown(over / "run.json", 0, -1)
    _changed(over, lambda facts: facts["asked"].pop("program"))
    assert "is no watched command" in again()
