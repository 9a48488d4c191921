"""`python -m tests.cli.closing 0,2 COMMAND...`: a command of tui-trainer without these streams: `<&- 2>&-`."""

import os
import sys

if __name__ == "__main__":
    _, closed, *command = sys.argv
    for descriptor in closed.split(","):
        os.close(int(descriptor))
    os.execv(sys.executable, [sys.executable, "-m", "tui_trainer", *command])
