"""All series of a run in a grid of charts over one axis: filtered, marked to lie in one chart, pinned, made large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Container

from tui_trainer.plotting.smoothing import WINDOWS
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_name
from tui_trainer.ui.charts.axis_keys import AxisKeys
from tui_trainer.ui.charts.line_chart import MOST_LINES, LineChart
from tui_trainer.ui.charts.series_axis import SeriesAxis
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.metrics.catalogue import MOST_PINNED, Catalogue, pin, pinned
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.run_sources.run_source import RunSource

MOST_ACROSS = MOST_DOWN = 4
LEAST_WIDTH, LEAST_HEIGHT = 60, 10
"""Of a chart, in cells."""

CHOSEN, MARKED, PINNED = "▌", "◆", "*"


def grid(width: int, height: int) -> tuple[int, int]:
    """How many charts fit across and down."""
    return (
        max(1, min(MOST_ACROSS, width // LEAST_WIDTH)),
        max(1, min(MOST_DOWN, height // LEAST_HEIGHT)),
    )


class Heading(Panel):
    """The groups, the one looked at lit; what x counts; which page. Or the filter, while it is typed."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Span] = []
        self.right: list[Span] = []
        self.groups: list[tuple[str, int]] = []
        self.group = ""

    def lines(self) -> Sequence[Line]:
        room = self.size.width - width_of(self.left) - width_of(self.right) - 3
        return [justified([*self.left, *self._groups(room)], [*self.right, Span(" ")], self.size.width)]

    def _groups(self, room: int) -> list[Span]:
        """As many as fit around the one that is looked at."""
        shown = [short_name(plain(group), 24, by_end=True) or "others" for group, _ in self.groups]
        names = [(group, f"{name} {count}") for (group, count), name in zip(self.groups, shown, strict=True)]
        at = next((i for i, (group, _) in enumerate(names) if group == self.group), 0)
        first = last = at
        while len(names) > last - first + 1:
            grown = (max(0, first - 1), min(len(names) - 1, last + 1))
            taken = sum(width_of([Span(text)]) + 2 for _, text in names[grown[0] : grown[1] + 1]) + 4
            if taken > room:
                break
            first, last = grown
        spans: list[Span] = [Span("… ", "faint")] if first else []
        for group, text in names[first : last + 1]:
            spans += [Span(text, "live" if group == self.group else "faint"), Span("  ")]
        if last < len(names) - 1:
            spans.append(Span("…", "faint"))
        return spans if width_of(spans) <= room else [Span(cut(names[at][1], max(0, room)), "live")] if names else []


