"""Leaving: what is asked, what becomes of the run, and with which exit code."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedHost
from tests.waiting import PATIENCE_S
from tui_trainer.commands import Stop
from tui_trainer.events import RunEnded
from tui_trainer.ui import background_tasks
from tui_trainer.ui.dialogs import Question
from tui_trainer.ui.live.screen import LiveScreen

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


def ended(code: int = 0) -> RunEnded:
    return RunEnded(at=START, status="finished", reason="", step=50, epoch=3, exit_code=code)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_a_live_run_asks_first(show: Show, key: str) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press(key)
        assert isinstance(shown.app.screen, Question)
        for words in ("steplr is still training", "in the background", "stop it", "stay"):
            assert words in shown.text()
        await shown.press("escape")
        assert isinstance(shown.app.screen, LiveScreen)
        assert shown.app.is_running
        assert not shown.host.sent


async def test_kept_training_the_run_is_asked_nothing(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press("q", "k")
        assert shown.app.detached
        assert not shown.host.sent
    assert shown.app.return_value == 0


async def test_the_background_is_offered_only_where_it_can_be(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("q")
        assert "background" not in shown.text()
        await shown.press("k")
        assert isinstance(shown.app.screen, Question)


async def test_stopped_it_leaves_as_the_run_has_ended(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        await shown.press("q", "s")
        assert isinstance(shown.host.sent[-1], Stop)
        assert shown.app.is_running
        assert "closes once the record is complete" in shown.text()
        await shown.frame(ended(0))
    assert shown.app.return_value == 0


async def test_asked_to_leave_again_it_waits_no_longer(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        await shown.press("q", "s", "q")
    assert shown.app.return_value == 0
    assert len(shown.host.sent) == 1


async def test_answers_are_chosen_by_arrows_and_enter(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press("q", "down", "down", "enter")
        assert isinstance(shown.app.screen, LiveScreen)
        await shown.press("q", "down", "enter")
        assert isinstance(shown.host.sent[-1], Stop)


async def test_an_answer_can_be_clicked(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press("q")
        lines = shown.text().splitlines()
        row = next(y for y, line in enumerate(lines) if "esc " in line and "stay" in line)
        await shown.pilot.click(offset=(lines[row].index("stay"), row))
        await shown.frame()
        assert isinstance(shown.app.screen, LiveScreen)


@pytest.mark.parametrize(("status", "code"), [("finished", 0), ("diverged", 3), ("crashed", 1)])
async def test_an_ended_run_is_left_at_once_with_its_exit_code(show: Show, status: str, code: int) -> None:
    end = RunEnded(at=START, status=status, reason="", step=50, epoch=3, exit_code=code)  # type: ignore[arg-type]
    async with show([*LIVE, end]) as shown:
        await shown.press("q")
    assert shown.app.return_value == code


async def test_a_view_that_only_reads_is_left_at_once(show: Show) -> None:
    async with show(ScriptedHost(LIVE, readonly=True)) as shown:
        await shown.press("q")
    assert shown.app.return_value == 0


async def test_with_exit_when_done_it_leaves_as_the_run_ends(show: Show) -> None:
    async with show(LIVE, exit_when_done=True) as shown:
        await shown.frame()
        assert shown.app.is_running
        await shown.frame(ended(3))
    assert shown.app.return_value == 3


async def test_a_run_that_ends_while_one_is_asked_is_left_all_the_same(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        await shown.press("q")
        await shown.frame(ended())
        await shown.press("s")
    assert shown.app.return_value == 0


async def test_a_signal_stops_the_run_and_then_leaves(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        shown.app.leaving.told(signal.SIGTERM)
        await shown.pilot.pause()
        await shown.frame()
        stop = shown.host.sent[-1]
        assert isinstance(stop, Stop)
        assert (stop.by, stop.exit_code, stop.reason) == ("signal", 143, "stopped by SIGTERM")
        await shown.frame(ended(143))
    assert shown.app.return_value == 143


async def test_a_signal_gets_through_a_dialog_and_a_second_one_does_not_wait(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        await shown.press("q")
        shown.app.leaving.told(signal.SIGINT)
        await shown.pilot.pause()
        await shown.frame()
        assert isinstance(shown.app.screen, LiveScreen)
        shown.app.leaving.told(signal.SIGINT)
        await shown.pilot.pause()
    assert shown.app.return_value == 130


@pytest.mark.parametrize("keys", [(), ("q",), ("p",), ("question_mark",)])
async def test_without_a_terminal_it_leaves_and_asks_the_run_nothing(show: Show, keys: tuple[str, ...]) -> None:
    async with show(LIVE) as shown:
        await shown.press(*keys)
        shown.app.leaving.told(None)
        await shown.pilot.pause()
    assert shown.app.hung_up
    assert not shown.host.sent


@pytest.mark.parametrize("told", [(None, signal.SIGTERM), (signal.SIGTERM, None)], ids=["after", "before"])
@pytest.mark.parametrize("at_once", [True, False])
async def test_told_to_stop_beside_the_loss_of_the_terminal_the_run_is_stopped(
    show: Show, told: tuple[int | None, ...], at_once: bool
) -> None:
    """A shell that ends hangs up what it has started, and who wants it to end sends a signal right behind."""
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        for number in told:
            shown.app.leaving.told(number)
            if not at_once:
                await shown.pilot.pause()
        await shown.pilot.pause()
    assert shown.app.hung_up
    assert shown.app.return_value == 0  # it waits for the end of the run, whose exit code is the command's
    stops = [command for command in shown.host.sent if isinstance(command, Stop)]
    assert len(stops) + len(shown.app.leaving.unheeded) == 1  # what came too late is the caller's to obey


async def test_told_to_stop_while_an_app_ends_that_left_its_run_training_whoever_sees_to_that_is_told(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        with monkeypatch.context() as slow:
            slow.setattr(shown.app, "exit", lambda code: None)
            await shown.press("q", "k")
            shown.app.leaving.told(signal.SIGINT)
            await shown.pilot.pause()
        assert shown.app.detached
        assert shown.app.leaving.unheeded == [signal.SIGINT]
        assert not shown.host.sent


async def test_told_to_leave_before_it_began_it_does_not_begin(show: Show) -> None:
    host = ScriptedHost(LIVE)
    from tests.ui.scripted_source import ScriptedLauncher
    from tui_trainer.ui.app import TrainerApp
    from tui_trainer.ui.context import AppContext

    app = TrainerApp(AppContext(launcher=ScriptedLauncher(), source=host))
    app.leaving.told(None)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app.hung_up


@pytest.mark.says("screen.task_failed")
@pytest.mark.never_says("screen.task_failed")
async def test_a_fault_beside_the_screen_is_told_and_one_of_a_file_in_its_own_words(
    show: Show, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    failed: list[Exception] = []
    errors: list[Exception] = [RuntimeError("broken"), OSError(13, "Permission denied")]

    def fail() -> None:
        raise errors.pop()

    async with show(LIVE) as shown:
        for told in ("Permission denied", "this failed, and the log says where: "):
            assert "screen.task_failed" not in captions_said
            shown.app.context.tasks.run(fail, pytest.fail, failed.append)
            await shown.settle()
            assert told in str(failed[-1])
    assert "broken" in str(failed[-1])


async def test_what_was_under_way_as_the_app_was_left_is_back_all_the_same(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_tasks, "LONGEST_END_S", 0.01)
    go, acted = threading.Event(), []
    async with show(LIVE) as shown:
        shown.app.context.tasks.run(go.wait, acted.append, pytest.fail)
        shown.app.exit(0)
    assert shown.app.context.tasks.are_under_way
    go.set()
    deadline = time.monotonic() + PATIENCE_S
    while shown.app.context.tasks.are_under_way:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert not acted  # there is no app any more


@pytest.mark.says("command.signal_passed_on")
async def test_a_signal_to_the_screen_of_a_watched_command_is_passed_on_and_the_screen_waits(show: Show) -> None:
    passed: list[int] = []
    async with show(ScriptedHost(LIVE, obeys=False), on_signal=passed.append) as shown:
        shown.app.leaving.told(signal.SIGTERM)
        await shown.frame()
        assert passed == [signal.SIGTERM]
        assert not shown.host.sent
        assert "SIGTERM was passed on to the command; the screen closes as that ends" in shown.text()
        await shown.frame(ended(143))
    assert shown.app.return_value == 143


async def test_a_second_one_is_passed_on_too_and_waits_no_longer(show: Show) -> None:
    passed: list[int] = []
    async with show(ScriptedHost(LIVE, obeys=False), on_signal=passed.append) as shown:
        for _ in range(2):
            shown.app.leaving.told(signal.SIGTERM)
            await shown.frame()
    assert passed == [signal.SIGTERM, signal.SIGTERM]
    assert shown.app.return_value == 143


@pytest.mark.never_says("command.signal_passed_on")
async def test_where_the_run_is_ours_or_over_no_signal_is_passed_on(show: Show) -> None:
    passed: list[int] = []
    async with show([*LIVE, ended(0)], on_signal=passed.append) as shown:
        shown.app.leaving.told(signal.SIGTERM)
        await shown.frame()
        assert "passed on" not in shown.text()
    assert passed == []
    assert shown.app.return_value == 143
