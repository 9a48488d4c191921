"""Runs many small programs with the observer in them, forked off one interpreter that has torch: each is a process."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests import preloaded
from tests.watch.watched import IN_A_FORK, environment, forked
from tui_trainer.events import MistakeFound
from tui_trainer.watching.findings import Findings
from tui_trainer.watching.trace import AnyDefinition, Observed, Rows, TraceReader, processes


class Ran:
    """A program that has run: what it printed, and what was found."""

    def __init__(self, output: str, frames: list[AnyDefinition | Rows]) -> None:
        self.output = output
        self.facts = [frame for frame in frames if isinstance(frame, Observed)]
        self.definitions = [frame for frame in frames if not isinstance(frame, np.ndarray)]
        findings = Findings()
        self.found: list[MistakeFound] = [found for frame in frames for found in findings.take(frame)]

    @property
    def codes(self) -> set[str]:
        """Of all that was found."""
        return {found.mistake for found in self.found}


def run_many(folder: Path, programs: dict[str, str]) -> dict[str, Ran]:
    """Run each to its end, one after the other."""
    names = {f"{number:03}": name for number, name in enumerate(programs)}
    for number, name in names.items():
        (folder / "programs" / number).mkdir(parents=True)
        (folder / "programs" / number / "train.py").write_text(programs[name])
    traces = folder / "traces"
    env = environment(traces)
    arguments = (env["PYTHONPATH"], str(folder / "programs"))
    ended = preloaded.run(*arguments, module=IN_A_FORK, env=forked(env))
    assert ended.returncode == 0, ended.stderr
    of_pid: dict[str, list[AnyDefinition | Rows]] = {}
    for process in processes(traces):
        reader = TraceReader(traces, process)
        of_pid[process.partition("-")[0]] = list(reader.read())
    ran = {}
    for number, name in names.items():
        pid, _, output = (folder / "programs" / number / "output.txt").read_text().partition("\n")
        ran[name] = Ran(output, of_pid.get(pid, []))
    return ran
