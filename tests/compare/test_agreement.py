"""On random sessions, with seeds that diverged, crashed, were stopped, train on or are still to come: the table, the
verdict, the screen, plain lines, every report and `--json` say the same, and what a reckoning by hand says."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
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
from tui_trainer.compare.plain_lines import Results, cell, find_out, in_lines
from tui_trainer.compare.report import as_csv, as_html, as_json, as_markdown
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import Goal, MetricDeclared
from tui_trainer.records.lock import WriterLock
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.compare.table import CompareTable
from tui_trainer.ui.context import AppContext

State: TypeAlias = Literal["finished", "diverged", "crashed", "stopped", "running", "to come"]
STATES: tuple[State, ...] = ("finished", "diverged", "crashed", "stopped", "running", "to come")


@dataclass(frozen=True)
class Made:
    """One run: how it stands, the validation accuracy of each epoch, and a score of some."""

    state: State
    accuracies: list[float]
    scores: list[float]

    def values(self, by: By) -> list[float]:
        """What it is compared by, an epoch each."""
        if by.name == "val_loss":
            return [1.0 - accuracy for accuracy in self.accuracies]
        return self.scores[: len(self.accuracies)] if by.name == "score" else self.accuracies

    def counts(self, by: By) -> bool:
        return self.state == "finished" and bool(self.values(by))


@dataclass(frozen=True)
class By:
    """What is asked for, and what that comes to."""

    asked: str | None
    name: str
    sign: int
    declared: Goal = "none"
    """What the runs say of the score."""

    @property
    def final(self) -> str:
        return "final_accuracy" if self.name == "val_accuracy" else "final_metric"

    @property
    def best(self) -> str:
        return "best_accuracy" if self.name == "val_accuracy" else "best_metric"


Groups: TypeAlias = dict[str, list[Made]]

ACCURACY = By(None, "val_accuracy", 1)
BYS = (
    ACCURACY,
    By("val_accuracy", "val_accuracy", 1),
    By("val_loss", "val_loss", -1),
    By("score", "score", 1, "max"),
    By("score", "score", -1, "min"),
    By("score:min", "score", -1, "max"),
    By("score:max", "score", 1),
    By("score", "score", 0),
)

# A few values, so that some are level; presets of which all have finished mostly, else nobody ever wins.
ACCURACIES = st.lists(st.sampled_from([0.1, 0.45, 0.5, 0.8, 0.9, 0.95]), min_size=1, max_size=3)
FULL = st.lists(st.sampled_from([0.25, 0.5, 2.0, 40.0]), min_size=3, max_size=3)
SCORES = st.one_of(FULL, FULL, FULL, st.just([]))
FINISHED = st.builds(Made, st.just("finished"), ACCURACIES, SCORES)
RUNS = st.builds(Made, st.sampled_from(STATES), ACCURACIES, SCORES)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Groups, float | None, By]:
    seeds = draw(st.sampled_from([3, 2, 2, 1]))
    names = ["ash", "birch", "cedar", "elm"][: draw(st.integers(2, 4))]
    groups = {}
    for name in names:
        of = draw(st.sampled_from([FINISHED, FINISHED, FINISHED, RUNS, FINISHED | RUNS]))
        groups[name] = draw(st.lists(of, min_size=seeds, max_size=seeds))
    return groups, draw(st.sampled_from([None, 0.5, 0.9, 0.99])), draw(st.sampled_from(BYS))


def compared(runs: Path, groups: Groups, target: float | None, by: By, held: ExitStack) -> Comparison:
    """All of it read; a process seems to train what runs, for as long as `held` is."""
    entries = []
    for label, seeds in groups.items():
        for seed, made in enumerate(seeds):
            run = None
            if made.state != "to come":
                logged = {"score": made.scores} if made.scores else {}
                status = None if made.state == "running" else made.state
                declared = [MetricDeclared(at=0.0, name="score", goal=by.declared)]
                run = curve(runs, made.accuracies, status, logged=logged, declared=declared)
            if made.state == "running":
                held.callback(WriterLock(runs / str(run)).release)
            entries.append(Contestant(label=label, seed=seed, run=run, asked=None if run else {}))
    comparison = Comparison(Session.create(runs, entries, target=target, metric=by.asked))
    comparison.poll_all()
    return comparison


def whole(groups: Groups, by: By) -> dict[str, list[Made]]:
    """Those that may win: every seed has finished."""
    return {name: runs for name, runs in groups.items() if all(run.counts(by) for run in runs)}


def best_of(values: dict[str, float], sign: int = 1) -> set[str]:
    """Who has the best of at least two; nobody where all are alike."""
    if len(values) < 2 or not sign:
        return set()
    top = max(values.values(), key=lambda value: value * sign)
    winners = {name for name, value in values.items() if value == top}
    return winners if len(winners) < len(values) else set()


def reached(run: Made, target: float, by: By) -> int | None:
    values = enumerate(run.values(by))
    return next((i + 1 for i, value in values if value * by.sign >= target * by.sign), None)


def expected_cell(runs: list[Made], by: By) -> str:
    """How they ended, reckoned by hand."""
    counted = [run.values(by)[-1] for run in runs if run.counts(by)]
    if len(runs) == 1 and runs[0].values(by):
        counted = [runs[0].values(by)[-1]] if runs[0].state != "to come" else []
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


_turn = itertools.count()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # to find a smaller one that fails would take minutes
)
@given(sessions())
def test_all_say_the_same_and_say_what_is_so(session: tuple[Groups, float | None, By]) -> None:
    groups, target, by = session
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        comparison = compared(Path(folder), groups, target, by, held)
        try:
            findings = find_out(comparison)
            they_are_so(groups, findings, by)
            for said in reported(comparison, findings, by):
                assert said == written_down(groups, findings, by)
            if next(_turn) % 5 == 0:  # an app takes as long as all the rest
                asyncio.run(on_the_screen(comparison, findings))
        finally:
            comparison.close()


def they_are_so(groups: Groups, findings: Results, by: By) -> None:
    """Table and verdict, against a reckoning by hand."""
    rows = {row.group.label: row for row in findings.table.rows}
    final = next(column for column in findings.table.columns if column.key == by.final)
    cells = {name: cell(row, final) for name, row in rows.items()}
    assert cells == {name: expected_cell(runs, by) for name, runs in groups.items()}
    able, said = whole(groups, by), list(findings.verdict)
    finals = {name: fmean(run.values(by)[-1] for run in runs) for name, runs in able.items()}
    assert starred(findings, by.final) == best_of(finals, by.sign)
    if len(able) < 2 or not by.sign:
        words = (
            "ended highest",
            "ended lowest",
            "level",
            "best epoch",
            f"The highest {by.name}",
            f"The lowest {by.name}",
        )
        assert not any(word in sentence for sentence in said for word in words)
        return
    top = {name for name, value in finals.items() if value * by.sign == max(v * by.sign for v in finals.values())}
    way = ("highest" if by.sign > 0 else "lowest") + ("" if by.name == "val_accuracy" else f" in {by.name}")
    assert names_before(said, f" ended {way}" if len(top) == 1 else " ended level") == top
    bests = {n: fmean(max(r.values(by), key=lambda v: v * by.sign) for r in runs) for n, runs in able.items()}
    start = "The best epoch" if by.name == "val_accuracy" else f"The {way.partition(' ')[0]} {by.name}"
    claimed = names_before([s.partition("was ")[2] for s in said if s.startswith(start)], "'s (")
    assert claimed <= {
        name for name, value in bests.items() if value * by.sign == max(v * by.sign for v in bests.values())
    }
    assert starred(findings, by.best) == best_of(bests, by.sign)
    goal = findings.table.target
    if goal is not None:
        epochs = {name: [reached(run, goal, by) for run in runs] for name, runs in able.items()}
        there = {name: fmean(e for e in each if e) for name, each in epochs.items() if all(each)}
        assert starred(findings, "target_epoch") == best_of(there, -1)
        first = {name for name, value in there.items() if value == min(there.values())}
        if first and len(first) < len(able):
            assert names_before(said, " reached ") == first
    finished = sum(all(run.state == "finished" for run in runs) for runs in groups.values())
    for sentence in said:  # whatever is said of all is said of all
        if f"ended {way} (" in sentence or re.search(r"reached \S+ first \(", sentence):
            assert finished == len(groups)


def starred(findings: Results, key: str) -> set[str]:
    best = findings.table.best.get(key, [])
    return {row.group.label for row in findings.table.rows if row.group.number in best}


Written: TypeAlias = tuple[dict[str, str], set[str], list[str]]
"""How each preset ended as it is shown, those marked as the best in it, and the verdict's sentences."""


