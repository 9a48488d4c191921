"""For all tests: how many at once, how long an example that hypothesis makes up may take, and that nothing is left."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import leftovers, preloaded

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each command of a test compiles the package anew

COLLECT_AFTER = (10_000, 20, 10)
"""As `gc.set_threshold` has it: with torch and all tests in memory, a look for garbage as often as Python has it from
the start is nearly half of what it takes to show a screen."""
gc.set_threshold(*COLLECT_AFTER)

settings.register_profile("tui-trainer", deadline=None)  # a busy machine takes its time
settings.register_profile("mutation", deadline=None, derandomize=True, max_examples=20)
settings.load_profile("tui-trainer")

_started = leftovers.Started()


def pytest_xdist_auto_num_workers() -> int:
    """Three a core: a test of a terminal or of a screen waits longer than it computes."""
    return 3 * (os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def _ends_what_it_started(request: pytest.FixtureRequest) -> Iterator[None]:
    _started.taken()
    yield
    if _started.taken() and (left := leftovers.end(request.node.nodeid)):
        pytest.fail(f"it left processes: {'; '.join(left)}")


def pytest_sessionfinish() -> None:
    """What a fixture started, or a test that was broken off."""
    preloaded.end()
    leftovers.end()
