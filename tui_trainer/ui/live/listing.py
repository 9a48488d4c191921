"""The training loop of a recipe as a short listing: which line stands for which call, and the one that runs now lit.
All it shows was told by events, nothing by a script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tui_trainer.call_order import OrderFinding, check
from tui_trainer.events import CallFollowed, CallsMade, PlateauCounted, ResolvedConfig
from tui_trainer.records.columns import CallTally
from tui_trainer.records.history import History
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.reasons import Reason, word
from tui_trainer.ui.formatting import cut, fit, milliseconds, percent, thousands, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of

if TYPE_CHECKING:
    from tui_trainer.run_spec import RunSpec

LinePlace: TypeAlias = Literal["epochs", "batches", "batch", "epoch"]
"""The two `for` lines; a call within a batch; a call at an epoch's end."""

CODE = {
    "zero_grad": "optimizer.zero_grad()",
    "forward": "out = model(images)",
    "loss": "loss = loss_fn(out, labels)",
    "backward": "loss.backward()",
    "optimizer.step": "optimizer.step()",
    "scheduler.step": "scheduler.step()",
}
_SHORT = {"optimizer.step": "opt.step", "scheduler.step": "sched.step"}
_SHORTER = _SHORT | {"zero_grad": "zero", "validate": "val"}
_SHORTEST = _SHORTER | {"forward": "fwd", "backward": "back", "optimizer.step": "opt", "scheduler.step": "sched"}
SHORTER_AND_SHORTER: tuple[dict[str, str], ...] = ({}, _SHORT, _SHORTER, _SHORTEST)
"""What calls are named where the loop stands in one line."""

MEANING = {
    "zero_grad": "Clear the gradients of the previous batch: backward() adds to them.",
    "forward": "The network guesses: for every image, a score for each class.",
    "loss": "How wrong the guesses are, as one number: the mean over the batch.",
    "backward": "Compute the gradients: for every weight, how steeply the loss rises with it.",
    "optimizer.step": "Move every weight against its gradient; the LR sets how far.",
    "scheduler.step": "Set the LR for what comes next.",
    "validate": "Measure on images that are never trained on; no weight changes.",
}
"""What a call is for, for who follows it by eye."""

IN_BATCH = ("zero_grad", "forward", "loss", "backward", "optimizer.step")


@dataclass(frozen=True)
class LoopLine:
    """A line of the listing."""

    code: str
    call: str
    """As the record names it; `data` for the line that fetches batches, empty where nothing is called."""
    place: LinePlace
    expected: bool = True
    """False for a call that happened where this recipe's loop has none."""

    @property
    def indent(self) -> int:
        """Levels, two cells each."""
        return {"epochs": 0, "batches": 1, "batch": 2, "epoch": 1}[self.place]


class Loop:
    """The listing for a recipe, with a line more for every call seen in a place where it has none.

    Args:
        recipe: what is followed.
        orders: the latest orders of calls, newest last.
    """

    def __init__(self, recipe: ResolvedConfig, orders: Iterable[CallsMade] = ()) -> None:
        batch, epoch = _within_batch(recipe), _at_epoch_end(recipe)
        newest: CallsMade | None = None
        for order in orders:
            if order.batch is None:
                epoch += _unexpected(order.calls, epoch, "epoch")
            else:
                batch += _unexpected(order.calls, batch, "batch")
                newest = order
        self.place_of: dict[str, LinePlace] = {"data": "batches"}
        """Where each call is made now; of two places within the batch, if that is where it was made last."""
        self.place_of.update((line.call, line.place) for line in epoch)
        self.place_of.update(
            (line.call, line.place)
            for line in batch
            if line.call not in self.place_of or newest is None or line.call in newest.calls
        )
        self.lines = [
            LoopLine(f"for epoch in range({recipe.epochs}):" if recipe.epochs else "while True:", "", "epochs"),
            LoopLine("for images, labels in train:", "data", "batches"),
            *batch,
            *epoch,
        ]


def asked_recipe(spec: RunSpec) -> ResolvedConfig:
    """What a run will follow, by what it was asked to be, as long as it has not said so itself."""
    preset = spec.preset
    return ResolvedConfig(
        preset=spec.preset_name,
        title=preset.title,
        optimizer=preset.optimizer.name,
        scheduler=preset.scheduler.name,
        interval=preset.scheduler.interval,
        monitor=preset.scheduler.monitor,
        warmup_epochs=preset.warmup_epochs,
        epochs=preset.training.epochs,
        batch_size=preset.training.batch_size,
        batches_per_epoch=spec.batches_per_epoch,
        total_steps=preset.training.epochs * spec.batches_per_epoch,
    )


