"""A copy of a preset, checked as one types, saved to the user's own presets once it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, TextArea

from tui_trainer.files.atomic import write_new
from tui_trainer.presets.checks import check_text
from tui_trainer.presets.folders import is_name, shipped_folder, user_folder
from tui_trainer.presets.problems import PresetError
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import BLANK, Line, Panel, Span
from tui_trainer.ui.presets.preset_card import file_lines, problem_lines
from tui_trainer.ui.presets.toml_colours import coloured
from tui_trainer.ui.theme import ROLES, role_style
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui_trainer.presets.catalogue import PresetEntry
    from tui_trainer.presets.problems import Problem
    from tui_trainer.presets.schema import Preset

CHECK_AFTER = 0.15
"""Seconds without a key, before what was typed is checked."""


@dataclass(frozen=True)
class Copy:
    """What is to be edited."""

    of: str
    """The preset's name."""
    text: str
    name: str
    """What it is to be called, until the person says so."""
    own: frozenset[str]
    """The names of the user's own presets."""
    shipped: frozenset[str]


class Findings(Panel):
    """What is wrong with the text, by line; or that it is sound."""

    def __init__(self) -> None:
        super().__init__()
        self._problems: Sequence[Problem] = ()
        self._curve_is_old = self._can_be_saved = False

    def show(self, problems: Sequence[Problem], *, curve_is_old: bool, can_be_saved: bool) -> None:
        """After another check; whether the curve above is of a text before this one, and whether the name is one under
        which it can be saved."""
        self._problems, self._curve_is_old, self._can_be_saved = problems, curve_is_old, can_be_saved
        self.redraw()

    def lines(self) -> list[Line]:
        lines = problem_lines(self._problems, self.size.width)
        if not any(problem.severity == "error" for problem in self._problems):
            lines.insert(0, (Span(say("editor.saves" if self._can_be_saved else "editor.no_errors"), "live"),))
        if self._curve_is_old:
            lines[:0] = [(Span(say("editor.old_curve"), "faint"),), BLANK]
        return lines


class PresetText(TextArea):
    """The text that is typed, in the colours of TOML; lines with something wrong are underlined, as a warning."""

    wrong: frozenset[int] = frozenset()
    """Their numbers, from 1."""

    def mark(self, problems: Sequence[Problem]) -> None:
        """Show where these stand."""
        wrong = frozenset(problem.line for problem in problems if problem.line is not None)
        if wrong != self.wrong:
            self.wrong = wrong
            self.notify_style_update()  # what was drawn is no more
            self.refresh()

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        for piece in coloured(self.text)[line_index : line_index + 1]:
            for start, end, role in piece:
                line.stylize(role_style(ROLES[role], Style(), self.app.theme_variables), start, end)
        if line_index + 1 in self.wrong:
            line.stylize(role_style(ROLES["warning"], Style(underline=True), self.app.theme_variables))
        return line


LETTERS = frozenset({"app.help", "app.leave"})
"""Actions whose keys go into the text here."""


