"""From a preset to a run: the first one, one after another, and a switch within."""

from __future__ import annotations

import pytest

from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost, ScriptedLauncher, ScriptedPlanner
from tui_trainer.commands import Stop, SwitchPreset
from tui_trainer.events import PlanMade, PresetSwitched, RunEnded, SwitchPlanned
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.schema import Preset
from tui_trainer.run_request import RunRequest
from tui_trainer.ui.dialogs import Choices, Question
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.status_lines import Headline
from tui_trainer.ui.presets.picker import PickerScreen

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


async def pick(shown: Shown, name: str) -> None:
    """Open the presets, put the cursor on one, press enter."""
    await choose(shown, name)
    await shown.press("enter")


async def choose(shown: Shown, name: str) -> None:
    """Open the presets, put the cursor on one."""
    if not isinstance(shown.app.screen, PickerScreen):
        await shown.press("p")
    screen = shown.app.screen
    assert isinstance(screen, PickerScreen)
    screen.list.go_to(name)
    await shown.frame()


async def test_without_a_run_it_opens_on_the_presets_and_enter_starts_one(show: Show) -> None:
    async with show() as shown:
        assert isinstance(shown.app.screen, PickerScreen)
        await pick(shown, "onecycle")
        assert [spec.preset_name for spec in shown.launcher.started] == ["onecycle"]
        assert isinstance(shown.app.screen, LiveScreen)
        assert "onecycle" in shown.the(Headline).plain()[0]
        assert "scheduler.step()" in shown.text()
        await shown.frame(*scripted_run(epochs=1, batches=5, scheduler="OneCycleLR"))
        assert "● finished" in shown.text()


async def test_what_was_asked_for_beside_the_preset_holds_for_every_pick(show: Show) -> None:
    asked = RunRequest("none", model="cnn", dataset="fashion-mnist", seed=7, epochs=3)
    async with show(request=asked) as shown:
        await pick(shown, "steplr")
        (spec,) = shown.launcher.started
        assert (spec.preset_name, spec.dataset, spec.seed, spec.preset.training.epochs) == (
            "steplr",
            "fashion-mnist",
            7,
            3,
        )
        assert "fashion-mnist" in shown.the(Headline).plain()[0]


async def test_in_a_live_run_it_asks_how(show: Show) -> None:
    async with show(LIVE) as shown:
        await pick(shown, "cosine")
        assert isinstance(shown.app.screen, Question)
        assert "as a new run from the start" in shown.text()
        assert "in this run, from the next epoch on" in shown.text()
        await shown.press("escape")
        assert isinstance(shown.app.screen, PickerScreen)
        assert not shown.host.sent
        await shown.press("escape")
        assert isinstance(shown.app.screen, LiveScreen)


async def test_a_switch_within_the_run_says_when_and_is_marked(show: Show) -> None:
    async with show(LIVE) as shown:
        await pick(shown, "cosine")
        await shown.press("r")
        assert isinstance(shown.app.screen, LiveScreen)
        command = shown.host.sent[-1]
        assert isinstance(command, SwitchPreset)
        assert command.name == "cosine"
        assert Preset.model_validate(command.preset) == load("cosine")
        assert "cosine from epoch 4 on, weights kept" in shown.text()
        await shown.frame(SwitchPlanned(at=START, epoch=4, preset="cosine"))
        assert "steplr → cosine from epoch 4" in shown.the(Headline).plain()[0]
        recipe = scripted_run(epochs=4, batches=20, scheduler="OneCycleLR")
        switched = next(event.recipe for event in recipe if type(event).__name__ == "RunConfigured")  # type: ignore[union-attr]
        await shown.frame(PresetSwitched(at=START, step=61, epoch=4, old="steplr", recipe=switched))
        assert "onecycle" in shown.the(Headline).plain()[0]
        assert "cosine" not in shown.the(Headline).plain()[0]