def _within_batch(recipe: ResolvedConfig) -> list[LoopLine]:
    lines = [LoopLine(CODE[call], call, "batch") for call in IN_BATCH]
    if recipe.interval == "step" or recipe.warmup_epochs:
        lines.append(LoopLine(CODE["scheduler.step"], "scheduler.step", "batch"))
    return lines


def _at_epoch_end(recipe: ResolvedConfig) -> list[LoopLine]:
    metric = recipe.monitor or "val_loss"
    lines = [LoopLine(f"{metric} = validate()", "validate", "epoch")]
    if recipe.interval == "epoch":
        lines.append(LoopLine(f"scheduler.step({recipe.monitor or ''})", "scheduler.step", "epoch"))
    return lines


def _unexpected(calls: Sequence[str], lines: Sequence[LoopLine], place: LinePlace) -> list[LoopLine]:
    known = {line.call for line in lines}
    return [
        LoopLine(CODE.get(call, call), call, place, expected=False)
        for call in dict.fromkeys(calls)
        if call not in known
    ]


BAR_WIDTH = 5
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEAST_LINES = 5
"""With less room than this the loop stands in one line, its shares under it."""


MEANING_LINES = 2
"""Lines kept under the listing for what a call is for, so that nothing jumps from one call to the next."""


class Listing(Panel):
    """Each line with its share of the time and how often it ran; in slow motion and batch by batch, the value it made.

    Under it, in words, what is wrong with the order of the calls, if the record has one that is wrong.
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

    def show(self, history: History, asked: ResolvedConfig | None = None, *, takes_commands: bool = True) -> None:
        """Draw what is new. `asked` is what the run will follow, as long as it has not said so itself."""
        if history is self._history and history.version == self._version:
            return
        self._history, self._version, self._asked = history, history.version, asked
        self._takes_commands = takes_commands
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history = self._history
        loop = self.loop()
        if history is None or loop is None:
            told = history is not None and history.last_step and not history.calls
            return [(Span(cut(say("untold.calls"), self.size.width), "faint"),)] if told else []
        facts = _CallFacts(history, loop, takes_commands=self._takes_commands)
        width = self.size.width
        if self.size.height < LEAST_LINES:
            return _in_one_line(loop.lines, facts, self._findings, width)
        lines: list[Line] = [_heading(facts, width)]
        lines += [_line(line, facts, width) for line in loop.lines]
        lines += _patience(history, width)
        lines += _wrong(self._findings, width)
        lines += _meaning(loop.lines, facts, width)
        return lines

    def loop(self) -> Loop | None:
        """The listing; the same one until the recipe or the orders change."""
        history = self._history
        recipe = (history.recipe if history is not None else None) or self._asked
        if history is None or recipe is None:
            return None
        loop_of = (recipe, history.orders[-1] if history.orders else None)
        if loop_of != self._loop_of:
            since = history.switches[-1].epoch if history.switches else 0  # before it another loop ran
            orders = [order for order in history.orders if order.epoch >= since]
            self._loop, self._loop_of = Loop(recipe, orders), loop_of
            self._findings = check(recipe, orders, max(since, 1))
        return self._loop

    def height_wanted(self) -> int:
        """Lines that the full listing takes; it changes only with the loop."""
        loop, history = self.loop(), self._history
        if loop is None or history is None:
            return 1
        height = 1 + len(loop.lines) + (2 if history.plateau is not None else 0)
        height += len(_wrong(self._findings, self.size.width or 55))
        return height + (1 + MEANING_LINES if is_followed(history) else 0)


def is_followed(history: History) -> bool:
    """Whether a person follows the calls one by one: in slow motion, and in the one batch of batch by batch."""
    if not history.followed:
        return False
    last = history.followed[-1]
    ended = history.epochs[-1].epoch if history.epochs else 0
    under_way = last.epoch > ended if last.batch is None else last.step > history.steps
    return history.pace > 0 or history.paused is not None or under_way


class _CallFacts:
    """What the events say of the lines: which is lit, how often and how long each ran, what it made."""

    def __init__(self, history: History, loop: Loop, *, takes_commands: bool = True) -> None:
        self.history = history
        self.takes_commands = takes_commands
        self.place_of = loop.place_of
        self.following = is_followed(history)
        self.values: dict[tuple[str, LinePlace], tuple[str, ...]] = {}
        """What each call of the batch being followed has made so far, in parts."""
        self.lit: tuple[str, LinePlace] | None = None
        """The line that runs now; none in a pause."""
        self.on_cuda = history.resolved is not None and history.resolved.on_cuda
        """Whether calls return as their work is launched: all but `validate`, which waits for what it found."""
        self.total_s = sum(tally.seconds for call, tally in history.calls.items() if self.has_share(call))
        if self.following:
            self._follow(history.followed)
        elif history.running:
            self.lit = (history.running, loop.place_of.get(history.running, "batch"))
        if history.paused is not None:
            self.lit = None

    def _follow(self, followed: Sequence[CallFollowed]) -> None:
        for event in followed:
            place: LinePlace = "epoch" if event.batch is None else "batch"
            self.lit = (event.call, place)
            if event.value is not None:
                self.values[event.call, place] = tuple(filter(None, map(plain, event.parts)))

    def tally(self, line: LoopLine) -> CallTally | None:
        """How often and long; None for a line whose call is made elsewhere now."""
        if line.call == "data":
            calls = self.history.calls
            batches = calls["zero_grad"].count if "zero_grad" in calls else self.history.steps
            return CallTally(batches, calls.get("data", CallTally()).seconds)
        if line.place in ("batch", "epoch") and self.place_of.get(line.call) != line.place:
            return None
        return self.history.calls.get(line.call, CallTally())

    def has_share(self, call: str) -> bool:
        """Whether its time is of the same kind as that of the others."""
        return call != "validate" or not self.on_cuda

    def share(self, tally: CallTally) -> float:
        return tally.seconds / self.total_s if self.total_s > 0 else 0.0


def _heading(facts: _CallFacts, width: int) -> Line:
    if not facts.following:
        title = "share of time    times"
        if facts.on_cuda:
            title = "share of launch time    times" if width >= 38 else "launch time    times"
        return (Span("the loop", "faint"), Span(title.rjust(width - 8), "faint"))
    last = facts.history.followed[-1]
    where = f"batch {last.batch}" if last.batch is not None else "its end"
    return (Span("the loop", "faint"), Span(f"epoch {last.epoch}, {where}".rjust(width - 8), "live"))


def _line(line: LoopLine, facts: _CallFacts, width: int) -> Line:
    lit = facts.lit is not None and facts.lit == (line.call, line.place)
    code = "  " * line.indent + (line.code if line.expected else f"! {line.code}")
    right = _right(line, facts, lit, width)
    code_width = max(0, width - 2 - width_of(right))
    role = "lit" if lit else "" if line.expected else "warning"
    return (
        Span("▌" if lit else " ", "lit" if lit else ""),
        Span(fit(code, code_width), role),
        *right,
        Span(" ", role if lit else ""),
    )


def _right(line: LoopLine, facts: _CallFacts, lit: bool, width: int) -> list[Span]:
    if line.place == "epochs":
        return [Span(thousands(facts.history.epoch).rjust(8), "faint")]
    if not line.expected:
        return [Span(" not in this loop", "warning")]
    if facts.following and line.place != "batches":
        value = facts.values.get((line.call, line.place))
        if value is None:
            return [Span(" …" if lit else "", "lit" if lit else "faint")]
        return [Span(f" {_parts_that_fit(line, value, width)[0] or '✓'}", "lit" if lit else "")]
    tally = facts.tally(line)
    if tally is None:
        return [Span(" " + _elsewhere(line), "faint")]
    if not tally.count:
        return [Span("·".rjust(8), "lit" if lit else "faint")]
    if not facts.has_share(line.call):
        each = f"{milliseconds(tally.seconds / tally.count)} each".rjust(1 + BAR_WIDTH + 1 + 5)
        return [Span(each, "lit" if lit else ""), Span(thousands(tally.count).rjust(9), "lit" if lit else "faint")]
    share = facts.share(tally)
    return [
        Span(" " + _bar(share), "lit" if lit else "bar"),
        Span(" " + percent(share).rjust(5), "lit" if lit else ""),
        Span(thousands(tally.count).rjust(9), "lit" if lit else "faint"),
    ]


def _parts_that_fit(line: LoopLine, value: Sequence[str], width: int) -> tuple[str, str]:
    """The parts of a value that have room beside the code, the first at least; and the others."""
    room = width - 4 - 2 * line.indent - len(line.code)
    count = len(value)
    while count > 1 and len(", ".join(value[:count])) > room:
        count -= 1
    return ", ".join(value[:count]), ", ".join(value[count:])


def _elsewhere(line: LoopLine) -> str:
    return "only in the warm-up" if line.place == "batch" else "after the warm-up"


def _bar(share: float) -> str:
    eighths = round(min(share, 1.0) * BAR_WIDTH * 8)
    if share > 0:
        eighths = max(1, eighths)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (EIGHTHS[rest] if rest else "")).ljust(BAR_WIDTH)


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


def _meaning(loop: Sequence[LoopLine], facts: _CallFacts, width: int) -> list[Line]:
    """What the call that runs is for, while somebody follows, and what of its value had no room beside it."""
    if not facts.following:
        return []
    text = _what_for(facts)
    for line in loop:
        if (line.call, line.place) == facts.lit and (value := facts.values.get((line.call, line.place))):
            rest = _parts_that_fit(line, value, width)[1]
            text += f" Here: {rest}." if rest else ""
    return [BLANK, *((Span(" "), Span(line, "faint")) for line in wrap(text, width - 1)[:MEANING_LINES])]


def _what_for(facts: _CallFacts) -> str:
    """What the call that runs is for; in a pause, how it goes on."""
    if facts.lit is None:
        return say("state.paused_in_batch") if facts.takes_commands else "Paused."
    return MEANING.get(facts.lit[0], "")


def _in_one_line(
    loop: Sequence[LoopLine], facts: _CallFacts, findings: Sequence[OrderFinding], width: int
) -> list[Line]:
    """The calls in a row, and under each its share of the time; what is wrong with their order, if something is; in
    slow motion, what was made last."""
    calls = [line for line in loop if line.place in ("batch", "epoch")]
    cells, of_what = _cells(calls, facts, width)
    above: list[Span] = []
    below: list[Span] = []
    over = 0
    for index, (line, name) in enumerate(zip(calls, cells, strict=True)):
        between = " " if not index else " › " if line.place == calls[index - 1].place else " ┊ "
        lit = facts.lit == (line.call, line.place)
        above += [Span(between, "faint"), Span(name, "lit" if lit else "" if line.expected else "warning")]
        tally = facts.tally(line)
        is_told = tally is not None and tally.count and facts.has_share(line.call) and of_what is not None
        share = percent(facts.share(tally)).strip() if tally is not None and is_told else ""
        gap = len(between) - over
        over = max(0, len(share) - len(name))  # `12 %` under `val` takes a cell of the gap behind it
        below += [Span(" " * gap), Span(fit(share, len(name) + over), "live" if lit else "faint")]
    if facts.following:
        return [tuple(above), _made_last(facts, width), (Span(" "), Span(cut(_what_for(facts), width - 2), "faint"))]
    if findings:
        return [tuple(above), (Span(" "), Span(cut(f"! {plain(findings[0].wrong)}", width - 2), "warning"))]
    below.append(Span(f" {of_what}" if of_what else "", "faint"))
    return [tuple(above), tuple(below)]


def _cells(calls: Sequence[LoopLine], facts: _CallFacts, width: int) -> tuple[list[str], str | None]:
    """The names of the calls, and what stands behind their shares; None where there is no room to say it."""
    for names in SHORTER_AND_SHORTER:
        cells = [_name(line, names) for line in calls]
        room = width - (sum(map(len, cells)) + 3 * len(cells) - 1)
        for of_what in ("of launch time", "to launch") if facts.on_cuda else ("",):
            if len(of_what) + bool(of_what) <= room:
                return cells, of_what
    return cells, None if facts.on_cuda else ""


def _name(line: LoopLine, names: dict[str, str]) -> str:
    metric = line.code.partition("(")[2] if line.call == "scheduler.step" else ")"
    return names.get(line.call, line.call) + (f"({metric}" if metric != ")" else "")


def _made_last(facts: _CallFacts, width: int) -> Line:
    """`loss 0.4127 › grad norm 1.83 › optimizer.step …`, as many of the newest as there is room for, and of the last
    one all parts that there is room for."""
    values = [value for value in facts.values.values() if value]
    made = [value[0] for value in values]
    if facts.lit is not None and facts.lit not in facts.values:
        made.append(f"{facts.lit[0]} …")
    elif values:
        parts = len(values[-1])
        while parts > 1 and len(", ".join(values[-1][:parts])) > width - 2:
            parts -= 1
        made[-1] = ", ".join(values[-1][:parts])
    while len(made) > 1 and len(" › ".join(made)) > width - 2:
        made.pop(0)
    if not made:
        return ()
    before = " › ".join(made[:-1])
    return (Span(" "), Span(before + " › " if before else "", "faint"), Span(cut(made[-1], width - 2), "live"))
