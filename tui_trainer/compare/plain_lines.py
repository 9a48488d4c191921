"""A comparison in plain lines: for a terminal without a screen, for a log, and for Markdown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from tui_trainer.compare.columns import ShownColumn, series_chosen, shown_columns, unknown_columns, usual_columns
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.differences import Difference, differences, find_out_presets, untold, warnings
from tui_trainer.compare.fairness import Fairness, fairness
from tui_trainer.compare.fairness import keep_up as keep_up_fairness
from tui_trainer.compare.metric import Metric
from tui_trainer.compare.table import TARGET_COLUMNS, Row, Table, tabulate_until, with_spread
from tui_trainer.compare.table import keep_up as keep_up_rows
from tui_trainer.compare.verdict import caution, verdict
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

ABSENT = "–"


@dataclass(frozen=True)
class Results:
    """All that is to be said of a comparison at one moment."""

    table: Table
    fairness: Fairness
    verdict: tuple[str, ...]
    caution: str
    """What to say beside the verdict where fairness is told elsewhere; mostly empty."""
    differences: tuple[Difference, ...]
    columns: tuple[ShownColumn, ...]
    """Those that the table is to show, in their order."""
    are_chosen: bool
    """Whether a person chose them."""
    warnings: tuple[str, ...] = ()
    """What is to be known of the presets, and was before any of them trained."""
    knows_presets: bool = True
    """Whether it was found out by now what each preset is, and leads to: of ten thousand that takes its time."""


def find_out(comparison: Comparison, metric: Metric | None = None) -> Results:
    """Work it all out from the records as far as they were read; by `metric`, where not by the comparison's own."""
    found = find_out_within(inf, inf, comparison, metric)
    assert found is not None
    return found


def find_out_within(
    seconds: float, of_presets: float, comparison: Comparison, metric: Metric | None = None
) -> Results | None:
    """The same; None where this thread has computed for so many seconds and it is not done yet: it goes on with the
    next call. What the presets are gets `of_presets` seconds, and may still be missing then."""
    elsewhere = comparison.elsewhere
    knows = find_out_presets(comparison, time.thread_time() + of_presets)
    fair = fairness(comparison)
    chosen = series_chosen(comparison) if knows else []
    table = tabulate_until(time.thread_time() + seconds, comparison, metric, chosen, fair)
    if table is None:
        return None
    over = {number for number in elsewhere.running if comparison.runs[number].is_over}
    said = (
        *verdict(comparison, table),
        *elsewhere.in_words(over),
        *comparison.of_lines,
        *(untold(comparison) if knows else ()),
        *(unknown_columns(comparison, table) if knows else ()),
    )
    return Results(
        table,
        fair,
        said,
        caution(fair),
        tuple(differences(comparison)) if knows else (),
        tuple(shown_columns(comparison, table) if knows else usual_columns(comparison, table)),
        bool(comparison.columns),
        tuple(warnings(comparison)) if knows else (),
        knows,
    )


def keep_up(comparison: Comparison, until: float) -> None:
    """Take in what happened to each run where nothing is to be said of it yet: many that were read one after the other
    are not left for one moment. Rows are made until this thread has computed so long."""
    keep_up_fairness(comparison)
    keep_up_rows(comparison, until)
    _ = comparison.standing, comparison.begun, comparison.series


def title_of(column: ShownColumn, table: Table, *, short: bool = False) -> str:
    """A column's heading; those of the target say which: `epoch to 0.98`."""
    if isinstance(column, Difference):
        return plain(column.key)
    title = column.short if short else column.title
    if column.key not in TARGET_COLUMNS:
        return title
    target = f"{table.target:g}" if table.target is not None else "target"
    return f"{title} to {target}" if not short else title


def cell(row: Row, column: ShownColumn) -> str:
    """A number with its spread over finished seeds, and how many of all seeds have it where not all do; or a
    setting."""
    if isinstance(column, Difference):
        return column.values[row.group.number]
    figure = row.figure(column.key)
    if figure is None:
        return ABSENT
    spread = figure.spread
    text = with_spread(column.show(figure.mean), column.show(spread) if spread is not None else None)
    if figure.count < len(row.group.runs):
        text += f" ({figure.count} of {len(row.group.runs)})"
    return text


def table_cells(findings: Results, rows: Sequence[Row] | None = None) -> list[list[str]]:
    """Headings, then a row a preset; the best of each column with a star."""
    table = findings.table
    columns = findings.columns
    best = table.best
    cells = [["preset", "status", "epochs", *(title_of(column, table) for column in columns)]]
    for row in rows if rows is not None else table.sorted_by(table.final_key):
        line = [plain(row.group.label), row.status, row.progress]
        for column in columns:
            star = "*" if row.group.number in best.get(column.key, ()) else ""
            line.append(cell(row, column) + star)
        cells.append(line)
    return cells


def in_columns(cells: Sequence[Sequence[str]], left: int = 2) -> list[str]:
    """Cells under each other, the first columns at the left, numbers at the right."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return [
        "  ".join(
            text.ljust(width) if i < left else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def all_over(runs: int) -> str:
    """What to say once all runs of a comparison have ended, so many."""
    return say("exit.runs_over", runs=counted(runs, "run")) if runs > 1 else say("exit.run_over")


def in_lines(comparison: Comparison, findings: Results) -> list[str]:
    """The whole comparison in plain text."""
    lines = ["", *in_columns(table_cells(findings)), ""]
    lines += findings.verdict
    lines += [f"warning: {sentence}" for sentence in findings.warnings]
    lines += findings.fairness.words
    if findings.differences:
        heading = ["what differs", *(plain(group.label) for group in comparison.groups)]
        body = [[row.key, *row.values] for row in findings.differences]
        lines += ["", *in_columns([heading, *body])]
    return lines
