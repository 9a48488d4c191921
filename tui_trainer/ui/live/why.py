"""What is wrong with the run, why the LR moved or held, and what else a person should know: newest first, in words; and
the same said on the screen on show as it comes, with a bell, where one is wanted."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import inf, isfinite
from operator import is_
from typing import TYPE_CHECKING, ClassVar, TypeGuard

from tui_trainer.events import (
    Alert,
    EpochEnded,
    EpochsChanged,
    LRChanged,
    LRUnchanged,
    PlateauCounted,
    PresetSwitched,
    RunEnded,
)
from tui_trainer.records.health import Health
from tui_trainer.records.history import History, WhyEvent
from tui_trainer.records.plan_phases import PlanInWords
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr
from tui_trainer.text.plain import plain
from tui_trainer.text.reasons import NOT_BETTER
from tui_trainer.ui.charts.chart_data import other_epochs
from tui_trainer.ui.formatting import cut, loss, wrap
from tui_trainer.ui.keys import KeyContext
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

if TYPE_CHECKING:
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.context import ContextApp

WARNED_FOR = 12.0
"""Seconds that a warning stays in the line at the bottom: twice as long as an answer, since nobody waits for it."""

GOOD_NEWS = frozenset({"best", "recovered", "woken", "options", "read"})


def role_of(notice: Alert) -> str:
    """How a notice is coloured."""
    return "live" if notice.kind in GOOD_NEWS else "warning"


class Announcing:
    """Tells what came since it was asked last, of one run after the other, on the app's screen."""

    def __init__(self, app: ContextApp) -> None:
        self._app = app
        self._source: RunSource | None = None
        self._since = 0.0
        self._last: Alert | None = None
        self._ended = False
        self._best: tuple[str, EpochEnded | None] | None = None
        """The best epoch that was said last, and which one it was."""

    def tell(self, source: RunSource) -> None:
        """Say what is new; of what happened before this view was opened, nothing."""
        history = source.history
        if source is not self._source:
            self._source, self._since = source, time.time()
            self._last, self._ended, self._best = None, history.ended is not None, None
        fresh = list(self._fresh(source))
        if history.notices:
            self._last = history.notices[-1]
        for notice in reversed(fresh):
            role = role_of(notice)
            self._app.context.say(plain(notice.text), role, WARNED_FOR if role == "warning" else None)
            self._best = (notice.text, history.best) if notice.kind == "best" else None
        if self._best is not None and history.best is not self._best[1]:
            self._app.context.unsay(self._best[0])  # another epoch is the best by now
            self._best = None
        kinds = {notice.kind for notice in fresh}
        if (history.ended is not None) and not self._ended and self._is_new(history.ended, source):
            kinds.add("end")
        self._ended = history.ended is not None
        if kinds & self._app.context.bell:
            self._app.bell()

    def _fresh(self, source: RunSource) -> Iterator[Alert]:
        """Newest first."""
        for notice in reversed(source.history.notices):
            if notice is self._last or not self._is_new(notice, source):
                return
            yield notice

    def _is_new(self, event: Alert | RunEnded, source: RunSource) -> bool:
        """Whether it happened since this view was opened; the run's clock may be that of another machine."""
        return event.at + source.history.clock_behind >= self._since


LABEL_WIDTH = 11

MOST = 60
"""Changes of the LR, and epochs, that are listed up to the cursor."""


