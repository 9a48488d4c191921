"""Trials of one preset: what `--grid` makes of it, what it refuses, and how the trials are told apart."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.made import record
from tests.ui.test_compare import show
from tui_trainer.cli import main
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.entries import to_train
from tui_trainer.compare.plain_lines import find_out, table_cells
from tui_trainer.compare.report import as_csv, as_html, as_json, as_markdown
from tui_trainer.compare.session import Contestant, Session, all_sessions
from tui_trainer.compare.sweep import BadSweep, Space, Trial, Varied, checked, made
from tui_trainer.presets.other_values import with_values
from tui_trainer.presets.problems import PresetText
from tui_trainer.presets.rules import RunConditions
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.compare.table import CompareTable

STEPLR = {
    "training": {"epochs": 10, "batch_size": 64},
    "optimizer": {"name": "Adam", "lr": 0.001},
    "scheduler": {"name": "StepLR", "step_size": 5, "gamma": 0.5},
}
RUN = RunConditions(train_images=4000)
SMALL = ["--model", "mlp", "--limit-train", "128", "--limit-val", "50", "--threads", "1", "--device", "cpu"]


def trials(*grids: str) -> list[Trial]:
    return made([Varied.of(text) for text in grids])


def problems(*grids: str) -> tuple[str, ...]:
    return checked(STEPLR, PresetText("mine.toml"), trials(*grids), RUN).errors


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command in this process."""
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *words: CliRunner().invoke(main, ["compare", *words])


def test_each_combination_is_a_trial_and_those_of_the_last_key_change_first() -> None:
    varied = trials("optimizer.lr=0.01,0.03", "scheduler.gamma=0.3,0.5")
    assert [trial.data for trial in varied] == [
        {"optimizer.lr": lr, "scheduler.gamma": gamma} for lr, gamma in product((0.01, 0.03), (0.3, 0.5))
    ]


def test_values_are_those_of_toml_and_a_word_needs_no_quotes() -> None:
    (each,) = [Varied.of('optimizer.x= 1, 1e-3,.5,2.,true,SGD,"a, b",[1, 2],[[0, 0.1], [1, 0]],{a = 1, b = 2} ')]
    values = [value.value for value in each.values]
    assert values == [1, 1e-3, 0.5, 2.0, True, "SGD", "a, b", [1, 2], [[0, 0.1], [1, 0]], {"a": 1, "b": 2}]
    assert [value.written for value in each.values][:4] == ["1", "1e-3", ".5", "2."]


@settings(max_examples=25)
@given(st.text(max_size=40))
def test_any_text_makes_trials_or_is_refused_in_words(text: str) -> None:
    for words in (text, f"optimizer.lr={text}"):
        with suppress(BadSweep):
            assert Varied.of(words).values
        with suppress(BadSweep):
            Space.of(words).draw(0.999)


def test_a_trial_goes_by_what_is_varied_in_it() -> None:
    assert [trial.label for trial in trials("optimizer.lr=3e-2,0.1")] == ["optimizer.lr 3e-2", "optimizer.lr 0.1"]
    assert trials("optimizer.lr=0.03", "scheduler.gamma=0.3")[0].label == "lr 0.03 gamma 0.3"
    assert trials("optimizer.name=SGD", "scheduler.gamma=0.3")[0].label == "optimizer SGD gamma 0.3"
    alike = trials("warmup.epochs=1", "training.epochs=4")[0].label
    assert alike == "warmup.epochs 1 training.epochs 4"


def test_a_value_is_put_where_its_key_stands_and_all_else_stays() -> None:
    stages = {"scheduler": {"stages": [{"name": "none"}, {"name": "StepLR", "gamma": 0.5}]}, "title": "t"}
    assert with_values(stages, {"scheduler.stages.2.gamma": 0.1, "warmup.epochs": 2}) == {
        "scheduler": {"stages": [{"name": "none"}, {"name": "StepLR", "gamma": 0.1}]},
        "title": "t",
        "warmup": {"epochs": 2},
    }
    assert stages["scheduler"] == {"stages": [{"name": "none"}, {"name": "StepLR", "gamma": 0.5}]}


