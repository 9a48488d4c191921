"""Questions that must be answered before the app goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.dialog import Dialog
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

WIDTH = 62


class Choice(NamedTuple):
    """One answer: a letter for the keyboard, what it says, what follows from it, and what the asker gets."""

    key: str
    label: str
    follows: str
    value: str


class Choices(Panel):
    """The question and its answers, one of them under the cursor."""

    def __init__(self, title: str, text: str, choices: Sequence[Choice], cursor: int) -> None:
        super().__init__()
        self._title, self._text, self._choices = plain(title), plain(text), choices
        self.cursor = cursor
        self._choice_at: dict[int, int] = {}

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        return self.laid_out(width)

    def laid_out(self, width: int) -> list[Line]:
        """All lines for a width; remembers which belong to which answer."""
        lines: list[Line] = [(Span(fit(self._title, width), "strong"),)]
        lines += [(Span(line, "faint"),) for line in wrap(self._text, width)]
        lines.append(BLANK)
        self._choice_at.clear()
        for index, choice in enumerate(self._choices):
            here = index == self.cursor
            self._choice_at[len(lines)] = index
            head = f" {choice.key:<4} {plain(choice.label)}"
            lines.append((Span(fit(("▌" if here else " ") + head, width), "lit" if here else ""),))
            for text in wrap(plain(choice.follows), width - 7):
                self._choice_at[len(lines)] = index
                lines.append((Span("       "), Span(text, "faint")))
        return lines

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = self._choice_at.get(event.y)
        if index is not None and isinstance(self.screen, Question):
            self.screen.answer(index)


class Question(Dialog[str]):
    """Asks; gives the value of the answer, or an empty string when the person thinks better of it."""

    CSS_PATH: ClassVar[str] = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k,shift+tab", "move(-1)", show=False),
        Binding("down,j,tab", "move(1)", show=False),
        Binding("enter", "choose", show=False),
        Binding("escape,q,ctrl+c", "cancel", show=False),
    ]

    def __init__(self, title: str, text: str, choices: Sequence[Choice], *, cursor: int = 0) -> None:
        """`cursor` is the answer that enter gives."""
        super().__init__()
        self._choices = Choices(title, text, choices, cursor)
        self._all = choices

    def compose(self) -> ComposeResult:
        self._make_room()  # before it is mounted: one layout is enough
        with Vertical(id="question"):
            yield self._choices

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        inside = min(WIDTH, self.app.size.width - 7)
        self._choices.styles.height = len(self._choices.laid_out(inside))
        self._choices.styles.width = inside

    def on_key(self, event: events.Key) -> None:
        for index, choice in enumerate(self._all):
            if event.key == choice.key:
                event.stop()
                self.answer(index)

    def answer(self, index: int) -> None:
        """Take an answer."""
        self.dismiss(self._all[index].value)

    def action_move(self, by: int) -> None:
        self._choices.cursor = (self._choices.cursor + by) % len(self._all)
        self._choices.redraw()

    def action_choose(self) -> None:
        self.answer(self._choices.cursor)

    def action_cancel(self) -> None:
        self.dismiss("")


def leaving(
    run: str, can_detach: bool, shown_by: str = "attach", ended_by: str = "stop", *, paused: bool = False
) -> Question:
    """What becomes of a live run as its screen is left: `keep`, `stop` or nothing."""
    choices = [Choice("s", say("question.stop"), say("question.after_batch"), "stop"), _stay()]
    if can_detach:
        follows = say("question.found_again", shown_by=shown_by, ended_by=ended_by)
        choices.insert(0, Choice("k", say("question.keep_paused" if paused else "question.keep"), follows, "keep"))
    return Question(say("question.leave"), say("question.paused" if paused else "question.trains", run=run), choices)


def leaving_view(*, paused: bool = False) -> Question:
    """A run that lives elsewhere goes on without this view: `leave`, `stop` or nothing."""
    follows = say("question.stays_paused" if paused else "question.keeps_training")
    choices = [
        Choice("l", say("question.leave_it"), follows, "leave"),
        Choice("s", say("question.stop_the_run"), say("question.after_batch"), "stop"),
        _stay(),
    ]
    return Question(
        say("question.leave"), say("question.paused_elsewhere" if paused else "question.elsewhere"), choices
    )


def acting(label: str, does: str) -> Question:
    """A click would act on a run that was not started from here: `yes` or nothing.

    Args:
        label: the key's, as a person reads it.
        does: what it does.
    """
    yes = Choice("y", say("question.do_it"), "", "yes")
    text = say("question.clicked_on", label=label, does=does)
    return Question(say("question.clicked"), text, [yes, Choice("esc", say("question.no"), "", "")])


def _stay() -> Choice:
    return Choice("esc", say("question.stay"), "", "")


def switching(preset: str, old: str, unlike: str = "", *, can_switch: bool, can_start: bool) -> Question:
    """How a preset is to be taken up while a run is live: `new`, `here` or nothing.

    Args:
        preset: which one.
        old: what the run follows now.
        unlike: for which other data, or model, the preset is made.
        can_switch: whether the run can follow it from its next epoch on.
        can_start: whether a new run can be started.
    """
    choices = []
    if can_start:
        choices.append(Choice("n", say("question.as_new"), say("question.old_stops", old=old), "new"))
    if can_switch:
        choices.append(Choice("r", say("question.in_this_run"), say("question.weights_kept"), "here"))
    choices.append(Choice("esc", say("question.stay_with", old=old), "", ""))
    return Question(say("question.train_with", preset=preset), unlike, choices)


def leaving_text(name: str) -> Question:
    """A text with changes that were not saved is left: `save`, `leave` or nothing."""
    choices = [
        Choice("s", say("question.save_as", name=name) if name else say("question.save"), "", "save"),
        Choice("l", say("question.leave_it"), say("question.changes_lost"), "leave"),
        Choice("esc", say("question.keep_editing"), "", ""),
    ]
    return Question(say("question.unsaved"), say("question.has_changes"), choices)


def deleting_range_test(test: str, done: str) -> Question:
    """Whether an LR range test is to go, `yes` or nothing: how far it came, in words."""
    text = say("question.test_to_delete", test=test, done=done)
    yes = Choice("y", say("question.delete_it"), say("question.test_for_good"), "yes")
    return Question(say("question.delete_test"), text, [yes, Choice("esc", say("question.no"), "", "")], cursor=1)


def deleting(run: str, done: str, status: str) -> Question:
    """Whether a run is to go, `yes` or nothing: how far it came, and how it ended, in words."""
    text = say("question.to_delete", run=run, done=done, status=status)
    yes = Choice("y", say("question.delete_it"), say("question.for_good"), "yes")
    return Question(say("question.delete"), text, [yes, Choice("esc", say("question.no"), "", "")], cursor=1)
