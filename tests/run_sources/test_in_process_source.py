"""A run of this process, seen by its screen, and by none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from tests.scripted import scripted_run
from tui_trainer.events import AnyEvent
from tui_trainer.run_sources.in_process import InProcessSource, LocalRun


class Telling:
    """As much of a run as a host needs."""

    goes_on = None

    def listen(self, listener: Callable[[AnyEvent], None]) -> None:
        self.tell = listener


def test_a_screen_that_is_gone_leaves_nothing_to_pile_up() -> None:
    run = Telling()
    host = InProcessSource(cast(LocalRun, cast(Any, run)))
    events = scripted_run()
    for event in events[:20]:
        run.tell(event)
    assert host.poll() == 20
    run.tell(events[20])
    host.close()
    for event in events[21:]:
        run.tell(event)
    assert host.poll() == 0
    assert host.history.version == 20
