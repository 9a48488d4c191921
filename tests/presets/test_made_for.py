"""`[for]`: a preset says what data set, model and precision it is made for, and takes them along."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from tests.scripted import scripted_run
from tui_trainer.cli import main
from tui_trainer.compare.entries import MadeForOthers, on_the_same, reused, to_train
from tui_trainer.events import RunConfigured
from tui_trainer.presets.catalogue import load, shipped_files
from tui_trainer.presets.checks import check, check_text, parse
from tui_trainer.presets.folders import shipped_for
from tui_trainer.presets.schema import Preset
from tui_trainer.run_request import RunRequest
from tui_trainer.run_spec import RunSpec, made_for_others

Cli = Callable[..., Result]

FOR = '[optimizer]\nname = "SGD"\nlr = 0.1\n[for]\ndataset = "cifar10"\nmodel = "resnet9-slim"\nprecision = "bf16"\n'
PLAIN = '[optimizer]\nname = "SGD"\nlr = 0.1\n'


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *arguments: CliRunner().invoke(main, arguments)


def test_a_run_takes_along_what_its_preset_is_made_for() -> None:
    spec = RunSpec.of("mine", parse(FOR))
    assert (spec.dataset, spec.model, spec.precision) == ("cifar10", "resnet9-slim", "bf16")
    assert spec.from_preset == ("dataset", "model", "precision")
    assert spec.taken == "dataset cifar10, model resnet9-slim, precision bf16"
    assert spec.train_images == 50_000
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec
    usual = RunSpec.of("mine", parse(PLAIN), dataset=None, model=None, precision=None)
    assert (usual.dataset, usual.model, usual.precision, usual.taken) == ("mnist-5k", "cnn", None, "")


def test_what_a_person_says_wins() -> None:
    """Though it be what it would have been anyway."""
    spec = RunSpec.of("mine", parse(FOR), dataset="mnist-5k", model=None)
    assert (spec.dataset, spec.model) == ("mnist-5k", "resnet9-slim")
    assert spec.taken == "model resnet9-slim, precision bf16"


def test_another_preset_of_the_same_request_takes_along_its_own() -> None:
    asked = RunRequest("steplr", dataset=None, model="mlp", epochs=3)
    spec = asked.spec_with("mine", parse(FOR))
    assert (spec.dataset, spec.model, spec.preset.training.epochs) == ("cifar10", "mlp", 3)
    back = RunRequest.of(spec).spec_with("steplr", load("steplr"))
    assert (back.dataset, back.model, back.epochs) == ("mnist-5k", "mlp", 3)  # what one brought stays with it
    assert asked.spec.dataset == "mnist-5k"


def test_the_first_frame_knows_it_before_the_preset_is_read() -> None:
    request = RunRequest("cifar10-cpu", dataset=None, model=None)
    assert (request.dataset, request.model, request.ready) == ("cifar10", "resnet9-slim", None)
    assert RunRequest("cifar10-cpu", dataset="mnist", model=None).dataset == "mnist"
    assert RunRequest("onecycle", dataset=None, model=None).dataset == "mnist-5k"
    for path in shipped_files():
        made_for = load(path.stem).made_for
        assert shipped_for(path.stem) == (made_for.options if made_for is not None else {})


def test_a_file_says_where_it_is_wrong() -> None:
    text = FOR.replace('"cifar10"', '"cifar-10"').replace('"bf16"', "16").replace("model =", "modle =")
    said = [str(problem) for problem in check_text(text, "p").problems]
    assert said == [
        'p:5: for.dataset: "cifar-10" is not known; did you mean "cifar10"?',
        "p:6: for.modle: not known to [for]; did you mean model?",
        'p:7: for.precision: 16 is not known; "fp32", "bf16" or "fp16" is',
    ]
    assert str(*check_text('for = "cifar10"\n' + PLAIN, "p").problems).startswith("p:1: for: is a table; write [for]")
    assert str(*check_text('dataset = "cifar10"\n' + PLAIN, "p").problems) == (
        "p:1: dataset: not known to a preset; it belongs in [for]"
    )
    lost = PLAIN + '[training]\nmodel = "mlp"\n'
    assert str(*check_text(lost, "p").problems).endswith("it belongs in [for]")
    assert "did you mean for?" in str(*check_text(PLAIN + '[fro]\ndataset = "mnist"\n', "p").problems)


def test_it_is_checked_on_what_it_is_made_for() -> None:
    """Of 4,000 images 3,999 a batch leave one alone, which BatchNorm minds; of 50,000 they do not."""
    text = FOR + "[training]\nbatch_size = 3999\n"
    assert [problem.key for problem in check(parse(text))] == []
    odd = FOR.replace("cifar10", "mnist-5k") + "[training]\nbatch_size = 3999\n"
    assert [problem.key for problem in check(parse(odd))] == ["training.batch_size"]
    assert check_text(odd, "p").warnings == check(parse(odd, "p"))


def test_a_record_has_it_as_the_file_does_and_older_ones_stay_as_they_were() -> None:
    made, plain_one = parse(FOR), parse(PLAIN)
    assert made.model_dump(mode="json")["for"] == {"dataset": "cifar10", "model": "resnet9-slim", "precision": "bf16"}
    assert Preset.model_validate(made.model_dump(mode="json")) == made
    assert set(plain_one.model_dump(mode="json")) == {
        "title", "description", "training", "optimizer", "scheduler", "warmup"
    }  # a checkpoint of before is compared with it  # fmt: skip


def test_a_network_otherwise_than_by_itself_stands_in_the_record_and_where_it_is_not_there_a_switch_says_so() -> None:
    wide = parse('[for]\nmodel = "mlp"\n' + PLAIN + "[model]\nwidth = 16\ndropout = 0.5\n")
    written = wide.model_dump(mode="json")
    assert written["model"] == {"width": 16, "dropout": 0.5}
    assert Preset.model_validate(written) == wide
    (run,) = [event for event in scripted_run(epochs=1) if isinstance(event, RunConfigured)]
    plain_one = structs.replace(run, model="mlp")
    assert made_for_others(wide, plain_one) == "made for width 16, dropout 0.5; this run keeps mlp"
    own = structs.replace(plain_one, model_options={"dropout": 0.5, "width": 16.0})
    assert made_for_others(wide, own) == ""
    assert own.model_words == "mlp (dropout 0.5, width 16)"
    assert made_for_others(parse(PLAIN), own) == ""
    misplaced = check_text('model = "mlp"\n' + PLAIN, "p").problems
    assert [str(each) for each in misplaced] == ["p:1: model: it belongs in [for]"]
    lost = check_text(PLAIN + "[training]\ndropout = 0.5\n", "p").problems
    assert str(*lost).endswith("training.dropout: not known to [training]; it belongs in [model]")


def test_a_comparison_trains_all_on_what_one_is_made_for() -> None:
    presets = {"made": parse(FOR), "plain": parse(PLAIN)}
    brought, said = on_the_same(presets, {"model": "mlp"})
    assert brought == {"dataset": "cifar10", "precision": "bf16"}
    assert said == "from made, for all: dataset cifar10, precision bf16"
    assert on_the_same({"plain": parse(PLAIN)}, {}) == ({}, "")
    other = parse(FOR.replace("cifar10", "fashion-mnist"))
    with pytest.raises(MadeForOthers, match=r"different dataset: made for cifar10; other for fashion-mnist.*--dataset"):
        on_the_same({**presets, "other": other}, {})
    assert on_the_same({**presets, "other": other}, {"dataset": "mnist"})[0] == {
        "model": "resnet9-slim",
        "precision": "bf16",
    }


def test_compare_refuses_presets_for_different_data_and_says_what_to_do(cli: Cli, tmp_path: Path) -> None:
    for name, text in (("one", FOR), ("two", FOR.replace("cifar10", "mnist"))):
        (tmp_path / f"{name}.toml").write_text(text)
    refused = cli("compare", str(tmp_path / "one.toml"), str(tmp_path / "two.toml"))
    assert refused.exit_code == 2
    assert "made for a different dataset" in refused.stderr
    assert "say --dataset" in refused.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_of_before_is_not_trained_again_for_a_table_that_changes_no_number(tmp_path: Path) -> None:
    spec = RunSpec.of("made", parse(FOR))
    same = RunSpec.of("made", parse(PLAIN), dataset="cifar10", model="resnet9-slim", precision="bf16")
    from tui_trainer.compare.entries import _sameness

    ours, theirs = (to_train([each], 1)[0].asked for each in (spec, same))
    assert ours is not None
    assert theirs is not None
    assert _sameness(ours) == _sameness(theirs)
    assert reused(to_train([spec], 1), tmp_path, {})[0].run is None


def test_presets_reckon_with_it_unless_options_say_otherwise(cli: Cli, tmp_path: Path) -> None:
    shown = cli("presets", "plan", "cifar10-cpu", "--json")
    assert len(json.loads(shown.stdout)) == 24 * 391
    assert len(json.loads(cli("presets", "plan", "cifar10-cpu", "--json", "--dataset", "mnist-5k").stdout)) == 24 * 32
    words = cli("presets", "plan", "cifar10-cpu").stdout.splitlines()
    assert words[0] == "# made for dataset cifar10, model resnet9-slim, precision bf16"
    file = tmp_path / "odd.toml"
    file.write_text(FOR + "[training]\nbatch_size = 50001\n")
    assert "more than the 50,000 training images" in cli("presets", "check", str(file)).stderr
    assert "more than the 60,000" not in cli("presets", "check", str(file), "--dataset", "mnist").stderr
    said = cli("presets", "show", str(file)).stderr
    assert "note: reckoned with what it is made for: dataset cifar10" in said
    listed = {entry["name"]: entry["for"] for entry in json.loads(cli("presets", "list", "--json").stdout)}
    assert listed["cifar10-cpu"]["dataset"] == "cifar10"
    assert listed["steplr"] == {}


def test_a_switch_says_what_it_is_made_for_where_the_run_is_another() -> None:

    (run,) = [event for event in scripted_run(epochs=1) if isinstance(event, RunConfigured)]
    assert made_for_others(parse(FOR), run) == (
        "made for cifar10, resnet9-slim, bf16; this run keeps mnist-5k, cnn, fp32"
    )
    assert made_for_others(parse(PLAIN), run) == ""
    alike = FOR.replace("cifar10", "mnist-5k").replace("resnet9-slim", "cnn").replace("bf16", "fp32")
    assert made_for_others(parse(alike), run) == ""


def test_the_shells_complete_the_options_as_before() -> None:
    asked = {"COMP_WORDS": "tui-trainer run --dataset cif", "COMP_CWORD": "3"}
    shown = CliRunner().invoke(main, env={"_TUI_TRAINER_COMPLETE": "bash_complete", **asked}, prog_name="tui-trainer")
    assert "cifar10" in shown.stdout
