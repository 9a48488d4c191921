"""The order of a comparison's rows and the texts of its cells, as few of many change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.compare.made import goes_on, seeds
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.differences import Difference
from tui_trainer.compare.plain_lines import Results, cell, find_out
from tui_trainer.ui.compare import cells as module
from tui_trainer.ui.compare.cells import RowOrder, TableCells, by_setting


@pytest.fixture
def six(tmp_path: Path) -> Comparison:
    return seeds(tmp_path, {f"{i}": [{"epochs": 1 + i % 3, "seed": i}] for i in range(6)})


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (("0.1", "1e-3", "10", "0.5"), [1, 0, 3, 2]),
        (("0.1", "SGD", "10", "Adam"), [0, 2, 3, 1]),
        (("b", "a", "b"), [1, 0, 2]),
    ],
)
def test_numbers_stand_by_their_size_before_words_by_their_letters(values: tuple[str, ...], order: list[int]) -> None:
    assert by_setting(values, reverse=False) == order
    assert [values[number] for number in by_setting(values, reverse=True)] == [values[number] for number in order[::-1]]


def test_the_order_is_that_of_the_table_and_of_settings_with_pinned_rows_first(six: Comparison) -> None:
    setting = Difference("optimizer.lr", ("0.3", "0.1", "0.2", "3", "1", "2"))
    found = find_out(six)
    findings = replace(found, columns=(setting, *found.columns))
    order, table = RowOrder(), findings.table
    for key in ("", "seconds", table.final_key, "optimizer.lr", "no such column"):
        for reverse in (False, True):
            for pinned in ((), (4,), (5, 1)):
                if key == "optimizer.lr":
                    wanted = by_setting(setting.values, reverse)
                else:
                    wanted = [row.group.number for row in table.sorted_by(key, reverse)]
                wanted.sort(key=lambda number: number not in pinned)
                assert order.of(findings, key, reverse, pinned) == wanted
                assert [order.places[number] for number in wanted] == [*range(6)]


def texts_of(cells: TableCells, findings: Results) -> list[tuple[list[str], int]]:
    columns = [cells.status, cells.progress, *(cells.of(column) for column in findings.columns)]
    return [(column.texts, column.width) for column in columns]


def test_a_row_is_written_as_it_changes_and_no_other_is(six: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(module, "cell", lambda row, column: written.append(row.group.label) or cell(row, column))  # type: ignore[func-returns-value]
    kept, chance = TableCells(), Random(0)
    for _ in range(20):
        findings = find_out(six)
        kept.show(findings)
        written.clear()
        kept.show(findings)
        assert not written
        anew = TableCells()
        anew.show(findings)
        assert texts_of(kept, findings) == texts_of(anew, findings)
        run = chance.choice(six.runs)
        goes_on(run)
        written.clear()
        later = find_out(six)
        kept.show(later)
        if later.table.target == findings.table.target:
            assert {*written} <= {run.group.label}
