"""Which device a run takes, by what torch says of the cards that are there: none of them is."""

from __future__ import annotations

import pytest
import torch

from tests.engine import fake_cuda
from tests.engine.fake_cuda import A100, CU130, H100, RTX_5090, T4, V100, Card, OnDevice, cards
from tui_trainer.engine import devices
from tui_trainer.engine.devices import broken_context, is_out_of_memory, resolve
from tui_trainer.engine.distributed import ManyRanks, SyncedBatchNorm2d, synchronised
from tui_trainer.engine.precision import ComputeOptions
from tui_trainer.errors import UserError
from tui_trainer.torchrun import Rank

TOO_OLD = "Tesla V100-SXM2-16GB has compute capability 7.0, and torch .* was built for 7.5, 8.0, .*"


@pytest.mark.parametrize("card", [T4, A100, H100, RTX_5090, Card("later", (12, 1)), Card("much later", (15, 0))])
def test_auto_takes_a_card_that_the_build_has_kernels_for(monkeypatch: pytest.MonkeyPatch, card: Card) -> None:
    cards(monkeypatch, card)
    assert resolve("auto") == (torch.device("cuda", 0), "")
    assert resolve("cuda") == resolve("cuda:0") == (torch.device("cuda", 0), "")


def test_auto_passes_a_card_over_that_the_build_has_no_kernels_for_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, V100)
    device, why = resolve("auto")
    assert device == torch.device("cpu")
    assert why.startswith("Tesla V100-SXM2-16GB has compute capability 7.0, and torch ")
    cards(monkeypatch, V100, A100)
    device, why = resolve("auto")
    assert device == torch.device("cuda", 1)
    assert "V100" in why


@pytest.mark.says("device.no_kernels")
@pytest.mark.never_says("device.none", "device.only_one")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_card_that_was_asked_for_and_cannot_compute_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    cards(monkeypatch, V100)
    with pytest.raises(UserError, match=f"--device {name}: {TOO_OLD}; take cpu, or another build of torch"):
        resolve(name)


@pytest.mark.parametrize(
    ("capability", "built_for", "runs"),
    [
        ((8, 6), ["sm_80"], True),  # the same major version, a lower minor one
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),  # another major version
        ((9, 0), ["sm_80", "compute_80"], True),  # compiled as it is loaded
        ((9, 0), ["sm_90a"], True),
        ((7, 0), [], True),  # nothing is known: it is tried
        ((7, 0), ["gfx90a"], True),
    ],
)
def test_what_a_build_runs_on(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], built_for: list[str], runs: bool
) -> None:
    cards(monkeypatch, Card("card", capability), built_for=built_for)
    assert (resolve("auto")[0].type == "cuda") == runs


def test_a_card_that_is_newer_than_the_build_is_not_told_that_newer_ones_will_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cards(monkeypatch, Card("card", (12, 0)), built_for=["sm_80", "sm_90"])
    assert resolve("auto")[1].endswith(" was built for 8.0, 9.0")


@pytest.mark.never_says("device.no_kernels")
def test_rocm_s_names_of_builds_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, V100, built_for=CU130)
    monkeypatch.setattr(torch.version, "hip", "6.2")
    assert resolve("auto") == (torch.device("cuda", 0), "")


@pytest.mark.says("device.only_one")
@pytest.mark.never_says("device.so_many", "device.none")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cuda:1", "there is one CUDA device, cuda:0"),
        ("cuda:128", "there is one CUDA device, cuda:0"),
        ("cuda:99999999999999999999", "there is one CUDA device, cuda:0"),
    ],
)
def test_a_card_that_is_not_there_is_bad_input(monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    cards(monkeypatch, A100)
    with pytest.raises(UserError, match=f"--device {name}: {said}"):
        resolve(name)


@pytest.mark.says("device.so_many")
@pytest.mark.never_says("device.only_one")
def test_a_number_with_a_nought_before_it_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, T4, A100)
    assert resolve("cuda:01") == (torch.device("cuda", 1), "")
    with pytest.raises(UserError, match="there are 2, cuda:0 to cuda:1"):
        resolve("cuda:2")


@pytest.mark.never_says("device.none")
def test_a_driver_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch)

    def refuse() -> None:
        raise RuntimeError(
            "The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by ..."
        )

    monkeypatch.setattr(torch.cuda, "init", refuse)
    with pytest.raises(UserError) as refused:
        resolve("cuda")
    assert str(refused.value) == (
        "--device cuda: The NVIDIA driver on your system is too old (found version 11040); take cpu or auto"
    )
    assert resolve("auto") == (torch.device("cpu"), "")


