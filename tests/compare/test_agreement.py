"""On random sessions, with seeds that diverged, crashed, were stopped, train on or are still to come: the table, the
verdict, the screen, plain lines, every report and `--json` say the same, and what a reckoning by hand says."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Literal, TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.compare.test_verdict import curve
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.plain_lines import Results, cell, find_out, in_lines, shown_columns
from tui_trainer.compare.report import as_csv, as_html, as_json, as_markdown
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.compare.table import COLUMNS
from tui_trainer.records.lock import WriterLock
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.compare.table import CompareTable
from tui_trainer.ui.context import AppContext

State: TypeAlias = Literal["finished", "diverged", "crashed", "stopped", "running", "to come"]
STATES: tuple[State, ...] = ("finished", "diverged", "crashed", "stopped", "running", "to come")
FINAL = next(column for column in COLUMNS if column.key == "final_accuracy")


@dataclass(frozen=True)
class Made:
    """One run: how it stands, and the validation accuracy of each epoch."""

    state: State
    accuracies: list[float]

    @property
    def counts(self) -> bool:
        return self.state == "finished" and bool(self.accuracies)


Groups: TypeAlias = dict[str, list[Made]]

# A few values, so that some are level; presets of which all have finished mostly, else nobody ever wins.
ACCURACIES = st.lists(st.sampled_from([0.1, 0.45, 0.5, 0.8, 0.9, 0.95]), min_size=1, max_size=3)
FINISHED = st.builds(Made, st.just("finished"), ACCURACIES)
RUNS = st.builds(Made, st.sampled_from(STATES), ACCURACIES)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Groups, float | None]:
    seeds = draw(st.sampled_from([3, 2, 2, 1]))
    names = ["ash", "birch", "cedar", "elm"][: draw(st.integers(2, 4))]
    groups = {}
    for name in names:
        of = draw(st.sampled_from([FINISHED, FINISHED, FINISHED, RUNS, FINISHED | RUNS]))
        groups[name] = draw(st.lists(of, min_size=seeds, max_size=seeds))
    return groups, draw(st.sampled_from([None, 0.5, 0.9, 0.99]))


def compared(runs: Path, groups: Groups, target: float | None, held: ExitStack) -> Comparison:
    """All of it read; a process seems to train what runs, for as long as `held` is."""
    entries = []
    for label, seeds in groups.items():
        for seed, made in enumerate(seeds):
            run = None
            if made.state != "to come":
                run = curve(runs, made.accuracies, None if made.state == "running" else made.state)
            if made.state == "running":
                held.callback(WriterLock(runs / str(run)).release)
            entries.append(Contestant(label=label, seed=seed, run=run, asked=None if run else {}))
    comparison = Comparison(Session.create(runs, entries, target=target))
    comparison.poll_all()
    return comparison


def whole(groups: Groups) -> dict[str, list[Made]]:
    """Those that may win: every seed has finished."""
    return {name: runs for name, runs in groups.items() if all(run.counts for run in runs)}


def best_of(values: dict[str, float], sign: int = 1) -> set[str]:
    """Who has the best of at least two; nobody where all are alike."""
    if len(values) < 2:
        return set()
    top = max(values.values(), key=lambda value: value * sign)
    winners = {name for name, value in values.items() if value == top}
    return winners if len(winners) < len(values) else set()


def reached(run: Made, target: float) -> int | None:
    return next((i + 1 for i, accuracy in enumerate(run.accuracies) if accuracy >= target), None)


def expected_cell(runs: list[Made]) -> str:
    """Final accuracy, reckoned by hand."""
    counted = [run.accuracies[-1] for run in runs if run.counts]
    if len(runs) == 1:
        counted = [runs[0].accuracies[-1]] if runs[0].state != "to come" else []
    if not counted:
        return "–"
    text = f"{fmean(counted):.4f}" + (f" ± {stdev(counted):.4f}" if len(counted) > 1 else "")
    return text + (f" ({len(counted)} of {len(runs)})" if len(counted) < len(runs) else "")


def names_before(said: list[str], words: str) -> set[str]:
    """Whom the sentence names that has these words."""
    for sentence in said:
        if words in sentence:
            return set(re.findall(r"ash|birch|cedar|elm", sentence.partition(words)[0]))
    return set()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # to find a smaller one that fails would take minutes
)
@given(sessions())
def test_all_say_the_same_and_say_what_is_so(session: tuple[Groups, float | None]) -> None:
    groups, target = session
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        comparison = compared(Path(folder), groups, target, held)
        try:
            findings = find_out(comparison)
            they_are_so(groups, findings)
            for said in reported(comparison, findings):
                assert said == written_down(groups, findings)
            asyncio.run(on_the_screen(comparison, findings))
        finally:
            comparison.close()


def they_are_so(groups: Groups, findings: Results) -> None:
    """Table and verdict, against a reckoning by hand."""
    rows = {row.group.label: row for row in findings.table.rows}
    assert {name: cell(row, FINAL) for name, row in rows.items()} == {n: expected_cell(r) for n, r in groups.items()}
    able, said = whole(groups), list(findings.verdict)
    finals = {name: fmean(run.accuracies[-1] for run in runs) for name, runs in able.items()}
    assert starred(findings, "final_accuracy") == best_of(finals)
    if len(able) < 2:
        for words in ("highest", "first", "level", "best epoch"):
            assert not any(words in sentence for sentence in said)
        return
    top = {name for name, value in finals.items() if value == max(finals.values())}
    assert names_before(said, " ended highest" if len(top) == 1 else " ended level") == top
    bests = {name: fmean(max(run.accuracies) for run in runs) for name, runs in able.items()}
    claimed = names_before([s.partition("was ")[2] for s in said if s.startswith("The best epoch")], "'s (")
    assert claimed <= {name for name, value in bests.items() if value == max(bests.values())}
    assert starred(findings, "best_accuracy") == best_of(bests)
    goal = findings.table.target
    if goal is not None:
        epochs = {name: [reached(run, goal) for run in runs] for name, runs in able.items()}
        there = {name: fmean(e for e in each if e) for name, each in epochs.items() if all(each)}
        assert starred(findings, "target_epoch") == best_of(there, -1)
        first = {name for name, value in there.items() if value == min(there.values())}
        if first and len(first) < len(able):
            assert names_before(said, " reached ") == first
    for sentence in said:  # whatever is said of all is said of all
        if "ended highest (" in sentence or re.search(r"reached \S+ first \(", sentence):
            assert len(able) == len(groups)


def starred(findings: Results, key: str) -> set[str]:
    best = findings.table.best.get(key, [])
    return {row.group.label for row in findings.table.rows if row.group.number in best}


Written: TypeAlias = tuple[dict[str, str], set[str], list[str]]
"""The final accuracy of each preset as it is shown, those marked as the best in it, and the verdict's sentences."""


