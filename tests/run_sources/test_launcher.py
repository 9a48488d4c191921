"""Plans of presets, asked for as a screen asks: again and again until they are there."""

from __future__ import annotations

import gc
import sys
import threading
import traceback
from unittest.mock import patch

import pytest

from tests.waiting import PATIENCE_S, until
from tui_trainer.engine import lr_preview
from tui_trainer.errors import UserError
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.problems import NoPlan
from tui_trainer.run_sources import launcher
from tui_trainer.run_sources.launcher import Planner
from tui_trainer.run_spec import RunSpec


@pytest.fixture
def plans() -> Planner:
    gate = threading.Event()
    gate.set()
    return Planner(gate)


def spec(name: str = "steplr", epochs: int = 3) -> RunSpec:
    return RunSpec.of(name, load(name), epochs=epochs)


def test_a_plan_is_made_once_however_often_it_is_asked_for(plans: Planner) -> None:
    made: list[str] = []
    may_end = threading.Event()
    plan = lr_preview.plan

    def slow(name: str, *args: object, **options: object) -> object:
        made.append(name)
        may_end.wait(PATIENCE_S)
        return plan(name, *args, **options)  # type: ignore[arg-type]

    with patch.object(lr_preview, "plan", slow):
        until(lambda: plans.ask(spec()) is None and bool(made))
        assert plans.ask(spec()) is None  # while it is worked out
        may_end.set()
        until(lambda: plans.ask(spec()) is not None)
        until(lambda: plans.ask(spec("cosine")) is not None)
    assert made == ["steplr", "cosine"]


def test_old_plans_give_way(plans: Planner) -> None:
    with patch.object(launcher, "PLANS_KEPT", 3), patch.object(lr_preview, "plan", wraps=lr_preview.plan) as plan:
        for epochs in range(1, 6):
            until(lambda epochs=epochs: plans.ask(spec(epochs=epochs)) is not None)  # type: ignore[misc]
        assert plans.ask(spec(epochs=5)) is not None
        assert plan.call_count == 5
        until(lambda: plans.ask(spec(epochs=1)) is not None)
        assert plan.call_count == 6


def test_what_is_wrong_is_said_each_time_and_gathers_nothing(plans: Planner) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise UserError("no good")

    lengths = []

    def asked() -> bool:
        try:
            plans.ask(spec())
        except UserError as error:
            lengths.append(len(traceback.extract_tb(error.__traceback__)))
        return len(lengths) >= 20

    with patch.object(lr_preview, "plan", refuse):
        until(asked)
    assert len(set(lengths)) == 1


def test_asking_while_it_works_disturbs_neither(plans: Planner) -> None:
    """The screen's thread looks through what it asked for while the worker takes from it."""
    planned = lr_preview.plan("steplr", load("steplr"), 4000)
    specs = [spec(epochs=epochs) for epochs in range(1, 60)]
    often = sys.getswitchinterval()
    try:
        with patch.object(lr_preview, "plan", lambda *_, **__: planned):
            until(lambda: plans.ask(specs[0]) is not None)
            sys.setswitchinterval(1e-6)
            with patch.object(launcher, "MOMENT_S", 0.0), patch.object(launcher, "PLANS_KEPT", 1):
                for each in specs * 100:
                    plans.ask(each)
    finally:
        sys.setswitchinterval(often)


@pytest.mark.says("plan.failed")
@pytest.mark.never_says("plan.no_more")
def test_a_plan_that_fails_for_another_reason_is_told_and_others_are_made(plans: Planner) -> None:
    plan = lr_preview.plan

    def broken(name: str, *args: object, **options: object) -> object:
        if name == "steplr":
            raise RuntimeError("no room\nleft")
        return plan(name, *args, **options)  # type: ignore[arg-type]

    told: list[str] = []

    def asked() -> bool:
        try:
            plans.ask(spec())
        except NoPlan as error:
            told.append(str(error))
        return bool(told)

    with patch.object(lr_preview, "plan", broken):
        until(asked)
        assert told == ["the LR could not be planned: RuntimeError: no room left"]
        until(lambda: plans.ask(spec("cosine")) is not None)


@pytest.mark.says("plan.no_more")
@pytest.mark.never_says("plan.failed")
@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_is_left_as_it_was_whatever_happens(plans: Planner, collects: bool) -> None:
    before = gc.isenabled()

    def exit(*_: object, **__: object) -> object:
        raise SystemExit(3)  # as libraries do

    def dead() -> bool:
        try:
            plans.ask(spec("cosine"))
        except NoPlan as error:
            return str(error) == "the LR can be planned no more: SystemExit: 3"
        return False

    try:
        gc.enable() if collects else gc.disable()
        with patch.object(lr_preview, "plan", exit):
            until(dead)
        assert gc.isenabled() is collects
    finally:
        gc.enable() if before else gc.disable()
