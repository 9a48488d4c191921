"""The page of a range test: what it shows of a curve at every stage; nothing is written unless `w` is pressed."""

from __future__ import annotations

import threading
from math import nan
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_finding import ScriptedFinding, falling, recorded_test
from tests.ui.test_start_form import put
from tui_trainer.lr_suggestions import RULES
from tui_trainer.presets.checks import parse
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.records import range_tests
from tui_trainer.run_sources.lr_finding import InProcessFinding
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.find_lr.curve import LossOverLR
from tui_trainer.ui.find_lr.screen import FindLRScreen, Original, Suggestions
from tui_trainer.ui.presets.picker import PickerScreen
from tui_trainer.ui.presets.start_form import StartForm
from tui_trainer.ui.trainer_screen import KeyLine

TEXT = (shipped_folder() / "onecycle.toml").read_text("utf-8")
POINTS = '[optimizer]\nname = "SGD"\n[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0.1], [1, 0.0]]\n'


def opened(shown: Shown, text: str = TEXT) -> ScriptedFinding:
    """The page over the presets."""
    preset = parse(text)
    spec = RunSpec.of("onecycle", preset)
    begun: list[ScriptedFinding] = []

    def begin(spec: RunSpec) -> ScriptedFinding:
        begun.append(ScriptedFinding(spec))
        return begun[0]

    shown.app.push_screen(FindLRScreen(spec, Original(preset, text, "onecycle.toml", "onecycle-2"), begin))
    return begun[0]


@pytest.mark.says("find_lr.heading", "find_lr.position", "find_lr.copy", "find_lr.leapt", "find_lr.valley")
@pytest.mark.never_says("find_lr.copy", "find_lr.leapt", "find_lr.never_fell")
async def test_the_curve_comes_as_it_is_made_and_the_end_brings_suggestions(
    show: Show, own_presets: Path, captions_said: set[str]
) -> None:
    async with show(size=(100, 40)) as shown:
        finding = opened(shown)
        await shown.frame()
        assert "which LR? onecycle on mnist-5k, cnn" in shown.text()
        assert "loading data" in shown.text()
        finding.come(falling(100))
        await shown.frame()
        half = shown.the(LossOverLR).plain()
        assert "step 100/200" in shown.text()
        assert not captions_said & {"find_lr.copy", "find_lr.leapt", "find_lr.valley"}
        assert "write a copy" not in shown.the(KeyLine).plain()[0]
        finding.come(falling())
        await shown.frame()
        whole = shown.the(LossOverLR).plain()
        assert sum(map(len, map(str.strip, whole))) > sum(map(len, map(str.strip, half)))
        assert set("vsm") <= set(whole[-2])
        assert whole[-1].split()[0] == "1e-7"
        await shown.press("y")
        assert shown.the(LossOverLR).plain()[0].split() == ["loss,", "log"]
        await shown.press("x")
        in_steps = shown.the(LossOverLR).plain()
        assert in_steps[-1].split()[0] == "1"
        assert in_steps[-1].split()[-1] == "step"
        assert set("vm") <= set(in_steps[-2])  # s shares the cell of v
        await shown.press("X")
        evenly = shown.the(LossOverLR).plain()
        assert evenly[-2].index("v") < in_steps[-2].index("v")  # half of the steps have half of the width
        await shown.press("x", "X", "y")
        assert shown.the(LossOverLR).plain() == whole
        told = shown.the(Suggestions).plain()
        rows = [line.lstrip("▌ ").split() for line in told]
        assert [row[2] for row in rows if row and row[0] in ("v", "s", "m")] == [*RULES]
        assert any(line.strip() == "-max_lr = 0.05" for line in told)
        assert "find_lr.never_fell" not in captions_said
        assert not own_presets.exists()


