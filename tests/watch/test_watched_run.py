"""The run of a watched training: what goes wrong with reading it never reaches the training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.watch.made_traces import MadeTrace, mnist
from tests.watch.watching import history
from tui_trainer.records.run_metadata import program_of
from tui_trainer.watching.host import watched_run
from tui_trainer.watching.host.beginning import begin_record
from tui_trainer.watching.host.endings import Raised
from tui_trainer.watching.host.request import WatchRequest, label
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import Goodbye, Options

FRAME = Goodbye(clock=1.0)


def process(rank: int) -> TracedProcess:
    return cast(
        "TracedProcess", SimpleNamespace(name=f"{rank}-a", rank=rank, pid=100 + rank, is_gone=False, hello=None)
    )


PROCESS = process(0)


def begun(
    runs: Path, *processes: TracedProcess, clock: Callable[[], float] = lambda: 0.0, alerts: Sequence[str] = ()
) -> WatchedRun:
    request = WatchRequest(command=("python", "train.py"), cwd=Path("/"), environment={}, runs=runs, alerts=alerts)
    run = WatchedRun(begin_record(request), request, Options(), clock)
    for each in processes or [PROCESS]:
        run.join(each)
    return run


@pytest.mark.says("notice.another_training", "notice.cannot_ask")
@pytest.mark.never_says("notice.another_training", "notice.cannot_ask")
def test_it_is_told_of_another_training_and_of_a_process_that_takes_no_commands(
    runs: Path, captions_said: set[str]
) -> None:
    first = begun(runs)
    first.tick()
    assert not captions_said & {"notice.another_training", "notice.cannot_ask"}
    first.warn_of_another("20260101-000000-a")
    first.warn_of_unreachable(7, "no such device")
    assert [alert.text for alert in history(first.record.folder).notices] == [
        "another training has begun: 20260101-000000-a",
        "nothing can be asked of process 7: no such device",
    ]


@pytest.mark.says("command.loop_unread")
def test_a_loop_that_cannot_be_read_is_told_once_and_the_record_goes_on(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("no such site")

    monkeypatch.setattr(watched_run.Interpreter, "take", failing)
    run = begun(runs)
    for _ in range(3):
        run.take(PROCESS, FRAME)
        run.tick()
        run.printed("a line", 1.0)
    run.end("finished", "the command ended", 0)
    told = history(run.record.folder)
    assert [alert.text for alert in told.notices] == [
        "what its loop does is told no more from here on: ValueError: no such site"
    ]
    assert told.status == "finished"


@pytest.mark.says("command.order_unread")
def test_an_order_that_cannot_be_read_is_told_once_and_the_loop_is_read_on(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("no such rule")

    monkeypatch.setattr(watched_run.Findings, "take", failing)
    run = begun(runs)
    for frame in mnist().end():
        run.take(PROCESS, frame)
    run.end("finished", "the command ended", 0)
    told = history(run.record.folder)
    assert [alert.text for alert in told.notices] == [
        "what is wrong with the order of its calls is told no more from here on: ValueError: no such rule"
    ]
    assert told.last_step == 12


@pytest.mark.never_says("command.order_unread", "command.loop_unread")
def test_what_is_wrong_with_the_order_is_in_the_record(runs: Path) -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    scheduler = made.scheduler(optimizer, "StepLR")
    stepped = made.site("scheduler.step", "scheduler", scheduler)
    step = made.site("optimizer.step", "optimizer", optimizer)
    for _ in range(3):
        made.call(stepped, 0.1)
        made.step(step, optimizer)
    run = begun(runs)
    for frame in made.end():
        run.take(PROCESS, frame)
    run.end("finished", "the command ended", 0)
    (found,) = history(run.record.folder).mistakes.values()
    assert (found.mistake, found.lineno, found.values) == (
        "scheduler_before_optimizer",
        stepped,
        {"scheduler": "StepLR"},
    )


@pytest.mark.never_says("command.loop_unread")
def test_one_that_can_is_not_complained_of(runs: Path) -> None:
    run = begun(runs)
    run.tick()
    run.printed("loss: 0.1", 1.0)
    run.end("finished", "the command ended", 0)
    run.end("crashed", "said once", 1)
    assert not history(run.record.folder).notices
    assert history(run.record.folder).status == "finished"


def test_a_rule_is_held_against_what_the_program_logs_by_a_name_of_its_own(runs: Path) -> None:
    rules = ['"own/hard share" > 0.5', "train_loss is nan", "gpu_temp > 85"]
    run = begun(runs, alerts=rules)
    made = mnist()
    made.logged({"own/hard share": 0.75}, step=12, by="tui_trainer")
    for frame in made.end():
        run.take(PROCESS, frame)
    run.end("finished", "the command ended", 0)
    told = [(alert.kind, alert.rule) for alert in history(run.record.folder).notices]
    assert ("alert", rules[0]) in told
    assert "train_loss is nan" not in {rule for _, rule in told}
    again = program_of(run.record.folder)
    assert again is not None
    assert again.options["alerts"] == tuple(rules)  # which a rerun keeps


@pytest.mark.parametrize(
    ("command", "called"),
    [
        ("python train.py --epochs 3", "train"),
        ("python -m pkg.train", "pkg.train"),
        ("uv run scripts/fit.py", "fit"),
        ("torchrun --nproc-per-node 2 main.py", "main"),
        ("accelerate launch train.py", "train"),
        ("./run.sh", "run"),
        ("env A=1 make train", "make"),
        ("python -c pass", "python"),
    ],
)
def test_what_it_is_called(command: str, called: str) -> None:
    assert label(command.split()) == called


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What an interpreter takes, in order."""
    taken: list[str] = []
    monkeypatch.setattr(watched_run.Interpreter, "take", lambda _, name, frame: taken.append(f"take {name}"))
    monkeypatch.setattr(
        watched_run.Interpreter, "take_other_rank", lambda _, name, frame: taken.append(f"take_other_rank {name}")
    )
    return taken


