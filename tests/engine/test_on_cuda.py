"""Training as CUDA has it, on devices that are faked: work is done later, memory runs out, kernels fail."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.engine import fake_cuda
from tests.engine import tiny as t
from tests.engine.fake_cuda import A100, V100, cards
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import Continue, OneBatch, Pause, SetPace, Stop
from tui_trainer.engine import checkpoints, datasets, metrics, precision, schedules
from tui_trainer.engine.distributed import Ranks
from tui_trainer.engine.metrics import MetricAccumulator
from tui_trainer.engine.schedules import build_optimizer
from tui_trainer.engine.trainer import Trainer
from tui_trainer.errors import UserError
from tui_trainer.events import (
    AnyEvent,
    CallFollowed,
    EpochEnded,
    PaceChanged,
    Paused,
    RunConfigured,
    SettingChanged,
    StepsTaken,
)
from tui_trainer.presets.optimizers import OPTIMIZERS


def told(tiny: TinyRun) -> int:
    """The last step that was told."""
    steps = tiny.of(StepsTaken)
    return steps[-1].step + len(steps[-1].losses) - 1 if steps else 0


@pytest.fixture
def never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is reported because of the time that has passed."""
    monkeypatch.setattr(metrics, "REPORT_EVERY", 1e9)


@pytest.mark.parametrize("ours", [0, 1])
def test_losses_are_read_once_they_have_arrived(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, ours: int) -> None:
    tiny.train(t.ONE_CYCLE)
    on_cpu = tiny.losses
    tiny.events.clear()
    fake_cuda.install(monkeypatch, ours=ours)  # the thread's own device is 0
    ended = tiny.train(t.ONE_CYCLE)
    assert ended.status == "finished"
    assert tiny.losses == on_cpu


