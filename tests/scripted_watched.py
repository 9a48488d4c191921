"""Scripted runs of watched programs: streams of events as what watches would tell them, without torch and a clock.

Three shapes that training loops have: `mnist_like` (one network, epochs, a validation), `gan_like` (two optimizers,
three losses, no validation), `gpt_like` (no DataLoader, no epochs, the LR written by hand). Cut the list anywhere to
have one that still goes on.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

from tests.scripted import START, float32
from tui_trainer.events import (
    AnyEvent,
    CallFollowed,
    CallSite,
    CallsTimed,
    EpochEnded,
    LoopFound,
    LRChanged,
    MetricDeclared,
    MetricsLogged,
    MistakeFound,
    PaceChanged,
    PhaseStarted,
    PlanMade,
    ProgramWatched,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
)

PID = 4711


def site(id: str, call: str, text: str, file: str, lineno: int, within: str = "", function: str = "train") -> CallSite:
    return CallSite(id=id, call=call, text=text, file=file, lineno=lineno, function=function, within=within)


def recipe(**changes: Any) -> ResolvedConfig:
    """What is known of how a watched program trains."""
    usual: dict[str, Any] = {
        "preset": "",
        "title": "",
        "optimizer": "",
        "scheduler": "",
        "interval": None,
        "monitor": None,
        "warmup_epochs": 0,
        "epochs": None,
        "batch_size": 0,
        "batches_per_epoch": None,
        "total_steps": None,
    }
    return ResolvedConfig(**(usual | changes))


MNIST = "/home/me/examples/mnist/main.py"
MNIST_LOOP = (
    site("1", "data", "for batch_idx, (data, target) in enumerate(train_loader):", MNIST, 40),
    site("2", "zero_grad", "optimizer.zero_grad()", MNIST, 42, "1"),
    site("3", "backward", "loss.backward()", MNIST, 45, "1"),
    site("4", "optimizer.step", "optimizer.step()", MNIST, 46, "1"),
    site("5", "data", "for data, target in test_loader:", MNIST, 60, function="test"),
    site("6", "scheduler.step", "scheduler.step()", MNIST, 132, function="main"),
)

GAN = "/home/me/examples/dcgan/main.py"
GAN_LOOP = (
    site("1", "data", "for i, data in enumerate(dataloader, 0):", GAN, 213),
    site("2", "zero_grad", "netD.zero_grad()", GAN, 218, "1"),
    site("3", "backward", "errD_real.backward()", GAN, 227, "1"),
    site("4", "backward", "errD_fake.backward()", GAN, 236, "1"),
    site("5", "optimizer.step", "optimizerD.step()", GAN, 240, "1"),
    site("6", "zero_grad", "netG.zero_grad()", GAN, 245, "1"),
    site("7", "backward", "errG.backward()", GAN, 250, "1"),
    site("8", "optimizer.step", "optimizerG.step()", GAN, 252, "1"),
)

GPT = "/home/me/nanoGPT/train.py"
GPT_LOOP = (
    site("1", "backward", "scaler.scale(loss).backward()", GPT, 306),
    site("2", "scaler.unscale_", "scaler.unscale_(optimizer)", GPT, 309),
    site("3", "clip_grad", "torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)", GPT, 310),
    site("4", "scaler.step", "scaler.step(optimizer)", GPT, 312),
    site("5", "scaler.update", "scaler.update()", GPT, 313),
    site("6", "zero_grad", "optimizer.zero_grad(set_to_none=True)", GPT, 315),
)

KIT = "/opt/conda/lib/python3.11/site-packages/kit/loop.py"
LIGHTNING_LOOP = (
    site("1", "data", "for batch in DataLoader:", "", 0),
    site("2", "optimizer.step", "optimizer.step(closure=optimizer_closure)", "/home/me/cifar/src/engine.py", 88, "1"),
    site("3", "zero_grad", "optimizer.zero_grad()", "/home/me/cifar/src/engine.py", 61, "2"),
    site("4", "backward", "self.manual_backward(loss)", KIT, 1204, "2"),
    site("5", "scheduler.step", "sched.step()", "/home/me/cifar/src/engine.py", 93, "1"),
)
"""Several files, calls within a step, and a loader of which only a library's line is known."""


