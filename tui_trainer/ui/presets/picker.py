"""The presets in a list, with the LR that each would follow: to start a run from, or to switch a live one to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.events import MOMENTUM
from tui_trainer.run_options import PRESET
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.axis_keys import ScaleKeys
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.filtered_list import ChoosingScreen, FilteredList
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import BLANK, Line, Span
from tui_trainer.ui.presets.preset_card import PresetCard, Preview, file_lines

if TYPE_CHECKING:
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_spec import RunSpec

TALL_FROM = 44
"""Columns from which on there is room for the description under each name."""


def steps_when(entry: PresetEntry) -> str:
    """After what the scheduler steps, in a word or two; empty for none, or where the preset cannot be read."""
    preset = entry.preset
    if preset is None:
        return ""
    unit = preset.training.unit
    interval = {"step": unit, "epoch": "epoch"}.get(preset.scheduler.interval or "", "")
    if preset.warmup is None or interval == unit:
        return interval
    return say("picker.batch_then_epoch", unit=unit) if interval else unit


class PresetList(FilteredList["PresetEntry"]):
    """The presets, those of the user's own too."""

    def __init__(self) -> None:
        super().__init__()
        self._is_read = False
        self._early: list[Callable[[], None]] = []
        """What was asked for before they were read."""
        self._row_at: list[int] = []

    def name_of(self, item: PresetEntry) -> str:
        return item.name

    def words_of(self, item: PresetEntry) -> str:
        preset = item.preset
        if preset is None:
            return item.name
        made_for = preset.made_for.words if preset.made_for is not None else ""
        return f"{item.name} {preset.title} {preset.scheduler.name} {preset.optimizer.name} {made_for}"

    def can_be_marked(self, item: PresetEntry) -> bool:
        """A broken one cannot."""
        return item.preset is not None

    def put(self, entries: Sequence[PresetEntry], name: str = "") -> None:
        """Show other entries; the cursor goes to `name`, or stays on the same name."""
        name = name or (self.current.name if self.current else "")
        self._all, self._is_read = entries, True
        self.narrow(self.filter)
        self.go_to(name)
        early, self._early = self._early, []
        for each in early:
            each()

    def once_read(self, act: Callable[[], None]) -> None:
        """Do it now, or as soon as they were read."""
        if self._is_read:
            act()
        else:
            self._early.append(act)

    def move(self, by: int) -> None:
        self.once_read(partial(super().move, by))

    def mark(self) -> None:
        self.once_read(super().mark)

    def narrow(self, text: str) -> None:
        """Show what holds each word of the filter; the cursor stays on its preset, or goes to the first."""
        name = self.current.name if self.current else ""
        super().narrow(text)
        self._cursor = 0
        self.go_to(name)

    def go_to(self, name: str) -> None:
        """Put the cursor on a preset, if it is shown."""
        self._cursor = next((i for i, entry in enumerate(self._shown) if entry.name == name), self._cursor)
        self._cursor = max(0, min(self._cursor, len(self._shown) - 1))
        self.redraw()
        self.post_message(self.Moved())

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        blocks = [self._block(index, entry, width) for index, entry in enumerate(self._shown)]
        room = height - 2
        room -= sum(map(len, blocks)) > room  # a line says that there are more
        self._scroll_to_cursor([len(block) for block in blocks], room)
        lines: list[Line] = []
        self._row_at = []
        for index in range(self._top, len(blocks)):
            if len(lines) + len(blocks[index]) > room and lines:
                break
            self._row_at += [index] * len(blocks[index])
            lines += blocks[index]
        if more := len(blocks) - (self._row_at[-1] + 1 if self._row_at else 0):
            lines.append(self._more_below(more))
        if not self._is_read:
            return [(Span(" " + say("picker.reading"), "faint"),)]
        if not self._shown:
            lines = [(Span(" " + say("picker.none_match"), "faint"),)]
        return [self._filter_line(width, self._counted()), BLANK, *lines]

    def index_at(self, event: events.Click) -> int | None:
        row = event.y - 2
        return self._row_at[row] if 0 <= row < len(self._row_at) else None

    def _counted(self) -> str:
        own = sum(not entry.builtin for entry in self._all)
        return f" {counted(len(self._all), 'preset')}" + (f", {own} your own" if own else "")

    def _block(self, index: int, entry: PresetEntry, width: int) -> list[Line]:
        here = index == self._cursor
        role = "lit" if here else "warning" if entry.preset is None else ""
        sign = "+" if entry.name in self.marked else "!" if entry.preset is None else " "
        when = steps_when(entry)
        if width >= TALL_FROM:
            unused = say("picker.cannot_be_used" if entry.preset is None else "picker.never_steps")
            when = say("picker.steps_each", when=when) if when else unused
        name = plain(entry.name)
        if cell_len(name) + len(when) + 5 > width:
            when = ""  # a name that is cut could be another's
        if not entry.builtin:
            both = f"yours  {when}".rstrip()
            when = both if cell_len(name) + len(both) + 5 <= width else "yours"
        head = f"{'▌' if here else ' '}{sign} {fit(name, max(4, width - len(when) - 5))} {when} "
        block: list[Line] = [(Span(fit(head, width), role),)]
        if width >= TALL_FROM:
            about = entry.preset.title or entry.preset.description if entry.preset else str(entry.problems[0].message)
            block.append((Span("   "), Span(cut(plain(about), width - 5), "faint")))
            block.append(BLANK)
        return block

    def _scroll_to_cursor(self, heights: Sequence[int], room: int) -> None:
        self._top = min(self._top, self._cursor)
        while self._top < self._cursor and sum(heights[self._top : self._cursor + 1]) > room:
            self._top += 1