@pytest.mark.says("sweep.no_values", "sweep.value_missing", "sweep.no_value", "sweep.value_twice", "sweep.key_twice")
@pytest.mark.says("sweep.no_such_key", "sweep.meant", "sweep.tables", "sweep.too_many")
def test_what_makes_no_trials_is_said_of_its_option() -> None:
    hundred = ",".join(map(str, range(1, 102)))
    for grids, why in {
        ("optimizer.lr",): "--grid optimizer.lr: write TABLE.KEY=VALUE,VALUE, such as optimizer.lr=0.01,0.03",
        ("optimizer.lr= ",): "--grid optimizer.lr=: write TABLE.KEY=VALUE,VALUE",
        ("optimizer.lr=0.1,,1",): "--grid optimizer.lr: a value is missing: two commas",
        ("optimizer.lr=0.1,",): "a value is missing",
        ("optimizer.lr=[1",): "--grid optimizer.lr: [1 is no value of TOML",
        ("optimizer.lr=1\nb = 2",): "is no value of TOML",
        ("optimizer.lr=٣",): "--grid optimizer.lr: ٣ is no value of TOML",  # a digit, and none of TOML
        ("optimizer.lr=0.1,1e-1",): "--grid optimizer.lr: 1e-1 is there twice",
        ("optimizer.lr=1,1.0",): "1.0 is there twice",
        ("optimizer.lr=1", "optimizer.lr=2"): "--grid: optimizer.lr is varied twice; name all its values at once",
        ("lr=0.1",): "--grid lr: no key of a preset that can be varied; did you mean optimizer.lr?",
        ("optimiser.lr=0.1",): "did you mean optimizer.lr?",
        ("qq.zz=0.1",): "its table is one of training, optimizer, scheduler and warmup",
        (f"training.epochs={hundred}", f"scheduler.gamma={hundred}"): "10,201 runs are more than a comparison may have",
    }.items():
        with pytest.raises(BadSweep) as caught:
            trials(*grids)
        assert why in str(caught.value)


def drawn(*spaces: str, count: int = 20, seed: int = 0) -> list[Trial]:
    return made([], [Space.of(text) for text in spaces], count, seed=seed)


def test_draws_lie_within_their_spaces_and_a_log_space_has_as_many_in_each_decade() -> None:
    values = [trial.data["optimizer.lr"] for trial in drawn("optimizer.lr=log:1e-4:1e-1", count=300)]
    assert 1e-4 <= min(values) < 2e-4 < 5e-2 < max(values) <= 1e-1
    assert all(70 < sum(low <= value < 10 * low for value in values) < 130 for low in (1e-4, 1e-3, 1e-2))
    assert {trial.data["scheduler.step_size"] for trial in drawn("scheduler.step_size=int:1:3", count=3)} == {1, 2, 3}
    even = [trial.data["scheduler.gamma"] for trial in drawn("scheduler.gamma=uniform:-1:1", count=300)]
    assert all(115 < sum(value * sign > 0 for value in even) < 185 for sign in (1, -1))
    assert {trial.data["optimizer.name"] for trial in drawn("optimizer.name=SGD,Adam", count=2)} == {"SGD", "Adam"}


def test_a_seed_draws_the_same_again_whatever_else_is_varied() -> None:
    lrs = "optimizer.lr=log:1e-4:1e-1"
    first = [trial.data["optimizer.lr"] for trial in drawn(lrs)]
    assert [trial.data["optimizer.lr"] for trial in drawn("scheduler.gamma=uniform:0.1:0.9", lrs)] == first
    assert [trial.data["optimizer.lr"] for trial in drawn(lrs, count=40)][:20] == first
    assert [trial.data["optimizer.lr"] for trial in drawn(lrs, seed=1)] != first
    assert first[0] == 0.002291  # as every version of Python and of the program draws


@given(st.floats(1e-6, 10), st.floats(1.001, 1e6), st.floats(0, 1, exclude_max=True))
@settings(max_examples=40)
def test_what_a_draw_is_called_is_what_it_is(low: float, times: float, place: float) -> None:
    for kind in ("log", "uniform"):
        value = Space.of(f"optimizer.lr={kind}:{low!r}:{low * times!r}").draw(place)
        assert float(value.written) == value.value
        assert low <= value.value <= low * times


