"""The page of all series: which are shown, how they are found, chosen, marked and pinned."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.made_metrics import begun, ended, logged, many_series, sparse_run
from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tui_trainer.events import MetricDeclared, PlanMade
from tui_trainer.ui.charts.line_chart import MOST_LINES, LineChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.metrics.catalogue import MOST_PINNED, MOST_PINS_KEPT, Catalogue, matcher, pin, pinned
from tui_trainer.ui.metrics.screen import MetricsScreen, grid
from tui_trainer.ui.settings import Settings


def page(shown: Shown) -> MetricsScreen:
    assert isinstance(shown.app.screen, MetricsScreen)
    return shown.app.screen


def charts(shown: Shown) -> list[LineChart]:
    return [chart for chart in shown.app.screen.query(LineChart) if chart.display]


# Names


@pytest.mark.parametrize(
    ("words", "name", "passes"),
    [
        ("", "anything", True),
        ("loss", "train/Loss_a", True),
        ("loss train", "train/loss", True),
        ("loss val", "train/loss", False),
        ("val*", "val/loss", True),
        ("val*", "train/val", False),
        ("*loss", "val/loss", True),
        ("*loss", "loss_b", False),
        ("a*b*c", "a__b__b__c", True),
        ("a*b*c", "a__c__b", False),
        ("layer?/w", "layer3/w", True),
        ("layer?/w", "layer33/w", False),
        ("a*a", "a", False),
        ("*", "", True),
        ("**x**", "axb", True),
        ("[ab]*", "a", False),
        ("[ab]*", "[ab] c", True),
        ("größe", "Verlust/GRÖßE", True),
        (".", "loss", False),
    ],
)
def test_words_and_globs(words: str, name: str, passes: bool) -> None:
    assert matcher(words)(name) is passes


def test_no_name_and_no_pattern_takes_long() -> None:
    names = ["a" * 500 for _ in range(2000)]
    passes = matcher("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b")
    begun_at = time.thread_time()
    assert not any(passes(name) for name in names)
    assert time.thread_time() - begun_at < 0.5


def test_groups_come_with_what_matters_first() -> None:
    history = fold(many_series(steps=1000))
    catalogue = Catalogue()
    catalogue.update(history)
    assert list(catalogue.groups)[:3] == ["val", "train", "lr-SGD"]
    assert list(catalogue.groups)[-1] == "system"
    assert sum(catalogue.groups.values()) == len(history.series) == catalogue.total
    assert sorted(catalogue.names) == sorted(history.series)


def test_a_group_may_be_declared() -> None:
    history = fold([begun(), MetricDeclared(at=START, name="a/b", group="mine"), logged(1, **{"a/b": 1.0, "a/c": 1.0})])
    catalogue = Catalogue()
    catalogue.update(history)
    assert catalogue.groups == {"mine": 1, "a": 1}


def test_groups_of_one_are_together_in_the_group_above_them() -> None:
    names = [*(f"grad/layer{i}/norm" for i in range(9)), "act/1/max", "act/1/min", "act/2/max", "alone/in/it", "loss"]
    history, catalogue = fold([begun(), logged(1, **dict.fromkeys(names, 1.0))]), Catalogue()
    catalogue.update(history)
    assert catalogue.groups == {"": 1, "grad": 9, "act/1": 2, "act/2": 1, "alone/in": 1}
    assert catalogue.group("grad/layer3/norm") == "grad"
    catalogue.narrow("norm layer1")
    catalogue.update(history)
    assert catalogue.groups == {"grad/layer1": 1}


# The grid


def test_names_are_the_same_list_until_there_are_others() -> None:
    history, catalogue = fold([begun(), logged(1, a=1.0, b=1.0)]), Catalogue()
    assert catalogue.update(history)
    names = catalogue.names
    catalogue.narrow("*")
    assert not catalogue.update(history)
    assert catalogue.names is names
    history.apply(logged(2, c=1.0))
    assert catalogue.update(history)
    assert catalogue.names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("size", "charts"),
    [((80, 24), 2), ((140, 40), 6), ((200, 60), 12), ((250, 70), 16), ((60, 16), 1), ((400, 99), 16)],
)
def test_as_many_charts_as_fit(size: tuple[int, int], charts: int) -> None:
    across, down = grid(size[0], size[1] - 2)
    assert across * down == charts


@pytest.mark.parametrize(("size", "count"), [((80, 24), 2), ((140, 40), 6), ((200, 60), 12)])
async def test_pages(show: Show, size: tuple[int, int], count: int) -> None:
    async with show(many_series(steps=1000), size=size) as shown:
        await shown.press("m")
        assert len(charts(shown)) == count
        assert f"1/{-(-203 // count)}" in shown.text()
        first = charts(shown)[0].names
        await shown.press("pagedown")
        assert f"2/{-(-203 // count)}" in shown.text()
        assert charts(shown)[0].names != first
        await shown.press("end")
        assert f"{-(-203 // count)}/{-(-203 // count)}" in shown.text()
        await shown.press("home", "enter")
        assert len(charts(shown)) == 1
        assert charts(shown)[0].names == first
        await shown.press("escape")
        assert len(charts(shown)) == count


async def test_the_series_of_our_own_runs_are_there(show: Show) -> None:
    async with show(scripted_run(epochs=3)) as shown:
        await shown.press("m")
        for name in ("train_loss", "lr", "val_loss", "val_accuracy"):
            assert name in shown.text()
        await shown.press("escape")
        assert not isinstance(shown.app.screen, MetricsScreen)


@pytest.mark.parametrize(("fall", "asks"), [(0.001, True), (0.1, False)])
async def test_an_lr_has_the_scale_that_it_has_beside_the_loss(show: Show, fall: float, asks: bool) -> None:
    """Whatever lies in sight of it here: what is planned decides, too."""
    run = scripted_run(epochs=10)
    plan, last = next((i, event.last_step) for i, event in enumerate(run) if isinstance(event, PlanMade))
    run[plan] = PlanMade(at=START, steps=[1, last // 5], lrs=[0.001, 0.001 * fall], last_step=last)
    async with show(cut(run, last // 3)) as shown:
        beside_the_loss = shown.app.screen.query_one(LRChart).log_scale
        await shown.press("m")
        here = next(chart for chart in charts(shown) if chart.names == ("lr",))
        assert here.log_scale is beside_the_loss is asks


async def test_the_line_of_keys_says_what_a_key_does_now(show: Show) -> None:
    async with show(scripted_run(epochs=3), size=(140, 40)) as shown:
        await shown.press("m")
        for key, before, after in (
            ("enter", "enter large", "enter small"),
            ("space", "space mark", "space unmark"),
            ("asterisk", "* pin", "* let go"),
        ):
            page(shown).key_line.quiet()
            assert f" {before} " in shown.text()
            await shown.press(key)
            page(shown).key_line.quiet()
            await shown.frame()
            assert f" {after} " in shown.text()
            await shown.press(key)


async def test_typing_filters_and_letters_are_no_commands(show: Show) -> None:
    async with show(many_series(steps=1000)) as shown:
        await shown.press("m", "slash", *"val", "asterisk")
        assert page(shown).catalogue.names == ["val/acc", "val/loss"]
        assert "2 of 203 series" in shown.text()
        await shown.press("enter", "y")
        assert "val*" in shown.text()
        assert page(shown).catalogue.names == ["val/acc", "val/loss"]
        await shown.press("escape")
        assert len(page(shown).catalogue.names) == 203


async def test_tiles_are_kept_until_the_names_or_the_marks_are_others(show: Show) -> None:
    async with show([begun(), logged(1, a=1.0, b=1.0)]) as shown:
        await shown.press("m")
        screen = page(shown)
        tiles = screen._tiles
        screen._collect()
        assert screen._tiles is tiles
        screen.marked = ["a", "b"]
        screen._collect()
        assert screen._tiles == [("a", "b"), ("a",), ("b",)]


@pytest.mark.says("metric.mark_another")
@pytest.mark.never_says("metric.mark_another", "metric.chart_full")
async def test_marked_ones_lie_in_one_chart_the_first(show: Show, captions_said: set[str]) -> None:
    async with show(sparse_run()) as shown:
        await shown.press("m", "space")
        assert "mark another one" in shown.text()
        await shown.press("right")
        captions_said.clear()
        await shown.press("space")
        assert "metric.mark_another" not in captions_said
        marked = tuple(page(shown).marked)
        assert len(marked) == 2
        assert charts(shown)[0].names == marked
        assert page(shown).chosen == (marked[1],)
        await shown.press("space")
        assert len(charts(shown)[0].names) == 1


@pytest.mark.says("metric.over")
@pytest.mark.never_says("metric.over")
async def test_a_series_as_the_x_axis_of_all(show: Show, captions_said: set[str]) -> None:
    async with show(many_series(steps=1000)) as shown:
        await shown.press("m", "slash", *"tokens", "enter", "a", "slash")
        assert page(shown).axis.counted == "tokens"
        await shown.press("escape")
        assert "x tokens" in shown.text()
        captions_said.clear()
        await shown.press("slash", *"tokens", "enter", "a")
        assert page(shown).axis.counted == "step"
        assert "metric.over" not in captions_said


async def test_y_is_of_one_chart_and_x_of_all(show: Show) -> None:
    async with show(sparse_run()) as shown:
        await shown.press("m")
        first, *others = [chart.log_scale for chart in charts(shown)]
        await shown.press("y", "x")
        assert [chart.log_scale for chart in charts(shown)] == [not first, *others]
        assert "x epoch" in shown.text()


async def test_500_characters_and_any_script(show: Show) -> None:
    async with show(many_series(steps=1000), size=(80, 24)) as shown:
        await shown.press("m", "slash", *"verlust", "enter")
        assert "größe 損失" in shown.text()
        await shown.press("slash", *["backspace"] * 7, *"encoder", "enter")
        assert "block.weight" in shown.text()
        await shown.press("asterisk")
        assert len(page(shown).chosen[0]) > 500


async def test_two_thousand_names(show: Show) -> None:
    rows = [logged(step, **{f"part {i % 40}/{i}": float(i + step) for i in range(2000)}) for step in range(1, 6)]
    async with show([begun(), *rows]) as shown:
        await shown.press("m")
        assert "2,000 series" in shown.text()
        times = []
        for step in range(6, 12):
            shown.host.come(logged(step, **{f"part {i % 40}/{i}": float(i + step) for i in range(2000)}))
            shown.host.poll()
            before = time.thread_time()
            shown.app.screen.draw()  # type: ignore[attr-defined]
            times.append(time.thread_time() - before)
        assert min(times) < 0.05


# Without any


@pytest.mark.says("metric.none_yet", "metric.none_at_all", "metric.none_match")
async def test_that_there_is_none_is_said(show: Show) -> None:
    async with show([begun()]) as shown:
        await shown.press("m")
        assert "no series yet" in shown.text()
        await shown.frame(ended(0))
        assert "this run told no numbers" in shown.text()
    async with show(sparse_run()) as shown:
        await shown.press("m", "slash", *"zzz")
        assert "no series matches zzz" in shown.text()


@pytest.mark.never_says("metric.none_yet", "metric.none_at_all", "metric.none_match")
async def test_that_there_is_none_is_not_said_where_there_is_one(show: Show) -> None:
    async with show([begun(), logged(0, a=1.0)]) as shown:
        await shown.press("m")
        assert "no series" not in shown.text()
        await shown.press("slash", "a")
        assert "no series matches" not in shown.text()
        await shown.frame(ended(0))
        assert "told no numbers" not in shown.text()


# Pins


def test_pins_are_kept_for_runs_like_it(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "screen.json")
    ours, others = fold(scripted_run()), fold(sparse_run())
    assert pin(settings, ours, "val_loss") is True
    assert pin(settings, others, "val/acc") is True
    assert settings.settle()
    again = Settings(tmp_path / "screen.json")
    assert pinned(again, ours) == ["val_loss"]
    assert pinned(again, others) == ["val/acc"]
    assert pin(again, ours, "val_loss") is False
    assert pinned(again, ours) == []


@pytest.mark.says("metric.pinned", "metric.unpinned", "metric.most_pinned", "metric.chart_full")
@pytest.mark.never_says("metric.pinned", "metric.unpinned", "metric.most_pinned", "metric.chart_full")
async def test_pins_and_marks_say_what_they_did(show: Show, captions_said: set[str]) -> None:
    async with show(many_series(steps=10)) as shown:
        await shown.press("m")
        captions_said.clear()
        screen = page(shown)
        screen.action_pin()
        assert "metric.pinned" in captions_said
        assert not captions_said & {"metric.unpinned", "metric.most_pinned"}
        captions_said.clear()
        screen.action_pin()
        assert "metric.unpinned" in captions_said
        assert "metric.pinned" not in captions_said
        names = iter(list(screen.history.series))
        for name, _ in zip(names, range(MOST_PINNED), strict=False):
            pin(screen.context.settings, screen.history, name)
        screen._at, screen._tiles = 0, [(next(names),)]
        screen.action_pin()
        assert "metric.most_pinned" in captions_said
        screen.marked = list(names)[:MOST_LINES]
        assert "metric.chart_full" not in captions_said
        screen.action_mark()
        assert "metric.chart_full" in captions_said


def test_pins_are_bounded() -> None:
    settings = Settings()
    history = fold([begun(), logged(1, **{f"{i}" + "x" * 990: 1.0 for i in range(30)})])
    done = [pin(settings, history, name) for name in history.series]
    assert done == [True] * MOST_PINNED + [None] * (30 - MOST_PINNED)
    assert len(str(settings.kept.pins)) < MOST_PINS_KEPT


async def test_another_run_of_the_list_has_its_own_series(show: Show, tmp_path: Path) -> None:
    from tests.ui.test_runs import opened, recorded

    recorded(tmp_path, "night", many_series(steps=600, end=True)).close()
    async with show(scripted_run(epochs=3), runs=tmp_path) as shown:
        await opened(shown)
        await shown.press("enter")
        await shown.press("m")
        await shown.until(lambda: "203 series" in shown.text())
