"""Checks that train in their own process."""

from __future__ import annotations

import csv
import gc
import io
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch

from tests.benchmarks.cuda.bench import Bench, Outcome, failed, judged, ok, skipped
from tests.benchmarks.cuda.training import Training, farthest
from tui_trainer.engine import devices, metrics
from tui_trainer.engine.trainer import Trainer
from tui_trainer.events import AnyEvent, StepsTaken
from tui_trainer.presets.catalogue import load
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.numbers import counted
from tui_trainer.ui.machine.sampling import Gpus

TOLERANCE = 1e-3
"""Of a loss, between two devices that compute a short run in full fp32: both round, each in its own order."""

MOVED_TOLERANCE = 1e-2
"""The same of a run that is twice as long, and moves from one device to the other in its middle."""

LOOSE_TOLERANCE = 0.05
"""The same where convolutions round to TF32, which has ten binary digits."""

WATCHED_S = 12.0
"""For so long the lag is watched."""

FLAT = 1 << 20
"""Bytes by which what is held may differ from one run to the next."""

LAG_S = 1.0
"""How far the record may be behind, where no step takes long; else so many steps as two reports and what is not sent
may have in them."""


def machine(bench: Bench) -> Outcome:
    """What it is measured on."""
    figures: dict[str, Any] = {"torch": torch.__version__, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    figures |= {"CUDA": torch.version.cuda, "cuDNN": torch.backends.cudnn.version()}
    for name in bench.devices:
        device, _ = devices.resolve(name)
        about = torch.cuda.get_device_properties(device)
        figures[name] = f"{about.name}, {about.major}.{about.minor}, {about.total_memory / 2**30:.1f} GiB"
        figures[f"{name} UUID"] = devices.uuid_of(device)
        figures[f"{name} has bf16"] = devices.computes_in_bfloat16(device)
    return ok(", ".join(figures[name] for name in bench.devices), **figures)


def first_device_like_the_cpu(bench: Bench) -> Outcome:
    """The same short run on the first device and on the CPU."""
    return _like_the_cpu(bench, bench.device)


def second_device_like_the_cpu(bench: Bench) -> Outcome:
    """The same on the second device, while nothing is held on the first."""
    if len(bench.devices) < 2:
        return skipped("there is one device")
    found = _like_the_cpu(bench, bench.devices[1])
    held = torch.cuda.memory_reserved(bench.device)
    if held:
        return failed(f"{held:,} bytes were held on {bench.device} meanwhile", **found.figures)
    return found


def _like_the_cpu(bench: Bench, device: str) -> Outcome:
    options: dict[str, Any] = {
        "epochs": 2,
        "limit_train": bench.either(1_280, 256),
        "model": bench.either("cnn", "mlp"),
    }

    def losses(name: str, on: str, *, tf32: bool = False) -> dict[int, float]:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        run = Training(bench.work / name)
        run.train(on, **options)
        return run.losses

    on_cpu = losses("cpu", "cpu")
    exact, rounded = farthest(losses("fp32", device), on_cpu), farthest(losses("tf32", device, tf32=True), on_cpu)
    words = f"losses of {len(on_cpu)} steps differ by {exact:.1e} at most in fp32 (may: {TOLERANCE}), {rounded:.1e} "
    words += f"with TF32 (may: {LOOSE_TOLERANCE})"
    return judged(exact <= TOLERANCE and rounded <= LOOSE_TOLERANCE, words, fp32=exact, tf32=rounded)


def held(device: str) -> int:
    """Bytes of tensors that are alive on a device."""
    if device == "cpu":
        alive = [
            each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)
        ]  # isinstance asks lazy objects, too
        return sum(each.untyped_storage().nbytes() for each in alive)
    return torch.cuda.memory_allocated(device)


def many_runs_hold_no_more_than_two(bench: Bench) -> Outcome:
    """Twenty runs one after the other in a process, as a comparison has them."""
    bytes_held = []
    for seed in range(bench.either(20, 3)):
        small = bench.either({"model": "resnet9", "limit_train": 640}, {"model": "mlp", "limit_train": 64})
        options = {**small, "device": bench.device, "seed": seed, "epochs": 1, "limit_val": 100}
        spec = RunSpec.of("none", load("none"), threads=1, **options)
        run = LocalRun(RunRequest.of(spec), bench.runs, ["tests.benchmarks.cuda"])
        run.start()
        ended = run.wait(60)
        if ended is None or ended.status != "finished":
            return failed(f"run {seed + 1}: {ended.reason if ended else run.failure or 'did not end'}")
        del run, ended
        bytes_held.append(held(bench.device))
    # The first run has libraries make workspaces, which stay.
    grown = max(bytes_held[2:]) - bytes_held[1]
    words = f"after run 2 {bytes_held[1]:,} bytes are held, and {grown:,} more at most after one of the next "
    words += f"{len(bytes_held) - 2} (may: {FLAT:,})"
    return judged(grown <= FLAT, words, bytes_held=bytes_held)


