"""Python's garbage collector: all threads wait while it looks, and it need not look at what stays."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_in_imports() -> Iterator[None]:
    """What is imported meanwhile stays, so it is looked at neither now nor later.

    Torch and what comes with it are 300,000 objects: a look at them takes 0.4 s, in which no key is answered. Where all
    is imported already, or the collector is off, nothing is done: with what is imported, all that is there is kept out
    of its sight, and garbage among it would never be freed.
    """
    collects, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if collects:
            if len(sys.modules) > before:
                gc.freeze()
            gc.enable()
