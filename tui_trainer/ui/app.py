"""The app: it alone knows all screens, and opens them for each other; one clock for all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.background_tasks import BackgroundTasks
from tui_trainer.ui.context import SAID_FOR, AppContext, ContextApp
from tui_trainer.ui.formatting import TextFilter
from tui_trainer.ui.frame_clock import FrameClock
from tui_trainer.ui.keys import KeyContext, bindings
from tui_trainer.ui.launching import Launching
from tui_trainer.ui.leaving import Leaving
from tui_trainer.ui.live.screen import LiveScreen, back_to_run
from tui_trainer.ui.live.why import Announcing
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.terminal.textual_internals import exception_of
from tui_trainer.ui.theme import THEMES
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.filter import LineFilter

    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.records.range_tests import RangeTestRecord
    from tui_trainer.run_request import Extension
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.run_spec import RunSpec
    from tui_trainer.ui.find_lr.screen import Original
    from tui_trainer.ui.presets.editor import Copy
    from tui_trainer.ui.terminal.terminal import Terminal


class TrainerApp(ContextApp):
    """Shows one run, or the presets to start one from. Its return value is the exit code of the command.

    Args:
        context: what the command gives; the run to show, too, and without one the presets are opened.
        terminal: what `show` keeps for the app; None in tests.
        comparison: one to show instead, and what trains it in this process.
        range_test: a recorded one to show instead.
    """

    TITLE = "tui-trainer"
    CSS_PATH: ClassVar[str] = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")

    def __init__(
        self,
        context: AppContext,
        terminal: Terminal | None = None,
        comparison: tuple[Comparison, Queue | None] | None = None,
        range_test: RangeTestRecord | None = None,
    ) -> None:
        # Textual reads no style sheet of a default screen.
        others = "presets/picker.tcss" if comparison is None else "compare/screen.tcss"
        if range_test is not None:
            others = "find_lr/screen.tcss"
        first = "live/screen.tcss" if context.source is not None else others
        super().__init__(driver_class=_driver(terminal), css_path=[_here(self.CSS_PATH), _here(first)])
        self.context = context
        context.clock = FrameClock(self, self._frame)
        context.tasks = BackgroundTasks(self)
        context.say, context.unsay = self.say, self.unsay
        context.pages = self
        self.launching = Launching(self)
        self.leaving = Leaving(self, is_broken=lambda: self.failure is not None)
        self._announcing = Announcing(self)
        self._comparison, self._range_test = comparison, range_test
        self._opens_comparison = False
        """Whether one is being opened."""
        self._terminal = terminal
        self._streams = sys.stdout, sys.stderr
        self._as_text = TextFilter()
        for theme in THEMES:
            self.register_theme(theme)
        kept = context.settings.kept.theme
        first_theme = kept if kept in self.available_themes else THEMES[0].name
        # As `self.theme = ...` would, but without styling a second time what has not been styled yet.
        self.set_reactive(App.theme, first_theme)
        self.add_class(f"-theme-{first_theme}", update=False)
        self.stylesheet.set_variables(self.get_css_variables())

    @property
    def detached(self) -> bool:
        """Whether the person left what trains to go on in the background."""
        return self.leaving.detached

    @property
    def hung_up(self) -> bool:
        """Whether the app ended because its terminal is gone."""
        return self.leaving.hung_up

    @property
    def failure(self) -> BaseException | None:
        """What broke the app or its screen, if something did."""
        return exception_of(self) or (self._terminal.failure if self._terminal is not None else None)

    def say(self, text: str, role: str = "live", seconds: float | None = None) -> None:
        """Answer in one quiet line, on the screen on show."""
        if isinstance(self.screen, TrainerScreen):
            self.screen.say(text, role, seconds)

    def unsay(self, text: str) -> None:
        """Say it no longer, on the screen on show."""
        if isinstance(self.screen, TrainerScreen):
            self.screen.key_line.unsay(text)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own; and whatever a widget shows, it shows as text."""
        return [*super().get_line_filters(), self._as_text]

    def get_default_screen(self) -> Screen[Any]:
        context = self.context
        if context.source is not None:
            return LiveScreen(context.source, context.by, context.request)
        if self._comparison is not None:
            from tui_trainer.ui.compare.screen import CompareScreen

            return CompareScreen(*self._comparison)
        if self._range_test is not None:
            return _screen_of(self._range_test, self._range_test.spec)
        from tui_trainer.ui.presets.picker import PickerScreen

        return PickerScreen(say("picker.choose"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """All keys of the screen by name, then what Textual has beside them."""
        from tui_trainer.ui.help import NOT_OF_TEXTUAL, commands_of

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
        self.context.tasks.finish()
        self.context.settings.settle()

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
        if self.context.on_resize is not None:
            self.context.on_resize(*event.size)

    def on_ready(self) -> None:
        """The first frame is on the screen: a record, which may be long, is read after it."""
        self.context.is_shown = True
        self.context.clock.start()
        if self.context.first_word:
            self.say(self.context.first_word, "warning", SAID_FOR)
        if self.context.on_shown is not None:
            self.context.on_shown()

    # What screens ask for

    def start_run(self, spec: RunSpec) -> None:
        self.launching.take_up(spec)

    def resume_run(self, folder: Path, extension: Extension | None = None) -> None:
        self.launching.resume(folder, extension)

    def show_run(self, folder: Path) -> None:
        """Look at a run; at the one on show already, by going back to it."""
        from tui_trainer.records.errors import RunsError
        from tui_trainer.records.run_index import is_record
        from tui_trainer.run_sources.registry import open_source
        from tui_trainer.ui.runs.screen import OtherRunScreen

        source = self.context.source
        on_show = source.history.started if source is not None else None
        of_ours = source is not None and source.capabilities.tells_end and is_record(folder)
        if of_ours and on_show is not None and on_show.run == folder.name:
            back_to_run(self)
            return
        readonly = source is not None and not source.capabilities.commands
        try:
            found = open_source(folder, readonly=readonly)
        except RunsError as error:  # somebody has deleted it, or what reads it is not installed
            self.say(str(error), "warning")
        else:
            self.push_screen(OtherRunScreen(found, self.context.by))

    def show_far_run(self, address: str) -> None:
        """Look at a run on another machine, once the connection is made; nobody is asked for a password."""
        from tui_trainer.errors import UserError
        from tui_trainer.records.errors import RunsError
        from tui_trainer.remote.address import Address
        from tui_trainer.remote.connection import Lost
        from tui_trainer.run_sources.remote_source import RemoteSource
        from tui_trainer.ui.runs.screen import OtherRunScreen

        source, began_on = self.context.source, self.screen
        readonly = source is not None and not source.capabilities.commands

        def connect() -> RemoteSource:
            try:
                found = RemoteSource(Address.of(address), readonly=readonly, asks=None, warn=lambda _: None)
            except (Lost, UserError) as error:
                raise RunsError(str(error)) from error
            if not self.is_running:  # left meanwhile
                found.close()
            return found

        def opened(found: RemoteSource) -> None:
            if self.screen is began_on:
                self.push_screen(OtherRunScreen(found, self.context.by))
            else:
                found.close()

        self.say(say("runs.connecting", host=plain(address)))
        self.context.tasks.run(connect, opened, lambda error: self.say(str(error), "warning"))

    def show_range_test(self, folder: Path) -> None:
        from tui_trainer.records import range_tests

        began_on = self.screen

        def read() -> tuple[RangeTestRecord, RunSpec]:
            record = range_tests.read(folder)
            return record, record.spec

        def opened(found: tuple[RangeTestRecord, RunSpec]) -> None:
            if self.screen is began_on:
                self.push_screen(_screen_of(*found))

        self.context.tasks.run(read, opened, self._warn)

    def show_metrics(self, source: RunSource) -> None:
        from tui_trainer.ui.metrics.screen import MetricsScreen

        self.push_screen(MetricsScreen(source))

    def show_runs(self) -> None:
        from tui_trainer.ui.runs.screen import RunsScreen

        if self.context.runs is None:
            self.say(say("answer.no_runs_folder"), "warning")
        else:
            self.push_screen(RunsScreen(self.context.runs, self.context.named))

    def show_confusion(self, source: RunSource) -> None:
        from tui_trainer.ui.confusion.screen import ConfusionScreen

        self.push_screen(ConfusionScreen(source))

    def show_order(self, source: RunSource) -> None:
        from tui_trainer.ui.order.screen import OrderScreen

        self.push_screen(OrderScreen(source))

    @property
    def can_break_it(self) -> bool:
        if self.context.launcher is not None:
            return True
        source = self.context.source
        return source is not None and source.history.program is not None and find_spec("torch") is not None

    def break_it(self, mistake: str = "") -> None:
        if not self.can_break_it:
            self.say(say("answer.nothing_trained_here"), "warning")
            return
        from tui_trainer.mistakes.runner import InProcessPair
        from tui_trainer.ui.mistakes.screen import BreakItScreen

        self.push_screen(BreakItScreen(InProcessPair, mistake))

    def show_presets(self) -> None:
        from tui_trainer.ui.presets.picker import PickerScreen

        heading = say("picker.switch" if self.context.is_live else "picker.choose")
        self.push_screen(PickerScreen(heading))

    def edit_preset(self, entry: PresetEntry) -> None:
        from tui_trainer.ui.presets.editor import EditorScreen, copy_of
        from tui_trainer.ui.presets.picker import PickerScreen

        def opened(copy: Copy) -> None:
            if isinstance(self.screen, PickerScreen):  # the person may have gone on meanwhile
                self.push_screen(EditorScreen(copy))

        self.context.tasks.run(lambda: copy_of(entry), opened, self._warn)

    def find_lr(self, entry: PresetEntry, spec: RunSpec) -> None:
        from tui_trainer.run_sources.lr_finding import InProcessFinding
        from tui_trainer.ui.find_lr.screen import FindLRScreen, original_of
        from tui_trainer.ui.presets.picker import PickerScreen
        from tui_trainer.ui.presets.start_form import StartForm

        def opened(original: Original) -> None:
            if isinstance(self.screen, PickerScreen | StartForm):  # the person may have gone on meanwhile
                self.push_screen(FindLRScreen(spec, original, lambda spec: InProcessFinding(spec, self.context.runs)))

        self.context.tasks.run(lambda: original_of(entry.path, entry.name, spec.preset), opened, self._warn)

    def preset_saved(self, name: str) -> None:
        """Back to the list, which has it now."""
        from tui_trainer.ui.find_lr.screen import FindLRScreen
        from tui_trainer.ui.presets.editor import EditorScreen
        from tui_trainer.ui.presets.picker import PickerScreen
        from tui_trainer.ui.presets.start_form import StartForm

        if isinstance(self.screen, EditorScreen | FindLRScreen):
            self.pop_screen()
        if isinstance(self.screen, StartForm):  # of the preset that was copied
            self.screen.action_cancel()
        if isinstance(self.screen, PickerScreen):
            self.screen.reload(name)
            self.screen.say(say("editor.saved", name=name))

    def compare(self, names: Sequence[str]) -> None:
        """Compare presets and runs, where that can be done from here."""
        wanted, compare = list(names), self.context.on_compare
        if compare is None:
            self.say(say("answer.compare_elsewhere", names=" ".join(names)).rstrip())
            return
        self.say(say("answer.comparison_opens"))
        if not self._opens_comparison:
            self._opens_comparison = True
            self.context.tasks.run(lambda: compare(wanted), self._show_comparison, self._warn_of_comparison)

    def _show_comparison(self, opened: tuple[Comparison, Queue | None] | None) -> None:
        from tui_trainer.ui.compare.screen import CompareScreen

        self._opens_comparison = False
        if opened is not None:
            self.push_screen(CompareScreen(*opened))

    def _warn_of_comparison(self, error: Exception) -> None:
        self._opens_comparison = False
        self._warn(error)

    def _warn(self, error: Exception) -> None:
        self.say(str(error), "warning")

    def comparison_is_over(self, screen: Screen[Any], exit_code: int) -> None:
        # One that was opened over a run ends nothing: the app is there for the run.
        if self.context.exit_when_done and self._comparison is not None and screen is self.screen_stack[0]:
            self.exit(exit_code)

    def leave(self) -> None:
        self.action_leave()

    # Keys

    def watch_theme(self, theme: str) -> None:
        """A person chose it, as the app itself sets it unseen."""
        if self.is_running and theme != self.context.settings.kept.theme:
            self.context.settings.change(theme=theme)

    def action_help(self) -> None:
        from tui_trainer.ui.help import HelpScreen

        places: list[KeyContext] = list(self.screen.places) if isinstance(self.screen, TrainerScreen) else []
        focused = self.focused.place if isinstance(self.focused, Panel) else None
        name = f"help for {focused} of {places}"
        if not self.is_screen_installed(name):  # kept, so that it comes at once the next time
            self.install_screen(HelpScreen(places, focused), name)
        self.push_screen(name)

    def action_break_it(self) -> None:
        self.break_it()

    def action_leave(self) -> None:
        """What trains a comparison in this process, on show or under what is, is asked about before a run."""
        for screen in self.screen_stack:
            if isinstance(screen, TrainerScreen) and screen.trains is not None:
                self.leaving.ask_of_comparison(screen.trains, paused=screen.stands_still)
                return
        self.leaving.ask()

    async def action_quit(self) -> None:
        """Textual's own way out, by ctrl+q and the palette: asks all the same."""
        self.action_leave()

    # Frames

    def _frame(self) -> None:
        context = self.context
        if trouble := context.settings.new_trouble():
            self.say(trouble, "warning")
        if context.source is not None:
            context.follow(context.source)
            self._announcing.tell(context.source)
            if not context.is_live and not self.launching.follow_up():
                self.leaving.follow_up()
        shown = self.screen_stack[-1:]  # empty for a moment while screens change, and at the end
        lags = self._terminal is not None and self._terminal.screen.lags
        if shown and isinstance(shown[0], TrainerScreen) and shown[0].composed and not lags:
            shown[0].draw()
            context.clock.at_ease = shown[0].at_ease


def _driver(terminal: Terminal | None) -> type[Driver] | None:
    """Textual's driver for the terminal that is kept; None for its own choice."""
    if terminal is None:
        return None
    from tui_trainer.ui.terminal.driver import driver_of

    return driver_of(terminal)


def _screen_of(range_test: RangeTestRecord, spec: RunSpec) -> Screen[Any]:
    """Of a recorded one, and what was tested."""
    from tui_trainer.run_sources.lr_finding import RecordedFinding
    from tui_trainer.ui.find_lr.screen import FindLRScreen

    finding = RecordedFinding(range_test)
    return FindLRScreen(spec, None, lambda _: finding)


def _here(style_sheet: str) -> Path:
    return Path(__file__).parent / style_sheet
