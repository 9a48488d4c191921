"""The name of this process, as `ps -o comm` and `top` show it: what it does, where `python` says nothing."""

from __future__ import annotations

import contextlib
import sys

LONGEST = 15
"""Bytes that the kernel keeps."""

_PR_SET_NAME = 15


def call_process(name: str) -> None:
    """Name this process, where the system can; called in the main thread."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ImportError, AttributeError):  # a libc without it
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:LONGEST], 0, 0, 0)
