"""The screen of a watched program: its command, its losses by its own names, how far it is, what cannot be asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.compare.made import compared
from tests.scripted import START, scripted_run
from tests.scripted_watched import GAN_LOOP, gan_like, gpt_like, mnist_like
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tests.ui.test_runs import opened
from tests.waiting import PATIENCE_S
from tui_trainer.commands import OneBatch, Pause, SaveCheckpoint, SetEpochs, SetLR, SetPace, Stop, SwitchPreset
from tui_trainer.compare.differences import untold
from tui_trainer.compare.entries import joined
from tui_trainer.events import AnyEvent, Paused, RunEnded, Status, StepsTaken
from tui_trainer.records.errors import CannotGoOn
from tui_trainer.records.history import History
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize
from tui_trainer.run_sources.in_process import asked_of
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.text.captions import say
from tui_trainer.text.command_line import command_in_short, program_in_short
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.status_lines import Headline, Progress, ending
from tui_trainer.ui.trainer_screen import KeyLine

LIVE = cut(mnist_like(), 150)


def fold(events: Sequence[AnyEvent]) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def line(shown: Shown, panel: Any) -> str:
    """The only line of a panel."""
    (text,) = shown.the(panel).plain()
    assert isinstance(text, str)
    return text.rstrip()


# Which program


async def test_the_command_stands_at_the_top_with_its_process_and_ranks(show: Show) -> None:
    async with show(gan_like()) as shown:
        top = line(shown, Headline)
        assert top.startswith(" watching  python main.py --dataset cifar10 --dataroot ../data --niter 25")
        assert top.endswith("pid 4711   2 ranks")
        assert "● training" in top
        assert "tui-trainer" not in top
    async with show(mnist_like(ranks=1, ends=False)) as shown:
        assert "rank" not in line(shown, Headline)


async def test_in_little_room_the_command_is_cut_last(show: Show) -> None:
    async with show(gan_like(), size=(80, 24)) as shown:
        top = line(shown, Headline)
        assert top.startswith(" watching  python main.py --dataset cifar10")
        assert "…" in top
        assert "● training" in top
    async with show(LIVE, size=(200, 60)) as shown:
        assert "python main.py --epochs 4 · Net 1.2M · MNIST · cpu ×2" in line(shown, Headline)


async def test_a_command_is_text(show: Show) -> None:
    harmful = ("python", "\x1b]0;x\x07.py", "[bold]", "a\nb", "\u202eevil")
    for size in ((80, 24), (200, 60)):
        async with show(mnist_like(command=harmful, ends=False), size=size) as shown:
            assert "\x1b" not in shown.text()
            assert "\u202e" not in shown.text()
            assert "[bold]" in line(shown, Headline)


@pytest.mark.parametrize(
    ("command", "short", "program"),
    [
        (["/usr/bin/python3", "train.py", "--lr", "0.1"], "python3 train.py --lr 0.1", "train.py --lr 0.1"),
        (["python", "-m", "kit.train"], "python -m kit.train", "python -m kit.train"),
        (["torchrun", "--nproc-per-node", "2", "t.py"], "torchrun --nproc-per-node 2 t.py", None),
        (["python", "/a/b/train.py"], "python /a/b/train.py", "train.py"),
        (["sh", "-c", "a b; c"], "sh -c 'a b; c'", None),
        (["/"], "/", None),
        ([], "", None),
    ],
)
def test_a_command_in_short(command: list[str], short: str, program: str | None) -> None:
    assert command_in_short(command) == short
    assert program_in_short(command) == (short if program is None else program)


async def test_speed_is_in_steps_where_samples_cannot_be_counted(show: Show) -> None:
    async with show(gpt_like(), size=(200, 60)) as shown:
        assert "9.1 steps/s" in line(shown, Headline)
        assert "img/s" not in shown.text()
    async with show(mnist_like(ends=False)) as shown:
        assert "3,200 samples/s" in line(shown, Headline)
    async with show(gan_like()) as shown:  # of two ranks one is told
        assert "4.2 steps/s" in line(shown, Headline)


# How far it is


@pytest.mark.says("state.no_end")
async def test_without_a_known_end_no_share_is_invented(show: Show) -> None:
    async with show(gpt_like()) as shown:
        assert line(shown, Progress).startswith(" step 1,200   no end known")
        assert "epoch" not in line(shown, Progress)
        assert "left" not in line(shown, Headline)
    async with show(gan_like(steps=500)) as shown:
        told = line(shown, Progress)
        assert told.startswith(" step 500   epoch 2   batch 109/391 ━")
        assert "no end known" in told
        assert "left" not in line(shown, Headline)


@pytest.mark.never_says("state.no_end", "setting.channels_last", "setting.fused")
async def test_with_a_known_end_it_is_a_share_of_that(show: Show) -> None:
    async with show(LIVE) as shown:
        assert line(shown, Progress).startswith(" epoch 3/4 ━")
        assert "batch 30/60 ━" in line(shown, Progress)
        assert "left" in line(shown, Headline)
    async with show(gpt_like(total=5000)) as shown:
        assert line(shown, Progress).startswith(" step 1,200/5,000 ━")
    async with show(gan_like(steps=500, tells_end=True)) as shown:
        assert line(shown, Progress).startswith(" epoch  2/25 ━")
    for events in (LIVE, gpt_like(total=5000)):
        async with show(events) as shown:
            assert "no end known" not in shown.text()


@pytest.mark.says("end.watched")
def test_the_end_is_the_commands() -> None:
    assert ending(fold(mnist_like())).startswith("the command ended: 4 of 4 epochs in 0:00:05")
    over = RunEnded(at=START, status="finished", reason="the command ended", step=1200, epoch=0, exit_code=0)
    assert ending(fold([*gpt_like(), over])) == (
        "the command ended: 1,200 steps in 0:02:12; best val_loss 1.4934 at step 1,000"
    )
    stopped = RunEnded(at=START, status="stopped", reason="by q", step=1200, epoch=0, exit_code=0)
    assert ending(fold([*gpt_like(), stopped])).startswith("stopped after step 1,200: by q; best")


@pytest.mark.says("end.unseen")
@pytest.mark.never_says("end.before_first_step", "end.watched")
@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        pytest.param(
            "finished",
            "the command ended",
            "finished: the command ended; no step of an optimizer was seen",
            marks=pytest.mark.says("end.no_step"),
        ),
        pytest.param(
            "crashed",
            f"exit code 1; {say('command.no_training')}",
            f"exit code 1; {say('command.no_training')}",
            marks=pytest.mark.never_says("end.no_step"),
        ),
    ],
)
async def test_a_program_whose_steps_cannot_be_seen_may_have_trained(
    show: Show, status: Status, reason: str, words: str
) -> None:
    over = RunEnded(at=START, status=status, reason=reason, step=0, epoch=0, exit_code=0)
    assert ending(fold([*LIVE[:2], over])).endswith(words)
    async with show([*LIVE[:2], over], size=(160, 40)) as shown:
        assert "before the first batch" not in shown.text()
        assert words[:60] in shown.text()


@pytest.mark.never_says("end.unseen", "end.no_step")
def test_of_a_program_whose_steps_were_seen_it_is_not_said() -> None:
    over = RunEnded(at=START, status="finished", reason="the command ended", step=1200, epoch=0, exit_code=0)
    assert "was seen" not in ending(fold([*gpt_like(), over]))


@pytest.mark.never_says("end.watched", "end.finished", in_all_cases=False)
def test_of_one_that_failed_or_goes_on_or_is_ours_it_is_not_said() -> None:
    failed = RunEnded(at=START, status="crashed", reason="exit code 1", step=150, epoch=3, exit_code=1)
    assert ending(fold([*LIVE, failed])).startswith("crashed after step 150: exit code 1")
    assert ending(fold(LIVE)) == ""
    assert "the command" not in ending(fold(scripted_run(epochs=2)))
    assert "finished:" not in ending(fold(mnist_like()))


# Its losses


async def test_losses_have_the_programs_own_names_each_a_curve_of_its_own(show: Show) -> None:
    async with show(gan_like(steps=782)) as shown:
        title = shown.the(LossChart).plain()[0]
        for name in ("● errD_real 0.", "▲ errD_fake 0.", "■ errG 3."):
            assert name in title
        drawn = "\n".join(shown.the(LossChart).plain()[1:])
        assert all(sign in drawn for sign in "●▲■")
        assert "errD_fake" not in shown.text().replace(title, "").replace("errD_fake.backward()", "")
        await shown.press("left")
        assert "errD_real" in shown.the(LossChart).plain()[0]
        await shown.press("C")
        assert "errD_real 0." in shown.app.clipboard


async def test_undeclared_numbers_are_losses_if_what_is_called_so_goes_backward(show: Show) -> None:
    declared = [event for event in gan_like(steps=100) if getattr(event, "name", "") != "errG"]
    steps = next(event for event in declared if isinstance(event, StepsTaken))
    steps.metrics["D(x)"] = steps.metrics["errG"]
    async with show(declared) as shown:
        title = shown.the(LossChart).plain()[0]
        assert "errG" in title
        assert "D(x)" not in title


async def test_a_loss_that_is_called_loss_is_the_training_loss(show: Show) -> None:
    async with show(LIVE) as shown:
        assert shown.the(LossChart).plain()[0].startswith("loss  train 0.")
        assert "●" not in shown.the(LossChart).plain()[0]


async def test_a_validation_loss_that_no_epoch_tells_is_drawn_where_it_was_told(show: Show) -> None:
    async with show(gpt_like()) as shown:
        chart = shown.the(LossChart).plain()
        assert "◇ val 1.4934" in chart[0]
        assert any("◇" in row for row in chart[1:])
    async with show(gpt_like(steps=200)) as shown:
        assert "val" not in shown.the(LossChart).plain()[0]


async def test_names_may_hold_anything(show: Show) -> None:
    from tui_trainer.events import MetricDeclared

    harmful = MetricDeclared(at=START, name="train_loss", kind="train", shown_as="\x1b[1m損失")
    for size in ((80, 24), (140, 40)):
        async with show([*gan_like(steps=50), harmful], size=size) as shown:
            assert "\x1b" not in shown.text()
            assert shown.the(LossChart).plain()


# What can be asked


async def test_pause_one_step_and_slow_motion_are_asked_as_of_our_own(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("space")
        await shown.frame(Paused(at=START, step=150, by="screen"))
        await shown.press("n", "s")
        assert [type(command) for command in shown.host.sent] == [Pause, OneBatch, SetPace]


@pytest.mark.says("watched.no_switch", "watched.no_checkpoint")
async def test_what_cannot_be_asked_is_said_in_the_line_of_keys_and_its_key_is_not_shown(show: Show) -> None:
    async with show(LIVE, size=(200, 60)) as shown:
        keys = shown.the(KeyLine).plain()[0]
        assert "presets" not in keys
        assert "o order" in keys
        await shown.press("p")
        assert isinstance(shown.app.screen, LiveScreen)
        assert say("watched.no_switch") in shown.the(KeyLine).plain()[0]
        await shown.press("k")
        assert say("watched.no_checkpoint") in shown.the(KeyLine).plain()[0]
        assert not shown.host.sent


@pytest.mark.never_says("watched.no_switch", "watched.no_checkpoint")
async def test_of_our_own_it_can(show: Show) -> None:
    async with show(cut(scripted_run(), 30), size=(200, 60)) as shown:
        assert "o order" not in shown.the(KeyLine).plain()[0]
        await shown.press("k")
        assert [type(command) for command in shown.host.sent] == [SaveCheckpoint]
        assert "not of a watched program" not in shown.text()
        await shown.press("p")
        assert "not of a watched program" not in shown.text()


async def test_leaving_asks_by_the_command(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press("q")
        assert "python main.py --epochs 4 is still training." in " ".join(shown.text().split())


# Its record


def recorded(folder: Path, events: Sequence[AnyEvent], **asked: Any) -> Record:
    program = {"command": ["python", "main.py", "--epochs", "4"], "cwd": "/home/me"}
    record = Record.create(folder, {"program": program, "control": True, **asked})
    for event in events:
        record.emit(event)
    return record


def polled(folder: Path, *, readonly: bool = False) -> JournalSource:
    source = JournalSource(folder, readonly=readonly)
    deadline = time.monotonic() + PATIENCE_S
    while source.poll() or source.lags:
        assert time.monotonic() < deadline
    return source


def test_of_a_record_it_is_known_what_can_be_asked(tmp_path: Path) -> None:
    record = recorded(tmp_path, LIVE)
    source = polled(record.folder)
    assert source.capabilities.commands.isdisjoint({SwitchPreset, SaveCheckpoint, SetEpochs})
    assert {Pause, OneBatch, SetPace, SetLR, Stop} <= source.capabilities.commands
    assert not source.capabilities.checkpoints
    with pytest.raises(PermissionError, match="not of a watched program"):
        source.send(SaveCheckpoint(by="test"))
    assert not polled(record.folder, readonly=True).capabilities.commands
    record.close()


@pytest.mark.says("watched.no_control")
def test_watched_without_control_it_can_be_stopped_and_nothing_else(tmp_path: Path) -> None:
    record = recorded(tmp_path, LIVE, control=False)
    source = polled(record.folder)
    assert source.capabilities.commands == {Stop}
    with pytest.raises(PermissionError, match="--no-control: nothing but stop"):
        source.send(Pause(by="test"))
    record.close()


@pytest.mark.never_says("watched.no_control", in_all_cases=False)
@pytest.mark.never_says("watched.no_resume")
def test_with_control_or_of_our_own_that_is_not_said(tmp_path: Path) -> None:
    record = recorded(tmp_path, LIVE)
    assert polled(record.folder).capabilities.refusal(Pause) == ""
    ours = Record.create(tmp_path, {"preset_name": "steplr"})
    for event in scripted_run(epochs=1):
        ours.emit(event)
    assert polled(ours.folder).capabilities.refusal(SaveCheckpoint) == ""
    assert polled(ours.folder).capabilities.refusal(SetLR) == ""
    assert polled(ours.folder).capabilities.refusal(SetEpochs) == ""
    with pytest.raises(CannotGoOn) as caught:
        asked_of(ours.folder)
    assert "watched program" not in str(caught.value)
    for each in (record, ours):
        each.close()


@pytest.mark.says("watched.no_resume")
async def test_in_the_list_it_stands_with_its_command_and_is_not_gone_on_with(show: Show, tmp_path: Path) -> None:
    record = recorded(tmp_path, LIVE)
    record.close()
    with pytest.raises(CannotGoOn, match="the run of a watched program"):
        asked_of(record.folder)
    summary = summarize(record.folder)
    assert (summary.command, summary.preset) == (["python", "main.py", "--epochs", "4"], None)
    assert summary.trains == "main.py --epochs 4"
    async with show(scripted_run(), runs=tmp_path) as shown:
        await opened(shown)
        assert "main.py --epoch…" in shown.text()
        assert "python main.py --epochs 4 · cpu" in shown.text()
        await shown.press("R")
        assert say("watched.no_resume") in shown.the(KeyLine).plain()[0]
        await shown.press("slash", *"epochs", "enter", "enter")
        assert "watching  python main.py" in shown.text()


@pytest.mark.says("comparison.watched")
async def test_compared_it_stands_by_its_command(show: Show, tmp_path: Path) -> None:
    one, other = recorded(tmp_path, mnist_like()), recorded(tmp_path, mnist_like(epochs=3))
    for each in (one, other):
        each.close()
    labels = [entry.label for entry in joined([one.folder, other.folder], tmp_path)]
    assert labels[0] == "main.py --epochs 4"
    assert labels[1].startswith("main.py --epochs 4 ")
    comparison = compared(tmp_path, [one.folder, other.folder])
    async with show(comparison=comparison) as shown:
        await shown.press("d")
        assert "nan" not in shown.text()
        told = untold(comparison)
        assert len(told) == 2
        assert all(each.endswith("is a watched program: its settings are its own, and not compared.") for each in told)


@pytest.mark.never_says("comparison.watched")
def test_of_our_own_settings_are_compared(tmp_path: Path) -> None:
    ours = Record.create(tmp_path, {"preset_name": "steplr"})
    for event in scripted_run(epochs=1):
        ours.emit(event)
    ours.close()
    comparison = compared(tmp_path, [ours.folder])
    comparison.poll()
    assert not [each for each in untold(comparison) if "watched" in each]


async def test_from_the_screen_of_a_watched_program_mistakes_can_be_tried_without_a_launcher() -> None:
    app = TrainerApp(AppContext(source=ScriptedHost(LIVE)))
    async with app.run_test(size=(140, 40)) as pilot:
        shown = Shown(app, pilot)
        await shown.frame()
        assert app.can_break_it
        await shown.press("b")
        assert "a wrong order of calls, on purpose" in shown.text()
    app = TrainerApp(AppContext(source=ScriptedHost(cut(scripted_run(), 30))))
    async with app.run_test(size=(140, 40)) as pilot:
        shown = Shown(app, pilot)
        await shown.frame()
        assert not app.can_break_it


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (100, 30), (140, 40), (200, 60)], ids=str)
@pytest.mark.parametrize("run", [mnist_like, gan_like, gpt_like])
async def test_at_every_size_and_at_every_moment_it_is_drawn(show: Show, run: Any, size: tuple[int, int]) -> None:
    events = run()
    moments = (1, 3, 6, 9, len(events) // 2, len(events))
    for until in moments[size[0] // 20 % 2 :: 2]:  # every other size at every other moment
        async with show(events[:until], size=size) as shown:
            assert "nan" not in shown.text()
            assert "  · " not in line(shown, Headline)


def test_the_loop_is_that_of_the_program() -> None:
    history = fold(gan_like())
    assert history.loop is not None
    assert history.loop.sites == list(GAN_LOOP)
