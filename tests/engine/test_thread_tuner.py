"""How many threads compute: fixed while steps keep their pace, one where a team has become slow, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch

from tests.engine import tiny as t
from tests.engine.tiny import TinyRun
from tui_trainer.engine import models, thread_tuner
from tui_trainer.engine.precision import ComputeOptions
from tui_trainer.engine.thread_tuner import WINDOW, ThreadCount, ThreadTuner, first_choice, timed_on_a_copy
from tui_trainer.errors import UserError
from tui_trainer.events import AnyEvent, SettingChanged


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two of them, whatever the machine has; as they were afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(thread_tuner, "TRY_EVERY", 0.0)
    yield
    torch.set_num_threads(before)


class Machine:
    """Steps take what a test says, and are added up on a clock."""

    def __init__(self, threads: int = 2) -> None:
        self.events: list[AnyEvent] = []
        self.seconds = {1: 0.010, 2: 0.006}
        self.trials = 0
        self.elapsed = 0.0
        self.tuner = ThreadTuner(self.timed, ThreadCount(threads, 2, ""), self.events.append)

    def timed(self, threads: int) -> float:
        self.trials += 1
        torch.set_num_threads(threads)
        return self.seconds[threads]

    def run(self, windows: int) -> None:
        for _ in range(windows * WINDOW):
            self.elapsed += self.seconds[self.tuner.threads]
            self.tuner.add_step(self.elapsed)

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        return [(e.old, e.new, e.reason) for e in self.events if isinstance(e, SettingChanged)]


@pytest.mark.parametrize(
    ("steps", "chosen"),
    [
        ({1: 0.010}, 1),
        ({2: 0.006, 1: 0.010}, 2),
        ({2: 0.010, 1: 0.009}, 2),  # hardly faster
        ({2: 0.020, 1: 0.010}, 1),
        ({8: 0.009, 4: 0.004, 2: 0.005, 1: 0.010}, 4),
        ({8: 0.009, 4: 0.005, 2: 0.0048, 1: 0.003}, 1),
    ],
)
def test_the_largest_team_that_is_near_the_fastest_begins(steps: dict[int, float], chosen: int) -> None:
    assert first_choice(steps.__getitem__, max(steps)).threads == chosen


@pytest.mark.says("setting.*")
@pytest.mark.never_says("setting.one_thread", "setting.all_threads", "setting.timed", "setting.with_threads")
@pytest.mark.parametrize(
    ("steps", "why", "ids"),
    [
        ({1: 0.01}, "no more than one may compute here", {"setting.one_thread"}),
        (
            {2: 2.0},
            "as many as may compute here; a step takes 2 s, too long to try others",
            {"setting.all_threads"},
        ),
        (
            {2: 0.006, 1: 0.01},
            "a step takes 6 ms with 2, 10 ms with 1",
            {"setting.timed", "setting.with_threads"},
        ),
    ],
)
def test_why_so_many_is_said_as_it_was_found(
    steps: dict[int, float], why: str, ids: set[str], captions_said: set[str]
) -> None:
    assert first_choice(steps.__getitem__, max(steps)).reason == why
    assert captions_said == ids


def test_where_a_step_takes_long_nothing_else_is_tried() -> None:
    tried: list[int] = []

    def timed(threads: int) -> float:
        tried.append(threads)
        return 2.0

    assert first_choice(timed, 2).threads == 2
    assert tried == [2]


def test_trials_that_change_nothing_become_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(thread_tuner.time, "monotonic", lambda: now)
    monkeypatch.setattr(thread_tuner, "TRY_EVERY", 30.0)
    machine = Machine(threads=1)
    machine.seconds = {1: 0.010, 2: 0.010}
    for now in range(3600):  # noqa: B007
        machine.run(1)
    assert 5 < machine.trials / (2 * thread_tuner.ROUNDS) < 15
    assert machine.events == []


@pytest.mark.says("setting.timed_now")
@pytest.mark.never_says("setting.became_slower")
def test_the_first_choice_is_looked_at_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(thread_tuner.time, "monotonic", lambda: now)
    machine = Machine()
    machine.seconds = {1: 0.010, 2: 0.020}
    for now in range(100):  # noqa: B007
        machine.run(1)
    assert machine.changes == [("2", "1", "timed now: 20 ms with 2, 10 ms with 1")]


def test_while_steps_keep_their_pace_nothing_is_tried() -> None:
    machine = Machine()
    machine.run(10)
    machine.seconds[2] = 0.008
    machine.run(10)
    assert machine.trials == 0
    assert machine.events == []


def test_a_single_slow_stretch_is_let_pass() -> None:
    machine = Machine()
    for _ in range(4):
        machine.seconds[2] = 0.006
        machine.run(2)
        machine.seconds[2] = 0.06
        machine.run(1)
    assert machine.trials == 0


@pytest.mark.says("setting.timed_now", "setting.became_slower")
def test_where_a_team_has_become_slow_one_thread_is_taken_and_the_team_again_when_it_pays() -> None:
    machine = Machine()
    machine.run(3)
    machine.seconds[2] = 0.020
    machine.run(4)
    assert machine.changes == [("2", "1", "steps took 20 ms, 6 ms at best; timed now: 20 ms with 2, 10 ms with 1")]
    assert torch.get_num_threads() == 1
    machine.seconds[2] = 0.006
    machine.run(4)
    assert machine.changes[1:] == [("1", "2", "timed now: 6 ms with 2, 10 ms with 1")]
    assert torch.get_num_threads() == 2


@pytest.mark.never_says("setting.timed_now")
def test_where_one_thread_is_no_faster_all_stays_as_it_is() -> None:
    machine = Machine()
    machine.run(3)
    machine.seconds = {1: 0.018, 2: 0.020}
    machine.run(4)
    assert machine.trials > 0
    assert machine.events == []
    assert torch.get_num_threads() == 2


def test_a_trial_trains_nothing() -> None:
    model = models.build("resnet9-slim", (1, 8, 8), seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    kernels = ComputeOptions(torch.device("cpu"), "fp32")
    seconds = timed_on_a_copy(model, kernels, t.images().train, 8)(1)
    assert seconds > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.says("setting.choosing_threads")
def test_what_was_chosen_is_told_and_what_was_asked_for_is_not(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1)
    assert [e.setting for e in tiny.of(SettingChanged)] == ["kernels", "precision"]  # its threads are fixed
    tiny.events.clear()
    tiny.train(t.NONE, epochs=1, threads=None, precision="fp32")
    (_, threads) = tiny.of(SettingChanged)
    assert (threads.setting, threads.old) == ("threads", "auto")
    assert int(threads.new) == torch.get_num_threads()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_precision_that_was_asked_for_is_what_the_forward_pass_computes_in(tiny: TinyRun, precision: str) -> None:
    tiny.train(t.STEP, epochs=2, precision=precision)
    again = tiny.losses
    assert all(loss is not None for loss in again)
    tiny.events.clear()
    tiny.train(t.STEP, epochs=2, precision=precision)
    assert tiny.losses == again
    tiny.events.clear()
    tiny.train(t.STEP, epochs=2, precision="bf16" if precision == "fp32" else "fp32")
    assert tiny.losses != again


def test_without_a_compiler_compiling_is_bad_input(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"--compile needs a C\+\+ compiler"):
        tiny.train(t.NONE, compile=True)


def test_a_network_that_cannot_be_compiled_is_bad_input(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> Callable[..., object]:
        raise RuntimeError("no such instruction")

    # PyTorch itself makes the error, which each of its versions makes in another way.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=fail))
    with pytest.raises(UserError, match=r"could not be compiled here .*no such instruction"):
        tiny.train(t.NONE, compile=True)
