"""A comparison in words: what is compared and how far it is; the verdict, whether it is fair, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui_trainer.compare.colours import SWATCH
from tui_trainer.compare.differences import ABSENT
from tui_trainer.compare.plain_lines import all_over
from tui_trainer.records.summary import seconds_left
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_names
from tui_trainer.ui.compare.curves import SeriesStyles
from tui_trainer.ui.formatting import about, cut, fit, percent, wrap
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.plain_lines import Results
    from tui_trainer.compare.queue import Queue


LONGEST_NAME = 16
"""Cells that names of presets get before what only they have."""


class CompareHeadline(Panel):
    """Names at the left, progress at the right."""

    def __init__(self) -> None:
        super().__init__()
        self._comparison: Comparison | None = None
        self._queue: Queue | None = None
        self._share = 0.0
        self._version = -1
        """Of the comparison, as it was counted last."""
        self._left: float | None = None

    def show(self, comparison: Comparison, queue: Queue | None, share: float) -> None:
        """Bring it up to date; `share` is what drawing takes of the machine."""
        self._comparison, self._queue, self._share = comparison, queue, share
        if self._version != comparison.version:
            self._version = comparison.version
            self._left = _seconds_left(comparison)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        comparison = self._comparison
        if comparison is None:
            return []
        width = self.size.width
        right = [*self._state(comparison), Span(" ")]
        left = [Span(" tui-trainer  ", "faint"), Span(self._what(comparison), "strong")]
        if first := comparison.standing.resolved[:1]:
            resolved = first[0].history.resolved
            assert resolved is not None
            threads = f" ×{resolved.threads}" if resolved.device == "cpu" and resolved.threads else ""
            for text in filter(None, (resolved.model, resolved.dataset, resolved.device + threads)):
                part = [Span(" · ", "faint"), Span(plain(text))]
                if width_of(left) + width_of(part) + width_of(right) + 2 <= width:
                    left += part
        if width_of(left) + width_of(right) + 2 > width:
            left = [Span(cut(f" {self._what(comparison)}", max(0, width - width_of(right) - 2)), "strong")]
        return [justified(left, right, width)]

    def _what(self, comparison: Comparison) -> str:
        name = comparison.session.plan.name
        seeds = comparison.seeds
        what = f"comparison of {len(comparison.groups)}" + (f" × {seeds} seeds" if seeds > 1 else "")
        return f"{plain(name)}: {what}" if name else what

    def _state(self, comparison: Comparison) -> list[Span]:
        runs, done = comparison.runs, comparison.standing.over
        if self._queue is not None and self._queue.failure:
            return [Span(cut(f"● {plain(self._queue.failure)}", max(20, self.size.width // 2)), "warning")]
        driven = comparison.is_driven or (self._queue is not None and not self._queue.is_over)
        if done == len(runs) and not driven:
            return [Span("● " + all_over(len(runs)), "good")]
        if not driven:
            if live := comparison.standing.states["running"]:
                said = say("comparison.trains_by_itself", done=done, runs=counted(len(runs), "run"), live=live)
                return [Span("● " + said, "live")]
            return [Span("● " + say("comparison.idle", done=done, runs=counted(len(runs), "run")), "warning")]
        if comparison.elsewhere.only_waits and (self._queue is None or self._queue.is_over):
            return [Span("● " + say("comparison.queued", done=done, runs=counted(len(runs), "run")))]
        left = self._left
        place = min(done + 1, len(runs))
        spans = [Span("● " + say("comparison.training", place=place, runs=len(runs)), "live")]
        if left is not None:
            spans.append(Span(f"   {about(left):>5} left", "faint"))
        if self.size.width >= 100:
            spans.append(Span("   " + say("comparison.screen", share=percent(self._share)), "faint"))
        return spans


def _seconds_left(comparison: Comparison) -> float | None:
    """From the runs that go on, and for those to come what the others took on average."""
    standing = comparison.standing
    took, of, left = standing.took, standing.took_of, 0.0
    begun = [run for run in standing.live if run.history.steps]
    to_come = len(comparison.runs) - standing.over - len(begun)
    for run in begun:
        seconds = seconds_left(run.history)
        if seconds is not None:
            took, of = took + run.history.elapsed_s + seconds, of + 1
            left += seconds
    if not of:
        return None
    return (left + to_come * took / of) / max(1, comparison.session.plan.jobs)


class Words(SeriesStyles):
    """A panel of a comparison's findings."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._comparison: Comparison | None = None
        self._findings: Results | None = None

    def show(self, comparison: Comparison, findings: Results) -> None:
        """Bring it up to date."""
        if comparison is not self._comparison or findings is not self._findings:
            self._comparison, self._findings = comparison, findings
            self.redraw_soon()