class _Watched:
    """A run being made up."""

    def __init__(self, command: Sequence[str], cwd: str, loop: Iterable[CallSite], seed: int = 0) -> None:
        self.events: list[AnyEvent] = []
        self.at, self.elapsed, self.step = START, 0.0, 0
        self.random = random.Random(seed)
        self.loop = list(loop)
        self.emit(RunStarted(at=self.at, run="20251121-212000-main-3f2a", schema=2, pid=4700, host="box"))
        self.emit(ProgramWatched(at=self.at, command=list(command), cwd=cwd))
        self.at += 4.0
        self.emit(ProgramWatched(at=self.at, command=list(command), cwd=cwd, pid=PID))
        self.emit(LoopFound(at=self.at, sites=self.loop))

    def emit(self, *events: AnyEvent) -> None:
        self.events += events

    def configured(self, **facts: Any) -> None:
        usual: dict[str, Any] = {
            "dataset": "",
            "model": "",
            "parameters": None,
            "device": "cpu",
            "device_name": "a processor",
            "threads": 2,
            "precision": "",
            "versions": {"python": "3.11.0", "torch": "2.14.1"},
        }
        self.emit(RunConfigured(at=self.at, **(usual | facts)))
        self.emit(PhaseStarted(at=self.at, phase="training"))

    def steps(
        self, epoch: int, batch: int, losses: list[float], lr: list[float], step_s: float, **others: list[float]
    ) -> None:
        """Steps in a row, and the time in their calls."""
        count = len(losses)
        elapsed = [self.elapsed + step_s * (i + 1) for i in range(count)]
        self.emit(
            StepsTaken(
                at=self.at + step_s * count,
                step=self.step + 1,
                epoch=epoch,
                batch=batch,
                losses=[float32(loss) for loss in losses],
                lrs=lr,
                elapsed=elapsed,
                metrics={name: [float32(value) for value in values] for name, values in others.items()},
            )
        )
        self.step += count
        self.elapsed, self.at = elapsed[-1], self.at + step_s * count

    def timed(self, counts: dict[str, int], shares: dict[str, float], seconds: float, running: str) -> None:
        spent = {id: share * seconds for id, share in shares.items()}
        self.emit(CallsTimed(at=self.at, counts=counts, seconds=spent, running=running))

    def end(self, exit_code: int = 0) -> list[AnyEvent]:
        status = "finished" if exit_code == 0 else "crashed"
        reason = "the command ended" if exit_code == 0 else f"the command ended with exit code {exit_code}"
        self.emit(RunEnded(at=self.at, status=status, reason=reason, step=self.step, epoch=0, exit_code=exit_code))
        return self.events


def mnist_like(
    *,
    epochs: int = 4,
    batches: int = 60,
    tells_epochs: bool = True,
    command: Sequence[str] = ("python", "main.py", "--epochs", "4"),
    ranks: int = 1,
    device: str = "cpu",
    mistakes: Sequence[MistakeFound] = (),
    ends: bool = True,
) -> list[AnyEvent]:
    """One network, one optimizer, StepLR once an epoch, a validation behind each."""
    run = _Watched(command, "/home/me/examples/mnist", MNIST_LOOP)
    run.emit(MetricDeclared(at=run.at, name="train_loss", goal="min", kind="train", shown_as="loss"))
    known = {"epochs": epochs, "total_steps": epochs * batches} if tells_epochs else {}
    run.configured(
        dataset="MNIST",
        model="Net",
        parameters=1_199_882,
        device=device,
        train_images=64 * batches,
        ranks=ranks,
        recipe=recipe(
            optimizer="Adadelta",
            scheduler="StepLR",
            interval="epoch",
            batch_size=64,
            batches_per_epoch=batches,
            **known,
        ),
    )
    if tells_epochs:
        turns = list(range(1, epochs * batches + 1, batches))
        lrs = [0.7**epoch for epoch in range(epochs)]
        run.emit(PlanMade(at=run.at, steps=turns, lrs=lrs, last_step=epochs * batches))
    shares = {"1": 0.08, "2": 0.01, "3": 0.42, "4": 0.11}
    for epoch in range(1, epochs + 1):
        for first in range(0, batches, 15):
            count = min(15, batches - first)
            losses = [
                0.06 + 2.2 * math.exp(-(run.step + i) / (batches * 0.9)) * run.random.uniform(0.7, 1.3)
                for i in range(count)
            ]
            run.steps(epoch, first + 1, losses, [0.7 ** (epoch - 1)], 0.02)
            run.timed(dict.fromkeys(shares, count), shares, 0.02 * count, "3")
            for mistake in mistakes:
                if mistake.step <= run.step and mistake not in run.events:
                    run.emit(mistake)
        run.elapsed += 0.2
        run.at += 0.2
        run.timed({"5": 10, "6": 1}, {"5": 0.2, "6": 0.001}, 0.2, "5")
        run.emit(
            EpochEnded(
                at=run.at,
                epoch=epoch,
                step=run.step,
                train_loss=0.3 / epoch,
                train_accuracy=math.nan,
                val_loss=0.05 + 0.2 / epoch,
                val_accuracy=0.99 - 0.06 / epoch,
                lr=0.7 ** (epoch - 1),
                images_per_second=3200.0,
                elapsed=run.elapsed,
            ),
            LRChanged(
                at=run.at,
                step=run.step,
                epoch=epoch,
                old=0.7 ** (epoch - 1),
                new=0.7**epoch,
                reason=f"step_size 1 reached, {0.7 ** (epoch - 1):.4g} → {0.7**epoch:.4g}",
            ),
        )
    return run.end() if ends else run.events


