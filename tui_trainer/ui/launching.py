"""From a preset to a run: started at once, after the one on show has ended, or as a switch within it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tui_trainer.errors import UserError
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from pathlib import Path

    from tui_trainer.events import PlanMade
    from tui_trainer.presets.rules import RunConditions
    from tui_trainer.presets.schema import Preset
    from tui_trainer.run_request import RunRequest
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.run_spec import RunSpec
    from tui_trainer.ui.app import TrainerApp


SAID_FOR = 30.0
"""Seconds that it is said that options are left out."""

Reopened: TypeAlias = Any
"""A record that was read to go on with it, as the launcher has it that read it."""


class Planner(Protocol):
    """Rehearses a run's LR away from the screen's thread."""

    def ask(self, spec: RunSpec) -> PlanMade | None:
        """The planned curve; None while torch loads or it is being computed: ask again.

        Raises:
            PresetError: the rehearsal found what is wrong with the preset, or failed: with warnings alone then.
        """

    def if_flat(self, spec: RunSpec) -> PlanMade | None:
        """What would come of a given curve if the loss stopped getting better; None where that is no matter."""


class Launcher(Protocol):
    """Starts runs in this process."""

    @property
    def planner(self) -> Planner:
        """Knows the LR of runs before they start."""

    def start(self, spec: RunSpec) -> RunSource:
        """Begin to train; returns at once."""

    def reopen(self, folder: Path) -> Reopened:
        """Read the record of a run that ended early. Takes as long as the record does; in any thread.

        Raises:
            RunsError: the record does not say what was asked.
            OSError: it cannot be read.
        """

    def go_on(self, reopened: Reopened) -> tuple[RunSource, RunSpec]:
        """Go on with such a run, and what was asked of it; returns at once."""


class Launching:
    """Takes presets up for the app. `asked` is what runs have beside their preset; None for the usual."""

    def __init__(self, app: TrainerApp, launcher: Launcher | None, asked: RunRequest | None) -> None:
        self._app = app
        self.launcher = launcher
        self.asked = asked
        self._next: RunSpec | None = None
        """What to start once the run on show has ended."""

    @property
    def defaults(self) -> RunSpec | None:
        """What runs have beside their preset; None for the usual, and where what was asked for is no good, which is
        said once: a run started here would not have it."""
        if self.asked is None:
            return None
        try:
            return self.asked.spec
        except UserError as error:
            first, *_ = str(error).splitlines() or [""]
            self._app.say(f"these start without the options that were given: {plain(first)}", "warning", SAID_FOR)
            self.asked = None
            return None

    @property
    def planner(self) -> Planner | None:
        """Whom to ask for the LR of a preset, if there is anybody."""
        return self.launcher.planner if self.launcher is not None else None

    def spec_with(self, name: str, preset: Preset) -> RunSpec:
        """The run that a preset would start from here.

        Raises:
            PresetError: the preset cannot have the epochs or the batch size that were asked for.
        """
        from tui_trainer.run_spec import RunSpec

        return RunSpec.of(name, preset) if self.defaults is None else self.defaults.with_preset(name, preset)

    def conditions(self) -> RunConditions:
        """What a preset does not say of the runs started from here, for its checks."""
        from tui_trainer.presets.rules import RunConditions

        return RunConditions() if self.defaults is None else self.defaults.conditions

    def take_up(self, spec: RunSpec) -> None:
        """Start a run; where one is live, ask how it is to take up the preset."""
        host = self._app.host
        if host is None or not self._app.is_live:
            self.start(spec)
            return
        recipe = host.history.recipe
        old = recipe.preset if recipe is not None else "the run on show"
        epoch = max(host.history.epoch, 1) + 1
        can_switch = not host.readonly and recipe is not None and epoch <= recipe.epochs
        from tui_trainer.ui.dialogs import switching

        question = switching(spec.preset_name, old, epoch if can_switch else None, self.launcher is not None)

        def answered(answer: str | None) -> None:
            if answer == "new":
                self._start_after_this(spec, old)
            elif answer == "here" and (live := self._app.to_live()) is not None:
                live.ask_to_switch(spec.preset_name, spec.preset.model_dump(mode="json"))

        self._app.push_screen(question, answered)

    def start(self, spec: RunSpec) -> None:
        """Start a run and show it."""
        self._next = None
        if self.launcher is None:
            self._app.say("no run can be started from here; tui-trainer launch starts one", "warning")
            return
        self._app.show_run(self.launcher.start(spec), spec)

    def break_it(self) -> None:
        """The page of wrong orders, over what is on show."""
        if self.launcher is None:
            self._app.say("nothing can be trained from here; in tui-trainer launch, b opens this page", "warning")
            return
        from tui_trainer.mistakes.runner import InProcessPair
        from tui_trainer.ui.mistakes.screen import BreakItScreen

        self._app.push_screen(BreakItScreen(InProcessPair))

    def follow_up(self) -> bool:
        """The run on show has ended: start what waits for that, if something does."""
        if self._next is None:
            return False
        self.start(self._next)
        return True

    def _start_after_this(self, spec: RunSpec, old: str) -> None:
        live = self._app.to_live()
        if live is None or not self._app.is_live:  # it may have ended while the person thought about it
            self.start(spec)
            return
        refusal = live.control.stop(reason=f"stopped for a new run with {spec.preset_name}")
        if refusal is not None:
            live.say(refusal.text, "warning")
            return
        self._next = spec
        live.say(f"stopping {old}; {spec.preset_name} starts as soon as it has ended")
        self._app.clock.hurry()
