"""A program that trains nothing and tells what a watched one would: so many steps, and what is asked of it is obeyed.

It is run as a script, by `python acting.py`, and needs nothing but the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from struct import pack

HEAD, ROW = "<IB", "<4d"
GROUP = {"parameters": 10, "tensors": 2, "lr": 0.1}


class Trace:
    """What a watched process writes."""

    def __init__(self, number: int = 0) -> None:
        self.folder = os.environ["TUI_TRAINER_WATCH"]
        self.process = f"{os.getpid()}-{time.time_ns():x}"
        path = Path(self.folder, f"{self.process}.{number}.trace")
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)

    def define(self, kind: str, **fields: object) -> None:
        payload = json.dumps({"type": kind, **fields}).encode()
        self._write(pack(HEAD, len(payload), ord("J")) + payload)

    def rows(self, *rows: tuple[float, float, float, float]) -> None:
        payload = b"".join(pack(ROW, *row) for row in rows)
        self._write(pack(HEAD, len(payload), ord("C")) + payload)

    def _write(self, frame: bytes) -> None:
        with contextlib.suppress(OSError):
            os.write(self._fd, frame)


class Told:
    """What is asked of the processes."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._fd = -1
        self._serial = self._obeyed = 0
        self.pace = 0.0

    def asked(self) -> dict[str, object]:
        try:
            if self._fd < 0:
                self._fd = os.open(Path(self._trace.folder, f"control-{self._trace.process}"), os.O_RDONLY)
            return dict(json.loads(os.pread(self._fd, 128, 0)))
        except (OSError, ValueError):
            return {}

    def obey(self, step: int) -> None:
        """After each step."""
        held = False
        while True:
            asked = self.asked()
            serial, do = int(str(asked.get("serial", 0))), asked.get("do", "run")
            if serial != self._obeyed and step >= int(str(asked.get("at", 0))):
                pace = float(str(asked.get("pace", 0.0)))
                what = "pace" if pace != self.pace else str(do)
                self._obeyed, self.pace = serial, pace
                self._trace.define("obeyed", serial=serial, what=what, step=step, clock=time.perf_counter())
                if what == "stop":
                    raise KeyboardInterrupt
                if what in ("run", "one"):
                    held = False
                    if what == "one" and not self._one:
                        self._one = True
                        return
                    return
                held = held or what == "pause"
            if self._one:
                self._one = False
                held = True
                self._trace.define("obeyed", serial=serial, what="pause", step=step, clock=time.perf_counter())
            if not held:
                return
            time.sleep(0.02)

    _one = False


def print_and_wait(line: str, log: Path) -> None:
    """Print a line, and wait until it was taken on: on a busy machine that may be later than the next step."""
    print(line, flush=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and line in log.read_text()):
        time.sleep(0.01)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("--raises", default="")
    parser.add_argument("--ignore", type=int, nargs="*", default=[])
    parser.add_argument("--prints", type=int, default=0)
    parser.add_argument("--deaf", action="store_true")
    asked = parser.parse_args()
    for number in asked.ignore:
        signal.signal(number, signal.SIG_IGN)
    trace = Trace()
    told = Told(trace)
    rank, world = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    trace.define(
        "hello",
        pid=os.getpid(),
        parent=os.getppid(),
        argv=sys.argv,
        cwd=str(Path.cwd()),
        script=__file__,
        python=sys.version.split()[0],
        torch="2.0.0",
        clock=time.perf_counter(),
        at=time.time(),
        rank=None if rank is None else int(rank),
        world_size=None if world is None else int(world),
        group=os.environ.get("GROUP", "group" if rank is not None else ""),
    )
    trace.define("optimizer", id=1, class_name="SGD", module="torch.optim.sgd", name="optimizer", groups=[GROUP])
    trace.define("site", id=1, call="backward", file=__file__, lineno=1, name="loss", text="loss.backward()")
    trace.define("site", id=2, call="optimizer.step", file=__file__, lineno=2, text="optimizer.step()", target=1)
    step = 0
    try:
        while asked.steps < 0 or step < asked.steps:
            begin = time.perf_counter()
            time.sleep(asked.seconds)
            step += 1
            now = time.perf_counter()
            trace.rows((1, begin, now, 1 / step), (2, now, now, step))
            if asked.prints and step % asked.prints == 0:
                print_and_wait(f"val loss: {1 / step:.4f}", Path(trace.folder).with_name("log.txt"))
            if not asked.deaf:
                told.obey(step)
        trace.define("goodbye", clock=time.perf_counter(), raised=asked.raises)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        trace.define("goodbye", clock=time.perf_counter())
        sys.exit(130)
    print("done", flush=True)
    sys.exit(asked.exit)


if __name__ == "__main__":
    main()
