"""Record the runs that snapshots of the screens are taken of: `python scripts/record_runs.py`, some half a minute.

Each is a real run of `cnn` on `mnist-5k`, one thread, as `tui-trainer run` makes it; what tells of the machine that it
was made on is taken out. They lie in `tests/recorded/`: `run.json` and `events.jsonl` of each.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.commands import Continue, OneBatch
from tui_trainer.engine.control import CommandQueue
from tui_trainer.events import AnyEvent, Paused, RunConfigured, RunStarted, StepsTaken, encode
from tui_trainer.mistakes.cases import CASES
from tui_trainer.mistakes.runner import break_it
from tui_trainer.records.tail import Tail
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun

RECORDS = Path(__file__).parent.parent / "tests" / "recorded_runs"

TYPO = """
title = "A slip of the pen: gamma is 600, and not 0.6"

[training]
epochs = 10
batch_size = 64

[optimizer]
name = "SGD"
lr = 0.05
momentum = 0.9

[scheduler]
name = "MultiStepLR"
milestones = [2]
gamma = 600.0
"""

FOLLOWED_FROM = 150
"""The step after which one batch is followed call by call."""


def follow_a_batch(control: CommandQueue) -> Callable[[AnyEvent], None]:
    """Asks for one batch in the middle of the run, and goes on after it."""
    asked = False

    def listen(event: AnyEvent) -> None:
        nonlocal asked
        if isinstance(event, StepsTaken) and event.step >= FOLLOWED_FROM and not asked:
            asked = True
            control.send(OneBatch(by="screen"))
        elif isinstance(event, Paused):
            control.send(Continue(by="screen"))

    return listen


def record(name: str, preset: str, *, followed: bool = False, **options: Any) -> None:
    """Train, and keep the record as `name`."""
    with tempfile.TemporaryDirectory() as folder:
        asked = RunRequest(preset, model="cnn", dataset="mnist-5k", threads=1, device="cpu", **options)
        run = LocalRun(asked, Path(folder), ["tui-trainer", "run", "--preset", asked.preset_name])
        if followed:
            run.listen(follow_a_batch(run.control))
        run.start()
        ended = run.wait()
        assert run.record is not None
        assert ended is not None
        keep(run.record.folder, RECORDS / name)
        print(f"{name}: {ended.status} after step {ended.step}")


def record_mistake(name: str, number: int) -> None:
    """Try one of the mistakes that `b` lists, and keep what happened on both sides."""
    sides: dict[str, list[AnyEvent]] = {"right": [], "wrong": []}
    break_it(CASES[number], sides["right"].append, sides["wrong"].append, threading.Event(), pause_s=0.0)
    (RECORDS / name).mkdir(parents=True, exist_ok=True)
    for side, events in sides.items():
        (RECORDS / name / f"{side}.jsonl").write_bytes(b"".join(encode(anonymous(event)) for event in events))
    print(f"{name}: {CASES[number].title}")


def keep(made: Path, kept: Path) -> None:
    """Copy what a record says of the run, and nothing of this machine."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    with Tail(made / "events.jsonl") as tail:
        lines = [encode(anonymous(event)) for event in tail]
    (kept / "events.jsonl").write_bytes(b"".join(lines))
    facts = msgspec.json.decode((made / "run.json").read_bytes())
    facts["resolved"]["device_name"] = "x86_64"
    (kept / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")


def anonymous(event: AnyEvent) -> AnyEvent:
    """The event, as if on another machine."""
    if isinstance(event, RunStarted):
        return msgspec.structs.replace(event, pid=4242, host="gpu-box")
    if isinstance(event, RunConfigured):
        return msgspec.structs.replace(event, device_name="x86_64")
    return event


def main() -> None:
    record("onecycle", "onecycle", followed=True)
    record("plateau", "plateau")
    record("steplr", "steplr")
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder) / "typo.toml"
        preset.write_text(TYPO)
        record("typo", str(preset))
    record_mistake("mistake", 2)


if __name__ == "__main__":
    main()
