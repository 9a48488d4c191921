"""A line that is typed over the screen: the LR by hand, and how many epochs the run is to train."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.commands import SetEpochs, SetLR
from tui_trainer.events import AnyEvent
from tui_trainer.records.record import Record
from tui_trainer.run_request import Extension
from tui_trainer.ui.entry import Entry
from tui_trainer.ui.live.screen import LiveScreen

FINISHED = scripted_run(epochs=2, batches=20)
LIVE = scripted_run(epochs=4, batches=20, status=None)


@pytest.mark.says("entry.lr", "entry.lr_forms", "entry.keys")
@pytest.mark.never_says("entry.keys", "entry.epochs", "entry.epochs_forms")
async def test_l_asks_for_an_lr_or_a_factor_and_sends_it_once_it_can_be_taken(
    show: Show, captions_said: set[str]
) -> None:
    async with show(cut(LIVE, 30)) as shown:
        await shown.press("l")
        assert isinstance(shown.app.screen, Entry)
        assert "as x0.5" in shown.text()
        assert "enter takes it, esc leaves" in shown.text()
        await shown.press("x")
        assert "x is no LR" in shown.text()
        assert "enter takes it" not in shown.text()
        await shown.press("enter")
        assert isinstance(shown.app.screen, Entry)
        assert not shown.host.sent
        await shown.press("0", "full_stop", "5", "enter")
        assert isinstance(shown.app.screen, LiveScreen)
        (command,) = shown.host.sent
        assert isinstance(command, SetLR)
        assert command.factor == 0.5
        assert not captions_said & {"entry.epochs", "entry.epochs_forms"}


@pytest.mark.says("entry.epochs", "entry.epochs_forms")
@pytest.mark.never_says("entry.lr", "entry.lr_forms", "answer.not_begun")
@pytest.mark.parametrize("size", [(60, 16), (140, 40)])
async def test_e_asks_how_many_epochs_it_is_to_train(
    show: Show, size: tuple[int, int], captions_said: set[str]
) -> None:
    async with show(cut(LIVE, 30), size=size) as shown:
        await shown.press("e")
        assert "4 now, and epoch 2 is under way" in " ".join(shown.text().split())
        await shown.press("q", "enter")  # a letter like any other, here
        assert shown.app.screen.query_one(Input).value == "q"
        assert "q is no number of epochs" in shown.text()
        await shown.press("backspace", "6", "enter")
        (command,) = shown.host.sent
        assert isinstance(command, SetEpochs)
        assert command.epochs == 6
        await shown.press("e", "7", "escape")
        assert len(shown.host.sent) == 1
        assert not captions_said & {"entry.lr", "entry.lr_forms", "answer.not_begun"}


@pytest.mark.says("answer.not_begun")
@pytest.mark.parametrize(("key", "events"), [("l", cut(LIVE, 1)[:-1]), ("e", LIVE[:1])])
async def test_a_run_without_a_step_is_not_asked(show: Show, key: str, events: list[AnyEvent]) -> None:
    async with show(events) as shown:
        await shown.press(key)
        assert isinstance(shown.app.screen, LiveScreen)
        assert "no step is trained yet" in shown.text()


@pytest.mark.parametrize("key", ["l", "e"])
async def test_a_run_that_has_ended_says_so(show: Show, key: str) -> None:
    async with show(scripted_run(epochs=1)) as shown:
        await shown.press(key)
        assert isinstance(shown.app.screen, LiveScreen)
        assert not shown.host.sent


@pytest.mark.says("entry.more_epochs", "entry.more_epochs_forms", "entry.epochs_trained")
async def test_R_on_a_finished_run_asks_for_more_epochs_and_what_they_follow(show: Show, tmp_path: Path) -> None:
    asked: list[tuple[Path, Extension]] = []
    host = ScriptedHost(FINISHED)
    host.folder = Record.create(tmp_path, {"preset_name": "none"}).folder
    async with show(host, on_extend=lambda *more: asked.append(more), on_resume=refuse) as shown:
        assert "R resume" in shown.text()
        await shown.press("R")
        assert isinstance(shown.app.screen, Entry)
        said = " ".join(shown.text().split())
        assert "2 are trained: type how many, as 7, and its schedule goes on" in said
        await shown.press("2", "enter")
        assert "2 are trained already: give more" in shown.text()
        await shown.press("0", "space", *"cosine", "enter")
        assert asked == [(host.folder, Extension(20, "cosine", by=""))]


def refuse(folder: Path) -> None:
    raise AssertionError(f"{folder} is finished")


@pytest.mark.never_says("entry.more_epochs", "entry.more_epochs_forms", "entry.epochs_trained")
async def test_where_no_run_can_be_gone_on_with_none_is_asked_for(show: Show, tmp_path: Path) -> None:
    host = ScriptedHost(FINISHED)
    host.folder = tmp_path
    async with show(host) as shown:
        assert "R resume" not in shown.text()
        await shown.press("R")
        assert "it has finished: only a run that ended early can be resumed" in shown.text()


@pytest.mark.parametrize(
    ("typed", "then"), [("15", "extend"), (" 15  constant ", "constant"), ("15 ./my p.toml", "./my p.toml")]
)
def test_more_epochs_are_what_a_person_types(typed: str, then: str) -> None:
    assert Extension.of(typed, by="test") == Extension(15, then, by="test")


def test_what_begins_with_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="many is no number of epochs"):
        Extension.of("many constant", by="test")
