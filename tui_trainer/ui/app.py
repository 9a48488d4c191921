"""The app: which screen is on show, one clock for all of them, and how one leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui_trainer.ui.frame_clock import FrameClock
from tui_trainer.ui.keys import Place, bindings
from tui_trainer.ui.live import LiveScreen
from tui_trainer.ui.theme import DEFAULTS, THEMES
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.hosts import Host
    from tui_trainer.presets import Entry, Preset
    from tui_trainer.spec import RunSpec


class Planner(Protocol):
    """Rehearses a run's LR away from the screen's thread."""

    def ask(self, spec: RunSpec) -> PlanMade | None:
        """The planned curve; None while torch loads or it is being computed: ask again.

        Raises:
            PresetError: the rehearsal found what is wrong with the preset.
        """


class Launcher(Protocol):
    """Starts runs in this process."""

    planner: Planner

    def start(self, spec: RunSpec) -> Host:
        """Begin to train; returns at once."""


class TrainerApp(App[int]):
    """Shows one run, or the presets to start one from. Its return value is the exit code of the command.

    Args:
        launcher: starts runs; None where none can be started, as on a run of another process.
        host: the run to show; None opens the presets.
        spec: what runs started from the presets have beside their preset; None for the defaults.
        exit_when_done: leave as the run ends.
        on_detach: called after the screen was left, where the person chose to keep the run training; None where
            that cannot be.
        on_compare: what `c` does with the names of presets.
        by: who asks, as the run's record has it.
    """

    TITLE = "tui-trainer"
    CSS_PATH: ClassVar[str] = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")

    def __init__(
        self,
        launcher: Launcher | None,
        host: Host | None,
        spec: RunSpec | None = None,
        exit_when_done: bool = False,
        *,
        on_detach: Callable[[], None] | None = None,
        on_compare: Callable[[Sequence[str]], None] | None = None,
        by: str = "screen",
        **options: Any,
    ) -> None:
        # Textual reads no style sheet of a default screen.
        first = "picker.tcss" if host is None else LiveScreen.CSS_PATH
        super().__init__(css_path=[_here(self.CSS_PATH), _here(first)], **options)
        self.launcher = launcher
        self.host = host
        self.spec = spec
        self.exit_when_done = exit_when_done
        self.on_detach = on_detach
        self.on_compare = on_compare
        self.by = by
        self.detached = False
        """Whether the person left a live run training in the background."""
        self.clock = FrameClock(self, self._frame)
        self._leaves_at_end = exit_when_done
        self._next: RunSpec | None = None
        """What to start once the run on show has ended."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    @property
    def can_detach(self) -> bool:
        """Whether a live run can be left training in the background."""
        return self.on_detach is not None

    @property
    def is_live(self) -> bool:
        """Whether there is a run on show that goes on."""
        return self.host is not None and self.host.history.ended is None

    # Screens

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def get_default_screen(self) -> Screen[Any]:
        if self.host is not None:
            return LiveScreen(self.host, self.by)
        from tui_trainer.ui.picker import PickerScreen

        return PickerScreen("choose a preset to train with")

    def on_mount(self) -> None:
        self.clock.start()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """All keys of the screen by name, then Textual's own."""
        from tui_trainer.ui.palette import commands_of

        yield from commands_of(self, screen)
        yield from super().get_system_commands(screen)

    def action_help(self) -> None:
        from tui_trainer.ui.help import HelpScreen

        screen = self.screen
        places: list[Place] = list(screen.places) if isinstance(screen, TrainerScreen) else []
        self.push_screen(HelpScreen(places))

    def open_presets(self) -> None:
        """The picker, over the run on show."""
        from tui_trainer.ui.picker import PickerScreen

        heading = "switch to another preset" if self.is_live else "choose a preset to train with"
        self.push_screen(PickerScreen(heading))

    def edit(self, entry: Entry) -> None:
        """A copy of a preset, to be changed and saved."""
        from tui_trainer.ui.editor import EditorScreen

        self.push_screen(EditorScreen(entry), self._saved)

    def _saved(self, name: str | None) -> None:
        from tui_trainer.ui.picker import PickerScreen

        if name and isinstance(self.screen, PickerScreen):
            self.screen.reload(name)
            self.screen.say(f"saved as {name}")

    def compare(self, names: Sequence[str]) -> None:
        """Compare presets and runs, where that can be done from here."""
        if self.on_compare is not None:
            self.on_compare(names)
        elif isinstance(self.screen, TrainerScreen):
            self.screen.say(f"comparison sessions come with tui-trainer compare {' '.join(names)}".rstrip())

    # Runs

    def spec_with(self, name: str, preset: Preset) -> RunSpec:
        """The run that a preset would start from here.

        Raises:
            PresetError: the preset cannot have the epochs or the batch size that were asked for.
        """
        from tui_trainer.spec import RunSpec

        return RunSpec.of(name, preset) if self.spec is None else self.spec.with_preset(name, preset)

    def take_up(self, spec: RunSpec) -> None:
        """Start a run, or ask how a live one is to take up the preset."""
        if not self.is_live or self.host is None:
            self._start(spec)
            return
        from tui_trainer.ui.dialogs import switching

        history = self.host.history
        old = history.recipe.preset if history.recipe is not None else "the run on show"
        last = history.recipe.epochs if history.recipe is not None else 0
        next_epoch = max(history.epoch, 1) + 1
        can_switch = not self.host.readonly and next_epoch <= last
        question = switching(spec.preset_name, old, next_epoch if can_switch else None, self.launcher is not None)

        def answered(answer: str | None) -> None:
            if answer == "new":
                self._start_after_this(spec, old)
            elif answer == "here":
                self._switch(spec)

        self.push_screen(question, answered)

    def _start(self, spec: RunSpec) -> None:
        if self.launcher is None:
            if isinstance(self.screen, TrainerScreen):
                self.screen.say("no run can be started from here; tui-trainer launch can", "warning")
            return
        if self.host is not None:
            self.host.close()
        self.host = self.launcher.start(spec)
        self._next = None
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_screen(LiveScreen(self.host, self.by))
        self.clock.hurry()

    def _start_after_this(self, spec: RunSpec, old: str) -> None:
        """A run that starts as soon as the one on show has ended."""
        self._to_live()
        screen = self.screen
        if isinstance(screen, LiveScreen):
            refusal = screen.control.stop(reason=f"stopped for a new run with {spec.preset_name}")
            if refusal is not None:
                screen.say(refusal.text, "warning")
                return
            self._next = spec
            screen.say(f"stopping {old}; {spec.preset_name} starts as soon as it has ended")
        self.clock.hurry()

    def _switch(self, spec: RunSpec) -> None:
        self._to_live()
        screen = self.screen
        if isinstance(screen, LiveScreen):
            screen.ask_to_switch(spec.preset_name, spec.preset.model_dump(mode="json"))

    def _to_live(self) -> None:
        while len(self.screen_stack) > 1 and not isinstance(self.screen, LiveScreen):
            self.pop_screen()

    # Leaving

    def action_leave(self) -> None:
        if self.host is None or not self.is_live:
            self._leave()
        elif self.host.readonly:
            self._leave()
        elif self._leaves_at_end and not self.exit_when_done:
            self._leave()  # asked to stop before, and asked to leave again: no more waiting
        else:
            self._ask_to_leave()

    def _ask_to_leave(self) -> None:
        from tui_trainer.ui.dialogs import leaving, leaving_view

        assert self.host is not None
        recipe = self.host.history.recipe
        run = recipe.preset if recipe is not None else "the run"
        question = leaving(run, self.can_detach) if self.launcher is not None else leaving_view()

        def answered(answer: str | None) -> None:
            if answer == "keep":
                self.detached = True
                self.exit(0)
            elif answer == "leave":
                self.exit(0)
            elif answer == "stop":
                self.stop_and_leave("stopped", 0)

        self.push_screen(question, answered)

    def stop_and_leave(self, reason: str, exit_code: int, by: str = "") -> None:
        """End the run, and leave as soon as it has ended."""
        self._to_live()
        screen = self.screen
        if not isinstance(screen, LiveScreen) or not self.is_live:
            self._leave()
            return
        refusal = screen.control.stop(reason, exit_code, by)
        if refusal is not None:
            screen.say(refusal.text, "warning")
            return
        self.exit_when_done, self._leaves_at_end = False, True
        screen.say("stopping after this batch; the screen closes once the record is complete")
        self.clock.hurry()

    def _leave(self) -> None:
        ended = self.host.history.ended if self.host is not None else None
        self.exit(ended.exit_code if ended is not None else 0)

    # Frames

    def _frame(self) -> None:
        if self.host is not None:
            self.host.poll()
            self._follow_up(self.host)
        screen = self.screen
        if isinstance(screen, TrainerScreen) and screen.composed:
            screen.draw()

    def _follow_up(self, host: Host) -> None:
        """What was to happen as the run ends."""
        if host.history.ended is None:
            return
        if self._next is not None:
            spec, self._next = self._next, None
            self._start(spec)
        elif self._leaves_at_end:
            self._leave()


def _here(style_sheet: str) -> Path:
    return Path(__file__).with_name(style_sheet)
