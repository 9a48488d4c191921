"""From the run on show to all others: the list of them, one of them opened over it, one gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp
    from tui_trainer.ui.launching import Launcher, Reopened


class Browsing:
    """Opens records for the app. `folder` holds all runs; None where there is none to look into."""

    def __init__(self, app: TrainerApp, folder: Path | None, readonly: bool) -> None:
        self._app = app
        self._folder = folder
        self._readonly = readonly
        self._reads: Path | None = None
        """The record that is being read, to go on with it."""

    def open(self) -> None:
        """The list of runs, over what is on show."""
        from tui_trainer.ui.runs.screen import RunsScreen

        if self._folder is None:
            self._app.say("there is no folder of runs to look into from here", "warning")
        else:
            self._app.push_screen(RunsScreen(self._folder))

    def back(self) -> None:
        """From the list to what lies under it."""
        if len(self._app.screen_stack) > 1:
            self._app.pop_screen()

    def view(self, folder: Path) -> None:
        """Look at a run; at the one on show already, by going back to it."""
        from tui_trainer.run_sources.journal_source import JournalSource
        from tui_trainer.ui.runs.screen import OtherRunScreen

        on_show = self._app.host.history.started if self._app.host is not None else None
        if on_show is not None and on_show.run == folder.name:
            self._app.to_live()
            return
        self._app.push_screen(OtherRunScreen(JournalSource(folder, readonly=self._readonly), self._app.by))

    def resume(self, folder: Path) -> None:
        """Go on with a run that ended early, in this process."""
        launcher = self._app.launching.launcher
        if launcher is None:
            self._app.say(f"not from here; tui-trainer resume {folder.name} goes on with it", "warning")
        elif self._app.is_live:
            self._app.say("a run is live here already: stop it first", "warning")
        elif self._reads is not None:
            self._app.say(f"reading the record of {self._reads.name}")
        else:
            self._reads = folder
            self._app.say(f"reading the record of {folder.name}")
            self._app.errands.run(
                lambda: launcher.reopen(folder), lambda reopened: self._go_on(launcher, reopened), self._refused
            )

    def _go_on(self, launcher: Launcher, reopened: Reopened) -> None:
        self._reads = None
        if self._app.is_live:
            self._app.say("a run was started here meanwhile: stop it first", "warning")
        else:
            self._app.show_run(*launcher.go_on(reopened))

    def _refused(self, error: Exception) -> None:
        self._reads = None
        self._app.say(str(error), "warning")
