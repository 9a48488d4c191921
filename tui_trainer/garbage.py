"""Python's garbage collector: all threads wait while it looks, and it need not look at what stays."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_meanwhile() -> Iterator[None]:
    """Nothing is looked at meanwhile: what is made then stays, and there is much of it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class SeldomLooks:
    """While there is one that has begun, what has stayed for long is not looked at: of thousands of records that are
    read, a look at all of them takes half a second, in which no key is answered. New objects are looked at as usual."""

    _begun = 0
    _usual = 0
    NEVER = 1 << 30

    def __init__(self) -> None:
        self._has_begun = False

    def begin(self) -> None:
        """From now on."""
        if not self._has_begun:
            self._has_begun = True
            youngest, older, oldest = gc.get_threshold()
            if not SeldomLooks._begun:
                SeldomLooks._usual = oldest
                gc.set_threshold(youngest, older, self.NEVER)
            SeldomLooks._begun += 1

    def end(self) -> None:
        """As usual again, once none is left."""
        if self._has_begun:
            self._has_begun = False
            SeldomLooks._begun -= 1
            if not SeldomLooks._begun:
                youngest, older, _ = gc.get_threshold()
                gc.set_threshold(youngest, older, SeldomLooks._usual)


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
