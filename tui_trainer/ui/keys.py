"""All keys, in one table: bindings, the line at the bottom and the help page read it. And the panels of a run: the
number key of each, and the forms that its key goes through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

from textual.binding import Binding, BindingType

from tui_trainer.text.captions import say

Form: TypeAlias = Literal["full", "line", "hidden"]
"""As large as there is room for; a line or two; not there."""

FORMS: tuple[Form, ...] = get_args(Form)

WORDS: dict[Form, str] = {"full": "full", "line": "one line"}


class PanelForms(NamedTuple):
    """One panel: the forms that its key goes through, the first of them to begin with."""

    id: str
    name: str
    """As a person reads it, in a word."""
    shows: str
    roomy: tuple[Form, ...] = ("full", "hidden")
    """Beside the charts, or under them in a high terminal."""
    small: tuple[Form, ...] = ("line", "full", "hidden")
    """Where it takes its room from the charts."""
    yields: bool = False
    """Whether it shrinks to a line while another one is opened in a low terminal."""

    def told(self, form: Form, number: str) -> str:
        """What became of it, for the line at the bottom."""
        if form == "hidden":
            return say("answer.panel_hidden", panel=self.name, key=number)
        return f"{self.name}: {WORDS[form]}"


PANELS: dict[str, PanelForms] = {
    "1": PanelForms("loss", "loss", "the loss and the accuracy", small=("full", "hidden")),
    "2": PanelForms("lr", "LR", "the learning rate", small=("full", "hidden"), yields=True),
    "3": PanelForms("loop", "loop", "the training loop, call by call"),
    "4": PanelForms("why", "why", "why the LR moved"),
    "5": PanelForms(
        "machine", "machine", "how busy, by whom", roomy=("hidden", "full"), small=("hidden", "line", "full")
    ),
    "6": PanelForms("log", "log", "what was printed", roomy=("hidden", "full"), small=("hidden", "full")),
    "7": PanelForms("epochs", "epochs", "how each epoch did, the best one lit", small=("hidden", "full")),
}
"""By number key."""


KeyContext: TypeAlias = Literal[
    "everywhere",
    "run",
    "watched",
    "charts",
    "why",
    "log",
    "typing",
    "panels",
    "another",
    "metrics",
    "presets",
    "runs",
    "filter",
    "compare",
    "confusion",
    "order",
    "break it",
    "find lr",
    "editor",
]

TITLES: dict[KeyContext, str] = {
    "everywhere": "Everywhere",
    "run": "A run",
    "watched": "A run of a watched program",
    "charts": "Charts",
    "why": "Why the LR moved",
    "log": "The log, where it is shown",
    "typing": "Typing to a watched command",
    "panels": "Panels",
    "another": "A run opened from a list or a comparison",
    "metrics": "Metrics: all series of a run",
    "presets": "Presets",
    "runs": "Runs",
    "filter": "A filter, while it is typed",
    "compare": "A comparison",
    "confusion": "What the network confuses",
    "order": "The order of calls of a watched program",
    "break it": "Break it: a wrong order of calls, on purpose",
    "find lr": "Find an LR: a range test",
    "editor": "Editing a preset",
}


class Key(NamedTuple):
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


def _scales(place: KeyContext, *, x: str, y: str, short: tuple[str, str] = ("", "")) -> Iterator[Key]:
    """The keys of all charts: what x counts, and powers of ten; what `x` and `y` do there, and how both are called in
    the line at the bottom."""
    unit, log = short
    yield Key(place, "x", "x", "unit", x, unit, name="" if unit else "Axis")
    yield Key(place, "X", "X", "log_x", "log scale of the x axis on or off", name="Log scale of x")
    yield Key(place, "y", "y", "log_scale", y, log, name="" if log else "Log scale")


KEYS: tuple[Key, ...] = (
    Key("run", "space", "space", "pause", "pause or continue", "pause"),
    Key("run", "n", "n", "one_batch", "train one batch (with accumulate: one step), then pause", "one batch"),
    Key("run", "s", "s", "slow_motion", "slow motion: hold every call for a moment; again for full speed", "slow"),
    Key("run", "R", "R", "resume", "resume a run that ended, apart from this screen", "resume"),
    Key("run", "p", "p", "presets", "presets: switch in this run, or start a new one", "presets"),
    Key("run", "c", "c", "compare", "compare presets and runs", "compare"),
    Key("run", "r", "r", "runs", "list all recorded runs", "runs"),
    Key("run", "m", "m", "metrics", "metrics: all series of the run, in charts side by side", "metrics"),
    Key(
        "run",
        "M",
        "M",
        "confusion",
        "which classes the network confuses, and the images it was most wrong about",
        name="Confusion matrix",
    ),
    Key("run", "k", "k", "checkpoint", "keep: save a checkpoint; the run is left as it is", name="Checkpoint now"),
    Key("run", "l", "l", "dial", "set the LR by hand", name="LR by hand"),
    Key("run", "e", "e", "epochs", "change how many epochs the run trains", name="Epochs to train"),
    Key("run", "h", "h", "health", "health: what is wrong with the run, in figures", name="Health"),
    Key("watched", "o", "o", "order", "order of calls: what is wrong with it, why, and the mend", "order"),
    Key("watched", "i", "i", "type", "type to the command, in the log, until esc", name="Type to the command"),
    Key("run", "b", "b", "app.break_it", "break it: try a wrong order of calls next to the right one", "break it"),
    Key("charts", "left", "←", "cursor(-1)", "move the cursor left: the values at that step, and why"),
    Key("charts", "right", "→", "cursor(1)", "move the cursor right"),
    Key(
        "charts", "comma", ",", "mark(-1)", "go to the previous mark: an epoch end, an LR change", name="Previous mark"
    ),
    Key("charts", "full_stop", ".", "mark(1)", "go to the next mark, and see why it is there", name="Next mark"),
    Key("charts", "escape", "esc", "back", "remove the cursor, show the newest values", name="Remove the cursor"),
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
        "scroll to earlier steps; dragging works too",
        name="Earlier",
    ),
    Key("charts", "greater_than_sign,shift+right", ">", "pan(1)", "scroll to later steps", name="Later"),
    Key("charts", "f", "f", "follow", "show what was trained so far, and follow it while it trains", name="Follow"),
    Key(
        "charts",
        "0",
        "0",
        "reset",
        "the whole run, what is planned of it too; no cursor",
        name="Whole run",
    ),
    Key(
        "charts",
        "v",
        "v",
        "momentum",
        "the momentum (beta1 of Adam) over the LR, where a schedule moves it; again without",
        name="Momentum over the LR",
    ),
    *_scales(
        "charts",
        x="x axis in epochs, steps or seconds; of a run that tells none, in what it is logged by",
        y="log scale on or off: the loss, or the chart that has the focus",
    ),
    Key(
        "charts",
        "right_square_bracket",
        "]",
        "smooth(True)",
        "smooth more: the loss, or what is charted in its place",
        name="Smooth more",
    ),
    Key("charts", "left_square_bracket", "[", "smooth(False)", "smooth less, down to not at all", name="Smooth less"),
    Key("why", "up", "↑", "older(-1)", "newer reasons; up in the loop or the epochs, if they have the focus"),
    Key("why", "down", "↓", "older(1)", "older reasons; down in these"),
    Key("log", "pageup", "pgup", "log_page(-1)", "older lines of the log"),
    Key("log", "pagedown", "pgdn", "log_page(1)", "newer lines of the log"),
    Key("typing", "escape", "esc", "stop_typing", "stop typing: keys are those of the screen again", "stop typing"),
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
        "copy the values at the cursor, or the text of the focused panel",
        name="Copy",
    ),
    Key("presets", "enter", "enter", "choose", "train with the preset; asks how if a run is live", "start"),
    Key("presets", "o", "o", "options", "options: data, model, epochs, seed and more, then start", "options"),
    Key("presets", "slash", "/", "filter", "filter by part of a name, title or scheduler", "filter"),
    Key("presets", "up,k", "↑", "move(-1)", "the preset above"),
    Key("presets", "down,j", "↓", "move(1)", "the preset below"),
    Key("presets", "home,g", "home", "move(-1_000_000)", "the first preset"),
    Key("presets", "end,G", "end", "move(1_000_000)", "the last preset"),
    Key("presets", "pageup", "pgup", "page(-1)", "scroll its description and file up"),
    Key("presets", "pagedown", "pgdn", "page(1)", "scroll its description and file down"),
    Key("presets", "space", "space", "mark", "mark or unmark for a comparison", "mark"),
    Key("presets", "c", "c", "compare", "compare the marked presets", "compare"),
    Key("presets", "e", "e", "edit", "edit a copy, checked as you type", "edit a copy"),
    Key("presets", "f", "f", "find_lr", "find an LR for the preset by a range test", "find LR"),
    Key("presets", "r", "r", "runs", "list all recorded runs", "runs"),
    Key("presets", "b", "b", "app.break_it", "break it: try a wrong order of calls next to the right one", "break it"),
    Key(
        "presets",
        "v",
        "v",
        "momentum",
        "the momentum (beta1 of Adam) over the planned LR, where a schedule moves it; again without",
        name="Momentum over the plan",
    ),
    *_scales("presets", x="x axis of the plan in epochs or steps", y="log scale of the LR on or off"),
    Key("presets", "escape", "esc", "back", "clear the filter; back to the run, if there is one", "back"),
    Key("another", "escape", "esc", "back", "remove the cursor; back to where it was opened", "back"),
    Key("metrics", "enter", "enter", "enlarge", "make the chart large, and small again", "large"),
    Key("metrics", "slash", "/", "filter", "filter by words and globs: loss, val*, */layer?.weight", "filter"),
    Key("metrics", "space", "space", "mark", "mark or unmark: those marked lie in one chart, the first", "mark"),
    Key("metrics", "asterisk", "*", "pin", "pin it to the screen of the run, and of runs like it; or let go", "pin"),
    Key("metrics", "left", "←", "move(-1)", "the chart at the left; in a large chart, the cursor"),
    Key("metrics", "right", "→", "move(1)", "the chart at the right; in a large chart, the cursor"),
    Key("metrics", "up,k", "↑", "row(-1)", "the chart above"),
    Key("metrics", "down,j", "↓", "row(1)", "the chart below"),
    Key("metrics", "pageup", "pgup", "page(-1)", "a page up"),
    Key("metrics", "pagedown", "pgdn", "page(1)", "a page down"),
    Key("metrics", "home", "home", "page(-1_000_000)", "the first chart"),
    Key("metrics", "end", "end", "page(1_000_000)", "the last chart"),
    Key("metrics", "g", "g", "group", "go to the next group", "group"),
    Key("metrics", "comma", ",", "cursor(-1)", "move the cursor left: every chart tells its value there"),
    Key("metrics", "full_stop", ".", "cursor(1)", "move the cursor right"),
    Key("metrics", "a", "a", "over", "the chosen series as the x axis of all; again for steps", name="X axis: this"),
    *_scales(
        "metrics",
        x="x axis in steps, epochs, time, time of day, images or tokens",
        y="log scale of the chosen chart on or off",
        short=("axis", "log"),
    ),
    Key(
        "metrics",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("metrics", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key("metrics", "less_than_sign", "<", "pan(-1)", "scroll to earlier steps", name="Earlier"),
    Key("metrics", "greater_than_sign", ">", "pan(1)", "scroll to later steps", name="Later"),
    Key("metrics", "f", "f", "follow", "show what was trained so far, and follow it while it trains", name="Follow"),
    Key(
        "metrics",
        "0",
        "0",
        "reset",
        "the whole run, what is planned of it too; no cursor",
        name="Whole run",
    ),
    Key("metrics", "right_square_bracket", "]", "smooth(True)", "smooth over more values", name="Smooth more"),
    Key("metrics", "left_square_bracket", "[", "smooth(False)", "smooth over fewer, down to none", name="Smooth less"),
    Key("metrics", "C", "C", "copy", "copy the values at the cursor", name="Copy"),
    Key("metrics", "escape", "esc", "back", "small again; remove cursor, filter and marks; back to the run", "back"),
    Key("runs", "enter", "enter", "choose", "open the run, live or finished", "open"),
    Key(
        "runs",
        "slash",
        "/",
        "filter",
        "filter by part of a name, preset, data set, model or status; by values: lr<0.1",
        "filter",
    ),
    Key("runs", "up,k", "↑", "move(-1)", "the run above"),
    Key("runs", "down,j", "↓", "move(1)", "the run below"),
    Key("runs", "home,g", "home", "move(-1_000_000)", "the first run"),
    Key("runs", "end,G", "end", "move(1_000_000)", "the last run"),
    Key("runs", "pageup", "pgup", "page(-1)", "a page up"),
    Key("runs", "pagedown", "pgdn", "page(1)", "a page down"),
    Key(
        "runs",
        "o",
        "o",
        "sort",
        "order by newest, best accuracy, preset or status, or in groups",
        "order",
    ),
    Key("runs", "space", "space", "mark", "mark or unmark for a comparison", "mark"),
    Key("runs", "c", "c", "compare", "compare the marked runs", "compare"),
    Key("runs", "R", "R", "resume", "resume a run that ended, apart from this screen", "resume"),
    Key("runs", "n", "n", "rename", "give a run that is over another name", "name"),
    Key("runs", "d", "d", "delete", "delete the run; asks first", "delete"),
    *_scales("runs", x="x axis of the preview in epochs, steps or seconds", y="log scale of its loss on or off"),
    Key("runs", "escape", "esc", "back", "clear the filter; back", "back"),
    Key("filter", "enter", "enter", "keep_filter", "keep the filter", "keep the filter", name="Keep the filter"),
    Key("filter", "escape", "esc", "clear_filter", "clear it, and show all", "clear it", name="Clear the filter"),
    Key("confusion", "escape", "esc", "back", "back to the run", "back"),
    Key("order", "enter", "enter", "try", "see it at work: train it beside the right order", "see it at work"),
    Key("order", "up,k", "↑", "move(-1)", "the one above"),
    Key("order", "down,j", "↓", "move(1)", "the one below"),
    Key("order", "home,g", "home", "move(-1_000_000)", "the first one"),
    Key("order", "end,G", "end", "move(1_000_000)", "the last one"),
    Key("order", "escape", "esc", "back", "back to the run", "back"),
    Key("compare", "up,k", "↑", "row(-1)", "the row above; its curves are drawn on top"),
    Key("compare", "down,j", "↓", "row(1)", "the row below"),
    Key("compare", "home,g", "home", "row(-1_000_000)", "the first row"),
    Key("compare", "end,G", "end", "row(1_000_000)", "the last row"),
    Key("compare", "left", "←", "cursor(-1)", "move the cursor left; the table shows all values there"),
    Key("compare", "right", "→", "cursor(1)", "move the cursor right"),
    Key("compare", "h", "h", "hide", "hide or show the curves of the row", "hide"),
    Key("compare", "o", "o", "solo", "solo: show only its curves, or all again", "solo"),
    Key("compare", "i", "i", "pin", "pin its row to the top, or unpin it", "pin"),
    Key("compare", "s", "s", "sort", "sort the table by its next column", "sort"),
    Key(
        "compare",
        "t",
        "t",
        "columns",
        "choose the columns of the table: numbers, settings, any series",
        name="Columns of the table",
    ),
    Key("compare", "S", "S", "turn", "reverse the sort order", name="Reverse the sort order"),
    Key("compare", "d", "d", "differences", "the settings that differ, and nothing else", "differences"),
    Key("compare", "v", "v", "chart", "show the next chart, where only one fits", "chart"),
    Key(
        "compare", "m", "m", "metric(1)", "by the next series that runs have in common: table, verdict, chart", "metric"
    ),
    Key("compare", "M", "M", "metric(-1)", "by the series before it", name="Compare by the series before"),
    Key(
        "compare",
        "c",
        "c",
        "relations",
        "what goes with the outcome, a setting after the other: five runs or more",
        name="What goes with the outcome",
    ),
    Key("compare", "l", "l", "loss", "show the training loss, the validation loss or both", "loss"),
    *_scales(
        "compare",
        x="x axis in epochs, steps or seconds; of what goes with the outcome, the next setting",
        y="log scale of the charts on or off",
        short=("axis", ""),
    ),
    Key(
        "compare",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("compare", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key("compare", "f", "f", "follow", "show what was trained so far", name="So far"),
    Key(
        "compare",
        "0",
        "0",
        "reset",
        "the whole runs, what is planned of them too; no cursor",
        name="Whole runs",
    ),
    Key(
        "compare",
        "w",
        "w",
        "report",
        "write the report, a page of HTML, into the current folder",
        name="Write the report",
    ),
    Key("compare", "enter", "enter", "open", "open the run, of several that began last", name="Open the run"),
    Key("compare", "space", "space", "pause", "pause or continue what is training", "pause"),
    Key("compare", "escape", "esc", "back", "back; what trains goes on, or is asked about", "back"),
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
    Key("break it", "home,g", "home", "row(-1_000_000)", "the first mistake"),
    Key("break it", "end,G", "end", "row(1_000_000)", "the last mistake"),
    Key("break it", "left", "←", "cursor(-1)", "move the cursor left: the values of both sides"),
    Key("break it", "right", "→", "cursor(1)", "move the cursor right"),
    Key("break it", "v", "v", "view", "show the listings or the results, where only one fits", "listings"),
    Key("break it", "pageup", "pgup", "page(-1)", "scroll the explanation up"),
    Key("break it", "pagedown", "pgdn", "page(1)", "scroll the explanation down"),
    *_scales(
        "break it",
        x="x axis in epochs, steps or seconds",
        y="log scale of loss and LR on or off",
        short=("", "log scale"),
    ),
    Key(
        "break it",
        "plus,equals_sign",
        "+",
        "zoom(True)",
        "zoom in, around the cursor or the newest steps",
        name="Zoom in",
    ),
    Key("break it", "minus", "-", "zoom(False)", "zoom out", name="Zoom out"),
    Key("break it", "f", "f", "follow", "show what was trained so far", name="So far"),
    Key("break it", "0", "0", "reset", "show the whole run, without the cursor", name="Whole run"),
    Key("break it", "escape", "esc", "back", "back; stops the training here", "back"),
    Key("find lr", "up,k", "↑", "move(-1)", "the suggestion above"),
    Key("find lr", "down,j", "↓", "move(1)", "the suggestion below"),
    Key(
        "find lr", "w", "w", "write", "write a copy of the preset with the chosen LR, changed as shown", "write a copy"
    ),
    *_scales("find lr", x="the loss over the LR, or over the steps", y="log scale of the loss on or off"),
    Key("find lr", "escape", "esc", "back", "back to where it was opened; a test that goes on ends", "back"),
    Key("editor", "ctrl+s", "ctrl+s", "save", "save to your own presets, once it has no errors", "save", priority=True),
    Key(
        "editor",
        "shift+tab",
        "shift+tab",
        "name",
        "go to the name of the copy, and back to the text",
        "name",
        priority=True,
    ),
    Key("editor", "escape", "esc", "back", "leave; asks before changes are lost", "leave", priority=True),
    Key("everywhere", "question_mark", "?", "app.help", "this page", "help"),
    Key("everywhere", "q,ctrl+c", "q", "app.leave", "leave; asks first, where a live run could be stopped", "leave"),
    Key("everywhere", "tab", "tab", "app.focus_next", "next panel"),
    Key("everywhere", "ctrl+z", "ctrl+z", "app.suspend_process", "suspend; fg in the shell continues", name="Suspend"),
    Key("everywhere", "ctrl+p", "ctrl+p", "app.command_palette", "command palette: every action by name", "palette"),
)


def of(*places: KeyContext) -> Iterator[Key]:
    """The keys of some places, in the order of the table."""
    return (key for key in KEYS if key.place in places)


def bindings(*places: KeyContext) -> list[BindingType]:
    """For a `BINDINGS` of Textual."""
    return [key.binding() for key in of(*places)]
