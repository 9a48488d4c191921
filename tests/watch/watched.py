"""Little programs that are run with the observer in them, and what their traces say."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

import tui_trainer.watching
from tests import preloaded
from tui_trainer.watching.trace import LATE, OPTIONS_FILE, AnyDefinition, Options, Site, TraceReader, processes

INJECTED = Path(tui_trainer.watching.__file__).parent / "injected"

IN_A_FORK = "tests.watch.in_a_fork"
STARTED_WITH = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")
"""What an interpreter reads as it starts, and of ours one that is forked has been told already."""

Kind = TypeVar("Kind")

TRAINING = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    torch.manual_seed(0)
    data = TensorDataset(torch.randn(96, 8), torch.randint(0, 3, (96,)))
    train_loader = DataLoader(data, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
    losses = []
    for epoch in range(2):
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
"""
"""A loop of two epochs of three steps."""


@dataclass
class Trace:
    """What one process has told."""

    process: str
    definitions: list[AnyDefinition] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    garbage: int = 0

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Its definitions of a kind."""
        return [definition for definition in self.definitions if isinstance(definition, kind)]

    def one(self, kind: type[Kind]) -> Kind:
        """Its only definition of a kind."""
        (found,) = self.all(kind)
        return found

    def site(self, number: float) -> Site:
        """The place of that number."""
        (found,) = [site for site in self.all(Site) if site.id == number]
        return found

    def calls(self, *names: str) -> list[tuple[str, str, float]]:
        """Its calls of these names, or all: what was called, the name of what it is of, and the value, late or not."""
        rows = [list(row) for row in self.rows]
        for row in self.rows:
            if row[0] == LATE:
                rows[int(row[1])][3] = row[3]
        told = [(self.site(row[0]), row[3]) for row in rows if row[0] != LATE]
        return [(site.call, site.name, value) for site, value in told if not names or site.call in names]

    def spans(self, name: str) -> list[tuple[float, float]]:
        """When each call of that name began and ended."""
        sites = {site.id for site in self.all(Site) if site.call == name}
        return [(float(row[1]), float(row[2])) for row in self.rows if row[0] in sites]

    def values(self, name: str) -> list[float]:
        """The values of all calls of that name."""
        return [value for _, _, value in self.calls(name)]


@dataclass
class Watched:
    """A program that ended."""

    code: int
    output: str
    errors: str
    traces: list[Trace]

    @property
    def trace(self) -> Trace:
        """That of its only process that trained."""
        (found,) = self.traces
        return found


def read_traces(folder: Path) -> list[Trace]:
    """All that lies there."""
    traces = []
    for process in processes(folder):
        reader, trace = TraceReader(folder, process), Trace(process)
        for frame in reader.read():
            if isinstance(frame, np.ndarray):
                trace.rows.extend(frame)
            else:
                trace.definitions.append(frame)
        trace.garbage = reader.garbage
        traces.append(trace)
    return traces


def environment(folder: Path, options: Options | None = None, *, watch: bool = True) -> dict[str, str]:
    """What a watched command is given; without `watch` what it would have else."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TUI_TRAINER_WATCH")}
    variables |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if watch:
        folder.mkdir(exist_ok=True, mode=0o700)
        if options is not None:
            (folder / OPTIONS_FILE).write_bytes(msgspec.json.encode(options))
        variables |= {"PYTHONPATH": str(INJECTED), "TUI_TRAINER_WATCH": str(folder)}
    return variables


def forked(env: dict[str, str]) -> dict[str, str]:
    """The environment of a program that is run by `IN_A_FORK`, which sets what an interpreter starts with."""
    started_with = {name: os.environ[name] for name in STARTED_WITH if name in os.environ}
    return {name: text for name, text in env.items() if name not in STARTED_WITH} | started_with


def run(
    folder: Path,
    program: str,
    *arguments: str,
    options: Options | None = None,
    watch: bool = True,
    python: str = sys.executable,
    fresh: bool = False,
    **variables: Any,
) -> Watched:
    """Run a program to its end.

    Args:
        folder: where it is written to and runs.
        program: its text, which may be indented.
        arguments: its command line.
        options: how to watch.
        watch: False runs it by itself.
        python: the interpreter.
        fresh: run it in an interpreter that has loaded nothing, which takes some seconds: for what is about its start.
        variables: more of its environment.
    """
    folder.mkdir(exist_ok=True)
    script = folder / "train.py"
    script.write_text(textwrap.dedent(program))
    traces = folder / "traces"
    env = environment(traces, options, watch=watch) | variables
    if fresh or python != sys.executable or not preloaded.AVAILABLE:
        ended = subprocess.run(
            [python, str(script), *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=300
        )
    else:
        injected = str(INJECTED) if watch else ""
        ended = preloaded.run(injected, str(script), *arguments, module=IN_A_FORK, env=forked(env))
    return Watched(ended.returncode, ended.stdout, ended.stderr, read_traces(traces) if watch else [])
