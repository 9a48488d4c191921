"""A record is followed over ssh, by sshd on the loopback behind a line that takes its time.

`python -m tests.benchmarks.bench_remote [--delay MS]`. How long after a row was written there it is in the history
here, as a screen asks for it, and what that takes of a core on either side; how long a record of 20 MB takes to come.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from tests.remote.far_side import Sshd
from tui_trainer.remote.address import Address
from tui_trainer.run_sources.remote_source import RemoteSource

ROWS = 30

_LINE = """
import os, select, socket, sys, time
port, delay = int(sys.argv[1]), float(sys.argv[2])
far = socket.create_connection(("127.0.0.1", port))
far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
ways = {0: [], far.fileno(): []}
while True:
    due = [queue[0][0] for queue in ways.values() if queue]
    wait = max(0.0, min(due) - time.monotonic()) if due else None
    for fd in select.select(list(ways), [], [], wait)[0]:
        piece = os.read(fd, 1 << 16)
        if not piece:
            sys.exit()
        ways[fd].append((time.monotonic() + delay, piece))
    for fd, queue in ways.items():
        while queue and queue[0][0] <= time.monotonic():
            piece = queue.pop(0)[1]
            far.sendall(piece) if fd == 0 else os.write(1, piece)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=100.0, help="Milliseconds there and back.")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    box = Sshd(folder)
    (folder / "line.py").write_text(_LINE)
    with (folder / "config").open("a") as config:
        config.write(f" ProxyCommand {sys.executable} {folder}/line.py %p {given.delay / 2000}\n")
    os.environ["PATH"] = f"{box.bin}{os.pathsep}{os.environ['PATH']}"
    try:
        print(live(box, folder / "live.csv", given.delay))
        print(long(folder / "long.csv"))
    finally:
        box.close()


def live(box: Sshd, path: Path, delay: float) -> str:
    path.write_text("step,loss\n0,0.5\n")
    source = RemoteSource(Address("box", path=str(path)), asks=print, warn=print)
    there = psutil.Process(box.process.pid)
    late: list[float] = []
    try:
        poll_until(source, 0)
        cpu, far, began = time.process_time(), cpu_of(there), time.monotonic()
        for row in range(1, ROWS + 1):
            time.sleep(0.4 + 0.017 * row)
            written = time.monotonic()
            with path.open("a") as file:
                file.write(f"{row},0.5\n")
            poll_until(source, row)
            late.append(time.monotonic() - written)
        seconds = time.monotonic() - began
        here, far = (time.process_time() - cpu) / seconds, (cpu_of(there) - far) / seconds
    finally:
        source.close()
    return (
        f"{delay:g} ms there and back: a row is here {median(late):.2f} s after it was written, at the most "
        f"{max(late):.2f} s ({ROWS} rows); {here:.1%} of a core here, {far:.1%} there with all that its shell begins"
    )


def long(path: Path) -> str:
    with path.open("w") as file:
        file.write("step,loss\n")
        file.writelines(f"{step},{1 / (1 + step):.12f}\n" for step in range(900_000))
    began = time.monotonic()
    source = RemoteSource(Address("box", path=str(path)), asks=print, warn=print)
    try:
        poll_until(source, 899_999)
    finally:
        source.close()
    return f"{path.stat().st_size / 1e6:.0f} MB are here, read, after {time.monotonic() - began:.1f} s"


def poll_until(source: RemoteSource, row: int) -> None:
    deadline = time.monotonic() + 120
    while source.history.last_step < row or "loss" not in source.history.series:
        assert time.monotonic() < deadline
        source.poll()
        if not source.lags:
            time.sleep(1 / 30)


def cpu_of(process: psutil.Process) -> float:
    """Seconds of it and of all that it has begun, as far as that lives or was waited for."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


if __name__ == "__main__":
    main()
