"""What the observer costs in a watched process: `python -m tests.benchmarks.bench_watch`.

    --pairs N     processes with and without the observer, of each loop (5)
    --seconds S   that each of a pair trains (20)
    --calls WHAT  off, light or full (light)

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

CHILD = """
import sys, time, torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
torch.set_num_threads(1)
kind = sys.argv[1]
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
done = 0
for images, labels in loader:
    if done % steps == 0:
        if done:
            print((time.thread_time() - begin) / steps * 1e6, flush=True)
        if not sys.stdin.readline():
            break
        begin = time.thread_time()
    optimizer.zero_grad()
    loss = criterion(net(images), labels)
    loss.backward()
    optimizer.step()
    if scheduler is not None:
        scheduler.step()
    done += 1
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--calls", default="light", choices=("off", "light", "full"))
    asked = parser.parse_args()
    print(f"CPU time a step, calls {asked.calls}, load now {os.getloadavg()[0]:.1f}\n")
    print(f"{'loop':<40} {'alone':>9} {'watched':>9} {'more':>8}  (least, most)  ratio")
    for words, kind in LOOPS.items():
        pairs = [pair(kind, asked.seconds, asked.calls) for _ in range(asked.pairs)]
        alone, more = median(alone for alone, _ in pairs), [more for _, more in pairs]
        print(
            f"{words:<40} {alone:>6,.0f} µs {alone + median(more):>6,.0f} µs {median(more):>5.1f} µs"
            f"  ({min(more):.1f}, {max(more):.1f})  {alone / (alone + median(more)):.3f}",
            flush=True,
        )


def pair(kind: str, seconds: float, calls: str) -> tuple[float, float]:
    """µs of CPU a step without the observer, and how many more with it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / OPTIONS_FILE).write_bytes(msgspec.json.encode(Options(calls=calls)))
        alone, watched = started(kind, None), started(kind, folder)
        times: list[tuple[float, float]] = []
        spent = 0.0
        try:
            while spent < 2 * seconds * 1e6:
                times.append((block(alone), block(watched)))
                spent += sum(times[-1]) * (8 if kind == "cnn" else 128)
                for trace in Path(folder).glob("*.trace"):  # as whoever reads does: nothing piles up
                    if trace.stat().st_size > 4 << 20:
                        os.truncate(trace, 0)
        finally:
            for process in (alone, watched):
                process.communicate()
    times = times[3:]  # the first steps load and define
    return median(time for time, _ in times), median(watched - alone for alone, watched in times)


def started(kind: str, folder: str | None) -> subprocess.Popen[str]:
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUI_TRAINER_WATCH")}
    variables["OMP_NUM_THREADS"] = "1"
    if folder is not None:
        injected = Path(tui_trainer.watching.__file__).parent / "injected"
        variables |= {"PYTHONPATH": str(injected), "TUI_TRAINER_WATCH": folder}
    command = [sys.executable, "-c", CHILD, kind]
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def block(process: subprocess.Popen[str]) -> float:
    """Have it train for a block; µs of CPU a step."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


if __name__ == "__main__":
    main()
