"""`c` in the app: a comparison of the presets and runs that were marked, opened over what is on show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_trainer.cli import exit_summary, foreground
from tui_trainer.cli.options import has_torch, impossible, say
from tui_trainer.cli.signal_handlers import LONGEST_END_S
from tui_trainer.errors import UserError
from tui_trainer.records.errors import RunsError
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.notifier import Told
from tui_trainer.text import captions

if TYPE_CHECKING:  # nothing of comparisons before one is asked for: the first frame comes first
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.compare.session import Contestant
    from tui_trainer.run_sources.far_records import FarRecords

MOST = 7
"""Runs that are set beside the one on show where none were marked: as many as there are colours, with it."""


class Comparisons:
    """Those opened from one app.

    Args:
        runs: the folder of all runs.
        request: what runs trained from here have beside their preset; None where none can be.
        on_show: the record of the run on show, if it has one.
        is_live: whether that run goes on.
        shell: told of what trains here; None where nothing can.
        notify: whom to notify of what trains here.
    """

    def __init__(
        self,
        runs: Path,
        request: RunRequest | None,
        on_show: Callable[[], Path | None],
        is_live: Callable[[], bool],
        shell: foreground.Foreground | None = None,
        notify: Sequence[Told] = (),
    ) -> None:
        self._runs = runs
        self._request = request
        self._on_show = on_show
        self._is_live = is_live
        self._shell = shell
        self._notify = notify
        self.queue: Queue | None = None
        """What trains here."""
        self._latest: Comparison | None = None
        self._far: list[FarRecords] = []
        """Those of each comparison that was opened."""
        if (command := click.get_current_context(silent=True)) is not None:
            command.call_on_close(self._let_go)

    def _let_go(self) -> None:
        """The command is over: end the connections to other machines."""
        for far in self._far:
            far.close()

    @property
    def is_training(self) -> bool:
        """Whether a comparison trains here."""
        return self.queue is not None and not self.queue.is_over

    def open(self, names: Sequence[str]) -> tuple[Comparison, Queue | None]:
        """A comparison of presets and runs by name; of no names, of the run on show with those most like it.

        Raises:
            RunsError: it cannot be, in words.
        """
        from tui_trainer.compare.comparison import Comparison
        from tui_trainer.compare.entries import joined, told_apart
        from tui_trainer.compare.queue import Queue
        from tui_trainer.compare.session import Session
        from tui_trainer.remote.connection import Lost
        from tui_trainer.run_sources.far_records import FarRecords

        far = FarRecords(asks=None, warn=lambda _: None)
        self._far.append(far)
        try:
            presets, records = told_apart(names, self._runs, far) if names else ([], self._most_alike())
        except RunsError:
            raise
        except (Lost, UserError, OSError) as error:
            raise RunsError(str(error)) from error
        if self.queue is not None and self.is_training:
            raise RunsError(f"a comparison trains here already: {self.queue.session.id}")
        if presets and self._is_live():
            raise RunsError("the run shown is still training and would disturb a comparison: let it end, or stop it")
        entries = self._to_train(presets) if presets else []
        entries += joined(records, self._runs, [entry.label for entry in entries], far)
        session = Session.create(self._runs, entries, command=sys.argv)
        far.follow()
        self._latest = Comparison(session, far=far)
        if any(entry.run is None for entry in entries):
            self.queue = Queue(session, notify=self._notify)
            self.queue.start()
            if self._shell is not None:
                self._shell.train_in(session.folder)
            return self._latest, self.queue
        return self._latest, None

    def _to_train(self, presets: Sequence[str]) -> list[Contestant]:
        from tui_trainer.compare.entries import fair_threads, on_the_same, reused, to_train, versions
        from tui_trainer.presets.catalogue import load
        from tui_trainer.run_spec import RunSpec

        if self._request is None:
            raise RunsError(captions.say("answer.compare_elsewhere", names=" ".join(presets)))
        try:
            _ = self._request.spec  # the options are sound
            options = {**self._request.options, "name": None}
            options["threads"] = options.get("threads") or fair_threads(1)
            named = {Path(name).stem: load(name) for name in presets}
            options |= on_the_same(named, options)[0]
            specs = [RunSpec.of(name, preset, **options) for name, preset in named.items()]
        except UserError as error:
            raise RunsError(str(error).splitlines()[0]) from error
        if has_torch() and (problems := impossible(*specs)):
            raise RunsError(problems[0])
        return reused(to_train(specs, 1), self._runs, versions())

    def finish(self, *, goes_on: bool, shell: foreground.Foreground) -> int:
        """The screen was left: wait for what trains, or stop it; the exit code."""
        queue = self.queue
        assert queue is not None
        if goes_on:
            shell.leave()
            foreground.print_to(queue.session.folder / "log.txt")
            queue.wait()
        else:
            queue.stop()
            queue.wait(LONGEST_END_S)
            self.say_farewell()
        return self.exit_code

    def say_where(self) -> None:
        """How to find it again."""
        if self.queue is not None:
            paused = self._latest is not None and self._latest.is_paused
            exit_summary.of_left("compare", self.queue.session.id, self._runs, paused=paused)

    @property
    def exit_code(self) -> int:
        """The command's, as far as it is for the one that was trained here last; 0 where none was."""
        return self.queue.exit_code if self.queue is not None else 0

    def say_farewell(self) -> None:
        """What came of the one opened last, what went wrong with it, and how to find it again."""
        if self._latest is not None:
            exit_summary.of_comparison(self._latest)
        if self.queue is not None and self.queue.failure:
            say(self.queue.failure)

    def _most_alike(self) -> list[Path]:
        from tui_trainer.compare.entries import alike

        on_show = self._on_show()
        if on_show is None:
            raise RunsError("mark two or more with space in the presets (p) or the runs (r), then c compares them")
        others = alike(on_show, self._runs)[: MOST - 1]
        if not others:
            raise RunsError("no other run has this data and model: mark presets (p) or runs (r) with space, then c")
        return [on_show, *others]
