"""The list of runs, over records on the disk."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult

from tests.foreign_records.event_files import event_file, scalars
from tests.records.test_run_filter import run as made
from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_finding import falling, recorded_test
from tests.ui.scripted_source import ScriptedHost
from tests.waiting import PATIENCE_S
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import AnyEvent
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import RunIndex, rename, summaries
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.remembered import remember
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.find_lr.screen import FindLRScreen
from tui_trainer.ui.live.epochs import EpochTable
from tui_trainer.ui.live.screen import back_to_run
from tui_trainer.ui.runs.run_list import (
    COLUMNS,
    LEAST_SPARK,
    RunList,
    laid_out,
    no_wider_than_needed,
    sparkline,
    with_room,
)
from tui_trainer.ui.runs.screen import Details, OtherRunScreen, RunsScreen

FINISHED = scripted_run(epochs=3, batches=10, batch_s=0.5)


def recorded(runs: Path, name: str, events: list[AnyEvent], preset: str = "steplr") -> Record:
    """A record that is still open: its run is live until it is closed."""
    record = Record.create(runs, {"preset_name": preset, "name": name, "dataset": "mnist-5k", "model": "cnn"})
    for event in events:
        record.emit(event)
    return record


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs: one finished, one that crashed, one that diverged."""
    folder = tmp_path / "runs"
    recorded(folder, "old", scripted_run(epochs=3, seed=1)).close()
    recorded(folder, "gone", FINISHED[: len(FINISHED) // 2], "onecycle").close()
    recorded(folder, "bad", scripted_run(epochs=2, not_finite_at=30, status="diverged"), "cosine").close()
    return folder


async def opened(shown: Shown) -> RunList:
    """The list, as it stands once all records are read."""
    await shown.press("r")
    runs = shown.the(RunList)
    assert isinstance(runs, RunList)
    await shown.until(lambda: runs.complete)
    await shown.frame()
    return runs


def names(runs: RunList) -> list[str]:
    return [run.name or "" for run in runs._shown]


async def go_to(shown: Shown, runs: RunList, name: str) -> None:
    await shown.press(*["up"] * 5, *["down"] * names(runs).index(name))
    assert runs.current is not None
    assert runs.current.name == name


async def test_every_run_with_what_became_of_it(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs) as shown:
        await opened(shown)
        assert "3 runs, newest first" in shown.text()
        for words in (("old", "steplr", "finished", "3/3"), ("gone", "crashed"), ("bad", "diverged")):
            line = shown.line(words[0])
            assert all(word in line for word in words), line
            assert any(bar in line for bar in "▁▂▃▄▅▆▇█")
        await shown.press("escape")
        assert not isinstance(shown.app.screen, RunsScreen)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (140, 40), (250, 60)])
async def test_at_every_size_the_rows_fit(show: Show, runs: Path, size: tuple[int, int]) -> None:
    async with show(FINISHED, runs=runs, size=size) as shown:
        await opened(shown)
        text = shown.text()
        assert max(len(line) for line in text.splitlines()) <= size[0]
        assert "gone" in text
        assert "crashed" in text


def test_columns_leave_by_rank_and_never_overflow() -> None:
    for width in range(20, 260):
        columns, spark = laid_out(width)
        assert spark == 0 or spark >= 8
        if width >= 57:
            assert sum(column.width + 2 for column in columns) + spark <= width
    assert laid_out(200) == (list(COLUMNS), 24)


def test_columns_are_no_wider_than_what_stands_in_them(runs: Path) -> None:
    narrow = {column.title: column.width for column in no_wider_than_needed(summaries(runs))}
    assert (narrow["run"], narrow["preset"], narrow["status"]) == (4, 6, 8)
    assert [column.width for column in no_wider_than_needed([])] == [len(column.title) for column in COLUMNS]


