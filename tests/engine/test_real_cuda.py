"""Training on CUDA devices that are there; on the others everything else about CUDA is tested with faked ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from tests.engine import tiny as t
from tests.engine.tiny import TinyRun
from tui_trainer.errors import UserError
from tui_trainer.events import RunConfigured, SettingChanged, StepsTaken

COUNT = torch.cuda.device_count()

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]

two = pytest.mark.skipif(COUNT < 2, reason="there are no two CUDA devices here")


@pytest.fixture(autouse=True)
def _without_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    """It rounds to ten binary digits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(params=["cuda:0", pytest.param("cuda:1", marks=two)])
def device(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


ADAPTIVE = 1e-2
"""Adam and RMSprop divide by gradients: where these are next to nothing, their rounding counts."""


@pytest.mark.parametrize(("text", "may"), [(t.ONE_CYCLE, 1e-3), (t.STEP, ADAPTIVE), (t.PLATEAU, ADAPTIVE)])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_losses_are_those_of_the_cpu(tiny: TinyRun, device: str, text: str, may: float, model: str) -> None:
    tiny.train(text, model=model)
    on_cpu = tiny.losses
    tiny.events.clear()
    ended = tiny.train(text, model=model, device=device, precision="fp32")
    assert ended.status == "finished"
    assert tiny.of(RunConfigured)[0].device == device
    assert tiny.losses == pytest.approx(on_cpu, abs=may)


def test_every_step_is_told_once_and_times_never_fall(tiny: TinyRun, device: str) -> None:
    tiny.train(t.NONE, epochs=20, device=device, model="mlp")
    steps = [event.step + i for event in tiny.of(StepsTaken) for i in range(len(event.losses))]
    assert steps == list(range(1, 20 * t.BATCHES + 1))
    times = [at for event in tiny.of(StepsTaken) for at in event.elapsed]
    assert all(before <= after for before, after in pairwise(times))


def test_the_default_precision_is_one_that_the_device_has_in_hardware(tiny: TinyRun, device: str) -> None:
    tiny.train(t.NONE, epochs=1, device=device)
    chosen = {event.setting: event.new for event in tiny.of(SettingChanged)}["precision"]
    ampere = torch.cuda.get_device_capability(device) >= (8, 0)
    assert chosen == ("bf16" if ampere or torch.version.hip else "fp32")


def test_a_device_that_is_not_there_is_refused(tiny: TinyRun) -> None:
    with pytest.raises(UserError, match=f"--device cuda:{COUNT}: there"):
        tiny.train(t.NONE, device=f"cuda:{COUNT}")


@two
def test_a_run_on_the_second_device_takes_nothing_of_the_first(tiny: TinyRun) -> None:
    before = torch.cuda.memory_allocated("cuda:0")
    tiny.train(t.NONE, device="cuda:1")
    assert torch.cuda.memory_allocated("cuda:0") == before
