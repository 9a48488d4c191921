"""The presets: list, filter, marks, what is told of each, and copies made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual.events import Key
from textual.widgets import TextArea

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown
from tests.ui.scripted_source import ScriptedLauncher, ScriptedPlanner
from tui_trainer.events import PlanMade
from tui_trainer.presets.catalogue import catalogue, load
from tui_trainer.presets.problems import NoPlan, PresetError, Problem
from tui_trainer.run_request import RunRequest
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.presets.editor import EditorScreen, free_name, save
from tui_trainer.ui.presets.picker import PickerScreen, steps_when
from tui_trainer.ui.trainer_screen import KeyLine

SOUND = """
title = "mine"
[optimizer]
name = "SGD"
lr = 0.05
[scheduler]
name = "StepLR"
step_size = 2
"""


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(text)


def picker(shown: Shown) -> PickerScreen:
    assert isinstance(shown.app.screen, PickerScreen)
    return shown.app.screen


@pytest.mark.says("picker.steps_each", "picker.never_steps")
@pytest.mark.never_says("picker.cannot_be_used", "picker.none_match", "picker.unreadable")
async def test_all_presets_are_listed_with_who_steps_when(show: Show, captions_said: set[str]) -> None:
    async with show(size=(140, 50)) as shown:
        for name in ("none", "steplr", "onecycle", "plateau", "cosine-warmup", "warm-restarts"):
            assert name in shown.text()
        assert "steps each batch" in shown.line(" onecycle ")
        assert "steps each epoch" in shown.line(" steplr ")
        assert "never steps" in shown.line(" none ")
        assert not captions_said & {"picker.cannot_be_used", "picker.none_match", "picker.unreadable"}


@pytest.mark.says("picker.batch_then_epoch")
@pytest.mark.never_says("picker.batch_then_epoch")
def test_a_warm_up_before_a_scheduler_of_epochs_is_said_alone(own_presets: Path, captions_said: set[str]) -> None:
    write(own_presets, "mine", SOUND)
    write(own_presets, "warm", f"{SOUND}[warmup]\nepochs = 1\n")
    assert [steps_when(entry) for entry in catalogue() if entry.name == "mine"] == ["epoch"]
    assert "picker.batch_then_epoch" not in captions_said
    assert [steps_when(entry) for entry in catalogue() if entry.name == "warm"] == ["batch, then epoch"]


async def test_what_is_told_of_a_preset(show: Show) -> None:
    async with show() as shown:
        picker(shown).list.go_to("onecycle")
        await shown.frame()
        for words in (
            load("onecycle").title,
            "OneCycleLR steps after every batch",
            "630 steps: 10 epochs of 63 batches of 64 (the last 32), mnist-5k",
            "peak",
        ):
            assert words in shown.text()
        await shown.press("pagedown")
        assert 'name = "OneCycleLR"' in shown.text()
        await shown.press("pageup")
        assert load("onecycle").title in shown.text()


@pytest.mark.says("picker.momentum_stays")
@pytest.mark.never_says("picker.momentum_stays")
async def test_the_momentum_is_drawn_over_the_plan_where_the_schedule_moves_it(
    show: Show, own_presets: Path, captions_said: set[str]
) -> None:
    adam = '[optimizer]\nname = "Adam"\n[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.01\n'
    write(own_presets, "adam", adam)
    async with show(size=(140, 50)) as shown:
        assert "m momentum" not in shown.text()
        await shown.press("v")
        assert "the momentum is drawn over the LR, its values at the right" in shown.text()
        await shown.until(lambda: "m momentum 0.85" in shown.text())
        picker(shown).list.go_to("adam")
        await shown.until(lambda: "m beta1 0.85" in shown.text())
        picker(shown).list.go_to("plateau")
        await shown.until(lambda: "m beta1" not in shown.text())
        assert "picker.momentum_stays" not in captions_said
        await shown.press("v")
        assert "nothing moves the momentum of this preset: OneCycleLR and CyclicLR do" in shown.text()
        picker(shown).list.go_to("onecycle")
        await shown.press("v")
        assert "the momentum is no longer drawn" in shown.text()
        assert "m momentum" not in shown.text()


@pytest.mark.never_says("picker.not_started")
async def test_typing_after_a_slash_filters(show: Show) -> None:
    async with show() as shown:
        await shown.press("slash", *"cos")
        assert "cosine-warmup" in shown.text()
        assert "plateau" not in shown.text()
        await shown.press(*" warm")
        assert picker(shown).list.current is not None
        assert picker(shown).list.current.name == "cosine-warmup"
        await shown.press("enter")
        assert not shown.launcher.started
        await shown.press("escape")
        assert "plateau" in shown.text()


@pytest.mark.says("picker.none_match")
@pytest.mark.never_says("picker.reading", in_all_cases=False)
async def test_letters_that_are_commands_elsewhere_are_letters_in_the_filter(show: Show) -> None:
    async with show() as shown:
        await shown.press("slash", "e", "c", "j", "q", "question_mark", "space")
        assert picker(shown).list.filter == "ecjq? "
        assert "no preset matches" in shown.text()
        await shown.press("backspace", "backspace", "backspace", "backspace", "backspace", "backspace")
        assert picker(shown).list.filter == ""


async def test_a_filter_that_comes_in_one_piece_is_a_filter(show: Show) -> None:
    async with show() as shown:
        for key, character in (("slash", "/"), ("c", "c"), ("o", "o"), ("s", "s"), ("q", "q")):
            shown.app.post_message(Key(key, character))  # without a rest between them, as a slow link delivers them
        await shown.frame()
        await shown.frame()
        assert picker(shown).list.filter == "cosq"
        assert isinstance(shown.app.screen, PickerScreen)  # q was a letter


@pytest.mark.says("picker.reading")
@pytest.mark.never_says("picker.none_match")
async def test_keys_that_come_before_the_presets_are_read_count(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[Callable[[], object]] = []
    monkeypatch.setattr(PickerScreen, "call_after_refresh", lambda screen, reload: held.append(reload))
    async with show() as shown:
        assert "reading the presets" in shown.text()
        await shown.press("down", "space", "down")
        (reload,) = held
        reload()
        await shown.frame()
        names = [entry.name for entry in catalogue()]
        first = names.index("onecycle")
        assert picker(shown).list.marked == names[first + 1 : first + 2]
        assert picker(shown).list.current is not None
        assert picker(shown).list.current.name == names[first + 3]


async def test_the_cursor_moves_and_stays_within_the_list(show: Show) -> None:
    async with show(size=(80, 16)) as shown:
        assert picker(shown).list.current.name == "onecycle"
        assert " more" in shown.text()
        await shown.press("G")
        assert picker(shown).list.current.name == catalogue()[-1].name
        assert "↓ " not in shown.text()
        await shown.press("home")
        names = []
        for _ in range(len(catalogue()) + 2):
            entry = picker(shown).list.current
            assert entry is not None
            names.append(entry.name)
            assert shown.line("▌").split()[1] == entry.name
            await shown.press("down")
        assert names[-1] == names[-2]
        assert len(set(names)) == len(catalogue())
        await shown.press("up")
        assert picker(shown).list.current.name == names[-4]


@pytest.mark.never_says("picker.never_steps", "picker.steps_each", in_all_cases=False)
@pytest.mark.says("picker.cannot_be_used", "picker.not_started")
async def test_a_broken_preset_is_listed_with_its_problems_and_does_not_start(show: Show, own_presets: Path) -> None:
    write(own_presets, "broken", '[optimizer]\nname = "Adamm"\n')
    async with show(size=(140, 50)) as shown:
        picker(shown).list.go_to("broken")
        await shown.frame()
        assert "cannot be used" in shown.line("! broken")
        assert "line 2" in shown.text()
        assert "Adam" in shown.text()
        await shown.press("enter")
        assert not shown.launcher.started
        assert "cannot be started" in shown.text()
        assert "never steps" not in shown.line("! broken")
        assert "steps each" not in shown.line("! broken")


async def test_what_the_rehearsal_finds_is_told_and_keeps_it_from_starting(show: Show) -> None:
    problem = Problem("", 12, "scheduler.max_lr", "does not come down", "error")

    def refuse(spec: RunSpec) -> PlanMade | None:
        raise PresetError([problem])

    async with show(launcher=ScriptedLauncher(ScriptedPlanner(refuse))) as shown:
        assert "line 12, scheduler.max_lr: does not come down" in shown.text()
        await shown.press("enter")
        assert not shown.launcher.started


async def test_a_plan_that_fails_is_told_and_keeps_nobody_from_starting(show: Show) -> None:
    def fails(spec: RunSpec) -> PlanMade | None:
        raise NoPlan("the LR could not be planned: MemoryError")

    async with show(launcher=ScriptedLauncher(ScriptedPlanner(fails))) as shown:
        assert "the LR could not be planned: MemoryError" in shown.text()
        assert "being made" not in shown.text()
        await shown.press("enter")
        assert len(shown.launcher.started) == 1


async def test_a_warning_is_told_and_keeps_nobody_from_starting(show: Show, own_presets: Path) -> None:
    write(own_presets, "never", SOUND.replace("step_size = 2", "step_size = 50"))
    async with show() as shown:
        picker(shown).list.go_to("never")
        await shown.frame()
        assert "! " in shown.text()
        assert "scheduler.step_size" in shown.text()
        await shown.press("enter")
        assert [spec.preset_name for spec in shown.launcher.started] == ["never"]


async def test_titles_and_files_are_shown_as_text(show: Show, own_presets: Path) -> None:
    write(own_presets, "nasty", SOUND.replace('"mine"', '"[b]bold[/b] \\u001b[31mred"') + "# \x1b]0;owned\x07\n")
    async with show() as shown:
        picker(shown).list.go_to("nasty")
        await shown.frame()
        assert "[b]bold[/b]" in shown.text()
        assert "\x1b" not in shown.text()
        assert "\x07" not in shown.text()


async def test_marked_presets_are_compared(show: Show) -> None:
    compared: list[Sequence[str]] = []
    async with show(on_compare=compared.append) as shown:
        await shown.press("c")
        assert "mark two or more" in shown.text()
        await shown.press("home", "space", "space", "c")
        first, second, *_ = catalogue()
        assert [list(names) for names in compared] == [[first.name, second.name]]


async def test_without_comparisons_it_says_where_they_are(show: Show) -> None:
    async with show() as shown:
        await shown.press("home", "space", "space", "c")
        first, second, *_ = catalogue()
        assert f"tui-trainer compare {first.name} {second.name}" in shown.text()


def marked_lines(editor: EditorScreen) -> list[int]:
    """The lines of the text that are underlined on the screen."""
    area = editor.query_one(TextArea)
    return [
        y
        for y in range(area.size.height)
        if any(segment.style and segment.style.underline and segment.text.strip() for segment in area.render_line(y))
    ]


@pytest.mark.says("editor.saves", "editor.no_errors", "editor.not_saved_errors")
@pytest.mark.never_says("editor.saves", "editor.no_errors", "editor.taken", "editor.hides")
async def test_a_copy_is_checked_as_one_types(show: Show, own_presets: Path, captions_said: set[str]) -> None:
    async with show() as shown:
        picker(shown).list.go_to("steplr")
        await shown.frame()
        await shown.press("e")
        editor = shown.app.screen
        assert isinstance(editor, EditorScreen)
        assert "no errors: ctrl+s saves it" in shown.text()
        assert marked_lines(editor) == []
        assert "editor.no_errors" not in captions_said
        captions_said.clear()
        editor.called = ""
        await shown.frame()
        assert "no errors" in shown.text()
        assert "editor.saves" not in captions_said
        editor.called = "steplr-2"
        await shown.frame()
        await shown.pilot.press("x")
        editor.check()
        await shown.frame()
        assert "line 1" in shown.text()
        assert "no errors" not in shown.text()
        assert marked_lines(editor) == [0]
        await shown.press("ctrl+s")
        assert "not saved: fix the errors first" in shown.text()
        assert not own_presets.exists()
        await shown.press("backspace", "ctrl+s")
        assert isinstance(shown.app.screen, PickerScreen)
        assert "saved as steplr-2" in shown.text()
        assert load("steplr-2") == load("steplr")
        current = picker(shown).list.current
        assert current is not None
        assert (current.name, current.builtin) == ("steplr-2", False)


async def test_a_copy_is_left_unsaved(show: Show, own_presets: Path) -> None:
    async with show() as shown:
        await shown.press("e", "escape")
        assert isinstance(shown.app.screen, PickerScreen)
        assert not own_presets.exists()


async def test_before_changes_are_lost_it_is_asked(show: Show, own_presets: Path) -> None:
    async with show() as shown:
        await shown.press("e", "q", "question_mark", "escape")
        assert "unsaved changes" in shown.text()
        await shown.press("escape")
        assert isinstance(shown.app.screen, EditorScreen)
        await shown.press("backspace", "backspace", "escape")  # as it was
        assert isinstance(shown.app.screen, PickerScreen)
        await shown.press("e", "q", "escape", "l")
        assert isinstance(shown.app.screen, PickerScreen)
        assert not own_presets.exists()


async def test_asked_about_changes_one_can_save_them(show: Show, own_presets: Path) -> None:
    async with show() as shown:
        await shown.press("home", "e", "number_sign", "enter", "escape")
        assert "save it as none-2" in shown.text()
        await shown.press("s")
        assert isinstance(shown.app.screen, PickerScreen)
        assert (own_presets / "none-2.toml").read_text().startswith("#\n")


@pytest.mark.never_says(
    "editor.not_saved_name", "editor.not_saved_errors", "editor.not_saved", "editor.not_saved_taken"
)
async def test_the_key_line_leads_to_the_name_and_back(show: Show, own_presets: Path) -> None:
    async with show(size=(80, 24)) as shown:
        await shown.press("e")
        assert "shift+tab name" in shown.text()
        await shown.press("shift+tab", *"mine", "shift+tab", *"# x", "enter", "ctrl+s")
        assert (own_presets / "mine.toml").read_text().startswith("# x\n")


@pytest.mark.never_says("editor.saves", in_all_cases=False)
@pytest.mark.says("editor.taken", "editor.hides", "editor.not_saved_taken")
@pytest.mark.never_says("editor.hides")
async def test_a_name_that_hides_a_shipped_preset_is_said_as_it_is_typed(show: Show, own_presets: Path) -> None:
    write(own_presets, "mine", SOUND)
    async with show(size=(80, 24)) as shown:
        await shown.press("e", "shift+tab", *"onecycl")
        assert "hides" not in shown.text()
        await shown.press("e")
        assert "onecycle" in shown.line("save as")
        assert "hides the shipped onecycle" in shown.line("save as")
        await shown.press("x")
        assert "hides" not in shown.text()
        editor = shown.app.screen
        assert isinstance(editor, EditorScreen)
        editor.called = "mine"
        await shown.frame()
        assert "there is a mine of your own already" in shown.line("save as")
        assert "ctrl+s saves it" not in shown.text()
        await shown.press("ctrl+s")
        assert "not saved: there is a mine of your own already" in shown.text()


@pytest.mark.parametrize("size", [(80, 24), (140, 50)])
async def test_ones_own_presets_are_marked(show: Show, own_presets: Path, size: tuple[int, int]) -> None:
    write(own_presets, "onecycle", SOUND)
    write(own_presets, "a-name-that-leaves-no-room", SOUND)
    async with show(size=size) as shown:
        for name in ("onecycle", "a-name-that-leaves-no-room"):
            picker(shown).list.go_to(name)
            await shown.frame()
            assert "yours" in shown.line("▌")
        picker(shown).list.go_to("steplr")
        await shown.frame()
        assert "yours" not in shown.line("▌")


@pytest.mark.says("editor.old_curve")
@pytest.mark.never_says("editor.old_curve")
async def test_the_curve_of_the_last_sound_text_stays_and_is_marked(show: Show) -> None:
    async with show() as shown:
        await shown.press("home", "down", "e")
        editor = shown.app.screen
        assert isinstance(editor, EditorScreen)
        await shown.until(lambda: "peak" in shown.text() or "from 0.001" in shown.text())
        curve = shown.the(LRChart).plain()
        assert "last text without errors" not in shown.text()
        await shown.pilot.press("x")
        editor.check()
        await shown.frame()
        assert "the curve shows the last text without errors" in shown.text()
        assert shown.the(LRChart).visible
        assert shown.the(LRChart).plain() == curve
        await shown.pilot.press("backspace")
        editor.check()
        await shown.frame()
        assert "last text without errors" not in shown.text()


@pytest.mark.says("editor.not_saved_name")
@pytest.mark.never_says("editor.saved", "editor.not_saved_taken")
@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "mine.toml", "tab\there"])
async def test_a_name_that_is_no_name_is_refused(show: Show, own_presets: Path, name: str) -> None:
    async with show() as shown:
        await shown.press("e")
        editor = shown.app.screen
        assert isinstance(editor, EditorScreen)
        editor.called = name
        await shown.press("ctrl+s")
        assert isinstance(shown.app.screen, EditorScreen)
        assert "not saved" in shown.text()
        assert not own_presets.exists()


def test_a_copy_gets_a_name_that_nobody_bears(own_presets: Path) -> None:
    assert free_name("steplr") == "steplr-2"
    write(own_presets, "steplr-2", SOUND)
    assert free_name("steplr") == "steplr-3"


def test_saving_never_replaces_a_preset_and_leaves_no_draft(own_presets: Path) -> None:
    save(own_presets / "mine.toml", SOUND)
    with pytest.raises(FileExistsError):
        save(own_presets / "mine.toml", "other")
    assert (own_presets / "mine.toml").read_text() == SOUND
    assert [path.name for path in own_presets.iterdir()] == ["mine.toml"]


@pytest.mark.says("screen.without_options")
async def test_options_that_are_no_good_are_said_and_left_out(show: Show) -> None:
    """Not in silence: a run from here would have the usual data, device and seed instead."""
    asked = RunRequest("steplr", model="mlp", dataset="mnist-5k", threads=-1)
    async with show(request=asked) as shown:
        assert "these start without the options that were given: --threads: " in shown.the(KeyLine).plain()[0]
        await shown.press("enter")
        assert [spec.model for spec in shown.launcher.started] == ["cnn"]


@pytest.mark.never_says("screen.without_options")
async def test_options_that_are_good_are_taken_without_a_word(show: Show, captions_said: set[str]) -> None:
    async with show(request=RunRequest("steplr", model="mlp", dataset="mnist-5k", threads=1)) as shown:
        assert "options that" not in shown.the(KeyLine).plain()[0]
        await shown.press("enter")
        assert [spec.model for spec in shown.launcher.started] == ["mlp"]
    assert "screen.without_options" not in captions_said


@pytest.mark.never_says("chart.plan_is_made")
async def test_where_nobody_plans_no_plan_is_said_to_be_made(show: Show) -> None:
    async with show(scripted_run(epochs=1)) as shown:
        shown.app.context.launcher = None
        await shown.press("p", "e")
        assert isinstance(shown.app.screen, EditorScreen)
        assert "being made" not in shown.text()


@pytest.mark.says("editor.not_saved", "editor.saved", "picker.unreadable")
@pytest.mark.never_says("editor.saved", "editor.not_saved", "picker.unreadable")
async def test_what_the_disk_refuses_is_said_with_the_reason(
    show: Show, own_presets: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    async with show() as shown:
        assert "picker.unreadable" not in captions_said
        await shown.press("e")
        with monkeypatch.context() as patch:
            patch.setattr("tui_trainer.ui.presets.editor.save", refuse)
            await shown.press("ctrl+s")
            await shown.until(lambda: "Permission denied" in shown.text())
        assert "editor.not_saved" in captions_said
        assert "editor.saved" not in captions_said
        captions_said.clear()
        await shown.press("ctrl+s")
        await shown.until(lambda: isinstance(shown.app.screen, PickerScreen))
        assert "editor.not_saved" not in captions_said
        monkeypatch.setattr("tui_trainer.ui.presets.picker._read", refuse)
        picker(shown).reload()
        await shown.until(lambda: "the presets cannot be read" in shown.text())
