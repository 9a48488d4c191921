"""Runs many small programs with the observer in them, forked off one interpreter that has torch: each is a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.watch.watched import environment
from tui_trainer.events import MistakeFound
from tui_trainer.watching.findings import Findings
from tui_trainer.watching.trace import AnyDefinition, Observed, Rows, TraceReader, processes

_PARENT = """
import atexit, gc, os, sys
import torch, torch.utils.data, torch._dynamo
from torch.optim import lr_scheduler

atexit.register(os._exit, 0)  # the last of them: to take all of torch apart would take longer than a program
gc.collect()
gc.freeze()
programs, = sys.argv[1:]
for name in sorted(os.listdir(programs)):
    child = os.fork()
    if not child:
        break
    os.waitpid(child, 0)
else:
    os._exit(0)
folder = os.path.join(programs, name)
os.chdir(folder)
os.environ["HOME"] = folder
output = os.open("output.txt", os.O_WRONLY | os.O_CREAT)
os.dup2(output, 1)
os.dup2(output, 2)
print(os.getpid())
sys.stdout.flush()
sys.argv = ["train.py"]
__file__ = os.path.join(folder, "train.py")
exec(compile(open(__file__).read(), __file__, "exec"))
"""


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
    parent = folder / "parent.py"
    parent.write_text(_PARENT)
    traces = folder / "traces"
    command = [sys.executable, str(parent), str(folder / "programs")]
    ended = subprocess.run(command, env=environment(traces), capture_output=True, text=True, timeout=580)
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