class Why(Panel):
    """What the plan of the LR is doing, and what is wrong with the run now; under it the reasons in the order of their
    coming, the newest at the top; up and down scroll. With a cursor on the charts, the reasons up to the cursor."""

    place: ClassVar[KeyContext | None] = "why"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._history: History | None = None
        self._newest: tuple[object, ...] = ()
        self._in_words = PlanInWords()
        self._plan = ""
        self._under: tuple[int, int] | None = None
        self._first = 0
        self._lowest: list[tuple[float, int]] = []
        """Up to each epoch, the lowest validation loss and the epoch that had it."""

    def show(self, history: History, under: tuple[int, int] | None = None) -> None:
        """Draw what is new; `under` are the steps under the cursor, where there is one."""
        if under != self._under:
            self._under, self._first, self._newest = under, 0, ()
        plan = self._in_words.now(history) if under is None else ""
        newest = (
            history,
            history.why[-1] if history.why else None,
            history.notices[-1] if history.notices else None,
            history.finding and history.finding.reason,
        )
        if self._newest and plan == self._plan and all(map(is_, newest, self._newest)):
            return
        if history is not self._history:
            self._lowest.clear()
        self._history, self._newest, self._plan = history, newest, plan
        self.redraw()

    def scroll_by(self, lines: int) -> None:
        """Show older ones, or newer ones again."""
        self._first = max(0, self._first + lines)
        self.redraw()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_by(1)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_by(-1)

    def lines(self) -> Sequence[Line]:
        if self._history is None:
            return []
        width, height = self.size
        entries = self._entries(self._history)
        heading = "why" if self._under is None else say("why.up_to_cursor")
        lines: list[Line] = [] if height < 4 else [(Span(heading, "faint"),)]
        lines += self._doing(width, height)
        room = height - len(lines)
        written: list[Line] = []
        before = ""
        for label, text, role in entries:
            written += _entry(label if label != before else "", text, role, width)
            before = label
            if len(written) > self._first + room:
                break
        self._first = min(self._first, max(0, len(written) - room))
        if not written and len(lines) < 2 and self._history.last_step and not self._history.plans:
            written = [(Span(line, "faint"),) for line in wrap(untold(self._history), width)]
        return [*lines, *written[self._first :]] or [BLANK]

    def _doing(self, width: int, height: int) -> list[Line]:
        """What the plan is doing; in little room in one line, and in a single one while there is no reason yet."""
        if not self._plan or (height == 1 and self._history is not None and self._history.why):
            return []
        if height >= 4:
            return _entry("plan", self._plan, "", width)
        return [(Span("plan".ljust(LABEL_WIDTH), "faint"), Span(cut(self._plan, width - LABEL_WIDTH)))]

    def _entries(self, history: History) -> Iterator[tuple[str, str, str]]:
        """Label, text, role; newest first."""
        self._find_lowest(history)
        counts = {event.epoch: event for event in history.why if isinstance(event, PlateauCounted)}
        held = {event.epoch for event in history.why if isinstance(event, LRUnchanged) and _tells_of_loss(event)}
        finding = history.finding if self._under is None else None
        if finding is not None:
            yield "health", plain(f"{finding.word}: {finding.reason}"), "warning"
        for event in _newest_first(self._events(history), history):
            here = self._under is not None and _step(event) >= self._under[0]
            match event:
                case Alert() if finding is not None and event.text == f"{finding.word}: {finding.reason}":
                    pass  # stands above already
                case Alert() if event.kind != "best":  # an epoch says itself how it did
                    yield "notice", plain(event.text), role_of(event)
                case LRChanged():
                    yield _label(event, history.epochs), plain(event.reason), "live" if here else ""
                case LRUnchanged():
                    text = plain(event.reason)
                    if event.why.code in NOT_BETTER and (count := counts.get(event.epoch)) is not None:
                        text = f"{count.monitor} {loss(count.value)}, {text}"
                    elif event.why.code == "best_so_far":
                        text = _sober(text, event, _epoch_end(history.epochs, event.epoch), history)
                    yield _label(event, history.epochs), text, "" if here else "faint"
                case PresetSwitched():
                    text = say("epoch.switched", old=plain(event.old), new=plain(event.recipe.preset))
                    yield f"epoch {event.epoch}", text, "live"
                case EpochsChanged():
                    yield f"epoch {max(1, event.epoch)}", other_epochs(event), "live"
                case EpochEnded() if event.epoch not in held and event.validated is not None:
                    lowest = self._lowest[bisect_left(history.epochs, event.epoch, key=_number)]
                    yield f"epoch {event.epoch}", _how_it_did(event, *lowest, history.health), "" if here else "faint"

    def _events(self, history: History) -> list[WhyEvent | Alert]:
        """The newest of all kinds; with a cursor, the last ones up to it, however long ago that was."""
        if self._under is None:
            return [*history.why, *history.notices]
        last = self._under[1]
        events: list[WhyEvent] = [
            event for event in history.why if isinstance(event, LRUnchanged) and event.step <= last
        ]
        events += [switch for switch in history.switches if switch.step <= last + 1]
        for steps in (history.lr_changes, history.epochs):
            stop = bisect_right(steps, last, key=_step)
            events += steps[max(0, stop - MOST) : stop]
        return [*events]

    def _find_lowest(self, history: History) -> None:
        epochs = history.epochs
        lowest, lowest_epoch = self._lowest[-1] if self._lowest else (inf, 0)
        for ended in epochs[len(self._lowest) :]:
            if ended.val_loss < lowest and history.is_praiseworthy(ended):
                lowest, lowest_epoch = ended.val_loss, ended.epoch
            self._lowest.append((lowest, lowest_epoch))


def untold(history: History) -> str:
    """Why no reason is told."""
    recipe, lrs = history.recipe, history.lrs
    if history.program is None or recipe is None or not history.steps:
        return say("untold.why")
    if history.lr_changes or not isfinite(lrs[0]) or lrs[0] != lrs[-1]:
        return say("untold.why")
    if recipe.scheduler not in ("", "none"):
        return say("untold.scheduler_waits", scheduler=plain(recipe.scheduler))
    return say("untold.lr_stays", lr=format_lr(lrs[0]))


