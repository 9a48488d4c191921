"""What the app, its screens and its parts have in common: what the command gave, and what one of them needs of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tui_trainer.commands import SwitchPreset
from tui_trainer.errors import UserError
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.terminal.textual_internals import SparingApp

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.queue import Queue
    from tui_trainer.events import PlanMade
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.presets.rules import RunConditions
    from tui_trainer.presets.schema import MadeFor, Preset
    from tui_trainer.run_request import Extension, RunRequest
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.run_spec import RunSpec
    from tui_trainer.ui.background_tasks import BackgroundTasks
    from tui_trainer.ui.frame_clock import FrameClock

SAID_FOR = 30.0
"""Seconds that it is said that options are left out."""


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

    def trains(self, source: RunSource) -> bool:
        """Whether this run trains, or did, in this process."""


class Say(Protocol):
    """Answers in one quiet line, on the screen on show, for so many seconds."""

    def __call__(self, text: str, role: str = "live", seconds: float | None = None) -> None: ...


class Pages(Protocol):
    """What a screen asks of the app, which alone knows the other screens.

    These are calls and no messages: the next key, which may have come in one piece with this one over a slow link, must
    find what this one opened.
    """

    def start_run(self, spec: RunSpec) -> None:
        """Start a run; where one is live, ask first how it is to take up the preset."""

    def resume_run(self, folder: Path, extension: Extension | None = None) -> None:
        """Go on with a run that ended early, or beyond its end, in a process of its own that outlives this one."""

    def show_run(self, folder: Path) -> None:
        """Look at a run by its record; at the one on show already, by going back to it."""

    def show_range_test(self, folder: Path) -> None:
        """A recorded LR range test, in a folder of its own."""

    def show_metrics(self, source: RunSource) -> None:
        """All series of a run."""

    def show_far_run(self, address: str) -> None:
        """Look at a run on another machine."""

    def show_runs(self) -> None:
        """The list of all runs."""

    def show_confusion(self, source: RunSource) -> None:
        """What the network of a run confuses."""

    def show_order(self, source: RunSource) -> None:
        """What is wrong with the order of calls of a watched program."""

    @property
    def can_break_it(self) -> bool:
        """Whether mistakes can be trained from here."""

    def break_it(self, mistake: str = "") -> None:
        """The page of mistakes to try, with the cursor on this one, by the name that `call_order` has for it."""

    def show_presets(self) -> None:
        """The list of presets."""

    def edit_preset(self, entry: PresetEntry) -> None:
        """A copy of a preset, to be changed and saved."""

    def find_lr(self, entry: PresetEntry, spec: RunSpec) -> None:
        """A range test of a preset on what a run of it would have."""

    def preset_saved(self, name: str) -> None:
        """A screen wrote a preset of the user's own, and is done."""

    def compare(self, names: Sequence[str]) -> None:
        """Compare presets and runs by name; without names, the run on show with those most like it."""

    def comparison_is_over(self, screen: Screen[Any], exit_code: int) -> None:
        """All of the comparison on a screen is trained, as far as it is trained here."""

    def leave(self) -> None:
        """As the key `q`."""