def test_whichever_rank_comes_first_the_first_one_leads(runs: Path, heard: list[str]) -> None:
    first, second = process(0), process(1)
    run = begun(runs, second)
    run.take(second, FRAME)
    run.tick()
    assert heard == []
    run.join(first)
    run.take(first, FRAME)
    run.take(second, FRAME)
    assert heard == ["take_other_rank 1-a", "take 0-a", "take_other_rank 1-a"]
    run.end("finished", "the command ended", 0)
    program = history(run.record.folder).program
    assert program is not None
    assert program.pid == 100


def test_of_ranks_that_fail_the_first_one_is_told_and_not_who_missed_it(runs: Path) -> None:
    def failed(rank: int, raised: str, left_at: float) -> TracedProcess:
        return cast(
            "TracedProcess", SimpleNamespace(**vars(process(rank)), raised=raised, left_at=left_at, is_grouped=True)
        )

    run = begun(runs, failed(0, "RuntimeError", 7.5), failed(1, "ValueError", 7.4), failed(2, "", 7.0))
    assert run.raised == Raised("ValueError", rank=1)
    run.end("crashed", "the command ended with exit code 1", 1)


def test_where_the_first_rank_is_elsewhere_the_lowest_here_leads(runs: Path, heard: list[str]) -> None:
    now = 0.0
    third, fourth = process(2), process(3)
    run = begun(runs, fourth, third, clock=lambda: now)
    run.take(fourth, FRAME)
    run.take(third, FRAME)
    now = watched_run.FIRST_RANK_S
    run.tick()
    assert heard == ["take_other_rank 3-a", "take 2-a"]
    assert run.is_led_by(third)
    run.end("finished", "the command ended", 0)


def test_what_was_held_back_is_read_at_the_end(runs: Path, heard: list[str]) -> None:
    second = process(1)
    run = begun(runs, second)
    run.take(second, FRAME)
    run.end("finished", "the command ended", 0)
    assert heard == ["take 1-a"]
