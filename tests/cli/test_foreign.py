"""A path given to `attach` leads to what another tool has recorded, and says what it took of several."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.foreign_records.event_files import event_file, scalars
from tests.scripted_record import over
from tui_trainer.cli.foreign import foreign_record


def test_runs_of_ours_come_first_and_nothing_is_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = over(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    event_file(tmp_path / run, scalars("loss", range(3)))
    assert foreign_record(tmp_path / "runs", run, print) is None
    assert foreign_record(tmp_path / "runs", f"runs/{run}", print) is None
    assert foreign_record(tmp_path / "runs", "none/such", print) is None
    assert foreign_record(tmp_path / "runs", "\0", print) is None


@pytest.mark.says("foreign.several", "foreign.none", "foreign.runs_of_ours")
@pytest.mark.never_says("foreign.several", "foreign.none", "foreign.runs_of_ours")
def test_of_a_tree_the_record_that_was_written_last_is_meant(
    tmp_path: Path, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    tree, runs, said = tmp_path / "tree", tmp_path / "runs", list[str]()
    event_file(tree / "one" / "train", scalars("loss", range(3)))
    event_file(tree / "one" / "validation", scalars("loss", range(3)))
    assert foreign_record(runs, str(tree), said.append) == tree / "one"
    assert not captions_said
    (tree / "two").mkdir()
    (tree / "two" / "metrics.csv").write_text("step,loss\n1,0.5\n")
    (tree / "round").symlink_to(tree)
    (tree / "two" / "checkpoint-5").mkdir()
    (tree / "two" / "checkpoint-5" / "trainer_state.json").write_text('{"log_history":[{"step":1,"loss":1}]}')
    (tree / "readme.md").write_text("# Words, and more words\nno numbers\n")
    for path in (tree / "one" / "train", *(tree / "one" / "train").iterdir(), tree / "two"):
        os.utime(path, (1e9, 1e9))
    os.utime(tree / "two" / "metrics.csv", (3e9, 3e9))
    assert foreign_record(runs, str(tree), said.append) == tree / "two" / "metrics.csv"
    assert said == [f"3 records in {tree}: two/metrics.csv was written last; others: one and two"]
    for given, words in ((tree / "readme.md", "holds no run in a form that is known: tui-trainer, TensorBoard"),):
        with pytest.raises(SystemExit) as refused:
            foreign_record(runs, str(given), print)
        assert refused.value.code == 2
        assert words in capsys.readouterr().err
    over(tmp_path / "other")
    assert "foreign.runs_of_ours" not in captions_said
    with pytest.raises(SystemExit):
        foreign_record(runs, str(tmp_path / "other"), print)
    assert "is a folder of tui-trainer's runs: name it with --runs-dir" in capsys.readouterr().err