def test_beside_a_grid_each_combination_has_all_draws() -> None:
    both = made([Varied.of("scheduler.gamma=0.1,0.5")], [Space.of("optimizer.lr=uniform:0.1:1")], 3)
    assert [trial.data["scheduler.gamma"] for trial in both] == [0.1] * 3 + [0.5] * 3
    assert [trial.data["optimizer.lr"] for trial in both[:3]] == [trial.data["optimizer.lr"] for trial in both[3:]]


@pytest.mark.says("sweep.no_space", "sweep.no_range", "sweep.too_few_draws")
def test_what_nothing_can_be_drawn_from_is_said_of_its_option() -> None:
    for space, why in {
        "optimizer.lr=": "--space optimizer.lr=: write TABLE.KEY=SPACE, such as",
        "optimizer.lr=log:0:1": "--space optimizer.lr: log:0:1 has no two ends; write log:LOW:HIGH",
        "optimizer.lr=uniform:1:1": "uniform:1:1 has no two ends",
        "optimizer.lr=uniform:0:inf": "uniform:0:inf has no two ends",
        "optimizer.lr=int:1": "int:1 has no two ends",
        "optimizer.lr=int:1.5:3": "int:1.5:3 has no two ends",
        "optimizer.lr=1,1.0": "--space optimizer.lr: 1.0 is there twice",
        "lr=1,2": "--space lr: no key of a preset that can be varied; did you mean optimizer.lr?",
        "scheduler.step_size=int:1:3": "--random 20: only 3 different trials came of it: ask for no more",
    }.items():
        with pytest.raises(BadSweep) as caught:
            drawn(space)
        assert why in str(caught.value)


def test_of_draws_that_a_preset_does_not_take_one_is_named() -> None:
    found = checked(STEPLR, PresetText(), drawn("scheduler.step_size=uniform:1.2:1.9"), RUN)
    (error,) = found.errors
    assert re.fullmatch(r"--space scheduler.step_size=1\.\d+: 1\.\d+ is not a whole number", error)


@pytest.mark.says("sweep.random_and_space")
def test_random_and_space_go_together(compare: Callable[..., Result]) -> None:
    for given_alone in (["--random", "3"], ["--space", "optimizer.lr=log:1e-4:1e-1"]):
        refused = compare("steplr", *given_alone)
        assert (refused.exit_code, refused.output) == (
            2,
            "--random N draws from what --space says: give both, or neither\n",
        )


@pytest.mark.never_says("sweep.*")
def test_of_sound_trials_nothing_is_said(captions_said: set[str]) -> None:
    found = checked(STEPLR, PresetText(), trials("optimizer.lr=0.1,1", "warmup.epochs=1,2"), RUN)
    assert len(found.presets) == 4
    assert [(each.optimizer.lr, each.warmup and each.warmup.epochs) for each in found.presets] == [
        (0.1, 1),
        (0.1, 2),
        (1, 1),
        (1, 2),
    ]
    assert not {said for said in captions_said if said.startswith("sweep.")}


def test_a_mistake_names_the_option_the_value_and_the_key_that_it_comes_near() -> None:
    assert problems("optimizer.lrr=0.1,0.2") == ("--grid optimizer.lrr=0.1: not known to Adam; did you mean lr?",)
    wrong = "--grid optimizer.lr=-3: -3 is out of range; more than 0 and at most 1,000 is right"
    assert problems("optimizer.lr=0.1,-3", "scheduler.gamma=0.1,0.2") == (wrong,)
    assert problems("scheduler.stages.9.gamma=0.1,0.2")
    name = '--grid optimizer.name=Adm: "Adm" is not known; did you mean Adam?'
    assert problems("optimizer.name=SGD,Adm", "scheduler.gamma=0.1,0.2") == (name,)


def test_what_only_some_combinations_lead_to_names_them() -> None:
    found = checked(STEPLR, PresetText("mine.toml"), trials("training.epochs=2,8", "optimizer.lr=0.1,1"), RUN)
    assert found.errors == ()
    (never,) = [warning for warning in found.warnings if "never reached" in warning]
    assert never.startswith("epochs 2 lr 0.1 and epochs 2 lr 1: mine.toml: scheduler.step_size: never reached")


