"""The presets, with the LR that each would follow: to start a run from, or to switch a live one to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.filtered_list import ChoosingScreen
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.presets.preset_card import PresetCard, Preview, file_lines
from tui_trainer.ui.presets.preset_list import PresetList

if TYPE_CHECKING:
    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.run_spec import RunSpec


class PickerScreen(ChoosingScreen["PresetEntry"]):
    """Names at the left, the planned LR and all else at the right."""

    CSS_PATH: ClassVar[str] = "picker.tcss"
    BINDINGS = bindings("presets")

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
                preview.plan, batches_per_epoch=spec.batches_per_epoch if spec else 0, if_flat=preview.if_flat
            )
            self._card.show(entry, spec, preview, self._files.get(entry.path, []) if entry is not None else [])
        if preview.waits and not preview.problems_stop:
            self.context.clock.keep_hurrying()
        self.list.redraw()
        self.key_line.idle = frozenset() if self.context.source is not None or self.list.filter else frozenset({"back"})
        self.key_line.redraw()

    def reload(self, name: str = "") -> None:
        """Read the folders, and put the cursor on `name`. Presets take long to load, and may lie on a slow disk."""
        self.context.tasks.run(_read, lambda read: self._put(*read, name), self._cannot_read)

    def _put(self, entries: Sequence[PresetEntry], files: dict[Path, list[str]], name: str) -> None:
        if not self.is_attached:
            return
        self._files = files
        self.list.put(entries, name)

    def _cannot_read(self, error: Exception) -> None:
        self.say(f"the presets cannot be read: {plain(str(error))}", "warning")

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
            self.say(f"{entry.name} cannot be started: fix the errors at the right", "warning")
            return
        self.context.pages.start_run(spec)

    def action_page(self, pages: int) -> None:
        self._card.page(pages)

    def action_mark(self) -> None:
        self.list.mark()
        marked = self.list.marked
        self.say(f"marked: {', '.join(marked)}; c compares them" if marked else "nothing is marked")

    def action_runs(self) -> None:
        self.context.pages.show_runs()

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
            preview = self._previews[key] = Preview(problems=check(spec.preset, self.context.conditions()), asked=True)
        if preview.waits and not preview.problems_stop:
            try:
                preview.plan = self.context.planner.ask(spec)
                preview.if_flat = self.context.planner.if_flat(spec)
            except PresetError as error:
                preview.problems += [problem for problem in error.problems if problem not in preview.problems]
                preview.failed = True
        return preview


def _read() -> tuple[list[PresetEntry], dict[Path, list[str]]]:
    """All presets, and the text of each one's file. Not in the screen's thread."""
    from tui_trainer.presets.catalogue import catalogue

    entries = catalogue()
    return entries, {entry.path: file_lines(entry.path) for entry in entries}