def written_down(groups: Groups, findings: Results, by: By) -> Written:
    return {n: expected_cell(r, by) for n, r in groups.items()}, starred(findings, by.final), list(findings.verdict)


def reported(comparison: Comparison, findings: Results, by: By) -> list[Written]:
    """As each form says it, read back from its text alone."""
    verdict = list(findings.verdict)
    at = 3 + [column.key for column in findings.columns].index(by.final)
    found: list[Written] = []

    lines = in_lines(comparison, findings)
    body = lines[2 : lines.index("", 2)]
    plain = {re.split(r"\s+", line)[0]: re.split(r"\s{2,}", line.strip()) for line in body}
    # Fewer cells where the epochs are empty: from the right they are as many.
    right = at - (3 + len(findings.columns))
    cells = {name: row[right] for name, row in plain.items()}
    said = [line for line in lines if line in verdict]
    found.append((_without_stars(cells), _with_stars(cells), said))

    markdown = as_markdown(comparison, findings)
    rows = [line for line in markdown.splitlines() if re.match(r"\| (ash|birch|cedar|elm) \|", line)]
    split = {row.split("|")[1].strip(): row.split("|")[1 + at].strip().replace("\\", "") for row in rows}
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
    assert told["metric"]["name"] == by.name
    if any(run.history.version for run in comparison.runs):  # who else could tell
        assert told["metric"]["goal"] == {1: "max", -1: "min", 0: "none"}[by.sign]
    texts = {}
    for preset in told["presets"]:
        figure = preset["figures"].get(by.final)
        texts[preset["preset"]] = _in_words(figure, preset["of"])
    best = {preset["preset"] for preset in told["presets"] if by.final in preset["best"]}
    found.append((texts, best, told["verdict"]))

    read = list(csv.DictReader(io.StringIO(as_csv(comparison, findings))))
    texts = {}
    for preset in read:
        mean, spread = preset[by.final], preset[f"{by.final}_spread"]
        row = next(row for row in findings.table.rows if row.group.label == preset["preset"])
        column = next(column for column in findings.table.columns if column.key == by.final)
        values = row.values(column) if mean else []  # how many, a CSV file does not say
        figure = {"mean": float(mean or 0), "spread": float(spread) if spread else None, "values": values}
        texts[preset["preset"]] = _in_words(figure if mean else None, int(preset["of"]))
        assert preset.get("metric", "val_accuracy") == by.name
    found.append((texts, starred(findings, by.final), verdict))  # which a CSV file has not
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
            shown = [column for column in findings.columns if column in table._columns]
            assert all(cell(row, column) in text for column in shown)
            best = [column for column in shown if row.group.number in findings.table.best.get(column.key, ())]
            assert lit == [cell(row, column) for column in best]
        words = " ".join(" ".join(line.split()) for panel in screen._verdicts for line in panel.plain())
        assert all(sentence in words for sentence in findings.verdict)
        assert all(f"! {' '.join(warning.split())}" in words for warning in findings.warnings)
