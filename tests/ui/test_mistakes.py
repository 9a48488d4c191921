"""The page of wrong orders: chosen, shown beside the right one, trained, told of, and ended as it is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.scripted import scripted_run
from tests.terminal import Terminal
from tests.ui.conftest import Show, Shown
from tests.ui.scripted_pair import BATCHES, ScriptedPair
from tui_trainer.events import Alert, EndStatus, PhaseStarted
from tui_trainer.mistakes.cases import CASES, EPOCHS, MistakeCase
from tui_trainer.ui.compare.chart import Overlay
from tui_trainer.ui.live.recipe_loop import asked_recipe
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.mistakes.panels import CaseList, Explanation, right_lines, wrong_lines
from tui_trainer.ui.mistakes.screen import BreakItScreen, Invitation
from tui_trainer.ui.presets.picker import PickerScreen

TITLES = [case.title for case in CASES]


class Page(Shown):
    """The page, with what it began to train."""

    def __init__(self, shown: Shown, pairs: list[ScriptedPair]) -> None:
        super().__init__(shown.app, shown.pilot)
        self.pairs = pairs

    def words(self) -> str:
        """The explanation on show, on one line."""
        panels = [panel for panel in self.app.screen.query(Explanation) if panel.size.height and panel.display]
        return " ".join(" ".join(panel.plain()[i].split()) for panel in panels[-1:] for i in range(len(panel.plain())))

    async def choose(self, title: str) -> None:
        await self.press(*["down"] * TITLES.index(title))


Open = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
def page(show: Show) -> Open:
    """Opens it over the presets; what it trains is the test's."""

    @asynccontextmanager
    async def opened(size: tuple[int, int] = (140, 40)) -> AsyncIterator[Page]:
        pairs: list[ScriptedPair] = []

        def train(case: MistakeCase) -> ScriptedPair:
            pairs.append(ScriptedPair(case))
            return pairs[-1]

        async with show(size=size) as shown:
            shown.app.push_screen(BreakItScreen(train))
            await shown.frame()
            await shown.frame()
            yield Page(shown, pairs)

    return opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_two_listings_differ_in_the_marked_line_alone(case: MistakeCase) -> None:
    recipe = asked_recipe(case.spec)
    right, wrong = right_lines(case, recipe), wrong_lines(case, recipe)
    (good,) = [line for line in right if line.mark]
    (bad,) = [line for line in wrong if line.mark]
    assert (good.mark, good.call, bad.call) == ("right", case.call, case.call)
    assert [line for line in right if not line.mark] == [line for line in wrong if not line.mark]
    assert right.index(good) != wrong.index(bad) or good.code != bad.code


def test_what_is_forgotten_stands_commented_out_where_it_belongs() -> None:
    case = next(case for case in CASES if case.title == "optimizer.zero_grad() forgotten")
    recipe = asked_recipe(case.spec)
    right, wrong = right_lines(case, recipe), wrong_lines(case, recipe)
    (line,) = [line for line in wrong if line.mark]
    assert (line.code, line.mark) == ("# optimizer.zero_grad()", "missing")
    assert [each.code for each in right].index("optimizer.zero_grad()") == wrong.index(line)


@pytest.mark.parametrize("title", TITLES)
async def test_every_mistake_is_shown_beside_the_right_order_with_what_is_wrong(page: Open, title: str) -> None:
    async with page() as shown:
        await shown.choose(title)
        text = shown.text()
        assert any(line.lstrip().startswith(f"▌{title}") for line in text.splitlines())
        assert text.count("for images, labels in train:") == 2
        assert sum("! " in line for line in text.splitlines()) == 1
        assert sum("✓" in line for line in text.splitlines()) == 1
        assert "wrong" in shown.words()
        assert "your code" in shown.words()
        assert "enter trains both" in text


