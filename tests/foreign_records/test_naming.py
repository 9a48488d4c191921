"""What the series of other tools' records are called, and what each is: by its name, or as a person has said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_trainer.foreign_records.csv_table import Csv
from tui_trainer.foreign_records.naming import Choices
from tui_trainer.foreign_records.telling import Teller
from tui_trainer.records.history import History

TABLE = """step,train/loss,val/loss,val/acc,lr,lr-SGD-momentum,gan/d_loss,foo
1,1,2,0.5,0.1,0.9,3,4
2,0,1,0.6,0.1,0.9,2,5
"""


def told(folder: Path, choices: Choices | None = None, table: str = TABLE) -> tuple[History, list[str]]:
    """The history of a table, and what is said of it."""
    (folder / "a.csv").write_text(table)
    reader, history = Csv().open(folder / "a.csv"), History()
    teller = Teller(reader, history, choices)
    for piece in reader.read():
        for event in teller.tell(piece, 0.0):
            history.apply(event)
    return history, [*teller.notes, *teller.flaws]


def test_names_say_what_series_are(tmp_path: Path) -> None:
    history, flaws = told(tmp_path)
    series = history.series
    assert {name: (series.kind(name), series.goal(name)) for name in series} == {
        "train/loss": ("train", "min"),
        "val/loss": ("val", "min"),
        "val/acc": ("val", "max"),
        "lr": ("lr", "none"),
        "lr-SGD-momentum": ("other", "none"),
        "gan/d_loss": ("other", "none"),
        "foo": ("other", "none"),
    }
    assert series.objective == "val/acc"
    assert series.declared("foo") is None
    assert flaws == []


def test_a_better_series_to_judge_by_may_come_later(tmp_path: Path) -> None:
    history, _ = told(tmp_path, table="step,loss,val_loss\n1,1,\n2,1,\n3,1,2\n")
    assert history.series.objective == "val_loss"
    assert history.series.best("val_loss") == (3, 2.0)


@pytest.mark.never_says("foreign.no_objective")
def test_a_person_says_it_otherwise(tmp_path: Path, captions_said: set[str]) -> None:
    history, _ = told(tmp_path, Choices("foo", "max", {"train/loss": "train_loss", "val/acc": "val/loss"}))
    assert [*history.series] == ["train_loss", "val/loss", "val/acc", *[*history.series][3:]]
    assert history.series.objective == "foo"
    assert history.series.best("foo") == (2, 5.0)
    swapped, _ = told(tmp_path, Choices(renames={"train/loss": "val/loss"}))
    assert [*swapped.series][:2] == ["val/loss", "val/loss (as recorded)"]
    renamed, _ = told(tmp_path, Choices("gan/d_loss", None, {"gan/d_loss": "loss"}))
    assert renamed.series.objective == "loss"
    assert renamed.series.goal("loss") == "min"
    assert "foreign.no_objective" not in captions_said


@pytest.mark.says("foreign.no_objective")
def test_an_objective_that_is_not_there_is_said_and_the_names_decide(tmp_path: Path) -> None:
    history, flaws = told(tmp_path, Choices("val/iou", "max"))
    assert history.series.objective == "val/acc"
    assert flaws == ["no series is called val/iou, by which it was to be judged"]