def written_down(groups: Groups, findings: Results) -> Written:
    return {n: expected_cell(r) for n, r in groups.items()}, starred(findings, "final_accuracy"), list(findings.verdict)


def reported(comparison: Comparison, findings: Results) -> list[Written]:
    """As each form says it, read back from its text alone."""
    verdict = list(findings.verdict)
    at = 3 + shown_columns(findings.table).index(FINAL)
    found: list[Written] = []

    lines = in_lines(comparison, findings)
    body = lines[2 : lines.index("", 2)]
    plain = {re.split(r"\s+", line)[1]: re.split(r"\s{2,}", line.strip()) for line in body}
    # Fewer cells where the epochs are empty: from the right they are as many.
    right = at - (3 + len(shown_columns(findings.table)))
    cells = {name: row[right] for name, row in plain.items()}
    said = [line for line in lines if line in verdict]
    found.append((_without_stars(cells), _with_stars(cells), said))

    markdown = as_markdown(comparison, findings)
    rows = [line for line in markdown.splitlines() if re.match(r"\| \S (ash|birch|cedar|elm) \|", line)]
    split = {row.split("|")[1].split()[1]: row.split("|")[1 + at].strip().replace("\\", "") for row in rows}
    said = [sentence for sentence in verdict if sentence in markdown.replace("\\", "")]
    found.append((_without_stars(split), _with_stars(split), said))

    html = as_html(comparison, findings)
    table = dict(re.findall(r"<tr><th class=\"c\d\"><b>.</b> (\w+)</th>(<td>.*?)</tr>", html))
    tds = {name: re.findall(r"<td( class=best)?>(.*?)</td>", row)[at - 1] for name, row in table.items()}
    said = [unescape(text) for text in re.findall(r"<p>(.*?)</p>", html) if unescape(text) in verdict]
    found.append(
        ({n: unescape(text) for n, (_, text) in tds.items()}, {n for n, (best, _) in tds.items() if best}, said)
    )

    told: dict[str, Any] = json.loads(as_json(comparison, findings))
    assert told["target"] == findings.table.target
    texts = {}
    for preset in told["presets"]:
        figure = preset["figures"].get("final_accuracy")
        texts[preset["preset"]] = _in_words(figure, preset["of"])
    best = {preset["preset"] for preset in told["presets"] if "final_accuracy" in preset["best"]}
    found.append((texts, best, told["verdict"]))

    read = list(csv.DictReader(io.StringIO(as_csv(comparison, findings))))
    texts = {}
    for preset in read:
        mean, spread = preset["final_accuracy"], preset["final_accuracy_spread"]
        values = [0.0] * int(preset["seeds"])
        figure = {"mean": float(mean or 0), "spread": float(spread) if spread else None, "values": values}
        texts[preset["preset"]] = _in_words(figure if mean else None, int(preset["of"]))
    found.append((texts, starred(findings, "final_accuracy"), verdict))  # which a CSV file has not
    return found


def _in_words(figure: dict[str, Any] | None, of: int) -> str:
    if figure is None:
        return "–"
    text = f"{figure['mean']:.4f}" + (f" ± {figure['spread']:.4f}" if figure["spread"] is not None else "")
    return text + (f" ({len(figure['values'])} of {of})" if len(figure["values"]) < of else "")


def _without_stars(cells: dict[str, str]) -> dict[str, str]:
    return {name: text.removesuffix("*") for name, text in cells.items()}


def _with_stars(cells: dict[str, str]) -> set[str]:
    return {name for name, text in cells.items() if text.endswith("*")}


async def on_the_screen(comparison: Comparison, findings: Results) -> None:
    """The cells that are lit are those with a star, and the verdict stands there to the word."""
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=(250, 70)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        screen.draw()
        await pilot.pause()
        table = screen.query_one(CompareTable)
        for line in list(table.lines())[1:]:
            text = "".join(span.text for span in line)
            row = next(row for row in findings.table.rows if f" {row.group.label} " in text)
            lit = [span.text for span in line if span.role == "lit"]
            shown = [column for column in shown_columns(findings.table) if column in table._columns]
            assert all(cell(row, column) in text for column in shown)
            best = [column for column in shown if row.group.number in findings.table.best.get(column.key, ())]
            assert lit == [cell(row, column) for column in best]
        words = " ".join(" ".join(line.split()) for panel in screen._verdicts for line in panel.plain())
        assert all(sentence in words for sentence in findings.verdict)
        assert all(f"! {' '.join(warning.split())}" in words for warning in findings.warnings)