@dataclass
class Watch:
    """Has CUDA refuse whatever waits for a device, in what each step does.

    Reports may wait, and so may all that is at an epoch's end or at its beginning: reports are put off to the end of
    the epoch, but for the one after the first step of all, and CUDA is told to allow waiting around these.

    Attributes:
        steps: how many were watched.
    """

    set_mode: Callable[[str], None]
    steps: int = 0

    def batches(self, inner: Callable[..., Iterator[Any]], run: Trainer, epoch: int) -> Iterator[Any]:
        """The batches of an epoch; the first is made with all that is drawn for the epoch."""
        made = inner(run, epoch)
        try:
            while (batch := next(made, None)) is not None:
                self.set_mode("error")
                yield batch
        finally:
            self.set_mode("default")

    def end_batch(self, inner: Callable[..., None], run: Trainer, *arguments: Any) -> None:
        """The end of a batch."""
        if run.step == 1:
            self.set_mode("default")
        else:
            self.steps += 1
        inner(run, *arguments)
        self.set_mode("error")

    def installed(self) -> ExitStack:
        """While it is open, the loop is watched."""
        stack, batches, end_batch = ExitStack(), Trainer.batches, Trainer.end_batch
        stack.enter_context(patch.object(Trainer, "batches", lambda run, epoch: self.batches(batches, run, epoch)))
        stack.enter_context(
            patch.object(Trainer, "end_batch", lambda run, *given: self.end_batch(end_batch, run, *given))
        )
        stack.enter_context(patch.object(metrics, "REPORT_EVERY", 1e9))
        return stack


def a_step_waits_for_nothing(bench: Bench) -> Outcome:
    """Steps under `set_sync_debug_mode("error")`, for a network with batch normalisation, in fp32 and in bf16."""
    modes: list[str] = []

    def set_mode(mode: str) -> None:
        modes.append(mode)
        torch.cuda.set_sync_debug_mode(mode)

    watch = Watch(set_mode)
    for precision in ("fp32", "bf16"):
        options: dict[str, Any] = {"model": bench.either("resnet9", "resnet9-slim"), "epochs": 2, "batch_size": 32}
        with watch.installed():
            run = Training(bench.work / precision)
            run.train(bench.device, limit_train=bench.either(640, 96), precision=precision, **options)
    expected = 2 * (2 * bench.either(20, 3) - 1)
    if watch.steps != expected or modes[-1] != "default":
        return failed(f"{watch.steps} steps were watched, and not {expected}")
    if not _waiting_is_refused(bench.device):
        return failed("CUDA lets a value be read while that is forbidden: nothing is proven", steps=watch.steps)
    return ok(f"{watch.steps} steps waited for nothing; reading a value is refused then", steps=watch.steps)