async def test_both_orders_are_trained_and_drawn_over_each_other(page: Open) -> None:
    async with page() as shown:
        await shown.choose("OneCycleLR stepped once an epoch")
        await shown.press("enter")
        (pair,) = shown.pairs
        assert pair.case.title == "OneCycleLR stepped once an epoch"
        pair.right.apply(PhaseStarted(at=0.0, phase="importing torch"))
        await shown.frame()
        assert "importing torch" in shown.text().splitlines()[0]
        pair.begin()
        pair.train(pair.right, 2, loss=0.1, lr=0.04)
        pair.train(pair.wrong, 2, loss=2.0, lr=0.002)
        await shown.frame()
        await shown.frame()
        assert f"training   epoch 2/{EPOCHS}" in shown.text().splitlines()[0]
        for chart in shown.app.screen.query(Overlay):
            drawn = "\n".join(chart.plain())
            assert " right" in drawn
            assert " wrong" in drawn
        assert "2 0.04 0.1000 0.2500" in shown.words()
        assert "2 0.002 2.0000 0.2500" in shown.words()
        assert "PyTorch" not in shown.words()
        pair.end()
        await shown.frame()
        assert "both have ended" in shown.text().splitlines()[0]
        assert "PyTorch said nothing." in shown.words()
        assert "✓" in shown.line("▌OneCycleLR stepped once an epoch")


