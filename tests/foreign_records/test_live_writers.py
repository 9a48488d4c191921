"""Real writers, each in a process of its own and killed while it writes, lose and double nothing for who follows."""

from __future__ import annotations

import contextlib
import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.foreign_records.followed_live import killed
from tests.foreign_records.live_writer import WRITERS
from tests.preloaded import Running


@pytest.mark.slow
@pytest.mark.parametrize("tool", WRITERS)
def test_nothing_of_a_writer_that_is_killed_is_missed_or_doubled(tool: str, tmp_path: Path) -> None:
    needs, _ = WRITERS[tool]
    for module in {needs, "tensorboard"}:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    writer = Running(tool, str(tmp_path), "0", module="tests.foreign_records.live_writer", session=True)

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()

    try:
        compared = killed(tmp_path, writer, kill, 0.3)
    finally:
        kill()
    assert compared.numbers > 100
    assert (compared.missed, compared.doubled) == (0, 0)