async def test_w_writes_what_is_shown_and_leads_back_to_the_list(show: Show, own_presets: Path) -> None:
    async with show(size=(100, 40)) as shown:
        finding = opened(shown)
        finding.come(falling())
        await shown.frame()
        first = shown.the(Suggestions).plain()
        await shown.press("down")
        chosen = next(line.strip() for line in shown.the(Suggestions).plain() if line.strip().startswith("+max_lr"))
        assert chosen not in [line.strip() for line in first]
        await shown.press("up", "up", "down", "down")
        await shown.press("w")
        await shown.until(lambda: isinstance(shown.app.screen, PickerScreen))
        assert (own_presets / "onecycle-2.toml").read_text() == TEXT.replace("max_lr = 0.05", chosen[1:])
        assert finding.closed


async def test_leaving_ends_the_test_and_writes_nothing(show: Show, own_presets: Path) -> None:
    async with show() as shown:
        finding = opened(shown)
        finding.come(falling(30))
        await shown.press("w", "escape")
        assert isinstance(shown.app.screen, PickerScreen)
        assert finding.closed
        assert not own_presets.exists()


@pytest.mark.never_says("find_lr.copy", "find_lr.valley")
@pytest.mark.parametrize(
    ("losses", "text", "said"),
    [
        ([2.3] * 200, TEXT, "no suggestion: the loss never fell"),
        ([2.3, nan], TEXT, "no suggestion: the loss broke"),
    ],
    ids=["never falls", "breaks"],
)
async def test_without_a_suggestion_it_says_why(
    show: Show, captions_said: set[str], losses: list[float], text: str, said: str
) -> None:
    async with show(size=(140, 40)) as shown:
        opened(shown, text).come(losses)
        await shown.frame()
        assert said in shown.text()
        assert not captions_said & {"find_lr.copy", "find_lr.valley"}


@pytest.mark.never_says("find_lr.copy")
async def test_lrs_in_points_have_suggestions_and_no_copy(
    show: Show, own_presets: Path, captions_said: set[str]
) -> None:
    async with show(size=(140, 40)) as shown:
        opened(shown, POINTS).come(falling())
        await shown.press("w")
        assert "stand in its points" in shown.text()
        assert "find_lr.copy" not in captions_said
        assert not own_presets.exists()


async def test_why_it_came_to_nothing_is_said(show: Show) -> None:
    async with show() as shown:
        opened(shown).failure = "there is no data in /nowhere"
        await shown.frame()
        assert "there is no data in /nowhere" in shown.text()


@pytest.mark.says("find_lr.not_now")
@pytest.mark.never_says("form.find_lr")
async def test_beside_a_live_run_no_lr_is_looked_for(show: Show, captions_said: set[str]) -> None:
    async with show(cut(scripted_run(epochs=4, batches=20), 30)) as shown:
        await shown.press("p")
        assert "find LR" not in shown.the(KeyLine).plain()[0]
        await shown.press("f")
        assert isinstance(shown.app.screen, PickerScreen)
        assert "no LR can be looked for" in shown.text()
        await shown.press("o")
        assert isinstance(shown.app.screen, StartForm)
        assert "form.find_lr" not in captions_said
        captions_said.clear()
        await shown.press("ctrl+f")
        assert isinstance(shown.app.screen, StartForm)
        assert "find_lr.not_now" in captions_said


