"""Kills a run again and again at random moments, resumes it each time, and holds it against one left alone.

    python -m tests.engine.killing [KILLS] [SEED]

Two to six kills in a row; half of them wait for a checkpoint that is being written. Nothing may be left behind in the
folder. Fifty kills take some five minutes. The suite kills a few times.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.ssh.together import done, history_of, run_named, together
from tests.waiting import until
from tui_trainer.engine import checkpoints
from tui_trainer.events import CallsMade, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail

OPTIONS = ["--model", "cnn", "--limit-train", "328", "--limit-val", "100", "--batch-size", "16", "--device", "cpu"]
OPTIONS += ["--threads", "1", "--epochs", "5"]
"""21 batches an epoch, the last of 8 images."""


class Kills:
    """Kills runs, half of the time as a checkpoint is written.

    Attributes:
        count: how many were killed before they had ended.
        as_it_saved: how many of these left a half-written checkpoint.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.count = self.as_it_saved = 0

    def kill(self, folder: Path, *command: str) -> None:
        """Start a command, and kill it some time after it has begun or gone on with its run."""
        rng, runs = self._rng, Path(os.environ["TUI_TRAINER_RUNS"])
        with together(1, *command, log=folder) as started:
            run, process = run_named(runs, "killed"), started.processes[0]
            told = len(_steps_told(run))
            if rng.random() < 0.5:
                while not drafts(run) and process.poll() is None:
                    time.sleep(0.0002)  # a checkpoint is written in milliseconds
                time.sleep(rng.uniform(0, 0.01) ** 2 / 0.01)
            else:
                if rng.random() < 0.7:
                    until(lambda: len(_steps_told(run)) > told or process.poll() is not None)
                time.sleep(rng.uniform(0, 0.2))
            started.send(signal.SIGKILL)
            self.count += process.wait() == -signal.SIGKILL
            self.as_it_saved += bool(drafts(run))


def drafts(run: Path) -> list[Path]:
    """What is on its way to be a checkpoint, or was."""
    return [*(run / "checkpoints").glob(".*")]


def killed_and_whole(times: int, preset: str, folder: Path, kills: Kills) -> tuple[Path, Path]:
    """The records of a run killed so often, sometimes before it took a step further, and of one left alone."""
    done(1, "run", *OPTIONS, "--preset", preset, "--name", "whole", log=folder)
    runs = Path(os.environ["TUI_TRAINER_RUNS"])
    whole = run_named(runs, "whole")
    kills.kill(folder, "run", *OPTIONS, "--preset", preset, "--name", "killed")
    killed = run_named(runs, "killed")
    for _ in range(times - 1):
        if not _ended(killed):
            kills.kill(folder, "resume", killed.name)
    if not _ended(killed):
        done(1, "resume", killed.name, log=folder)
    return killed, whole


def differences(killed: Path, whole: Path) -> list[str]:
    """What is not the same to the bit; what the killed one's journal has twice, or lacks."""
    one, other = (history_of(folder.parent, folder.name) for folder in (killed, whole))
    checks = {
        "steps": _steps_told(killed) == list(range(1, other.steps + 1)),
        "losses": one.losses.tobytes() == other.losses.tobytes(),
        "LRs": list(one.lrs) == list(other.lrs),
        "epochs": _epochs(one) == _epochs(other),
        "orders of calls": _orders(killed) == _orders(whole),
        "end": one.status == other.status == "finished",
    }
    mine, theirs = (checkpoints.load(folder / "checkpoints" / checkpoints.LAST) for folder in (killed, whole))
    left = _files(killed) - _files(whole)
    checks[f"left behind: {', '.join(sorted(left))}"] = not left
    flaws = [*summarize(killed).flaws, *one.known.flaws.in_words()]
    checks[f"flaws that a sound record is said to have: {flaws}"] = not flaws
    for name, weight in theirs["model"].items():
        checks[f"weights {name}"] = torch.equal(mine["model"][name], weight)
    return [name for name, same in checks.items() if not same]


def _files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


def _ended(folder: Path) -> bool:
    return history_of(folder.parent, folder.name).ended is not None


def _steps_told(folder: Path) -> list[int]:
    with Tail(folder / "events.jsonl") as tail:
        return [e.step + i for e in tail if isinstance(e, StepsTaken) for i in range(len(e.losses))]


def _orders(folder: Path) -> list[tuple[int, int | None, list[str]]]:
    with Tail(folder / "events.jsonl") as tail:
        return sorted(
            ((e.epoch, e.batch, e.calls) for e in tail if isinstance(e, CallsMade)),
            key=lambda order: (order[0], order[1] is None, order[1] or 0),
        )


def _epochs(history: History) -> list[tuple[float, ...]]:
    return [(e.epoch, e.step, e.train_loss, e.train_accuracy, e.val_loss, e.val_accuracy, e.lr) for e in history.epochs]


def main() -> None:
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    kills = Kills(rng)
    presets = ["onecycle", "plateau", "cosine-warmup", "steplr"]
    began = time.monotonic()
    while kills.count < wanted:
        preset = presets[kills.count % len(presets)]
        now = min(wanted - kills.count, rng.randint(2, 6))
        with tempfile.TemporaryDirectory() as name:
            os.environ["TUI_TRAINER_RUNS"] = f"{name}/runs"
            found = differences(*killed_and_whole(now, preset, Path(name), kills))
        so_far = f"{kills.count} kills so far, {kills.as_it_saved} as a checkpoint was written"
        print(f"{preset:<14} {', '.join(found) or 'the same to the bit'}; {so_far}", flush=True)
        if found:
            sys.exit(1)
    print(f"{kills.count} kills in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