def test_the_column_of_runs_takes_the_room_that_is_left_for_whole_ids() -> None:
    columns, spark = laid_out(100)[0], LEAST_SPARK + 2
    (of_runs,) = (column for column in columns if column.title == "run")
    used = sum(column.width + 2 for column in columns) + spark

    def widths(name: str, width: int) -> tuple[int, int]:
        """Of the column and of the sparkline."""
        found, left = with_room(columns, spark, width, [made(name=name)])
        return next(column.width for column in found if column.title == "run"), left

    both = of_runs.width + 12
    name = "n" * (both - len(f" {made().id}"))
    assert widths(name, used + 12) == (both, spark)
    assert widths(name, used + 11) == (of_runs.width, spark)  # the name alone, as ever
    assert widths("n" * (of_runs.width + 2), used) == (of_runs.width + 2, LEAST_SPARK)
    assert widths("n" * (of_runs.width + 3), used) == (of_runs.width, spark)  # it is cut


async def test_runs_whose_names_begin_alike_are_told_apart_where_these_are_cut(show: Show, tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    for lr in ("0.01", "0.03"):
        recorded(folder, f"a sweep over the learning rate of SGD, lr={lr}", FINISHED[:3]).close()
    async with show(FINISHED, runs=folder, size=(80, 24)) as shown:
        await opened(shown)
        assert ("lr=0.01" in shown.text(), "lr=0.03" in shown.text()) == (True, True)


def test_a_sparkline_of_values_far_apart_is_one_of_their_logarithms() -> None:
    falls = [10.0 ** -(step / 4) for step in range(8)]  # 56 times
    assert sparkline(falls, 8) == "█▇▆▅▄▃▂▁"
    assert sparkline([value - 0.5 for value in falls], 8)[1:] != "▇▆▅▄▃▂▁"  # one that is negative has none


@pytest.mark.says("runs.more_below")
@pytest.mark.never_says("runs.more_below")
async def test_rows_below_are_shown_to_be_there_and_home_and_end_go_to_the_ends(
    show: Show, runs: Path, captions_said: set[str]
) -> None:
    for number in range(12):
        recorded(runs, f"more-{number}", FINISHED[:8]).close()
    async with show(FINISHED, runs=runs, size=(80, 16)) as shown:
        listed = await opened(shown)
        rows = listed.page
        assert f"↓ {15 - rows} more" in shown.text()
        await shown.press("G")
        assert listed.current is listed.shown[-1]
        assert "↓ " not in shown.text()
        await shown.press("g")
        assert listed.current is listed.shown[0]
        await shown.press("end", "home")
        assert listed.current is listed.shown[0]


async def test_until_all_are_read_the_cursor_is_at_the_top_unless_it_was_moved(show: Show) -> None:
    older, newer, newest = (made(id=name, folder=name, started_at=at) for at, name in enumerate("abc", 1))
    async with show(FINISHED[:3]) as shown:
        untouched, moved = RunList(), RunList()
        await shown.app.screen.mount(untouched, moved)
        for listed in (untouched, moved):
            listed.put([older], False, {})
        moved.move(-1)
        for listed in (untouched, moved):
            listed.put([newer, older], True, {})
        assert untouched.current is newer
        assert moved.current is older
        for listed in (untouched, moved):
            listed.put([newest, newer, older], True, {})  # one that began since
        assert untouched.current is newer
        assert moved.current is older


async def test_the_run_under_the_cursor_is_drawn_beside_a_list_with_room(show: Show, runs: Path) -> None:
    long = recorded(runs, "long", cut(scripted_run(epochs=60, batches=10), 90))
    async with show(FINISHED, runs=runs, size=(120, 30)) as shown:
        listed = await opened(shown)
        screen = shown.app.screen
        assert isinstance(screen, RunsScreen)
        preview = screen._preview
        await go_to(shown, listed, "long")
        await shown.until(lambda: preview.source is not None and preview.source.history.steps == 90)
        await shown.frame()
        assert preview.loss.axis.mode == "so far"
        await go_to(shown, listed, "old")
        await shown.until(lambda: preview.source is not None and preview.source.history.ended is not None)
        await shown.frame()
        first = preview.source
        assert first is not None
        assert str(first.folder) == (listed.current.folder if listed.current else "")
        assert "lr " in shown.text()
        assert preview.loss.visible
        await go_to(shown, listed, "gone")
        await shown.until(lambda: preview.source not in (None, first))
        await shown.pilot.resize_terminal(100, 30)
        await shown.frame()
        assert not screen.has_class("-previews")
    long.close()


def test_a_sparkline_has_its_ends_where_the_values_do() -> None:
    assert sparkline([3.0, 2.0, 1.0, 0.0], 4) == "█▆▃▁"
    assert sparkline([1.0] * 9, 3) == "▁▁▁"
    assert sparkline([1.0, 0.0], 5) == "█▁   "
    assert sparkline([], 3) == "   "


async def test_filter_and_order(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs) as shown:
        listed = await opened(shown)
        await shown.press("slash", *"cosine")
        assert names(listed) == ["bad"]
        await shown.press("backspace", *["backspace"] * 5, *"d")  # a letter, while it is typed, and no command
        assert isinstance(shown.app.screen, RunsScreen)
        await shown.press("escape")
        assert len(names(listed)) == 3
        await shown.press("o")
        best = [run.best_val_accuracy or 0.0 for run in listed._shown]
        assert best == sorted(best, reverse=True)
        await shown.press("slash", *"zzz", "enter")
        assert "no run matches" in shown.text()
        await shown.press("escape")
        assert isinstance(shown.app.screen, RunsScreen)
        assert len(names(listed)) == 3


@pytest.mark.says("runs.by_*")
@pytest.mark.never_says("runs.by_*")
async def test_runs_of_a_comparison_and_seeds_stand_in_groups(show: Show, runs: Path, captions_said: set[str]) -> None:
    compared = recorded(runs, "compared", FINISHED[:12])
    compared.close()
    Session.create(runs, [Contestant(label="a", seed=0, asked={}, run=compared.id)], name="sweep")
    async with show(FINISHED, runs=runs, size=(140, 16)) as shown:
        listed = await opened(shown)
        for order in ("accuracy", "preset", "status", "groups"):
            assert f"runs.by_{order}" not in captions_said
            await shown.press("o")
            assert f"runs.by_{order}" in captions_said
        await shown.until(lambda: "sweep: 1 run of steplr, 0 over" in shown.text())
        assert names(listed)[0] == "compared"
        heading = shown.text().splitlines().index(shown.line("sweep: 1 run"))
        await shown.pilot.click(RunList, offset=(8, heading + 1 - listed.region.y))
        assert listed.current is not None
        assert listed.current.name == "compared"
        assert "3 runs alone" in shown.text()
        await shown.press("end")
        assert listed.current is listed.shown[-1]
        assert str(listed.current.name) in shown.line("▌")
        await shown.press("home")
        assert "sweep: 1 run of steplr" in shown.text()


async def test_the_filter_is_that_of_the_shell_and_says_what_is_wrong_with_it(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs, size=(140, 40)) as shown:
        listed = await opened(shown)
        await shown.press("slash", *"not status:crashed and epochs")
        assert "must" not in shown.line(" / ")
        await shown.press(*">")
        assert "at 30: a number must come after >" in shown.line(" / ")
        await shown.press("2", "enter")
        assert names(listed) == ["old"]
        assert "must" not in shown.line(" / ")
        await shown.press("slash", "escape", "slash", *"val_los<1", "enter")
        assert "at 1: no run here has 'val_los'; did you mean val_loss?" in shown.line(" / ")
        assert names(listed) == []
        await shown.press("escape", "slash", *"x" * 150)
        assert "x▏" in shown.line(" / ")  # the end of what is typed stays in sight
        assert max(len(line) for line in shown.text().splitlines()) <= 140


async def test_a_run_is_opened_over_the_list_and_left_again(show: Show, runs: Path) -> None:
    async with show(ScriptedHost(FINISHED[:10]), runs=runs) as shown:
        listed = await opened(shown)
        await go_to(shown, listed, "bad")
        await shown.press("enter")
        assert isinstance(shown.app.screen, OtherRunScreen)
        other = shown.app.screen.source
        assert isinstance(other, JournalSource)
        assert "diverged" in shown.text()
        assert not shown.host.closed
        await shown.press("escape")
        assert isinstance(shown.app.screen, RunsScreen)
        await shown.press("escape")
        assert shown.app.screen is back_to_run(shown.app)
        assert shown.app.screen.source is shown.host


async def test_stopping_from_over_the_list_stops_the_run_on_show_and_no_other(show: Show, runs: Path) -> None:
    live = recorded(runs, "other", FINISHED[:12])
    async with show(ScriptedHost(FINISHED[:12]), runs=runs) as shown:
        listed = await opened(shown)
        await go_to(shown, listed, "other")
        await shown.press("enter", "q", "s")
        assert [type(command).__name__ for command in shown.host.sent] == ["Stop"]
        assert live.inbox.poll() == []
    live.close()


async def test_a_live_run_is_seen_to_go_on_and_is_not_deleted(show: Show, runs: Path) -> None:
    live = recorded(runs, "alive", FINISHED[:12])
    async with show(FINISHED, runs=runs) as shown:
        listed = await opened(shown)
        assert "running" in shown.line("alive")
        await go_to(shown, listed, "alive")
        await shown.press("d")
        assert isinstance(shown.app.screen, RunsScreen)
        assert "stop it first" in shown.text()
        for event in FINISHED[12:]:
            live.emit(event)
        live.close()
        shown.app.screen.shelf._rest_until.clear()
        shown.app.screen.shelf.look_again()
        await shown.frame()
        await shown.frame()
        assert "finished" in shown.line("alive")


async def test_a_run_is_deleted_only_after_asking(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs) as shown:
        listed = await opened(shown)
        await go_to(shown, listed, "gone")
        for leaves in ("escape", "enter"):
            await shown.press("d")
            assert "deleted for good" in shown.text()
            await shown.press(leaves)
            assert len(list(runs.iterdir())) == 3
        await shown.press("d", "y")
        await shown.frame()
        await shown.frame()
        assert len(list(runs.iterdir())) == 2
        assert sorted(names(listed)) == ["bad", "old"]


@pytest.mark.says("runs.range_test")
async def test_a_range_test_stands_among_them_is_opened_and_deleted_and_is_no_run(show: Show, runs: Path) -> None:
    test = recorded_test(runs, {0: falling()}).id
    async with show(FINISHED, runs=runs, size=(140, 40)) as shown:
        listed = await opened(shown)
        assert "3 runs, 1 range test, newest first" in shown.text()
        assert listed.current is not None
        assert listed.current.id == test  # the newest
        assert "range test" in shown.line(test[:20])
        details = shown.the(Details).plain()
        assert "onecycle" in details[0]
        assert f"valley {listed.current.metrics['valley']:g}" in details[0]
        for key in ("space", "n", "R"):
            await shown.press(key)
            assert "it is an LR range test" in shown.text()
            assert isinstance(shown.app.screen, RunsScreen)
            assert not listed.marked
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, FindLRScreen))
        await shown.frame()
        assert "which LR? onecycle on mnist-5k, mlp" in shown.text()
        await shown.press("escape")
        assert isinstance(shown.app.screen, RunsScreen)
        await shown.press("d", "y")
        await shown.until(lambda: len(listed._shown) == 3)
        assert not [*(runs / "range-tests").iterdir()]