@pytest.mark.parametrize(("card", "precision"), [(V100, "fp32"), (T4, "fp32"), (A100, "bf16"), (H100, "bf16")])
def test_bfloat16_is_the_default_where_the_card_that_was_chosen_has_it(
    monkeypatch: pytest.MonkeyPatch, card: Card, precision: str
) -> None:
    other = T4 if precision == "bf16" else A100
    cards(monkeypatch, other, card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
    assert ComputeOptions.chosen(torch.device("cuda", 1), None, compiled=False).precision == precision
    assert ComputeOptions.chosen(torch.device("cuda", 1), "bf16", compiled=False).precision == "bf16"


@pytest.mark.says("setting.channels_last", "setting.fused", "setting.compiled")
@pytest.mark.never_says("setting.repeatable")
def test_what_a_compiled_network_computes_with_is_said() -> None:
    options = ComputeOptions.chosen(torch.device("cpu"), None, compiled=True)
    assert str(options) == "channels last, fused optimizer where there is one, compiled"


def test_the_thread_that_trains_uses_its_device_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = fake_cuda.install(monkeypatch, ours=1)
    devices.use(torch.device("cpu"))
    assert cuda.current == 0
    devices.use(torch.device("cuda", 1))
    assert cuda.current == 1


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_all_that_says_that_there_is_no_memory(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert broken_context(error) == ""


@pytest.mark.never_says("device.broken")
@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("CUDA error: out of memory")]
)
def test_what_says_something_else(error: Exception) -> None:
    assert not is_out_of_memory(error)
    assert broken_context(error) == ""


@pytest.mark.says("device.broken")
def test_a_kernel_that_failed_is_said_to_have_broken_the_process() -> None:
    error = RuntimeError("CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA` to enable ...")
    assert not is_out_of_memory(error)
    assert broken_context(error) == (
        "CUDA failed: device-side assert triggered; this process can train no more, start the run again in a new one"
    )


RANKS = Rank(rank=0, ranks=2, local_rank=0, local_ranks=2)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([], "--device cuda: torch .* sees no CUDA device here; take cpu or auto"),
        (
            [A100],
            "2 processes train on this machine, which has 1 CUDA device; take --nproc-per-node 1, or --device cpu",
        ),
    ],
)
def test_several_processes_without_a_device_each_are_told_what_fits(
    monkeypatch: pytest.MonkeyPatch, there: list[Card], said: str
) -> None:
    cards(monkeypatch, *there)
    with pytest.raises(UserError, match=said):
        ManyRanks(RANKS).device("cuda")


SECOND = Rank(rank=1, ranks=2, local_rank=1, local_ranks=2)


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_each_of_several_processes_takes_the_device_of_its_number(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    cards(monkeypatch, A100, T4)
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert ManyRanks(SECOND).device(asked) == "cuda:1"
    assert chosen == [1]


def test_several_processes_are_refused_a_single_device(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, A100, A100)
    with pytest.raises(UserError, match="--device cuda:1: each of several processes has a device of its own"):
        ManyRanks(SECOND).device("cuda:1")


def test_several_processes_train_on_the_cpu_where_no_card_can_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch)
    assert ManyRanks(SECOND).device("auto") == ManyRanks(SECOND).device("cpu") == "cpu"
    cards(monkeypatch, V100, V100)
    assert ManyRanks(SECOND).device("auto") == "cpu"


@pytest.mark.parametrize("there", [(A100, V100), (V100, A100)])
def test_all_processes_say_which_of_their_cards_cannot_compute(
    monkeypatch: pytest.MonkeyPatch, there: tuple[Card, Card]
) -> None:
    cards(monkeypatch, *there)
    for local_rank in range(2):
        with pytest.raises(UserError, match=TOO_OLD):
            ManyRanks(Rank(rank=local_rank, ranks=2, local_rank=local_rank, local_ranks=2)).device("cuda")


@pytest.mark.parametrize(("on_cuda", "kind"), [(True, torch.nn.SyncBatchNorm), (False, SyncedBatchNorm2d)])
def test_several_processes_normalise_the_whole_batch_in_the_way_of_their_device(
    on_cuda: bool, kind: type[torch.nn.Module]
) -> None:
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    if on_cuda:
        model[0].weight = torch.nn.Parameter(torch.ones(3).as_subclass(OnDevice))
    names = list(model.state_dict())
    together = synchronised(model)
    assert type(next(together.children())) is kind
    assert list(together.state_dict()) == names


@pytest.mark.parametrize("used", [True, False])
def test_memory_of_devices_is_given_back_where_they_were_used(monkeypatch: pytest.MonkeyPatch, used: bool) -> None:
    given: list[None] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: used)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given.append(None))
    devices.let_go()
    assert bool(given) == used
