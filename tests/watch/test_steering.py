"""What is asked of a run of a watched command, and what it answers: the processes are made up."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from tests.watch.made_traces import mnist
from tests.watch.watching import history
from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SaveCheckpoint, SetEpochs, SetLR, SetPace, Stop
from tui_trainer.events import CommandAnswered
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.watching.host.beginning import begin_record
from tui_trainer.watching.host.request import WatchRequest
from tui_trainer.watching.host.steering import Steering, sent_to_command, signal_after
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import Asked, Obeyed, Options, control_file


class Steered:
    """A run with a process that says that it has done whatever it is asked."""

    def __init__(
        self,
        runs: Path,
        *,
        tensors: bool = False,
        others: bool = False,
        interrupt: Callable[[Stop], str] | None = None,
    ) -> None:
        request = WatchRequest(command=("python", "train.py"), cwd=Path("/"), environment={}, runs=runs)
        self.run = WatchedRun(begin_record(request), request, Options())
        self.process = cast(
            "TracedProcess",
            SimpleNamespace(
                name="1-a",
                rank=0,
                pid=1,
                is_gone=False,
                hello=None,
                step=12,
                step_after=lambda _: 14,
                look=lambda **_: None,
            ),
        )
        self.run.join(self.process)
        made = mnist()
        made.flush()
        for frame in made.frames:
            self.run.take(self.process, frame)
        self.folder, self.tensors, self.dial = self.run.record.folder, tensors, 1.0
        self.now = 0.0
        self.steering = Steering(
            self.run,
            self.folder,
            enabled=True,
            others_train=lambda: others,
            interrupt=interrupt,
            clock=lambda: self.now,
        )
        self.steering.join(self.process)

    @property
    def asked(self) -> Asked:
        """What its process reads."""
        return msgspec.json.decode((self.folder / control_file("1-a")).read_bytes(), type=Asked)

    def ask(self, command: Any) -> tuple[bool, str]:
        """The answer, once the process has done it."""
        (answer,) = self.answers(lambda: self._obeyed(command))
        return answer

    def answers(self, act: Callable[[], object]) -> list[tuple[bool, str]]:
        """What is answered meanwhile, and whether it was accepted."""
        answers: list[CommandAnswered] = []
        emit = self.run.emit
        self.run.emit = lambda event: answers.append(event) if isinstance(event, CommandAnswered) else emit(event)  # type: ignore[method-assign]
        act()
        self.run.emit = emit  # type: ignore[method-assign]
        return [(answer.accepted, answer.answer) for answer in answers]

    def _obeyed(self, command: Any) -> None:
        before = self.asked
        self.steering.ask(command)
        if (asked := self.asked).serial == before.serial:
            return
        done = ["pace"] if asked.pace != before.pace else [asked.do]
        if asked.lr_factor != self.dial:
            done.insert(0, "no_lr" if self.tensors else "lr")
            self.dial = self.dial if self.tensors else asked.lr_factor
        for what in done:
            self.steering.obeyed(Obeyed(serial=asked.serial, what=what, step=self.process.step, clock=0.0))


@pytest.fixture
def steered(runs: Path) -> Callable[..., Steered]:
    """Makes a run that can be asked."""
    return lambda **how: Steered(runs, **how)


@pytest.mark.says("reply.program_lr", "reply.program_lr_own", "reply.dial_there", "reply.dial_range")
@pytest.mark.never_says("watched.lr_is_tensor", "watched.no_epochs", "reply.program_lr_unknown")
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


PAUSE, ON, ONE, STOP = Pause(by="shell"), Continue(by="shell"), OneBatch(by="shell"), Stop(by="shell")
IDS = {id for id in CAPTIONS if id.startswith("reply.")}

ANSWERED: dict[str, tuple[int, AnyCommand, str, set[str]]] = {
    "a pause": (1_200, PAUSE, "paused after step 1,200", {"reply.paused"}),
    "a pause before the first step": (0, PAUSE, "paused before the first step", {"reply.paused_first"}),
    "going on where it does": (12, ON, "going on", {"reply.going_on"}),
    "one step": (12, ONE, "one step, then pause", {"reply.one_batch"}),
    "slow motion": (12, SetPace(by="shell", seconds_a_call=99), "each call is held for 10 s", {"reply.held"}),
    "a stop": (12, STOP, "stopping after step 12", {"reply.stopping"}),
    "a stop before the first step": (0, STOP, "stopping before the first step", {"reply.stopping_first"}),
}


@pytest.mark.says("reply.*")
@pytest.mark.never_says("reply.*")
@pytest.mark.parametrize("case", ANSWERED)
def test_a_process_that_does_what_it_is_asked_is_answered_for_and_nothing_else_is_said(
    steered: Callable[..., Steered], case: str, captions_said: set[str]
) -> None:
    step, command, words, ids = ANSWERED[case]
    one = steered()
    one.process.step = step
    assert one.ask(command) == (True, words)
    assert captions_said & IDS == ids


@pytest.mark.says("reply.full_speed", "reply.paused", "reply.going_on")
def test_what_is_so_already_is_answered_at_once(steered: Callable[..., Steered], captions_said: set[str]) -> None:
    one = steered()
    one.ask(SetPace(by="shell", seconds_a_call=0.5))
    captions_said.clear()
    assert one.ask(SetPace(by="shell", seconds_a_call=0.0)) == (True, "full speed")
    assert captions_said & IDS == {"reply.full_speed"}
    assert [one.ask(PAUSE), one.ask(PAUSE)] == [(True, "paused after step 12")] * 2
    assert one.ask(ON) == (True, "going on")


@pytest.mark.says("reply.others_go_on")
def test_beside_others_a_stop_says_that_they_go_on(steered: Callable[..., Steered]) -> None:
    assert steered(others=True).ask(STOP) == (True, "stopping after step 12; the command's other runs go on")


@pytest.mark.never_says("reply.others_go_on")
def test_beside_others_a_pause_says_nothing_of_them(steered: Callable[..., Steered], captions_said: set[str]) -> None:
    steered(others=True).ask(PAUSE)
    assert "reply.others_go_on" not in captions_said


@pytest.mark.says("reply.takes_long")
@pytest.mark.never_says("reply.nothing_to_stop_at", "reply.ended_first")
def test_a_step_that_does_not_end_is_said_to_take_long(
    steered: Callable[..., Steered], captions_said: set[str]
) -> None:
    one = steered(interrupt=lambda _: "sent so")
    assert one.answers(lambda: one.steering.ask(STOP)) == []
    one.now = 4.9
    assert one.answers(one.steering.tick) == []
    one.now = 5.0
    assert one.answers(one.steering.tick) == [(True, "its step takes long: sent so")]
    assert captions_said & IDS == {"reply.takes_long"}


@pytest.mark.says("reply.nothing_to_stop_at", "reply.ended_first", "reply.nothing_trains")
@pytest.mark.never_says("reply.takes_long", "reply.paused")
def test_of_processes_that_have_ended_no_step_is_said_to_take_long(
    steered: Callable[..., Steered], captions_said: set[str]
) -> None:
    one = steered(interrupt=lambda _: "sent so")
    one.steering.ask(STOP)
    one.process.is_gone = True
    assert one.answers(one.steering.tick) == [(True, "what trained has ended: sent so")]
    one = steered()
    one.steering.ask(PAUSE)
    one.process.is_gone = True
    assert one.answers(one.steering.tick) == [(False, "what trained ended before it could")]
    nothing = "nothing that trains is seen (any more): there is no step to hold it at"
    assert one.ask(PAUSE) == (False, nothing)
    assert captions_said & IDS == {"reply.nothing_to_stop_at", "reply.ended_first", "reply.nothing_trains"}


@pytest.mark.says("reply.stop_first", "reply.stop_again")
@pytest.mark.never_says("reply.stop_first", "reply.stop_again")
def test_who_asked_before_a_stop_is_told_of_it_and_who_asked_for_one_is_not_refused(
    steered: Callable[..., Steered], captions_said: set[str]
) -> None:
    one = steered(interrupt=lambda _: "sent so")
    one.steering.ask(PAUSE)
    assert one.answers(lambda: one.steering.ask(STOP)) == [(False, "it was asked to stop before it could")]
    assert captions_said & IDS == {"reply.stop_first"}
    captions_said.clear()
    assert one.answers(lambda: one.steering.ask(STOP)) == [(True, "asked to stop once more"), (True, "sent so")]
    assert captions_said & IDS == {"reply.stop_again"}


@pytest.mark.says("reply.ranks_missing")
@pytest.mark.never_says("reply.ranks_missing", "reply.nothing_trains")
def test_ranks_that_are_not_seen_are_said_to_be_missing_and_those_that_are_not(
    steered: Callable[..., Steered], monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    one = steered()
    one.ask(PAUSE)
    assert "reply.ranks_missing" not in captions_said
    monkeypatch.setattr(WatchedRun, "ranks_are_missing", True)
    assert one.ask(ON) == (
        False,
        "not all ranks of this run are seen from here: one that stood still would hang the rest",
    )


@pytest.mark.says("reply.program_lr_unknown")
@pytest.mark.never_says("reply.program_lr_unknown")
def test_an_lr_is_asked_for_in_vain_only_where_the_programs_is_not_above_0(
    steered: Callable[..., Steered], monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    one = steered()
    one.ask(SetLR(by="shell", lr=0.01))
    assert "reply.program_lr_unknown" not in captions_said
    monkeypatch.setattr(WatchedRun, "own_lr", 0.0)
    unknown = "the program's own LR is 0, or not known: no factor makes another of it"
    assert one.ask(SetLR(by="shell", lr=0.1)) == (False, unknown)


@pytest.mark.says("reply.sent", "reply.to_process", "reply.process_ended")
@pytest.mark.never_says("reply.sent", "reply.process_ended")
def test_processes_that_take_a_signal_are_named_and_those_that_are_gone_are_not(
    steered: Callable[..., Steered], monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr("tui_trainer.watching.host.steering.ignores", lambda *_: False)
    monkeypatch.setattr("os.kill", lambda *which: sent.append(which))
    one = steered()
    one.steering.ask(STOP)
    ((_, asked), (accepted, words)) = one.answers(lambda: one.steering.ask(STOP))
    assert (asked, accepted, words) == ("asked to stop once more", True, "sent SIGINT to process 1")
    assert sent == [(1, signal.SIGINT)]
    assert "reply.process_ended" not in captions_said

    def gone(*_: int) -> None:
        raise ProcessLookupError

    captions_said.clear()
    monkeypatch.setattr("os.kill", gone)
    assert one.answers(lambda: one.steering.ask(STOP)) == [(False, "its process has ended")]
    assert captions_said & IDS == {"reply.process_ended"}


@pytest.mark.says("reply.sent_command", "reply.as_ctrl_c", "reply.harder")
@pytest.mark.never_says("reply.as_ctrl_c", "reply.harder")
def test_a_command_is_said_to_be_sent_what_it_is_sent_and_what_comes_next() -> None:
    assert [sent_to_command(signal_after(sent), signal_after(sent + 1)) for sent in range(4)] == [
        "sent SIGINT to the command, as ctrl+c does; asked again, it is sent SIGTERM",
        "sent SIGTERM to the command; asked again, it is sent SIGKILL",
        "sent SIGKILL to the command",
        "sent SIGKILL to the command",
    ]