def _waiting_is_refused(device: str) -> bool:
    one = torch.ones(1, device=device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        one.item()
    except RuntimeError:
        return True
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return False


def checkpoints_both_ways(bench: Bench) -> Outcome:
    """A run that is begun on the device goes on on the CPU, and the other way round, as one on the CPU alone does."""
    torch.backends.cudnn.allow_tf32 = False
    options: dict[str, Any] = {"epochs": 4, "limit_train": bench.either(640, 128), "model": bench.either("cnn", "mlp")}

    def losses(name: str, first: str, then: str) -> dict[int, float]:
        begun = Training(bench.work / name)
        begun.stop_after(2)
        begun.train(first, **options)
        gone_on = Training(begun.folder)
        gone_on.train(then, resume=True, **options)
        return begun.losses | gone_on.losses

    whole = Training(bench.work / "whole")
    whole.train("cpu", **options)
    to_cpu = farthest(losses("to-cpu", bench.device, "cpu"), whole.losses)
    from_cpu = farthest(losses("from-cpu", "cpu", bench.device), whole.losses)
    may = bench.either(MOVED_TOLERANCE, 0.0)
    words = f"losses differ from those of the CPU alone by {max(to_cpu, from_cpu):.1e} at most (may: {may})"
    return judged(max(to_cpu, from_cpu) <= may, words, to_the_cpu=to_cpu, from_the_cpu=from_cpu)


@dataclass
class Lag:
    """How far what is told is behind what was launched, from the second epoch on."""

    launched: dict[int, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0

    def launch(self, step: int) -> None:
        """All of a step's work was submitted."""
        self.launched[step] = time.perf_counter()

    def hear(self, event: AnyEvent) -> None:
        """Steps are told: until now all from the first of these on were not."""
        if isinstance(event, StepsTaken) and event.epoch > 1:
            self.steps = max(self.steps, max(self.launched) - event.step + 1)
            self.seconds = max(self.seconds, time.perf_counter() - self.launched[event.step])

    @property
    def seconds_a_step(self) -> float:
        """Of those that were launched, pauses included."""
        at = list(self.launched.values())
        return (at[-1] - at[0]) / max(1, len(at) - 1)


def record_keeps_up(bench: Bench) -> Outcome:
    """How far the record is behind the loop, and the loop ahead of the device, with steps that take the device long."""
    lag = Lag()
    marks: list[torch.cuda.Event] = []
    ahead = [0]
    end_batch = Trainer.end_batch

    def watched(run: Trainer, *arguments: Any) -> None:
        lag.launch(run.step)
        marks.append(torch.cuda.Event())
        marks[-1].record(torch.cuda.current_stream(arguments[-1].device))
        marks[:] = [mark for mark in marks if not mark.query()]
        ahead[0] = max(ahead[0], len(marks)) if run.epoch > 1 else 0
        end_batch(run, *arguments)
        if run.epoch > 1 and time.perf_counter() - lag.launched[run.recipe.batches_per_epoch] > WATCHED_S:
            run_here.stop()

    run_here = Training(bench.work / "run", lag.hear)
    options: dict[str, Any] = {"model": bench.either("resnet18", "mlp"), "batch_size": bench.either(256, 16)}
    with patch.object(Trainer, "end_batch", watched):
        run_here.train(bench.device, epochs=bench.either(20, 3), limit_train=bench.either(None, 160), **options)
    may = bench.either(max(LAG_S, 4 * lag.seconds_a_step), 60.0)  # a busy CPU says nothing of a device
    words = f"the record lags by {counted(lag.steps, 'step')} and {lag.seconds:.2f} s at most (may: {may:.2f} s); "
    words += f"the loop is {counted(ahead[0], 'step')} ahead of the device at most"
    figures = {"steps": lag.steps, "seconds": round(lag.seconds, 3), "steps_ahead_of_the_device": ahead[0]}
    return judged(lag.steps > 0 and lag.seconds <= may, words, **figures)


def nvml_like_nvidia_smi(bench: Bench) -> Outcome:
    """The card that the screen shows is the one that torch computes on, as `nvidia-smi` has it."""
    if shutil.which("nvidia-smi") is None:
        return skipped("there is no nvidia-smi here")
    query = ["nvidia-smi", "--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True, timeout=30)
    if done.returncode:
        return failed(f"nvidia-smi ended with {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")
    gpus, shown = Gpus(), {}
    if gpus.trouble:
        return failed(gpus.trouble)
    for name in bench.devices:
        torch.ones(1, device=name)
        device = torch.device(name)
        uuid = devices.uuid_of(device)
        gpu = gpus.read(os.getpid(), name, devices.name_of(device), os.environ, uuid)
        shown[uuid] = (gpu.name, (gpu.memory_total or 0) / 2**20)
    wrong = disagreements(done.stdout, shown)
    if wrong:
        return failed("; ".join(wrong), nvidia_smi=done.stdout, shown=shown)
    return ok(f"name and memory agree of {counted(len(shown), 'card')}", shown=shown)


def disagreements(said: str, shown: dict[str, tuple[str, float]]) -> list[str]:
    """Where what is shown is not what `nvidia-smi` said, by UUID: the name, or the memory by more than 2 %.

    Args:
        said: lines of UUID, name and MiB.
        shown: the name and the MiB of each UUID, as torch has it.
    """
    cards = {uuid: (name, float(mib)) for uuid, name, mib in csv.reader(io.StringIO(said), skipinitialspace=True)}
    wrong = []
    for uuid, (name, mib) in shown.items():
        card = cards.get(f"GPU-{uuid}")
        if card is None:
            wrong.append(f"nvidia-smi knows no GPU-{uuid}; a slice of one (MIG) is not looked at here")
        elif card[0] != name or abs(card[1] - mib) > 0.02 * card[1]:
            wrong.append(f"GPU-{uuid} is {card[0]} with {card[1]:.0f} MiB, and shown is {name} with {mib:.0f}")
    return wrong
