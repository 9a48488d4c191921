"""What commands refuse, and what they say beside what they do: each in its case, and nothing else of the kind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import Result

from tests.compare.made import record, session_of
from tui_trainer.cli import compare, control
from tui_trainer.compare.session import Session
from tui_trainer.events import SCHEMA, RunStarted
from tui_trainer.records.lock import WriterLock
from tui_trainer.records.record import Record
from tui_trainer.text.captions import CAPTIONS

Cli = Callable[..., Result]

IDS = {id for id in CAPTIONS if id.startswith("refusal.")}
IDS |= {
    f"shell.{name}"
    for name in (
        *("preset_unusable", "preset_fine", "preset_warned", "reckoned", "not_rehearsed", "same_name", "same_names"),
        *("address_in_list", "not_answered", "no_comparisons", "nobody_notified", "runs_left"),
        *("session", "session_waits", "session_over", "session_not_stopped", "session_stopped", "nothing_to_prune"),
        *("no_tests_to_prune", "exposed", "serving"),
    )
}


class Place(NamedTuple):
    """Where a command is typed."""

    runs: Path
    tmp_path: Path
    monkeypatch: pytest.MonkeyPatch
    held: list[Record | WriterLock]
    """What is live meanwhile."""

    def without(self, module: str) -> None:
        """It is not installed."""
        for name in [name for name in sys.modules if name.startswith("tui_trainer.cli.textual_serve")]:
            self.monkeypatch.delitem(sys.modules, name)
        self.monkeypatch.setitem(sys.modules, module, None)

    def in_ranks(self) -> None:
        """The first of two that torchrun has started."""
        for name, value in {"MASTER_ADDR": "127.0.0.1", "RANK": "0", "WORLD_SIZE": "2"}.items():
            self.monkeypatch.setenv(name, value)

    def on_terminal(self, term: str) -> None:
        self.monkeypatch.setattr(os, "isatty", lambda fd: True)
        self.monkeypatch.setenv("TERM", term)

    def without_shell(self, module: str) -> None:
        self.on_terminal("xterm")
        self.monkeypatch.setattr(f"{module}.wait_until_in_front", lambda fd: False)

    def live(self, **facts: Any) -> str:
        made = Record.create(self.runs, {"preset_name": "none", **facts})
        self.held.append(made)
        return made.id

    def lives_for_a_moment(self, session: Session) -> None:
        """Another process trains it, until somebody waits for that."""
        lock = WriterLock(session.folder)
        (session.folder / "control.jsonl").touch()
        pause = time.sleep

        def sleep(seconds: float) -> None:
            lock.release() if seconds in (compare.LOOK_EVERY, control.LOOK_EVERY_S) else pause(seconds)

        self.monkeypatch.setattr("time.sleep", sleep)

    def watched(self, **program: Any) -> Path:
        program = {"command": ["true"], "cwd": str(self.tmp_path), **program}
        made = Record.create(self.runs, {"preset_name": "true", "program": program})
        made.emit(RunStarted(at=0.0, run=made.id, schema=SCHEMA, pid=os.getpid(), host=socket.gethostname()))
        made.close()
        return made.folder

    def preset(self, text: str, name: str = "own") -> str:
        file = self.tmp_path / "config" / "tui-trainer" / "presets" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return name


FLAT = '[optimizer]\nname = "SGD"\nlr = 0.01\n[training]\nepochs = 1\n'
HUGE = FLAT.replace("0.01", "20.0")


def misspelt(_: Place) -> list[str]:
    return ["atach"]


def a_misspelt_preset(_: Place) -> list[str]:
    return ["presets", "show", "stplr"]


def a_preset_of_nobody(_: Place) -> list[str]:
    return ["presets", "show", "qqqq"]


def a_path_out_of_reach(at: Place) -> list[str]:
    return ["rerun", at.watched(cwd=f"/{'x' * 300}").name, "--yes"]


def watch_what_dies_without_a_word(at: Place) -> list[str]:
    at.monkeypatch.setattr("tui_trainer.watching.host.host.Host", lambda *_: os._exit(1))
    return ["watch", "--detach", "--", "true"]


def without_torch(at: Place) -> list[str]:
    at.without("torch")
    return ["run", "--preset", "none"]


def serve_without_its_package(at: Place) -> list[str]:
    at.without("textual_serve")
    return ["serve"]


def launch_without_terminal(_: Place) -> list[str]:
    return ["launch"]


def attach_without_terminal(_: Place) -> list[str]:
    return ["attach"]


def attach_on_a_dumb_one(at: Place) -> list[str]:
    at.on_terminal("dumb")
    return ["attach"]


def launch_without_shell(at: Place) -> list[str]:
    at.without_shell("tui_trainer.cli.launch")
    return ["launch"]


def compare_without_shell(at: Place) -> list[str]:
    at.without_shell("tui_trainer.cli.compare")
    return ["compare", "none", "steplr"]


def launch_in_ranks(at: Place) -> list[str]:
    at.in_ranks()
    return ["launch"]


def compare_in_ranks(at: Place) -> list[str]:
    at.in_ranks()
    return ["compare", "none", "steplr"]


def run_in_ranks(at: Place) -> list[str]:
    at.in_ranks()
    return ["run", "--preset", "none", "--retry", "2"]


def resume_in_ranks(at: Place) -> list[str]:
    at.in_ranks()
    return ["resume", record(at.runs, status=None).name, "--detach"]


def json_and_detached(_: Place) -> list[str]:
    return ["run", "--preset", "none", "--json", "--detach"]


def a_new_record_of_a_live_run(at: Place) -> list[str]:
    return ["resume", at.live(), "--new-record"]


def a_live_run_with_a_rule(at: Place) -> list[str]:
    return ["resume", at.live(), "--alert", "loss > 3"]


def what_follows_no_epochs(_: Place) -> list[str]:
    return ["resume", "x", "--then", "constant"]


def more_epochs_of_a_live_run(at: Place) -> list[str]:
    return ["resume", at.live(), "--epochs", "5"]


def another_form_of_report(_: Place) -> list[str]:
    return ["compare", "none", "steplr", "--report", "/r.pdf"]


def a_target_that_is_nan(_: Place) -> list[str]:
    return ["compare", "none", "steplr", "--target", "nan"]


def a_target_that_is_no_accuracy(_: Place) -> list[str]:
    return ["compare", "none", "steplr", "--target", "98"]


def another_target(at: Place) -> list[str]:
    return ["compare", session_of(at.runs, [record(at.runs)], ["none"], target=0.6).id, "--target", "0.7"]


def a_target_for_one_without(at: Place) -> list[str]:
    return ["compare", session_of(at.runs, [record(at.runs)], ["none"]).id, "--target", "0.7"]


def one_to_compare(_: Place) -> list[str]:
    return ["compare", "none"]


def one_to_compare_beside_a_session(at: Place) -> list[str]:
    session_of(at.runs, [record(at.runs)], ["none"])
    return ["compare", "none"]


def seeds_beyond_the_last(_: Place) -> list[str]:
    return ["compare", "none", "--seeds", "2", "--seed", str(2**63 - 1)]


def rerun_unasked(at: Place) -> list[str]:
    return ["rerun", at.watched().name]


def rerun_of_ours(at: Place) -> list[str]:
    return ["rerun", record(at.runs).name, "--yes"]


def rerun_of_ours_elsewhere(at: Place) -> list[str]:
    return ["rerun", record(at.tmp_path / "else").name, "--yes", "--runs-dir", str(at.tmp_path / "else")]


def rerun_of_another_users(at: Place) -> list[str]:
    folder = at.watched()
    at.monkeypatch.setattr(os, "geteuid", lambda: folder.lstat().st_uid + 1)
    return ["rerun", folder.name, "--yes"]


def rerun_of_another_machine(at: Place) -> list[str]:
    folder = at.watched()
    at.monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    return ["rerun", folder.name, "--yes"]


def rerun_of_no_machine(at: Place) -> list[str]:
    folder = at.watched()
    (folder / "events.jsonl").write_text("")
    return ["rerun", folder.name, "--yes"]


def rerun_with_a_secret(at: Place) -> list[str]:
    return ["rerun", at.watched(command=["true", "***"]).name, "--yes"]


def rerun_in_a_folder_that_is_gone(at: Place) -> list[str]:
    return ["rerun", at.watched(cwd=str(at.tmp_path / "gone")).name, "--yes"]


def watch_nothing(_: Place) -> list[str]:
    return ["watch"]


def watch_what_is_not_there(_: Place) -> list[str]:
    return ["watch", "--", "no-such-program"]


def watch_a_folder(at: Place) -> list[str]:
    return ["watch", "--", str(at.tmp_path)]


def watch_what_may_not_be_executed(at: Place) -> list[str]:
    (at.tmp_path / "file").touch(0o600)
    return ["watch", "--", str(at.tmp_path / "file")]


def runs_of_a_file(at: Place) -> list[str]:
    (at.tmp_path / "file").touch()
    return ["runs", "--runs-dir", str(at.tmp_path / "file")]


def runs_of_what_may_not_be_read(at: Place) -> list[str]:
    at.runs.mkdir()

    def refuse(path: Path, *_: object) -> Iterator[os.DirEntry[str]]:
        raise PermissionError(13, "Permission denied", str(path))

    at.monkeypatch.setattr(os, "scandir", refuse)
    return ["runs"]


def ask_what_no_version_knows(at: Place) -> list[str]:
    return ["ask", at.live(), "{}"]


def delete_a_live_run(at: Place) -> list[str]:
    return ["delete", at.live(), "--yes"]


def delete_unasked(at: Place) -> list[str]:
    return ["delete", record(at.runs).name]


def prune_all(_: Place) -> list[str]:
    return ["prune"]


def prune_none(at: Place) -> list[str]:
    record(at.runs)
    return ["prune", "--status", "crashed", "--yes"]


def prune_tests_by_status(_: Place) -> list[str]:
    return ["prune", "--range-tests", "--status", "crashed", "--yes"]


def prune_no_tests(at: Place) -> list[str]:
    record(at.runs)
    return ["prune", "--range-tests", "--older-than", "0m", "--yes"]


def serve_other_machines(_: Place) -> list[str]:
    return ["serve", "--host", "192.0.2.1"]


def serve_what_cannot_be_listened_on(_: Place) -> list[str]:
    return ["serve", "--host", "192.0.2.1", "--expose"]


def serve_a_watched_command(_: Place) -> list[str]:
    return ["serve", "--", "watch", "true"]


def check_without_torch(at: Place) -> list[str]:
    at.without("torch")
    return ["presets", "check", at.preset(FLAT)]


def check_one_that_diverges(at: Place) -> list[str]:
    at.without("torch")
    return ["presets", "check", at.preset(HUGE)]


def check_one_that_cannot_be_used(at: Place) -> list[str]:
    return ["presets", "check", at.preset("[training]\nepochs = 0\n")]


def list_one_that_cannot_be_used(at: Place) -> list[str]:
    at.preset("[training]\nepochs = 0\n")
    return ["presets", "list"]


def show_one_that_brings_a_model(at: Place) -> list[str]:
    return ["presets", "show", at.preset(f'{HUGE}[for]\ndataset = "mnist-5k"\nmodel = "mlp"\n')]


def a_name_that_one_has(at: Place) -> list[str]:
    record(at.runs, name="night")
    return ["watch", "--name", "night", "--", "no-such-program"]


def a_name_that_two_have(at: Place) -> list[str]:
    record(at.runs, name="night")
    record(at.runs, name="night")
    return ["watch", "--name", "night", "--", "no-such-program"]


def an_address_on_the_command_line(_: Place) -> list[str]:
    return ["watch", "--webhook", "https://example.org/x", "--", "no-such-program"]


def no_comparisons(_: Place) -> list[str]:
    return ["compare", "--list"]


def one_comparison(at: Place) -> list[str]:
    session_of(at.runs, [record(at.runs)])
    return ["compare", "--list"]


def a_comparison_that_is_over(at: Place) -> list[str]:
    return ["compare", session_of(at.runs, [record(at.runs), record(at.runs)]).id, "--notify", "true"]


def follow_one_that_is_left(at: Place) -> list[str]:
    session = session_of(at.runs, [record(at.runs)], ["none"])
    at.lives_for_a_moment(session)
    return ["compare", session.id]


def follow_one_that_ends(at: Place) -> list[str]:
    session = session_of(at.runs, [record(at.runs), record(at.runs)])
    at.lives_for_a_moment(session)
    return ["compare", session.id]


def serve(at: Place) -> list[str]:
    def interrupt_soon(_: str) -> None:
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)

    at.monkeypatch.setattr("tui_trainer.cli.serve.call_process", interrupt_soon)
    return ["serve"]


def stop_one_that_waits(at: Place) -> list[str]:
    return ["stop", session_of(at.runs, [record(at.runs)], ["none"]).id]


def stop_one_that_waits_elsewhere(at: Place) -> list[str]:
    runs = at.tmp_path / "else"
    return ["stop", session_of(runs, [record(runs)], ["none"]).id, "--runs-dir", str(runs)]


def stop_one_that_is_over(at: Place) -> list[str]:
    return ["stop", session_of(at.runs, [record(at.runs)]).id]


def stop_one_that_does_not(at: Place) -> list[str]:
    at.monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    session = session_of(at.runs, [record(at.runs)], ["none"])
    at.held.append(WriterLock(session.folder))
    (session.folder / "control.jsonl").touch()
    return ["stop", session.id]


def stop_one_that_stops(at: Place) -> list[str]:
    session = session_of(at.runs, [record(at.runs)], ["none"])
    at.lives_for_a_moment(session)
    return ["stop", session.id]


def stop_one_that_ends_meanwhile(at: Place) -> list[str]:
    session = session_of(at.runs, [record(at.runs)])
    at.lives_for_a_moment(session)
    return ["stop", session.id]


def a_run_that_does_not_answer(at: Place) -> list[str]:
    at.monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    return ["pause", at.live()]


REFUSALS: list[tuple[Callable[[Place], list[str]], set[str], str]] = [
    (misspelt, {"refusal.command_meant"}, "No such command 'atach'. Did you mean 'attach'?"),
    (a_path_out_of_reach, {"refusal.out_of_reach"}, "xxx cannot be used: file name too long\n"),
    (watch_what_dies_without_a_word, {"refusal.not_begun"}, "watch: it could not be begun\n"),
    (a_misspelt_preset, {"refusal.preset_meant"}, "stplr: no preset of this name; did you mean steplr?\n"),
    (a_preset_of_nobody, {"refusal.no_preset"}, "qqqq: no preset of this name; name one of none, "),
    (without_torch, {"refusal.no_torch"}, "run needs PyTorch, which is not installed here: pip install torch\n"),
    (serve_without_its_package, {"refusal.no_textual_serve"}, "serve needs textual-serve: pip install "),
    (
        launch_without_terminal,
        {"refusal.no_terminal", "refusal.run_instead"},
        "launch needs a terminal to draw on; `tui-trainer run --preset NAME` trains without a screen\n",
    ),
    (attach_without_terminal, {"refusal.no_terminal", "refusal.runs_instead"}, "draw on; `tui-trainer runs` lists"),
    (attach_on_a_dumb_one, {"refusal.dumb_terminal", "refusal.runs_instead"}, "TERM says that this one cannot; `"),
    (launch_without_shell, {"refusal.no_shell", "refusal.run_instead"}, "launch is in the background, and no shell is"),
    (
        compare_without_shell,
        {"refusal.no_shell", "refusal.file_instead"},
        " is left that could bring it to the front; with its output in a file it needs no screen\n",
    ),
    (launch_in_ranks, {"refusal.one_process", "refusal.run_instead"}, "launch is for one process; torchrun starts `-m"),
    (compare_in_ranks, {"refusal.compare_ranks"}, "compare trains each run in one process: start it without torchrun"),
    (run_in_ranks, {"refusal.run_ranks"}, "restarts them (--max-restarts): leave --detach and --retry out\n"),
    (resume_in_ranks, {"refusal.resume_ranks"}, "torchrun waits for its processes: leave --detach out\n"),
    (json_and_detached, {"refusal.nobody_reads"}, "--json needs somebody who reads: leave it out, or --detach\n"),
    (a_new_record_of_a_live_run, {"refusal.live_in_own_record"}, " is live and goes on in its own record; leave --new"),
    (
        what_follows_no_epochs,
        {"refusal.then_alone"},
        "--then says what epochs beyond the end follow: give their number",
    ),
    (more_epochs_of_a_live_run, {"refusal.live_epochs"}, " is live: `tui-trainer epochs "),
    (a_live_run_with_a_rule, {"refusal.told_elsewhere"}, " trains in another process, which alone could tell of it: "),
    (another_form_of_report, {"refusal.report_form"}, "--report /r.pdf: its name must end in .html, .md, .csv"),
    (a_target_that_is_nan, {"refusal.target_not_finite"}, "--target nan: a target is a finite number\n"),
    (a_target_that_is_no_accuracy, {"refusal.no_accuracy"}, "--target 98: a validation accuracy is a number from 0"),
    (another_target, {"refusal.target_stays", "refusal.has_target"}, " has the target 0.6, which stays; a new compar"),
    (
        a_target_for_one_without,
        {"refusal.target_stays", "refusal.has_no_target"},
        " was begun without a target, which stays; a new comparison can have another\n",
    ),
    (one_to_compare, {"refusal.too_few"}, "name two presets or runs to compare, or one preset with --seeds N, or use "),
    (one_to_compare_beside_a_session, {"refusal.too_few", "refusal.known_session"}, "--lesson, or a session, such as "),
    (seeds_beyond_the_last, {"refusal.beyond_last_seed"}, "with --seeds 2 they go beyond the largest seed\n"),
    (rerun_unasked, {"refusal.nobody_to_ask"}, "nobody can be asked here: --yes runs it\n"),
    (rerun_of_ours, {"refusal.not_watched"}, " is no watched command; if it ended early, `tui-trainer resume "),
    (rerun_of_ours_elsewhere, {"refusal.not_watched"}, "/else` goes on with it\n"),
    (rerun_of_another_users, {"refusal.anothers"}, " is another user's: what their record asks to be run is not\n"),
    (rerun_of_another_machine, {"refusal.other_machine"}, "what a record of another machine asks to be run is not\n"),
    (rerun_of_no_machine, {"refusal.no_machine"}, " does not tell on which machine it was recorded: what such a rec"),
    (
        rerun_with_a_secret,
        {"refusal.secret_left_out"},
        "so it has to be typed again: tui-trainer watch -- true '***'",
    ),
    (rerun_in_a_folder_that_is_gone, {"refusal.folder_gone"}, ": the folder that it ran in is gone: "),
    (watch_nothing, {"refusal.no_command"}, "there is no command to watch: tui-trainer watch -- python train.py\n"),
    (watch_what_is_not_there, {"refusal.command_not_found"}, "watch: no-such-program: command not found\n"),
    (watch_a_folder, {"refusal.command_is_folder"}, ": is a folder\n"),
    (watch_what_may_not_be_executed, {"refusal.command_not_executable"}, "/file: permission denied\n"),
    (runs_of_a_file, {"refusal.no_folder"}, "/file is not a folder\n"),
    (runs_of_what_may_not_be_read, {"refusal.folder_unread"}, "/runs: Permission denied\n"),
    (ask_what_no_version_knows, {"refusal.unknown_command"}, "this is no command that this version knows: "),
    (delete_a_live_run, {"refusal.live_kept"}, "stop it first, `tui-trainer stop "),
    (delete_unasked, {"refusal.nobody_to_ask_of"}, "; nobody can be asked here: --yes deletes for good\n"),
    (
        prune_all,
        {"refusal.prune_which"},
        "prune needs to know which: --older-than, --status, --larger-than or",
    ),
    (prune_tests_by_status, {"refusal.tests_have_no_status"}, "has no status: leave --status or --range-tests out\n"),
    (serve_other_machines, {"refusal.exposes"}, "other machines may reach 192.0.2.1: serve listens there only with"),
    (
        serve_what_cannot_be_listened_on,
        {"shell.exposed", "refusal.cannot_listen"},
        "nothing is encrypted: whoever reads the address runs the app\ncannot listen on 192.0.2.1: ",
    ),
    (serve_a_watched_command, {"refusal.not_served"}, "serve shows launch, attach or compare; watch is none of them\n"),
]

NOTES: list[tuple[Callable[[Place], list[str]], set[str], str]] = [
    (prune_none, {"shell.nothing_to_prune"}, "no run that is over is all of that: nothing to delete\n"),
    (prune_no_tests, {"shell.no_tests_to_prune"}, "no LR range test is all of that: nothing to delete\n"),
    (check_one_that_diverges, {"shell.not_rehearsed", "shell.preset_warned"}, "own: can be used, see the warnings\n"),
    (check_without_torch, {"shell.not_rehearsed", "shell.preset_fine"}, "checked\nown: fine\n"),
    (list_one_that_cannot_be_used, {"shell.preset_unusable"}, "yours  cannot be used: "),
    (show_one_that_brings_a_model, {"shell.reckoned"}, "note: reckoned with what it is made for: "),
    (
        a_name_that_one_has,
        {"shell.same_name", "refusal.command_not_found"},
        "warning: another run is called night already: the name finds the newest, an id each of them\n",
    ),
    (a_name_that_two_have, {"shell.same_names", "refusal.command_not_found"}, "2 other runs are called night already"),
    (
        an_address_on_the_command_line,
        {"shell.address_in_list", "refusal.command_not_found"},
        "warning: --webhook: whoever may list the processes of this machine can read the address there; ",
    ),
    (no_comparisons, {"shell.no_comparisons"}, "/runs yet; `tui-trainer compare --lesson` makes one\n"),
    (
        a_comparison_that_is_over,
        {"shell.nobody_notified", "shell.session"},
        "warning: nothing trains here, so nobody is notified: --notify and --webhook are for who trains\n",
    ),
    (
        follow_one_that_is_left,
        {"shell.runs_left", "shell.session"},
        "1 run of the comparison is not trained to the end: tui-trainer compare ",
    ),
    (follow_one_that_ends, {"shell.session"}, "session: tui-trainer compare "),
    (serve, {"shell.serving"}, "/\nctrl+c stops serving; runs keep training\n"),
    (stop_one_that_waits, {"shell.session_waits"}, " is not training: tui-trainer compare "),
    (stop_one_that_waits_elsewhere, {"shell.session_waits"}, "/else continues it\n"),
    (stop_one_that_is_over, {"shell.session_over"}, " is over: nothing of it trains, and nothing is left to do\n"),
    (stop_one_that_does_not, {"shell.session_not_stopped"}, "it has not stopped within 0.05 s: its runs stop between"),
    (stop_one_that_stops, {"shell.session_stopped"}, ": stopped; continue it: tui-trainer compare "),
    (stop_one_that_ends_meanwhile, {"shell.session_over"}, " is over: nothing of it trains"),
    (a_run_that_does_not_answer, {"shell.not_answered"}, "within 0.05 s: a run answers between two batches\n"),
]


@pytest.fixture
def at(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(runs, tmp_path, monkeypatch, [])
    yield place
    for each in place.held:
        each.close() if isinstance(each, Record) else each.release()


Case = tuple[Callable[[Place], list[str]], set[str], str]


def check(case: Case, cli: Cli, at: Place, said: set[str]) -> None:
    of, ids, words = case
    typed = of(at)
    said.clear()
    assert words in cli(*typed).output
    assert said & IDS == ids


@pytest.mark.says("refusal.*")
@pytest.mark.never_says("refusal.*")
@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case[0].__name__)
def test_this_is_refused_and_nothing_else_said(case: Case, cli: Cli, at: Place, captions_said: set[str]) -> None:
    check(case, cli, at, captions_said)


@pytest.mark.says("shell.*")
@pytest.mark.never_says("shell.*")
@pytest.mark.parametrize("case", NOTES, ids=lambda case: case[0].__name__)
def test_this_is_said_and_nothing_else(case: Case, cli: Cli, at: Place, captions_said: set[str]) -> None:
    check(case, cli, at, captions_said)


def test_each_is_said_in_a_case() -> None:
    assert {id for _, ids, _ in (*REFUSALS, *NOTES) for id in ids} == IDS


@pytest.mark.never_says("refusal.*", "shell.*", "end.by_shell", "end.by_signal")
@pytest.mark.parametrize("of", [one_comparison, check_one_that_cannot_be_used])
def test_of_these_nothing_is_said(
    of: Callable[[Place], list[str]], cli: Cli, at: Place, captions_said: set[str]
) -> None:
    cli(*of(at))
    assert captions_said & IDS == set()
