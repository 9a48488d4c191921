"""From a preset to a run: started at once, after the one on show has ended, or as a switch within it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui_trainer.commands import SwitchPreset
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_source import command_of
from tui_trainer.text.captions import say
from tui_trainer.ui.live.screen import LiveScreen, back_to_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tui_trainer.run_request import Extension
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.run_spec import RunSpec
    from tui_trainer.ui.context import ContextApp

LOADING_S, SAID_FOR = 60.0, 30.0
"""Seconds that it is said that a run is being resumed, at the longest, and why it was not."""


class Launching:
    """Starts runs for the app, and shows them."""

    def __init__(self, app: ContextApp) -> None:
        self._app, self._context = app, app.context
        self._next: RunSpec | None = None
        """What to start once the run on show has ended."""
        self._resumes: Path | None = None
        """The record that a process is begun for, to go on with it."""

    def take_up(self, spec: RunSpec) -> None:
        """Start a run; where one is live, ask how it is to take up the preset."""
        source = self._context.source
        if source is None or not self._context.is_live:
            self.start(spec)
            return
        recipe = source.history.recipe
        old = recipe.preset if recipe is not None else say("question.run_on_show")
        epoch = max(source.history.epoch, 1) + 1
        can_switch = (
            SwitchPreset in source.capabilities.commands
            and recipe is not None
            and recipe.epochs is not None
            and epoch <= recipe.epochs
        )
        from tui_trainer.run_spec import made_for_others
        from tui_trainer.ui.dialogs import switching

        unlike = made_for_others(spec.preset, source.history.resolved)
        can_start = self._context.launcher is not None
        question = switching(spec.preset_name, old, unlike, can_switch=can_switch, can_start=can_start)

        def answered(answer: str | None) -> None:
            if answer == "new":
                self._start_after_this(spec, old)
            elif answer == "here" and (live := back_to_run(self._app)) is not None:
                live.ask_to_switch(spec.preset_name, spec.preset.model_dump(mode="json"))

        self._app.push_screen(question, answered)

    def start(self, spec: RunSpec) -> None:
        """Start a run and show it."""
        self._next = None
        if self._context.launcher is None:
            self._context.say(say("question.starts_none"), "warning")
            return
        self.show(self._context.launcher.start(spec), spec)

    def show(self, source: RunSource, spec: RunSpec) -> None:
        """Show another run; the one before it is looked at no more."""
        live = back_to_run(self._app)
        if self._context.source is not None:
            self._context.source.close()
        self._context.source = source
        if live is not None:
            live.follow(source, RunRequest.of(spec))
        else:
            self._app.push_screen(LiveScreen(source, self._context.by, RunRequest.of(spec)))
        self._context.clock.hurry()

    def follow_up(self) -> bool:
        """The run on show has ended: start what waits for that, if something does."""
        if self._next is None:
            return False
        self.start(self._next)
        return True

    def resume(self, folder: Path, extension: Extension | None = None) -> None:
        """Go on with a run that ended early, or beyond its end, in a process of its own."""
        context, on_resume, on_extend = self._context, self._context.on_resume, self._context.on_extend
        go_on: Callable[[], None] | None = partial(on_resume, folder) if on_resume is not None else None
        if extension is not None:
            go_on = partial(on_extend, folder, extension) if on_extend is not None else None
        if go_on is None:
            shown = context.source
            address = shown.capabilities.address if shown is not None and shown.folder == folder else None
            command = command_of("resume", folder, address)
            context.say(say("question.resumes_none", command=command), "warning", SAID_FOR)
            return
        context.say(say("crash.resuming", run=(self._resumes or folder).name), seconds=LOADING_S)
        if self._resumes is None:
            self._resumes = folder
            context.tasks.run(go_on, lambda _: self._resumed(folder), self._refused)

    def _resumed(self, folder: Path) -> None:
        """It trains: it is looked at where it was, or over the list that it was chosen from."""
        self._resumes = None
        context = self._context
        shown = self._app.screen.source if isinstance(self._app.screen, LiveScreen) else None
        if context.source is not None and context.source.folder == folder:
            if context.trains_here:  # its record goes on elsewhere
                live = back_to_run(self._app)
                context.source.close()
                context.source = open_source(folder)
                context.follow(context.source)
                if live is not None:
                    live.follow(context.source)
        elif shown is None or shown.folder != folder:
            context.pages.show_run(folder)
        context.say(say("crash.resumed", run=folder.name))
        context.clock.hurry()

    def _refused(self, error: Exception) -> None:
        self._resumes = None
        self._context.say(str(error), "warning", SAID_FOR)

    def _start_after_this(self, spec: RunSpec, old: str) -> None:
        live = back_to_run(self._app)
        if live is None or not self._context.is_live:  # it may have ended while the person thought about it
            self.start(spec)
            return
        refusal = live.control.stop(reason=say("end.for_new_run", preset=spec.preset_name))
        if refusal is not None:
            live.say(refusal.text, "warning")
            return
        self._next = spec
        live.say(say("question.stopping_for", old=old, preset=spec.preset_name))
        self._context.clock.hurry()