class Ahead:
    """Launches steps of 0.1 s each, far faster than the device computes them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cuda = fake_cuda.install(monkeypatch)
        monkeypatch.setattr(metrics, "REPORT_EVERY", -1.0)  # due after every step
        self.events: list[AnyEvent] = []
        self.metrics = MetricAccumulator(self.events.append, Ranks(), lambda: self.cuda.now)
        self.launched = 0

    def launch(self, *, report: bool = True) -> None:
        self.launched += 1
        device = self.cuda.devices[0]
        device.submit(self.cuda.now, 0.1)
        one = torch.ones(1)
        self.metrics.add_batch(
            self.launched,
            1,
            self.launched,
            loss=torch.tensor(1.0),
            outputs=torch.ones(1, 10),
            labels=one.long(),
            lr=0.1,
            elapsed=self.cuda.now,
        )
        if report:
            self.metrics.report()

    @property
    def elapsed(self) -> list[float]:
        """Of each step that was told."""
        return [at for event in self.events if isinstance(event, StepsTaken) for at in event.elapsed]


def test_the_host_is_no_more_than_some_reports_ahead_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(monkeypatch)
    for _ in range(20):
        ahead.launch()
        assert ahead.launched - len(ahead.elapsed) <= metrics.MOST_OUTSTANDING


def test_the_time_of_a_step_is_when_it_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(monkeypatch)
    for _ in range(10):
        ahead.launch()
    ahead.metrics.report(wait=True)
    assert ahead.elapsed == pytest.approx([0.1 * (step + 1) for step in range(10)], abs=0.02)
    # The device stands still, as in a pause or while data is loaded: that is no step's.
    ahead.cuda.now += 60
    for _ in range(5):
        ahead.launch()
    ahead.metrics.report(wait=True)
    assert ahead.elapsed[10:] == pytest.approx([61 + 0.1 * (step + 1) for step in range(5)], abs=0.03)


def test_what_came_between_two_epochs_is_no_step_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(monkeypatch)
    for _ in range(5):
        ahead.launch()
    ahead.metrics.report(wait=True)
    ahead.cuda.now += 5.0  # validation
    ahead.metrics.begin_epoch()
    for _ in range(5):
        ahead.launch(report=False)
    ahead.metrics.report(wait=True)
    assert ahead.elapsed[5] >= 5.5
    assert ahead.elapsed == sorted(ahead.elapsed)


def test_times_never_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(monkeypatch)
    for _ in range(30):
        ahead.launch()
        ahead.cuda.now += 0.03
    ahead.metrics.report(wait=True)
    assert ahead.elapsed == sorted(ahead.elapsed)
    assert len(ahead.elapsed) == 30


@pytest.mark.parametrize("command", [Pause(by="me"), OneBatch(by="me"), SetPace(by="me", seconds_a_call=1e-9)])
@pytest.mark.usefixtures("never_due")
def test_what_was_trained_is_told_before_the_run_stands_still(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, command: Any
) -> None:
    fake_cuda.install(monkeypatch)
    at = []

    def asked(self: Trainer, *arguments: Any) -> None:
        if self.step == BATCHES + 2:
            tiny.control.send(command)
        end_batch(self, *arguments)

    def stood_still() -> None:
        at.append(told(tiny))
        tiny.control.send(Continue(by="me"))
        tiny.control.send(Stop(by="me"))

    end_batch = Trainer.end_batch
    monkeypatch.setattr(Trainer, "end_batch", asked)
    tiny.when.append((lambda event: isinstance(event, Paused | PaceChanged), stood_still))
    tiny.train(t.NONE)
    first = BATCHES + 3 if isinstance(command, OneBatch) else BATCHES + 2
    assert at[0] == first


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("on", ["cpu", "cuda"])
@pytest.mark.usefixtures("never_due")
def test_what_was_trained_before_a_crash_is_told(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, error: BaseException, on: str
) -> None:
    if on == "cuda":
        fake_cuda.install(monkeypatch)
    batches = Trainer.batches

    def broken(self: Trainer, epoch: int) -> Any:
        for batch in batches(self, epoch):
            if self.step == BATCHES + 3:
                raise error
            yield batch

    monkeypatch.setattr(Trainer, "batches", broken)
    if isinstance(error, MemoryError):
        tiny.train(t.NONE)
    else:
        with pytest.raises(type(error)):
            tiny.train(t.NONE)
    assert told(tiny) == BATCHES + 2


def test_a_loss_that_was_not_finite_does_not_hide_the_crash_behind_it(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "REPORT_EVERY", 1e9)
    end_batch = Trainer.end_batch

    def broken(self: Trainer, outputs: Tensor, labels: Tensor, loss: Tensor) -> None:
        end_batch(self, outputs, labels, loss * float("nan") if self.step == 2 else loss)
        if self.step == 2:
            raise RuntimeError("broken")

    monkeypatch.setattr(Trainer, "end_batch", broken)
    with pytest.raises(RuntimeError, match="broken"):
        tiny.train(t.NONE)


def test_a_kernel_that_failed_is_told_in_words(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(self: Trainer, *arguments: Any) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be ...")

    monkeypatch.setattr(Trainer, "end_batch", failed)
    ended = tiny.train(t.NONE)
    assert (ended.status, ended.exit_code) == ("crashed", 1)
    assert ended.reason == (
        "CUDA failed: device-side assert triggered; this process can train no more, start the run again in a new one"
    )


def room_for(images: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have validation find memory for so many images at once; the sizes that were tried are listed."""
    tried: list[int] = []
    over = metrics._over

    def limited(split: Any, size: int, *others: Any) -> Any:
        tried.append(size)
        if size > images:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return over(split, size, *others)

    monkeypatch.setattr(metrics, "_over", limited)
    return tried


