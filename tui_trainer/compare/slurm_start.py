"""What a task of a job array runs: `python -m tui_trainer.compare.slurm_start FOLDER [--allow-code]`.

A signal that comes as this begins is not lost: it is noted before anything else is imported.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


def main(folder: Path, *, allows_code: bool = False) -> int:
    """The exit code of the task; whether who submitted it has allowed code of their own."""
    came: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, _: came.append(number))
    from tui_trainer.compare.slurm_task import Task
    from tui_trainer.records.errors import RunsError

    try:
        task = Task(folder)
        if allows_code:
            task.allow_code()
        for number in SIGNALS:
            signal.signal(number, task.on_signal)
        for each in came:
            task.on_signal(each)
        return task.train()
    except RunsError as error:
        print(error, flush=True)
        return 1


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), allows_code="--allow-code" in sys.argv[2:])
    sys.stdout.flush()
    os._exit(code)  # an interpreter that ends beneath native code aborts
