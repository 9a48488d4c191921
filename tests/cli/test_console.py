"""What a run without a screen says of its epochs."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import msgspec
import pytest

from tests.records.made_runs import GUESS, Made
from tests.scripted import START, scripted_run
from tui_trainer.cli.console import Bar, JsonLines, PlainLines, SafeOutput, in_lines
from tui_trainer.events import (
    AnyEvent,
    CommandAnswered,
    EpochEnded,
    LRChanged,
    PhaseStarted,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    StepsTaken,
)
from tui_trainer.records.alerts import AlertRules
from tui_trainer.records.history import History


@pytest.mark.parametrize("number", [nan, inf])
def test_what_was_not_measured_or_not_finite_is_null_in_json(number: float) -> None:
    out = io.StringIO()
    ended = EpochEnded(
        at=1e9, epoch=1, step=3, train_loss=number, train_accuracy=0.5, val_loss=number, val_accuracy=nan, lr=0.1,
        images_per_second=1.0, elapsed=2.0, validated=False,
    )  # fmt: skip
    JsonLines(out).tell(ended, History())

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    row = json.loads(out.getvalue(), parse_constant=refuse)
    assert (row["train_loss"], row["val_loss"], row["val_accuracy"], row["train_accuracy"]) == (None, None, None, 0.5)


# Lines

CONFIGURED = next(event for event in scripted_run() if isinstance(event, RunConfigured))
NO_END = msgspec.structs.replace(CONFIGURED.recipe, epochs=None, batches_per_epoch=None, total_steps=None)
GUESSES = Made(lambda step: GUESS, val_loss=lambda epoch: 2.31 - epoch / 100, accuracy=lambda epoch: 0.1)
LEARNS = Made(lambda step: 2.0 / step, accuracy=lambda epoch: 1 - 0.5 / epoch)
GETS_WORSE = Made(lambda step: 2.0 / step, accuracy=lambda epoch: 0.9 - epoch / 100)


def replaced(event: RunConfigured, **changes: object) -> RunConfigured:
    return msgspec.structs.replace(event, **changes)


def told(*events: AnyEvent) -> list[str]:
    """The lines of the last of these events."""
    history = History()
    for event in events:
        history.apply(event)
    return in_lines(events[-1], history)


def ended(made: Made) -> list[AnyEvent]:
    """As far as the end of its last epoch."""
    events = list(made.events())
    return events[: max(at for at, event in enumerate(events) if isinstance(event, EpochEnded)) + 1]


def goodbye(made: Made, status: str = "finished") -> list[AnyEvent]:
    end = RunEnded(at=START, status=status, reason="all epochs done", step=600, epoch=10, exit_code=0)  # type: ignore[arg-type]
    return [*ended(made), end]


STEPS = next(event for event in scripted_run() if isinstance(event, StepsTaken))
SWITCHED = next(event for event in scripted_run(switch_at=2) if isinstance(event, PresetSwitched))
LITTLE_KNOWN = EpochEnded(
    at=START,
    epoch=1,
    step=5,
    train_loss=0.5,
    train_accuracy=nan,
    val_loss=nan,
    val_accuracy=nan,
    lr=nan,
    images_per_second=nan,
    elapsed=1.0,
    validated=None,
)
LINES: dict[str, tuple[list[AnyEvent], set[str], str]] = {
    "it has begun": (
        [replaced(CONFIGURED, device="cpu", threads=2, ranks=1)],
        {"line.began", "line.threads", "line.length"},
        "steplr: cnn (411,802 parameters) on mnist-5k (1,248 images), cpu ×2, seed 0, 3 epochs of 20 batches",
    ),
    "in steps of several batches": (
        [replaced(CONFIGURED, device="cpu", ranks=1, recipe=msgspec.structs.replace(CONFIGURED.recipe, accumulate=4))],
        {"line.began", "line.threads", "line.length"},
        "seed 0, 3 epochs of 20 steps",
    ),
    "another program's": (
        [
            replaced(
                CONFIGURED,
                device="cpu",
                threads=2,
                ranks=1,
                dataset="",
                train_images=None,
                seed=None,
                recipe=msgspec.structs.replace(NO_END, preset="", optimizer="AdamW", scheduler=""),
            )
        ],
        {"line.watched", "line.threads"},
        "watched: cnn (411,802 parameters), cpu ×2, AdamW",
    ),
    "on a GPU": (
        [replaced(CONFIGURED, device="cuda:0", threads=4, ranks=1, recipe=NO_END)],
        {"line.began"},
        "steplr: cnn (411,802 parameters) on mnist-5k (1,248 images), cuda:0, seed 0",
    ),
    "in processes": (
        [replaced(CONFIGURED, device="cpu", threads=2, ranks=2, recipe=NO_END)],
        {"line.began", "line.threads", "line.ranks"},
        "cpu ×2 in 2 processes, seed 0",
    ),
    "the LR moved": (
        [LRChanged(at=START, step=20, epoch=2, old=0.1, new=0.05, reason="step_size 2 reached: 0.1 → 0.05")],
        {"line.lr"},
        "epoch 2: step_size 2 reached: 0.1 → 0.05",
    ),
    "an epoch is the best": (
        ended(LEARNS),
        {"line.epoch", "line.best", "line.lr_used", "line.speed"},
        "val_accuracy 0.9500  lr 0.1  1,000 images/s  best",
    ),
    "an epoch is not": (
        ended(GETS_WORSE),
        {"line.epoch", "line.lr_used", "line.speed"},
        "val_accuracy 0.8000  lr 0.1  1,000 images/s",
    ),
    "an epoch of which little is known": ([LITTLE_KNOWN], {"line.epoch"}, "epoch   1  train_loss 0.5000  "),
    "an epoch is no better than guessing": (
        ended(GUESSES),
        {"line.epoch", "line.lr_used", "line.speed"},
        "val_accuracy 0.1000  lr 0.1  1,000 images/s",
    ),
    "a switch": ([SWITCHED], {"line.switched"}, "epoch 2: now onecycle, weights kept"),
    "a command": (
        [CommandAnswered(at=START, id="1", command="pause", by="attach", accepted=True, answer="paused after step 3")],
        {"line.answered"},
        "attach: pause: paused after step 3",
    ),
    "the end": (
        goodbye(LEARNS),
        {"line.ended"},
        "finished: all epochs done; best val accuracy 0.9500 at epoch 10",
    ),
    "the end of a run that learned nothing": (
        goodbye(GUESSES),
        {"line.ended"},
        "finished: all epochs done; val accuracy at chance, at most 0.1000; chance level: ",
    ),
}


@pytest.mark.says("line.*")
@pytest.mark.never_says("line.*")
@pytest.mark.parametrize("case", LINES)
def test_this_line_is_told_and_nothing_else(case: str, captions_said: set[str]) -> None:
    events, ids, words = LINES[case]
    (line,) = told(*events)
    assert words in line
    assert line.endswith(words) or case.startswith("the end of")
    assert {id for id in captions_said if id.startswith("line.")} == ids


@pytest.mark.says("end.chance")
@pytest.mark.never_says("end.best")
def test_whoever_is_told_of_the_end_reads_of_no_best_epoch_where_none_was_better_than_guessing(
    captions_said: set[str],
) -> None:
    watch = AlertRules()
    for event in goodbye(GUESSES):
        watch.take(event)
    assert watch.best_in_words == "val accuracy at chance, at most 0.1000"
    assert "end.best" not in captions_said


@pytest.mark.says("line.position")
def test_within_an_epoch_its_place_is_told_every_ten_seconds(captions_said: set[str]) -> None:
    out, now = io.StringIO(), [0.0]
    lines, history = PlainLines(out, clock=lambda: now[0]), History()
    for event in (CONFIGURED, STEPS):
        history.apply(event)
        lines.tell(event, history)
    assert "line.position" not in captions_said
    now[0] = 11.0
    lines.tell(STEPS, history)
    assert f"epoch 1 batch {history.batch}/20  loss {history.losses[-1]:.4f}  " in out.getvalue()


@pytest.mark.never_says("line.position")
def test_before_the_first_batch_there_is_no_place(captions_said: set[str]) -> None:
    out, now = io.StringIO(), [0.0]
    lines, history = PlainLines(out, clock=lambda: now[0]), History()
    now[0] = 100.0
    history.apply(CONFIGURED)
    lines.tell(CONFIGURED, history)
    assert "line.position" not in captions_said


@pytest.mark.says("line.starting")
@pytest.mark.never_says("line.starting")
def test_a_bar_says_starting_until_the_run_has_told_what_it_does(captions_said: set[str]) -> None:
    out = io.StringIO()
    bar, history = Bar(out), History()
    assert "line.starting" in captions_said
    phase = PhaseStarted(at=START, phase="loading data", detail="mnist-5k")
    history.apply(phase)
    bar.tell(phase, history)
    bar.close()
    last = out.getvalue().rsplit("\n", 1)[-1] or out.getvalue()
    assert "loading data mnist-5k" in last


def broken() -> None:
    raise BrokenPipeError


def test_a_pipe_whose_reader_has_gone_is_told_of_in_the_log(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom tui_trainer.cli.console import SafeOutput\n"
        "def broken(): raise BrokenPipeError\n"
        "SafeOutput(lambda: Path(sys.argv[1])).say(broken)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "log.txt").read_text().endswith(" nobody reads what is printed any more; training goes on\n")


@pytest.mark.says("line.nobody_reads")
def test_it_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tui_trainer.cli.console._lead_to", os.close)  # else pytest would print there, too
    output = SafeOutput(lambda: tmp_path)
    for _ in range(3):
        output.say(broken)
    assert capsys.readouterr().out.count("nobody reads what is printed any more; training goes on") == 1


@pytest.mark.never_says("line.nobody_reads")
def test_a_disk_that_is_full_is_no_reader_that_has_gone(tmp_path: Path, captions_said: set[str]) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        SafeOutput(lambda: tmp_path).say(full)
    assert "line.nobody_reads" not in captions_said