def _how_it_did(ended: EpochEnded, lowest: float, epoch: int, health: Health) -> str:
    """Its validation loss and the lowest so far, of those that are better than guessing. Not "best": which epoch is
    that, the accuracy says first."""
    if not ended.validated:
        return say("epoch.not_validated")
    if not isfinite(ended.val_loss):
        return say("epoch.not_finite")
    if not epoch:
        by_accuracy = health.beats_guessing(ended)
        return say("epoch.loss_of_guessing" if by_accuracy else "epoch.guesses", value=loss(ended.val_loss))
    return say(
        "epoch.lowest_so_far" if epoch == ended.epoch else "epoch.lowest_before",
        value=loss(ended.val_loss),
        lowest=loss(lowest),
        epoch=epoch,
    )


def _entry(label: str, text: str, role: str, width: int) -> list[Line]:
    wrapped = wrap(text, max(10, width - LABEL_WIDTH)) or [""]
    labels = [label, *[""] * (len(wrapped) - 1)]
    return [
        (Span(head.ljust(LABEL_WIDTH), "faint"), Span(line, role)) for head, line in zip(labels, wrapped, strict=True)
    ]


def _newest_first(events: Sequence[WhyEvent | Alert], history: History) -> list[WhyEvent | Alert]:
    """In the order in which they came, but for this: how an epoch did comes before what a scheduler that steps once an
    epoch made of it, which is told first. Of two at once the later one is the newer."""
    followed_by = {event.epoch: event.at for event in events if _follows_epoch_end(event, history)}

    def moment(event: WhyEvent | Alert) -> tuple[float, bool]:
        if isinstance(event, EpochEnded) and event.epoch in followed_by:
            return followed_by[event.epoch], False
        return event.at, True

    return sorted(events, key=moment)[::-1]


def _follows_epoch_end(event: WhyEvent | Alert, history: History) -> TypeGuard[LRChanged | LRUnchanged]:
    """Whether the scheduler was stepped after the epoch's validation, and not after its last batch."""
    if not isinstance(event, LRChanged | LRUnchanged):
        return False
    recipe = history.recipe_of(event.epoch)
    if recipe is None or recipe.interval != "epoch":
        return False
    ended = _epoch_end(history.epochs, event.epoch)
    return ended is not None and ended.step == event.step


def _step(event: WhyEvent | Alert) -> int:
    """The step after which it happened."""
    match event:
        case PresetSwitched():
            return event.step - 1
        case LRChanged() | LRUnchanged() | EpochsChanged() | EpochEnded():
            return event.step
    return 0


def _tells_of_loss(event: LRUnchanged) -> bool:
    """Whether a plateau scheduler's reason tells of the epoch's loss: it needs no other line."""
    return event.why.code in NOT_BETTER or event.why.params.get("monitor") == "val_loss"


def _sober(text: str, event: LRUnchanged, ended: EpochEnded | None, history: History) -> str:
    """`val_loss 0.8010, best so far`, but for that if it is said of an epoch that is no better than guessing. What is
    none of its validation, as a training loss that a program steps its scheduler with, is not judged."""
    if ended is None or not _is_of_validation(event.why.params.get("value"), ended) or history.is_praiseworthy(ended):
        return text
    by_accuracy = history.health.beats_guessing(ended)
    if by_accuracy and text.startswith("val_accuracy"):
        return text
    value = text.partition(",")[0].rpartition(" ")[2]
    if text.startswith("val_accuracy"):
        return say("epoch.accuracy_of_guessing", value=value)
    return say("epoch.loss_of_guessing" if by_accuracy else "epoch.guesses", value=value)


def _is_of_validation(value: object, ended: EpochEnded) -> bool:
    """Whether it reads the same: words of a record have few digits."""
    return isinstance(value, int | float) and loss(value) in (loss(ended.val_loss), loss(ended.val_accuracy))


def _label(event: LRChanged | LRUnchanged, epochs: Sequence[EpochEnded]) -> str:
    """The epoch for what happens at its end; for what happens within, the first step that it holds for."""
    ended = _epoch_end(epochs, event.epoch)
    return f"epoch {event.epoch}" if ended is not None and ended.step == event.step else f"step {event.step + 1}"


def _epoch_end(epochs: Sequence[EpochEnded], epoch: int) -> EpochEnded | None:
    """The end of an epoch; they come in order, with gaps only in a damaged record."""
    index = bisect_left(epochs, epoch, key=_number)
    return epochs[index] if index < len(epochs) and epochs[index].epoch == epoch else None


def _number(ended: EpochEnded) -> int:
    return ended.epoch
