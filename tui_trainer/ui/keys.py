"""All keys, in one table: bindings, the line at the bottom and the help page read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.binding import Binding, BindingType

from tui_trainer.ui.panel_forms import PANELS

KeyContext: TypeAlias = Literal[
    "everywhere", "run", "charts", "why", "log", "panels", "another", "presets", "runs", "compare", "break it", "editor"
]

TITLES: dict[KeyContext, str] = {
    "everywhere": "Everywhere",
    "run": "A run",
    "charts": "Charts",
    "why": "Why the LR moved",
    "log": "The log, where it is shown",
    "panels": "Panels",
    "another": "A run opened from the list",
    "presets": "Presets",
    "runs": "Runs",
    "compare": "A comparison",
    "break it": "Break it: a wrong order of calls, on purpose",
    "editor": "Editing a preset",
}


@dataclass(frozen=True)
class Key:
    """One key, or a few that do the same, in one place of the app."""

    place: KeyContext
    keys: str
    """As Textual names them, with commas between."""
    label: str
    """As a person reads it."""
    action: str
    does: str
    """For the help page."""
    short: str = ""
    """For the line at the bottom; empty where the key is not listed there."""
    name: str = ""
    """For the command palette, where it is not `short`; without both, the key moves by a little and is left out."""
    priority: bool = False
    """Taken before whatever has the focus."""

    def binding(self) -> Binding:
        """The same for Textual."""
        return Binding(self.keys, self.action, self.does, show=False, key_display=self.label, priority=self.priority)


KEYS: tuple[Key, ...] = (
    Key("run", "space", "space", "pause", "pause, and go on", "pause"),
    Key("run", "n", "n", "one_batch", "train one batch, each call to be followed by eye, then pause", "one batch"),
    Key(
        "run", "s", "s", "slow_motion", "slow motion: every call is held for a moment; once more for full speed", "slow"
    ),
    Key("run", "p", "p", "presets", "presets: switch in this run, or start a new one", "presets"),
    Key("run", "c", "c", "compare", "compare presets and runs", "compare"),
    Key("run", "r", "r", "runs", "runs: all that were recorded", "runs"),
    Key("run", "k", "k", "checkpoint", "keep: write a checkpoint now, and go on", name="Checkpoint now"),
    Key("run", "b", "b", "app.break_it", "break it: try a wrong order of calls beside the right one", "break it"),
    Key("charts", "left", "←", "cursor(-1)", "move the cursor along the charts: values in figures, and why"),
    Key("charts", "right", "→", "cursor(1)", "the same to the right"),
    Key("charts", "comma", ",", "mark(-1)", "to the mark before: an epoch end, an LR change", name="Mark before"),
    Key("charts", "full_stop", ".", "mark(1)", "to the next mark, and why it stands there", name="Next mark"),
    Key("charts", "escape", "esc", "back", "the newest values again: no cursor", name="No cursor"),
    Key(
        "charts",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("charts", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key(
        "charts",
        "less_than_sign,shift+left",
        "<",
        "pan(-1)",
        "earlier: move what is in sight; dragging does too",
        name="Earlier",
    ),
    Key("charts", "greater_than_sign,shift+right", ">", "pan(1)", "later", name="Later"),
    Key("charts", "f", "f", "follow", "follow the newest steps again", name="Follow"),
    Key("charts", "0", "0", "reset", "reset: the whole run, no cursor", name="Whole run"),
    Key(
        "charts",
        "y",
        "y",
        "log_scale",
        "log scale of the loss, or of the LR if tab leads there; and back",
        name="Log scale",
    ),
    Key("charts", "x", "x", "unit", "count along the axis in epochs, seconds or steps", name="Axis"),
    Key(
        "charts",
        "right_square_bracket",
        "]",
        "smooth(True)",
        "smooth the loss over more batches",
        name="Smooth more",
    ),
    Key("charts", "left_square_bracket", "[", "smooth(False)", "over fewer, down to none", name="Smooth less"),
    Key("why", "up", "↑", "older(-1)", "newer reasons"),
    Key("why", "down", "↓", "older(1)", "older reasons"),
    Key("log", "pageup", "pgup", "log_page(-1)", "older lines of the log"),
    Key("log", "pagedown", "pgdn", "log_page(1)", "newer lines of the log"),
    Key("log", "end", "end", "log_end", "follow the newest lines again", name="Newest lines of the log"),
    *(
        Key("panels", number, number, f"panel('{number}')", f"{panel.name}: {panel.shows}", name=f"Panel: {panel.name}")
        for number, panel in PANELS.items()
    ),
    Key(
        "panels",
        "C",
        "C",
        "copy",
        "copy the figures under the cursor, or the text of the panel that tab leads to",
        name="Copy",
    ),
    Key("presets", "enter", "enter", "choose", "start the preset; in a live run asks how", "start"),
    Key("presets", "slash", "/", "filter", "filter: type a part of a name, title or scheduler", "filter"),
    Key("presets", "up,k", "↑", "move(-1)", "the preset above"),
    Key("presets", "down,j", "↓", "move(1)", "the preset below"),
    Key("presets", "pageup", "pgup", "page(-1)", "scroll what is told of it, and its file"),
    Key("presets", "pagedown", "pgdn", "page(1)", "the same, downwards"),
    Key("presets", "space", "space", "mark", "mark for a comparison, and unmark", "mark"),
    Key("presets", "c", "c", "compare", "compare those marked", "compare"),
    Key("presets", "e", "e", "edit", "edit a copy, checked as you type", "edit a copy"),
    Key("presets", "r", "r", "runs", "runs: all that were recorded", "runs"),
    Key("presets", "b", "b", "app.break_it", "break it: try a wrong order of calls beside the right one", "break it"),
    Key("presets", "escape", "esc", "back", "back to the run; leave the filter", "back"),
    Key("another", "escape", "esc", "back", "back to the list", "back"),
    Key("runs", "enter", "enter", "choose", "open the run, live or not", "open"),
    Key("runs", "slash", "/", "filter", "filter: type a part of a name, preset, data set, model or status", "filter"),
    Key("runs", "up,k", "↑", "move(-1)", "the run above"),
    Key("runs", "down,j", "↓", "move(1)", "the run below"),
    Key("runs", "pageup", "pgup", "page(-1)", "a page up"),
    Key("runs", "pagedown", "pgdn", "page(1)", "a page down"),
    Key("runs", "o", "o", "sort", "order: newest, best accuracy, preset, status", "order"),
    Key("runs", "space", "space", "mark", "mark for a comparison, and unmark", "mark"),
    Key("runs", "c", "c", "compare", "compare those marked", "compare"),
    Key("runs", "r", "r", "resume", "go on with a run that ended early, from its checkpoint", "resume"),
    Key("runs", "d", "d", "delete", "delete the run; asks first", "delete"),
    Key("runs", "escape", "esc", "back", "back; leave the filter", "back"),
    Key("compare", "up,k", "↑", "row(-1)", "the preset above; its curves lie on top"),
    Key("compare", "down,j", "↓", "row(1)", "the preset below"),
    Key("compare", "left", "←", "cursor(-1)", "move the cursor along the charts; the table reads all curves there"),
    Key("compare", "right", "→", "cursor(1)", "the same to the right"),
    Key("compare", "h", "h", "hide", "hide the curves of the preset, and show them again", "hide"),
    Key("compare", "o", "o", "solo", "solo: its curves alone, and all again", "solo"),
    Key("compare", "i", "i", "pin", "pin its row to the top, and let go of it", "pin"),
    Key("compare", "s", "s", "sort", "sort the table by its next column", "sort"),
    Key("compare", "S", "S", "turn", "sort the other way round", name="Sort the other way round"),
    Key("compare", "d", "d", "differences", "what differs between the presets, and nothing else", "differences"),
    Key("compare", "v", "v", "chart", "where one chart has room: the next one", "chart"),
    Key("compare", "l", "l", "loss", "loss: training and validation, or one of them", "loss"),
    Key("compare", "x", "x", "unit", "count along the axis in epochs, seconds or steps", "axis"),
    Key(
        "compare",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("compare", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key("compare", "0", "0", "reset", "reset: all of it, no cursor", name="All of it"),
    Key("compare", "y", "y", "log_scale", "log scale of loss and LR, and back", name="Log scale"),
    Key("compare", "enter", "enter", "open", "open the run, live or not", name="Open the run"),
    Key("compare", "space", "space", "pause", "pause the run that trains, and go on", "pause"),
    Key("compare", "escape", "esc", "back", "back; what trains goes on", name="Back"),
    Key(
        "break it",
        "enter",
        "enter",
        "train",
        "train both orders: same network, same weights, same batches",
        "train both",
    ),
    Key("break it", "up,k", "↑", "row(-1)", "the mistake above"),
    Key("break it", "down,j", "↓", "row(1)", "the mistake below"),
    Key("break it", "left", "←", "cursor(-1)", "move the cursor along the charts, both sides in figures"),
    Key("break it", "right", "→", "cursor(1)", "the same to the right"),
    Key("break it", "v", "v", "view", "where there is little room: the listings, or what came of them", "listings"),
    Key("break it", "pageup", "pgup", "page(-1)", "scroll the explanation"),
    Key("break it", "pagedown", "pgdn", "page(1)", "the same, downwards"),
    Key("break it", "y", "y", "log_scale", "log scale of loss and LR, and back", "log scale"),
    Key(
        "break it",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("break it", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key("break it", "0", "0", "reset", "reset: all of it, no cursor", name="Whole run"),
    Key("break it", "escape", "esc", "back", "back; ends what trains here", "back"),
    Key("editor", "ctrl+s", "ctrl+s", "save", "save to your own presets, once it is sound", "save", priority=True),
    Key(
        "editor",
        "shift+tab",
        "shift+tab",
        "name",
        "to the name that the copy gets, and back to the text",
        "name",
        priority=True,
    ),
    Key("editor", "escape", "esc", "back", "leave; asks before changes are lost", "leave", priority=True),
    Key("everywhere", "question_mark", "?", "app.help", "this page", "help"),
    Key("everywhere", "q,ctrl+c", "q", "app.leave", "leave; asks what becomes of a live run", "leave"),
    Key("everywhere", "tab", "tab", "app.focus_next", "next panel"),
    Key(
        "everywhere", "ctrl+z", "ctrl+z", "app.suspend_process", "stop for now: fg in the shell goes on", name="Suspend"
    ),
    Key("everywhere", "ctrl+p", "ctrl+p", "app.command_palette", "command palette: everything by name", "palette"),
)


def of(*places: KeyContext) -> Iterator[Key]:
    """The keys of some places, in the order of the table."""
    return (key for key in KEYS if key.place in places)


def bindings(*places: KeyContext) -> list[BindingType]:
    """For a `BINDINGS` of Textual."""
    return [key.binding() for key in of(*places)]