class Nothing(Panel):
    """Why there is no chart."""

    words = ""

    def lines(self) -> Sequence[Line]:
        return [*[BLANK] * (self.size.height // 3), (Span("  " + self.words, "faint"),)]


class MetricsScreen(AxisKeys):
    """The series of one run."""

    CSS_PATH: ClassVar[str] = "screen.tcss"
    BINDINGS = bindings("filter", "metrics")

    axis: SeriesAxis

    def __init__(self, source: RunSource) -> None:
        super().__init__("metrics")
        self.source = source
        self.axis = SeriesAxis()
        self.catalogue = Catalogue()
        self.typing = False
        self.marked: list[str] = []
        self.large = False
        self._at = 0
        """The tile that is chosen."""
        self._tiles: list[tuple[str, ...]] = []
        self._made_of: tuple[list[str], list[str]] = [], []
        """The names that passed, and those marked, of which the tiles were made."""
        self._logs: dict[tuple[str, ...], bool] = {}
        """Tiles for which it was chosen whether heights are powers of ten."""
        self._window: int | None = None
        self._heading = Heading()
        self._nothing = Nothing(id="nothing")
        self._charts = [LineChart(self.axis) for _ in range(MOST_ACROSS * MOST_DOWN)]
        self._laid_out: tuple[object, ...] = ()

    @property
    def history(self) -> History:
        """The run on show."""
        return self.source.history

    @property
    def at_ease(self) -> bool:
        return self.history.ended is not None

    @property
    def chosen(self) -> tuple[str, ...]:
        """The series in the chart that is chosen; none where there is no chart."""
        return self._tiles[self._at] if self._tiles else ()

    def compose_content(self) -> ComposeResult:
        yield self._heading
        with Container(id="grid"):
            yield from self._charts
        yield self._nothing
        yield self.key_line

    def draw(self) -> None:
        if self.source is not self.context.source:
            self.context.follow(self.source)
        self.axis.update(self.history)
        self._collect()
        across, down = self._grid()
        on_page = self._page(across * down)
        self._lay_out(across, down, len(on_page))
        pins = set(pinned(self.context.settings, self.history))
        for chart, tile in zip(self._charts, on_page, strict=False):
            is_chosen = tile == self.chosen
            flags = (CHOSEN if is_chosen else " ") + (f"{MARKED} " if set(tile) <= set(self.marked) else "")
            flags += f"{PINNED} " if len(tile) == 1 and tile[0] in pins else ""
            chart.set_class(is_chosen and not self.large, "-chosen")
            chart.window = self._window
            chart.chosen_log = self._logs.get(tile)
            chart.draw_series(self.history, tile, flags)
        self._head(across * down)
        self.key_line.instead = self._instead(pins)
        self.key_line.idle, self.key_line.typed = self._idle(), "filter" if self.typing else None
        self.key_line.redraw()

    def _instead(self, pins: set[str]) -> dict[str, str]:
        """What keys do that did something once already, by their actions."""
        undone = {"enlarge": "small"} if self.large else {}
        if self.chosen and set(self.chosen) <= set(self.marked):
            undone["mark"] = "unmark"
        if self.chosen and set(self.chosen) <= pins:
            undone["pin"] = "let go"
        return undone

    def _idle(self) -> frozenset[str]:
        """Actions that would do nothing here and now."""
        none: set[str] = set()
        if not self._tiles:
            none |= {"enlarge", "mark", "pin", "log_scale"}
        if not self.catalogue.total:
            none |= {"filter", "unit"}
        elif len(self.axis.choices(self.history)) < 2 and self.axis.course.counts == "step":
            none.add("unit")
        if len(self.catalogue.groups) < 2:
            none.add("group")
        return frozenset(none)

    def _collect(self) -> None:
        """The tiles: those marked in one, then one for each series that passes."""
        chosen = self.chosen
        self.catalogue.update(self.history)
        self.marked = [name for name in self.marked if name in self.history.series]
        names, marked = self._made_of
        if self.catalogue.names is names and self.marked == marked:
            self._at = max(0, min(self._at, len(self._tiles) - 1))
            return
        self._made_of = self.catalogue.names, list(self.marked)
        together = [tuple(self.marked)] if len(self.marked) > 1 else []
        self._tiles = [*together, *((name,) for name in self.catalogue.names)]
        if chosen in self._tiles and self._tiles[min(self._at, len(self._tiles) - 1)] != chosen:
            self._at = self._tiles.index(chosen)
        self._at = max(0, min(self._at, len(self._tiles) - 1))

    def _grid(self) -> tuple[int, int]:
        if self.large:
            return 1, 1
        size, count = self.app.size, max(1, len(self._tiles))
        across, down = grid(size.width, size.height - 2)
        return min(across, count), min(down, -(-count // min(across, count)))  # few of them are larger

    def _page(self, size: int) -> list[tuple[str, ...]]:
        first = self._at // size * size
        return self._tiles[first : first + size]

    def _lay_out(self, across: int, down: int, used: int) -> None:
        words = self._why_nothing()
        arranged = (across, down, used, words)
        if arranged == self._laid_out:
            return
        self._laid_out = arranged
        self._nothing.words = words
        self.set_class(bool(words), "-nothing")
        container = self.query_one("#grid")
        container.styles.grid_size_columns, container.styles.grid_size_rows = across, down
        for index, chart in enumerate(self._charts):
            chart.set_class(index < used, "-used")
            # The lowest chart of each column says what x counts.
            chart.labels = index < used and (index + across >= used)
        self._nothing.redraw()

    def _why_nothing(self) -> str:
        if self._tiles:
            return ""
        if self.catalogue.total:
            return say("metric.none_match", filter=plain(self.catalogue.filter))
        if self.history.ended is not None:
            return say("metric.none_at_all")
        return say("metric.none_yet")

    def _head(self, size: int) -> None:
        heading, catalogue = self._heading, self.catalogue
        if self.typing or catalogue.filter:
            typed = f"{catalogue.filter}▏" if self.typing else catalogue.filter
            room = max(8, self.app.size.width // 3)
            shown = typed if len(typed) <= room else "…" + typed[-(room - 1) :]
            heading.left = [Span(" / ", "live" if self.typing else "faint"), Span(plain(shown) + "  ")]
        else:
            heading.left = [Span(" metrics  ", "strong")]
        chosen = self.chosen
        heading.groups = (
            list(catalogue.groups.items()) if len(catalogue.groups) > 1 or "" not in catalogue.groups else []
        )
        heading.group = catalogue.group(chosen[0]) if len(chosen) == 1 else ""
        count = counted(catalogue.total, "series") if catalogue.total == 1 else f"{catalogue.total:,} series"
        if catalogue.filter:
            count = f"{len(catalogue.names):,} of {count}"
        x = fit(plain(self.axis.counted), min(16, len(plain(self.axis.counted))))
        right = [Span(f"x {x}{' log' if self.axis.log else ''}", "faint"), Span(f" · {count}", "faint")]
        pages = -(-len(self._tiles) // size)
        if pages > 1:
            right.append(Span(f" · {self._at // size + 1}/{pages}", "faint"))
        heading.right = right
        heading.redraw()

    # Keys

    def on_key(self, event: events.Key) -> None:
        """While the filter is typed, letters are letters; the key that begins it is taken here too, and not left to its
        binding: of `/loss` that comes in one piece the letters would be commands."""
        if not self.typing and event.key != "slash":
            return
        if not self.typing:
            self.typing = True
        elif event.key in ("enter", "escape"):
            self._end_typing("" if event.key == "escape" else self.catalogue.filter)
        elif event.key == "backspace":
            self.catalogue.narrow(self.catalogue.filter[:-1])
        elif event.is_printable and event.character:
            self.catalogue.narrow(self.catalogue.filter + event.character)
        else:
            return
        event.stop()
        event.prevent_default()
        self.draw()

    def _end_typing(self, text: str) -> None:
        if not self.typing:
            raise SkipAction
        self.typing = False
        self.catalogue.narrow(text)
        self.context.clock.hurry()

    def action_keep_filter(self) -> None:
        """From a click; the key is taken above."""
        self._end_typing(self.catalogue.filter)

    def action_clear_filter(self) -> None:
        """The same."""
        self._end_typing("")

    def on_click(self, event: events.Click) -> None:
        """The chart that is clicked is chosen."""
        if event.widget in self._charts:
            across, down = self._grid()
            index = self._at // (across * down) * across * down + self._charts.index(event.widget)
            self._choose(index)

    def _choose(self, index: int) -> None:
        if self._tiles:
            self._at = max(0, min(index, len(self._tiles) - 1))
        self.context.clock.hurry()

    def action_move(self, by: int) -> None:
        if self.large:
            self.action_cursor(by)
        else:
            self._choose(self._at + by)

    def action_row(self, by: int) -> None:
        self._choose(self._at + by * self._grid()[0])

    def action_page(self, by: int) -> None:
        across, down = self._grid()
        self._choose(self._at + by * across * down)

    def action_group(self) -> None:
        """The first of the next group."""
        groups = [self.catalogue.group(tile[0]) if len(tile) == 1 else None for tile in self._tiles]
        here = groups[self._at] if groups else None
        after = [i for i in range(self._at + 1, len(groups)) if groups[i] not in (here, groups[i - 1])]
        self._choose(after[0] if after else 0)

    def action_enlarge(self) -> None:
        self.large = bool(self._tiles) and not self.large
        self.context.clock.hurry()

    def action_filter(self) -> None:
        self.typing = True
        self.draw()

    def action_mark(self) -> None:
        """Mark what is chosen, or unmark it."""
        for name in self.chosen:
            if name in self.marked:
                self.marked.remove(name)
            elif len(self.marked) < MOST_LINES:
                self.marked.append(name)
                if len(self.marked) == 1:
                    self.say(say("metric.mark_another"))
            else:
                self.say(say("metric.chart_full", most=MOST_LINES), "warning")
        self.context.clock.hurry()

    def action_pin(self) -> None:
        for name in self.chosen:
            done = pin(self.context.settings, self.history, name)
            shown = short_name(plain(name), 40, by_end=True)
            if done is None:
                self.say(say("metric.most_pinned", most=MOST_PINNED), "warning")
            else:
                self.say(say("metric.pinned" if done else "metric.unpinned", series=shown))
        self.context.clock.hurry()

    def action_over(self) -> None:
        """Have the chosen series as the x axis of all, or steps again."""
        course = self.axis.course
        if course.counts == "series":
            self.axis.count("step")
        elif len(self.chosen) == 1:
            self.axis.count("series", self.chosen[0])
            self.say(say("metric.over", series=short_name(plain(self.chosen[0]), 40, by_end=True)))
        self.context.clock.hurry()

    @property
    def charts_of_y(self) -> Sequence[LineChart]:
        """The chosen one."""
        return [chart for chart in self._charts if self.chosen and chart.names == self.chosen[:MOST_LINES]]

    def action_log_scale(self) -> None:
        for chart in self.charts_of_y:  # kept before they are drawn, which they are at once
            self._logs[self.chosen] = not chart.log_scale
        super().action_log_scale()

    def action_smooth(self, more: bool) -> None:
        curves = [curve for name in self.chosen for chart in self._charts if (curve := chart.curve(name)) is not None]
        now = self._window or max((curve.window for curve in curves), default=1)
        if more:
            self._window = next((window for window in WINDOWS if window > now), WINDOWS[-1])
        else:
            self._window = next((window for window in reversed(WINDOWS) if window < now), WINDOWS[0])
        smoothed = self._window > 1
        self.say(say("answer.values_smoothed", window=self._window) if smoothed else say("answer.values_not_smoothed"))
        self.context.clock.hurry()

    def action_copy(self) -> None:
        charts = self._charts[: len(self._page(self._grid()[0] * self._grid()[1]))]
        self.copy(next((chart.copied() for chart in charts if chart.names == self.chosen), ""))

    def action_back(self) -> None:
        """One thing after the other: out of the large chart, the cursor, the filter, the marks, the page."""
        if self.large:
            self.large = False
        elif self.axis.cursor is not None:
            self.axis.clear_cursor()
        elif self.catalogue.filter:
            self.catalogue.narrow("")
        elif self.marked:
            self.marked.clear()
        else:
            self.app.pop_screen()
            return
        self.context.clock.hurry()