async def test_a_run_gets_the_name_that_is_typed_and_loses_it_where_nothing_is(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs) as shown:
        listed = await opened(shown)
        await go_to(shown, listed, "gone")
        await shown.press("n", *["backspace"] * 4, "q", "n", "escape")
        assert sorted(names(listed)) == ["bad", "gone", "old"]
        await shown.press("n", *["backspace"] * 4, "q", "space", "o", "n", "enter")
        await shown.until(lambda: "q on" in names(listed))
        assert listed.current is not None
        assert listed.current.name == "q on"
        assert read_facts(Path(listed.current.folder))["name"] == "q on"
        await shown.press("n", *["backspace"] * 4, "enter")
        await shown.until(lambda: sorted(names(listed)) == ["", "bad", "old"])


async def test_a_name_that_the_shell_has_given_is_in_the_list_as_soon_as_it_looks_again(show: Show, runs: Path) -> None:
    async with show(FINISHED, runs=runs) as shown:
        listed = await opened(shown)
        (old,) = (run for run in listed.shown if run.name == "old")
        rename(Path(old.folder), "new")
        shown.app.screen.shelf.look_again()
        await shown.until(lambda: sorted(names(listed)) == ["bad", "gone", "new"])


@pytest.mark.says("runs.not_ours")
@pytest.mark.never_says("runs.not_ours")
async def test_runs_of_other_tools_below_remembered_folders_are_in_the_list_and_opened_and_left_alone(
    show: Show, runs: Path, tmp_path: Path, captions_said: set[str]
) -> None:
    event_file(tmp_path / "root" / "night owl", scalars("eval/acc", range(5)) + scalars("epoch", range(5)))
    (tmp_path / "root" / "night owl" / "hparams.yaml").write_text("width: 64\n")
    remember(lambda before: replace(before, roots=[str(tmp_path / "root")]))
    async with show(FINISHED, runs=runs, size=(140, 40)) as shown:
        listed = await opened(shown)
        assert sorted(names(listed)) == ["bad", "gone", "night owl", "old"]
        assert "TensorBoard unknown 2 2.0000 eval/acc" in " ".join(shown.line("night owl").split())
        assert "?" not in shown.line("night owl")
        await go_to(shown, listed, "gone")
        await shown.press("d", "escape")
        assert "runs.not_ours" not in captions_said
        await go_to(shown, listed, "night owl")
        await shown.until(lambda: "eval/acc" in shown.text())
        assert "width 64" in shown.text()
        await shown.press("y", "x")
        for key in ("d", "R"):
            await shown.press(key)
            assert "it is a record of TensorBoard" in shown.text()
        await shown.press("enter")
        assert isinstance(shown.app.screen, OtherRunScreen)
        await shown.until(lambda: "eval/acc" in shown.text())
        epochs = shown.app.screen.query_one(EpochTable)
        rows = [line[0].text.split() for line in epochs.lines()]
        assert rows[:2] == [["epoch", "accuracy", "s"], ["◆", "2", "2.0000", "2.0"]]
    assert (tmp_path / "root" / "night owl").is_dir()


