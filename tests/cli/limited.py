"""`python -m tests.cli.limited BYTES COMMAND...`: a command of tui-trainer that can write no file beyond so many."""

import resource
import runpy
import sys

if __name__ == "__main__":
    _, most, *sys.argv[1:] = sys.argv
    sys.dont_write_bytecode = True  # what python would keep of the modules would be cut off, too
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    runpy.run_module("tui_trainer", run_name="__main__", alter_sys=True)
