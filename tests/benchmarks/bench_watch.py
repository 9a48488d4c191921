"""What the observer costs in a watched process: `python -m tests.benchmarks.bench_watch`.

    --pairs N     processes with and without the observer, of each loop (5)
    --seconds S   that each of a pair trains (20)
    --calls WHAT  off, light or full (light)
    --beside PATH a Python that has torch, tensorboard, wandb and traceml-ai: the same loops with these, each told the
                  loss and the LR of each step, as `watch` tells them, and traceml what it tells by itself

Both processes of a pair are there at once and train in turns, a block of some 40 ms each: what slows the machine for a
while slows both. A figure is CPU time of the training thread for a step. The difference of a pair is the median over
its blocks of one block's time less that of the block beside it; what is printed is the median of the pairs, with the
least and the most. A busy machine makes caches cold, and the observer dearer than it is: the load is printed too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec

import tui_trainer.watching
from tui_trainer.watching.trace import OPTIONS_FILE, Options

LOOPS = {
    "MLP of some 280 µs": "mlp",
    "MLP, a scheduler stepped every batch": "mlp-scheduler",
    "CNN of some 5 ms": "cnn",
}

BESIDE = ("tensorboard", "wandb", "traceml")

CHILD = """
import resource, sys, time, torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
torch.set_num_threads(1)
kind, logs, folder = sys.argv[1:]
asked, told = open(folder + "/" + logs + ".asked"), open(folder + "/" + logs + ".told", "w")
class Endless(Dataset):
    def __len__(self): return 10**9
    def __getitem__(self, index): return None
if kind == "cnn":
    batch = torch.randn(32, 1, 28, 28), torch.randint(0, 10, (32,))
    net = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(),
                        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 10))
    steps = 8
else:
    batch = torch.randn(32, 64), torch.randint(0, 10, (32,))
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    steps = 128
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10**8) if "sched" in kind else None
loader = DataLoader(Endless(), batch_size=1, sampler=range(10**9), collate_fn=lambda _: batch)
criterion = nn.CrossEntropyLoss()
if logs == "tensorboard":
    from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter(folder)
if logs == "wandb":
    import wandb
    run = wandb.init(mode="offline", dir=folder, settings=wandb.Settings(silent=True, console="off"))
if logs == "traceml":
    import traceml_ai
    traceml_ai.init(mode="auto")
    traced = traceml_ai.trace_step
else:
    traced = None
done = 0
def train(images, labels):
    optimizer.zero_grad()
    loss = criterion(net(images), labels)
    loss.backward()
    optimizer.step()
    if scheduler is not None:
        scheduler.step()
    if logs == "tensorboard":
        writer.add_scalar("loss", loss.item(), done)
        writer.add_scalar("lr", optimizer.param_groups[0]["lr"], done)
    elif logs == "wandb":
        run.log({"loss": loss.item(), "lr": optimizer.param_groups[0]["lr"]}, step=done)
for images, labels in loader:
    if done % steps == 0:
        if done:
            took = (time.thread_time() - begin) / steps * 1e6
            print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, file=told, flush=True)
        if not asked.readline():
            break
        begin = time.thread_time()
    if traced is None:
        train(images, labels)
    else:
        with traced(net):
            train(images, labels)
    done += 1
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--calls", default="light", choices=("off", "light", "full"))
    parser.add_argument("--beside", type=Path)
    asked = parser.parse_args()
    ways = ["watched", *(BESIDE if asked.beside else ())]
    print(f"CPU time a step, calls {asked.calls}, load now {os.getloadavg()[0]:.1f}\n")
    print(f"{'loop':<40} {'with':<12} {'alone':>9} {'more':>8}  (least, most)  ratio  memory")
    for words, kind in LOOPS.items():
        for way in ways:
            pairs = [pair(kind, way, asked.seconds, asked.calls, asked.beside) for _ in range(asked.pairs)]
            alone, more, memory = (median(figures) for figures in zip(*pairs, strict=True))
            all_more = [each for _, each, _ in pairs]
            print(
                f"{words:<40} {way:<12} {alone:>6,.0f} µs {more:>5.1f} µs"
                f"  ({min(all_more):.1f}, {max(all_more):.1f})  {alone / (alone + more):.3f}  {memory:+.1f} MB",
                flush=True,
            )
    print(f"\nstart of an interpreter that does nothing: {start(10 * asked.pairs):+.1f} ms")


def start(pairs: int) -> float:
    """How many ms more an interpreter takes to start and end with the observer in it."""
    more = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(pairs):
            took = []
            for variables in (_environment(None), _environment(folder)):
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-c", "pass"], env=variables, check=True)
                took.append(time.perf_counter() - begin)
            more.append((took[1] - took[0]) * 1e3)
    return median(more)


def pair(kind: str, way: str, seconds: float, calls: str, beside: Path | None) -> tuple[float, float, float]:
    """µs of CPU a step alone, how many more in the other way, and MB that it takes more at most."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / OPTIONS_FILE).write_bytes(msgspec.json.encode(Options(calls=calls)))
        alone, other = (Loop(kind, each, folder, beside) for each in ("alone", way))
        times: list[tuple[float, float]] = []
        memory = 0.0
        spent = 0.0
        try:
            while spent < 2 * seconds * 1e6:
                (time_alone, memory_alone), (time_other, memory_other) = alone.block(), other.block()
                times.append((time_alone, time_other))
                memory = memory_other - memory_alone
                spent += sum(times[-1]) * (8 if kind == "cnn" else 128)
                for trace in Path(folder).glob("*.trace"):  # as whoever reads does: nothing piles up
                    if trace.stat().st_size > 4 << 20:
                        os.truncate(trace, 0)
        finally:
            for process in (alone, other):
                process.end()
    times = times[3:]  # the first steps load and define
    return median(time for time, _ in times), median(more - alone for alone, more in times), memory


def _environment(watched_into: str | None) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUI_TRAINER_WATCH")}
    variables["OMP_NUM_THREADS"] = "1"
    if watched_into is not None:
        injected = Path(tui_trainer.watching.__file__).parent / "injected"
        variables |= {"PYTHONPATH": str(injected), "TUI_TRAINER_WATCH": watched_into}
    return variables


class Loop:
    """A process that trains a block when it is asked to."""

    def __init__(self, kind: str, way: str, folder: str, beside: Path | None) -> None:
        script = Path(folder) / f"loop_{way}.py"
        script.write_text(CHILD)
        command = [str(beside or sys.executable), str(script), kind, way, folder]
        if way == "traceml":
            assert beside is not None
            command = [str(beside.with_name("traceml")), "run", str(script), "--args", kind, way, folder]
        for name in ("asked", "told"):
            os.mkfifo(f"{folder}/{way}.{name}")
        self._process = subprocess.Popen(
            command,
            env=_environment(folder if way == "watched" else None),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._asked, self._told = Path(f"{folder}/{way}.asked").open("w"), Path(f"{folder}/{way}.told").open()  # noqa: SIM115

    def block(self) -> tuple[float, float]:
        """Have it train for a block; µs of CPU a step, and the most MB that it has taken."""
        print(file=self._asked, flush=True)
        took, memory = map(float, self._told.readline().split())
        return took, memory

    def end(self) -> None:
        self._asked.close()
        self._process.wait()
        self._told.close()


if __name__ == "__main__":
    main()
