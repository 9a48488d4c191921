"""Commands to a run that does not do what it was asked: an exit code of 0 is for those that were obeyed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from tests.compare.made import session_of
from tests.scripted import scripted_run
from tests.waiting import until
from tui_trainer.cli import control
from tui_trainer.commands import AnyCommand, OneBatch
from tui_trainer.events import SCHEMA, CommandAnswered, RunStarted
from tui_trainer.records.lock import WriterLock
from tui_trainer.records.record import Record

ASKED = (["pause"], ["resume"], ["checkpoint"], ["switch", "steplr"], ["lr", "x0.5"], ["epochs", "12"], ["stop"])
OVER_SSH = ["ask", '{"type": "OneBatch", "by": "attach", "id": "1f"}']
"""What this program on another machine asks for a person there."""

Cli = Callable[..., Result]


@pytest.fixture
def live(runs: Path) -> Iterator[Record]:
    """A run that trains, as far as others can see, and answers nothing by itself."""
    made = Record.create(runs, {"preset_name": "none"})
    yield made
    made.close()


def ask(cli: Cli, asked: list[str], run: str) -> Result:
    return cli(asked[0], run, *asked[1:])


def then(record: Record, act: Callable[[AnyCommand], object]) -> threading.Thread:
    """Do something once the run was asked."""

    def wait() -> None:
        came: list[AnyCommand] = []
        until(lambda: bool(came) or bool(came.extend(record.inbox.poll())))
        act(came[0])

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.says("shell.not_answered")
@pytest.mark.never_says("shell.ended_unanswered")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_a_run_that_does_not_answer_was_not_made_to(
    cli: Cli, live: Record, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.2)
    result = ask(cli, asked, live.id)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"{live.id}: asked; it has not answered within 0.2 s: a run answers between two batches\n"


@pytest.mark.says("shell.ended_unanswered")
@pytest.mark.never_says("shell.not_answered")
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_a_run_that_ends_instead_of_answering_is_not_waited_for(cli: Cli, live: Record, asked: list[str]) -> None:
    ends = then(live, lambda _: live.close())
    result = ask(cli, asked, live.id)
    ends.join()
    assert result.exit_code == 1
    assert result.stderr == f"{live.id}: asked; it ended before it answered\n"


def later_by_its_facts(live: Record) -> None:
    live.describe({"schema": SCHEMA + 1})


def later_by_its_journal(live: Record) -> None:
    """As its first line has it, whatever comes behind."""
    began, *others = scripted_run()[:-1]
    assert isinstance(began, RunStarted)
    for event in (msgspec.structs.replace(began, schema=SCHEMA + 1), *others):
        live.emit(event)


@pytest.mark.parametrize("later", [later_by_its_facts, later_by_its_journal])
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_a_run_whose_record_has_a_later_form_is_asked_nothing(
    cli: Cli, live: Record, asked: list[str], later: Callable[[Record], None]
) -> None:
    """What a command means to a later program, and how that answers, this one cannot know."""
    later(live)
    result = ask(cli, asked, live.id)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"run {live.id} takes no commands from here: it was written by a later version of tui-trainer: its form is "
        f"{SCHEMA + 1}, and this version knows none after {SCHEMA}. Ask with the version that trains it.\n"
    )
    assert (live.folder / "control.jsonl").read_bytes() == b""


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked[0])
def test_a_run_of_the_form_of_today_is_asked_and_answers(cli: Cli, live: Record, asked: list[str]) -> None:
    came: list[str] = []

    def answer(command: AnyCommand) -> None:
        came.append(type(command).__name__)
        live.emit(
            CommandAnswered(at=0.0, id=command.id, command="any", by="shell", accepted=True, answer="as you wish")
        )

    answers = then(live, answer)
    result = ask(cli, asked, live.id)
    answers.join()
    assert (result.exit_code, result.stdout) == (0, f"{live.id}: as you wish\n")
    assert came == [
        {
            "resume": "Continue",
            "checkpoint": "SaveCheckpoint",
            "switch": "SwitchPreset",
            "lr": "SetLR",
            "epochs": "SetEpochs",
        }.get(asked[0], asked[0].capitalize())
    ]


def test_what_is_asked_over_ssh_reaches_the_run_as_it_was_asked(cli: Cli, live: Record) -> None:
    came: list[AnyCommand] = []

    def answer(command: AnyCommand) -> None:
        came.append(command)
        said = CommandAnswered(at=0.0, id=command.id, command="n", by="attach", accepted=True, answer="one batch")
        live.emit(said)

    answers = then(live, answer)
    result = ask(cli, OVER_SSH, live.id)
    answers.join()
    assert (result.exit_code, result.stdout) == (0, f"{live.id}: one batch\n")
    assert came == [OneBatch(by="attach", id="1f")]


@pytest.mark.says("refusal.unknown_command")
@pytest.mark.parametrize("wrong", ["", "{", '{"type": "Fly", "by": "x"}', '{"type": "SetLR"}', "[" * 10_000])
def test_what_no_version_asks_over_ssh_is_refused(cli: Cli, live: Record, wrong: str) -> None:
    result = cli("ask", live.id, "--", wrong)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no command that this version knows" in result.stderr
    assert (live.folder / "control.jsonl").read_bytes() == b""


@pytest.mark.never_says("refusal.unknown_command")
def test_what_is_no_lr_is_refused_before_a_run_is_asked(cli: Cli, live: Record) -> None:
    result = cli("lr", live.id, "0")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "0 is no LR: give one above 0, as 0.01, or a factor, as x0.5\n"
    assert (live.folder / "control.jsonl").read_bytes() == b""


@pytest.mark.parametrize("number", ["0", "-3", "2.5", "many", "", "1000001", "٣"])
def test_what_is_no_number_of_epochs_is_refused_before_a_run_is_asked(cli: Cli, live: Record, number: str) -> None:
    result = cli("epochs", live.id, "--", number)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (f"{number or 'nothing'} is no number of epochs: give one from 1 to 1,000,000, as 12\n")
    assert (live.folder / "control.jsonl").read_bytes() == b""


@pytest.mark.parametrize(("accepted", "code"), [(True, 0), (False, 1)])
def test_its_answer_is_printed_even_where_it_ends_with_it(cli: Cli, live: Record, accepted: bool, code: int) -> None:
    def answer(command: AnyCommand) -> None:
        said = CommandAnswered(
            at=0.0, id=command.id, command="stop", by="shell", accepted=accepted, answer="stopping after step 3"
        )
        live.emit(said)
        live.close()

    answers = then(live, answer)
    result = cli("stop", live.id)
    answers.join()
    assert result.exit_code == code
    assert f"{live.id}: stopping after step 3\n" == (result.stdout if accepted else result.stderr)


@pytest.mark.says("end.by_shell")
def test_a_comparison_that_does_not_stop_was_not_stopped(cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PATIENCE_S", 0.2)
    session = session_of(runs, [], ["none", "steplr"])
    lock = WriterLock(session.folder)
    try:
        (session.folder / "control.jsonl").touch()
        result = cli("stop", session.id)
    finally:
        lock.release()
    assert result.exit_code == 1
    assert result.stderr == f"{session.id}: asked; it has not stopped within 0.2 s: its runs stop between two batches\n"