async def test_what_lies_where_a_person_looks_is_in_the_list_once(show: Show, tmp_path: Path) -> None:
    event_file(tmp_path / "root" / "night owl", scalars("eval/acc", range(5)))
    remember(lambda before: replace(before, roots=[str(tmp_path / "root")]))
    async with show(FINISHED, runs=tmp_path / "none", named=tmp_path / "root" / "night owl") as shown:
        assert names(await opened(shown)) == ["night owl"]
    remember(lambda before: replace(before, roots=[]))
    async with show(FINISHED, runs=tmp_path / "none", named=tmp_path / "root") as shown:
        assert names(await opened(shown)) == ["night owl"]
        titles = shown.line("when")
        assert "best" in titles
        assert not any(title in titles for title in ("data", "model"))  # of which no run has anything


async def test_marked_runs_are_compared(show: Show, runs: Path) -> None:
    compared: list[str] = []
    async with show(FINISHED, runs=runs, on_compare=compared.extend) as shown:
        listed = await opened(shown)
        await shown.press("c")
        assert "mark two or more" in shown.text()
        await shown.press("space", "space", "c")
        assert compared == listed.marked
        assert len(compared) == 2


async def test_one_that_ended_early_is_resumed_elsewhere_and_looked_at_over_the_list(show: Show, runs: Path) -> None:
    resumed: list[str] = []
    may_begin = threading.Event()

    def resume(folder: Path) -> None:
        assert may_begin.wait(PATIENCE_S)
        resumed.append(folder.name)

    async with show(FINISHED[:12], runs=runs, on_resume=resume) as shown:  # beside a live one, too
        listed = await opened(shown)
        await go_to(shown, listed, "old")
        await shown.press("R")
        assert "only a run that ended early" in shown.text()
        await go_to(shown, listed, "gone")
        folder = Path(listed.current.folder) if listed.current else Path()
        await shown.pilot.press(
            "r", "R", "R"
        )  # `r`, which led here, resumes nothing; the second R asks for nothing new
        await shown.pilot.pause()
        assert f"{folder.name} is being resumed" in shown.text()
        before = listed.current
        await shown.pilot.press("down" if names(listed)[0] == "gone" else "up")  # keys are answered meanwhile
        await shown.pilot.pause()
        assert listed.current is not before
        may_begin.set()
        await shown.settle()
        assert resumed == [folder.name]
        assert isinstance(shown.app.screen, OtherRunScreen)
        assert shown.app.screen.source.folder == folder
        assert shown.app.context.source is shown.host


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), RuntimeError("broken")])
async def test_one_that_cannot_be_resumed_is_told_and_another_may_be(show: Show, runs: Path, error: Exception) -> None:
    errors: list[Exception] = [error]
    resumed: list[Path] = []

    def resume(folder: Path) -> None:
        if errors:
            raise errors.pop()
        resumed.append(folder)

    async with show(FINISHED, runs=runs, on_resume=resume) as shown:
        listed = await opened(shown)
        await go_to(shown, listed, "gone")
        await shown.press("R")
        assert str(error) in shown.text()
        assert resumed == []
        await shown.press("R")
        assert len(resumed) == 1


