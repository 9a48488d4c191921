"""The words of a comparison: the verdict, whether it is fair, and what differs between the presets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.compare.differences import ABSENT
from tui_trainer.ui.compare.colours import InColours
from tui_trainer.ui.panel import BLANK, Line, Span
from tui_trainer.ui.words import clean, cut, fit, wrap

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Comparison
    from tui_trainer.compare.words import Findings


class Words(InColours):
    """A panel of a comparison's findings."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._comparison: Comparison | None = None
        self._findings: Findings | None = None

    def show(self, comparison: Comparison, findings: Findings) -> None:
        """Bring it up to date."""
        if comparison is not self._comparison or findings is not self._findings:
            self._comparison, self._findings = comparison, findings
            self.redraw_soon()


class VerdictWords(Words):
    """What came of it, and whether that was fair."""

    def lines(self) -> Sequence[Line]:
        if self._findings is None:
            return []
        width, height = self.size
        lines: list[Line] = []
        for i, sentence in enumerate(self._findings.verdict):
            lines += [(Span(line, "" if i else "strong"),) for line in wrap(clean(sentence), width)]
        fair = self._findings.fairness
        role = "faint" if fair.is_fair else "warning"
        said = [(Span(line, role),) for text in fair.words for line in wrap(clean(text), width)]
        if len(lines) + len(said) > height:
            said = [(Span(line, role),) for line in wrap(clean(fair.short), width)]
        if len(lines) + len(said) > height:
            said = [(Span(cut(clean(fair.short), width), role),)]
            lines = lines[: max(1, height - 1)]
        elif len(lines) + len(said) < height and height > 6:
            lines.append(BLANK)
        return [*lines, *said]


class DifferenceWords(Words):
    """What differs, side by side where there is room, and nothing else."""

    def lines(self) -> Sequence[Line]:
        if self._findings is None or self._comparison is None:
            return []
        width = self.size.width
        title: Line = (Span("what differs", "strong"),)
        if not self._findings.differences:
            return [title, (Span("nothing: their presets are the same", "faint"),)]
        return [title, *(self._side_by_side(width) or self._one_by_one(width))]

    def _side_by_side(self, width: int) -> list[Line]:
        assert self._findings is not None
        assert self._comparison is not None
        rows = self._findings.differences
        groups = self._comparison.groups
        keys = [row.key.partition(".")[2] if row.key.startswith("scheduler.") else row.key for row in rows]
        keys = ["scheduler" if row.key == "scheduler.name" else key for row, key in zip(rows, keys, strict=True)]
        first = max(map(len, keys))
        sizes = [
            max(len(clean(group.label)) + 2, *(len(row.values[i]) for row in rows)) for i, group in enumerate(groups)
        ]
        if first + sum(sizes) + 2 * len(sizes) > width:
            return []
        head: list[Span] = [Span(" " * first)]
        for group, size in zip(groups, sizes, strict=True):
            head += [Span("  "), Span(fit(f"{group.mark} {clean(group.label)}", size), f"run{group.colour}")]
        lines: list[Line] = [tuple(head)]
        for key, row in zip(keys, rows, strict=True):
            line = [Span(key.ljust(first), "faint")]
            for value, size in zip(row.values, sizes, strict=True):
                line += [Span("  "), Span(fit(clean(value), size), "faint" if value == ABSENT else "")]
            lines.append(tuple(line))
        return lines

    def _one_by_one(self, width: int) -> list[Line]:
        """A preset a line, with what only it has."""
        assert self._findings is not None
        assert self._comparison is not None
        groups = self._comparison.groups
        size = min(16, max(len(clean(group.label)) for group in groups))
        lines: list[Line] = []
        for i, group in enumerate(groups):
            said = []
            for row in self._findings.differences:
                if row.values[i] == ABSENT:
                    continue
                table, _, key = row.key.partition(".")
                name = key if table == "scheduler" or key in ("lr", "momentum") else f"{table} {key}".rstrip()
                said.append(row.values[i] if key == "name" else f"{name} {row.values[i]}")
            name = f"{group.mark} {fit(clean(group.label), size)} "
            for j, text in enumerate(wrap(clean(", ".join(said)) or "as the others", max(8, width - size - 3))):
                lines.append((Span(name if not j else " " * (size + 3), f"run{group.colour}"), Span(cut(text, width))))
        return lines
