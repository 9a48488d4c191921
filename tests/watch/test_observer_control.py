"""What is asked of a watched process from outside, and what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from tests.preloaded import Running
from tests.waiting import until
from tests.watch.watched import IN_A_FORK, INJECTED, Trace, environment, forked, read_traces, run
from tui_trainer.watching.injected._tui_trainer_observer.control import StopRequested, told_in_a_line
from tui_trainer.watching.injected._tui_trainer_observer.optimizer_steps import OptimizerRecord, OptimizerSteps
from tui_trainer.watching.trace import CONTROL_SIZE, Asked, Goodbye, Obeyed, Options, control_file, processes

pytestmark = pytest.mark.slow

ENDLESS = """
    import time
    import torch
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    with open("steps", "w") as steps:
        try:
            while True:
                optimizer.zero_grad()
                (weight ** 2).sum().backward()
                optimizer.step()
                print(optimizer.param_groups[0]["lr"], file=steps, flush=True)
                time.sleep(0.005)
        finally:
            print("tidied up")
"""


class Endless:
    """A program that trains until it is told otherwise."""

    def __init__(self, folder: Path, options: Options | None = None) -> None:
        script = folder / "train.py"
        script.write_text(textwrap.dedent(ENDLESS))
        self.folder = folder
        self.traces = folder / "traces"
        self.asked = 0
        self.process = Running(
            *(str(INJECTED), str(script)),
            module=IN_A_FORK,
            env=forked(environment(self.traces, options)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def trace(self) -> Trace:
        (found,) = read_traces(self.traces) or [Trace("")]
        return found

    @property
    def control_file(self) -> Path:
        """What says what it is to do."""
        (process,) = processes(self.traces)
        return self.traces / control_file(process)

    def steps(self) -> int:
        """How many it has made."""
        path = self.folder / "steps"
        return path.read_text().count("\n") if path.exists() else 0

    def ask(self, do: str, **more: float) -> None:
        """Write it down as the program that shows a run does."""
        self.asked += 1
        asked = Asked(serial=self.asked, do=do, **{"alive": os.getpid()} | more)  # type: ignore[arg-type]
        file = os.open(self.control_file, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(file, asked.in_bytes(), 0)
        os.close(file)
        assert self.control_file.stat().st_size == CONTROL_SIZE

    def obeyed(self, what: str) -> Obeyed:
        """Wait until the last thing that was asked has been done."""

        def found() -> list[Obeyed]:
            return [done for done in self.trace.all(Obeyed) if (done.serial, done.what) == (self.asked, what)]

        until(lambda: bool(found()) or self.process.poll() is not None)
        return found()[-1]

    def ended(self) -> tuple[str, str]:
        """Wait for its end; what it printed, and its errors."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        printed, errors = self.process.stdout.read().decode(), self.process.stderr.read().decode()
        self.process.wait()
        return printed, errors

    def stands_still(self) -> int:
        """Wait until no step has come for a while; how many there were."""
        before = -1

        def still() -> bool:
            nonlocal before
            before, now = self.steps(), before
            return now == before

        import time

        until(lambda: (time.sleep(0.3), still())[1])
        return before


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Endless]:
    program = Endless(tmp_path)
    until(lambda: program.steps() > 3)
    yield program
    program.process.kill()
    program.ended()


def test_it_pauses_makes_one_step_goes_on_and_stops(endless: Endless) -> None:
    endless.ask("pause")
    paused = endless.obeyed("pause").step
    assert endless.stands_still() in (paused - 1, paused)  # the line is printed after the step
    endless.ask("one")
    assert endless.obeyed("one").step == paused
    until(lambda: endless.trace.values("optimizer.step")[-1] == paused + 1)
    assert endless.stands_still() in (paused, paused + 1)
    at = paused + 40
    endless.ask("run")
    assert endless.obeyed("run").step == paused + 1
    stood = endless.trace.spans("held")
    assert len(stood) == 2
    assert stood[0][1] - stood[0][0] >= 0.25
    endless.ask("stop", at=at)
    last = endless.obeyed("stop").step
    assert last >= at
    printed, errors = endless.ended()
    assert (printed, errors) == ("tidied up\n", f"stopped from tui-trainer, at the end of step {last}\n")
    assert endless.process.returncode == 1  # an exception that nobody caught
    assert endless.trace.values("optimizer.step")[-1] == last
    assert endless.trace.one(Goodbye).raised == "StopRequested"


def test_an_error_while_it_tidies_up_is_told_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[object] = []
    hook = told_in_a_line(lambda *error: told.append(error))
    stopped, failed = StopRequested("stopped"), OSError("disk full")
    hook(StopRequested, stopped, None)
    hook(OSError, failed, None)
    assert capsys.readouterr().err == "stopped\n"
    assert told == [(OSError, failed, None)]


def test_something_agreed_on_is_taken_up_at_its_step(endless: Endless) -> None:
    at = endless.steps() + 60
    endless.ask("pause", at=at)
    assert endless.obeyed("pause").step == at
    assert endless.stands_still() in (at - 1, at)


def test_the_lr_is_multiplied_while_it_steps_and_is_the_programs_own_after(endless: Endless) -> None:
    endless.ask("run", lr_factor=0.5)
    endless.obeyed("lr")
    until(lambda: endless.trace.values("lr") == [0.5, 0.25])
    endless.ask("run", lr_factor=1.0)
    endless.obeyed("lr")
    until(lambda: endless.trace.values("lr") == [0.5, 0.25, 0.5])
    endless.ask("stop")
    endless.ended()
    assert set((endless.folder / "steps").read_text().split()) == {"0.5"}


