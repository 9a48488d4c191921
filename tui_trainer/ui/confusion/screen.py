"""What the network confuses: which class was taken for which, and the images that it was most wrong about."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nsmallest
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.color import Color

from tui_trainer.events import TRAINING, ConfusionCounted
from tui_trainer.files import most_wrong
from tui_trainer.files.most_wrong import MostWrong
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain, shows_unicode
from tui_trainer.ui.confusion.images import Image, drawn
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.keys import bindings
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.run_sources.run_source import RunSource

ALL = "all"
"""What the last row of the matrix is called."""

WORST_NAMED = 3
LONGEST_NAME = 10
LEAST_UNDER = 9
"""Lines that images need under the matrix, with their heading."""
LEAST_BESIDE = 64
"""Columns that images need beside the matrix; with fewer they stand under it."""
GAP = 2
"""Cells between two images, and between the matrix and the images."""


class ConfusionPanel(Panel):
    """The matrix, the pairs that are confused most often, and the images beside or under them."""

    def __init__(self) -> None:
        super().__init__(id="confusion")
        self._counted: ConfusionCounted | None = None
        self._images: MostWrong | None = None
        self._instead = ""
        """What is said where there is no matrix."""
        self._no_images = ""
        self._shown: tuple[ConfusionCounted | None, MostWrong | None, str, str] | None = None

    def show(self, told: ConfusionCounted | None, images: MostWrong | None, instead: str, no_images: str) -> None:
        """Bring it up to date."""
        shown = told, images, instead, no_images
        if shown == self._shown:
            return  # drawing all images anew takes as long as a key may wait
        self._shown = shown
        self._counted, self._images, self._instead, self._no_images = shown
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        if self._counted is None:
            return [(Span(" "), Span(cut(self._instead, width - 2), "faint"))]
        matrix, pairs = self._matrix(self._counted, width, height), self._pairs(self._counted)
        pad = max(map(width_of, matrix)) + GAP
        if width - pad >= LEAST_BESIDE:
            return _beside([*matrix, BLANK, *pairs], self._wrong(width - pad, height), pad)
        if width - pad >= max(map(width_of, pairs)):
            matrix = _beside(matrix, [BLANK, *pairs], pad)
        elif height - len(matrix) - len(pairs) >= LEAST_UNDER:
            matrix += pairs
        return [*matrix, *self._wrong(width - 2, height - len(matrix))]

    # The matrix

    def _matrix(self, told: ConfusionCounted, width: int, height: int) -> list[Line]:
        label = max([cell_len(ALL), *(min(cell_len(plain(name)), LONGEST_NAME) for name in told.classes)])
        cell = max(4, *(len(str(count)) + 1 for row in told.counts for count in row)) if told.counts else 4
        right = sum(row[i] for i, row in enumerate(told.counts))
        images = sum(map(sum, told.counts))
        pictures = counted(images, "image")
        fit = max(1, min((width - label - 12) // cell, height - 4, len(told.classes)))
        names = [cut(plain(name), LONGEST_NAME) for name in told.classes[:fit]]
        if fit < len(told.classes):
            pictures += f", {fit} of {len(told.classes)} classes shown"
        lines: list[Line] = [
            (
                Span(" " + say("confusion.axes"), "strong"),
                Span(f"   epoch {told.epoch}, {pictures}", "faint"),
            ),
            (
                Span(" " * (label + 3)),
                *(Span(_at_right(cut(name, cell - 1), cell), "faint") for name in names),
                Span("  right", "faint"),
            ),
        ]
        for i, (name, row) in enumerate(zip(names, told.counts, strict=False)):
            total = sum(row)
            cells = [
                Span(str(count or "·").rjust(cell), self._heat(count, total, right=i == j))
                for j, count in enumerate(row[:fit])
            ]
            lines.append((Span(f" {_at_right(name, label)}  "), *cells, Span(_share(row[i], total))))
        everything = Span(f" {ALL:>{label}}  {' ' * (cell * len(names))}", "faint")
        lines.append((everything, Span(_share(right, images))))
        return lines

    def _pairs(self, told: ConfusionCounted) -> list[Line]:
        pairs = (
            (-count / total, i, j, count)
            for i, row in enumerate(told.counts)
            if (total := sum(row))
            for j, count in enumerate(row)
            if i != j and count
        )
        worst = nsmallest(WORST_NAMED, pairs)
        if not worst:
            return [(Span(" " + say("confusion.none_wrong"), "good"),)]
        lines: list[Line] = [(Span(" most often", "strong"),)]
        for _, i, j, count in worst:
            of = sum(told.counts[i])
            words = f" {plain(told.classes[i])} taken for {plain(told.classes[j])}"
            lines.append((Span(words), Span(f"  {count} of {of}", "faint")))
        return lines

    def _heat(self, count: int, total: int, *, right: bool) -> str:
        """The colours of a cell: the more of its row it has, the stronger."""
        if not count or not total:
            return "faint"
        variables = self.app.theme_variables
        background, text = Color.parse(variables["background"]), Color.parse(variables["foreground"])
        colour = Color.parse(variables["success" if right else "warning"])
        share = count / total
        strength = 0.12 + 0.38 * share if right else min(0.75, 0.15 + 1.5 * share)
        return f"{text.hex6} on {background.blend(colour, strength).hex6}"

    # The images

    def _wrong(self, width: int, height: int) -> list[Line]:
        found = self._images
        heading = [Span(" most wrong", "strong")]
        if found is None or not found.images:
            why = "none" if found is not None else self._no_images
            return [(*heading, Span(f"   {cut(why, width - 16)}", "faint"))]
        stale = self._counted is not None and found.epoch != self._counted.epoch
        heading.append(
            Span(
                "   " + (say("confusion.of_epoch", epoch=found.epoch) if stale else say("confusion.highest_first")),
                "faint",
            )
        )
        images = [Image(*found.shape, found.pixels(place)) for place in range(len(found.images))]
        by = next((by for by in (1, 2, 3, 4) if _fit(images[0], by, width, height - 1) >= len(images)), 2)
        shown = images[: _fit(images[0], by, width, height - 1)]
        if not shown:
            return [(*heading, Span("   " + say("confusion.no_room"), "warning"))]
        across = _across(images[0], by, width)
        lines: list[Line] = [tuple(heading)]
        for first in range(0, len(shown), across):
            lines += self._row(found, [image.shrunk(by) for image in shown[first : first + across]], first)
        return lines

    def _row(self, found: MostWrong, images: list[Image], first: int) -> list[Line]:
        """Images side by side, with what each is and was taken for under it."""
        ascii_only = not shows_unicode()
        pictures = [drawn(image, plain=ascii_only) for image in images]
        wide = max(images[0].width, _CAPTION)
        lines: list[Line] = []
        for row in zip(*pictures, strict=True):
            spans: list[Span] = []
            for picture in row:
                spans += [Span(" "), *picture, Span(" " * (wide - width_of(picture) + GAP - 1))]
            lines.append(tuple(spans))
        caption: list[Span] = []
        for place in range(first, first + len(images)):
            wrong = found.images[place]
            words = f"{self._class(wrong.label)} → {self._class(wrong.taken_for)}"
            caption.append(Span(" " + cut(words, wide).ljust(wide + GAP - 1), "faint"))
        return [*lines, tuple(caption)]

    def _class(self, number: int) -> str:
        names = self._counted.classes if self._counted is not None else []
        return plain(names[number]) if number < len(names) else str(number)


def _at_right(name: str, width: int) -> str:
    return " " * (width - cell_len(name)) + name


def _share(part: int, whole: int) -> str:
    return f"{part / whole:7.1%}" if whole else "      –"


_CAPTION = 14
"""Cells that are kept for what an image is and was taken for."""


def _across(image: Image, by: int, width: int) -> int:
    return (width + GAP) // (max(image.width // by, _CAPTION) + GAP)


def _fit(image: Image, by: int, width: int, height: int) -> int:
    """How many images fit, each with a line under it."""
    return _across(image, by, width) * max(0, height // ((image.height // by + 1) // 2 + 1))


def _beside(left: list[Line], right: list[Line], pad: int) -> list[Line]:
    """Two columns, of which the second begins so many cells from the left."""
    return [
        (*one, Span(" " * (pad - width_of(one))), *other) for one, other in zip_longest(left, right, fillvalue=BLANK)
    ]


def _instead(history: History) -> str:
    """What is said where there is no matrix."""
    counts = history.series.declares("val_accuracy/") or history.phase != TRAINING
    if history.ended is None and counts:
        return say("confusion.nothing_yet")
    if history.ended is not None and not history.epochs:
        return say("confusion.none_came")
    return say("confusion.not_told")


class ConfusionScreen(TrainerScreen):
    """The last validation of a run, class by class; while it trains, the newest."""

    BINDINGS = bindings("confusion")
    CSS = "ConfusionPanel { height: 1fr; } ConfusionScreen KeyLine { height: 1; }"

    def __init__(self, source: RunSource) -> None:
        super().__init__("confusion")
        self._source = source
        self._panel = ConfusionPanel()
        self._images: MostWrong | None = None
        self._read_for: ConfusionCounted | None = None
        """The matrix that the images were read beside."""
        self._reads = False

    def compose_content(self) -> ComposeResult:
        yield self._panel
        yield self.key_line

    @property
    def at_ease(self) -> bool:
        return self._source.history.ended is not None and not self._reads

    def draw(self) -> None:
        if self._source is not self.context.source:
            self.context.follow(self._source)
        history = self._source.history
        told = history.confusion
        if told is not None and told is not self._read_for and not self._reads:
            self._read(told)
        several = history.resolved is not None and history.resolved.ranks > 1
        no_images = say("confusion.images_of_several" if several else "confusion.no_images")
        instead = "" if told is not None else _instead(history)
        self._panel.show(told, self._images, instead, "" if self._reads else no_images)
        self.key_line.redraw()

    def _read(self, told: ConfusionCounted) -> None:
        folder = self._source.folder
        if folder is None:
            return
        self._reads, self._read_for = True, told

        def done(images: MostWrong | None) -> None:
            self._reads, self._images = False, images
            if self.is_attached:
                self.draw()

        def failed(error: Exception) -> None:
            self._reads = False
            self.say(plain(str(error)), "warning")

        self.context.tasks.run(lambda: most_wrong.read(folder), done, failed)

    def action_back(self) -> None:
        self.app.pop_screen()
