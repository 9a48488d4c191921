"""Questions that must be answered before the app goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span

WIDTH = 62


@dataclass(frozen=True)
class Choice:
    """One answer: a letter for the keyboard, what it says, what follows from it, and what the asker gets."""

    key: str
    label: str
    follows: str
    value: str


class Choices(Panel):
    """The question and its answers, one of them under the cursor."""

    def __init__(self, title: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._text, self._choices = plain(title), plain(text), choices
        self.cursor = 0
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


class Question(ModalScreen[str]):
    """Asks; gives the value of the answer, or an empty string when the person thinks better of it."""

    CSS_PATH: ClassVar[str] = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k,shift+tab", "move(-1)", show=False),
        Binding("down,j,tab", "move(1)", show=False),
        Binding("enter", "choose", show=False),
        Binding("escape,q,ctrl+c", "cancel", show=False),
    ]

    def __init__(self, title: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._choices = Choices(title, text, choices)
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


def leaving(run: str, can_detach: bool, shown_by: str = "attach", ended_by: str = "stop") -> Question:
    """What becomes of a live run as its screen is left: `keep`, `stop` or nothing."""
    follows = f"tui-trainer {shown_by} shows it again, tui-trainer {ended_by} ends it"
    keep = Choice("k", "keep it training in the background", follows, "keep")
    stop = Choice("s", "stop it", "after the current batch; its record is kept", "stop")
    stay = Choice("esc", "stay", "", "")
    choices = [keep, stop, stay] if can_detach else [stop, stay]
    return Question("Leave?", f"{run} is still training.", choices)


def leaving_view() -> Question:
    """A run that lives elsewhere goes on without this view: `leave`, `stop` or nothing."""
    choices = [
        Choice("l", "leave", "it keeps training where it runs", "leave"),
        Choice("s", "stop the run", "after the current batch; its record is kept", "stop"),
        Choice("esc", "stay", "", ""),
    ]
    return Question("Leave?", "The run trains in another process.", choices)


def switching(preset: str, old: str, next_epoch: int | None, can_start: bool, unlike: str = "") -> Question:
    """How a preset is to be taken up while a run is live: `new`, `here` or nothing.

    `unlike` says for which other data, or model, the preset is made.
    """
    choices = []
    if can_start:
        choices.append(Choice("n", "as a new run from the start", f"{old} is stopped first; its record is kept", "new"))
    if next_epoch is not None:
        label = f"in this run, from epoch {next_epoch} on"
        choices.append(Choice("r", label, "the weights are kept; the switch is marked on the charts", "here"))
    choices.append(Choice("esc", "stay with " + old, "", ""))
    return Question(f"Train with {preset}?", unlike, choices)


def leaving_text(name: str) -> Question:
    """A text with changes that were not saved is left: `save`, `leave` or nothing."""
    choices = [
        Choice("s", f"save it as {name}" if name else "save it", "", "save"),
        Choice("l", "leave", "your changes are lost", "leave"),
        Choice("esc", "keep editing", "", ""),
    ]
    return Question("Leave without saving?", "The copy has unsaved changes.", choices)


def confirming(title: str, text: str, label: str, follows: str = "") -> Question:
    """A plain yes or no: `yes` or nothing."""
    return Question(title, text, [Choice("y", label, follows, "yes"), Choice("esc", "no", "", "")])