class EditorScreen(TrainerScreen):
    """The text at the left; its planned LR and what is wrong with it at the right."""

    CSS_PATH: ClassVar[str] = "editor.tcss"
    BINDINGS = bindings("editor")

    def __init__(self, copy: Copy) -> None:
        super().__init__("editor")
        self.key_line.idle = LETTERS
        self._heading = PanelHeading(f"a copy of {plain(copy.of)}")
        self._area = PresetText(copy.text, show_line_numbers=True, tab_behavior="indent", highlight_cursor_line=False)
        self._unchanged, self._copy = self._area.text, copy
        self._name_field = Input(copy.name, placeholder="name", compact=True)
        self._about_name = AboutName(copy)
        self._chart = LRChart(XAxis())
        self._findings = Findings()
        self._preset: Preset | None = None
        self._planned = self._has_curve = False
        self._problems: list[Problem] = []
        self._waits: Timer | None = None
        self._saves = False
        """Whether it is being written."""

    @property
    def called(self) -> str:
        """The name that the copy is to have."""
        return self._name_field.value

    @called.setter
    def called(self, name: str) -> None:
        self._name_field.value = name

    def compose_content(self) -> ComposeResult:
        yield self._heading
        with Horizontal(id="body"):
            yield self._area
            with Vertical(id="preview"):
                yield self._chart
                yield self._findings
        with Horizontal(id="naming"):
            yield Naming()
            yield self._name_field
            yield self._about_name
        yield self.key_line

    def on_mount(self) -> None:
        super().on_mount()
        self._area.focus()
        self.check()

    def draw(self) -> None:
        self._heading.redraw()
        self.key_line.redraw()
        if self._preset is not None and not self._planned:
            self._plan(self._preset)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._waits is not None:
            self._waits.stop()
        self._waits = self.set_timer(CHECK_AFTER, self.check)

    def check(self) -> None:
        """What is typed so far: checked, and planned anew."""
        asked = self.context.defaults
        checked = check_text(
            self._area.text,
            "this copy",
            self.context.conditions,
            epochs=asked.epochs if asked else None,
            batch_size=asked.batch_size if asked else None,
        )
        self._preset, self._problems, self._planned = checked.preset, checked.problems, False
        self._show_problems()
        self.context.clock.hurry()

    def _show_problems(self) -> None:
        """A curve that is there stays while the text has a mistake, and is marked as that of an older one."""
        broken = self._preset is None or any(problem.severity == "error" for problem in self._problems)
        self.key_line.idle = LETTERS | {"save"} if broken else LETTERS
        waits = self.context.planner is not None and not self._planned and not broken
        self._chart.visible = self._has_curve or waits
        self._chart.set_class(broken, "-old")
        free = is_name(self.called.strip()) and self.called.strip() not in self._copy.own
        self._area.mark(self._problems)
        self._findings.show(self._problems, curve_is_old=broken and self._has_curve, can_be_saved=free)

    def _plan(self, preset: Preset) -> None:
        """The LR of the text as it stands, which is the last check: by the real scheduler."""
        if self.context.planner is None:
            return
        spec = self.context.spec_with("copy", preset)
        try:
            plan = self.context.planner.ask(spec)
        except PresetError as error:
            self._planned = True
            self._problems = [*self._problems, *(each for each in error.problems if each not in self._problems)]
            self._show_problems()
            return
        if plan is not None:
            self._planned = self._has_curve = True
            flat = self.context.planner.if_flat(spec)
            self._chart.show_plan(plan, batches_per_epoch=spec.batches_per_epoch, if_flat=flat)
        else:
            self.context.clock.keep_hurrying()

    def action_save(self) -> None:
        self.check()
        if self._preset is not None and not self._planned:
            self._plan(self._preset)
        if any(problem.severity == "error" for problem in self._problems):
            self.say(say("editor.not_saved_errors"), "warning")
            return
        name = self.called.strip()
        if not is_name(name):
            self.say(say("editor.not_saved_name"), "warning")
            self._name_field.focus()
            return
        if self._saves:
            return
        self._saves = True
        path, text = user_folder() / f"{name}.toml", self._area.text
        self.context.tasks.run(
            lambda: save(path, text), lambda _: self._saved(name, text), lambda error: self._not_saved(path, error)
        )

    def _saved(self, name: str, text: str) -> None:
        self._saves, self._unchanged = False, text
        if self.app.screen is self and self._area.text == text:
            self.context.pages.preset_saved(name)
        else:  # the person went on typing
            self.say(say("editor.saved", name=name))

    def _not_saved(self, path: Path, error: Exception) -> None:
        self._saves = False
        if isinstance(error, FileExistsError):
            self.say(say("editor.not_saved_taken", name=path.stem), "warning")
            self._name_field.focus()
        else:
            why = getattr(error, "strerror", None) or error
            self.say(say("editor.not_saved", file=path, why=why), "warning")

    def action_name(self) -> None:
        (self._area if self._name_field.has_focus else self._name_field).focus()

    @on(Input.Changed)
    def _named(self) -> None:
        self._about_name.show(self.called.strip())
        self._show_problems()

    def action_back(self) -> None:
        if self._area.text == self._unchanged:
            self.app.pop_screen()
            return
        from tui_trainer.ui.dialogs import leaving_text

        def answered(answer: str | None) -> None:
            if answer == "save":
                self.action_save()
            elif answer == "leave":
                self.app.pop_screen()

        self.app.push_screen(leaving_text(self.called.strip()), answered)


class Naming(Panel):
    """Stands before the name."""

    def lines(self) -> list[Line]:
        return [(Span(" save as ", "faint"),)]


class AboutName(Panel):
    """Stands after the name: what saving under it would come to."""

    def __init__(self, copy: Copy) -> None:
        super().__init__()
        self._copy = copy
        self._text = ""

    def show(self, name: str) -> None:
        """Another name."""
        if name in self._copy.own:
            self._text = say("editor.taken", name=name)
        else:
            self._text = say("editor.hides", name=name) if name in self._copy.shipped else ""
        self.redraw()

    def lines(self) -> list[Line]:
        return [(Span(cut(plain(self._text), self.size.width), "warning"),)]


def copy_of(entry: PresetEntry) -> Copy:
    """A preset's text under a name that is free. Reads files: not in the screen's thread."""
    text = "\n".join(file_lines(entry.path)) + "\n"
    own, shipped = frozenset(_names_in(user_folder())), frozenset(_names_in(shipped_folder()))
    return Copy(entry.name, text, free_name(entry.name), own, shipped)


def free_name(name: str) -> str:
    """The name of a copy that no preset bears yet."""
    taken = _names_in(shipped_folder()) | _names_in(user_folder())
    return next(free for i in range(2, len(taken) + 3) if (free := f"{name}-{i}") not in taken)


def _names_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.toml")}


def save(path: Path, text: str) -> None:
    """Write a new file, whole or not at all.

    Raises:
        FileExistsError: there is one already; it is left as it is.
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, text.encode())
