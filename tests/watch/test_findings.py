"""What is found to be wrong with small programs that train: each is run, unchanged, with the observer in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.loops.beginning import BEGINNING
from tests.watch.loops.right import RIGHT
from tests.watch.loops.wrong import WRONG
from tests.watch.many import run_many
from tui_trainer.text.mistakes import MISTAKES
from tui_trainer.watching.trace import Fault

pytestmark = pytest.mark.slow

NAMES = sorted(RIGHT)


@pytest.mark.parametrize("codes", [sorted(WRONG)[::2], sorted(WRONG)[1::2]], ids=["one half", "the other half"])
def test_a_wrong_loop_is_told_of_what_is_wrong_with_it_and_of_nothing_else(tmp_path: Path, codes: list[str]) -> None:
    programs = {f"{code}: {name}": BEGINNING + text for code in codes for name, text in WRONG[code].items()}
    ran = run_many(tmp_path, programs)
    assert {name: sorted(each.codes) for name, each in ran.items()} == {
        name: [name.partition(":")[0]] for name in programs
    }
    for name, each in ran.items():
        for found in each.found:
            lines = (tmp_path / "programs").glob("*/train.py")
            assert found.file in {str(path) for path in lines}, name
            assert found.lineno > BEGINNING.count("\n"), name
    assert not [name for name, each in ran.items() if any(isinstance(frame, Fault) for frame in each.definitions)]


@pytest.mark.parametrize("names", [NAMES[::2], NAMES[1::2]], ids=["one half", "the other half"])
def test_nothing_is_found_in_a_right_loop(tmp_path: Path, names: list[str]) -> None:
    ran = run_many(tmp_path, {name: BEGINNING + RIGHT[name] for name in names})
    assert {name: each.output for name, each in ran.items() if "Error" in each.output} == {}, (
        "a test that tests nothing"
    )
    assert {name: each.found for name, each in ran.items() if each.found} == {}
    assert [name for name, each in ran.items() if not each.definitions] == []
    assert not [name for name, each in ran.items() if any(isinstance(frame, Fault) for frame in each.definitions)]


def test_there_are_three_wrong_loops_of_each_kind() -> None:
    assert {code: len(programs) for code, programs in WRONG.items() if len(programs) < 3} == {}
    assert {*MISTAKES} - {*WRONG} == {"item_each_step"}, "of a GPU: tests/watch/test_findings_of_traces.py has three"