async def test_no_runs_yet(show: Show, tmp_path: Path) -> None:
    async with show(FINISHED, runs=tmp_path / "none") as shown:
        await opened(shown)
        assert "there are no runs yet" in shown.text()
        assert "the plan is being made" not in shown.text()
        await shown.press("enter", "d", "R", "space", "c", "down", "pagedown", "o")
        assert isinstance(shown.app.screen, RunsScreen)


async def test_what_a_record_says_is_text(show: Show, tmp_path: Path) -> None:
    recorded(tmp_path, "\x1b[31mred[/]", FINISHED).close()
    async with show(FINISHED, runs=tmp_path) as shown:
        await opened(shown)
        assert "[31mred[/]" in shown.text()
        assert "\x1b" not in shown.text()
        assert str(tmp_path)[:20] in shown.the(Details).plain()[1]


@pytest.mark.parametrize("lags", [True, False])
async def test_a_long_record_is_read_without_rests(show: Show, lags: bool) -> None:
    async with show(ScriptedHost(FINISHED)) as shown:
        shown.host.lags = lags
        shown.app.context.clock._hurried_until = 0.0
        shown.app.context.clock.tick()
        assert (shown.app.context.clock.next_in < 0.02) is lags


# In words


async def as_it_is(shown: Shown) -> None:
    """As it is opened."""


