"""From the run on show to all others: the list of them, one of them opened over it, one gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.runs.errors import RunsError

if TYPE_CHECKING:
    from tui_trainer.ui.app import TrainerApp


class Browsing:
    """Opens records for the app. `folder` holds all runs; None where there is none to look into."""

    def __init__(self, app: TrainerApp, folder: Path | None, readonly: bool) -> None:
        self._app = app
        self._folder = folder
        self._readonly = readonly

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
        from tui_trainer.hosts import RecordHost
        from tui_trainer.ui.runs.screen import OtherRunScreen

        on_show = self._app.host.history.started if self._app.host is not None else None
        if on_show is not None and on_show.run == folder.name:
            self._app.to_live()
            return
        self._app.push_screen(OtherRunScreen(RecordHost(folder, readonly=self._readonly), self._app.by))

    def resume(self, folder: Path) -> None:
        """Go on with a run that ended early, in this process."""
        launcher = self._app.launching.launcher
        if launcher is None:
            self._app.say(f"not from here; tui-trainer resume {folder.name} goes on with it", "warning")
        elif self._app.is_live:
            self._app.say("a run is live here already: stop it first", "warning")
        else:
            try:
                host, spec = launcher.resume(folder)
            except RunsError as error:
                self._app.say(str(error), "warning")
            else:
                self._app.show_run(host, spec)
