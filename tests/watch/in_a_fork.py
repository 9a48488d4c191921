"""`python -m tests.watch.in_a_fork INJECTED SCRIPT ARGUMENTS...`: run a program as its interpreter would, where torch
is loaded already (`tests/preloaded.py`), with the observer of that folder in it; of none where INJECTED is empty. Where
SCRIPT is a folder of folders, `train.py` of each is run, in a process of its own that writes `output.txt` beside it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType


def _end_of(text: str, script: str) -> int:
    """Run it, and what it has registered for its end; its exit code."""
    main = ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    code: object = None
    interrupted = False
    try:
        exec(compile(text, script, "exec"), main.__dict__)
    except SystemExit as ended:
        code = ended.code
    except BaseException as error:
        seen = error.__traceback__.tb_next if error.__traceback__ is not None else None
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, seen
        sys.excepthook(type(error), error.with_traceback(seen), seen)
        code, interrupted = 1, type(error) is KeyboardInterrupt  # as an interpreter has it: no class of it
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    if interrupted:
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code or 0


def _one_of(folder: Path) -> Path:
    """Fork for each program there, one after the other; returns in each of those processes, with its program."""
    for of_it in sorted(folder.iterdir()):
        child = os.fork()
        if not child:
            output = os.open(of_it / "output.txt", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            os.dup2(output, 2)
            print(os.getpid(), flush=True)
            os.environ["HOME"] = str(of_it)
            return of_it / "train.py"
        os.waitpid(child, 0)
    os._exit(0)


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # for what the program starts
    sys.dont_write_bytecode = True
    _, injected, file, *arguments = sys.argv
    if injected:
        os.environ["PYTHONPATH"] = injected
        sys.path.insert(0, injected)
        import _tui_trainer_observer

        sys.path.remove(injected)
        _tui_trainer_observer.begin()
    if Path(file).is_dir():
        file = str(_one_of(Path(file)))
    os.chdir(Path(file).parent)
    sys.argv = [file, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    sys.path[0] = str(Path(file).parent)
    sys.exit(_end_of(Path(file).read_text(), file))
