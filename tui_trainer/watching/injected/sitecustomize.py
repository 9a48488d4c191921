"""Python imports this as it starts, where this folder is on `PYTHONPATH`: the way into a watched process.

A `sitecustomize` of the user's that this one hides is run as if this one were not there. What is watched, and what of
the process is left alone, is told in `_tui_trainer_observer`.
"""

import sys
from os.path import abspath, dirname


def _begin_to_observe(here):  # type: (str) -> None
    """Never raises: a process that cannot be watched runs as ever."""
    try:
        import _tui_trainer_observer  # type: ignore[import-not-found]
    except Exception:
        return
    finally:
        # The user's `sys.path` is theirs again: what the observer loads later is found beside it, and what this process
        # starts has it by its own `PYTHONPATH`.
        sys.path[:] = [path for path in sys.path if path != here]
    _tui_trainer_observer.begin()


def _run_hidden():  # type: () -> None
    """Run the `sitecustomize` that would be found without this one. What it raises is its own."""
    # As `importlib` has them, which is not loaded yet, and with it modules that a program may have of its own.
    from _frozen_importlib import module_from_spec
    from _frozen_importlib_external import PathFinder

    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_begin_to_observe(dirname(abspath(__file__)))
_run_hidden()