@pytest.mark.never_says("find_lr.not_now")
async def test_f_in_the_list_tests_the_preset_under_the_cursor(
    show: Show, captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.run_sources.lr_finding.InProcessFinding", ScriptedFinding)
    async with show(size=(140, 40)) as shown:
        await shown.press("f")
        await shown.until(lambda: isinstance(shown.app.screen, FindLRScreen))
        await shown.frame()
        assert "which LR? onecycle" in shown.text()
        assert "find_lr.not_now" not in captions_said


@pytest.mark.says("form.find_lr")
@pytest.mark.never_says("form.find_lr")
async def test_ctrl_f_in_the_form_tests_what_the_form_holds_and_leads_back_to_it(
    show: Show, own_presets: Path, captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[ScriptedFinding] = []

    def begin(spec: RunSpec, runs: Path | None) -> ScriptedFinding:
        begun.append(ScriptedFinding(spec, runs))
        return begun[-1]

    monkeypatch.setattr("tui_trainer.run_sources.lr_finding.InProcessFinding", begin)
    async with show(size=(60, 16)) as shown:
        await shown.press("o")
        assert "looks for an LR" in shown.text()
        await put(shown, "seed", "x")
        captions_said.clear()
        await shown.press("ctrl+f")
        assert isinstance(shown.app.screen, StartForm)
        assert "form.find_lr" not in captions_said
        await put(shown, "dataset", "cifar10")
        await put(shown, "model", "mlp")
        await put(shown, "batch_size", "400")
        await put(shown, "device", "cpu")
        await put(shown, "seed", "7")
        await shown.press("ctrl+f")
        await shown.until(lambda: isinstance(shown.app.screen, FindLRScreen))
        spec = begun[0].spec
        tested = spec.preset_name, spec.dataset, spec.model, spec.preset.training.batch_size, spec.device, spec.seed
        assert tested == ("onecycle", "cifar10", "mlp", 400, "cpu", 7)
        await shown.press("escape")
        assert isinstance(shown.app.screen, StartForm)
        assert shown.app.screen.spec == spec
        assert begun[0].closed
        await shown.press("ctrl+f")
        await shown.until(lambda: isinstance(shown.app.screen, FindLRScreen))
        begun[1].come(falling())
        await shown.frame()
        await shown.press("w")
        await shown.until(lambda: isinstance(shown.app.screen, PickerScreen))
        assert [path.name for path in own_presets.iterdir()] == ["onecycle-2.toml"]
        assert not shown.launcher.started


def rows_of(shown: Shown) -> dict[str, list[str]]:
    """The words of each suggestion, by its rule."""
    rows = [line.lstrip("▌ ").split() for line in shown.the(Suggestions).plain()]
    return {row[2]: row for row in rows if row and row[0] in ("v", "s", "m")}


def dots(shown: Shown) -> int:
    return sum((ord(cell) - 0x2800).bit_count() for row in shown.the(LossOverLR).plain() for cell in row if cell > "⠀")


@pytest.mark.says("find_lr.drawn", "find_lr.some_seeds", "find_lr.spread", "find_lr.heading")
@pytest.mark.never_says("find_lr.copy", "find_lr.recorded", "find_lr.too_short")
async def test_of_a_recorded_test_the_curves_of_all_seeds_are_drawn_over_one_another_without_a_copy(
    tmp_path: Path, own_presets: Path, captions_said: set[str]
) -> None:
    drawn, lrs = [], []
    three = {3: falling(middle=-2.5), 4: [2.3, nan], 5: falling()}
    for losses in ({3: three[3]}, {5: three[5]}, three):
        captions_said.clear()
        app = TrainerApp(AppContext(), range_test=recorded_test(tmp_path / "runs", losses))
        async with app.run_test(size=(140, 40)) as pilot:
            shown = Shown(app, pilot)
            await shown.frame()
            drawn.append(dots(shown))
            lrs.append({rule: float(row[1]) for rule, row in rows_of(shown).items()})
            assert [*lrs[-1]] == [*RULES]
            assert ("find_lr.drawn" in captions_said) is (len(losses) > 1)
            if len(losses) == 1:
                continue
            assert "which LR? onecycle on mnist-5k, mlp" in shown.text()
            assert "the curves of 3 seeds; the marks are in the middle" in shown.text()
            assert "1 of 3 seeds suggest nothing" in shown.text()
            assert f"{lrs[0]['valley']:g} to {lrs[1]['valley']:g} over 2 seeds" in shown.text()
            assert set("vsm") <= set(shown.the(LossOverLR).plain()[-2])
            assert "write a copy" not in shown.the(KeyLine).plain()[0]
            await shown.press("w", "down", "escape")
    assert all(lrs[0][rule] < lrs[2][rule] < lrs[1][rule] for rule in RULES)
    assert drawn[2] > 1.2 * max(drawn[:2])
    assert app.return_value == 0
    assert not own_presets.exists()


@pytest.mark.never_says("find_lr.drawn", "find_lr.some_seeds", "find_lr.spread")
async def test_of_seeds_that_all_suggest_nothing_it_says_why(tmp_path: Path) -> None:
    app = TrainerApp(AppContext(), range_test=recorded_test(tmp_path / "runs", {3: [2.3] * 200, 4: [2.3] * 200}))
    async with app.run_test(size=(140, 40)) as pilot:
        shown = Shown(app, pilot)
        await shown.frame()
        assert "no suggestion: the loss never fell" in shown.text()
        assert not rows_of(shown)


STILL_FALLS = [2.3] * 120 + [1.0] * 80


@pytest.mark.says("find_lr.cut_off")
async def test_a_loss_that_still_falls_at_the_highest_lr_is_told_of(show: Show, tmp_path: Path) -> None:
    words = "the smoothed loss still fell at LR 10, the highest"
    async with show(size=(100, 40)) as shown:
        opened(shown).come(STILL_FALLS)
        await shown.frame()
        assert words in shown.text()
    app = TrainerApp(AppContext(), range_test=recorded_test(tmp_path / "runs", {0: STILL_FALLS, 1: falling()}))
    async with app.run_test(size=(100, 40)) as pilot:
        shown = Shown(app, pilot)
        await shown.frame()
        assert words in shown.text()


@pytest.mark.never_says("find_lr.cut_off")
async def test_what_is_to_be_known_of_what_was_tested_stands_below_how_it_ended(show: Show) -> None:
    async with show() as shown:
        finding = opened(shown)
        finding.warning = "--optimizer mine:sgd leaves out 2 of 4 parameters"
        finding.come(falling())
        await shown.frame()
        assert "leaves out 2 of 4 parameters" in shown.text()


@pytest.mark.never_says("find_lr.drawn")
async def test_where_it_is_recorded_stands_below_how_it_ended(show: Show, captions_said: set[str]) -> None:
    async with show(size=(100, 40)) as shown:
        finding = opened(shown)
        finding.come(falling())
        await shown.frame()
        finding.recorded = "recorded: here"
        await shown.frame()
        assert "recorded: here" in shown.text()
        assert "find_lr.drawn" not in captions_said


@pytest.mark.says("find_lr.recorded")
def test_a_test_in_this_process_hands_over_its_curve_and_is_recorded(tmp_path: Path) -> None:
    from tests.waiting import until

    spec = RunSpec.of(
        "none", parse('[optimizer]\nname = "Adam"\n'), model="mlp", limit_train=200, device="cpu", threads=1
    )
    finding = InProcessFinding(spec, tmp_path / "runs")
    until(lambda: bool(finding.recorded))
    assert finding.curve is not None
    assert finding.curve.suggestions
    (folder,) = range_tests.folders(tmp_path / "runs")
    record = range_tests.read(folder)
    assert finding.recorded == f"recorded: tui-trainer attach {folder.name} --runs-dir {tmp_path / 'runs'}"
    assert record.spec == spec
    assert record.curves[0].suggestions == finding.curve.suggestions
    (tmp_path / "file").touch()
    unrecorded = InProcessFinding(spec, tmp_path / "file")
    until(lambda: bool(unrecorded.recorded))
    assert "cannot write" in unrecorded.recorded
    assert not unrecorded.failure
    broken = InProcessFinding(spec.model_copy(update={"dataset": "mnist", "data_dir": Path("/dev/null")}))
    until(lambda: bool(broken.failure))
    assert "/dev/null" in broken.failure
    stopped = InProcessFinding(spec, tmp_path / "none")
    stopped.close()
    until(lambda: not any(thread.name == "range test" for thread in threading.enumerate()))
    assert stopped.curve is None
    assert not (tmp_path / "none").exists()
