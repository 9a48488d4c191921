"""`stream`: what happens in a run, as it happens, and the run's own exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf, nan
from pathlib import Path
from typing import IO, Any

import msgspec
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records.streams import KINDS, anything, fold, runs_with_metrics
from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.waiting import PATIENCE_S
from tui_trainer.events import (
    AnyEvent,
    EpochEnded,
    LRChanged,
    MetricDeclared,
    MetricsLogged,
    ResolvedConfig,
    RunEnded,
    StepsTaken,
)
from tui_trainer.records.record import Record
from tui_trainer.records.stream_form import FORMS, LEFT_OUT, StreamForm
from tui_trainer.text.reasons import Reason, word

Cli = Callable[..., Result]
Object = dict[str, Any]

DOCS = Path(__file__).parents[2] / "docs" / "records-and-api.md"


def objects(lines: str) -> list[Object]:
    return [json.loads(line, parse_constant=pytest.fail) for line in lines.splitlines()]


def formed(events: Sequence[AnyEvent], since: int | None = None) -> list[Object]:
    form = StreamForm(since)
    return [each for event in events for each in form.of(event)]


@contextmanager
def streaming(run: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process of its own that is over afterwards."""
    command = [sys.executable, "-m", "tui_trainer", "stream", run, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, complaint = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said, complaint


# What is told


def test_a_run_that_is_over_is_told_to_its_end(cli: Cli, runs: Path) -> None:
    events = scripted_run(epochs=2)
    done = cli("stream", over(runs, events), "--json")
    told = objects(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert all(each["v"] == 1 for each in told)
    assert (told[0]["type"], told[-1]["type"]) == ("run", "ended")
    history = fold(events)
    steps = [each for each in told if "train_loss" in each.get("values", {})]
    assert [each["step"] for each in steps] == list(range(1, history.steps + 1))
    assert [each["values"]["lr"] for each in steps] == list(history.lrs)
    assert [each["epoch"] for each in told if each["type"] == "epoch"] == [1, 2]
    assert [each["reason"] for each in told if each["type"] == "lr"] == [each.reason for each in history.lr_changes]


def test_an_epoch_tells_its_series_among_its_values() -> None:
    epoch = next(event for event in scripted_run() if isinstance(event, EpochEnded))
    (told,) = formed([epoch])
    names = ("val_loss", "val_accuracy", "train_accuracy", "images_per_second")
    assert told["values"] == {name: getattr(epoch, name) for name in names}
    assert (told["step"], told["train_loss"], told["lr"]) == (epoch.step, epoch.train_loss, epoch.lr)


def test_what_is_not_finite_is_a_word_and_what_is_missing_is_not_there() -> None:
    values = {"a": nan, "b": inf, "c": -inf, "d": 2**60 + 1}
    (told,) = formed([MetricsLogged(at=1e9, step=0, values=values)])
    assert told == {
        "v": 1,
        "type": "metrics",
        "at": 1e9,
        "step": 0,
        "values": {"a": "nan", "b": "inf", "c": "-inf", "d": 2**60 + 1},
    }
    steps = StepsTaken(at=1e9, step=1, epoch=1, batch=1, losses=[None, 0.5], lrs=[0.1], elapsed=[1.0, 3.0])
    assert [(each["at"], each["values"]["train_loss"]) for each in formed([steps])] == [(1e9 - 2, "nan"), (1e9, 0.5)]


def test_who_wants_to_know_what_a_metric_is_is_told() -> None:
    (told,) = formed([MetricDeclared(at=1e9, name="ppl", goal="min", unit="x", kind="val", objective=True)])
    assert told["type"] == "metric"
    assert (told["name"], told["goal"], told["unit"], told["kind"], told["objective"]) == (
        "ppl",
        "min",
        "x",
        "val",
        True,
    )


DOCUMENTED = {
    row.split("`")[1]: set(row.split("|")[2].replace("`", "").replace(",", " ").split())
    for row in DOCS.read_text().splitlines()
    if row.startswith("| `")
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_form_is_documented(kind: type) -> None:
    """Each type, and each of its fields, in the table of the page."""

    @settings(max_examples=10, deadline=None)
    @given(event=KINDS[kind])
    def is_documented(event: AnyEvent) -> None:
        for each in formed([event]):
            assert set(each) - {"v", "type", "at"} <= DOCUMENTED[each["type"]]

    is_documented()


AS: dict[str, dict[str, set[str]]] = {
    "RunConfigured": {"ranks": {"processes"}, "recipe": {"preset", "total_steps"}},
    "StepsTaken": {key: {"values"} for key in ("losses", "lrs", "metrics")} | {"elapsed": {"elapsed_s"}},
    "MetricsLogged": {"elapsed": {"elapsed_s"}},
    "MetricColumns": {"steps": {"step"}, "epochs": {"epoch"}, "elapsed": {"elapsed_s"}},
    "EpochEnded": {"elapsed": {"elapsed_s"}}
    | {key: {"values"} for key in ("train_accuracy", "val_loss", "val_accuracy", "images_per_second")},
    "PresetSwitched": {"recipe": {"new", "total_steps"}},
    "EpochsChanged": {"recipe": {"new", "total_steps"}},
}
"""Fields of an event that have another name in the form, or several."""

TYPES = {"StepsTaken": "metrics", "MetricsLogged": "metrics", "MetricColumns": "metrics"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_all_that_an_event_holds_is_told_or_said_to_be_left_out(kind: type) -> None:
    form = FORMS.get(kind)
    fields = {field.name for field in msgspec.structs.fields(kind)} - {"at"}
    left_out = LEFT_OUT.get(kind, frozenset())
    if form is None and kind.__name__ not in TYPES:
        assert kind in LEFT_OUT
        return
    documented = DOCUMENTED[form[0] if form is not None else TYPES[kind.__name__]]
    renamed = AS.get(kind.__name__, {})
    told = {field for field in fields if renamed.get(field, {field}) <= documented}
    assert fields - told == left_out


def test_of_a_recipe_all_is_told() -> None:
    assert {field.name for field in msgspec.structs.fields(ResolvedConfig)} <= DOCUMENTED["configured"]


def test_why_the_lr_moved_is_told_as_a_code_with_its_values_and_of_which_group() -> None:
    because = Reason("step_size_reached", {"step_size": 5})
    where = {"step": 5, "epoch": 1, "old": 0.1, "new": 0.05}
    words = word(because)
    (told,) = formed([LRChanged(at=1e9, reason=words, because=because, group="bias", **where)])
    assert told["because"] == {"code": "step_size_reached", "step_size": 5}
    assert told["group"] == "bias"
    (plain,) = formed([LRChanged(at=1e9, reason="somehow", **where)])
    assert (plain["because"], plain["group"]) == (None, None)


@settings(max_examples=40, deadline=None)
@given(events=anything | runs_with_metrics(), since=st.none() | st.integers(0, 60))
def test_whatever_happens_is_json(events: list[AnyEvent], since: int | None) -> None:
    for each in formed(events, since):
        assert json.loads(json.dumps(each, allow_nan=False)) == each
        assert each["v"] == 1


@pytest.mark.parametrize("since", [0, 1, 7, 20, 39, 40, 1000])
def test_since_begins_after_a_step(cli: Cli, runs: Path, since: int) -> None:
    """In the middle of a line of the record too; the end is always told."""
    run = over(runs, scripted_run(epochs=2, steps_a_line=7))
    whole, told = (objects(cli("stream", run, "--json", *more).stdout) for more in ((), ("--since", str(since))))
    assert told[-1] == whole[-1]
    steps = [each["step"] for each in told if each["type"] == "metrics"]
    assert steps == list(range(since + 1, 41))
    begins = next((i for i, each in enumerate(whole) if each.get("step", 0) > since), len(whole) - 1)
    expected = [each for each in whole[begins:] if each["type"] != "metrics" or each["step"] > since]
    assert told == expected
    assert not [each for each in told[:-1] if each.get("step", since + 1) <= since]


def test_plain_lines_are_those_of_run(cli: Cli, runs: Path) -> None:
    logged = MetricsLogged(at=2e9, step=40, values={f"m/{number}\x1b[31m": float(number) for number in range(20)})
    events = scripted_run(epochs=2)
    done = cli("stream", over(runs, [*events[:-1], logged, events[-1]]))
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert [line.split()[1] for line in lines if line.startswith("epoch ") and "val_loss" in line] == ["1", "2"]
    (metrics,) = [line for line in lines if line.startswith("step 40  m/0")]
    assert "12 more" in metrics
    assert "\x1b" not in done.stdout
    assert lines[-1].startswith("finished: all epochs trained")
    assert len(cli("stream", over(runs, events), "--since", "30").stdout.splitlines()) < len(lines)


# Its end


@pytest.mark.parametrize(
    ("status", "code"), [("finished", 0), ("stopped", 0), ("diverged", 3), ("stopped", 143), ("crashed", 1)]
)
def test_it_exits_as_the_run_did(cli: Cli, runs: Path, status: Any, code: int) -> None:
    end = RunEnded(at=2e9, status=status, reason="", step=5, epoch=1, exit_code=code)
    assert cli("stream", over(runs, [*scripted_run()[:20], end]), "--json").exit_code == code


@pytest.mark.parametrize("code", [256, -1, 2**40])
def test_an_exit_code_that_none_can_be_is_no_success(cli: Cli, runs: Path, code: int) -> None:
    end = RunEnded(at=2e9, status="finished", reason="", step=5, epoch=1, exit_code=code)
    assert cli("stream", over(runs, [end])).exit_code == 1


def test_a_run_that_crashed_is_told_as_far_as_it_came(cli: Cli, runs: Path) -> None:
    run = over(runs, scripted_run()[:20])
    with (runs / run / "events.jsonl").open("ab") as file:
        file.write(b'{"type":"StepsTaken","at":17')  # torn
    done = cli("stream", run, "--json")
    told = objects(done.stdout)
    assert (done.exit_code, told[-1]["type"], told[-1]["status"]) == (1, "ended", "crashed")
    assert "no goodbye" in told[-1]["reason"]


def test_a_run_that_was_resumed_is_told_beyond_its_first_end(cli: Cli, runs: Path) -> None:
    first = [*scripted_run(epochs=1), *scripted_run(epochs=2)]
    told = objects(cli("stream", over(runs, first), "--json").stdout)
    assert [each["type"] for each in told].count("ended") == 2
    assert [each["step"] for each in told if each["type"] == "metrics"] == list(range(1, 41))


@pytest.mark.parametrize("arguments", [("nothing",), ("20",), ("",), ("RUN", "--since", "-1"), ()])
def test_what_is_no_run_is_refused(cli: Cli, runs: Path, arguments: tuple[str, ...]) -> None:
    ids = [over(runs), over(runs)]
    done = cli("stream", *(ids[0] if each == "RUN" else each for each in arguments))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr


def test_a_record_that_cannot_be_read_is_told(cli: Cli, runs: Path) -> None:
    run = over(runs)
    (runs / run / "events.jsonl").unlink()
    (runs / run / "events.jsonl").mkdir()
    done = cli("stream", run, "--json")
    assert done.exit_code == 2
    assert "events.jsonl cannot be read" in done.stderr


def test_what_is_damaged_is_told_among_the_rest(cli: Cli, runs: Path) -> None:
    run = over(runs)
    file = runs / run / "events.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:15], b"garbage\n", *lines[16:]]))
    told = objects(cli("stream", run, "--json").stdout)
    assert [each for each in told if each["type"] == "alert" and "could not be read" in each["text"]]
    assert told[-1]["type"] == "ended"


# As it happens


def test_a_live_run_is_followed_to_its_end(runs: Path) -> None:
    events = scripted_run(epochs=2)
    record = Record.create(runs, {"preset_name": "steplr"})
    with streaming(record.id, "--json") as process:
        whole = iter(out(process).readline, "")
        for number, event in enumerate(events[:-1]):
            record.emit(event)
            if isinstance(event, EpochEnded):
                told = next(each for line in whole if (each := json.loads(line))["type"] == "epoch")
                assert told["step"] == event.step  # it is told while the run goes on
            elif number % 7 == 0 and formed([event]):
                assert json.loads(next(whole))["v"] == 1
        assert process.poll() is None
        record.emit(diverged(events[-1]))
        record.close()
        code, said, complaint = ended(process)
    assert (code, complaint) == (3, "")
    assert objects(said)[-1]["type"] == "ended"


def diverged(event: AnyEvent) -> RunEnded:
    assert isinstance(event, RunEnded)
    return RunEnded(at=event.at, status="diverged", reason="", step=event.step, epoch=event.epoch, exit_code=3)


DIES = """
import os, signal, sys
from pathlib import Path
from tests.scripted import scripted_run
from tui_trainer.records.record import Record
record = Record.create(Path(sys.argv[1]), {"preset_name": "steplr"})
for event in scripted_run()[:20]:
    record.emit(event)
print(record.id, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_is_killed_while_it_is_streamed(runs: Path) -> None:
    child = [sys.executable, "-c", DIES, str(runs)]
    with subprocess.Popen(child, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as trainer:
        run = out(trainer).readline().strip()
        with streaming(run, "--json") as process:
            assert json.loads(out(process).readline())["type"] == "run"
            trainer.communicate("die\n", timeout=PATIENCE_S)
            code, said, complaint = ended(process)
    assert (code, complaint) == (1, "")
    assert objects(said)[-1]["status"] == "crashed"


def test_ctrl_c_ends_it_without_a_word_and_not_the_run(runs: Path) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in scripted_run()[:20]:
        record.emit(event)
    with streaming(record.id, "--json") as process:
        out(process).readline()
        process.send_signal(signal.SIGINT)
        code, _, complaint = ended(process)
    assert (code, complaint) == (130, "")
    record.close()


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_reader_that_leaves_ends_it_without_a_word(runs: Path, goes_on: bool) -> None:
    """At once: also where the run has nothing more to tell for hours."""
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in scripted_run()[:20]:
        record.emit(event)
    with streaming(record.id, "--json") as process:
        out(process).readline()
        out(process).close()
        for event in scripted_run()[20:60] if goes_on else ():
            record.emit(event)
        assert process.wait(PATIENCE_S) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
    record.close()
