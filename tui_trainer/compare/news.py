"""What has just happened in the runs of a comparison, of the kinds that a bell rings for."""

from __future__ import annotations

import time

from tui_trainer.compare.comparison import Comparison


class News:
    """What came of the runs since it began to look; of what was there before, nothing."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._since = time.time()
        self._told: dict[str, float] = {}
        """Of each record, when the last notice that was told came."""
        self._ended: set[str] = set()
        self._seen = -1
        """What was looked at last of the comparison."""

    def kinds(self) -> set[str]:
        """Of what came since the last look: the kinds of notices, and `end` where a run has ended."""
        kinds: set[str] = set()
        fresh_runs, self._seen = self._comparison.since(self._seen), self._comparison.version
        for run in fresh_runs:
            if run.record is None:
                continue
            history, name = run.history, run.record.name
            since = self._told.get(name, self._since - history.clock_behind)
            fresh = [notice for notice in history.notices if notice.at > since]
            kinds.update(notice.kind for notice in fresh)
            if fresh:
                self._told[name] = max(notice.at for notice in fresh)
            if history.ended is None:
                self._ended.discard(name)
            elif name not in self._ended:
                self._ended.add(name)
                if history.ended.at + history.clock_behind > self._since:
                    kinds.add("end")
        return kinds
