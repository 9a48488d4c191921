"""What a run has to tell, said on the screen on show as it comes; with a bell, where one is wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui_trainer.events import Alert, RunEnded
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.context import ContextApp

WARNED_FOR = 12.0
"""Seconds that a warning stays in the line at the bottom: twice as long as an answer, since nobody waits for it."""

GOOD_NEWS = frozenset({"best", "recovered", "woken"})


def role_of(notice: Alert) -> str:
    """How a notice is coloured."""
    return "live" if notice.kind in GOOD_NEWS else "warning"


class Announcing:
    """Tells what came since it was asked last, of one run after the other, on the app's screen."""

    def __init__(self, app: ContextApp) -> None:
        self._app = app
        self._source: RunSource | None = None
        self._since = 0.0
        self._last: Alert | None = None
        self._ended = False

    def tell(self, source: RunSource) -> None:
        """Say what is new; of what happened before this view was opened, nothing."""
        history = source.history
        if source is not self._source:
            self._source, self._since = source, time.time()
            self._last, self._ended = None, history.ended is not None
        fresh = list(self._fresh(source))
        if history.notices:
            self._last = history.notices[-1]
        for notice in reversed(fresh):
            role = role_of(notice)
            self._app.context.say(plain(notice.text), role, WARNED_FOR if role == "warning" else None)
        kinds = {notice.kind for notice in fresh}
        if (history.ended is not None) and not self._ended and self._is_new(history.ended, source):
            kinds.add("end")
        self._ended = history.ended is not None
        if kinds & self._app.context.bell:
            self._app.bell()

    def _fresh(self, source: RunSource) -> Iterator[Alert]:
        """Newest first."""
        for notice in reversed(source.history.notices):
            if notice is self._last or not self._is_new(notice, source):
                return
            yield notice

    def _is_new(self, event: Alert | RunEnded, source: RunSource) -> bool:
        """Whether it happened since this view was opened; the run's clock may be that of another machine."""
        return event.at + source.history.clock_behind >= self._since
