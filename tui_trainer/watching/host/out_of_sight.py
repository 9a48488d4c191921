"""Commands whose training cannot be seen from outside, known by their words; each has a way that works."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from tui_trainer.text.captions import say

_CONTAINERS = frozenset({"docker", "podman", "nerdctl", "apptainer", "singularity", "kubectl", "enroot"})
_ELSEWHERE = frozenset({"ssh", "srun", "sbatch", "qsub", "bsub", "pdsh", "mpirun", "mpiexec"})
_EMPTIES = frozenset({"sudo", "doas", "su"})
_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)?t?")
_STARTERS = frozenset({"nohup", "nice", "time", "exec", "setsid", "stdbuf", "taskset", "numactl", "ionice", "chrt"})
"""They run the command behind them as it is."""
_WITH_VALUE = frozenset("cmWX")
"""Options of python that take a value: what is behind the first two is the program's."""


def reason(command: Sequence[str]) -> str:
    """Why nothing of what the command trains will be seen, and what to do, in a sentence; empty where nothing says
    so."""
    for place, word in enumerate(command):
        name = PurePath(word).name
        rest = command[place + 1 :]
        if name in _CONTAINERS:
            return say("command.in_container", name=name)
        if name in _ELSEWHERE:
            return say("command.elsewhere", name=name)
        if name in _EMPTIES or (
            name == "env" and any(option in ("-i", "-", "--ignore-environment") for option in rest)
        ):
            return say("command.environment_emptied", name=name)
        if _PYTHON.fullmatch(name):
            flag = next((flag for flag in _flags(rest) if flag in "IES"), "")
            return say("command.python_isolated", flag=flag) if flag else ""
        if name not in _STARTERS and not word.startswith("-") and "=" not in word and name not in ("env", "uv", "run"):
            return ""
    return ""


def _flags(words: Sequence[str]) -> Iterator[str]:
    """The letters of python's own options: up to the program, which has others."""
    taken = False
    for word in words:
        if taken:
            taken = False
            continue
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            return
        for place, letter in enumerate(word[1:], start=2):
            if letter in "cm":
                return
            if letter in _WITH_VALUE:
                taken = place == len(word)
                break
            yield letter
