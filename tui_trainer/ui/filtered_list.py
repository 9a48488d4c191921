"""What lists to choose from share: a cursor, mostly a filter and marks too; and the screens that hold such a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual import events, on
from textual.actions import SkipAction
from textual.message import Message

from tui_trainer.text.captions import say
from tui_trainer.ui.formatting import fit
from tui_trainer.ui.panel import Line, Panel, Span
from tui_trainer.ui.trainer_screen import TrainerScreen

T = TypeVar("T")


class CursorList(Panel, Generic[T], can_focus=False):
    """Things in lines; one is under the cursor."""

    class Moved(Message):
        """The cursor stands on another one."""

    class Chosen(Message):
        """One was clicked that was under the cursor already."""

    def __init__(self, shown: Sequence[T] = ()) -> None:
        super().__init__()
        self._shown: list[T] = list(shown)
        self._cursor = self._top = 0
        self._was_moved = False
        """Whether somebody has chosen where the cursor stands."""

    def index_at(self, event: events.Click) -> int | None:
        """Which of those shown was clicked."""
        raise NotImplementedError

    @property
    def shown(self) -> Sequence[T]:
        """Those that can be chosen from."""
        return self._shown

    @property
    def current(self) -> T | None:
        """The one under the cursor."""
        return self._shown[self._cursor] if self._shown else None

    def move(self, by: int) -> None:
        """Up or down, not beyond the ends."""
        self._was_moved = True
        moved = max(0, min(self._cursor + by, len(self._shown) - 1))
        if moved != self._cursor:
            self._cursor = moved
            self.redraw()
            self.post_message(self.Moved())

    def on_click(self, event: events.Click) -> None:
        event.stop()
        index = self.index_at(event)
        if index is None:
            return
        if index == self._cursor:
            self.post_message(self.Chosen())
        else:
            self.move(index - self._cursor)

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)


class FilteredList(CursorList[T], can_focus=False):
    """Those that pass the filter; one under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._all: Sequence[T] = ()
        self.filter = ""
        self.typing = False
        """Whether what is typed goes into the filter."""
        self.marked: list[str] = []
        """Names marked for a comparison, in the order of marking."""

    @property
    def is_filled(self) -> bool:
        """Whether there is anything that a filter could leave out."""
        return bool(self._all)

    # What a list of some kind must know of its kind

    def name_of(self, item: T) -> str:
        """What it is told by, and marked as."""
        raise NotImplementedError

    def words_of(self, item: T) -> str:
        """What the filter looks for words in."""
        raise NotImplementedError

    def passing(self, items: Sequence[T]) -> Iterable[T]:
        """Those that the filter lets pass: what holds each of its words."""
        words = self.filter.lower().split()
        return (item for item in items if all(word in self.words_of(item).lower() for word in words))

    @property
    def trouble(self) -> str:
        """Why the filter that is typed is none; empty where it is one."""
        return ""

    def can_be_marked(self, item: T) -> bool:
        """Whether it can be compared at all."""
        return True

    def in_order(self, items: Iterable[T]) -> list[T]:
        """As they are to be shown."""
        return list(items)

    def _more_below(self, count: int) -> Line:
        """In the last line of a list that goes on."""
        return (Span(f"   {say('runs.more_below', count=count)}", "faint"),)

    # The filter, the marks

    def narrow(self, text: str) -> None:
        """Show what holds each word of the filter."""
        self.filter = text
        self._show()

    def mark(self) -> None:
        """Mark the one under the cursor, or unmark it, and go to the next."""
        item = self.current
        if item is None or not self.can_be_marked(item):
            return
        name = self.name_of(item)
        if name in self.marked:
            self.marked.remove(name)
        else:
            self.marked.append(name)
        self.move(1)
        self.redraw()

    def take(self, event: events.Key) -> None:
        """While the filter is typed, letters are letters and no commands.

        The key that begins it is taken here too, and not left to its binding, which is looked up later: of `/cos` that
        comes in one piece, as it does over a slow link, the letters would be commands.
        """
        if not self.typing and event.key != "slash":
            return
        if not self.typing:
            self.typing = True
            self.redraw()
        elif event.key in ("enter", "escape"):
            self.end_typing("" if event.key == "escape" else self.filter)
        elif event.key == "backspace":
            self.narrow(self.filter[:-1])
        elif event.is_printable and event.character:
            self.narrow(self.filter + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def end_typing(self, text: str) -> None:
        """Letters are commands again; the filter is left at `text`."""
        self.typing = False
        self.narrow(text)

    def _show(self) -> None:
        """Those that pass; the cursor stays on its own, or near the place where it was."""
        here = self.name_of(self.current) if self.current is not None else ""
        self._shown = self.in_order(self.passing(self._all))
        there = next((i for i, item in enumerate(self._shown) if self.name_of(item) == here), self._cursor)
        self._cursor = max(0, min(there, len(self._shown) - 1))
        self.redraw()

    def _filter_line(self, width: int, otherwise: str) -> Line:
        """The filter as it is typed or stands, else how many there are."""
        if self.typing or self.filter:
            said, room = f"  {self.trouble}" if self.trouble else "", width - 4
            most = max(room - cell_len(said), room // 2)
            typed = _end(self.filter + ("▏" if self.typing else ""), most)
            shown = (Span(" / ", "live" if self.typing else "faint"), Span(typed))
            return (*shown, Span(fit(said, room - cell_len(typed)), "faint" if self.typing else "warning"))
        return (Span(fit(otherwise, width), "faint"),)


def _end(text: str, width: int) -> str:
    """The text in at most `width` cells; of one that is longer the end, which is typed on."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


class ChoosingScreen(TrainerScreen, Generic[T]):
    """A screen with such a list."""

    list: FilteredList[T]

    @on(FilteredList.Moved)
    def _moved(self) -> None:
        if self.composed:
            self.context.clock.hurry()

    def on_key(self, event: events.Key) -> None:
        self.list.take(event)

    def action_move(self, by: int) -> None:
        self.list.move(by)

    @property
    def idle(self) -> frozenset[str]:
        """Actions that would do nothing with the list as it is."""
        none = {"filter", "sort"} if not self.list.is_filled else set()
        if self.list.current is None:
            none |= {"choose", "mark"}
        if len(self.list.marked) < 2 or self.context.on_compare is None:
            none.add("compare")
        return frozenset(none)

    def show_keys(self) -> None:
        """Those that are of use now."""
        self.key_line.idle, self.key_line.typed = self.idle, "filter" if self.list.typing else None
        self.key_line.redraw()

    def action_keep_filter(self) -> None:
        """From a click; the key goes to the list."""
        self._end_typing(self.list.filter)

    def action_clear_filter(self) -> None:
        """The same."""
        self._end_typing("")

    def _end_typing(self, text: str) -> None:
        if not self.list.typing:
            raise SkipAction
        self.list.end_typing(text)
        self.context.clock.hurry()

    def action_filter(self) -> None:
        self.list.typing = True
        self.list.redraw()

    def action_compare(self) -> None:
        if len(self.list.marked) < 2:
            self.say(say("runs.mark_two"))
            return
        self.context.pages.compare(self.list.marked)

    def say_marked(self, what: str) -> None:
        """Say what is marked, in words; empty where nothing is."""
        if not what:
            self.say(say("runs.nothing_marked"))
        else:
            self.say(say("runs.two_marked" if len(self.list.marked) > 1 else "runs.one_marked", what=what))
