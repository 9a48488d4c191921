"""`tui_trainer.watch()`: a training loop of one's own watched from within its own program.

Another process keeps the record (`beside`); this one writes its trace, as a watched command does. Whatever goes wrong
here is a warning: the training that called it goes on.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tui_trainer.watching.host.environment import INJECTED, TRACES

BEGUN_WITHIN_S = 20.0
"""So long the record's process may take to begin; it takes a fraction of a second."""


OBSERVER = "_tui_trainer_observer"
"""The package in `INJECTED`."""


class Watch:
    """A loop that is being watched; `with` ends it. Made by `watch`."""

    def __init__(self, run: str, folder: Path | None, observer: Any, beside: subprocess.Popen[bytes] | None) -> None:
        self.run = run
        """The id of its run; empty where nothing is recorded."""
        self.folder = folder
        """Where its record lies; None where nothing is recorded."""
        self._observer = observer
        self._beside = beside

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Record numbers by names of one's own: `run.log({"val_loss": 0.31})`.

        Args:
            values: plain numbers, or tensors of one element; what is none is left out. One that lies on a GPU is read
                once it is there, without waiting for it.
            step: which step of the optimizer they are of, counted from 1: the last one or the next. By default the
                next where a batch for it was taken from the DataLoader, or, without one, its loss has gone backward;
                else the last.
        """
        if self._observer is not None:
            self._observer.log(values, step)

    def finish(self, problem: str = "") -> None:
        """Nothing more is to be recorded; `problem` is why the training ended early, if it did. Calls after the first
        do nothing."""
        if self._beside is None:
            return
        beside, self._beside = self._beside, None
        self._observer.finish()
        try:
            assert beside.stdin is not None
            beside.stdin.write(f"finished {problem}".strip().replace("\n", " ").encode() + b"\n")
            beside.stdin.close()
            beside.wait(BEGUN_WITHIN_S)
        except (OSError, subprocess.TimeoutExpired):
            pass  # the record is complete, or will be
        self._observer = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.finish("stopped")
        else:
            self.finish("" if error is None else f"crashed {type(error).__name__}: {error}")


def watch(
    *,
    name: str | None = None,
    runs: str | os.PathLike[str] | None = None,
    calls: Literal["off", "light", "full"] = "light",
    control: bool = True,
    rehearse: bool = False,
    epochs: int | None = None,
    steps: int | None = None,
    alerts: Sequence[str] = (),
) -> Watch:
    """Watch the training loop of this process from here on: `tui-trainer attach` shows it.

    Call it before the loop begins, as a plain call or in `with`. It needs to be given nothing: optimizers, schedulers,
    DataLoaders and losses are found as they are used. In a program that runs under `tui-trainer watch` it begins
    nothing new, and gives what is watched already, so that `log` adds to it. Of processes that train together the
    first one (rank 0) is watched.

    Args:
        name: to find the run by.
        runs: the folder of runs; by default what TUI_TRAINER_RUNS says, else the user's data folder.
        calls: how much of the loop is told: `light`, each call; `full`, each batch's order; `off`, losses and LRs.
        control: whether it can be paused and stopped from outside.
        rehearse: plan the LR of schedulers of one's own too, by calling a copy of them.
        epochs: how many it will train, where nobody else can tell.
        steps: the same in steps of its optimizer.
        alerts: rules to be told of, such as `val_loss > 2 for 3 epochs`; see `tui-trainer watch --alert`.

    Returns:
        What logs and ends it. Where it cannot be watched, that is a warning, and what is returned does nothing.
    """
    try:
        if os.environ.get(TRACES) and OBSERVER in sys.modules:
            folder = Path(os.environ[TRACES]).parent
            return Watch(folder.name, folder, _observer_module().current(), None)
        if os.environ.get("RANK", "0") not in ("", "0"):
            return Watch("", None, None, None)
        asked = {
            "name": name,
            "runs": None if runs is None else os.fspath(runs),
            "calls": calls,
            "control": control,
            "rehearse": rehearse,
            "epochs": epochs,
            "steps": steps,
            "alerts": [alerts] if isinstance(alerts, str) else list(alerts),
            "command": [sys.executable, *_arguments()],
            "cwd": str(Path.cwd()),
            "pid": os.getpid(),
        }
        beside, folder = _begin_beside(asked)
        observer = _observer_module().begin_here(str(folder / "traces"))
        return Watch(folder.name, folder, observer, beside)
    except Exception as error:
        warnings.warn(f"tui-trainer cannot watch this training: {error}", RuntimeWarning, stacklevel=2)
        return Watch("", None, None, None)


def _arguments() -> list[str]:
    """What this program was begun with, as it was typed."""
    return list(sys.orig_argv[1:]) or list(sys.argv)


def _observer_module() -> Any:
    """What watches: it is no module of this package, since programs that have none of it are watched by it as well."""
    if OBSERVER not in sys.modules:
        sys.path.insert(0, str(INJECTED))
        try:
            import_module(OBSERVER)
        finally:
            sys.path.remove(str(INJECTED))
    return sys.modules[OBSERVER]


def _begin_beside(asked: Mapping[str, Any]) -> tuple[subprocess.Popen[bytes], Path]:
    """The process that keeps the record, and the record's folder.

    Raises:
        RuntimeError: it could not begin; the words say why.
        OSError: no process can be begun.
    """
    beside = subprocess.Popen(
        [sys.executable, "-m", "tui_trainer.watching.host.beside"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert beside.stdin is not None
    assert beside.stdout is not None
    try:
        beside.stdin.write(json.dumps(asked).encode() + b"\n")
        beside.stdin.flush()
        said = _line(beside.stdout.fileno())
    except (OSError, TimeoutError) as error:
        beside.kill()
        beside.wait()
        raise RuntimeError(f"the process that keeps its record did not begin ({error})") from error
    word, _, rest = said.partition(" ")
    if word != "run":
        beside.wait()
        raise RuntimeError(rest or "the process that keeps its record ended at once")
    beside.stdout.close()
    return beside, Path(rest)


def _line(pipe: int) -> str:
    """The first line from a pipe."""
    deadline, read = time.monotonic() + BEGUN_WITHIN_S, b""
    while not read.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError("nothing was heard of it")
        chunk = os.read(pipe, 4096)
        if not chunk:
            break
        read += chunk
    return read.decode("utf-8", "replace").strip()
