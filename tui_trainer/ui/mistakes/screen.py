"""The page `break it`: a wrong order of calls chosen on purpose, trained beside the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from tui_trainer.compare.comparison import Compared, Group
from tui_trainer.compare.session import Contestant
from tui_trainer.mistakes.cases import CASES, DATASET, EPOCHS, MODEL, MistakeCase
from tui_trainer.plotting.scales import ROUNDING
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis_keys import ZoomKeys
from tui_trainer.ui.compare.chart import Overlay
from tui_trainer.ui.compare.curves import CompareAxis
from tui_trainer.ui.formatting import wrap
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.mistakes.panels import RIGHT, WRONG, CaseList, Explanation, OrderListing
from tui_trainer.ui.panel import Line, Panel, Span, justified

if TYPE_CHECKING:
    from tui_trainer.mistakes.runner import Pair

LISTED_FROM = 116
"""Columns from which on the list of mistakes is always in sight: those of the breakpoint `-wide`."""


class BreakItScreen(ZoomKeys):
    """Mistakes, listings, curves and words. Leaving it ends what trains here.

    Args:
        train: begins to train both orders of a mistake.
        mistake: the one to begin with, by the name that `call_order` has for it; empty for the first.
    """

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("break it")

    axis: CompareAxis

    def __init__(self, train: Callable[[MistakeCase], Pair], mistake: str = "") -> None:
        super().__init__("break it")
        self._train = train
        self._pairs: dict[str, Pair] = {}
        """What was tried, by the title of the mistake; one at most still trains."""
        self._groups: dict[str, list[Group]] = {}
        self._told: dict[Compared, int] = {}
        """Versions of their histories, as they were drawn."""
        self.axis = CompareAxis()
        self.cases = CaseList(CASES, next((at for at, case in enumerate(CASES) if case.mistake == mistake), 0))
        self._headline = BreakItHeadline()
        self._invitation = Invitation()
        self._listings = OrderListing(wrong=False, id="right"), OrderListing(wrong=True, id="wrong")
        self._loss, self._lr = Overlay("loss", self.axis, id="loss"), Overlay("lr", self.axis, id="lr")
        self._lr.labels = True
        self._words = Explanation(), Explanation()

    def compose_content(self) -> ComposeResult:
        yield self._headline
        with Horizontal(id="orders"):
            with Vertical(id="chosen"):
                yield self.cases
                yield self._words[0]
            yield from self._listings
        with Horizontal(id="outcome"):
            with Vertical(id="charts"):
                yield self._invitation
                yield self._loss
                yield self._lr
            yield self._words[1]
        yield self.key_line

    @property
    def pair(self) -> Pair | None:
        """What is trained, or was, of the mistake under the cursor."""
        return self._pairs.get(self.cases.current.title)

    @property
    def at_ease(self) -> bool:
        return all(pair.is_over for pair in self._pairs.values())

    @property
    def _has_room(self) -> bool:
        """Whether listings and charts are on show together."""
        return self.has_class("-wide") or self.has_class("-very-wide")

    def draw(self) -> None:
        for each in self._pairs.values():
            each.poll()
        case, pair = self.cases.current, self.pair
        self.set_class(pair is not None, "-tried")
        self._headline.show(case if pair is not None and self.has_class("-charts") else None, pair)
        self.cases.show(frozenset(title for title, each in self._pairs.items() if each.is_over))
        for listing in self._listings:
            listing.show(case)
        self._words[1].brief = not self._has_room
        self._words[0].show(case, None)
        self._words[1].show(case, pair, self._step_at_cursor(pair))
        self._draw_charts(case, pair)
        charts = pair is not None and (self._has_room or self.has_class("-charts"))
        self.key_line.idle = frozenset({"view"} if self._has_room or pair is None else ()) | (
            frozenset() if charts else {"log_scale", "unit"}
        )
        self.key_line.redraw()

    def _draw_charts(self, case: MistakeCase, pair: Pair | None) -> None:
        if pair is None:
            self._invitation.redraw()
            return
        groups, fresh = self._groups[case.title], set()
        for group in groups:
            for run in group.runs:
                if run.history.version != self._told.get(run):
                    self._told[run] = run.history.version
                    group.happened_to(run)
                    fresh.add(group)
        self.axis.update(groups)
        begun = [group for group in groups if group.begun]
        for chart in (self._loss, self._lr):
            chart.show_groups(begun, groups[-1].number, (case.title, self.axis.unit, self.axis.bounds), fresh)

    def _step_at_cursor(self, pair: Pair | None) -> int | None:
        """The step under the cursor: both sides have the same, batch for batch."""
        if pair is None or self.axis.cursor is None:
            return None
        return max(1, ceil(self.axis.timeline(pair.right).step(self.axis.cursor) - ROUNDING))

    # Keys

    def action_row(self, by: int) -> None:
        self.cases.move(by)

    @on(CaseList.Chosen)
    def action_train(self) -> None:
        """Train both orders, once more if they were; whatever else trains here ends."""
        case = self.cases.current
        self._end_training()
        pair = self._pairs[case.title] = self._train(case)
        self._groups[case.title] = _groups(pair)
        self.axis.follow()
        self.set_class(True, "-charts")
        self.context.clock.hurry()

    def action_view(self) -> None:
        if self._has_room:
            self.say(say("mistake.both_shown"))
        elif self.pair is None:
            self.say(say("mistake.not_trained_yet"))
        else:
            self.toggle_class("-charts")
            self.context.clock.hurry()

    def action_page(self, pages: int) -> None:
        for words in self._words:
            words.page(pages)

    @property
    def charts_of_y(self) -> Sequence[Overlay]:
        return [self._loss, self._lr]

    def action_back(self) -> None:
        if self.has_class("-charts") and not self._has_room:
            self.remove_class("-charts")
            self.context.clock.hurry()
        else:
            self.app.pop_screen()

    @on(CaseList.Moved)
    def _moved(self) -> None:
        self.axis.reset()
        self.context.clock.hurry()

    def on_unmount(self) -> None:
        self._end_training()

    def _end_training(self) -> None:
        """End what still trains; half a comparison is none."""
        for title, pair in list(self._pairs.items()):
            if not pair.is_over:
                pair.close()
                del self._pairs[title]


def _groups(pair: Pair) -> list[Group]:
    """Both sides as the charts take them; the right one on top."""
    groups = []
    for label, number, history in (("wrong", WRONG, pair.wrong), ("right", RIGHT, pair.right)):
        group = Group(label, number)
        run = Compared(Contestant(label=label, seed=0), None, group)
        run.history = history
        group.add(run)
        groups.append(group)
    return groups


class BreakItHeadline(Panel):
    """What the page is for, and how far the training is."""

    def __init__(self) -> None:
        super().__init__()
        self._case: MistakeCase | None = None
        self._pair: Pair | None = None

    def show(self, case: MistakeCase | None, pair: Pair | None) -> None:
        """Bring it up to date; `case` is named where the list of them is not on show."""
        self._case, self._pair = case, pair
        self.redraw()

    def lines(self) -> list[Line]:
        width = self.size.width
        left = [Span(" tui-trainer  ", "faint"), Span("break it", "strong")]
        if width >= LISTED_FROM:
            left.append(Span(f"  {say('mistake.purpose')}", "faint"))
        elif self._case is not None:
            left = [Span(f" {self._case.title}", "strong")]
        return [justified(left, [*_state(self._pair), Span(" ")], width)]


def _state(pair: Pair | None) -> list[Span]:
    if pair is None:
        return []
    if pair.failure:
        return [Span(say("mistake.untrained"), "warning")]
    if pair.is_over:
        return [Span(say("mistake.over"), "good")]
    history = pair.right
    if not history.steps:
        return [Span(f"● {plain(history.phase) or say('mistake.starting')}", "live")]
    return [Span(f"● {say('mistake.training', epoch=history.epoch, epochs=EPOCHS)}", "live")]


class Invitation(Panel):
    """Stands where the charts will."""

    def lines(self) -> list[Line]:
        width, height = self.size
        text = say("mistake.invitation", model=MODEL, dataset=DATASET, epochs=counted(EPOCHS, "epoch"))
        said = wrap(text, min(width - 2, 64))
        above = max(0, (height - len(said)) // 2)
        return [*[()] * above, *((Span(line.center(width), "faint"),) for line in said)]