async def test_the_cursor_reads_both_sides_at_the_same_step(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        pair = shown.pairs[0]
        pair.begin()
        pair.train(pair.right, EPOCHS, loss=0.5, lr=0.04)
        pair.train(pair.wrong, 2, loss=0.75, lr=0.002)
        pair.end()
        await shown.frame()
        await shown.press("left")
        assert f"{BATCHES * EPOCHS} 0.04 0.5000" in shown.words()
        assert f"{BATCHES * EPOCHS} – –" in shown.words()
        assert all("│" in "\n".join(chart.plain()) for chart in shown.app.screen.query(Overlay))
        await shown.press(*["left"] * 50)
        figures = shown.words().partition("━ right ")[2]
        right, wrong = figures.partition(" ━ wrong ")[0], figures.partition(" ━ wrong ")[2]
        step = right.split()[0]
        assert int(step) <= 2 * BATCHES
        assert right == f"{step} 0.04 0.5000"
        assert wrong.startswith(f"{step} 0.002 0.7500")
        await shown.press("0")
        assert "accuracy" in shown.words()
        await shown.press("x")
        lr = shown.app.screen.query_one("#lr", Overlay)
        assert lr.plain()[-1].split()[-1] == "step"
        await shown.press("X")
        assert lr.plain()[-1].split()[-2:] == ["step,", "log"]


async def test_what_pytorch_warned_of_is_shown_as_text(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        (pair,) = shown.pairs
        pair.begin()
        pair.wrong.apply(
            Alert(at=0.0, kind="warning", text="UserWarning: [bold]Detected\x1b[31m call. Failure to do x")
        )
        pair.end()
        await shown.frame()
        assert "PyTorch warned: UserWarning: [bold]Detected[31m call." in shown.words()
        assert "Failure" not in shown.words()


async def test_an_error_of_pytorch_is_told_in_its_words(page: Open) -> None:
    async with page() as shown:
        await shown.choose("ReduceLROnPlateau without its metric")
        await shown.press("enter")
        shown.pairs[0].begin()
        shown.pairs[0].end("crashed", "TypeError: missing 'metrics'")
        await shown.frame()
        assert "PyTorch stopped it: TypeError: missing 'metrics'" in shown.words()


async def test_a_loss_that_went_beyond_all_numbers_is_told(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        shown.pairs[0].begin()
        shown.pairs[0].end("diverged", "the loss of step 9 is not finite")
        await shown.frame()
        assert "said nothing; the loss of step 9 is not finite" in shown.words()


async def test_what_could_not_be_trained_says_why(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        shown.pairs[0].failure, shown.pairs[0].is_over = "no data here", True
        await shown.frame()
        assert "could not be trained" in shown.text().splitlines()[0]
        assert "no data here" in shown.words()


async def test_another_mistake_ends_the_training_of_the_one_before_and_finished_ones_are_kept(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        shown.pairs[0].begin()
        await shown.press("down")
        assert not shown.pairs[0].closed
        assert shown.the(Invitation).display
        await shown.press("enter")
        assert shown.pairs[0].closed
        shown.pairs[1].begin()
        shown.pairs[1].train(shown.pairs[1].right, 1, loss=0.5, lr=0.1)
        shown.pairs[1].end()
        await shown.press("down", "enter")
        assert not shown.pairs[1].closed
        await shown.press("up")
        assert "1 0.1 0.5000" in shown.words()
        await shown.press("up")
        assert shown.the(Invitation).display


async def test_leaving_the_page_ends_its_training(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        shown.pairs[0].begin()
        await shown.press("escape")
        assert isinstance(shown.app.screen, PickerScreen)
        assert shown.pairs[0].closed


async def test_the_same_mistake_can_be_trained_once_more(page: Open) -> None:
    async with page() as shown:
        await shown.press("enter")
        shown.pairs[0].begin()
        shown.pairs[0].end()
        await shown.press("enter")
        assert len(shown.pairs) == 2
        assert not shown.pairs[0].closed


async def test_in_little_room_there_are_listings_first_and_then_what_came_of_them(page: Open) -> None:
    async with page(size=(80, 24)) as shown:
        text = shown.text()
        assert text.count("for images, labels in train:") == 2
        assert "scheduler.step() before optimizer.step()" in text
        await shown.press("v")
        assert "this mistake is not trained yet" in shown.text()
        await shown.press("enter")
        pair = shown.pairs[0]
        pair.begin()
        pair.train(pair.right, 1, loss=0.5, lr=0.1)
        pair.train(pair.wrong, 1, loss=0.7, lr=0.1)
        await shown.frame()
        await shown.frame()
        text = shown.text()
        assert "for images" not in text
        assert text.splitlines()[0].startswith(" scheduler.step() before optimizer.step()")
        assert " right" in "\n".join(shown.the(Overlay).plain())
        await shown.press("pagedown")
        assert "your code" in shown.words()
        await shown.press("v")
        assert "for images" in shown.text()
        await shown.press("v", "escape")
        assert "for images" in shown.text()
        assert isinstance(shown.app.screen, BreakItScreen)
        await shown.press("escape")
        assert isinstance(shown.app.screen, PickerScreen)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (100, 30), (140, 40), (250, 70)])
async def test_no_size_breaks_it(page: Open, size: tuple[int, int]) -> None:
    async with page(size=size) as shown:
        await shown.press("enter")
        shown.pairs[-1].begin()
        shown.pairs[-1].train(shown.pairs[-1].right, 2, loss=0.5, lr=0.1)
        shown.pairs[-1].end()
        await shown.press("y", "plus", "minus", "0", "pagedown", "v", "down", "enter", "v")
        assert len(shown.pairs) == 2
        assert all(len(line) == size[0] for line in shown.text().splitlines())


async def test_b_opens_it_from_the_presets_and_from_a_run(show: Show) -> None:
    async with show() as shown:
        await shown.press("b")
        assert isinstance(shown.app.screen, BreakItScreen)
        await shown.press("escape")
        assert isinstance(shown.app.screen, PickerScreen)
        names = {command.title for command in shown.app.get_system_commands(shown.app.screen)}
        assert "Break it" in names
    async with show(scripted_run()) as shown:
        await shown.press("b")
        assert isinstance(shown.app.screen, BreakItScreen)
        await shown.press("escape")
        assert isinstance(shown.app.screen, LiveScreen)


async def test_a_click_chooses_and_a_second_one_trains(page: Open) -> None:
    async with page() as shown:
        await shown.pilot.click(CaseList, offset=(5, 4))
        await shown.frame()
        assert shown.the(CaseList).current.title == TITLES[3]
        await shown.pilot.click(CaseList, offset=(5, 4))
        await shown.frame()
        assert [pair.case.title for pair in shown.pairs] == [TITLES[3]]


@pytest.mark.slow
def test_a_real_one_in_a_terminal() -> None:
    with Terminal("launch", columns=140, lines=40) as terminal:
        terminal.until("presets")
        terminal.press("b")
        terminal.until("a mistake to try")
        terminal.press("jj")
        terminal.until("▌OneCycleLR stepped once an epoch")
        terminal.press("\r")
        terminal.until("training   epoch")
        terminal.until("both have ended")
        terminal.until("said nothing")
        screen = terminal.screen
        assert any(line.rstrip().count(" right") for line in screen.splitlines() if "┤" in line or "│" in line)
        terminal.press("\x1b")
        terminal.until("choose a preset")
        terminal.press("q")
        assert terminal.wait() == 0


# In words

WARNING = Alert(at=0.0, kind="warning", text="UserWarning: Detected call")
OPENED = {"mistake.to_try", "mistake.purpose", "mistake.invitation", "mistake.before_optimizer_look"}
SEEN = OPENED | {"mistake.before_optimizer"}


async def untried(page: Page) -> None:
    """As it is opened."""


async def view(page: Page) -> None:
    await page.press("v")


async def begin(page: Page) -> ScriptedPair:
    await page.press("enter")
    return page.pairs[0]


async def starts(page: Page) -> None:
    await begin(page)


async def trains(page: Page) -> None:
    pair = await begin(page)
    pair.begin()
    pair.train(pair.right, 2, loss=0.5, lr=0.1)


async def trains_and_view(page: Page) -> None:
    await trains(page)
    await page.press("v")


async def ends(page: Page, *alerts: Alert, status: EndStatus = "finished", reason: str = "") -> None:
    pair = await begin(page)
    pair.begin()
    pair.train(pair.right, 2, loss=0.5, lr=0.1)
    for alert in alerts:
        pair.wrong.apply(alert)
    pair.end(status, reason)


async def fails(page: Page) -> None:
    pair = await begin(page)
    pair.failure, pair.is_over = "no data here", True


PAGE_CASES: dict[str, tuple[Callable[[Page], Awaitable[None]], set[str], list[str]]] = {
    "untried": (
        untried,
        OPENED,
        [
            "a mistake to try",
            "a wrong order of calls, on purpose, beside the right one",
            "enter trains both orders for real: mlp on mnist-5k",
        ],
    ),
    "viewed": (
        view,
        OPENED | {"mistake.both_shown"},
        ["listings and charts are both shown already"],
    ),
    "starting": (starts, SEEN | {"mistake.starting"}, ["● starting"]),
    "training": (trains, SEEN | {"mistake.starting", "mistake.training"}, ["● training   epoch 2/5"]),
    "over": (
        ends,
        SEEN | {"mistake.starting", "mistake.training", "mistake.over", "mistake.silent"},
        ["both have ended", "said nothing."],
    ),
    "over, with a warning": (
        lambda page: ends(page, WARNING),
        SEEN | {"mistake.starting", "mistake.training", "mistake.over", "mistake.warned"},
        ["warned: UserWarning: Detected call"],
    ),
    "crashed": (
        lambda page: ends(page, status="crashed", reason="TypeError: no metrics"),
        SEEN | {"mistake.starting", "mistake.training", "mistake.over", "mistake.stopped_it"},
        ["stopped it: TypeError: no metrics"],
    ),
    "diverged": (
        lambda page: ends(page, status="diverged", reason="not finite"),
        SEEN | {"mistake.starting", "mistake.training", "mistake.over", "mistake.silent_divergence"},
        ["said nothing; not finite"],
    ),
    "diverged, with a warning": (
        lambda page: ends(page, WARNING, status="diverged", reason="not finite"),
        SEEN | {"mistake.starting", "mistake.training", "mistake.over", "mistake.warned", "mistake.diverged"},
        ["warned: UserWarning: Detected call", "went on; not finite"],
    ),
    "not trained": (
        fails,
        SEEN | {"mistake.starting", "mistake.untrained"},
        ["could not be trained", "no data here"],
    ),
}


@pytest.mark.says("mistake.*")
@pytest.mark.never_says("mistake.*")
@pytest.mark.parametrize("case", PAGE_CASES)
async def test_this_is_said_and_nothing_else(case: str, page: Open, captions_said: set[str]) -> None:
    act, ids, words = PAGE_CASES[case]
    async with page(size=(250, 70)) as shown:
        await act(shown)
        await shown.frame()
        await shown.frame()
        for each in words:
            assert each in shown.text()
    said = {id for id in captions_said if id.startswith("mistake.")}
    titles = {f"mistake.{each.id}_title" for each in CASES}
    assert said - {"mistake.training"} == (ids | titles) - {"mistake.training"}


@pytest.mark.says("mistake.not_trained_yet")
@pytest.mark.never_says("mistake.both_shown", "mistake.purpose")
async def test_of_an_untried_mistake_there_are_no_charts_whatever_was_tried_before(
    page: Open, captions_said: set[str]
) -> None:
    async with page(size=(80, 24)) as shown:
        pair = await begin(shown)
        pair.begin()
        pair.end()
        await shown.frame()
        assert "mistake.not_trained_yet" not in captions_said
        await shown.press("down", "v")
        assert "this mistake is not trained yet: enter trains both orders" in shown.text()
    assert not captions_said & {"mistake.both_shown", "mistake.purpose"}
