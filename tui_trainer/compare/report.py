"""A comparison to send to a colleague: HTML in one file that needs no network, Markdown, or CSV; JSON for scripts. Its
charts are SVG, by hand: lines in the colours of their presets, told apart without colour by dashes and names."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from importlib.resources import files
from operator import itemgetter
from pathlib import Path
from statistics import fmean
from string import Template
from typing import Any

from tui_trainer.compare.colours import SWATCH
from tui_trainer.compare.columns import ShownColumn
from tui_trainer.compare.comparison import Comparison, Point, counted_in, epoch_ends, logged, rates, smoothed
from tui_trainer.compare.correlation import relations
from tui_trainer.compare.differences import Difference, settings_of, varied
from tui_trainer.compare.metric import Metric
from tui_trainer.compare.plain_lines import Results, cell, find_out, table_cells, title_of
from tui_trainer.compare.table import Row, Table
from tui_trainer.files.atomic import write_atomic
from tui_trainer.plotting.scales import along, linear, logarithmic
from tui_trainer.records.errors import RunsError, reason
from tui_trainer.records.history import History
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_names

WIDTH, HEIGHT = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 150, 12, 46
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2")
NAME_HEIGHT, LONGEST_NAME = 15.0, 17
"""Pixels between names at the ends of curves, and letters of one."""
ROW = 18
"""Pixels that a row of a scale takes: its ticks stand on rows."""


@dataclass
class Curve:
    """One preset's lines on a chart."""

    number: int
    name: str
    colour: int
    lines: list[list[Point]]
    """One a seed, or their mean alone."""
    band: list[tuple[float, float, float]] = field(default_factory=list)
    """Place, lowest and highest of the seeds around their mean."""
    best: Callable[[Iterable[Point]], Point] | None = None
    """Which point of the first line is marked as the best."""
    ended_early: bool = False


def chart(title: str, unit: str, curves: Sequence[Curve], *, log: bool = False) -> str:
    """One chart; an empty string where there is nothing to draw."""
    every = [point for curve in curves for line in curve.lines for point in line]
    every += [(x, y) for curve in curves for x, low, high in curve.band for y in (low, high)]
    if log:
        every = [(x, y) for x, y in every if y > 0]
    if not every:
        return ""
    last = max(x for x, _ in every) or 1.0
    rows = (HEIGHT - TOP - BOTTOM) // ROW
    lowest, highest = min(y for _, y in every), max(y for _, y in every)
    scale = logarithmic(lowest, highest, rows, 7) if log else linear(lowest, highest, rows, 7)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x_of(x: float) -> float:
        return LEFT + x / last * wide

    def y_of(y: float) -> float:
        return TOP + (1 - max(-0.1, scale.height(y))) * high

    clip = "clip-" + "".join(letter for letter in title if letter.isalnum())
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f'<clipPath id="{clip}"><rect x="{LEFT}" y="{TOP - 4}" width="{wide + 8}" height="{high + 8}"/></clipPath>',
    ]
    for tick in scale.ticks:
        y = TOP + high - (tick.at + 0.5) / rows * high
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{escape(tick.label)}</text>')
    for place, label in along(0, last, 90, labels=5, whole=unit != "seconds"):
        x = x_of(place)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{TOP + high}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 26}" text-anchor="middle">{escape(label)}</text>')
    parts.append(f'<text class="tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(unit)}</text>')
    parts.append(f'<g clip-path="url(#{clip})">')
    for curve in curves:
        dash = DASHES[curve.number % len(DASHES)]
        style = f' stroke-dasharray="{dash}"' if dash else ""
        thin = " thin" if len(curve.lines) > 1 else ""
        parts.append(f'<g class="run c{curve.colour}" data-run="{curve.number}">')
        if curve.band:
            outline = [(x, high) for x, _, high in curve.band] + [(x, low) for x, low, _ in reversed(curve.band)]
            edge = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in outline)
            parts.append(f'<polygon class="band" points="{edge}"/>')
        for line in filter(None, curve.lines):
            path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in line)
            parts.append(f'<polyline class="line{thin}"{style} points="{path}"/>')
        first = curve.lines[0] if curve.lines else []
        marked = [("◆", curve.best(first))] if curve.best is not None and first else []
        marked += [("✗", first[-1])] if curve.ended_early and first else []
        for mark, (x, y) in marked:
            parts.append(
                f'<text class="mark" x="{x_of(x):.1f}" y="{y_of(y) + 5:.1f}" text-anchor="middle">{mark}</text>'
            )
        parts.append("</g>")
    parts.append("</g>")
    ends = [(y_of(curve.lines[0][-1][1]), curve) for curve in curves if curve.lines and curve.lines[0]]
    short = short_names([curve.name for curve in curves], LONGEST_NAME)
    names = {curve.number: name for curve, name in zip(curves, short, strict=True)}
    for y, curve in _apart(ends, TOP + 8, TOP + high):
        name = escape(names[curve.number])
        cross = " ✗" if curve.ended_early else ""
        parts.append(f'<g class="run c{curve.colour}" data-run="{curve.number}">')
        parts.append(f'<text class="name" x="{WIDTH - RIGHT + 6}" y="{y + 4:.1f}">{name}{cross}</text></g>')
    parts.append("</svg>")
    return "\n".join(parts)