def steps_of(*optimizers: torch.optim.Optimizer) -> tuple[OptimizerSteps, list[OptimizerRecord]]:
    observer = SimpleNamespace(writer=None, sites=None, guard=None, new_number=iter(range(9)).__next__)
    steps = OptimizerSteps(cast("Any", observer))
    return steps, [steps.seen.of(optimizer) for optimizer in optimizers]


def test_an_lr_that_is_a_tensor_is_left_alone_and_that_is_told() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    plain, held = torch.optim.Adam([weight], lr=0.5), torch.optim.Adam([weight], lr=torch.tensor(0.5), capturable=True)
    assert steps_of(plain)[0].scale_lrs(0.5)
    steps, _ = steps_of(plain, held)
    assert not steps.scale_lrs(0.5)
    assert steps.lr_factor == 1.0
    assert steps.scale_lrs(1.0)


def test_an_lr_is_multiplied_once_though_its_optimizer_steps_within_another() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    inner, outer = torch.optim.SGD([weight], lr=0.5), torch.optim.SGD([weight], lr=0.5)
    outer.param_groups = inner.param_groups
    steps, (within, around) = steps_of(inner, outer)
    steps.scale_lrs(0.5)
    steps.scale(outer.param_groups, around)
    steps.scale(inner.param_groups, within)
    assert inner.param_groups[0]["lr"] == 0.25
    steps.restore(within)
    assert inner.param_groups[0]["lr"] == 0.25
    steps.restore(around)
    assert inner.param_groups[0]["lr"] == 0.5
    steps.scale(outer.param_groups, around)
    outer.param_groups[0]["lr"] = 0.125  # the program's own, meanwhile
    steps.restore(around)
    assert outer.param_groups[0]["lr"] == 0.125


def test_where_a_step_raises_the_lr_is_the_programs_own_again(monkeypatch: pytest.MonkeyPatch) -> None:
    record_function = torch.autograd.profiler.record_function
    monkeypatch.setattr(record_function, "__exit__", record_function.__exit__)  # as it is after the test
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    steps, (record,) = steps_of(optimizer)
    steps.scale_lrs(0.5)
    optimizer.register_step_pre_hook(lambda *_: steps.scale(optimizer.param_groups, record))
    used = []

    def closure() -> float:
        used.append(optimizer.param_groups[0]["lr"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert used == [0.25]
    assert optimizer.state_dict()["param_groups"][0]["lr"] == 0.5


def test_slow_motion_holds_each_call_and_ends_when_asked(endless: Endless) -> None:
    endless.ask("run", pace=0.3)
    endless.obeyed("pace")
    until(lambda: len(endless.trace.spans("held")) > 2)
    endless.ask("run")
    endless.obeyed("pace")
    holds = endless.trace.spans("held")
    assert all(end - begin >= 0.3 for begin, end in holds[:2])
    assert all(end <= begin for (_, end), (begin, _) in pairwise(holds))
    now = endless.steps()
    until(lambda: endless.steps() > now + 20)


def test_a_pause_is_over_once_nobody_is_there_who_could_end_it(endless: Endless) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    endless.ask("pause", alive=other.pid)
    endless.obeyed("pause")
    paused = endless.stands_still()
    other.communicate(b"\n")
    until(lambda: endless.steps() > paused + 3)


def test_what_is_no_order_is_left_alone_and_without_control_nothing_is_looked_for(tmp_path: Path) -> None:
    program = Endless(tmp_path, Options(control=False))
    until(lambda: program.steps() > 3)
    program.ask("stop")
    now = program.steps()
    until(lambda: program.steps() > now + 60)
    program.process.kill()
    program.ended()
    assert program.trace.all(Obeyed) == []


def test_garbage_in_the_control_file_does_nothing(endless: Endless) -> None:
    endless.control_file.write_bytes(b'{"serial": 7, "do": "explode", "pace": "x"}'.ljust(CONTROL_SIZE))
    now = endless.steps()
    until(lambda: endless.steps() > now + 60)
    assert endless.trace.all(Obeyed) == []


ASKED_OF_ITSELF = """
    import glob, json, os, time
    import torch

    weight = torch.nn.Parameter(torch.ones(1))
    first, second = torch.optim.SGD([weight], lr=0.1), torch.optim.SGD([weight], lr=0.1)
    traces = os.environ["TUI_TRAINER_WATCH"]

    def step(optimizer):
        (weight ** 2).sum().backward()
        optimizer.step()

    while not (files := glob.glob(traces + "/*.trace")):
        time.sleep(0.01)
        step(first)
    with open(traces + "/control-" + os.path.basename(files[0]).split(".")[0], "w") as control:
        control.write(json.dumps({"serial": 1, "do": "stop", "alive": os.getpid()}).ljust(128))
    time.sleep(0.1)
    seconds = 0
    try:
        while seconds < 1000:
            step(second)
            seconds += 1
            if IN_TURN and seconds % 100 == 0:
                step(first)
    except KeyboardInterrupt:
        print("stopped behind step", seconds + 1, "of the second")
"""


@pytest.mark.parametrize(("in_turn", "stops"), [(False, 129), (True, 101)])
def test_where_another_optimizer_steps_alone_what_is_asked_is_taken_up_behind_its_steps(
    tmp_path: Path, in_turn: bool, stops: int
) -> None:
    ended = run(tmp_path, f"    IN_TURN = {in_turn}\n{ASKED_OF_ITSELF}")
    assert (ended.output, ended.errors) == (f"stopped behind step {stops} of the second\n", "")