def pressed(*keys: str, on: str = "") -> Callable[[Shown], Awaitable[None]]:
    async def press(shown: Shown) -> None:
        if on:
            await go_to(shown, shown.the(RunList), on)
        await shown.press(*keys)

    return press


async def in_a_view(shown: Shown) -> None:
    shown.app.context.launcher = None
    await shown.frame()
    shown.the(RunList).redraw()


GROUPS_AND_ORDERS = ("runs.by_", "runs.group_")

WORDS: dict[str, tuple[bool, Callable[[Shown], Awaitable[None]], set[str], list[str]]] = {
    "three": (True, as_it_is, {"runs.counted"}, ["3 runs, newest first"]),
    "none matches": (
        True,
        pressed("slash", "z", "z", "enter"),
        {"runs.counted", "runs.none_match"},
        ["no run matches"],
    ),
    "none there": (
        False,
        as_it_is,
        {"runs.counted", "runs.none_yet", "runs.start_one"},
        ["there are no runs yet; start one from a preset"],
    ),
    "none there, in a view": (False, in_a_view, {"runs.counted", "runs.none_yet"}, ["there are no runs yet"]),
    "one is marked": (
        True,
        pressed("space"),
        {"runs.counted", "runs.marked", "runs.one_marked"},
        ["; 1 marked", "1 run marked; mark another, then c compares them"],
    ),
    "two are marked": (
        True,
        pressed("space", "space"),
        {"runs.counted", "runs.marked", "runs.one_marked", "runs.two_marked"},
        ["; 2 marked", "2 runs marked; c compares them"],
    ),
    "the mark is taken away": (
        True,
        pressed("space", "up", "space", on="bad"),
        {"runs.counted", "runs.marked", "runs.one_marked", "runs.nothing_marked"},
        ["nothing is marked"],
    ),
    "none is marked to compare": (
        True,
        pressed("c"),
        {"runs.counted", "runs.mark_two"},
        ["mark two or more with space, then c compares them"],
    ),
    "a finished one to go on with": (
        True,
        pressed("R", on="old"),
        {"runs.counted", "runs.not_resumed", "runs.has_ended"},
        ["it has finished: only a run that ended early can be resumed"],
    ),
    "a live one to go on with": (
        True,
        pressed("R", on="alive"),
        {"runs.counted", "runs.not_resumed", "runs.goes_on"},
        ["it goes on: only a run that ended early can be resumed"],
    ),
    "a live one to delete": (
        True,
        pressed("d", on="alive"),
        {"runs.counted", "runs.live_not_deleted"},
        ["a live run is not deleted: stop it first"],
    ),
    "a live one to rename": (
        True,
        pressed("n", on="alive"),
        {"runs.counted", "runs.live_not_renamed"},
        ["a live run is not renamed: stop it first"],
    ),
    "one to rename": (
        True,
        pressed("n", "e", "r", "enter", on="old"),
        {"runs.counted", "runs.renamed"},
        [" is called older now"],
    ),
    "one to take the name from": (
        True,
        pressed("n", *["backspace"] * 3, "enter", on="old"),
        {"runs.counted", "runs.without_name"},
        [" has no name now"],
    ),
    "one to delete": (
        True,
        pressed("d", "y", on="old"),
        {"runs.counted", "runs.deleting", "runs.deleted"},
        [" is deleted"],
    ),
}


