"""Each question, and what follows from its answers: in each case what is said, and of all else nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.renderables.background_screen import BackgroundScreen
from textual.visual import RenderOptions

from tests.compare.made import compared
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_finding import falling, recorded_test
from tests.ui.scripted_source import ScriptedHost
from tests.ui.test_compare import StillQueue
from tests.ui.test_compare import show as show_comparison
from tests.ui.test_runs import opened, recorded
from tests.ui.test_switching import pick
from tui_trainer.events import Paused, RunStarted
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.dialog import Dimmed
from tui_trainer.ui.dialogs import Choices, Question

LIVE = cut(scripted_run(epochs=4, batches=20), 50)
PAUSED = [*LIVE, Paused(at=START, step=50, by="screen")]
LAST_EPOCH = cut(scripted_run(epochs=2, batches=20), 30)
FINISHED = scripted_run(epochs=2, batches=10)

IDS = {id for id in CAPTIONS if id.startswith("question.")}

LEAVE = {"question.leave", "question.stay", "question.after_batch"}
OURS = LEAVE | {"question.stop"}
KEPT = OURS | {"question.found_again"}
ELSEWHERE = LEAVE | {"question.leave_it", "question.stop_the_run"}
TAKEN_UP = {"question.train_with", "question.stay_with"}
NEW = {"question.as_new", "question.old_stops"}
HERE = {"question.in_this_run", "question.weights_kept"}
TEXT = {
    "question.unsaved",
    "question.has_changes",
    "question.leave_it",
    "question.changes_lost",
    "question.keep_editing",
}
RENAME = {"question.rename", "question.to_rename"}
DELETE_TEST = {
    "question.delete_test",
    "question.test_to_delete",
    "question.delete_it",
    "question.test_for_good",
    "question.no",
}
DELETE = {"question.delete", "question.to_delete", "question.delete_it", "question.for_good", "question.no"}


def nothing() -> None:
    """Of a screen that can be left to the background."""


async def leave(shown: Shown) -> None:
    await shown.press("q")


async def leave_elsewhere(shown: Shown) -> None:
    shown.app.context.launcher = None
    await shown.press("q")


async def leave_and_stop(shown: Shown) -> None:
    await shown.press("q", "s")


async def take_up(shown: Shown) -> None:
    await pick(shown, "cosine")


async def take_up_elsewhere(shown: Shown) -> None:
    shown.app.context.launcher = None
    await pick(shown, "cosine")


async def take_up_as_new(shown: Shown) -> None:
    await pick(shown, "cosine")
    await shown.press("n")


async def start_in_a_view(shown: Shown) -> None:
    shown.app.context.launcher = None
    await pick(shown, "cosine")


async def leave_text(shown: Shown) -> None:
    await shown.press("p", "e", "x", "escape")


async def leave_text_without_name(shown: Shown) -> None:
    await shown.press("p", "e", "x", "shift+tab", *["backspace"] * 40, "escape")


async def delete(shown: Shown) -> None:
    await shown.press("r", "d")


async def delete_a_test(shown: Shown) -> None:
    runs = shown.app.context.runs
    assert runs is not None
    recorded_test(runs, {0: falling()})
    await opened(shown)
    await shown.press("d")


async def rename(shown: Shown) -> None:
    await opened(shown)
    await shown.press("n")


async def resume_in_a_view(shown: Shown) -> None:
    shown.app.context.launcher = None
    await shown.press("r")
    shown.app.screen.action_resume()  # no key is shown for what does nothing here
    await shown.frame()


CASES: dict[str, tuple[object, dict[str, object], Callable[[Shown], Awaitable[None]], set[str], list[str]]] = {
    "a run that trains": (
        LIVE,
        {"on_detach": nothing},
        leave,
        KEPT | {"question.trains", "question.keep"},
        [
            "Leave?",
            "steplr is still training.",
            "keep it training in the background",
            "tui-trainer attach shows it again, tui-trainer stop ends it",
            "stop it",
            "after the current batch; its record is kept",
            "stay",
        ],
    ),
    "a run that is paused": (
        PAUSED,
        {"on_detach": nothing},
        leave,
        KEPT | {"question.paused", "question.keep_paused"},
        ["steplr is paused, and not over.", "leave it paused in the background"],
    ),
    "a run that ends with its screen": (LIVE, {}, leave, OURS | {"question.trains"}, ["steplr is still training."]),
    "a run that has told nothing": (
        [RunStarted(at=START, run="r", schema=1, pid=1, host="h")],
        {},
        leave,
        OURS | {"question.trains", "question.the_run"},
        ["the run is still training."],
    ),
    "a run of another process": (
        LIVE,
        {},
        leave_elsewhere,
        ELSEWHERE | {"question.elsewhere", "question.keeps_training"},
        ["The run trains in another process.", "it keeps training where it runs", "leave", "stop the run"],
    ),
    "one that is paused": (
        PAUSED,
        {},
        leave_elsewhere,
        ELSEWHERE | {"question.paused_elsewhere", "question.stays_paused"},
        ["The run is paused, in another process.", "it stays paused where it is"],
    ),
    "stopped": (
        ScriptedHost(LIVE, obeys=False),
        {},
        leave_and_stop,
        OURS | {"question.trains", "question.stopping"},
        ["stopping after this batch; the screen closes once the record is complete"],
    ),
    "over": (FINISHED, {}, leave, set(), []),
    "a preset for a run": (
        LIVE,
        {},
        take_up,
        TAKEN_UP | NEW | HERE,
        [
            "Train with cosine?",
            "as a new run from the start",
            "steplr is stopped first; its record is kept",
            "in this run, from the next epoch on",
            "the weights are kept; the switch is marked on the charts",
            "stay with steplr",
        ],
    ),
    "a preset in the last epoch": (LAST_EPOCH, {}, take_up, TAKEN_UP | NEW, ["as a new run from the start"]),
    "a preset where none starts": (
        LIVE,
        {},
        take_up_elsewhere,
        TAKEN_UP | HERE,
        ["in this run, from the next epoch on", "stay with steplr"],
    ),
    "a preset for a run that has told nothing": (
        [RunStarted(at=START, run="r", schema=1, pid=1, host="h")],
        {},
        take_up,
        TAKEN_UP | NEW | {"question.run_on_show"},
        ["stay with the run on show"],
    ),
    "a preset as a new run": (
        ScriptedHost(LIVE, obeys=False),
        {},
        take_up_as_new,
        TAKEN_UP | NEW | HERE | {"question.stopping_for"},
        ["stopping steplr; cosine starts as soon as it has ended"],
    ),
    "a preset in a view": (
        FINISHED,
        {},
        start_in_a_view,
        {"question.starts_none"},
        ["no run can be started from here; tui-trainer launch starts one"],
    ),
    "a text": (
        FINISHED,
        {},
        leave_text,
        TEXT | {"question.save_as"},
        [
            "Leave without saving?",
            "The copy has unsaved changes.",
            "save it as ",
            "your changes are lost",
            "keep editing",
        ],
    ),
    "a text without a name": (FINISHED, {}, leave_text_without_name, TEXT | {"question.save"}, ["save it", "leave"]),
    "another name for a run of the list": (
        FINISHED,
        {},
        rename,
        RENAME,
        ["Another name for this run", "enter takes it, esc leaves it; it may be empty", "night"],
    ),
    "a run of the list": (
        FINISHED,
        {},
        delete,
        DELETE,
        [
            "Delete this run?",
            "night: ",
            "delete it",
            "its record and checkpoints are deleted for good",
            "no",
        ],
    ),
    "a range test of the list": (
        FINISHED,
        {},
        delete_a_test,
        DELETE_TEST,
        ["Delete this LR range test?", "-onecycle-", " steps.", "delete it", "its record is deleted for good", "no"],
    ),
    "one to go on with in a view": (
        FINISHED,
        {},
        resume_in_a_view,
        {"question.resumes_none"},
        ["tui-trainer resume 2", " --runs-dir /"],
    ),
}  # fmt: skip


@pytest.mark.says("question.*")
@pytest.mark.never_says("question.*")
@pytest.mark.parametrize("case", [name for name in CASES if name != "over"])
async def test_this_is_said_and_nothing_else(case: str, show: Show, tmp_path: Path, captions_said: set[str]) -> None:
    events, options, act, ids, words = CASES[case]
    recorded(tmp_path / "runs", "night", FINISHED[: len(FINISHED) // 2]).close()
    async with show(events, runs=tmp_path / "runs", **options) as shown:
        await act(shown)
        await shown.frame()
        asked = isinstance(shown.app.screen, Question)
        text = " ".join(" ".join(shown.the(Choices).plain()).split() if asked else shown.text().split())
        for each in words:
            assert each in text
        assert captions_said & IDS == ids


async def test_nothing_is_asked_of_a_run_that_is_over(show: Show, captions_said: set[str]) -> None:
    async with show(FINISHED) as shown:
        await leave(shown)
    assert captions_said & IDS == set()


@pytest.mark.says("question.the_comparison")
@pytest.mark.never_says("question.the_run")
@pytest.mark.parametrize(
    ("paused", "words"),
    [(False, "the comparison is still training."), (True, "the comparison is paused, and not over.")],
)
async def test_what_is_asked_of_a_comparison(tmp_path: Path, paused: bool, words: str, captions_said: set[str]) -> None:
    runs = [recorded(tmp_path, name, events) for name, events in (("a", PAUSED if paused else LIVE), ("b", FINISHED))]
    comparison = compared(tmp_path, [run.folder for run in runs])
    async with show_comparison(comparison, queue=StillQueue(), on_detach=nothing) as (pilot, _):
        await pilot.press("q")
        await pilot.pause()
        text = " ".join(" ".join(pilot.app.screen.query_one(Choices).plain()).split())
        assert words in text
        assert "tui-trainer compare SESSION shows it again, tui-trainer stop SESSION ends it" in text
    for run in runs:
        run.close()
    asked = {"question.paused", "question.keep_paused"} if paused else {"question.trains", "question.keep"}
    assert captions_said & IDS == KEPT | asked | {"question.the_comparison"}


async def test_the_screen_below_shows_through_as_textual_dims_it(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("q")
        question = shown.app.screen
        below, over = shown.app.screen_stack[-2], question.styles.background
        assert isinstance(question, Question)
        assert over.a == 0.6
        lines = Dimmed(below, over).render_strips(100, None, question.visual_style, RenderOptions(lambda _: None, {}))
        console = shown.app.console
        textuals = console.render_lines(BackgroundScreen(below, over), shown.app.console_options, pad=False)
        assert [cells_of(line) for line in lines] == [cells_of(line) for line in textuals]
        assert any(style is not None and style.color is not None for line in lines for _, style in cells_of(line))
        assert not any(style is not None and style.meta for line in lines for _, style in cells_of(line)), "no clicks"


def cells_of(line: Iterable[Segment]) -> list[tuple[str, Style | None]]:
    return [(letter, style) for text, style, _ in line for letter in text]


def test_each_is_said_in_a_case_and_not_in_another() -> None:
    others = {"question.the_comparison"}  # above
    others |= {"question.clicked", "question.clicked_on", "question.do_it"}  # tests/ui/test_keys.py
    assert set().union(*(ids for *_, ids, _ in CASES.values())) | others == IDS
