"""A preset with another LR says that and nothing else, in its own words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.errors import UserError
from tui_trainer.presets.another_lr import difference, lr_key, with_lr
from tui_trainer.presets.checks import parse
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.presets.problems import value_places

SHIPPED = sorted(file for file in shipped_folder().glob("*.toml") if "[published]" not in file.read_text("utf-8"))

ONE_CYCLE = '[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n'


def changed(text: str, lr: float = 0.02) -> str:
    return with_lr(text, parse(text), lr)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
@given(lr=st.floats(1e-7, 10))
@settings(max_examples=10)
def test_of_what_is_shipped_one_line_changes_and_that_key_alone(file: Path, lr: float) -> None:
    text = file.read_text("utf-8")
    preset = parse(text)
    table, key = lr_key(preset)
    assert (table, key) == (("scheduler", "max_lr") if "max_lr" in text else ("optimizer", "lr"))
    new = with_lr(text, preset, lr)
    before, after = tomllib.loads(text), tomllib.loads(new)
    assert after[table].pop(key) == lr
    before[table].pop(key, None)
    assert after == before
    assert len(set(new.splitlines()) - set(text.splitlines())) <= 1
    parse(new)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[optimizer]\nname = "SGD"\nlr = 0.1 # high\n', '[optimizer]\nname = "SGD"\nlr = 0.02 # high\n'),
        ('[optimizer]\nname = "SGD"\nlr=1\n', '[optimizer]\nname = "SGD"\nlr=0.02\n'),
        ('[optimizer]\n"lr" = 1e-1\nname = "SGD"', '[optimizer]\n"lr" = 0.02\nname = "SGD"'),
        ('[optimizer]\nname = "SGD"', '[optimizer]\nname = "SGD"\nlr = 0.02\n'),
        ('[optimizer]\r\nname = "SGD"\r\n', '[optimizer]\r\nname = "SGD"\r\nlr = 0.02\r\n'),
        ('[optimizer]\nname = "SGD" # no lr\nmomentum = 0.9\n', None),
        ('optimizer.name = "SGD"\noptimizer.momentum = 0.9\n', 'optimizer.name = "SGD"\noptimizer.lr = 0.02\n'),
        ('optimizer = { name = "SGD" }\n', 'optimizer = { name = "SGD", lr = 0.02 }\n'),
        ('optimizer = { name = "SGD", lr = 0.1 }\n', 'optimizer = { name = "SGD", lr = 0.02 }\n'),
        ('title = """\nlr = 0.1"""\n[optimizer]\nlr = 0.1\nname = "SGD"\n', None),
    ],
)
def test_however_it_is_written_the_rest_stays_to_the_letter(text: str, expected: str | None) -> None:
    new = changed(text)
    assert parse(new).optimizer.lr == 0.02
    if expected is None:
        kept = [line for line in new.splitlines() if line != "lr = 0.02"]
        assert kept == [line for line in text.splitlines() if line != "lr = 0.1"]
    else:
        assert new.startswith(expected)


def test_a_schedule_that_reaches_its_own_lr_has_that_changed() -> None:
    text = f'[optimizer]\nname = "SGD"\n{ONE_CYCLE}'
    assert changed(text) == text.replace("0.1", "0.02")
    assert "lr = 0.02" in changed('[optimizer]\nname = "SGD"\n[[scheduler.stages]]\nname = "LinearLR"\n')


@pytest.mark.parametrize("head", ["[scheduler]", "[[scheduler.stages]]"])
def test_lrs_that_stand_in_points_are_left_to_the_person(head: str) -> None:
    with pytest.raises(UserError, match="points"):
        changed(f'[optimizer]\nname = "SGD"\n{head}\nname = "PiecewiseLinear"\npoints = [[0, 0.1], [1, 0.0]]\n')


LISTED = '[optimizer]\nname = "SGD"\n{}[scheduler]\nname = "OneCycleLR"\nmax_lr = {}\n'
BIASES = '[[optimizer.groups]]\nmatch = "bias"\nweight_decay = 0\n'


@pytest.mark.says("find_lr.in_a_list")
def test_lrs_of_groups_that_stand_in_a_list_are_left_to_the_person() -> None:
    with pytest.raises(UserError, match="for each group of parameters in max_lr"):
        changed(LISTED.format(BIASES, [0.1, 0.2]))


OF_BIASES = '[optimizer]\nname = "SGD"\nlr = 0.1\n[[optimizer.groups]]\nmatch = "bias"\n'


@pytest.mark.says("find_lr.in_groups")
def test_lrs_that_groups_have_by_themselves_are_left_to_the_person() -> None:
    with pytest.raises(UserError, match="which the test raised along with that of all others; write it as lr_scale"):
        changed(f"{OF_BIASES}lr = 0.2\n")


@pytest.mark.never_says("find_lr.in_groups")
def test_groups_with_a_multiple_of_the_lr_keep_that() -> None:
    assert changed(f"{OF_BIASES}lr_scale = 2.0\n") == f"{OF_BIASES}lr_scale = 2.0\n".replace("0.1", "0.02")


@pytest.mark.never_says("find_lr.in_a_list")
def test_of_groups_the_lr_of_all_is_changed(captions_said: set[str]) -> None:
    assert "max_lr = 0.25" in changed(LISTED.format(BIASES, 0.1), 0.25)
    assert '"SGD"\nlr = 0.25\n' in changed(f'[optimizer]\nname = "SGD"\nlr = 0.1\n{BIASES}', 0.25)
    assert "find_lr.in_a_list" not in captions_said


def test_values_are_found_where_they_stand() -> None:
    text = 'a = 1 # one\nb.c = "x = 2"\n[t]\nd = [1,\n 2]   \ne = { f = 3, g = 4}\n[[l]]\nh = 1\n[[l]]\nh = 2\n'
    found = {".".join(path): text[place] for path, place in value_places(text).items()}
    assert found == {
        "a": "1", "b.c": '"x = 2"', "t.d": "[1,\n 2]", "t.e": "{ f = 3, g = 4}", "t.e.f": "3", "t.e.g": "4"
    }  # fmt: skip


def test_the_difference_is_told_as_diff_has_it_and_obeyed_by_no_terminal() -> None:
    lines = difference("a\n\x1b[5mb\nlr = 1\n", "a\n\x1b[5mb\nlr = 2\n", "one.toml", "two\x1b.toml")
    assert lines == ["--- one.toml", "+++ two.toml", "@@ -1,3 +1,3 @@", " a", " [5mb", "-lr = 1", "+lr = 2"]