class PickerScreen(ScaleKeys, ChoosingScreen["PresetEntry"]):
    """Names at the left, the planned LR and all else at the right."""

    CSS_PATH: ClassVar[str] = "picker.tcss"
    BINDINGS = bindings("filter", "presets")

    def __init__(self, heading: str) -> None:
        super().__init__("presets")
        self._heading = PanelHeading(heading)
        self.list: PresetList = PresetList()
        self._chart = LRChart(XAxis())
        self._card = PresetCard()
        self._files: dict[Path, list[str]] = {}
        """The text of each preset's file."""
        self._previews: dict[tuple[str, str], Preview] = {}
        self._shown: tuple[object, ...] = ()

    def compose_content(self) -> ComposeResult:
        yield self._heading
        with Horizontal(id="body"):
            yield self.list
            with Vertical(id="preview"):
                yield self._chart
                yield self._card
        yield self.key_line

    def on_mount(self) -> None:
        super().on_mount()
        if self.context.is_shown:
            self.reload()
        else:  # presets take as long to load as the screen did
            self.call_after_refresh(self.reload)

    def draw(self) -> None:
        self._heading.redraw()
        entry = self.list.current
        spec = self._spec(entry)
        preview = self._preview(entry, spec)
        shown = (entry, preview.plan, preview.asked, len(preview.problems))
        if shown != self._shown:
            self._shown = shown
            self._chart.visible = preview.asked and not preview.failed and not preview.problems_stop
            self._chart.show_plan(
                preview.plan,
                batches_per_epoch=spec.batches_per_epoch if spec else 0,
                if_flat=preview.if_flat,
                momentum_called="beta1" if spec and "betas" in type(spec.preset.optimizer).model_fields else MOMENTUM,
            )
            self._card.show(entry, spec, preview, self._files.get(entry.path, []) if entry is not None else [])
        if preview.waits and not preview.problems_stop:
            self.context.clock.keep_hurrying()
        self.list.redraw()
        self.show_keys()

    @property
    def idle(self) -> frozenset[str]:
        context, entry, none = self.context, self.list.current, super().idle
        if entry is None or not context.can_begin or self._preview(entry, self._spec(entry)).problems_stop:
            none |= {"choose"}
        if entry is None:
            none |= {"edit", "options", "find_lr"}
        elif not self.list.can_be_marked(entry):
            none |= {"mark", "choose", "options", "find_lr"}
        if context.runs is None:
            none |= {"runs"}
        if context.launcher is None:
            none |= {"app.break_it", "options"}
        if context.launcher is None or context.is_live:
            none |= {"find_lr"}
        return none if context.source is not None or self.list.filter else none | {"back"}

    def reload(self, name: str = "") -> None:
        """Read the folders, and put the cursor on `name`. Presets take long to load, and may lie on a slow disk."""
        self.context.tasks.run(_read, lambda read: self._put(*read, name), self._cannot_read)

    def _put(self, entries: Sequence[PresetEntry], files: dict[Path, list[str]], name: str) -> None:
        if not self.is_attached:
            return
        self._files = files
        self.list.put(entries, name or (PRESET if self.list.current is None else ""))

    def _cannot_read(self, error: Exception) -> None:
        self.say(say("picker.unreadable", why=plain(str(error))), "warning")

    @property
    def x_axis(self) -> XAxis:
        return self._chart.axis

    @property
    def charts_of_y(self) -> Sequence[LRChart]:
        return [self._chart]

    def action_compare(self) -> None:
        self.list.once_read(super().action_compare)

    @on(PresetList.Chosen)
    def action_choose(self) -> None:
        self.list.once_read(self._choose)

    def _choose(self) -> None:
        entry = self.list.current
        if entry is None:
            return
        spec = self._spec(entry)
        if spec is None or entry.preset is None or self._preview(entry, spec).problems_stop:
            self.say(say("picker.not_started", preset=entry.name), "warning")
            return
        self.context.pages.start_run(spec)

    def action_options(self) -> None:
        self.list.once_read(self._ask_options)

    def _ask_options(self) -> None:
        from tui_trainer.ui.presets.start_form import StartForm

        entry = self.list.current
        if self.context.launcher is None:
            self.say(say("form.cannot"), "warning")
            return
        spec = self._spec(entry)
        if entry is None or entry.preset is None or spec is None:
            self._choose()
            return
        find_lr = None if self.context.is_live else partial(self.context.pages.find_lr, entry)
        form = StartForm(spec, self.context.request, entry.preset, find_lr)

        def start(spec: RunSpec | None) -> None:
            if spec is not None:
                self.context.pages.start_run(spec)

        self.app.push_screen(form, start)
        if (runs := self.context.runs) is not None:
            self.context.tasks.run(partial(_recorded, runs), form.know, lambda _: form.know([]))

    def action_page(self, pages: int) -> None:
        self._card.page(pages)

    def action_mark(self) -> None:
        self.list.mark()
        marked = self.list.marked
        self.say_marked(f"marked: {', '.join(marked)}" if marked else "")

    def action_runs(self) -> None:
        self.context.pages.show_runs()

    def action_find_lr(self) -> None:
        self.list.once_read(self._find_lr)

    def _find_lr(self) -> None:
        entry = self.list.current
        spec = self._spec(entry)
        if self.context.launcher is None or self.context.is_live:
            self.say(say("find_lr.not_now"), "warning")
        elif entry is not None and spec is not None and not self._preview(entry, spec).problems_stop:
            self.context.pages.find_lr(entry, spec)

    def action_momentum(self) -> None:
        self.list.once_read(self._toggle_momentum)

    def _toggle_momentum(self) -> None:
        entry = self.list.current
        if entry is None or entry.preset is None or not entry.preset.scheduler.moves_momentum:
            self.say(say("picker.momentum_stays"))
            return
        self._chart.shows_momentum = not self._chart.shows_momentum
        self._chart.redraw()
        self.say(say("answer.momentum_shown" if self._chart.shows_momentum else "answer.momentum_hidden"))

    def action_edit(self) -> None:
        if (entry := self.list.current) is not None:
            self.context.pages.edit_preset(entry)

    def action_back(self) -> None:
        if self.list.filter:
            self.list.narrow("")
        elif self.context.source is not None:
            self.app.pop_screen()

    def _spec(self, entry: PresetEntry | None) -> RunSpec | None:
        if entry is None or entry.preset is None:
            return None
        return self.context.spec_with(entry.name, entry.preset)

    def _preview(self, entry: PresetEntry | None, spec: RunSpec | None) -> Preview:
        if entry is None or spec is None or self.context.planner is None:
            return Preview()
        from tui_trainer.presets.checks import check
        from tui_trainer.presets.problems import PresetError

        key = (entry.name, str(entry.path))
        if (preview := self._previews.get(key)) is None:
            preview = self._previews[key] = Preview(problems=check(spec.preset, spec.conditions), asked=True)
        if preview.waits and not preview.problems_stop:
            try:
                preview.plan = self.context.planner.ask(spec)
                preview.if_flat = self.context.planner.if_flat(spec)
            except PresetError as error:
                preview.problems += [problem for problem in error.problems if problem not in preview.problems]
                preview.failed = True
        return preview


def _recorded(runs: Path) -> list[RunSummary]:
    """The runs that were recorded, newest first. Not in the screen's thread."""
    from tui_trainer.records.run_index import summaries

    return summaries(runs)


def _read() -> tuple[list[PresetEntry], dict[Path, list[str]]]:
    """All presets, and the text of each one's file. Not in the screen's thread."""
    from tui_trainer.presets.catalogue import catalogue

    entries = catalogue()
    return entries, {entry.path: file_lines(entry.path) for entry in entries}