@pytest.mark.says("end.for_new_run")
async def test_a_new_run_waits_for_the_end_of_the_one_before(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        first = shown.host
        await pick(shown, "cosine")
        await shown.press("n")
        stop = first.sent[-1]
        assert isinstance(stop, Stop)
        assert "new run with cosine" in stop.reason
        assert "cosine starts as soon as it has ended" in shown.text()
        assert not shown.launcher.started
        await shown.frame(RunEnded(at=START, status="stopped", reason="", step=50, epoch=3, exit_code=0))
        await shown.frame()
        assert [spec.preset_name for spec in shown.launcher.started] == ["cosine"]
        assert shown.host is not first
        assert first.closed
        assert "cosine" in shown.the(Headline).plain()[0]


@pytest.mark.never_says("end.for_new_run")
async def test_after_the_end_a_pick_starts_at_once(show: Show, captions_said: set[str]) -> None:
    async with show(scripted_run(epochs=1, batches=5)) as shown:
        await pick(shown, "plateau")
        assert [spec.preset_name for spec in shown.launcher.started] == ["plateau"]
        assert isinstance(shown.app.screen, LiveScreen)
    assert "end.for_new_run" not in captions_said


async def test_in_the_last_epoch_there_is_none_to_switch_in(show: Show) -> None:
    async with show(cut(scripted_run(epochs=2, batches=20), 30)) as shown:
        await pick(shown, "cosine")
        assert "as a new run" in shown.text()
        assert "in this run" not in shown.text()


async def test_a_run_of_another_process_can_be_switched_but_none_started(show: Show) -> None:
    async with show(LIVE) as shown:
        shown.app.context.launcher = None
        await pick(shown, "cosine")
        assert "as a new run" not in shown.text()
        assert "in this run, from the next epoch on" in shown.text()


async def test_a_run_that_ends_while_one_is_asked_is_followed_by_the_new_one(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        await pick(shown, "cosine")
        await shown.frame(RunEnded(at=START, status="finished", reason="", step=80, epoch=4, exit_code=0))
        await shown.press("n")
        assert [spec.preset_name for spec in shown.launcher.started] == ["cosine"]


async def test_the_preview_waits_for_torch_and_says_so(show: Show) -> None:
    plans: list[PlanMade] = []
    planner = ScriptedPlanner(lambda spec: plans[0] if plans else None)
    async with show(launcher=ScriptedLauncher(planner)) as shown:
        assert "being made" in shown.text()
        plans.append(PlanMade(at=0.0, steps=[1, 300], lrs=[0.05, 0.0123], last_step=630, note="a word on it"))
        await shown.frame()
        assert "being made" not in shown.text()
        assert "start 0.05" in shown.text()
        assert "end 0.0123" in shown.text()
        assert "a word on it" in shown.text()


async def test_a_preset_made_for_a_data_set_takes_it_along_and_its_card_says_so(show: Show) -> None:
    async with show() as shown:
        await choose(shown, "cifar10-cpu")
        assert "brings dataset cifar10, model resnet9-slim, precision bf16" in " ".join(shown.text().split())
        assert "50,000" not in shown.text()
        await shown.press("enter")
        (spec,) = shown.launcher.started
        assert (spec.dataset, spec.model, spec.precision) == ("cifar10", "resnet9-slim", "bf16")
        assert "cifar10" in shown.the(Headline).plain()[0]


async def test_what_was_asked_for_wins_over_it_and_the_card_says_that_too(show: Show) -> None:
    async with show(request=RunRequest("steplr", dataset="mnist-5k", model=None)) as shown:
        await choose(shown, "cifar10-cpu")
        said = " ".join(shown.text().split())
        assert "brings model resnet9-slim, precision bf16; made for dataset cifar10; as asked, mnist-5k" in said
        await choose(shown, "steplr")
        assert "brings" not in shown.text()
        await choose(shown, "cifar10-cpu")
        await shown.press("enter")
        (spec,) = shown.launcher.started
        assert (spec.dataset, spec.model) == ("mnist-5k", "resnet9-slim")


async def test_in_a_live_run_the_question_says_for_what_other_data_it_is_made(show: Show) -> None:
    async with show(LIVE) as shown:
        await pick(shown, "cifar10-cpu")
        assert "made for cifar10, resnet9-slim, bf16; this run keeps mnist-5k, cnn, fp32" in " ".join(
            " ".join(shown.the(Choices).plain()).split()
        )
        await shown.press("escape")
        await pick(shown, "cosine")
        assert "made for" not in shown.text()
