"""The benchmark for GPUs, rehearsed on faked ones: that all its checks run, and that they can fail."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path

import pytest
import torch

from tests import preloaded
from tests.benchmarks.cuda import __main__ as benchmark
from tests.benchmarks.cuda import computed, coverage, figures
from tests.benchmarks.cuda.bench import Bench, Check, Outcome, ok, skipped
from tests.benchmarks.cuda.computed import Lag, Watch, disagreements, held
from tests.benchmarks.cuda.listed import CHECKS
from tests.benchmarks.cuda.training import farthest
from tests.engine import fake_cuda
from tests.engine import tiny as t
from tests.engine.tiny import TinyRun, tiny
from tui_trainer.engine import metrics
from tui_trainer.engine.distributed import Ranks
from tui_trainer.engine.metrics import MetricAccumulator
from tui_trainer.events import EpochEnded, StepsTaken
from tui_trainer.records.history import History

__all__ = ["tiny"]

SOME = (
    "machine",
    "second_device_like_the_cpu",
    "checkpoints_both_ways",
    "nvml_like_nvidia_smi",
    "device_assert_in_words",
    "speeds",
    "airbench94",
)
"""Of each kind the quickest: in a process of its own, by a command, a figure. `python -m tests.benchmarks.cuda
--rehearse` takes all of them, and some minutes with what is compiled."""


@pytest.mark.slow
def test_rehearsed_on_faked_devices_each_check_finds_all_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = benchmark.main(["--rehearse", "--only", ",".join(SOME), "--out", str(tmp_path)])
    said = capsys.readouterr().out
    checks = json.loads((tmp_path / "report.json").read_text())["checks"]
    assert code == 0, said
    assert tuple(checks) == tuple(check.name for check in CHECKS if check.name in SOME) == SOME
    assert {check["status"] for check in checks.values()} == {"ok"}, said
    assert all(check["words"] for check in checks.values())
    assert said.splitlines()[-1].endswith(str(tmp_path / "report.md"))
    assert "| device assert in words | ok |" in (tmp_path / "report.md").read_text()


def test_without_a_cuda_device_it_says_so_and_ends_with_2() -> None:
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    for options in ([], ["--quick"]):
        ended = preloaded.run(*options, module="tests.benchmarks.cuda", env=hidden)
        assert (ended.returncode, ended.stdout) == (2, "")
        (line,) = ended.stderr.splitlines()
        assert line.startswith(f"torch {torch.__version__} sees no CUDA device here")


def _right(bench: Bench) -> Outcome:
    return ok("as it should be")


def _left_out(bench: Bench) -> Outcome:
    return skipped("there is no such thing here")


def _raises(bench: Bench) -> Outcome:
    raise RuntimeError("CUDA error: the card fell off the bus")


def _run(monkeypatch: pytest.MonkeyPatch, folder: Path, *checks: Check) -> tuple[int, dict[str, dict[str, str]]]:
    """Rehearse these checks; the exit code, and what the report says of each."""
    monkeypatch.setattr(benchmark, "CHECKS", checks)
    code = benchmark.main(["--rehearse", "--out", str(folder)])
    return code, json.loads((folder / "report.json").read_text())["checks"]


def test_a_check_that_raises_has_failed_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = [Check(function, 60, own_process=False) for function in (_raises, _left_out, _right)]
    code, checks = _run(monkeypatch, tmp_path, *made)
    assert code == 1
    assert [checks[check.name]["status"] for check in made] == ["failed", "skipped", "ok"]
    assert checks["_raises"]["words"] == "RuntimeError: CUDA error: the card fell off the bus"
    assert _run(monkeypatch, tmp_path, *made[1:])[0] == 0


def test_a_check_whose_process_dies_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, checks = _run(monkeypatch, tmp_path, Check(_right, 60))  # its process knows no check of that name
    assert code == 1
    assert checks["_right"]["words"].startswith("its process ended with 1 ")


def test_a_check_that_hangs_is_ended_and_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, checks = _run(monkeypatch, tmp_path, Check(computed.machine, 0.0))
    assert code == 1
    assert checks["machine"]["words"].startswith("its process did not end")


def test_what_there_is_no_time_for_has_failed_and_a_figure_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    late = [Check(_right, 10_000, own_process=False), Check(_left_out, 10_000, own_process=False, is_figure=True)]
    code, checks = _run(monkeypatch, tmp_path, *late)
    assert code == 1
    assert [checks[check.name]["status"] for check in late] == ["failed", "skipped"]
    assert {check["words"] for check in checks.values()} == {"no time was left: it may take 10000 s"}


def test_figures_are_what_quick_leaves_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "CHECKS", (Check(_right, 60, False), Check(_raises, 60, False, is_figure=True)))
    assert benchmark.main(["--rehearse", "--quick", "--out", str(tmp_path)]) == 0
    assert list(json.loads((tmp_path / "report.json").read_text())["checks"]) == ["_right"]


def test_losses_of_other_steps_or_that_are_not_finite_are_infinitely_far() -> None:
    assert farthest({1: 2.0, 2: 1.5}, {1: 2.0, 2: 1.25}) == 0.25
    for ours in ({}, {1: 2.0}, {1: 2.0, 2: float("nan")}):
        assert farthest(ours, {1: 2.0, 2: 1.5}) == float("inf")


def test_steps_are_watched_and_reports_are_not(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    mode = ["default"]
    seen: dict[str, list[str]] = {"loss": [], "report": []}
    loss, report = Ranks.loss, MetricAccumulator.report

    def of_a_step(*arguments: object) -> object:
        seen["loss"].append(mode[0])
        return loss(*arguments)  # type: ignore[arg-type]

    def of_a_report(*arguments: object, **options: object) -> None:
        seen["report"].append(mode[0])
        report(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Ranks, "loss", of_a_step)
    monkeypatch.setattr(MetricAccumulator, "report", of_a_report)
    watch = Watch(lambda new: mode.__setitem__(0, new))
    with watch.installed():
        tiny.train(t.ONE_CYCLE, epochs=3)
    assert seen["loss"] == ["error"] * 3 * t.BATCHES
    assert set(seen["report"]) == {"default"}
    assert watch.steps == 3 * t.BATCHES - 1
    assert mode == ["default"]


class Waiting:
    """Has the CPU refuse that a value is read, as CUDA does in its mode `error`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mode = "default"
        item = torch.Tensor.item

        def asked(tensor: torch.Tensor) -> object:
            if self.mode == "error":
                raise RuntimeError("called a synchronizing CUDA operation")
            return item(tensor)

        monkeypatch.setattr(torch.Tensor, "item", asked)
        monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: setattr(self, "mode", mode))