def _apart(ends: Sequence[tuple[float, Curve]], top: float, bottom: float) -> list[tuple[float, Curve]]:
    """Heights for names, as near as can be to where curves end, a line apart as long as there is room."""
    between = min(NAME_HEIGHT, (bottom - top) / max(1, len(ends) - 1))
    placed: list[tuple[float, Curve]] = []
    for y, curve in sorted(ends, key=lambda end: end[0]):
        placed.append((max(top, y, placed[-1][0] + between if placed else top), curve))
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i][0], bottom - (len(placed) - 1 - i) * between), placed[i][1]
    return placed


def of_seeds(number: int, name: str, colour: int, lines: list[list[Point]], **more: Any) -> Curve:
    """A preset's curve: of several seeds at the same places their mean, with a band from the lowest to the highest."""
    places = [[x for x, _ in line] for line in lines]
    if len(lines) < 2 or any(others != places[0] for others in places):
        return Curve(number, name, colour, lines, **more)
    heights = [[line[i][1] for line in lines] for i in range(len(places[0]))]
    mean = [(x, fmean(ys)) for x, ys in zip(places[0], heights, strict=True)]
    band = [(x, min(ys), max(ys)) for x, ys in zip(places[0], heights, strict=True)]
    return Curve(number, name, colour, [mean], band, **more)


FORMS = (".html", ".md", ".csv", ".json")
POINTS = 400
"""Points of a curve in a report: more than a chart there has pixels for."""


class ReportFailed(RunsError):
    """The report could not be written."""


