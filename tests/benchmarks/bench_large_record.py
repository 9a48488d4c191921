"""What a record of JSON lines with very many numbers takes: CPU time, and the most memory that was held.

python -m tests.benchmarks.bench_large_record [ROWS]    # 20,000,000 rows of two numbers: a file of 1 GiB
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from tui_trainer.foreign_records.json_lines import JsonLines
from tui_trainer.run_sources.foreign_source import ForeignSource


def write(path: Path, rows: int) -> None:
    """A loss that falls with noise, and an LR that falls evenly."""
    with path.open("w") as file:
        for step in range(rows):
            loss, lr = 1 / (1 + step * 1e-5) + step * 7919 % 1000 / 1e4, 1e-3 * (1 - step / rows)
            file.write(f'{{"step": {step}, "loss": {loss:.6f}, "lr": {lr:.8f}}}\n')


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.jsonl"
        write(path, rows)
        source = ForeignSource(JsonLines(), path)
        began = time.process_time()
        source.read_all()
        took, most = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        kept = sum(len(series.values) for series in source.history.series.values())
        size = path.stat().st_size >> 20
        print(f"{2 * rows:,} numbers, {size:,} MiB: {took:.1f} s of CPU, {most} MiB; {kept:,} numbers kept")
        for flaw in source.flaws:
            print(flaw)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000)
