"""`--deterministic`, and what else decides about the last bits on CUDA: chosen, recorded, gone on with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.engine import fake_cuda
from tests.engine import tiny as t
from tests.engine.fake_cuda import A100, LiveCuda, OnDevice
from tests.engine.tiny import TinyRun
from tui_trainer.commands import Stop
from tui_trainer.engine import checkpoints, models, reproducibility
from tui_trainer.engine.distributed import Ranks
from tui_trainer.errors import UserError
from tui_trainer.events import EpochEnded, RunConfigured, SettingChanged
from tui_trainer.run_options import MODELS

WORKSPACE = reproducibility.CUBLAS_WORKSPACE


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(WORKSPACE, "")  # noted, so that what a run sets is undone
    monkeypatch.delenv(WORKSPACE)
    monkeypatch.setattr(reproducibility, "_cublas_began", [])
    yield
    reproducibility.as_before()


@pytest.fixture
def cuda() -> Iterator[LiveCuda]:
    with fake_cuda.pretended(A100, A100) as there:
        yield there


def switches() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def settings(tiny: TinyRun) -> dict[str, SettingChanged]:
    return {event.setting: event for event in tiny.of(SettingChanged)}


@pytest.mark.usefixtures("cuda")
def test_a_deterministic_run_takes_algorithms_that_repeat_themselves_and_the_next_run_does_not(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    seen = []
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: seen.append(switches())))
    tiny.train(t.NONE, epochs=1, device="cuda:0", deterministic=True)
    tiny.train(t.NONE, epochs=1, device="cuda:0")
    assert seen == [(True, True, False), (False, False, True)]


@pytest.mark.says("setting.deterministic", "setting.slower", "setting.kernels_cuda", "setting.repeatable")
@pytest.mark.never_says("setting.kernels_cpu", "setting.cpu_repeats")
@pytest.mark.usefixtures("cuda")
def test_it_says_what_it_costs_and_records_what_it_chose(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, device="cuda:0", deterministic=True)
    assert settings(tiny)["algorithms"].new == "deterministic"
    assert "slower" in settings(tiny)["algorithms"].reason
    assert "deterministic" in settings(tiny)["kernels"].new
    assert tiny.of(RunConfigured)[0].arithmetic == {
        "deterministic_algorithms": "True",
        "cudnn.deterministic": "True",
        "cudnn.benchmark": "False",
        "cudnn.allow_tf32": "True",
        "cuda.matmul.allow_tf32": "False",
        "cudnn.version": str(torch.backends.cudnn.version()),
    }


@pytest.mark.never_says("setting.repeatable", "setting.compiled")
@pytest.mark.usefixtures("cuda")
def test_without_it_nothing_is_said_of_it(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, device="cuda:0")
    assert "algorithms" not in settings(tiny)
    assert "deterministic" not in settings(tiny)["kernels"].new
    assert tiny.of(RunConfigured)[0].arithmetic["deterministic_algorithms"] == "False"


@pytest.mark.says("setting.deterministic", "setting.cpu_repeats")
@pytest.mark.never_says("setting.slower")
def test_on_the_cpu_it_is_said_to_cost_nothing_and_nothing_of_cuda_is_recorded(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, deterministic=True)
    assert settings(tiny)["algorithms"].reason == (
        "--deterministic: another run with these versions on such a device gives the same bits; "
        "the CPU repeats itself anyway, with as many threads"
    )
    assert torch.are_deterministic_algorithms_enabled()
    assert tiny.of(RunConfigured)[0].arithmetic == {}


def test_a_run_on_the_cpu_beside_a_deterministic_one_leaves_it_so() -> None:
    reproducibility.choose_algorithms(torch.device("cpu"), deterministic=True)
    reproducibility.choose_algorithms(torch.device("cpu"), deterministic=False)
    assert torch.are_deterministic_algorithms_enabled()


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("said", [None, ":4096:8", ":16:8"])
def test_cublas_is_told_to_repeat_itself(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, said: str | None) -> None:
    if said is not None:
        monkeypatch.setenv(WORKSPACE, said)
    tiny.train(t.NONE, epochs=1, device="cuda:0", deterministic=True)
    assert os.environ[WORKSPACE] == (said or ":4096:8")


@pytest.mark.usefixtures("cuda")
def test_cublas_that_was_told_otherwise_is_refused(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WORKSPACE, ":0:0")
    with pytest.raises(UserError) as refused:
        tiny.train(t.NONE, device="cuda:0", deterministic=True)
    assert str(refused.value) == (
        "--deterministic: CUBLAS_WORKSPACE_CONFIG is ':0:0' here, and must be :4096:8 or :16:8; or unset it"
    )


@pytest.mark.usefixtures("cuda")
def test_a_process_that_trained_without_it_cannot_begin_to(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1, device="cuda:0")
    with pytest.raises(UserError, match="--deterministic: this process has trained on CUDA without it; start the run"):
        tiny.train(t.NONE, device="cuda:0", deterministic=True)


@pytest.mark.usefixtures("cuda")
def test_rocm_is_not_told_of_cublas(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "6.2")
    tiny.train(t.NONE, epochs=1, device="cuda:0")
    tiny.train(t.NONE, epochs=1, device="cuda:0", deterministic=True)
    assert WORKSPACE not in os.environ


def test_what_has_no_deterministic_form_ends_the_run_in_words(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = Ranks.loss

    def with_put(self: Ranks, outputs: Tensor, labels: Tensor) -> Tensor:
        torch.zeros(2).put_(torch.tensor([0]), torch.ones(1))  # the CPU has no such form of it, too
        return loss(self, outputs, labels)

    monkeypatch.setattr(Ranks, "loss", with_put)
    assert tiny.train(t.NONE, epochs=1).status == "finished"
    ended = tiny.train(t.NONE, epochs=1, deterministic=True)
    assert (ended.status, ended.exit_code) == ("crashed", 1)
    assert ended.reason == "--deterministic: put_ has no deterministic form here; leave it out"


def test_cublas_that_began_too_early_is_told_in_words() -> None:
    error = RuntimeError(
        "Deterministic behavior was enabled ... it uses CuBLAS and you have CUDA >= 10.2. To enable deterministic "
        "behavior in this case, you must set an environment variable ... CUBLAS_WORKSPACE_CONFIG=:4096:8 or ..."
    )
    assert reproducibility.not_deterministic(error) == (
        "--deterministic: CUDA was used in this process before; start the run in a new one"
    )
    assert reproducibility.not_deterministic(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) == ""


def stopped_on_cuda(tiny: TinyRun, **options: Any) -> None:
    """Train an epoch there and leave a checkpoint."""
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: tiny.control.send(Stop(by="me"))))
    assert tiny.train(t.STEP, device="cuda:0", **options).status == "stopped"
    tiny.when.clear()
    tiny.events.clear()


@pytest.mark.says("setting.as_it_was")
@pytest.mark.never_says("setting.not_as_it_was")
@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize("name", ["cudnn.allow_tf32", "cuda.matmul.allow_tf32", "cudnn.benchmark"])
def test_a_run_goes_on_with_the_switches_that_it_had(tiny: TinyRun, name: str) -> None:
    *way, last = name.split(".")
    place: Any = torch.backends
    for part in way:
        place = getattr(place, part)
    here = getattr(place, last)
    setattr(place, last, not here)
    try:
        stopped_on_cuda(tiny)
    finally:
        setattr(place, last, here)
    seen = []
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: seen.append(getattr(place, last))))
    assert tiny.train(t.STEP, device="cuda:0", resume=True).status == "finished"
    assert set(seen) == {not here}
    assert tiny.of(RunConfigured)[0].arithmetic[name] == str(not here)
    told = settings(tiny)[name]
    assert (told.old, told.new, told.reason) == (str(here), str(not here), "as in the run that this one goes on with")
    tiny.train(t.STEP, epochs=1, device="cuda:0")
    assert getattr(place, last) == here


@pytest.mark.says("setting.not_as_it_was", "setting.loading_checkpoint", "setting.precision_cuda")
@pytest.mark.never_says("setting.as_it_was", "setting.precision_default")
@pytest.mark.usefixtures("cuda")
def test_another_cudnn_torch_or_card_is_said_as_a_run_goes_on(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    stopped_on_cuda(tiny)
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 90100)
    monkeypatch.setattr(torch, "__version__", "9.9")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100 80GB HBM3")
    tiny.train(t.STEP, device="cuda:0", resume=True)
    assert "setting.as_it_was" not in captions_said
    said = {name: event.new for name, event in settings(tiny).items() if "may differ" in event.reason}
    assert said == {"cudnn.version": "90100", "torch": "9.9", "device": "NVIDIA H100 80GB HBM3"}


@pytest.mark.never_says("setting.as_it_was", "setting.not_as_it_was")
@pytest.mark.usefixtures("cuda")
def test_where_nothing_differs_nothing_is_said(tiny: TinyRun) -> None:
    stopped_on_cuda(tiny)
    tiny.train(t.STEP, device="cuda:0", resume=True)
    assert set(settings(tiny)) == {"kernels", "precision"}


@pytest.mark.usefixtures("cuda")
@pytest.mark.parametrize(("first", "then"), [("cpu", "cuda:0"), ("cuda:0", "cpu")])
def test_a_run_that_moves_to_another_kind_of_device_has_nothing_to_keep(tiny: TinyRun, first: str, then: str) -> None:
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: tiny.control.send(Stop(by="me"))))
    tiny.train(t.STEP, device=first, precision="fp32")
    assert ("arithmetic" in checkpoints.load(tiny.folder / checkpoints.LAST)) == (first != "cpu")
    tiny.when.clear()
    tiny.events.clear()
    assert tiny.train(t.STEP, device=then, precision="fp32", resume=True).status == "finished"
    assert set(settings(tiny)) == {"kernels"}


@pytest.mark.parametrize("saved", [None, [], "True", {"cudnn.allow_tf32": "perhaps"}, {"cudnn.version": 3}])
@pytest.mark.usefixtures("cuda")
def test_what_a_checkpoint_says_that_cannot_be_is_passed_over(saved: object) -> None:
    before = torch.backends.cudnn.allow_tf32
    assert reproducibility.go_on_as(saved, torch.device("cuda", 0)) == ()
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_global_pool_of_cuda_is_that_of_the_cpu_gradients_too(
    kind: torch.dtype, layout: torch.memory_format
) -> None:
    images = torch.randint(3, (8, 16, 4, 3)).to(kind).to(memory_format=layout)  # with many that are equally large
    pooled, gradients = [], []
    for here in (images.clone(), images.clone().as_subclass(OnDevice)):
        here.requires_grad_()
        pooled.append(models.GlobalMaxPool()(here).as_subclass(Tensor))
        (pooled[-1] * torch.arange(pooled[-1].numel()).view_as(pooled[-1])).sum().backward()
        assert here.grad is not None
        gradients.append(here.grad.as_subclass(Tensor))
    assert torch.equal(*pooled)
    assert torch.equal(*gradients)


REFUSED = (nn.AdaptiveMaxPool2d, nn.FractionalMaxPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool3d, nn.ReflectionPad2d)
"""What torch has no deterministic form of on CUDA (`torch.use_deterministic_algorithms`)."""


@pytest.mark.parametrize("name", MODELS)
def test_no_network_has_a_layer_without_a_deterministic_form_on_cuda(name: str) -> None:
    for module in models.build(name, (3, 32, 32), seed=0).modules():
        assert not isinstance(module, REFUSED)
        # To one value it is the mean, which has one.
        assert not isinstance(module, nn.AdaptiveAvgPool2d) or module.output_size in (1, (1, 1))


@pytest.mark.says("end.not_deterministic", "end.cuda_used_before")
@pytest.mark.never_says("end.not_deterministic", "end.cuda_used_before")
def test_what_torch_refuses_is_told_and_what_it_says_otherwise_is_not(captions_said: set[str]) -> None:
    assert reproducibility.not_deterministic(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) == ""
    assert not captions_said & {"end.not_deterministic", "end.cuda_used_before"}
    refused = RuntimeError("put_ does not have a deterministic implementation, but you set ...")
    assert reproducibility.not_deterministic(refused) == (
        "--deterministic: put_ has no deterministic form here; leave it out"
    )
    told_late = RuntimeError(f"Deterministic behavior was enabled, but {WORKSPACE} is not set")
    assert reproducibility.not_deterministic(told_late).endswith(
        "was used in this process before; start the run in a new one"
    )
