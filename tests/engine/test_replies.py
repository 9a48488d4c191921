"""What a run answers to each command: in each case what is said, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine import tiny as t
from tests.engine.test_control import answers, send_on, switch
from tests.engine.test_dial import at_step
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import (
    AnyCommand,
    Continue,
    OneBatch,
    Pause,
    SaveCheckpoint,
    SetEpochs,
    SetLR,
    SetPace,
    Stop,
    SwitchPreset,
)
from tui_trainer.engine.clock import TrainingClock
from tui_trainer.engine.control import CommandHandler, CommandQueue, RunStopped
from tui_trainer.events import AnyEvent, CommandAnswered, EpochEnded
from tui_trainer.text.captions import CAPTIONS

ME = "test"
IDS = {id for id in CAPTIONS if id.startswith("reply.")}


@dataclass
class Stands:
    """A run that stands after a step, and is asked nothing but what the loop itself does."""

    step: int
    last_step: int = 1_200
    unit: str = "batch"
    before_epoch_end: bool = False

    def flush(self, *, wait: bool = False) -> None: ...

    def set_lr(self, command: SetLR) -> str:
        raise NotImplementedError

    def set_epochs(self, command: SetEpochs) -> str:
        raise NotImplementedError

    def switch_to(self, command: SwitchPreset) -> str:
        raise NotImplementedError

    def save_checkpoint(self) -> str:
        raise NotImplementedError


PAUSE, ON, ONE, STOP = Pause(by=ME), Continue(by=ME), OneBatch(by=ME), Stop(by=ME)

PACED: dict[str, tuple[int, list[AnyCommand], list[str], set[str]]] = {
    "a pause": (1_000, [PAUSE], ["paused after step 1,000"], {"reply.paused"}),
    "a pause before the first step": (0, [PAUSE], ["paused before the first step"], {"reply.paused_first"}),
    "one batch": (3, [ONE], ["one batch, then pause"], {"reply.one_batch"}),
    "two batches": (
        3,
        [ONE, ONE],
        ["one batch, then pause", "2 batches, then pause"],
        {"reply.one_batch", "reply.batches"},
    ),
    "the last batch": (1_199, [ONE], ["one batch, then pause"], {"reply.one_batch"}),
    "more than there are": (
        1_199,
        [ONE, ONE],
        ["one batch, then pause", "1 batch, then the end: the run has no more"],
        {"reply.one_batch", "reply.last_batches"},
    ),
    "behind the last batch": (1_200, [ONE], ["no batch is left: the run ends"], {"reply.no_batch_left"}),
    "slow motion": (3, [SetPace(by=ME, seconds_a_call=0.5)], ["each call is held for 0.5 s"], {"reply.held"}),
    "slower than there is": (3, [SetPace(by=ME, seconds_a_call=1e9)], ["each call is held for 10 s"], {"reply.held"}),
    "full speed": (3, [SetPace(by=ME, seconds_a_call=0.0)], ["full speed"], {"reply.full_speed"}),
    "a stop": (1_000, [STOP], ["stopping after step 1,000"], {"reply.stopping"}),
    "a stop before the first step": (0, [STOP], ["stopping before the first step"], {"reply.stopping_first"}),
}


@pytest.mark.says("reply.*")
@pytest.mark.never_says("reply.*")
@pytest.mark.parametrize("case", PACED)
def test_between_two_batches_this_is_answered_and_nothing_else(case: str, captions_said: set[str]) -> None:
    step, commands, words, ids = PACED[case]
    events: list[AnyEvent] = []
    queue = CommandQueue()
    handler = CommandHandler(queue, TrainingClock(0.0, lambda: 0.0), events.append)
    for command in commands:
        queue.send(command)
    if PAUSE in commands:
        queue.send(ON)
        words, ids = [*words, "going on"], ids | {"reply.going_on"}
    try:
        handler.handle_commands(Stands(step))
    except RunStopped:
        assert STOP in commands
    assert [event.answer for event in events if isinstance(event, CommandAnswered)] == words
    assert captions_said & IDS == ids


def test_where_several_batches_make_a_step_steps_are_counted() -> None:
    for step, words in (
        (3, ["one step, then pause", "2 steps, then pause"]),
        (1_199, ["one step, then pause", "1 step, then the end: the run has no more"]),
        (1_200, ["no step is left: the run ends"] * 2),
    ):
        events: list[AnyEvent] = []
        queue = CommandQueue()
        for _ in range(2):
            queue.send(ONE)
        CommandHandler(queue, TrainingClock(0.0, lambda: 0.0), events.append).handle_commands(Stands(step, unit="step"))
        assert [event.answer for event in events if isinstance(event, CommandAnswered)] == words


def of_other_data(text: str) -> SwitchPreset:
    made = t.preset(text + '[for]\ndataset = "cifar10"\n')
    return SwitchPreset(by=ME, name="other", preset=made.model_dump(mode="json"))


ZERO = f'{t.NONE}[scheduler]\nname = "PolynomialLR"\ntotal_iters = 2\ninterval = "step"\n'
TOO_LONG = f"{t.NONE}[warmup]\nepochs = 3\n"
BEGUN = {"reply.held"}
"""Calls are followed, so that a step is told of as it was made."""

IN_ORDER: dict[str, tuple[str, int, list[AnyCommand], list[str], set[str]]] = {
    # the preset, the step after which all of it is asked, and what is answered
    "the dial": (
        t.NONE,
        2,
        [SetLR(by=ME, factor=0.5)],
        ["lr 0.005 from step 3 on, × 0.5 of the schedule"],
        {"reply.lr"},
    ),
    "the dial back": (
        t.NONE,
        2,
        [SetLR(by=ME, factor=0.5), SetLR(by=ME, factor=1.0)],
        ["lr 0.005 from step 3 on, × 0.5 of the schedule", "lr 0.01 from step 3 on, the schedule's own"],
        {"reply.lr", "reply.lr_own"},
    ),
    "the dial before a switch": (
        t.NONE,
        2,
        [switch(), SetLR(by=ME, factor=0.5)],
        [
            "other from epoch 2 on, weights kept",
            "lr 0.005 from step 3 on, × 0.5 of the schedule, until other takes over",
        ],
        {"reply.switch", "reply.lr", "reply.until_switch"},
    ),
    "the dial where it is": (
        t.NONE,
        2,
        [SetLR(by=ME, factor=1.0)],
        ["the LR dial is at × 1 already"],
        {"reply.dial_there"},
    ),
    "the dial too far": (
        t.NONE,
        2,
        [SetLR(by=ME, factor=0.0)],
        ["the LR dial goes from above 0 to below 1,000,000 times the schedule's LR"],
        {"reply.dial_range"},
    ),
    "an LR where there is none": (
        ZERO,
        2,
        [SetLR(by=ME, lr=0.1)],
        ["the schedule gives an LR of 0 here, and no factor makes another of it"],
        {"reply.lr_zero"},
    ),
    "a factor where there is none": (
        ZERO,
        2,
        [SetLR(by=ME, factor=0.5)],
        ["lr 0 from step 3 on, × 0.5 of the schedule"],
        {"reply.lr"},
    ),
    "more epochs": (t.NONE, 2, [SetEpochs(by=ME, epochs=3)], ["3 epochs instead of 2, until step 9"], {"reply.epochs"}),
    "more epochs before a switch to other batches": (
        t.NONE,
        2,
        [
            SwitchPreset(
                by=ME,
                name="other",
                preset=t.preset(t.NONE).with_training(batch_size=4).model_dump(mode="json"),
            ),
            SetEpochs(by=ME, epochs=3),
        ],
        ["other from epoch 2 on, weights kept", "3 epochs instead of 2, until step 13"],
        {"reply.switch", "reply.epochs"},
    ),
    "as many epochs": (
        t.NONE,
        2,
        [SetEpochs(by=ME, epochs=2)],
        ["it trains 2 epochs already"],
        {"reply.epochs_already"},
    ),
    "fewer than are begun": (
        t.NONE,
        4,
        [SetEpochs(by=ME, epochs=1)],
        ["epoch 2 is trained already; to end after it, ask for as many"],
        {"reply.epoch_is_trained"},
    ),
    "fewer than until a switch": (
        t.NONE,
        2,
        [switch(), SetEpochs(by=ME, epochs=1)],
        ["other from epoch 2 on, weights kept", "other takes over in epoch 2; ask for as many"],
        {"reply.switch", "reply.epochs_end_before_switch"},
    ),
    "epochs that a curve does not allow": (
        t.ONE_CYCLE,
        2,
        [SetEpochs(by=ME, epochs=3)],
        ["another number of epochs does not fit: OneCycleLR plans its LRs for 2 epochs from its first step on"],
        {"reply.epochs_do_not_fit"},
    ),
    "a switch to what is made for others": (
        t.NONE,
        2,
        [of_other_data(t.NONE)],
        ["other from epoch 2 on, weights kept; made for cifar10; this run keeps mnist-5k"],
        {"reply.switch", "reply.made_for"},
    ),
    "a switch in the last epoch": (
        t.NONE,
        4,
        [switch()],
        ["epoch 2 is the last one; start a new run with other"],
        {"reply.last_epoch"},
    ),
    "a checkpoint": (t.NONE, 2, [SaveCheckpoint(by=ME)], ["saved after step 2"], {"reply.saved"}),
}


@pytest.mark.says("reply.*")
@pytest.mark.never_says("reply.*")
@pytest.mark.parametrize("case", IN_ORDER)
def test_of_its_schedule_its_length_and_its_presets_this_is_answered(
    case: str, tiny: TinyRun, captions_said: set[str]
) -> None:
    text, step, commands, words, ids = IN_ORDER[case]
    for command in commands:
        at_step(tiny, step, command)
    tiny.train(text, epochs=2)
    assert [answer for _, _, answer in answers(tiny)[1:]] == words
    assert captions_said & IDS == ids | BEGUN


@pytest.mark.says("reply.dial_too_early")
@pytest.mark.never_says("reply.lr", "reply.lr_own", "reply.lr_unused")
def test_before_the_first_step_the_dial_waits(tiny: TinyRun, captions_said: set[str]) -> None:
    tiny.control.send(SetLR(by=ME, factor=0.5))
    tiny.train(t.NONE, epochs=1)
    assert [answer for *_, answer in answers(tiny)] == ["no step is trained yet; turn it after the first one"]
    assert captions_said & IDS == {"reply.dial_too_early"}


@pytest.mark.says("reply.lr_unused", "reply.no_batch_left")
@pytest.mark.never_says("reply.lr", "reply.one_batch")
def test_behind_the_last_step_nothing_is_promised_that_no_step_will_use(tiny: TinyRun, captions_said: set[str]) -> None:
    send_on(tiny, EpochEnded, SetLR(by=ME, factor=0.5))
    send_on(tiny, EpochEnded, OneBatch(by=ME))
    assert tiny.train(t.NONE, epochs=1).step == BATCHES
    assert [answer for *_, answer in answers(tiny)] == [
        "lr 0.005, should it train more epochs: no step is left",
        "no batch is left: the run ends",
    ]
    assert captions_said & IDS == {"reply.lr_unused", "reply.no_batch_left"}


@pytest.mark.says("reply.not_saved", "reply.preset_does_not_fit")
@pytest.mark.never_says("reply.saved", "reply.switch")
def test_what_cannot_be_done_is_not_said_to_be(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    at_step(tiny, 2, SaveCheckpoint(by=ME))
    at_step(tiny, 2, SwitchPreset(by=ME, name="other", preset=t.preset(TOO_LONG).model_dump(mode="json")))
    tiny.train(t.NONE, epochs=2)
    saved, switched = [answer for *_, answer in answers(tiny)[1:]]
    assert saved == "the checkpoint could not be written; the run goes on"
    assert switched.startswith("other does not fit the epochs that are left: ")
    assert captions_said & IDS == {"reply.not_saved", "reply.preset_does_not_fit"} | BEGUN
