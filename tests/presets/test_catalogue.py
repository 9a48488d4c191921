"""The presets there are: the shipped ones, and a person's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui_trainer.engine.lr_preview import full_plan
from tui_trainer.engine.schedules import RunLength
from tui_trainer.presets.catalogue import catalogue, find, load, shipped_files
from tui_trainer.presets.checks import check_file, check_text, parse
from tui_trainer.presets.folders import is_name, shipped_folder, user_folder
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset

OWN = '[optimizer]\nname = "SGD"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_what_ships() -> None:
    names = {entry.name for entry in catalogue()}
    assert names >= {
        "none",
        "steplr",
        "steplr-fast",
        "multistep",
        "exponential",
        "cosine",
        "plateau",
        "onecycle",
        "cosine-warmup",
        "warm-restarts",
    }


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_preset_is_clean_and_teaches(path: Path) -> None:
    for run in (RunConditions(), RunConditions(60_000), RunConditions(50_000, batchnorm=True)):
        assert check_file(path, run).problems == []
    preset = load(path.stem)
    assert 20 <= len(preset.title) <= 64
    assert preset.description.count(". ") >= 1
    assert preset.description.endswith(".")
    assert len(preset.description) <= 240
    assert "Pick it" in preset.description


def test_the_examples_of_the_readme_are_clean() -> None:
    whole, *parts = re.findall(r"```toml\n(.*?)```", (shipped_folder() / "README.md").read_text(), re.DOTALL)
    assert check_text(whole).problems == []
    assert len(parts) == 7
    for part in parts:
        optimizer = "" if "[optimizer]" in part else '[optimizer]\nname = "SGD"\nmomentum = 0.9\n'
        scheduler = "" if "[scheduler]" in part else '\n[scheduler]\nname = "none"\n'
        training = "" if "[training]" in part else "[training]\nepochs = 30\n"
        assert check_text(f"{training}{optimizer}{part}{scheduler}").problems == []


def test_the_numbers_that_others_count_on() -> None:
    step, fast, plateau = load("steplr"), load("steplr-fast"), load("plateau")
    assert (step.optimizer.name, step.optimizer.lr, step.training.epochs) == ("Adam", 1e-3, 10)
    assert step.scheduler.model_dump() == {"name": "StepLR", "step_size": 5, "gamma": 0.5, "interval": "epoch"}
    assert fast.scheduler.model_dump() == {"name": "StepLR", "step_size": 3, "gamma": 0.3, "interval": "epoch"}
    assert (plateau.optimizer.name, plateau.optimizer.lr) == ("Adam", 1e-3)
    watch = plateau.scheduler.model_dump()
    assert (watch["mode"], watch["patience"], watch["factor"]) == ("min", 2, 0.5)
    assert load("multistep").scheduler.model_dump()["milestones"] == (3, 7)


def test_a_persons_own_come_after_and_stand_in_for_shipped_ones() -> None:
    shipped = catalogue()
    user_folder().mkdir(parents=True)
    for name in ("mine", "steplr"):
        (user_folder() / f"{name}.toml").write_text(OWN)
    (user_folder() / "broken.toml").write_text("[optimizer]\nname = 'nope'\n")
    (user_folder() / "notes.txt").write_text("no preset")

    entries = catalogue()

    assert [entry.name for entry in entries if not entry.builtin] == ["broken", "mine", "steplr"]
    assert len(entries) == len(shipped) + 2
    recipes = [entry.name for entry in entries if entry.preset is not None and entry.preset.published is not None]
    assert [entry.name for entry in entries][-len(recipes) :] == recipes
    broken = next(entry for entry in entries if entry.name == "broken")
    assert broken.preset is None
    assert "nope" in str(broken.problems[0])
    assert find("steplr").parent == user_folder()
    assert load("steplr") == parse(OWN)


@pytest.mark.parametrize("name", ["mine", "a-b_2", "größer", "two words"])
def test_what_a_preset_of_ones_own_can_be_called(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", " ", ".hidden", "..", "a/b", "a\\b", "a:b", "tab\there", "\x1b[31m", "mine.toml"])
def test_what_no_preset_can_be_called_or_found_by(name: str) -> None:
    assert not is_name(name)


ROW = re.compile(
    r"^\| (?:`(?P<name>[\w-]+)`)? \| .+? \| (?P<accuracy>[\d.]*) \| (?P<how>whole|in part|not at all) \|", re.M
)
FIRST_WEIGHTS = "the first weights are drawn as torchvision draws them"


def test_published_recipes_have_their_source_and_are_what_the_table_says_of_them() -> None:
    rows = list(ROW.finditer((Path(__file__).parents[2] / "docs" / "presets.md").read_text("utf-8")))
    assert [sum(row["how"] == how for row in rows) for how in ("whole", "in part", "not at all")] == [8, 15, 2]
    published = {path.stem: told for path in shipped_files() if (told := load(path.stem).published) is not None}
    assert published.keys() == {row["name"] for row in rows if row["name"]}
    for row in rows:
        if row["name"]:
            told = published[row["name"]]
            assert told.source
            assert row["accuracy"] == ("" if told.accuracy is None else f"{told.accuracy:.4f}")
            assert (row["how"] == "whole") == (told.differs in ("", FIRST_WEIGHTS))


def test_a_recipe_that_counts_its_milestones_from_the_first_epoch_has_them_there_behind_its_warm_up() -> None:
    plan = full_plan(load("resnet18-weiaicunzai"), RunLength(200, 3))
    assert plan[:4] == pytest.approx([0, 0.1 / 3, 0.2 / 3, 0.1])
    drops = [number for number in range(4, 600) if plan[number] < plan[number - 1]]
    assert [step // 3 + 1 for step in drops] == [60, 120, 160]  # counted from 1, as that loop does


def test_whose_recipe_it_is_is_kept_and_checked() -> None:
    told = '[published]\nsource = "A. Uthor"\naccuracy = 0.5\n'
    preset = parse(OWN + told)
    assert Preset.model_validate(preset.model_dump(by_alias=True)) == preset
    assert "published" not in parse(OWN).model_dump()
    (problem,) = check_text(OWN + told.replace("0.5", "95")).problems
    assert (problem.line, problem.key) == (5, "published.accuracy")