class VerdictWords(Words):
    """What came of it, what to know of the presets, and whether it was fair."""

    def warned(self, width: int, most: int) -> list[Line]:
        """The warnings, right below what came first: they are to be seen before the presets train. About so many lines,
        where there are more."""
        sentences = self._findings.warnings if self._findings is not None else ()
        said: list[Line] = []
        for sentence in sentences:
            if len(said) >= most:
                break
            for i, line in enumerate(wrap(plain(sentence), max(8, width - 2))):
                said.append((Span("! " if i == 0 else "  ", "warning"), Span(line, "warning")))
        return said

    def lines(self) -> Sequence[Line]:
        if self._findings is None:
            return []
        width, height = self.size
        told = [
            [(Span(line, "" if i else "strong"),) for line in wrap(plain(sentence), width)]
            for i, sentence in enumerate(self._findings.verdict)
        ]
        fair = self._findings.fairness
        room = height - sum(map(len, told)) - len(wrap(plain(fair.short), width))
        warned = self.warned(width, max(2, room + 1))
        if len(warned) > max(2, room):  # rather than what came of it
            warned = [*warned[: max(2, room) - 1], _cut_off(warned[max(2, room) - 1], width)]
        lines: list[Line] = [*chain(told[0] if told else [], warned, *told[1:])]
        role = "faint" if fair.is_fair else "warning"
        said = [(Span(line, role),) for text in fair.words for line in wrap(plain(text), width)]
        if len(lines) + len(said) > height:
            said = [(Span(line, role),) for line in wrap(plain(fair.short), width)]
        if len(lines) + len(said) > height:
            said = [(Span(cut(plain(fair.short), width), role),)]
        if len(lines) > (room := max(1, height - len(said))):
            lines = [*lines[: room - 1], _cut_off(lines[room - 1], width)]
        elif len(lines) + len(said) < height and height > 6:
            lines.append(BLANK)
        return [*lines, *said]


def _cut_off(line: Line, width: int) -> Line:
    """A line behind which others are left out."""
    room = width - width_of(line[:-1])
    return (*line[:-1], line[-1]._replace(text=cut(f"{line[-1].text} …", room)))


class DifferenceWords(Words):
    """What differs, side by side where there is room, and nothing else."""

    def lines(self) -> Sequence[Line]:
        if self._findings is None or self._comparison is None:
            return []
        width = self.size.width
        title: Line = (Span("what differs", "strong"),)
        if not self._findings.knows_presets:
            return [title]
        if not self._findings.differences:
            return [title, (Span(say("comparison.nothing_differs"), "faint"),)]
        return [title, *(self._side_by_side(width) or self._one_by_one(width))]

    def _side_by_side(self, width: int) -> list[Line]:
        assert self._findings is not None
        assert self._comparison is not None
        rows = self._findings.differences
        groups = self._comparison.groups
        if 4 * len(groups) > width:
            return []
        keys = [row.key.partition(".")[2] if row.key.startswith("scheduler.") else row.key for row in rows]
        keys = ["scheduler" if row.key == "scheduler.name" else key for row, key in zip(rows, keys, strict=True)]
        first = max(map(len, keys))
        sizes = [
            max(len(plain(group.label)) + 2, *(len(row.values[i]) for row in rows)) for i, group in enumerate(groups)
        ]
        if first + sum(sizes) + 2 * len(sizes) > width:
            return []
        head: list[Span] = [Span(" " * first)]
        for group, size in zip(groups, sizes, strict=True):
            head += [Span("  "), Span(fit(f"{SWATCH} {plain(group.label)}", size), f"run{group.colour}")]
        lines: list[Line] = [tuple(head)]
        for key, row in zip(keys, rows, strict=True):
            line = [Span(key.ljust(first), "faint")]
            for value, size in zip(row.values, sizes, strict=True):
                line += [Span("  "), Span(fit(plain(value), size), "faint" if value == ABSENT else "")]
            lines.append(tuple(line))
        return lines

    def _one_by_one(self, width: int) -> list[Line]:
        """A preset a line, with what only it has."""
        assert self._findings is not None
        assert self._comparison is not None
        groups = self._comparison.groups
        labels = [plain(group.label) for group in groups]
        size = min(LONGEST_NAME, max(map(cell_len, labels)))
        labels = short_names(labels, size)
        lines: list[Line] = []
        for i, group in enumerate(groups):
            if len(lines) > self.size.height:
                break
            said = []
            for row in self._findings.differences:
                if row.values[i] == ABSENT:
                    continue
                table, _, key = row.key.partition(".")
                name = key if table == "scheduler" or key in ("lr", "momentum") else f"{table} {key}".rstrip()
                said.append(row.values[i] if key == "name" else f"{name} {row.values[i]}")
            name = f"{SWATCH} {fit(labels[i], size)} "
            for j, text in enumerate(
                wrap(plain(", ".join(said)) or say("comparison.as_the_others"), max(8, width - size - 3))
            ):
                lines.append((Span(name if not j else " " * (size + 3), f"run{group.colour}"), Span(cut(text, width))))
        return lines
