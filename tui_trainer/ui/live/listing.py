"""The training loop as a listing, ours or that of a watched program: which line stands for which call, and the one
that runs now lit. All it shows was told by events, nothing by a script."""

from __future__ import annotations

from collections.abc import Sequence

from tui_trainer.call_order import OrderFinding, check
from tui_trainer.events import PlateauCounted, ResolvedConfig
from tui_trainer.records.history import History
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.reasons import Reason, word
from tui_trainer.ui.formatting import cut, wrap
from tui_trainer.ui.live.loop import CallFacts, Loop, is_followed
from tui_trainer.ui.live.loop_in_full import file_line, heading, line_in_full, parts_that_fit, rest_in_full
from tui_trainer.ui.live.loop_in_one_line import in_one_line
from tui_trainer.ui.live.recipe_loop import RecipeLoop
from tui_trainer.ui.live.watched_loop import WatchedLoop
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

LEAST_LINES = 5
"""With less room than this the loop stands in one line, its shares under it."""

MEANING_LINES = 2
"""Lines kept under the listing for what a call is for, so that nothing jumps from one call to the next."""


LEAST_REST = 0.005
"""The least part of the time in no call that is seen that is worth a line."""


class Listing(Panel):
    """Each line with its share of the time and how often it ran; in slow motion and batch by batch, the value it made.

    Under it, in words, what is wrong with the order of the calls, if the record has one that is wrong. Of a watched
    program's loop that is longer than its place, the lines scrolled to.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._history: History | None = None
        self._version = -1
        self._asked: ResolvedConfig | None = None
        self._takes_commands = True
        self._loop: Loop | None = None
        self._loop_of: tuple[object, ...] = ()
        self._findings: list[OrderFinding] = []
        self._first = 0
        """How many lines of a long loop are scrolled away."""

    def show(self, history: History, asked: ResolvedConfig | None = None, *, takes_commands: bool = True) -> None:
        """Draw what is new. `asked` is what the run will follow, as long as it has not said so itself."""
        if history is self._history and history.version == self._version:
            return
        self._history, self._version, self._asked = history, history.version, asked
        self._takes_commands = takes_commands
        self.redraw()

    def scroll_by(self, lines: int) -> None:
        """Show the lines further down, or those above again."""
        self._first = max(0, self._first + lines)
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_by(1)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_by(-1)

    def lines(self) -> Sequence[Line]:
        history = self._history
        loop = self.loop()
        if history is None or loop is None:
            return self._untold()
        facts = CallFacts(history, loop, takes_commands=self._takes_commands)
        width = self.size.width
        if self.size.height < LEAST_LINES:
            wrong = plain(self._findings[0].wrong) if self._findings else ""
            return in_one_line(loop.lines, facts, width, wrong=wrong, meaning=what_for(loop, facts))
        under = [*_patience(history, width), *_wrong(self._findings, width), *_meaning(loop, facts, width)]
        if not isinstance(loop, WatchedLoop):
            listed = [line_in_full(line, facts, width) for line in loop.lines]
            return [heading(loop.title, "", facts, width), *listed, *under]
        listed = self._that_fit(_by_file(loop, facts, width), len(under))
        return [heading(loop.title, loop.file, facts, width), *listed, *under]

    def _untold(self) -> list[Line]:
        """In place of a loop."""
        history, width = self._history, self.size.width
        if history is None or not history.last_step or history.calls:
            return []
        words = say("untold.calls" if history.program is None else "loop.not_seen_yet")
        return [(Span(cut(words, width), "faint"),)]

    def _that_fit(self, listed: list[Line], under: int) -> list[Line]:
        """The lines of the loop, or those scrolled to and how many there are below."""
        room = max(3, self.size.height - 1 - under)
        self._first = max(0, min(self._first, len(listed) - room))
        if len(listed) <= room:
            return listed
        below = len(listed) - self._first - room
        shown = listed[self._first : self._first + room]
        if below:
            shown[-1] = (Span(f" … {below + 1} more", "faint"),)
        return shown

    def loop(self) -> Loop | None:
        """The listing; the same one until the recipe, the orders or what was found change."""
        history = self._history
        if history is None:
            return None
        if history.program is not None:
            return self._watched(history)
        recipe = history.recipe or self._asked
        if recipe is None:
            return None
        loop_of = (recipe, history.orders[-1] if history.orders else None)
        if loop_of != self._loop_of:
            since = history.switches[-1].epoch if history.switches else 0  # before it another loop ran
            orders = [order for order in history.orders if order.epoch >= since]
            self._loop, self._loop_of = RecipeLoop(recipe, orders), loop_of
            self._findings = check(recipe, orders, max(since, 1))
        return self._loop

    def _watched(self, history: History) -> Loop | None:
        found, program = history.loop, history.program
        if found is None or program is None or not found.sites:
            return None
        if self._loop_of != (found,):
            self._loop, self._loop_of = WatchedLoop(found, program.cwd), (found,)
            self._findings = []
        return self._loop

    def height_wanted(self) -> int:
        """Lines that the full listing takes; it changes only with the loop."""
        loop, history = self.loop(), self._history
        if loop is None or history is None:
            return 1
        height = 1 + len(loop.lines) + (2 if history.plateau is not None else 0)
        if isinstance(loop, WatchedLoop):
            height = max(LEAST_LINES, height + loop.count_of_files + 1)
        height += len(_wrong(self._findings, self.size.width or 55))
        return height + (1 + MEANING_LINES if is_followed(history) else 0)


def _by_file(loop: WatchedLoop, facts: CallFacts, width: int) -> list[Line]:
    lines: list[Line] = []
    file = loop.file
    for line in loop.lines:
        if line.file and line.file != file:
            lines.append(file_line(line.file, width))
            file = line.file
        lines.append(line_in_full(line, facts, width, loop.where_width))
    if not facts.following and (rest := loop.rest(facts.history)) >= LEAST_REST:
        lines.append(rest_in_full(say("loop.rest"), rest, width))
    return lines


def _patience(history: History, width: int) -> list[Line]:
    """Under the last line: where ReduceLROnPlateau stands."""
    recipe, plateau = history.recipe, history.plateau
    if recipe is None or recipe.scheduler != "ReduceLROnPlateau" or plateau is None:
        return []
    role = "warning" if plateau.bad_epochs else "faint"
    praised = not history.epochs or history.is_praiseworthy(history.epochs[-1])
    return [(Span(" "), Span(line, role)) for line in wrap(patience_in_words(plateau, praised=praised), width - 1)]


def patience_in_words(plateau: PlateauCounted, *, praised: bool = True) -> str:
    """`not better for 1 of 2 epochs (best 0.8010 at epoch 4)`; `praised`: an epoch that is better is worth the word."""
    best: dict[str, float] = {"best": plateau.best, "best_epoch": plateau.best_epoch}
    if plateau.bad_epochs > plateau.patience:
        return word(Reason("patience_at_its_end", {"patience": plateau.patience, **best}))
    if plateau.cooldown > 0:
        return word(Reason("patience_cools_down", {"cooldown": plateau.cooldown, **best}))
    if plateau.bad_epochs == 0:
        code = "patience_begins" if praised else "patience_begins_low"
        return word(Reason(code, {"patience": plateau.patience}))
    return word(Reason("not_better", {"bad_epochs": plateau.bad_epochs, "patience": plateau.patience, **best}))


def _wrong(findings: Sequence[OrderFinding], width: int) -> list[Line]:
    """Under the right listing: what the record has instead."""
    lines: list[Line] = []
    for finding in findings:
        lines += [(Span(" "), Span(line, "warning")) for line in wrap(f"! {plain(finding.wrong)}.", width - 1)]
        lines += [(Span(" "), Span(line, "good")) for line in wrap(f"✓ {plain(finding.right)}.", width - 1)]
    return lines


def _meaning(loop: Loop, facts: CallFacts, width: int) -> list[Line]:
    """What the call that runs is for, while somebody follows, and what of its value had no room beside it."""
    if not facts.following:
        return []
    text = what_for(loop, facts)
    for line in loop.lines:
        if facts.is_lit(line) and (value := facts.values.get((line.call, line.place))):
            rest = parts_that_fit(line, value, width)[1]
            text += f" Here: {rest}." if rest else ""
    return [BLANK, *((Span(" "), Span(line, "faint")) for line in wrap(text, width - 1)[:MEANING_LINES])]


def what_for(loop: Loop, facts: CallFacts) -> str:
    """What the call that runs is for; in a pause, how it goes on."""
    if facts.lit is None:
        return say("state.paused_in_batch") if facts.takes_commands else say("loop.paused")
    return next((line.meaning for line in loop.lines if facts.is_lit(line)), "")