class AsOnCuda(Bench):
    """A rehearsal that takes the ways of a device, and is as small."""

    def either(self, real: object, rehearsed: object) -> object:  # type: ignore[override]
        return rehearsed


@pytest.mark.slow
def test_a_step_that_waits_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Waiting(monkeypatch)
    right = computed.a_step_waits_for_nothing(AsOnCuda(("cpu",), False, tmp_path / "right"))
    assert (right.status, right.figures) == ("ok", {"steps": 10})
    loss = Ranks.loss

    def waits(*arguments: torch.Tensor) -> torch.Tensor:
        made = loss(*arguments)  # type: ignore[arg-type]
        made.item()
        return made

    monkeypatch.setattr(Ranks, "loss", waits)
    with pytest.raises(RuntimeError, match="synchronizing"):
        computed.a_step_waits_for_nothing(AsOnCuda(("cpu",), False, tmp_path / "wrong"))


@pytest.mark.slow
def test_where_waiting_is_not_refused_nothing_is_proven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)
    found = computed.a_step_waits_for_nothing(AsOnCuda(("cpu",), False, tmp_path))
    assert found.status == "failed"
    assert "nothing is proven" in found.words


def test_how_far_the_loop_is_ahead_of_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cuda = fake_cuda.install(monkeypatch)
    monkeypatch.setattr(metrics, "REPORT_EVERY", 1e9)
    loss = Ranks.loss

    def submitted(*arguments: torch.Tensor) -> torch.Tensor:
        cuda.devices[0].submit(cuda.now, 0.1)
        cuda.now += 0.02
        return loss(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Ranks, "loss", submitted)
    found = computed.record_keeps_up(AsOnCuda(("cpu",), False, tmp_path))
    assert found.figures["steps_ahead_of_the_device"] > 3
    assert found.figures["steps"] > 3


