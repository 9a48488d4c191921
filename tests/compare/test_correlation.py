"""What goes with the outcome: Spearman's coefficient with ties, which settings are drawn, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.compare.test_verdict import curve
from tests.ui.test_compare import show
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.correlation import Relation, ranks, relations, spearman
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.report import as_html, as_json, as_markdown
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.compare.table import tabulate
from tui_trainer.presets.checks import parse
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.compare.scatter import Scatter


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1, 2, 3, 4, 5], [5, 6, 7, 8, 7], 0.8207826816681233),  # as scipy.stats.spearmanr says in its documentation
        ([1, 2, 3], [10, 20, 30], 1.0),
        ([1, 2, 3], [30, 20, 10], -1.0),
        ([1, 1, 2, 2], [1, 2, 1, 2], 0.0),
        ([1, 2, 2, 3], [1, 3, 2, 4], 0.9486832980505138),
        ([1, 1, 1], [1, 2, 3], None),
        ([1, 2, 3], [7, 7, 7], None),
        ([], [], None),
    ],
)
def test_ranks_correlate(a: Sequence[float], b: Sequence[float], expected: float | None) -> None:
    assert spearman(a, b) == (None if expected is None else pytest.approx(expected, abs=1e-12))
    assert spearman(b, a) == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_equal_values_share_the_mean_of_their_places() -> None:
    assert ranks([3.0, 1.0, 3.0, 2.0]) == [3.5, 1.0, 3.5, 2.0]


def swept(runs: Path, tried: Sequence[tuple[dict[str, Any], float]], unfinished: int = 0) -> Comparison:
    """Presets of one seed, each with these keys of an optimizer, and the accuracy in which it ended."""
    entries = []
    for i, (keys, accuracy) in enumerate(tried):
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in {"name": "SGD", **keys}.items())
        preset = parse(f'[training]\nepochs = 2\n[optimizer]\n{lines}\n[scheduler]\nname = "none"\n')
        spec = RunSpec.of(f"p{i}", preset).model_dump(mode="json")
        run = curve(runs, [accuracy / 2, accuracy], "crashed" if i < unfinished else "finished")
        entries.append(Contestant(label=f"p{i}", seed=0, asked=spec, run=run))
    comparison = Comparison(Session.create(runs, entries))
    comparison.poll_all()
    return comparison


def found(comparison: Comparison) -> dict[str, Relation]:
    return {each.key: each for each in relations(comparison, tabulate(comparison))}


RATES = [({"lr": 10.0**-i, "momentum": 0.9 - 0.1 * (i % 2)}, 0.5 + 0.05 * i) for i in range(5)]


@pytest.mark.says("comparison.rank_correlation", "comparison.few_runs")
def test_the_setting_that_goes_with_the_outcome_most_comes_first(tmp_path: Path) -> None:
    related = found(swept(tmp_path, RATES))
    assert list(related) == ["optimizer.lr", "optimizer.momentum"]
    assert related["optimizer.lr"].correlation == pytest.approx(-1.0)
    assert related["optimizer.lr"].is_log
    assert not related["optimizer.momentum"].is_log
    assert related["optimizer.lr"].words == "rank correlation -1.00 over 5 runs; a hint, of few runs"


@pytest.mark.never_says("comparison.few_runs")
def test_ten_runs_are_not_few(tmp_path: Path) -> None:
    assert "few" not in found(swept(tmp_path, [*RATES, *RATES]))["optimizer.lr"].words


@pytest.mark.never_says("comparison.rank_correlation")
def test_of_words_and_of_equal_ends_there_is_no_correlation(tmp_path: Path) -> None:
    named = [({"name": name, "lr": 0.1}, 0.1 * i) for i, name in enumerate(("SGD", "Adam", "SGD", "Adam", "AdamW"))]
    related = found(swept(tmp_path / "a", named))
    assert related["optimizer.name"].words == "5 runs; a hint, of few runs"
    assert not related["optimizer.name"].is_numeric
    level = found(swept(tmp_path / "b", [(keys, 0.5) for keys, _ in RATES]))
    assert level["optimizer.lr"].correlation is None
    assert "correlation" not in level["optimizer.lr"].words


def test_runs_that_did_not_finish_are_no_dots(tmp_path: Path) -> None:
    assert found(swept(tmp_path / "a", RATES, unfinished=1)) == {}
    more = [*RATES, ({"lr": 5.0}, 0.1)]
    assert len(found(swept(tmp_path / "b", more, unfinished=1))["optimizer.lr"].dots) == 5


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.never_says("comparison.too_few_to_relate")
async def test_a_key_draws_one_setting_after_the_other(tmp_path: Path, size: tuple[int, int]) -> None:
    mixed = [({**keys, "nesterov": i % 2 == 0}, accuracy) for i, (keys, accuracy) in enumerate(RATES)]
    async with show(swept(tmp_path, mixed), size) as (pilot, screen):
        scatter = screen.query_one(Scatter)
        seen = []
        for _ in range(3):
            await pilot.press("c")
            screen.draw()
            await pilot.pause()
            assert scatter.display
            lines = scatter.plain()
            seen.append(lines[0].split(" → ")[0])
            assert 1 <= sum(line.count("●") for line in lines) <= 5
            if seen[-1] == "optimizer.lr":
                rows = [line.index("●") for line in lines if "●" in line]
                assert rows == sorted(rows)  # the smaller, the higher up
                assert "x log" in lines[1]
                assert "0.0001" in lines[-1] or "0.0001" in lines[-2]
                await pilot.press("X", "y")
                await pilot.pause()
                other = scatter.plain()
                assert "y log" in other[1]
                assert "x log" not in other[1]
                assert [line.index("●") for line in other if "●" in line] != rows
                await pilot.press("X", "y")
            if seen[-1] == "optimizer.nesterov":
                assert any(line.startswith("yes") for line in lines)
        assert seen == ["optimizer.lr", "optimizer.momentum", "optimizer.nesterov"]
        await pilot.press("x")
        await pilot.pause()
        assert scatter.plain()[0].startswith("optimizer.lr → ")  # behind the last setting the first
        await pilot.press("x", "x")
        await pilot.press("c")
        await pilot.pause()
        assert not scatter.display
        await pilot.press("c", "escape")
        await pilot.pause()
        assert not scatter.display
        assert pilot.app.screen is screen


@pytest.mark.says("comparison.too_few_to_relate")
async def test_of_fewer_runs_it_says_what_is_missing(tmp_path: Path) -> None:
    async with show(swept(tmp_path, RATES[:4])) as (pilot, screen):
        await pilot.press("c")
        screen.draw()
        await pilot.pause()
        said = " ".join(screen.query_one(Scatter).plain())
        assert "What goes with val_accuracy is drawn once five runs have finished that differ in a setting." in said


@pytest.mark.says("report.goes_with")
@pytest.mark.never_says("report.goes_with")
def test_every_report_but_csv_says_what_goes_with_the_outcome(tmp_path: Path) -> None:
    comparison = swept(tmp_path, RATES)
    findings = find_out(comparison)
    told = json.loads(as_json(comparison, findings))
    assert told["relations"][0] == {"setting": "optimizer.lr", "correlation": pytest.approx(-1.0), "runs": 5}
    assert {each["preset"]: each["settings"]["optimizer.lr"] for each in told["presets"]}["p2"] == 0.01
    words = "rank correlation -1.00 over 5 runs; a hint, of few runs"
    assert f"| optimizer.lr | {words} |" in as_markdown(comparison, findings)
    assert f"<tr><th>optimizer.lr</th><td>{words}</td></tr>" in as_html(comparison, findings)
    few = swept(tmp_path / "few", RATES[:4])
    assert json.loads(as_json(few, find_out(few)))["relations"] == []
    assert "What goes with" not in as_markdown(few, find_out(few)) + as_html(few, find_out(few))