@dataclass(kw_only=True)
class AppContext:
    """Made by a command; the app adds the clock, the tasks, the voice and the pages."""

    source: RunSource | None = None
    """The run on show, which another may follow; None where there is none yet."""
    launcher: Launcher | None = None
    """Starts runs; None where none can be started, as on a run of another process."""
    request: RunRequest | None = None
    """What runs started from the presets have beside their preset; None for the defaults."""
    runs: Path | None = None
    """The folder of all runs; None where there is none to look into."""
    named: Path | None = None
    """What a person named to look at: what other tools have recorded there is in the list of runs, too."""
    by: str = "screen"
    """Who asks, as the run's record has it."""
    first_word: str = ""
    """What is to be said of the run on show, once there is a screen to say it on."""
    exit_when_done: bool = False
    """Leave as the run, or the comparison, ends."""
    bell: frozenset[str] = frozenset()
    """The kinds of notices that ring the terminal's bell, `end` among them if the end of a run does."""
    settings: Settings = field(default_factory=Settings)
    """What is kept from start to start; by default nothing, and no hints are given."""
    on_shown: Callable[[], None] | None = None
    """Called once the first frame is on the screen: a good time to begin what is slow."""
    on_detach: Callable[[], None] | None = None
    """Called after the screen was left, where the person chose to keep the run training; None where that cannot be."""
    on_signal: Callable[[int], None] | None = None
    """Called with each signal to this process, where that means the run on show, which another one trains."""
    on_resize: Callable[[int, int], object] | None = None
    """Called with the columns and lines of the terminal as they change."""
    on_resume: Callable[[Path], None] | None = None
    """Goes on with the run of a record in a process of its own, and returns as soon as that trains; where it cannot, it
    raises what a person should read. None where no run can be gone on with from here."""
    on_extend: Callable[[Path, Extension], None] | None = None
    """The same for a finished run, for more epochs."""
    on_compare: Callable[[Sequence[str]], tuple[Comparison, Queue | None] | None] | None = None
    """What `c` does with the names of presets or runs: a comparison to show, and what trains it here."""
    is_shown: bool = field(default=False, init=False)
    """Whether the first frame is on the screen."""
    clock: FrameClock = field(init=False)
    tasks: BackgroundTasks = field(init=False)
    say: Say = field(init=False)
    unsay: Callable[[str], None] = field(init=False)
    pages: Pages = field(init=False)

    @property
    def can_begin(self) -> bool:
        """Whether a preset can be trained from here: as a new run, or in the one on show from its next epoch on."""
        if self.launcher is not None or self.source is None:
            return self.launcher is not None
        history, recipe = self.source.history, self.source.history.recipe
        last = recipe.epochs if recipe is not None else None
        if last is None or SwitchPreset not in self.source.capabilities.commands:
            return False
        return self.is_live and max(history.epoch, 1) < last

    @property
    def is_live(self) -> bool:
        """Whether there is a run on show that goes on."""
        return self.source is not None and self.source.history.ended is None

    @property
    def is_paused(self) -> bool:
        """Whether the run on show stands still, and has not ended."""
        return self.source is not None and self.source.history.status == "paused"

    @property
    def trains_here(self) -> bool:
        """Whether the run on show trains, or did, in this process."""
        return self.launcher is not None and self.source is not None and self.launcher.trains(self.source)

    @property
    def is_ours(self) -> bool:
        """Whether the run on show is this command's, in this process or in one that outlives its screen."""
        return self.trains_here or (self.launcher is None and self.can_detach)

    @property
    def can_detach(self) -> bool:
        """Whether a live run can be left training in the background."""
        return self.on_detach is not None

    @property
    def planner(self) -> Planner | None:
        """Whom to ask for the LR of a preset, if there is anybody."""
        return self.launcher.planner if self.launcher is not None else None

    @property
    def defaults(self) -> RunSpec | None:
        """What runs have beside their preset; None for the usual, and where what was asked for is no good, which is
        said once: a run started here would not have it."""
        if self.request is None:
            return None
        try:
            return self.request.spec
        except UserError as error:
            first, *_ = str(error).splitlines() or [""]
            self.say(say("screen.without_options", why=plain(first)), "warning", SAID_FOR)
            self.request = None
            return None

    def spec_with(self, name: str, preset: Preset) -> RunSpec:
        """The run that a preset would start from here.

        Raises:
            PresetError: the preset cannot have the epochs or the batch size that were asked for.
        """
        from tui_trainer.run_spec import RunSpec

        if self.defaults is None or self.request is None:
            return RunSpec.of(name, preset)
        return self.request.spec_with(name, preset)

    def conditions(self, made_for: MadeFor | None) -> RunConditions:
        """What a preset does not say of the runs started from here, for its checks."""
        from tui_trainer.presets.rules import RunConditions

        given = self.request.options if self.defaults is not None and self.request is not None else {}
        return RunConditions.of(made_for, given)

    def follow(self, source: RunSource) -> None:
        """Take what is new of a run. While a long record is being read, frames follow each other without a rest."""
        source.poll()
        self.clock.behind |= source.lags


class ContextApp(SparingApp[int]):
    """All that screens and widgets know of the app: Textual's own, and the context."""

    context: AppContext
