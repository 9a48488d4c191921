"""What a run is to have beside its preset, asked for in the list of presets with `o`."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.records.test_run_filter import run as made
from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.records.summary import RunSummary
from tui_trainer.run_request import RunRequest
from tui_trainer.ui.panel import Lines
from tui_trainer.ui.presets.picker import PickerScreen
from tui_trainer.ui.presets.start_form import Field, StartForm


def form(shown: Shown) -> StartForm:
    assert isinstance(shown.app.screen, StartForm)
    return shown.app.screen


def said(shown: Shown) -> str:
    """What the form says around its lines."""
    return " ".join(" ".join(" ".join(lines.plain()) for lines in form(shown).query(Lines)).split())


async def put(shown: Shown, option: str, value: str) -> None:
    """Type a value into a line of the form."""
    field = next(field for field in form(shown).query(Field) if field.option == option)
    field.focus()
    field.value = ""
    await shown.frame()
    await shown.press(*(" " if letter == " " else {"-": "minus"}.get(letter, letter) for letter in value))


@pytest.mark.says("form.start", "form.keys", "form.cost")
@pytest.mark.never_says("form.time", "form.time_unknown", "form.cannot")
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (140, 40)])
async def test_o_asks_for_all_and_enter_starts_with_it(
    show: Show, size: tuple[int, int], captions_said: set[str]
) -> None:
    async with show(size=size) as shown:
        await shown.press("o")
        assert "Start onecycle with" in shown.text()
        assert "630 steps, 63 an epoch" in shown.text()
        await put(shown, "epochs", "3")
        assert "189 steps" in shown.text()
        await put(shown, "batch_size", "400")
        assert "30 steps, 10 an epoch" in shown.text()
        await put(shown, "seed", "7")
        await put(shown, "name", "night")
        await put(shown, "device", "cpu")
        assert "enter starts it" in said(shown)
        assert not captions_said & {"form.time", "form.time_unknown", "form.cannot"}  # there is no folder of runs
        await shown.press("enter")
        (spec,) = shown.launcher.started
        asked = (spec.preset.training.epochs, spec.preset.training.batch_size, spec.seed, spec.name, spec.device)
        assert asked == (3, 400, 7, "night", "cpu")
        assert spec.preset.scheduler.name == "OneCycleLR"


async def test_arrows_go_through_what_there_is_to_choose_from_and_through_the_lines(show: Show) -> None:
    async with show() as shown:
        await shown.press("o", "right")
        assert form(shown).spec.dataset == "mnist"
        await shown.press("left", "left")
        assert form(shown).spec.dataset == "cifar100"
        await shown.press("down", "right")
        assert form(shown).spec.model == "mlp"
        await shown.press("down", "left", "1")  # the cursor of a number that is typed
        assert form(shown).spec.preset.training.epochs == 110
        await shown.press("up", "right")
        assert form(shown).spec.model == "lenet"


@pytest.mark.never_says("form.keys", "form.cost")
@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("epochs", "0", "epochs"),
        ("epochs", "2.5", "epochs: 2.5 is no whole number"),
        ("batch_size", "", "batch size: nothing is no whole number"),
        ("seed", "-1", "seed: -1 is no whole number"),
        ("dataset", "imagenet", "--dataset: 'imagenet' is neither one of mnist-5k, mnist"),
        ("device", "gpu", "--device: "),
    ],
)
async def test_what_cannot_be_trained_is_said_as_it_is_typed_and_not_started(
    show: Show, option: str, value: str, words: str, captions_said: set[str]
) -> None:
    async with show() as shown:
        await shown.press("o")
        captions_said.clear()
        await put(shown, option, value)
        assert words in said(shown)
        captions_said.clear()
        await shown.press("enter")
        assert isinstance(shown.app.screen, StartForm)
        assert not shown.launcher.started
        assert not captions_said & {"form.keys", "form.cost"}
        await shown.press("escape")
        assert isinstance(shown.app.screen, PickerScreen)
        assert not shown.launcher.started


async def test_it_begins_with_what_was_asked_for_on_the_command_line(show: Show) -> None:
    async with show(request=RunRequest("onecycle", epochs=5, seed=3, threads=2)) as shown:
        await shown.press("o")
        assert (form(shown).spec.preset.training.epochs, form(shown).spec.seed) == (5, 3)
        await put(shown, "epochs", "4")
        await shown.press("enter")
        (spec,) = shown.launcher.started
        assert (spec.preset.training.epochs, spec.seed, spec.threads) == (4, 3, 2)


LIKE: dict[str, Any] = {
    "dataset": "mnist-5k",
    "model": "cnn",
    "device": "cpu",
    "host": socket.gethostname(),
    "epochs_done": 4,
    "elapsed_s": 10.0,
    "config": {"training.batch_size": 64},
    "name": "night",
}


def run(**facts: Any) -> RunSummary:
    return made(**{**LIKE, **facts})


@pytest.mark.says("form.time")
@pytest.mark.never_says("form.time_unknown")
async def test_a_run_like_it_tells_how_long_it_will_take(show: Show, captions_said: set[str]) -> None:
    async with show() as shown:
        await shown.press("o")
        form(shown).know([run(), run(elapsed_s=99.0)])
        await shown.frame()
        assert "about 0:25, as night took for an epoch" in said(shown)
        await put(shown, "epochs", "20")
        assert "about 0:50" in said(shown)
        assert "form.time_unknown" not in captions_said


@pytest.mark.says("form.time_unknown")
@pytest.mark.never_says("form.time")
@pytest.mark.parametrize(
    "unlike",
    [
        {"dataset": "mnist"},
        {"model": "mlp"},
        {"host": "elsewhere"},
        {"epochs_done": 0},
        {"elapsed_s": 0.0},
        {"config": {"training.batch_size": 32}},
        {"config": {"training.batch_size": 64, "limit_train": 100}},
        {"command": ["python", "train.py"]},
    ],
)
async def test_one_unlike_it_does_not(show: Show, unlike: dict[str, Any], captions_said: set[str]) -> None:
    async with show() as shown:
        await shown.press("o")
        form(shown).know([run(**unlike)])
        await shown.frame()
        assert "is known once one like it was trained" in said(shown)
        assert "form.time" not in captions_said


@pytest.mark.says("form.cannot")
@pytest.mark.never_says("form.start")
async def test_where_no_run_can_be_started_it_says_so(show: Show, captions_said: set[str]) -> None:
    async with show(ScriptedHost(scripted_run(status=None))) as shown:
        shown.app.context.launcher = None
        await shown.press("p", "o")
        assert isinstance(shown.app.screen, PickerScreen)
        assert "nothing can be started from here" in shown.text()
        assert "form.start" not in captions_said