def test_the_lag_is_that_of_the_first_step_which_was_not_told() -> None:
    lag = Lag()
    for step in range(1, 9):
        lag.launch(step)
    lag.launched[5] -= 3.0

    def told(epoch: int) -> StepsTaken:
        return StepsTaken(at=0, step=5, epoch=epoch, batch=1, losses=[1.0], lrs=[0.1], elapsed=[1.0])

    lag.hear(told(epoch=1))
    assert (lag.steps, lag.seconds) == (0, 0.0)
    lag.hear(told(epoch=2))
    assert lag.steps == 4
    assert lag.seconds == pytest.approx(3.0, abs=0.5)


@pytest.mark.slow
def test_a_tensor_that_is_kept_is_counted() -> None:
    gc.collect()  # what other tests have let go must not go meanwhile
    before = held("cpu")
    kept = torch.ones(1_000)
    assert held("cpu") - before == kept.nbytes


SMI = """\
GPU-11111111-2222-3333-4444-555555555555, NVIDIA H100 80GB HBM3, 81559
GPU-66666666-2222-3333-4444-555555555555, Tesla T4, 15360
"""


@pytest.mark.parametrize(
    ("uuid", "name", "mib", "said"),
    [
        ("11111111-2222-3333-4444-555555555555", "NVIDIA H100 80GB HBM3", 81559.0, ""),
        ("11111111-2222-3333-4444-555555555555", "Tesla T4", 81559.0, "and shown is Tesla T4 with 81559"),
        ("66666666-2222-3333-4444-555555555555", "Tesla T4", 81559.0, "is Tesla T4 with 15360 MiB"),
        ("99999999-2222-3333-4444-555555555555", "Tesla T4", 15360.0, "nvidia-smi knows no GPU-9"),
    ],
)
def test_a_card_that_is_shown_otherwise_than_nvidia_smi_has_it(uuid: str, name: str, mib: float, said: str) -> None:
    wrong = disagreements(SMI, {uuid: (name, mib)})
    assert said in "".join(wrong)
    assert bool(wrong) == bool(said)


def test_when_a_goal_was_reached() -> None:
    history = History()
    for epoch, accuracy in enumerate((0.90, 0.941, 0.938, 0.942), 1):
        facts = {"train_loss": 0.1, "train_accuracy": 0.9, "val_loss": 0.2, "lr": 0.1, "images_per_second": 1.0}
        history.apply(
            EpochEnded(at=0, epoch=epoch, step=epoch, val_accuracy=accuracy, elapsed=10.0 * epoch, **facts)  # type: ignore[arg-type]
        )
    assert figures.reached(history, 0.94) == ("94% after 20.0 s, in epoch 2: 4 epochs in 40.0 s, the best 0.9420", 20.0)
    assert figures.reached(history, 0.95) == ("95% was not reached: 4 epochs in 40.0 s, the best 0.9420", None)


def test_the_last_row_of_airbench() -> None:
    said = "|  run  |  epoch  |\n|  0  |  9  |  0.9312  |  0.9377  |  |  3.6512  |\n"
    assert figures.last_row(f"{said}|     |  eval  |  0.9312  |  0.9377  |  0.9403  |  3.8211  |\n-----\n") == (
        0.9403,
        3.8211,
    )
    with pytest.raises(ValueError, match="no row"):
        figures.last_row(said)


TOLD_APART = """\
def place(tensor, device):
    if tensor.is_cuda:
        tensor = pinned(tensor)
    if device.type != "cuda":
        return tensor
    torch.cuda.synchronize()
    return tensor


def wait():
    "For CUDA."
    torch.cuda.synchronize()  # cuda
"""


def test_what_only_cuda_takes_is_found_and_what_is_not_listed_is_told() -> None:
    found = coverage.only_cuda("engine/devices.py", TOLD_APART)
    assert found.lines == {3, 6, 7}
    assert found.conditions == {2, 4}
    assert found.forgotten == {12: "torch.cuda.synchronize()"}
    listed = coverage.only_cuda("engine/devices.py", TOLD_APART.replace("wait", "_fault"))
    assert (listed.lines, listed.forgotten) == ({3, 6, 7, 11, 12}, {})


def test_all_code_that_names_cuda_is_known_to_be_for_it_alone_or_not() -> None:
    for file in coverage.PACKAGE.rglob("*.py"):
        path = file.relative_to(coverage.PACKAGE).as_posix()
        if "cuda" in (source := file.read_text()).lower():
            assert not coverage.only_cuda(path, source).forgotten, path
