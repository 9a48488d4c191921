"""`python -m tests.cli.closed 0,2 COMMAND...`: as `tests.cli.closing`, in this interpreter, where torch is loaded."""

import os
import runpy
import sys

if __name__ == "__main__":
    _, closed, *sys.argv[1:] = sys.argv
    for descriptor in map(int, closed.split(",")):
        os.close(descriptor)
        name = ("stdin", "stdout", "stderr")[descriptor]
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
    runpy.run_module("tui_trainer", run_name="__main__", alter_sys=True)
