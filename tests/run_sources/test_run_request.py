"""What a record says was asked of its run, for going on with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.tiny import STEP, preset
from tui_trainer.records.errors import CannotGoOn
from tui_trainer.run_sources.in_process import asked_of
from tui_trainer.run_spec import RunSpec


def record(folder: Path, change: Callable[[dict[str, Any]], None] = lambda asked: None, **resolved: Any) -> Path:
    asked = RunSpec.of("tiny", preset(STEP), dataset="mnist").model_dump(mode="json")
    change(asked)
    (folder / "run.json").write_text(json.dumps({"asked": asked, "resolved": resolved}))
    return folder


def test_what_was_asked_is_asked_again(tmp_path: Path) -> None:
    assert asked_of(record(tmp_path, threads=3)) == RunSpec.of("tiny", preset(STEP), dataset="mnist", threads=3)


@pytest.mark.parametrize(("had", "goes_on_with"), [("bf16", "bf16"), ("fp32", "fp32"), ("fp7", None), (None, None)])
def test_a_run_goes_on_in_the_precision_that_it_had(tmp_path: Path, had: str | None, goes_on_with: str | None) -> None:
    assert asked_of(record(tmp_path, precision=had)).precision == goes_on_with


def test_a_precision_that_was_asked_for_is_kept(tmp_path: Path) -> None:
    folder = record(tmp_path, lambda asked: asked.update(precision="fp32"), precision="bf16")
    assert asked_of(folder).precision == "fp32"


def test_a_deterministic_run_goes_on_so_and_one_of_a_version_without_it_as_it_was(tmp_path: Path) -> None:
    assert asked_of(record(tmp_path, lambda asked: asked.update(deterministic=True))).deterministic
    assert not asked_of(record(tmp_path, lambda asked: asked.pop("deterministic"))).deterministic


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda asked: asked.update(dataset="svhn"), "dataset svhn"),
        (lambda asked: asked["preset"]["scheduler"].update(name="FancyLR"), "preset.scheduler FancyLR"),
        (lambda asked: asked["preset"]["optimizer"].update(name="Muon"), "preset.optimizer Muon"),
        (lambda asked: asked.update(model="vit", objective=3), "model vit, objective"),
    ],
)
def test_what_a_later_version_asks_for_is_named_and_so_is_that_version(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    with pytest.raises(CannotGoOn) as refused:
        asked_of(record(tmp_path, change, versions={"tui-trainer": "9.1"}))
    assert str(refused.value) == (
        f"{tmp_path / 'run.json'} asks for what this version does not know: {words}. "
        "Go on with the version of tui-trainer that wrote it, 9.1."
    )


def without_preset(asked: dict[str, Any]) -> None:
    del asked["preset"]


@pytest.mark.parametrize("text", ["{}", '{"asked": 3}', '{"asked": {}, "resolved": 7}', "torn"])
def test_what_does_not_say_is_told_as_that(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(CannotGoOn, match="does not say what was asked"):
        asked_of(tmp_path)
    with pytest.raises(CannotGoOn, match="does not say what was asked"):
        asked_of(record(tmp_path, without_preset))
