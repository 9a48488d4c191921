"""What is asked of a run of a watched command, and what it answers: the processes are made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from tests.watch.made_traces import mnist
from tests.watch.watching import history
from tui_trainer.commands import OneBatch, Pause, SaveCheckpoint, SetEpochs, SetLR, SetPace
from tui_trainer.events import CommandAnswered
from tui_trainer.watching.host.beginning import begin_record
from tui_trainer.watching.host.request import WatchRequest
from tui_trainer.watching.host.steering import Steering
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import Asked, Obeyed, Options, control_file


class Steered:
    """A run with a process that says that it has done whatever it is asked."""

    def __init__(self, runs: Path, *, tensors: bool = False) -> None:
        request = WatchRequest(command=("python", "train.py"), cwd=Path("/"), environment={}, runs=runs)
        self.run = WatchedRun(begin_record(request), request, Options())
        self.process = cast(
            "TracedProcess",
            SimpleNamespace(name="1-a", rank=0, pid=1, is_gone=False, hello=None, step=12, step_after=lambda _: 14),
        )
        self.run.join(self.process)
        made = mnist()
        made.flush()
        for frame in made.frames:
            self.run.take(self.process, frame)
        self.folder, self.tensors, self.dial = self.run.record.folder, tensors, 1.0
        self.steering = Steering(
            self.run, self.folder, enabled=True, others_train=lambda: False, interrupt=None, clock=lambda: 0.0
        )
        self.steering.join(self.process)

    @property
    def asked(self) -> Asked:
        """What its process reads."""
        return msgspec.json.decode((self.folder / control_file("1-a")).read_bytes(), type=Asked)

    def ask(self, command: Any) -> tuple[bool, str]:
        """The answer, once the process has done it."""
        answers: list[CommandAnswered] = []
        emit, before = self.run.emit, self.asked
        self.run.emit = lambda event: answers.append(event) if isinstance(event, CommandAnswered) else emit(event)  # type: ignore[method-assign]
        self.steering.ask(command)
        if (asked := self.asked).serial != before.serial:
            done = [asked.do]
            if asked.lr_factor != self.dial:
                done.insert(0, "no_lr" if self.tensors else "lr")
                self.dial = self.dial if self.tensors else asked.lr_factor
            for what in done:
                self.steering.obeyed(Obeyed(serial=asked.serial, what=what, step=12, clock=0.0))
        self.run.emit = emit  # type: ignore[method-assign]
        (answer,) = answers
        return answer.accepted, answer.answer


@pytest.fixture
def steered(runs: Path) -> Callable[..., Steered]:
    """Makes a run that can be asked."""
    return lambda **how: Steered(runs, **how)


@pytest.mark.never_says("watched.lr_is_tensor", "watched.no_epochs")
def test_the_lr_dial_takes_a_factor_or_an_lr_of_the_programs_own(steered: Callable[..., Steered]) -> None:
    one = steered()
    own = 0.7**3
    assert one.run.own_lr == pytest.approx(own)
    assert one.ask(SetLR(by="shell", factor=0.5)) == (True, "from step 13 on each LR is × 0.5")
    assert one.asked.lr_factor == 0.5
    assert one.ask(SetLR(by="shell", factor=0.5)) == (False, "the LR dial is at × 0.5 already")
    accepted, _ = one.ask(SetLR(by="shell", lr=0.07))
    assert accepted
    assert one.asked.lr_factor == pytest.approx(0.07 / own)
    assert one.ask(SetLR(by="shell", factor=1.0)) == (True, "from step 13 on the LR is the program's own")
    assert one.ask(SetLR(by="shell", factor=1e6))[0] is False
    assert one.ask(SetLR(by="shell")) == (
        False,
        "the LR dial goes from above 0 to below 1,000,000 times the program's LR",
    )


@pytest.mark.says("watched.no_epochs", "watched.no_checkpoint")
def test_what_is_the_programs_own_is_refused(steered: Callable[..., Steered]) -> None:
    one = steered()
    assert one.ask(SetEpochs(by="shell", epochs=3)) == (
        False,
        "not of a watched program: how long it trains is its own",
    )
    assert one.ask(SaveCheckpoint(by="shell"))[0] is False
    assert one.asked.do != "pause"


@pytest.mark.says("watched.lr_is_tensor")
def test_an_lr_that_is_a_tensor_is_refused_and_stays_so(steered: Callable[..., Steered]) -> None:
    one = steered(tensors=True)
    refusal = "not of this program: its LR is a tensor, which the dial leaves alone"
    assert one.ask(SetLR(by="shell", factor=0.5)) == (False, refusal)
    assert one.ask(Pause(by="shell"))[0]
    assert one.asked.lr_factor == 1.0


def test_the_dial_stays_where_it_is_while_something_else_is_asked(steered: Callable[..., Steered]) -> None:
    one = steered()
    one.ask(SetLR(by="shell", factor=0.5))
    one.ask(OneBatch(by="shell"))
    one.ask(SetLR(by="shell", factor=0.25))
    assert (one.asked.do, one.asked.lr_factor) == ("pause", 0.25)  # the batch is not taken once more
    one.ask(SetPace(by="shell", seconds_a_call=0.3))
    assert (one.asked.pace, one.asked.lr_factor) == (0.3, 0.25)
    assert history(one.folder).status != "crashed"
