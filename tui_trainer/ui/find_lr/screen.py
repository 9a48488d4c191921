"""The page of an LR range test: its curve as it is made, three suggestions, a copy of the preset with one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult

from tui_trainer.errors import UserError
from tui_trainer.lr_suggestions import DIGITS, RULES, LRCurve, Rule, are_apart, in_words, middle, of_seeds
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis_keys import ScaleKeys
from tui_trainer.ui.find_lr.curve import SIGNS, LossOverLR
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.live.status_lines import PanelHeading
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

if TYPE_CHECKING:
    from tui_trainer.presets.schema import Preset
    from tui_trainer.run_sources.lr_finding import Finding
    from tui_trainer.run_spec import RunSpec


@dataclass(frozen=True)
class Original:
    """The preset that an LR is looked for, as its file has it."""

    preset: Preset
    text: str
    called: str
    """What its file is called."""
    copy_name: str
    """What a copy would be called."""


@dataclass(frozen=True)
class Copy:
    """What would be written."""

    text: str
    """All of it; empty where nothing can be."""
    told: Sequence[str]
    """What changes, a line each; or why nothing can be written."""


class Suggestions(Panel):
    """How far it is; then what each rule suggests, and what would change in a copy of the preset."""

    def __init__(self) -> None:
        super().__init__()
        self._finding: Finding | None = None
        self._curve: LRCurve | None = None
        self._told: tuple[object, ...] = ()
        self._at = 0
        self._copy: Copy | None = None
        self._copy_name = ""

    def show(self, finding: Finding, at: int, copy: Copy | None, name: str) -> None:
        """Bring it up to date; the cursor is at the suggestion number `at`."""
        said = finding.phase, finding.failure, finding.warning, finding.recorded
        told = finding.curve, finding.others, *said, at, copy
        if told != self._told:
            self._told, self._finding, self._curve = told, finding, finding.curve
            self._at, self._copy, self._copy_name = at, copy, name
            self.redraw()

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        lines: list[Line] = [(Span(" "), Span(cut(text, width - 2), role)) for text, role in self._state()]
        suggested = suggested_by(self._finding)
        if not suggested:
            return lines
        for number, (rule, lrs) in enumerate(suggested.items()):
            here = number == self._at
            text = f"{SIGNS[rule]} {format_lr(middle(lrs), DIGITS):<9} {rule:<11} {_why(rule, lrs)}"
            lines.append(
                (Span("▌" if here else " ", "lit" if here else ""), Span(fit(text, width - 2), "lit" if here else ""))
            )
        if are_apart(map(middle, suggested.values())):
            lines.append((Span(" "), Span(cut(say("find_lr.apart"), width - 2), "warning")))
        if self._copy is not None:
            lines.append(BLANK)
            if self._copy.text:
                lines.append((Span(" "), Span(cut(say("find_lr.copy", name=self._copy_name), width - 2), "faint")))
            lines += [(Span("   "), Span(cut(line, width - 4), _role_of(line))) for line in self._copy.told]
        return lines

    def _state(self) -> list[tuple[str, str]]:
        """What goes on, or how it ended, each with its role."""
        finding, curve = self._finding, self._curve
        if finding is None:
            return []
        if finding.failure:
            return [(plain(line), "warning") for line in finding.failure.splitlines()]
        if curve is None:
            return [(finding.phase, "faint")]
        lr = format_lr(curve.lrs[-1], DIGITS)
        if curve.ended is None:
            loss = f"{curve.losses[-1]:.4f}"
            return [(say("find_lr.position", step=len(curve.losses), steps=curve.steps, lr=lr, loss=loss), "live")]
        if finding.others:
            return self._of_seeds([curve, *finding.others])
        ended = [(say(f"find_lr.{curve.ended}", steps=counted(len(curve.losses), "step"), lr=lr), "faint")]
        if curve.is_cut_off:
            ended.append((say("find_lr.cut_off", lr=lr), "warning"))
        if curve.none_because is not None:
            ended.append((say(f"find_lr.{curve.none_because}", lr=format_lr(curve.lrs[0])), "warning"))
        if finding.warning:
            ended.append((finding.warning, "warning"))
        if finding.recorded:
            ended.append((plain(finding.recorded), "faint"))
        return ended

    def _of_seeds(self, curves: Sequence[LRCurve]) -> list[tuple[str, str]]:
        """How those of several seeds came out."""
        seeds = counted(len(curves), "seed")
        silent = [curve for curve in curves if not curve.suggestions]
        if len(silent) == len(curves):
            why = silent[0].none_because
            return [(say(f"find_lr.{why}", lr=format_lr(silent[0].lrs[0])), "warning")]
        said = [(say("find_lr.drawn", seeds=seeds), "faint")]
        if silent:
            said.append((say("find_lr.some_seeds", count=len(silent), seeds=seeds), "warning"))
        if cut_off := [curve.lrs[-1] for curve in curves if curve.is_cut_off]:
            said.append((say("find_lr.cut_off", lr=format_lr(max(cut_off), DIGITS)), "warning"))
        return said


def suggested_by(finding: Finding | None) -> dict[Rule, list[float]]:
    """By each rule what each seed suggests; empty while a test goes on."""
    if finding is None or finding.curve is None or finding.curve.ended is None:
        return {}
    return of_seeds([finding.curve, *finding.others])


def _why(rule: Rule, lrs: Sequence[float]) -> str:
    """Where on the curve the rule looks, and how far the LRs of several seeds spread."""
    if len(lrs) == 1:
        return in_words(rule)
    low, high = (format_lr(lr, DIGITS) for lr in (min(lrs), max(lrs)))
    return f"{in_words(rule)}, {say('find_lr.spread', low=low, high=high, seeds=counted(len(lrs), 'seed'))}"


def _role_of(line: str) -> str:
    """Of a line of a difference."""
    return {"+": "good", "-": "warning"}.get(line[:1], "faint")


class FindLRScreen(ScaleKeys):
    """Begins the test as it opens; leaving it ends the test.

    Args:
        spec: what would be trained.
        original: its preset; a copy of that is written when asked. None where no copy is made.
        begin: begins a test, or opens a recorded one.
    """

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("find lr")

    def __init__(self, spec: RunSpec, original: Original | None, begin: Callable[[RunSpec], Finding]) -> None:
        super().__init__("find lr")
        self._original = original
        self._copy_name = original.copy_name if original is not None else ""
        self._finding = begin(spec)
        self._heading = PanelHeading(
            say("find_lr.heading", preset=plain(spec.preset_name), dataset=spec.dataset, model=spec.model)
        )
        self._chart = LossOverLR(self._finding.lowest, self._finding.highest)
        self._suggestions = Suggestions()
        self._at = 0
        self._copies: dict[int, Copy] = {}
        self._saves = self._saved = False

    def compose_content(self) -> ComposeResult:
        yield self._heading
        yield self._chart
        yield self._suggestions
        yield self.key_line

    @property
    def at_ease(self) -> bool:
        curve = self._finding.curve
        return bool(self._finding.failure) or (curve is not None and curve.ended is not None)

    @property
    def _suggested(self) -> dict[Rule, float]:
        return {rule: middle(lrs) for rule, lrs in suggested_by(self._finding).items()}

    def draw(self) -> None:
        curve, suggested = self._finding.curve, self._suggested
        self._heading.redraw()
        curves = [curve, *self._finding.others] if curve is not None else []
        steps = curve.steps if curve is not None else 0
        self._chart.show([each.points for each in curves], suggested, RULES[self._at], steps)
        self._suggestions.show(self._finding, self._at, self._copy(), self._copy_name)
        copy = self._copy()
        none = frozenset() if suggested else frozenset({"move(-1)", "move(1)"})
        self.key_line.idle = none | (frozenset() if copy is not None and copy.text else frozenset({"write"}))
        self.key_line.redraw()
        if not self.at_ease:
            self.context.clock.keep_hurrying()

    def _copy(self) -> Copy | None:
        """What would be written; None while nothing is suggested."""
        suggested = self._suggested
        if not suggested or self._original is None:
            return None
        if self._at not in self._copies:
            self._copies[self._at] = _copy_with(self._original, suggested[RULES[self._at]])
        return self._copies[self._at]

    @property
    def x_axis(self) -> LossOverLR:
        return self._chart

    @property
    def charts_of_y(self) -> Sequence[LossOverLR]:
        return [self._chart]

    def action_move(self, by: int) -> None:
        self._at = (self._at + by) % len(RULES)
        self.context.clock.hurry()

    def action_write(self) -> None:
        copy = self._copy()
        if copy is None or not copy.text or self._saves:
            return
        from tui_trainer.presets.folders import user_folder

        self._saves = True
        path, text = user_folder() / f"{self._copy_name}.toml", copy.text
        self.context.tasks.run(lambda: _write(path, text), lambda _: self._is_written(path), self._not_written)

    def _is_written(self, path: Path) -> None:
        self.context.pages.preset_saved(path.stem)

    def _not_written(self, error: Exception) -> None:
        self._saves = False
        self.say(plain(str(error)), "warning")

    def action_back(self) -> None:
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.context.pages.leave()

    def on_unmount(self) -> None:
        self._finding.close()


def original_of(path: Path, name: str, preset: Preset) -> Original:
    """Reads files: not in the screen's thread."""
    from tui_trainer.presets.checks import read_text
    from tui_trainer.presets.folders import called
    from tui_trainer.ui.presets.editor import free_name

    return Original(preset, read_text(path), called(path), free_name(name))


def _copy_with(original: Original, lr: float) -> Copy:
    """The copy with an LR, or why there can be none."""
    from tui_trainer.presets.another_lr import difference, with_lr
    from tui_trainer.presets.checks import check_text

    name = f"{original.copy_name}.toml"
    try:
        text = with_lr(original.text, original.preset, lr)
    except UserError as error:
        return Copy("", [plain(str(error))])
    if errors := check_text(text, name).errors:
        return Copy("", [plain(str(error)) for error in errors])
    return Copy(text, difference(original.text, text, original.called, name)[3:])


def _write(path: Path, text: str) -> None:
    from tui_trainer.ui.presets.editor import save

    save(path, text)