@pytest.mark.says("sweep.one_preset", "sweep.by_option", "sweep.session_has_trials")
def test_the_command_refuses_what_it_cannot_make(compare: Callable[..., Result], tmp_path: Path) -> None:
    lrs = ["--grid", "optimizer.lr=0.1,1"]
    one = "--grid makes trials of one preset: name one\n"
    assert compare("none", "steplr", "--random", "2", "--space", "optimizer.lr=1,2").output == one.replace(
        "grid", "random"
    )
    for named in ([], ["none", "steplr"], ["--lesson"]):
        refused = compare(*named, *lrs)
        assert (refused.exit_code, refused.output) == (2, one)
    refused = compare("steplr", "--grid", "training.epochs=1,2", "--epochs", "3")
    assert refused.output == "--grid training.epochs: --epochs says it for all trials: leave one of the two out\n"
    assert "name two presets or runs" in compare("steplr", "--grid", "optimizer.lr=0.1").output
    session = Session.create(tmp_path / "runs", [Contestant(label="a", seed=0, run="gone")])
    refused = compare(session.id, *lrs)
    assert refused.output == f"{session.id} goes on with the trials that it was begun with: leave --grid out\n"
    assert all_sessions(tmp_path / "runs") == [session.folder]


def sweep(runs: Path) -> Comparison:
    """Of two trials that are over, and a run beside them."""
    varied = trials("optimizer.lr=0.01,0.03")
    found = checked(STEPLR, PresetText(), varied, RUN)
    entries = to_train([RunSpec.of("mine", preset) for preset in found.presets], 1, varied)
    entries = [msgspec.structs.replace(entry, run=record(runs, epochs=2).name) for entry in entries]
    session = Session.create(runs, [*entries, Contestant(label="beside", seed=0, run=record(runs).name)], drawn_with=7)
    comparison = Comparison(Session.open(session.folder))
    comparison.poll_all()
    return comparison


def test_what_was_varied_stands_in_columns_of_the_table_and_of_all_reports(tmp_path: Path) -> None:
    comparison = sweep(tmp_path)
    findings = find_out(comparison)
    cells = table_cells(findings)
    assert cells[0][:4] == ["preset", "status", "epochs", "optimizer.lr"]
    assert {line[0]: line[3] for line in cells[1:]} == {
        "optimizer.lr 0.01": "0.01",
        "optimizer.lr 0.03": "0.03",
        "beside": "0.001",
    }
    told = json.loads(as_json(comparison, findings))
    assert told["drawn_with"] == 7
    assert [each["varied"] for each in told["presets"]] == [{"optimizer.lr": 0.01}, {"optimizer.lr": 0.03}, {}]
    assert [line["optimizer.lr"] for line in csv.DictReader(io.StringIO(as_csv(comparison, findings)))] == [
        "0.01",
        "0.03",
        "0.001",
    ]
    assert "<th>optimizer.lr</th>" in as_html(comparison, findings)
    assert "| preset | status | epochs | optimizer.lr |" in as_markdown(comparison, findings)


async def test_on_the_screen_it_stands_in_front_of_the_numbers_and_sorts(tmp_path: Path) -> None:
    async with show(sweep(tmp_path), (80, 24)) as (pilot, screen):
        table = screen.query_one(CompareTable)
        assert "optimizer.lr" in table.plain()[0]
        await pilot.press("s", "S")
        told = [line.split() for line in table.plain()[1:]]
        assert [line for line in told if "0.03" in line] == told[:1]


@pytest.mark.slow
def test_seeds_multiply_and_each_trial_is_trained_as_it_says(compare: Callable[..., Result], tmp_path: Path) -> None:
    more = [*SMALL, "--epochs", "1", "--seeds", "2"]
    done = compare("steplr", "--grid", "optimizer.lr=0.01,0.03", *more, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [(each["preset"], each["finished"]) for each in told["presets"]] == [
        ("optimizer.lr 0.01", 2),
        ("optimizer.lr 0.03", 2),
    ]
    assert [each["settings"]["optimizer.lr"] for each in told["presets"]] == [0.01, 0.03]
    again = compare(told["session"], "--json")  # no option of a sweep is repeated
    assert json.loads(again.stdout)["presets"] == told["presets"]
