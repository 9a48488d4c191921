"""What the app may say of every key."""

from __future__ import annotations

import tomllib

import pytest

from tui_trainer.presets.help import arguments, names
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.schedulers import SCHEDULERS


@pytest.mark.parametrize(
    ("table", "name"), [("optimizer", n) for n in OPTIMIZERS] + [("scheduler", n) for n in SCHEDULERS]
)
def test_every_key_of_every_name(table: str, name: str) -> None:
    kind = (OPTIMIZERS | SCHEDULERS)[name]
    told = arguments(table, name)
    assert [argument.key for argument in told] == [key for key in kind.model_fields if key != "name"]
    for argument in told:
        assert argument.help.endswith(".")
        assert len(argument.help) < 130
        default = kind.model_fields[argument.key].default
        if argument.default not in ("needed", "filled in", "step_size_up"):
            written = tomllib.loads(f"value = {argument.default}")["value"]
            assert written == (list(default) if isinstance(default, tuple) else default)


def test_what_is_needed_and_what_is_filled_in() -> None:
    step = {argument.key: argument.default for argument in arguments("scheduler", "StepLR")}
    assert step == {"step_size": "needed", "gamma": "0.1", "interval": '"epoch"'}
    cosine = {argument.key: argument.default for argument in arguments("scheduler", "CosineAnnealingLR")}
    assert cosine == {"T_max": "filled in", "eta_min": "0.0", "interval": '"epoch"'}
    assert [argument.key for argument in arguments("warmup")] == ["epochs", "start_factor"]
    assert [argument.key for argument in arguments("")] == ["title", "description"]


def test_names() -> None:
    assert [name for name, _ in names("optimizer")] == list(OPTIMIZERS)
    assert all(line.endswith(".") for table in ("optimizer", "scheduler") for _, line in names(table))


def test_what_is_not_known_has_no_help() -> None:
    assert arguments("scheduler", "Ste") == arguments("optimizer") == arguments("nope") == names("training") == []