@pytest.mark.says("runs.*")
@pytest.mark.never_says("runs.*")
@pytest.mark.parametrize("case", WORDS)
async def test_this_is_said_and_nothing_else(case: str, show: Show, runs: Path, captions_said: set[str]) -> None:
    there, act, ids, words = WORDS[case]
    alive = recorded(runs, "alive", FINISHED[:12]) if "live" in case else None
    async with show(FINISHED, runs=runs if there else runs / "none") as shown:
        await opened(shown)
        captions_said.clear()  # while records are read it says so
        shown.the(RunList).redraw()
        await shown.frame()
        await act(shown)
        await shown.frame()
        for each in words:
            assert each in shown.text()
    if alive is not None:
        alive.close()
    told = {id for id in captions_said if id.startswith("runs.") and not id.startswith(GROUPS_AND_ORDERS)}
    assert told - {"runs.start_one"} == ids - {"runs.start_one"}
    assert ("runs.start_one" in captions_said) >= ("runs.start_one" in ids)


@pytest.mark.says("runs.reading", "runs.still_reading")
@pytest.mark.never_says("runs.none_yet", "runs.none_match")
async def test_until_a_record_is_read_it_says_that_they_are_read(show: Show, captions_said: set[str]) -> None:
    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield RunList()

    app = Shown()
    async with app.run_test(size=(140, 20)):
        told = "\n".join(app.query_one(RunList).plain())
    assert "0 runs, newest first; reading" in told
    assert "reading the records" in told
    assert not captions_said & {"runs.none_yet", "runs.none_match"}


@pytest.mark.says("runs.unreadable")
async def test_a_folder_that_cannot_be_read_is_told(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(self: RunIndex, seconds: float) -> bool:
        raise PermissionError("Permission denied")

    monkeypatch.setattr(RunIndex, "look", look)
    async with show(FINISHED, runs=tmp_path) as shown:
        await shown.press("r")
        assert "cannot be read: Permission denied" in shown.text()


@pytest.mark.never_says("runs.unreadable")
async def test_one_that_can_be_is_not(show: Show, runs: Path, captions_said: set[str]) -> None:
    async with show(FINISHED, runs=runs) as shown:
        await opened(shown)
    assert "runs.unreadable" not in captions_said


def test_each_is_said_in_a_case() -> None:
    below = {"runs.reading", "runs.still_reading", "runs.unreadable", "runs.more_below", "runs.not_ours"}
    below |= {"runs.range_test", "runs.far", "runs.connecting"}  # of runs on other machines: test_far_runs.py
    of_the_shell = {"runs.cut_off"}
    ids = {id for id in CAPTIONS if id.startswith("runs.") and not id.startswith(GROUPS_AND_ORDERS)}
    assert set().union(*(said for _, _, said, _ in WORDS.values())) | below == ids - of_the_shell