def test_validation_takes_smaller_batches_where_memory_is_short(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train(t.STEP, epochs=1)
    before = tiny.events[-2:]
    tiny.events.clear()
    tried = room_for(100, monkeypatch)
    assert tiny.train(t.STEP, epochs=1).status == "finished"
    assert tried == [500, 250, 125, 62]
    assert [type(event) for event in tiny.events[-2:]] == [type(event) for event in before]


@pytest.mark.says("end.out_of_memory_validating", "end.or_cpu")
@pytest.mark.never_says("end.or_cpu", "end.out_of_memory")
def test_validation_that_finds_no_memory_for_one_image_says_so(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    room_for(0, monkeypatch)
    ended = tiny.train(t.STEP, epochs=1)
    assert (ended.status, ended.exit_code) == ("crashed", 1)
    assert ended.reason == "out of memory in validation, with a single image a batch; try a smaller --model"
    with fake_cuda.pretended(A100):
        ended = tiny.train(t.STEP, epochs=1, device="cuda:0")
    assert ended.reason.endswith("; try a smaller --model, or --device cpu")


def no_room(*arguments: Any) -> None:
    raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried")


@pytest.mark.says("data.or_cpu")
def test_data_without_room_on_a_device_is_told_another(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load", no_room)
    with fake_cuda.pretended(A100), pytest.raises(UserError, match=r"--limit-train, or train with --device cpu$"):
        tiny.train(t.NONE, device="cuda:0")


@pytest.mark.says("data.crop_and_flip")
def test_what_is_made_of_images_anew_is_told(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, dataset="cifar10")
    assert tiny.of(RunConfigured)[0].augmentation == "crop and flip"


@pytest.mark.never_says("data.or_cpu")
def test_data_without_room_names_the_limit(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load", no_room)
    with pytest.raises(UserError) as refused:
        tiny.train(t.NONE)
    assert str(refused.value) == (
        "--dataset mnist-5k: this machine has no memory for its images; take fewer with --limit-train"
    )


def test_a_card_that_was_passed_over_is_told_in_the_record(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, V100)
    tiny.train(t.NONE, epochs=1, device="auto")
    settings = {event.setting: event for event in tiny.of(SettingChanged)}
    assert settings["device"].new == "cpu"
    assert "V100" in settings["device"].reason


@pytest.mark.never_says("data.crop_and_flip")
def test_where_no_card_was_passed_over_nothing_is_told(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, device="cpu")
    assert "device" not in {event.setting for event in tiny.of(SettingChanged)}


@pytest.mark.says("setting.kernels_cpu", "setting.precision_default", "setting.building")
@pytest.mark.never_says(
    "setting.kernels_cuda",
    "setting.precision_cuda",
    "setting.deterministic",
    "setting.steps_skipped",
    "setting.loading_checkpoint",
    "setting.choosing_threads",
)
def test_kernels_are_said_to_be_faster_where_that_was_measured(tiny: TinyRun, captions_said: set[str]) -> None:
    tiny.train(t.NONE, epochs=1)
    assert {id for id in captions_said if id.startswith("setting.")} == {
        *("setting.kernels_cpu", "setting.channels_last", "setting.fused"),
        "setting.precision_default",
        "setting.building",
    }
    assert {e.reason for e in tiny.of(SettingChanged) if e.setting == "kernels"} == {
        "the faster choice where they were measured"
    }


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
@pytest.mark.parametrize("error", [RuntimeError, NotImplementedError])
def test_an_optimizer_that_is_not_fused_there_is_taken_as_it_is(
    monkeypatch: pytest.MonkeyPatch, name: str, error: type[Exception]
) -> None:
    kind = getattr(torch.optim, name)
    step = kind.step

    def refuses(self: torch.optim.Optimizer, *arguments: Any) -> Any:
        if self.defaults.get("fused"):
            raise error("fused is not there for tensors on this device")
        return step(self, *arguments)

    monkeypatch.setattr(kind, "step", refuses)
    schedules._takes.cache_clear()
    try:
        optimizer = build_optimizer(OPTIMIZERS[name](name=name), [torch.nn.Parameter(torch.ones(2))], fused=True)
    finally:
        schedules._takes.cache_clear()
    assert not optimizer.defaults.get("fused")


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_an_optimizer_that_is_fused_there_is(name: str) -> None:
    optimizer = build_optimizer(OPTIMIZERS[name](name=name), [torch.nn.Parameter(torch.ones(2))], fused=True)
    assert optimizer.defaults["fused"]


# fp16, which the CPU computes in too


@pytest.fixture
def fitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scale that fits the tiny network from the first step on."""
    monkeypatch.setattr(precision, "INITIAL_SCALE", 2.0**4)


@pytest.mark.usefixtures("fitting")
def test_fp16_trains_and_says_nothing_of_its_scale_while_it_fits(tiny: TinyRun) -> None:
    tiny.train(t.STEP, precision="fp16")
    in_fp16, settings = tiny.losses, [event.setting for event in tiny.of(SettingChanged)]
    tiny.events.clear()
    tiny.train(t.STEP, precision="fp32")
    assert in_fp16 == pytest.approx(tiny.losses, abs=0.05)
    assert in_fp16 != tiny.losses
    assert "loss scale" not in settings


def overflowing(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Have the gradients of one step overflow."""
    backward = Ranks.backward
    steps = iter(range(1, 1000))

    def overflow(self: Ranks, loss: Tensor) -> None:
        backward(self, loss * (float("inf") if next(steps) == at else 1.0))

    monkeypatch.setattr(Ranks, "backward", overflow)


@pytest.mark.says("setting.steps_skipped")
@pytest.mark.never_says("setting.precision_default")
@pytest.mark.usefixtures("fitting")
def test_a_step_that_overflowed_in_fp16_changes_no_weight_and_is_told(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    overflowing(monkeypatch, at=BATCHES)
    weights: dict[int, list[Tensor]] = {}
    end_batch = Trainer.end_batch

    def kept(self: Trainer, *arguments: Any) -> None:
        weights[self.step] = [weight.detach().clone() for weight in self._train_state.model.parameters()]
        end_batch(self, *arguments)

    monkeypatch.setattr(Trainer, "end_batch", kept)
    assert tiny.train(t.NONE, epochs=2, precision="fp16").status == "finished"
    same = [all(map(torch.equal, weights[step], weights[step - 1])) for step in range(2, 2 * BATCHES + 1)]
    assert same == [step == BATCHES for step in range(2, 2 * BATCHES + 1)]
    (told,) = [event for event in tiny.of(SettingChanged) if event.setting == "loss scale"]
    assert told.reason == f"1 step skipped up to step {BATCHES}: gradients overflowed in fp16"
    assert float(told.new) == 2.0**3


@pytest.mark.usefixtures("fitting", "never_due")
def test_a_run_in_fp16_goes_on_with_the_scale_that_it_had(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        overflowing(patched, at=2)
        tiny.train(t.STEP, precision="fp16")
    whole = list(tiny.losses)
    tiny.events.clear()
    with monkeypatch.context() as patched:
        overflowing(patched, at=2)
        tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: tiny.control.send(Stop(by="me"))))
        assert tiny.train(t.STEP, precision="fp16").status == "stopped"
    tiny.when.clear()
    saved = checkpoints.load(tiny.folder / checkpoints.LAST)
    assert (saved["loss_scaler"]["scale"], saved["loss_scaler"]["skipped"]) == (2.0**3, 1)
    assert tiny.train(t.STEP, precision="fp16", resume=True).status == "finished"
    assert tiny.losses == whole
    assert len([event for event in tiny.of(SettingChanged) if event.setting == "loss scale"]) == 1


@pytest.mark.usefixtures("fitting")
def test_gradients_are_told_without_the_scale(tiny: TinyRun) -> None:
    def norms(of: str) -> list[float]:
        tiny.events.clear()
        tiny.control.send(SetPace(by="me", seconds_a_call=1e-9))
        tiny.train(t.NONE, epochs=1, precision=of)
        told = [event.value for event in tiny.of(CallFollowed) if event.call == "backward" and event.value]
        return [float(value.split()[-1]) for value in told]

    assert norms("fp16") == pytest.approx(norms("fp32"), rel=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["SGD", "RMSprop"])
def test_a_first_step_that_overflows_brings_no_warning_of_pytorch(name: str) -> None:
    scaler = precision.LossScaler(precision.ComputeOptions(torch.device("cpu"), "fp16"))
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = getattr(torch.optim, name)([weight], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    scaler.scale((weight * float("inf")).sum()).backward()
    scaler.step(optimizer)
    scheduler.step()
    assert scaler.skipped == 1


def test_memory_that_runs_out_for_a_moment_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: torch.optim.Optimizer) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    adam = OPTIMIZERS["Adam"](name="Adam")
    schedules._takes.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.Adam, "step", no_memory)
        with pytest.raises(torch.OutOfMemoryError):
            build_optimizer(adam, [torch.nn.Parameter(torch.ones(2))], fused=True)
    assert build_optimizer(adam, [torch.nn.Parameter(torch.ones(2))], fused=True).defaults["fused"]


@pytest.mark.parametrize(("there", "here"), [(True, None), (None, True)])
def test_a_checkpoint_of_a_device_with_a_fused_optimizer_is_gone_on_from_on_one_without(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, there: bool | None, here: bool | None
) -> None:
    adagrad = '[optimizer]\nname = "Adagrad"\nlr = 0.01\n'
    takes = schedules._takes

    def fused(is_there: bool | None) -> None:
        monkeypatch.setattr(schedules, "_takes", lambda kind, key, *more: bool(is_there) and takes(kind, key, *more))

    fused(there)
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: tiny.control.send(Stop(by="me"))))
    assert tiny.train(adagrad).status == "stopped"
    tiny.when.clear()
    fused(here)
    assert tiny.train(adagrad, resume=True).status == "finished"


def test_checkpoints_of_other_precisions_hold_no_scale(tiny: TinyRun) -> None:
    tiny.train(t.STEP, epochs=1)
    assert "loss_scaler" not in checkpoints.load(tiny.folder / checkpoints.LAST)
