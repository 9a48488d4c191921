"""The live screen: cause under effect. The loss over the LR on one x axis, and beside them the loop that makes both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.commands import Command, OneBatch, Pause, SaveCheckpoint, SetEpochs, SetLR, SetPace
from tui_trainer.events import SLOW_MOTION, ResolvedConfig
from tui_trainer.records.history import History
from tui_trainer.run_sources.run_source import command_of
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.accuracy import AccuracyChart
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.charts.plan_strip import PlanStrip
from tui_trainer.ui.keys import KEYS, PANELS, KeyContext, bindings
from tui_trainer.ui.live.aftermath import ENDED_EARLY, Aftermath, Ways, can_be_extended, can_be_resumed, runs_code
from tui_trainer.ui.live.compact import CompactLines
from tui_trainer.ui.live.control import ChartKeys, Refusal, RunControl
from tui_trainer.ui.live.epochs import EpochTable
from tui_trainer.ui.live.layout import Arrangement, LineBudget
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.log_pane import LogPane
from tui_trainer.ui.live.loop import is_followed
from tui_trainer.ui.live.order import OrderLine
from tui_trainer.ui.live.recipe_loop import asked_recipe
from tui_trainer.ui.live.series import PinnedStrip, ToldCharts
from tui_trainer.ui.live.startup import Hints, StartupPanel
from tui_trainer.ui.live.status_lines import Headline, Progress, health_in_words
from tui_trainer.ui.live.typing import ENDS, takes_what_is_typed
from tui_trainer.ui.live.why import WARNED_FOR, Why
from tui_trainer.ui.machine.machine_panel import Machine, MachinePanel
from tui_trainer.ui.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tui_trainer.run_request import RunRequest
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.context import ContextApp

CONTROLS: dict[str, type[Command]] = {
    "pause": Pause,
    "one_batch": OneBatch,
    "slow_motion": SetPace,
    "checkpoint": SaveCheckpoint,
    "dial": SetLR,
    "epochs": SetEpochs,
}
"""What can be asked of a live run alone, and the command that asks it."""


LEAST_FOR_ACCURACY, LEAST_FOR_THREE = 140, 34
"""Columns and lines of a terminal in which the accuracy has a chart of its own."""

AT_ONCE = frozenset({"pause", "one_batch", "slow_motion"})
"""What keys of the bottom line have a run do. On one that was not started here a click, which may be no more than a way
to bring the window to the front, asks first."""

LEAST_FOR_PLAN = 20
"""Lines of a terminal that has room for the whole plan under the charts."""

PLACES: tuple[KeyContext, ...] = ("run", "watched", "charts", "why", "log", "panels")
"""Whose keys are of use."""


LEAST_COMPACT, LEAST_FOR_CHARTS, LEAST_FOR_PANELS = 5, 11, 16
"""Lines of a terminal with room for a line each of loss and LR; for their charts, if for nothing beside; for panels."""


class LiveScreen(ChartKeys):
    """One run, as it happens or as it was."""

    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-low"),
        (LEAST_COMPACT, "-compact"),
        (LEAST_FOR_CHARTS, "-lean"),
        (LEAST_FOR_PANELS, "-low"),
        *ChartKeys.VERTICAL_BREAKPOINTS[2:],
    ]

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("typing", *PLACES)

    def __init__(self, source: RunSource, by: str = "screen", request: RunRequest | None = None) -> None:
        """`request` is what the run was asked to be, where that is known: shown until the run itself tells."""
        super().__init__(*PLACES)
        self._by = by
        self._take(source, request)
        self.axis = XAxis()
        self._headline = Headline()
        self._waiting = StartupPanel()
        self.loss, self.lr = LossChart(self.axis, id="loss"), LRChart(self.axis, id="lr")
        self._plan = PlanStrip(self.axis, id="plan")
        self._listing, self._why = Listing(id="loop"), Why(id="why")
        machine = Machine()
        self._machine, self._log = MachinePanel(machine, id="machine"), LogPane(id="log")
        self._accuracy, self._epochs = AccuracyChart(self.axis, id="accuracy"), EpochTable(id="epochs")
        panels = (self.loss, self.lr, self._listing, self._why, self._machine, self._log, self._epochs)
        for panel in (*panels, self._accuracy):
            panel.can_focus = True
        self._progress = Progress(machine)
        self._compact = CompactLines()
        self._steps_axis = self.axis
        self._told: ToldCharts | None = None
        """Made for a run that tells numbers and no single steps."""
        self._order, self._strip, self._aftermath = OrderLine(), PinnedStrip(), Aftermath()
        self.hints = Hints()
        self._hints_wait = False
        """Whether they begin as soon as it is known that they will not come again."""
        self._arrangement = Arrangement(self, panels, self.context.settings)
        self._arrangement.arrange()  # before they are styled: later it costs a layout
        self._side = (self._listing, self._machine, self._epochs, self._why)
        self._arranged: tuple[object, ...] = ()

    def follow(self, source: RunSource, request: RunRequest | None = None) -> None:
        """Show another run."""
        self._take(source, request)
        self.axis.begin_anew()
        self.key_line.quiet()
        self.draw()

    def _take(self, source: RunSource, request: RunRequest | None) -> None:
        self.source = source
        self.control = RunControl(source, self._by)
        self._request = request
        self._is_read = False
        """Whether all that there was of its record has been read once."""
        self._asked_recipe: ResolvedConfig | None = None

    @property
    def at_ease(self) -> bool:
        return self.history.ended is not None

    @property
    def history(self) -> History:
        """The run on show."""
        return self.source.history

    def compose_content(self) -> ComposeResult:
        yield self._headline
        yield self._compact
        with Horizontal(id="body"):
            with Vertical(id="charts"):
                yield self._waiting
                yield self.loss
                yield self._accuracy
                yield self.lr
                yield self._plan
            with Vertical(id="side"):
                yield from self._side
        yield self._log
        yield self._aftermath
        yield self._order
        yield self._strip
        yield self._progress
        yield self.hints
        yield self.key_line

    def draw(self) -> None:
        history = self.history
        told = not history.steps and len(history.series) > 0
        began = history.steps > 0 or told
        self.set_class(began, "-began")
        self._tell(told)
        self.set_class(is_followed(history), "-followed")
        self._is_read |= not self.source.lags
        is_frozen = self.axis.mode == "held"
        self._headline.show(history, self._request, is_frozen=is_frozen, is_read=self._is_read)
        if not began:
            self._waiting.show(history, takes_commands=self.control.can_act)
        elif not told:
            self._show_accuracy(history)
            self.loss.show(history)
        if not told:
            self.lr.show(history)
        self._show_plan(history)
        if self.has_class("-compact"):
            self._compact.show(history)
        if self._asked_recipe is None and self._request is not None and self._request.ready is not None:
            self._asked_recipe = asked_recipe(self._request.ready)
        self._listing.show(history, self._asked_recipe, takes_commands=self.control.can_act)
        self._why.show(history, self.axis.at_cursor)
        self._epochs.show(history)
        changed = self._arrangement.arrange()
        self._log.show(self.source)
        self._machine.show(history, self.context.clock.budget.share)
        low = self.has_class("-low") or (self.has_class("-narrow") and not self.has_class("-very-tall"))
        self._strip.show(history, self.context.settings, self.app.size.width, 1 if low else 3)
        self._order.show(history, 3 if self.has_class("-tall") or self.has_class("-very-tall") else 1)
        most = 9 if self.has_class("-very-tall") else 6 if self.has_class("-tall") else 3
        if not began:  # the charts are empty
            most = max(most, self.app.size.height // 2)
        self._aftermath.show(self.source, self._ways(), self.app.size.width, most, self.context.tasks)
        self._make_room(changed)
        self._progress.show(history, self.context.clock.budget.share, says_why=not self._aftermath.says_why)
        self._hint()
        self.key_line.idle, self.key_line.instead = self._idle(), _instead(history)
        ours = self.context.is_ours or self.context.on_signal is not None
        self.key_line.asks_first = frozenset() if ours else AT_ONCE
        self._tell_answers()
        if self.control.waits or history.pace > 0 or (history.followed and history.paused is None):
            self.context.clock.keep_hurrying()

    def _show_accuracy(self, history: History) -> None:
        """The accuracy in a chart of its own, where one is known and the terminal is wide and high enough."""
        size = self.app.size
        wanted = (
            size.width >= LEAST_FOR_ACCURACY
            and size.height >= LEAST_FOR_THREE
            and history.best is not None
            and self.loss.has_class("-full")
        )
        if self._accuracy.display != wanted:
            self._accuracy.display = self.loss.accuracy_apart = wanted
            self.loss.redraw()
        if wanted:
            self._accuracy.show(history)

    def _show_plan(self, history: History) -> None:
        """The whole plan in a line, where the charts show a part of it, or did, and there is room for it."""
        if self._plan.axis is not self.axis:
            self._plan.stand_on(self.axis)
        self._plan.show(history)
        wanted = self._plan.is_wanted and self.app.size.height >= LEAST_FOR_PLAN
        if self._plan.display != wanted:
            self._plan.display = wanted

    def _idle(self) -> frozenset[str]:
        """Actions that would do nothing here and now."""
        taken = self.source.capabilities.commands if self.control.can_act else frozenset()
        none = {action for action, command in CONTROLS.items() if command not in taken}
        if self.context.on_compare is None:
            none.add("compare")
        if self.context.runs is None:
            none.add("runs")
        if not self.context.pages.can_break_it:
            none.add("app.break_it")
        goes_on = can_be_resumed(self.source) or (can_be_extended(self.source) and self.context.on_extend is not None)
        if not self._ways().resume or not goes_on:
            none.add("resume")
        none |= {"presets", "confusion"} if self.history.program is not None else {"order"}
        return frozenset(none)

    def _ways(self) -> Ways:
        """How one can go on from here with a run that has ended."""
        has = self.source.capabilities
        commands = bool(has.commands)
        resumes = commands and has.address is None and self.context.on_resume is not None
        return Ways(resumes, commands and self.context.launcher is not None, has.address)

    def _tell(self, told: bool) -> None:
        """Have the two charts of series in the place of loss and LR, or these again."""
        if self._told is None:
            if not told:
                return
            from tui_trainer.ui.charts.series_axis import SeriesAxis

            self._told = ToldCharts(SeriesAxis())
            self.query_one("#charts").mount(self._told.upper, self._told.lr, before=self._plan)
        self.set_class(told, "-told")
        self.axis = self._told.axis if told else self._steps_axis
        if told:
            has_lrs = self._told.show(self.history)
            self._told.upper.set_class(self.loss.has_class("-hidden"), "-hidden")
            self._told.lr.set_class(self.lr.has_class("-hidden") or not has_lrs, "-hidden")
            self._told.upper.labels = self._told.lr.has_class("-hidden")

    def action_smooth(self, more: bool) -> None:
        if self._told is None or not self.has_class("-told"):
            super().action_smooth(more)
            return
        window = self._told.smooth(more)
        self.say(say("answer.values_smoothed", window=window) if window > 1 else say("answer.values_not_smoothed"))
        self.context.clock.hurry()

    @property
    def charts_of_y(self) -> Sequence[Chart[Any]]:
        if self._told is None or not self.has_class("-told") or isinstance(self.focused, Chart):
            return super().charts_of_y
        return [self._told.upper]

    def action_clicked(self, action: str) -> None:
        from tui_trainer.ui.dialogs import acting

        def answered(answer: str | None) -> None:
            if answer:
                self.call_later(self.run_action, action)

        key = next(key for key in KEYS if key.place == "run" and key.action == action)
        self.app.push_screen(acting(key.label, key.does), answered)

    def action_pause(self) -> None:
        self._asked(self.control.pause_or_go_on())

    def action_one_batch(self) -> None:
        self._asked(self.control.one_batch())

    def action_checkpoint(self) -> None:
        self._asked(self.control.save_checkpoint())

    def action_slow_motion(self) -> None:
        self._asked(self.control.slow_motion())

    def action_dial(self) -> None:
        lrs = self.history.lrs
        if (refusal := self.control.refusal(SetLR)) is not None or not lrs:
            self._asked(refusal or Refusal(say("answer.not_begun")))
            return
        forms = say("entry.lr_forms", lr=format_lr(lrs[-1]))
        self._ask_for(say("entry.lr"), forms, SetLR.of, self.control.set_lr)

    def action_epochs(self) -> None:
        recipe = self.history.recipe
        if (refusal := self.control.refusal(SetEpochs)) is not None or recipe is None or recipe.epochs is None:
            self._asked(refusal or Refusal(say("answer.not_begun")))
            return
        now, at = f"{recipe.epochs:,}", f"{max(1, self.history.epoch):,}"
        forms = say("entry.epochs_forms", epochs=now, epoch=at, example=f"{recipe.epochs + 2}")
        self._ask_for(say("entry.epochs"), forms, SetEpochs.of, self.control.set_epochs)

    def _ask_for(
        self,
        title: str,
        forms: str,
        command_of: Callable[[str, str], Command],
        ask: Callable[[str], Refusal | None],
    ) -> None:
        """Have a line typed that makes a command, and send that."""

        def wrong(typed: str) -> str:
            try:
                command_of(typed, "")
            except ValueError as error:
                return str(error)
            return ""

        def typed(line: str | None) -> None:
            if line:
                self._asked(ask(line))

        from tui_trainer.ui.entry import Entry  # no first frame waits for it

        self.app.push_screen(Entry(title, [forms], wrong=wrong), typed)

    def action_health(self) -> None:
        words, is_ill = health_in_words(self.history)
        if is_ill:
            self.say(words, "warning", WARNED_FOR)
        else:
            self.say(words)

    def action_resume(self) -> None:
        history, folder = self.history, self.source.folder
        status = history.ended.status if history.ended is not None else ""
        if runs_code(history) and folder is not None and status in (*ENDED_EARLY, "finished"):
            more = ["--epochs", "EPOCHS"] if status == "finished" else []
            command = command_of("resume", folder, self._ways().address, *more, "--allow-code")
            self.say(say("question.resumes_none", command=command), "warning", WARNED_FOR)
        elif can_be_extended(self.source) and folder is not None and self.context.on_extend is not None:
            from tui_trainer.ui.more_epochs import ask_for_more_epochs

            ask_for_more_epochs(self, folder, history.ended.epoch if history.ended is not None else 0)
        elif history.ended is None or history.ended.status not in ENDED_EARLY:
            has = say("runs.goes_on") if history.ended is None else say("runs.has_ended", status=history.ended.status)
            self.say(say("runs.not_resumed", has=has), "warning")
        elif history.program is not None:
            self.say(say("watched.no_resume"), "warning")
        elif folder is None:
            self.say(say("crash.not_begun"), "warning")
        else:
            self.context.pages.resume_run(folder)

    def action_runs(self) -> None:
        self.context.pages.show_runs()

    def action_confusion(self) -> None:
        self.context.pages.show_confusion(self.source)

    def action_metrics(self) -> None:
        self.context.pages.show_metrics(self.source)

    def action_order(self) -> None:
        if self.history.program is None:
            self.say(say("answer.own_loop"))
        else:
            self.context.pages.show_order(self.source)

    def action_presets(self) -> None:
        if self.history.program is not None:
            self.say(say("watched.no_switch"), "warning")
        else:
            self.context.pages.show_presets()

    def action_compare(self) -> None:
        self.context.pages.compare([])

    def ask_to_switch(self, name: str, preset: dict[str, Any]) -> None:
        """Follow another preset from the next epoch on; the answer says from which."""
        self._asked(self.control.switch(name, preset))

    def action_older(self, lines: int) -> None:
        scrolled = next((panel for panel in (self._listing, self._epochs) if panel.has_focus), self._why)
        scrolled.scroll_by(lines)

    def action_log_page(self, pages: int) -> None:
        self._log.page(pages)

    def action_log_end(self) -> None:
        self._log.follow()

    def action_type(self) -> None:
        """To the command, by way of the log, which shows what it prints."""
        folder = self.source.folder
        if self.history.program is None or not self.source.capabilities.commands or not takes_what_is_typed(folder):
            self.say(say("watched.no_keyboard"), "warning")
            return
        while self._log.has_class("-hidden"):
            self.action_panel("6")
            self._arrangement.arrange()
        self._log.begin_typing(cast("Path", folder))
        self.key_line.typed = "typing"
        self.key_line.quiet()

    def action_stop_typing(self) -> None:
        if self._log.typing is None:
            raise SkipAction
        self._log.end_typing()
        self.key_line.typed = None
        self.key_line.redraw()

    def action_panel(self, number: str) -> None:
        panel = PANELS[number]
        if self.is_tight:
            self.say(say("state.no_room", lines=LEAST_FOR_PANELS), "warning")
            return
        form = self._arrangement.press(panel)
        if form is None:
            self.say(say("answer.last_panel"))
        else:
            self.say(panel.told(form, number))
        self.context.clock.hurry()

    def action_copy(self) -> None:
        focused = self.focused
        chart = self._told.upper if self._told is not None and self.has_class("-told") else self.loss
        self.copy(focused.copied() if isinstance(focused, Panel) else chart.copied())

    def action_back(self) -> None:
        if not self.hints.is_over:
            self.hints.end()
        else:
            super().action_back()

    def on_key(self, event: events.Key) -> None:
        if self._log.typing is None:
            self.hints.pressed(event.key)
            return
        event.stop()
        event.prevent_default()
        if event.key == ENDS:
            self.action_stop_typing()
        else:
            self._typed(self._log.typing.press(event))

    def on_paste(self, event: events.Paste) -> None:
        if self._log.typing is not None:
            event.stop()
            self._typed(self._log.typing.paste(event.text))

    def _typed(self, taken: bool) -> None:
        if not taken:
            self.action_stop_typing()
            self.say(say("watched.no_keyboard"), "warning")
        self._log.redraw()
        self.context.clock.hurry()

    @property
    def is_tight(self) -> bool:
        """Whether there is room for no panel but the charts, or for these neither."""
        return self.has_class("-compact") or self.has_class("-lean")

    def _hint(self) -> None:
        """On the first start of all, while there is something to see, and where they would not come again and again."""
        remembered = self.context.settings
        if self._hints_wait and (outlasts := remembered.outlasts) is not None:
            self._hints_wait = False
            if outlasts and self.history.ended is None:
                self.hints.begin(watched=self.history.program is not None)
        # They tell of keys that ask something of the run.
        live = self.history.steps > 0 and self.control.can_act and Pause in self.source.capabilities.commands
        if self.history.ended is not None and not self.hints.is_over:
            self.hints.end()
        if live and not remembered.kept.hints_seen:
            remembered.change(hints_seen=True)
            self._hints_wait = True

    def _asked(self, refusal: Refusal | None) -> None:
        if refusal is not None:
            self.say(refusal.text, "warning")
        else:  # at once, for the answer comes after the batch
            recipe = self.history.recipe
            unit = recipe.unit if recipe is not None and self.history.program is None else "step"
            self.say(say("answer.sent", unit=unit), "faint")
        self.context.clock.hurry()

    def _tell_answers(self) -> None:
        answers = self.control.answers()
        if not answers:
            self.key_line.redraw()
            return
        answer = answers[-1]
        who = "" if answer.by == "screen" else say("answer.asked_by", who=plain(answer.by))
        text = plain(answer.answer) if answer.accepted else f"{plain(answer.command)}: {plain(answer.answer)}"
        if answer.accepted and answer.command == SLOW_MOTION and self.history.paused is not None:
            text += f"; {say('state.space_continues')}"
        self.say(text + who, "live" if answer.accepted else "warning")

    def _make_room(self, changed: bool) -> None:
        """Every panel as high as what it shows; a layout, but only where something changes."""
        arrangement = self._arrangement
        room = LineBudget(
            self,
            (self.loss, self.lr),
            self._listing,
            self._why,
            self._machine,
            self._log,
            self._epochs,
            self.hints,
            arrangement.is_stacked,
            self._strip.height + self._order.height + self._aftermath.height + self._plan.display,
        )
        fixed = self._strip.height, self._order.height, self._aftermath.height
        arranged = (arrangement.is_stacked, room.heights(), self.has_class("-began"), fixed, self.is_tight)
        if not changed and arranged == self._arranged:
            return
        self._arranged = arranged
        _, heights, began, *_ = arranged
        for panel in (self._strip, self._order, self._aftermath):
            panel.styles.height, panel.display = panel.height, panel.height > 0 and not self.is_tight
        hidden = self.loss.has_class("-hidden") and self.lr.has_class("-hidden")
        charts = not began or not hidden or self.is_tight
        self.set_class(not charts, "-no-charts")
        others = all(panel.has_class("-hidden") for panel in self._side if panel is not self._epochs)
        epochs = heights.get("epochs", 0)
        only_epochs = others and not charts and self._log.has_class("-hidden")
        self._epochs.styles.height = "1fr" if only_epochs else epochs
        self._epochs.display = only_epochs or epochs > 0
        self.set_class(others and not self._epochs.display, "-no-side")
        self._listing.styles.height = heights.get("loop")
        self._why.styles.height = heights.get("why")
        alone = self.has_class("-no-charts") and self.has_class("-no-side")
        self._log.styles.height = None if alone else heights.get("log")
        self.loss.labels = not self.lr.has_class("-full")
        self.loss.redraw()


def _instead(history: History) -> dict[str, str]:
    """What keys do that did something once already, by their actions."""
    undone = {"pause": "go on"} if history.paused is not None else {}
    if history.pace > 0:
        undone["slow_motion"] = "full speed"
    return undone


def back_to_run(app: ContextApp) -> LiveScreen | None:
    """Back to the run on show, from whatever lies over it; None where there is none, with all screens but one gone."""
    while (live := _run_in_front(app)) is None and len(app.screen_stack) > 1:
        app.pop_screen()
    return live


def _run_in_front(app: ContextApp) -> LiveScreen | None:
    """The screen in front, if it shows the run on show: one opened from the list of runs shows another."""
    screen = app.screen
    return screen if isinstance(screen, LiveScreen) and screen.source is app.context.source else None
