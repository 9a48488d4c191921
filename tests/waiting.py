"""Waiting for what is to come about, and not for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_S = 180.0
"""The one limit of all tests: what has not come by then will not come, however busy the machine is."""


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait for it; fails after so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
