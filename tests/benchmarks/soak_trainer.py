"""Whether a trainer's memory stays flat: `python -m tests.benchmarks.soak_trainer [--steps 1000000]`.

`run` with batches of one image, in a process of its own, looked at ten times a minute from outside.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

IMAGES = 2_000
LOOK_EVERY_S = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as runs, tempfile.TemporaryFile("w+") as out:
        training = subprocess.Popen(
            [
                *(sys.executable, "-m", "tui_trainer", "run", "--preset", "none", "--model", "mlp", "--threads", "1"),
                *("--limit-train", str(IMAGES), "--limit-val", "100", "--batch-size", "1", "--device", "cpu"),
                *("--epochs", str(steps // IMAGES), "--runs-dir", runs, "--json"),
            ],
            stdout=out,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        process = psutil.Process(training.pid)
        began = time.monotonic()
        seen: list[tuple[float, float]] = []
        while training.poll() is None:
            memory = process.memory_info()
            # Its own, without the pages of libraries, which come and go with the machine's other tenants.
            seen.append((time.monotonic() - began, (memory.rss - memory.shared) / 2**20))
            time.sleep(LOOK_EVERY_S)
        out.seek(0)
        last = json.loads(out.read().splitlines()[-1])
        journal = next(Path(runs).iterdir()) / "events.jsonl"
        size = journal.stat().st_size / 2**20
        print(f"{last['step']:,} steps in {seen[-1][0] / 60:.1f} minutes; journal {size:.0f} MiB")
        for share in (0.1, 0.25, 0.5, 0.75, 1.0):
            _, mib = seen[min(len(seen) - 1, int(share * len(seen)))]
            print(f"  at {share:4.0%}: {mib:.1f} MiB")


if __name__ == "__main__":
    main()