def gan_like(*, steps: int = 782, tells_end: bool = False, ranks: int = 2, batches: int = 391) -> list[AnyEvent]:
    """Two networks, two optimizers, three losses of a step, nothing validated; it goes on."""
    command = ("python", "main.py", "--dataset", "cifar10", "--dataroot", "../data", "--niter", "25")
    run = _Watched(command, "/home/me/examples/dcgan", GAN_LOOP)
    run.emit(
        MetricDeclared(at=run.at, name="train_loss", goal="min", kind="train", shown_as="errD_real"),
        MetricDeclared(at=run.at, name="errD_fake", goal="min", kind="train"),
        MetricDeclared(at=run.at, name="errG", goal="min", kind="train"),
        MetricDeclared(at=run.at, name="lr-optimizerG", kind="lr"),
        MetricsLogged(at=run.at, step=1, values={"lr-optimizerG": 0.0004}),
    )
    known = {"epochs": 25, "total_steps": 25 * batches} if tells_end else {}
    run.configured(
        dataset="CIFAR10",
        model="Discriminator",
        parameters=2_765_568,
        ranks=ranks,
        train_images=50_000,
        recipe=recipe(optimizer="Adam", scheduler="none", batch_size=128, batches_per_epoch=batches, **known),
    )
    shares = {"1": 0.06, "2": 0.01, "3": 0.14, "4": 0.13, "5": 0.05, "6": 0.01, "7": 0.19, "8": 0.06}
    while run.step < steps:
        epoch, before = divmod(run.step, batches)
        count = min(23, steps - run.step, batches - before)
        falls = [math.exp(-(run.step + i) / 180) for i in range(count)]
        noise = run.random.uniform
        real = [0.25 + 0.5 * fall + 0.25 * noise(0, 1) for fall in falls]
        fake = [0.2 + 0.7 * fall + 0.2 * noise(0, 1) for fall in falls]
        generator = [3.4 - 2.4 * fall + noise(-0.9, 0.9) for fall in falls]
        run.steps(epoch + 1, before + 1, real, [0.0002], 0.24, errD_fake=fake, errG=generator)
        run.timed(dict.fromkeys(shares, count), shares, 0.24 * count, "8")
        if before + count == batches:
            run.emit(
                EpochEnded(
                    at=run.at,
                    epoch=epoch + 1,
                    step=run.step,
                    train_loss=0.5,
                    train_accuracy=math.nan,
                    val_loss=math.nan,
                    val_accuracy=math.nan,
                    lr=0.0002,
                    images_per_second=530.0,
                    elapsed=run.elapsed,
                    validated=None,
                )
            )
    return run.events


def gpt_like(*, steps: int = 1200, total: int | None = None) -> list[AnyEvent]:
    """No DataLoader and so no epochs; the LR is written by hand; a validation loss is printed now and then."""
    command = (
        "/home/me/nanoGPT/.venv/bin/python",
        "train.py",
        "config/train_shakespeare_char.py",
        "--device=cpu",
        "--compile=False",
        "--eval_iters=20",
    )
    run = _Watched(command, "/home/me/nanoGPT", GPT_LOOP)
    run.emit(
        MetricDeclared(at=run.at, name="train_loss", goal="min", kind="train", shown_as="loss"),
        MetricDeclared(at=run.at, name="val_loss", goal="min", kind="val", shown_as="val loss"),
    )
    run.configured(
        model="GPT", parameters=10_646_784, recipe=recipe(optimizer="AdamW", scheduler="none", total_steps=total)
    )
    shares = {"1": 0.52, "2": 0.01, "3": 0.04, "4": 0.09, "5": 0.01, "6": 0.01}
    while run.step < steps:
        count = min(25, steps - run.step)
        places = [run.step + i for i in range(count)]
        losses = [1.3 + 2.9 * math.exp(-place / 220) + run.random.uniform(-0.05, 0.05) for place in places]
        lrs = [
            0.001 * (place + 1) / 101
            if place < 100
            else 0.0001 + 0.00045 * (1 + math.cos(math.pi * min(1.0, (place - 100) / 4900)))
            for place in places
        ]
        run.steps(1, run.step + 1, losses, lrs, 0.11)
        run.timed(dict.fromkeys(shares, count) | {"1": 4 * count}, shares, 0.11 * count, "1")
        if run.step % 250 == 0:
            told = {"val_loss": 1.45 + 2.8 * math.exp(-run.step / 240)}
            run.emit(MetricsLogged(at=run.at, step=run.step, values=told, elapsed=run.elapsed))
    return run.events


def slow_batch(step: int, *made: tuple[str, str | None]) -> list[AnyEvent]:
    """Slow motion within the step after this one: calls by site, with what they made."""
    at = START + 250.0
    events: list[AnyEvent] = [PaceChanged(at=at, seconds_a_call=0.5, by="screen")]
    events += [CallFollowed(at=at, step=step, epoch=1, batch=step, call=call, value=value) for call, value in made]
    return events


def mistake(code: str, file: str = MNIST, lineno: int = 46, step: int = 30, **values: Any) -> MistakeFound:
    """Something that is wrong."""
    return MistakeFound(at=START, mistake=code, step=step, file=file, lineno=lineno, values=values)
