"""For all tests: how many at once, and how long an example that hypothesis makes up may take."""

import os

from hypothesis import settings

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each command of a test compiles the package anew

settings.register_profile("tui-trainer", deadline=None)  # a busy machine takes its time
settings.register_profile("mutation", deadline=None, derandomize=True, max_examples=20)
settings.load_profile("tui-trainer")


def pytest_xdist_auto_num_workers() -> int:
    """Three a core: a test of a terminal or of a screen waits longer than it computes."""
    return 3 * (os.cpu_count() or 1)