def write_report(comparison: Comparison, file: Path) -> None:
    """Write the report in the form that the file's ending names; what was there before is replaced.

    Raises:
        ReportFailed: another ending, or a place that cannot be written to.
    """
    findings = find_out(comparison)
    make = {".html": as_html, ".md": as_markdown, ".csv": as_csv, ".json": as_json}.get(file.suffix.lower())
    if make is None:
        raise ReportFailed(f"--report {file}: the name must end in {', '.join(FORMS)}.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, make(comparison, findings).encode(), private=False)
    except OSError as cause:
        raise ReportFailed(f"the report could not be written to {file}: {reason(cause)}.") from cause


def as_csv(comparison: Comparison, findings: Results) -> str:
    """A row a preset, a column a number, or what was chosen; of several seeds, the mean of those that have finished
    (`seeds` `of` all) and beside it the sample's standard deviation."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    table = findings.table
    columns: Sequence[ShownColumn] = findings.columns if comparison.columns else [*varied(comparison), *table.columns]
    heads = [
        head
        for column in columns
        for head in ([column.key] if isinstance(column, Difference) else [column.key, f"{column.key}_spread"])
    ]
    writer.writerow(["preset", "status", "seeds", "of", "epochs", "steps", "target", *_by(table), *heads])
    for row in table.rows:
        line: list[object] = [plain(row.group.label), row.status, len(row.numbers), len(row.group.runs)]
        line += [max((n.epochs for n in row.numbers), default=0), max((n.steps for n in row.numbers), default=0)]
        line.append("" if table.target is None else table.target)
        line += [plain(table.metric.name) for _ in _by(table)]
        for column in columns:
            if isinstance(column, Difference):
                line.append(column.values[row.group.number])
                continue
            figure = row.figure(column.key)
            line += ["", ""] if figure is None else [figure.mean, "" if figure.spread is None else figure.spread]
        writer.writerow(line)
    return out.getvalue()


def _by(table: Table) -> list[str]:
    """The heading of a column that says by what runs were compared, where that is not their accuracy."""
    return [] if table.metric.is_accuracy else ["metric"]


def as_json(comparison: Comparison, findings: Results) -> str:
    """One object: the verdict in words, fairness, and for each preset its numbers, in the order of the comparison."""
    table, settings = findings.table, settings_of(comparison)
    found = {
        "session": comparison.session.id,
        "name": comparison.session.plan.name,
        "over": comparison.is_over,
        "drawn_with": comparison.session.plan.drawn_with,
        "stop_worse_than": comparison.session.plan.stop_worse_than,
        "metric": {"name": table.metric.name, "goal": table.metric.goal, "unit": table.metric.unit},
        "target": table.target,
        "target_was_asked": table.target_was_asked,
        "verdict": list(findings.verdict),
        "warnings": list(findings.warnings),
        "fair": findings.fairness.is_fair,
        "fairness": findings.fairness.words,
        "presets": [_row_as_json(row, table, settings[row.group.number]) for row in table.rows],
        "relations": [
            {"setting": each.key, "correlation": each.correlation, "runs": len(each.dots)}
            for each in relations(comparison, table)
        ],
        "differences": [
            {"key": row.key, "values": dict(zip((g.label for g in comparison.groups), row.values, strict=True))}
            for row in findings.differences
        ],
    }
    return json.dumps(found, indent=2) + "\n"


def _row_as_json(row: Row, table: Table, settings: dict[str, object] | None) -> dict[str, Any]:
    """`of` is how many seeds a preset has, `finished` how many of them a mean may count; `best` names columns."""
    best = table.best
    return {
        "preset": row.group.label,
        "status": row.status,
        "of": len(row.group.runs),
        "finished": len(row.group.standing.finished),
        "runs": [
            {"seed": run.entry.seed, "status": run.state, "run": run.record.name if run.record else None}
            for run in row.group.runs
        ],
        "best": [column.key for column in table.columns if row.group.number in best.get(column.key, ())],
        "varied": row.group.runs[0].entry.varied,
        "settings": settings,
        "figures": {
            column.key: {"mean": figure.mean, "spread": figure.spread, "values": row.values(column)}
            for column in table.columns
            if (figure := row.figure(column.key)) is not None
        },
    }


def as_markdown(comparison: Comparison, findings: Results) -> str:
    """Verdict, table, fairness and differences, for an issue or a wiki."""
    lines = [f"# {_title(comparison)}", "", _md(_trained(comparison)), ""]
    lines += [_md(sentence) for sentence in _said(findings)]
    lines += ["", *_md_table(table_cells(findings)), ""]
    if any(findings.table.best.values()):
        lines += [say("report.best_marked"), ""]
    lines += [f"## {say('report.is_it_fair')}", "", *map(_md, findings.fairness.words)]
    if findings.differences:
        heading = ["setting", *(plain(group.label) for group in comparison.groups)]
        lines += ["", "## What differs", ""]
        lines += _md_table([heading, *([row.key, *row.values] for row in findings.differences)])
    if related := relations(comparison, findings.table):
        lines += ["", f"## {say('report.goes_with', metric=_md(findings.table.metric.words))}", ""]
        lines += _md_table([["setting", "rank correlation"], *([each.key, each.words] for each in related)])
    return "\n".join([*lines, "", _about(comparison), ""])


def as_html(comparison: Comparison, findings: Results) -> str:
    """One page with all of it; colours follow the reader's light or dark setting."""
    page = Template((files("tui_trainer.compare") / "report.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(_title(comparison)),
        trained=escape(_trained(comparison)),
        verdict="\n".join(f"<p>{escape(sentence)}</p>" for sentence in _said(findings)),
        fairness="\n".join(
            f"<p>{escape(text)}</p>" for text in (findings.fairness.sentence, *findings.fairness.asides)
        ),
        fair="fair" if findings.fairness.is_fair else "unfair",
        legend=_legend(comparison),
        charts=_charts(comparison, findings.table.metric),
        note=f'<p class="note">{say("report.bands")}</p>'
        if any(len(group.counted) > 1 for group in comparison.groups)
        else "",
        table=_html_table(findings),
        conditions=_html_conditions(findings),
        differences=_html_differences(comparison, findings),
        relations=_html_relations(comparison, findings.table),
        about=escape(_about(comparison)),
    )


def _charts(comparison: Comparison, metric: Metric) -> str:
    def curves(
        lines: Callable[[History], list[Point]], best: Callable[[Iterable[Point]], Point] | None = None
    ) -> list[Curve]:
        return [
            (of_seeds if group.counted else Curve)(  # of seeds that have not finished there is no mean
                group.number,
                plain(group.label),
                group.colour,
                [lines(run.history) for run in group.counted or group.begun],
                best=best,
                ended_early=group.ended_early,
            )
            for group in comparison.groups
            if group.begun
        ]

    unit = counted_in(run.history for group in comparison.groups for run in group.begun)

    def val_loss(history: History) -> list[Point]:
        return epoch_ends(history, unit, "val_loss", POINTS)

    def accuracy(history: History) -> list[Point]:
        return epoch_ends(history, unit, "val_accuracy", POINTS)

    smoothed_loss = say("report.train_loss")
    drawn = [
        (smoothed_loss, curves(lambda h: smoothed(h, unit, POINTS))),
        ("Validation loss", curves(val_loss, lambda points: min(points, key=itemgetter(1)))),
        ("Validation accuracy", curves(accuracy, lambda points: max(points, key=itemgetter(1)))),
        ("Learning rate", curves(lambda h: rates(h, unit, POINTS // 2))),
    ]
    if metric.name not in ("val_accuracy", "val_loss", "train_loss", "lr"):
        best: Callable[[Iterable[Point]], Point] | None = None
        if metric.sign:
            best = partial(max if metric.sign > 0 else min, key=itemgetter(1))
        of_it = curves(lambda history: logged(history, unit, metric.name, POINTS), best)
        drawn.insert(0, (metric.words, of_it))
    charts = [(title, chart(title, unit, found, log=title == smoothed_loss)) for title, found in drawn]
    return "\n".join(f"<figure><figcaption>{escape(t)}</figcaption>{svg}</figure>" for t, svg in charts if svg)


def _legend(comparison: Comparison) -> str:
    return "\n".join(
        f'<label class="c{group.colour}"><input type="checkbox" checked data-run="{group.number}">'
        f"<b>{SWATCH}</b> {escape(plain(group.label))}</label>"
        for group in comparison.groups
    )


def _html_table(findings: Results) -> str:
    table = findings.table
    columns = findings.columns
    heads = "".join(f"<th>{escape(title_of(column, table))}</th>" for column in columns)
    rows = []
    for row in table.sorted_by(table.final_key):
        cells = "".join(
            f"<td{' class=best' if row.group.number in table.best.get(column.key, ()) else ''}>"
            f"{escape(cell(row, column))}</td>"
            for column in columns
        )
        name = f'<th class="c{row.group.colour}"><b>{SWATCH}</b> {escape(plain(row.group.label))}</th>'
        rows.append(f"<tr>{name}<td>{escape(row.status)}</td><td>{escape(row.progress)}</td>{cells}</tr>")
    return f"<tr><th>preset</th><th>status</th><th>epochs</th>{heads}</tr>\n" + "\n".join(rows)


def _said(findings: Results) -> list[str]:
    warned = [f"Warning: {sentence}" for sentence in findings.warnings]
    return [*findings.verdict, *([findings.caution] if findings.caution else []), *warned]


def _html_conditions(findings: Results) -> str:
    """What was held equal, with the digests that prove it, and what was not."""
    rows = ["<tr><th>condition</th><th></th><th>value</th></tr>"]
    for variable in findings.fairness.variables:
        values = [
            value if variable.same else f"{value}: {', '.join(labels)}" for value, labels in variable.values.items()
        ]
        values += [f"not told: {', '.join(variable.not_told)}"] if variable.not_told else []
        state = "same" if variable.same else "differs" if variable.differs else say("report.not_told_by_all")
        shown = "<br>".join(map(escape, values)) + (
            f"<br><code>{escape(variable.digest)}</code>" if variable.digest else ""
        )
        kind = "" if variable.same else " class=unlike"
        rows.append(f"<tr><th>{escape(variable.name)}</th><td{kind}>{state}</td><td>{shown}</td></tr>")
    return "\n".join(rows)


def _html_differences(comparison: Comparison, findings: Results) -> str:
    if not findings.differences:
        return f"<tr><td>{say('report.nothing_differs')}</td></tr>"
    heads = "".join(
        f'<th class="c{group.colour}"><b>{SWATCH}</b> {escape(plain(group.label))}</th>' for group in comparison.groups
    )
    rows = [
        f"<tr><th>{escape(row.key)}</th>" + "".join(f"<td>{escape(value)}</td>" for value in row.values) + "</tr>"
        for row in findings.differences
    ]
    return f"<tr><th></th>{heads}</tr>\n" + "\n".join(rows)


def _html_relations(comparison: Comparison, table: Table) -> str:
    """What goes with what runs are compared by; nothing where too few have finished."""
    rows = "\n".join(
        f"<tr><th>{escape(plain(each.key))}</th><td>{escape(each.words)}</td></tr>"
        for each in relations(comparison, table)
    )
    if not rows:
        return ""
    what = f"<h2>{say('report.goes_with', metric=escape(table.metric.words))}</h2>"
    return f'{what}\n<div class="scroll"><table id="relations">\n{rows}\n</table></div>'


def _md_table(cells: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(_md(text).replace("|", "\\|") for text in line) + " |" for line in cells]
    return [lines[0], "| --- | --- |" + " ---: |" * (len(cells[0]) - 2), *lines[1:]]


def _md(text: str) -> str:
    """Text that stays text in Markdown."""
    for sign in "\\`*_<>[]#":
        text = text.replace(sign, "\\" + sign)
    return text


def _title(comparison: Comparison) -> str:
    name = comparison.session.plan.name
    return plain(name) if name else "Comparison of " + ", ".join(plain(group.label) for group in comparison.groups)


def _trained(comparison: Comparison) -> str:
    """When what was trained on what, as far as the runs tell it; all that there are, where they have unlike ones."""
    told = [run.history.resolved for run in comparison.runs if run.history.resolved is not None]
    models = [f"{run.model}, {run.parameters:,} parameters" if run.parameters else run.model for run in told]
    devices = [run.device_name or run.device for run in told]
    versions = [f"torch {run.versions['torch']}" if "torch" in run.versions else "" for run in told]
    parts = [_began(comparison)]
    for values in ([run.dataset for run in told], models, devices, versions):
        if different := [plain(value) for value in dict.fromkeys(values) if value]:
            parts.append(" or ".join(different))
    return " · ".join(parts)


def _began(comparison: Comparison) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(comparison.session.plan.created_at))


def _about(comparison: Comparison) -> str:
    return say("report.made_by", session=comparison.session.id)
