"""One table of keys: every key does something, and footer, help and palette read it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import pytest
from textual.widgets import OptionList

import tui_trainer.ui
from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedLauncher
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.charts.accuracy import AccuracyChart
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.dialogs import Question
from tui_trainer.ui.help import LEGEND, MARKS, HelpScreen, Keys
from tui_trainer.ui.keys import KEYS, Key, KeyContext, of
from tui_trainer.ui.live.screen import PLACES, LiveScreen
from tui_trainer.ui.live.why import Why
from tui_trainer.ui.trainer_screen import KeyLine, TrainerScreen

LIVE = cut(scripted_run(epochs=4, batches=20), 50)

CONTRACT = ["?", "q", "space", "n", "s", "p", "c", "/", "tab", "←", "→", "↑", "↓", "+", "-", "0", "y", "ctrl+p"]


def screens() -> list[type[TrainerScreen]]:
    """All screens there are."""
    for module in pkgutil.walk_packages(tui_trainer.ui.__path__, "tui_trainer.ui."):
        importlib.import_module(module.name)
    found = TrainerScreen.__subclasses__()
    for screen in found:
        found += screen.__subclasses__()
    return found


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.place}-{key.label}")
def test_every_key_has_an_action_and_words(key: Key) -> None:
    action = key.action.split("(")[0]
    owners: list[type] = [screen for screen in screens() if key.binding() in screen.BINDINGS]
    if key.place == "everywhere":
        owners = [TrainerApp]
    assert owners
    for owner in owners:
        assert callable(getattr(TrainerApp if "." in action else owner, f"action_{action.removeprefix('app.')}"))
    assert key.does


def test_the_contract_s_keys_are_all_there() -> None:
    labels = {key.label for key in KEYS}
    assert not [label for label in CONTRACT if label not in labels]


@pytest.mark.parametrize("place", ["charts", "metrics", "compare", "break it", "find lr", "presets", "runs"])
def test_x_and_y_are_of_every_place_with_charts(place: KeyContext) -> None:
    keys = {key.keys: key.action for key in of(place)}
    assert [keys.get(key) for key in ("x", "X", "y")] == ["unit", "log_x", "log_scale"]


def test_no_key_means_two_things_in_one_place() -> None:
    for places in (
        ("run", "watched", "charts", "why", "log", "panels"),
        ("another",),
        ("presets",),
        ("metrics",),
        ("compare",),
        ("break it",),
        ("find lr",),
        ("runs",),
        ("editor",),
    ):
        names = [name for key in of(*places, "everywhere") for name in key.keys.split(",")]
        assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.never_says("question.clicked", "question.clicked_on", "question.do_it")
async def test_the_line_at_the_bottom_lists_the_keys_and_they_can_be_clicked(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    async with show(LIVE, runs=tmp_path, on_compare=lambda names: None) as shown:
        (line,) = shown.the(KeyLine).plain()
        idle = shown.the(KeyLine).idle
        for key in of("run", "everywhere"):
            if key.short and key.action not in idle:
                assert key.short in line
        assert "resume" in idle  # it trains
        await shown.pilot.click(KeyLine, offset=(line.index("pause"), 0))
        await shown.frame()
        assert len(shown.host.sent) == 1
        assert not {id for id in captions_said if id.startswith("question.")}


class OfNone(ScriptedLauncher):
    """Has started nothing."""

    def trains(self, source: object) -> bool:
        return False


@pytest.mark.says("question.clicked", "question.clicked_on", "question.do_it", "question.no")
async def test_a_click_on_a_run_that_was_not_started_here_asks_first_and_a_key_does_not(show: Show) -> None:
    async with show(LIVE, launcher=OfNone()) as shown:
        where = shown.the(KeyLine).plain()[0].index("pause")
        for answer, sent in (("escape", 0), ("y", 1)):
            await shown.pilot.click(KeyLine, offset=(where, 0))
            await shown.frame()
            assert isinstance(shown.app.screen, Question)
            assert "space: pause or continue" in shown.text()
            await shown.press(answer)
            assert not isinstance(shown.app.screen, Question)
            assert len(shown.host.sent) == sent
        await shown.press("n")
        assert len(shown.host.sent) == 2
        shown.the(KeyLine).quiet()
        await shown.frame()
        await shown.pilot.click(KeyLine, offset=(shown.the(KeyLine).plain()[0].index("help"), 0))
        await shown.frame()
        assert isinstance(shown.app.screen, HelpScreen)


@pytest.mark.parametrize("width", [60, 70, 80, 100])
async def test_in_little_room_it_lists_what_fits_and_always_help_and_the_way_out(show: Show, width: int) -> None:
    async with show(LIVE, size=(width, 20)) as shown:
        (line,) = shown.the(KeyLine).plain()
        assert line.lstrip().startswith("space pause")
        assert len(line) <= width
        assert "? help  q leave" in line
        idle = shown.the(KeyLine).idle
        first = [key.label for key in of("run") if key.short and key.action not in idle]
        assert [word for word in line.split() if word in first] == first  # words go, keys stay


@pytest.mark.never_says("help.nothing")
async def test_help_lists_every_key_and_any_of_its_keys_closes_it(show: Show) -> None:
    async with show(LIVE, size=(140, 90)) as shown:
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)
        text = "\n".join("".join(span.text for span in line) for line in shown.the(Keys).laid_out(200))
        for key in KEYS:
            assert key.does in text
        assert text.index("A run") < text.index("Everywhere")
        for key_name in ("escape", "q", "question_mark"):
            await shown.press(key_name)
            assert isinstance(shown.app.screen, LiveScreen)
            await shown.press("question_mark")


@pytest.mark.says("help.nothing", "help.keys", "help.show_all", "help.marks")
@pytest.mark.never_says("help.keys", "help.show_all", "help.marks")
async def test_help_begins_with_the_marks_scrolls_and_is_searched(show: Show) -> None:
    async with show(LIVE, size=(80, 24)) as shown:
        await shown.press("question_mark")
        for mark in ("◆ best epoch", "○ LR changed", "▴ spike"):
            assert mark in "\n".join(shown.the(Keys).plain()[:4])
        first = shown.the(Keys).plain()
        await shown.press("pagedown")
        assert shown.the(Keys).plain()[:2] == first[-2:]
        assert "/ searches    esc closes" in shown.text()
        assert "esc shows all again" not in shown.text()
        await shown.press("pageup", "slash", *"smooth q")
        assert "esc shows all again" in shown.text()
        assert "esc closes" not in shown.text()
        assert "best epoch" not in shown.text()
        assert "On the screen" not in shown.text()
        assert "nothing has these words" in shown.text()
        await shown.press("backspace", "backspace", "m", "backspace")
        assert "smooth more: the loss, or what is charted in its place" in shown.text()
        assert "pause or continue" not in shown.text()
        await shown.press("escape")
        assert shown.the(Keys).plain() == first
        assert "On the screen" not in shown.text()
        await shown.press(*["down"] * 90)
        assert "screen 1.4 %" in shown.text()


@pytest.mark.parametrize("mark", ["■", "●", "┊", "┴", "◆", "`screen 1.4 %`", "`all moved 0.06 of 12.9`"])
def test_help_tells_what_is_seen_on_the_screen(mark: str) -> None:
    page = "\n".join("".join(span.text for span in line) for line in Keys([]).laid_out(200))
    assert mark in page.partition("On the screen")[2]


def test_a_mark_means_one_thing_in_one_place() -> None:
    assert len({(mark, words.partition(":")[0]) for mark, _, words in MARKS}) == len(MARKS)
    assert len({mark for mark, *_ in LEGEND}) == len(LEGEND)
    assert {(mark, role) for mark, role, _ in LEGEND} <= {(mark, role) for mark, role, _ in MARKS}


async def test_the_palette_has_the_keys_by_name(show: Show) -> None:
    async with show(LIVE) as shown:
        names = {command.title for command in shown.app.get_system_commands(shown.app.screen)}
        assert {"Pause", "One batch", "Slow", "Presets"} <= names
        await shown.press("ctrl+p")
        await shown.pilot.press(*"one bat")
        found = shown.app.screen.query_one(OptionList)
        await shown.until(lambda: found.option_count == 1)
        (icon,) = shown.app.screen.query("SearchIcon")
        assert not icon.display  # a sign that few fonts have, in black
        await shown.pilot.press("enter")
        await shown.pilot.pause()
        await shown.frame()
        await shown.frame()
        assert [type(command).__name__ for command in shown.host.sent] == ["OneBatch"]


async def test_the_palette_says_nothing_twice(show: Show) -> None:
    async with show(LIVE) as shown:
        commands = list(shown.app.get_system_commands(shown.app.screen))
        titles = [command.title.lower() for command in commands]
        assert len(titles) == len({*titles})
        assert not {"keys", "quit"} & {*titles}
        for command in commands:
            word = command.title.rpartition(": ")[2].lower()
            assert not command.help.lower().startswith((f"{word}:", f"{word} ("))


@pytest.mark.parametrize("word", ["loss", "LR", "loop", "why", "machine", "log"])
async def test_the_palette_finds_a_panel_by_its_name(show: Show, word: str) -> None:
    async with show(LIVE) as shown:
        (command,) = [
            command for command in shown.app.get_system_commands(shown.app.screen) if command.title == f"Panel: {word}"
        ]
        id = word.lower()
        before = shown.app.screen.query_one(f"#{id}").display
        command.callback()
        await shown.pilot.pause()
        await shown.frame()
        assert shown.app.screen.query_one(f"#{id}").display != before


BY_A_LITTLE = {"cursor", "older", "move", "row", "page", "log_page", "app.focus_next"}
"""What is moved step by step is left to the keys."""


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.place}-{key.label}")
def test_what_a_key_does_has_a_name_for_the_palette(key: Key) -> None:
    assert bool(key.short or key.name) != (key.action.partition("(")[0] in BY_A_LITTLE)


async def test_the_palette_has_everything_that_has_a_name_and_nothing_of_another_screen(show: Show) -> None:
    async with show(LIVE) as shown:
        titles = {command.title.lower() for command in shown.app.get_system_commands(shown.app.screen)}
        for key in of(*PLACES, "everywhere"):
            if (name := key.short or key.name) and key.action != "app.command_palette":
                assert name.lower() in titles
        here = {(key.short or key.name).lower() for key in of(*PLACES, "everywhere")}
        assert not titles & ({(key.short or key.name).lower() for key in KEYS} - here)


@pytest.mark.says("help.in_focus")
@pytest.mark.never_says("help.in_focus")
async def test_help_begins_with_the_keys_of_the_panel_in_focus(show: Show) -> None:
    async with show(LIVE, size=(100, 90)) as shown:
        await shown.press("question_mark")
        head = shown.the(Keys).plain()
        begins = head.index("") + 1  # behind the marks
        assert head[begins].startswith("A run")
        assert not any("in focus" in line for line in head)
        await shown.press("escape", "tab", "question_mark")
        assert shown.the(Keys).plain()[begins].startswith("Charts  the panel in focus")
        await shown.press("escape")
        shown.the(Why).focus()
        await shown.press("question_mark")
        assert shown.the(Keys).plain()[begins].startswith("Why the LR moved  the panel in focus")
        assert sum("the panel in focus" in line for line in shown.the(Keys).plain()) == 1


async def test_tab_goes_from_panel_to_panel_and_y_is_for_the_chart_it_leads_to(show: Show) -> None:
    async with show(LIVE) as shown:
        visited = []
        for _ in range(6):
            await shown.press("tab")
            visited.append(type(shown.app.focused).__name__)
        assert visited == ["LossChart", "AccuracyChart", "LRChart", "Listing", "EpochTable", "Why"]
        await shown.press(*["shift+tab"] * 3, "y")
        assert shown.the(LRChart).log_scale
        assert not shown.the(LossChart).log_scale
        await shown.press("shift+tab", "y")
        assert "log scale" in shown.the(AccuracyChart).plain()[0]
        await shown.press("X")
        for chart in (LossChart, LRChart):
            assert shown.the(chart).axis.log
        assert shown.the(LRChart).plain()[-1].rstrip().endswith("epoch, log")
        await shown.press("space")
        assert len(shown.host.sent) == 1


async def test_c_says_where_comparisons_are(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("c")
        assert "tui-trainer compare" in shown.the(KeyLine).plain()[0]


@pytest.mark.parametrize(
    ("place", "action", "untrue"),
    [
        ("run", "checkpoint", "training goes on"),  # a paused run stays paused
        ("charts", "reset", "the whole plan"),  # a record of another tool has none
        ("charts", "follow", "follow the newest"),  # a run that is over has no newer ones to come
        ("charts", "smooth(True)", "batches"),  # a watched program's steps; values of a run without steps
        ("why", "older(1)", "older reasons$"),  # the loop or the epochs move, where they have the focus
        ("presets", "find_lr", "seconds"),  # a large network on a CPU takes minutes
        ("another", "back", "list"),  # it may have been opened from a comparison
        ("compare", "open", "the run, live or finished"),  # a row may be several
        ("compare", "pause", "the run that"),  # --jobs 2 has two
        ("compare", "back", "training goes on$"),  # behind the first screen is the shell: what trains is asked about
        ("compare", "differences", "presets"),  # runs of other tools have none
        ("everywhere", "app.leave", "asks what"),  # of one that is only looked at nothing is asked
    ],
)
def test_no_key_says_what_holds_in_some_states_alone(place: str, action: str, untrue: str) -> None:
    said = [key.does for key in KEYS if (key.place, key.action) == (place, action)]
    assert said
    assert not any(re.search(untrue, each) for each in said)
