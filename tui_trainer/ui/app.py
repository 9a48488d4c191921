"""The app: which screen is on show, and one clock for all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui_trainer.run_request import RunRequest
from tui_trainer.ui.announcing import Announcing
from tui_trainer.ui.background_tasks import BackgroundTasks
from tui_trainer.ui.compare.comparing import Comparing
from tui_trainer.ui.frame_clock import FrameClock
from tui_trainer.ui.keys import KeyContext, bindings
from tui_trainer.ui.launching import Launcher, Launching
from tui_trainer.ui.leaving import Leaving
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.runs.browsing import Browsing
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.terminal.textual_internals import exception_of
from tui_trainer.ui.text_filter import TextFilter
from tui_trainer.ui.theme import THEMES
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from textual.filter import LineFilter

    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.plotting.figure import Marks
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.run_spec import RunSpec
    from tui_trainer.ui.presets.editor import Copy
    from tui_trainer.ui.terminal.terminal import Terminal


class TrainerApp(App[int]):
    """Shows one run, or the presets to start one from. Its return value is the exit code of the command.

    Args:
        launcher: starts runs; None where none can be started, as on a run of another process.
        host: the run to show; None opens the presets.
        asked: what runs started from the presets have beside their preset; None for the defaults.
        exit_when_done: leave as the run ends.
        on_shown: called once the first frame is on the screen: a good time to begin what is slow.
        on_detach: called after the screen was left, where the person chose to keep the run training; None where
            that cannot be.
        on_compare: what `c` does with the names of presets or runs: a comparison to show, and what trains it here.
        comparison: the one to show instead of a run.
        queue: what trains it in this process.
        by: who asks, as the run's record has it.
        runs: the folder of all runs, for the list of them.
        terminal: what `showing.show` keeps for the app; None in tests.
        bell: the kinds of notices that ring the terminal's bell, `end` among them if the end of a run does.
        remembered: what is kept from start to start; None where nothing is, and no hints are given.
    """

    TITLE = "tui-trainer"
    CSS_PATH: ClassVar[str] = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")

    def __init__(
        self,
        launcher: Launcher | None,
        host: RunSource | None,
        asked: RunRequest | None = None,
        exit_when_done: bool = False,
        *,
        on_shown: Callable[[], None] | None = None,
        on_detach: Callable[[], None] | None = None,
        on_compare: Callable[[Sequence[str]], tuple[Comparison, Queue | None] | None] | None = None,
        comparison: Comparison | None = None,
        queue: Queue | None = None,
        by: str = "screen",
        runs: Path | None = None,
        terminal: Terminal | None = None,
        bell: frozenset[str] = frozenset(),
        remembered: Settings | None = None,
    ) -> None:
        # Textual reads no style sheet of a default screen.
        others = "presets/picker.tcss" if comparison is None else "compare/screen.tcss"
        first = "live/screen.tcss" if host is not None else others
        driver = terminal.driver() if terminal is not None else None
        super().__init__(driver_class=driver, css_path=[_here(self.CSS_PATH), _here(first)])
        self.host = host
        self.remembered = remembered or Settings()
        self.on_shown = on_shown
        self.on_detach = on_detach
        self.on_compare = on_compare
        self.is_shown = False
        """Whether the first frame is on the screen."""
        self.comparing = Comparing(self, exit_when_done)
        self._comparison = comparison, queue
        self.by = by
        self.detached = False
        """Whether the person left a live run training in the background."""
        self.hung_up = False
        """Whether the app ended because its terminal is gone."""
        self.errands = BackgroundTasks(self)
        self.clock = FrameClock(self, self._frame)
        self.launching = Launching(self, launcher, asked)
        self.leaving = Leaving(self, exit_when_done)
        self.announcing = Announcing(self, bell)
        self.browsing = Browsing(self, runs, readonly=host is not None and host.readonly)
        self._terminal = terminal
        self._streams = sys.stdout, sys.stderr
        self._as_text = TextFilter()
        for theme in THEMES:
            self.register_theme(theme)
        kept = self.remembered.kept.theme
        first_theme = kept if kept in self.available_themes else THEMES[0].name
        # As `self.theme = ...` would, but without styling a second time what has not been styled yet.
        self.set_reactive(App.theme, first_theme)
        self.add_class(f"-theme-{first_theme}", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    @property
    def can_detach(self) -> bool:
        """Whether a live run can be left training in the background."""
        return self.on_detach is not None

    @property
    def is_live(self) -> bool:
        """Whether there is a run on show that goes on."""
        return self.host is not None and self.host.history.ended is None

    @property
    def marks(self) -> Marks:
        """What charts are drawn with."""
        return self.remembered.marks

    @property
    def failure(self) -> BaseException | None:
        """What broke the app or its screen, if something did."""
        return exception_of(self) or (self._terminal.failure if self._terminal is not None else None)

    def say(self, text: str, role: str = "live", seconds: float | None = None) -> None:
        """Answer in one quiet line, on the screen on show."""
        if isinstance(self.screen, TrainerScreen):
            self.screen.say(text, role, seconds)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own; and whatever a widget shows, it shows as text."""
        return [*super().get_line_filters(), self._as_text]

    # Screens

    def get_default_screen(self) -> Screen[Any]:
        if self.host is not None:
            return LiveScreen(self.host, self.by, self.launching.asked)
        comparison, queue = self._comparison
        if comparison is not None:
            from tui_trainer.ui.compare.screen import CompareScreen

            return CompareScreen(comparison, queue)
        from tui_trainer.ui.presets.picker import PickerScreen

        return PickerScreen("choose a preset to train with")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """All keys of the screen by name, then what Textual has beside them."""
        from tui_trainer.ui.command_palette import NOT_OF_TEXTUAL, commands_of

        yield from commands_of(self, screen)
        own = super().get_system_commands(screen)
        yield from (command for command in own if command.title not in NOT_OF_TEXTUAL)

    def on_mount(self) -> None:
        if self._terminal is not None:
            # Textual swallows what is printed; the terminal has turned these to the log.
            sys.stdout, sys.stderr = self._streams
        self.leaving.begin()

    def on_unmount(self) -> None:
        """The screen is gone: what was begun on it is brought to its end."""
        self.errands.finish()
        self.remembered.settle()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded and isinstance(self.screen, TrainerScreen):
            self.screen.key_line.quiet()  # before the key is obeyed, which may say something new
        await super().on_event(event)

    def on_resize(self, event: events.Resize) -> None:
        # The front screen's size, not the app's: one that was between these two may never have come to it.
        if self.screen_stack and self.screen_stack[-1].outer_size == event.size:
            self.refresh(layout=True)  # smaller for a moment, the terminal lost what was on it
        for screen in self.screen_stack[:-1]:
            if isinstance(screen, TrainerScreen):
                screen.suit(event.size)

    def on_ready(self) -> None:
        """The first frame is on the screen: a record, which may be long, is read after it."""
        self.is_shown = True
        self.clock.start()
        if self.on_shown is not None:
            self.on_shown()

    def show_run(self, host: RunSource, spec: RunSpec) -> None:
        """Show another run; the one before it is looked at no more."""
        live = self.to_live()
        if self.host is not None:
            self.host.close()
        self.host = host
        if live is not None:
            live.follow(host, RunRequest.of(spec))
        else:
            self.push_screen(LiveScreen(host, self.by, RunRequest.of(spec)))
        self.clock.hurry()

    def to_live(self) -> LiveScreen | None:
        """Back to the run on show, from whatever lies over it; None where there is none."""
        while len(self.screen_stack) > 1 and self._live() is None:
            self.pop_screen()
        return self._live()

    def _live(self) -> LiveScreen | None:
        """The screen in front, if it shows the run on show: one opened from the list of runs shows another."""
        screen = self.screen
        return screen if isinstance(screen, LiveScreen) and screen.host is self.host else None

    def open_presets(self) -> None:
        """The picker, over the run on show."""
        from tui_trainer.ui.presets.picker import PickerScreen

        heading = "switch to another preset" if self.is_live else "choose a preset to train with"
        self.push_screen(PickerScreen(heading))

    def edit(self, entry: PresetEntry) -> None:
        """A copy of a preset, to be changed and saved."""
        from tui_trainer.ui.presets.editor import EditorScreen, copy_of

        def opened(copy: Copy) -> None:
            if isinstance(self.screen, PickerScreen):  # the person may have gone on meanwhile
                self.push_screen(EditorScreen(copy))

        from tui_trainer.ui.presets.picker import PickerScreen

        self.errands.run(lambda: copy_of(entry), opened, lambda error: self.say(str(error), "warning"))

    def saved(self, name: str) -> None:
        """A preset of the user's own was written: back to the list, which has it now."""
        from tui_trainer.ui.presets.picker import PickerScreen

        self.pop_screen()
        if isinstance(self.screen, PickerScreen):
            self.screen.reload(name)
            self.screen.say(f"saved as {name}")

    def compare(self, names: Sequence[str]) -> None:
        """Compare presets and runs, where that can be done from here."""
        self.comparing.ask(names)

    def watch_theme(self, theme: str) -> None:
        """A person chose it, as the app itself sets it unseen."""
        if self.is_running and theme != self.remembered.kept.theme:
            self.remembered.change(theme=theme)

    def action_help(self) -> None:
        from tui_trainer.ui.help import HelpScreen

        places: list[KeyContext] = list(self.screen.places) if isinstance(self.screen, TrainerScreen) else []
        focused = self.focused.place if isinstance(self.focused, Panel) else None
        name = f"help for {focused} of {places}"
        if not self.is_screen_installed(name):  # kept, so that it comes at once the next time
            self.install_screen(HelpScreen(places, focused), name)
        self.push_screen(name)

    def action_break_it(self) -> None:
        self.launching.break_it()

    def action_leave(self) -> None:
        if not self.comparing.leave():
            self.leaving.ask()

    async def action_quit(self) -> None:
        """Textual's own way out, by ctrl+q and the palette: asks all the same."""
        self.action_leave()

    # Frames

    def follow(self, host: RunSource) -> None:
        """Take what is new of a run. While a long record is being read, frames follow each other without a rest."""
        host.poll()
        self.clock.behind |= host.lags

    def _frame(self) -> None:
        if trouble := self.remembered.new_trouble():
            self.say(trouble, "warning")
        if self.host is not None:
            self.follow(self.host)
            self.announcing.tell(self.host)
            if self.host.history.ended is not None and not self.launching.follow_up():
                self.leaving.follow_up()
        shown = self.screen_stack[-1:]  # empty for a moment while screens change, and at the end
        lags = self._terminal is not None and self._terminal.screen.lags
        if shown and isinstance(shown[0], TrainerScreen) and shown[0].composed and not lags:
            shown[0].draw()
            self.clock.at_ease = shown[0].at_ease


def _here(style_sheet: str) -> Path:
    return Path(__file__).parent / style_sheet
