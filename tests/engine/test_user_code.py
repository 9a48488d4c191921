"""A loss and a model of a person's own: trained with as ours are, tried before anything is, and blamed where they
fail."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from tests.engine import tiny as t
from tests.engine.test_resume import Killed, assert_equal, forget_what_was_not_saved, kill_after, numbers, stop_after
from tests.engine.tiny import BATCHES, IMAGES, TinyRun
from tests.own_code import LOSSES, OwnModule
from tui_trainer import log
from tui_trainer.allowed_code import Code, allow
from tui_trainer.engine.code_numbers import MOST, CodeNumbers
from tui_trainer.engine.datasets import load_own
from tui_trainer.engine.distributed import ALONE, ManyRanks
from tui_trainer.engine.lr_preview import rehearse
from tui_trainer.engine.metrics import Diverged, MetricAccumulator
from tui_trainer.engine.schedules import RunLength, build_optimizer
from tui_trainer.engine.user_code import UserCode, images_of
from tui_trainer.engine.user_code import load as load_code
from tui_trainer.errors import UserError
from tui_trainer.events import (
    Alert,
    AnyEvent,
    EpochEnded,
    MetricDeclared,
    MetricsLogged,
    RunConfigured,
    SettingChanged,
    StepsTaken,
)
from tui_trainer.logged_numbers import heard_by
from tui_trainer.presets.checks import check_text, parse
from tui_trainer.presets.schema import Preset
from tui_trainer.records.history import History
from tui_trainer.run_spec import RunSpec
from tui_trainer.torchrun import Rank

Own = Callable[..., OwnModule]


def rows(tiny: TinyRun, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.values[name]) for event in tiny.of(MetricsLogged) if name in event.values]


def of_steps(tiny: TinyRun, name: str) -> list[float | None]:
    return [value for event in tiny.of(StepsTaken) for value in event.metrics[name]]


def test_a_loss_that_is_cross_entropy_gives_the_same_run(tiny: TinyRun, own: Own) -> None:
    tiny.train(t.STEP)
    ours, epochs = tiny.losses, tiny.of(EpochEnded)
    tiny.events.clear()
    tiny.train(t.STEP, **own().allowed(loss="same"))
    assert tiny.losses == ours
    assert [each.val_loss for each in tiny.of(EpochEnded)] == pytest.approx([each.val_loss for each in epochs])


def test_numbers_that_a_loss_logs_are_series_of_each_step_and_of_validation(tiny: TinyRun, own: Own) -> None:
    module = own()
    tiny.train(t.STEP, epochs=2, **module.allowed(loss="logs"))
    assert rows(tiny, "images") == [(1, 8.0), (2, 8.0), (3, 4.0), (4, 8.0), (5, 8.0), (6, 4.0)]
    assert rows(tiny, "val_images") == [(3, 10.0), (6, 10.0)]
    assert len(rows(tiny, "margin")) == 6
    assert [(each.name, each.kind) for each in tiny.of(MetricDeclared) if "margin" in each.name] == [
        ("margin", "train"),
        ("val_margin", "val"),
    ]
    history = History()
    for event in tiny.events:
        history.apply(event)
    assert list(history.series["margin"].steps) == [1, 2, 3, 4, 5, 6]
    (configured,) = tiny.of(RunConfigured)
    assert configured.code == {"loss": module.of("logs")}
    assert len(configured.digests.code) == 64


def test_what_several_batches_of_a_step_log_is_one_number_the_mean_over_their_images(tiny: TinyRun, own: Own) -> None:
    text = LOSSES + "\n\ndef counts(output, target):\n    log({'n': len(target)})\n    return same(output, target)\n"
    tiny.train(t.STEP.replace("[opt", "accumulate = 3\n[opt", 1), epochs=1, **own(text).allowed(loss="counts"))
    assert rows(tiny, "n") == [(1, pytest.approx((8 * 8 + 8 * 8 + 4 * 4) / IMAGES))]


@pytest.mark.parametrize("step", [2, BATCHES, BATCHES + 1])
@pytest.mark.never_says("code.changed")
def test_a_run_goes_on_to_the_bit_though_its_model_draws_random_numbers(
    tiny: TinyRun, own: Own, tmp_path: Path, step: int
) -> None:
    options = own().allowed(loss="logs", model="net")
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    tiny.folder = tmp_path / "whole"
    tiny.train(t.ONE_CYCLE, epochs=3, **options)
    whole, margins = numbers(tiny), rows(tiny, "margin")
    tiny.events.clear()
    tiny.folder = tmp_path / "parts"
    stop_after(tiny, step)
    assert tiny.train(t.ONE_CYCLE, epochs=3, **options).status == "stopped"
    torch.rand(7)  # what else this process draws is none of it
    tiny.train(t.ONE_CYCLE, epochs=3, resume=True, **options)
    parts = numbers(tiny)
    weights, others = whole.pop("weights"), parts.pop("weights")
    assert isinstance(weights, dict)
    assert isinstance(others, dict)
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert parts["losses"] == whole["losses"]
    assert parts["epochs"] == whole["epochs"]
    assert rows(tiny, "margin") == margins


GROUPS = '[[optimizer.groups]]\nmatch = "bias"\nlr_scale = 2.0\n'


@pytest.mark.never_says(
    "code.no_optimizer", "code.no_argument", "code.no_schedule", "code.other_groups", "code.other_lr"
)
def test_an_optimizer_that_is_the_presets_own_gives_the_same_run(tiny: TinyRun, own: Own) -> None:
    text = t.STEP.replace('name = "Adam"', 'name = "SGD"\nmomentum = 0.9\nweight_decay = 0.01') + GROUPS
    tiny.train(text, epochs=3)
    ours, biases = tiny.losses, of_steps(tiny, "lr-SGD/pg2")
    tiny.events.clear()
    options = own().allowed(optimizer="sgd")
    tiny.train(text, epochs=3, **options)
    assert tiny.losses == ours
    (configured,) = tiny.of(RunConfigured)
    assert configured.recipe.optimizer == configured.code["optimizer"] == options["optimizer"]
    assert of_steps(tiny, f"lr-{options['optimizer']}/pg2") == biases
    assert len(biases) == 3 * BATCHES


@pytest.mark.says("code.left_out")
@pytest.mark.parametrize("groups", ["", GROUPS])
def test_parameters_that_an_optimizer_of_a_persons_own_leaves_out_are_told_as_the_run_begins(
    tiny: TinyRun, own: Own, groups: str
) -> None:
    module = own()
    tiny.train(t.NONE + groups, epochs=1, **module.allowed(model="net", optimizer="of_matrices"))
    (told,) = tiny.of(Alert)
    words = "leaves out 2 of 4 parameters, which stay as they began: 1.bias, 4.bias"
    assert (told.kind, told.text) == ("optimizer", f"--optimizer {module.of('of_matrices')} {words}")
    place = tiny.events.index(told)
    assert not any(isinstance(event, StepsTaken) for event in tiny.events[:place])


@pytest.mark.never_says("code.left_out")
def test_of_an_optimizer_that_has_all_that_ask_for_gradients_nothing_is_said(tiny: TinyRun, own: Own) -> None:
    module = own()
    tiny.train(t.NONE + GROUPS, epochs=1, **module.allowed(optimizer="sgd"))
    tiny.train(t.NONE, epochs=1, **module.allowed(model="frozen_bias", optimizer="sgd"))
    tiny.train(t.NONE, epochs=1, **module.allowed(model="frozen_bias"))
    assert not tiny.of(Alert)


def test_killed_a_run_with_an_optimizer_of_a_persons_own_goes_on_to_the_bit(tiny: TinyRun, own: Own) -> None:
    options = own().allowed(optimizer="Lion")
    tiny.train(t.STEP, epochs=3, **options)
    whole = numbers(tiny)
    tiny.events.clear()
    kill_after(tiny, BATCHES + 2)
    with pytest.raises(Killed):
        tiny.train(t.STEP, epochs=3, **options)
    tiny.when.clear()
    assert forget_what_was_not_saved(tiny) == BATCHES
    tiny.train(t.STEP, epochs=3, resume=True, **options)
    assert_equal(numbers(tiny), whole)


@pytest.mark.says("code.no_schedule")
def test_an_optimizer_that_the_scheduler_cannot_move_is_known_before_anything_is(tiny: TinyRun, own: Own) -> None:
    with pytest.raises(UserError, match="cannot be moved by the preset's scheduler: optimizer must support momentum"):
        tiny.train(t.ONE_CYCLE, epochs=1, **own().allowed(optimizer="without_momentum"))
    assert not tiny.of(RunConfigured)


def test_no_preset_brings_an_optimizer_that_is_code(own: Own) -> None:
    """Not a file; and one that a record or another process brings runs nothing that is not allowed here."""
    name = own().of("Lion")
    (problem,) = check_text(f'[optimizer]\nname = "{name}"\nlr = 0.1\n').problems
    assert problem.key == "optimizer.name"
    told = parse(t.STEP).with_optimizer(name, ".").model_dump(mode="json")
    preset = Preset.model_validate(told)
    assert preset.optimizer.name == name
    assert rehearse(preset, RunLength(2, 3)).lrs  # the plan runs none of it
    with pytest.raises(UserError, match="runs only with --allow-code"):
        build_optimizer(preset.optimizer, [torch.nn.Parameter(torch.zeros(1))])


@pytest.mark.says("code.changed")
def test_code_that_was_changed_since_its_checkpoint_is_told_of(tiny: TinyRun, own: Own) -> None:
    before, after = own(), own(LOSSES + "\n# changed\n")
    stop_after(tiny, 2)
    tiny.train(t.STEP, **before.allowed(loss="same"))
    before.file.write_text(after.file.read_text("utf-8"), "utf-8")
    tiny.train(t.STEP, resume=True, **before.allowed(loss="same"))
    (changed,) = (event for event in tiny.of(SettingChanged) if event.setting == "code")
    assert changed.old != changed.new


def test_a_run_learns_a_data_set_of_a_persons_own_and_goes_on_to_the_bit(
    tiny: TinyRun, own: Own, tmp_path: Path
) -> None:
    options = {**own().allowed(dataset="data"), "own_images": 40, "limit_train": None}
    for folder in ("whole", "parts"):
        (tmp_path / folder).mkdir()
    tiny.folder = tmp_path / "whole"
    assert tiny.train(t.STEP, epochs=2, **options).status == "finished"
    (configured,) = tiny.of(RunConfigured)
    assert (configured.classes, configured.train_images, configured.val_images) == (4, 40, 20)
    assert configured.code["dataset"] == configured.dataset
    whole = tiny.losses
    assert len(whole) == 2 * 5
    tiny.events.clear()
    tiny.folder = tmp_path / "parts"
    stop_after(tiny, 7)
    tiny.train(t.STEP, epochs=2, **options)
    tiny.train(t.STEP, epochs=2, resume=True, **options)
    assert tiny.losses == whole


def test_bytes_of_a_persons_own_become_floats_of_mean_0_and_deviation_1(own: Own) -> None:
    module = own()
    spec = RunSpec.of("p", parse(t.STEP), own_images=40, **module.allowed(dataset="data"))
    images = load_own(spec, torch.device("cpu"), load_code(spec))
    assert images.train.images.mean(dim=(0, 2, 3)) == pytest.approx([0.0] * 3, abs=1e-4)
    assert images.train.images.std(dim=(0, 2, 3), correction=0) == pytest.approx([1.0] * 3, abs=1e-4)
    assert images.classes == ("0", "1", "2", "3")
    spec = RunSpec.of("p", parse(t.STEP), own_images=40, **module.allowed(dataset="arrays"))
    assert load_own(spec, torch.device("cpu"), load_code(spec)).shape == (1, 8, 8)


NO_DATA = {
    "code.no_two_parts": ("is_none_of_it", "gave NoneType, not two parts"),
    "code.no_pair": ("no_pair", "gave NoneType as val, not a pair"),
    "code.no_images": ("floats", "gave a tensor of 40×3×8×8, torch.float32 as images of train; bytes"),
    "code.no_labels": ("few_labels", "labels of train; 40 whole numbers from 0 on are needed"),
    "code.unlike_parts": ("unlike", "gave images of 3×8×8 to train on, and of 3×7×8 to validate"),
    "code.too_many_classes": ("many_classes", "gave labels of 301 classes; 256 are the most"),
}


@pytest.mark.says("code.no_two_parts", "code.no_pair", "code.no_images", "code.no_labels")
@pytest.mark.says("code.unlike_parts", "code.too_many_classes")
@pytest.mark.never_says("code.no_two_parts", "code.no_pair", "code.no_images", "code.no_labels")
@pytest.mark.never_says("code.unlike_parts", "code.too_many_classes")
def test_what_is_no_data_set_is_said(own: Own, captions_said: set[str]) -> None:
    module = own(LOSSES + "\n\ndef is_none_of_it():\n    return None\n")

    def counted(function: str) -> int:
        captions_said.clear()
        code = Code("dataset", module.of(function), str(module.folder))
        allow([code])
        return images_of(code, None)

    assert (counted("data"), counted("arrays")) == (40, 40)
    assert not captions_said & NO_DATA.keys()
    for id, (function, words) in NO_DATA.items():
        with pytest.raises(UserError, match=re.escape(words)) as caught:
            counted(function)
        assert str(caught.value).startswith(f"--dataset {module.of(function)} gave ")
        assert captions_said & NO_DATA.keys() == {id}


def test_an_error_in_a_data_set_is_told_as_theirs(own: Own, tmp_path: Path) -> None:
    module = own()
    code = Code("dataset", module.of("no_file"), str(module.folder))
    allow([code])
    with pytest.raises(UserError, match=r"error in your code, .* in no_file: FileNotFoundError"):
        images_of(code, tmp_path)


def test_the_parts_of_a_loss_of_two_ranks_add_up_to_that_of_the_batch() -> None:
    generator = torch.Generator().manual_seed(3)
    for images in (7, 1):
        outputs, labels = torch.randn(images, 10, generator=generator), torch.arange(images)
        parts = []
        for number in range(2):
            ranks = ManyRanks(Rank(rank=number, ranks=2, local_rank=number, local_ranks=2))
            part = ranks.share(images)
            parts.append(ranks.own_loss(functional.cross_entropy, outputs[part], labels[part]))
        assert float(sum(parts)) == pytest.approx(float(functional.cross_entropy(outputs, labels)))


WRONG = {
    ("loss", "is_none"): ("code.no_loss", "gave NoneType, not a tensor of one number"),
    ("optimizer", "no_optimizer"): ("code.no_optimizer", "gave a str, not a torch.optim.Optimizer"),
    ("optimizer", "of_another_name"): ("code.no_argument", "has no argument lr, which the preset sets"),
    ("optimizer", "of_another_lr"): ("code.other_lr", "with an LR of 0.02, and was given 0.01; the schedule starts"),
    ("optimizer", "wants_more"): ("", "LBFGS.step() missing 1 required positional argument: 'closure'"),
    ("optimizer", "number"): ("code.not_callable", "it is a int, not a function"),
    ("loss", "of_each"): ("code.tensor_of", "gave a tensor of 2, not a tensor of one number"),
    ("loss", "without_gradient"): ("code.no_gradient", "nothing could be learned from it"),
    ("model", "no_network"): ("code.no_network", "gave a str, not a torch.nn.Module"),
    ("model", "no_parameters"): ("code.no_network", "gave a Flatten"),
    ("model", "takes_more"): ("", "TypeError: takes_more() missing 1 required positional argument: 'depth'"),
    ("model", "number"): ("code.not_callable", "it is a int, not a function"),
    ("model", "missing.part"): ("code.no_function", "has no missing.part"),
}


@pytest.mark.says("code.no_loss", "code.no_gradient", "code.no_network", "code.not_callable", "code.no_function")
@pytest.mark.says("code.tensor_of", "code.wrong_outputs", "code.no_optimizer", "code.no_argument")
@pytest.mark.says("code.other_groups", "code.other_lr")
@pytest.mark.never_says("code.failed", "code.failed_at", "code.own_smoothing", "code.no_module")
def test_what_cannot_be_trained_with_is_known_before_anything_is(
    tiny: TinyRun, own: Own, captions_said: set[str]
) -> None:
    module = own()
    for (option, function), (caption, words) in WRONG.items():
        captions_said.clear()
        with pytest.raises(UserError) as error:
            tiny.train(t.STEP, **module.allowed(**{option: function}))
        assert f"--{option} {module.of(function)}" in str(error.value)
        assert words in str(error.value)
        assert {id for id in captions_said if id.startswith("code.")} >= ({caption} - {""})
    with pytest.raises(UserError, match="gave an optimizer of 1 group of parameters, and was given 2; make it of the"):
        tiny.train(t.NONE + GROUPS, **module.allowed(optimizer="in_one_group"))
    with pytest.raises(UserError, match=r"with an LR of 0\.02, and was given 0\.01"):
        tiny.train(t.NONE + GROUPS, **module.allowed(optimizer="of_another_lr"))
    with pytest.raises(UserError, match="gives a tensor of 2×5 for 2 images; 2×10 is needed"):
        tiny.train(t.STEP, **module.allowed(model="five_classes"))
    assert not tiny.of(RunConfigured)


@pytest.mark.never_says("code.no_loss", "code.no_gradient", "code.no_network", "code.not_callable")
@pytest.mark.never_says("code.no_function", "code.tensor_of", "code.wrong_outputs", "code.not_allowed")
@pytest.mark.never_says("code.of_a_record", "code.wrong_form", "code.wrong_name", "code.another_module")
@pytest.mark.never_says("code.no_module", "code.not_logged", "code.no_number", "code.no_name")
@pytest.mark.never_says("code.no_names", "code.too_many", "code.failed", "code.failed_at")
@pytest.mark.never_says("code.own_smoothing")
def test_of_what_can_be_trained_with_nothing_is_said(tiny: TinyRun, own: Own) -> None:
    module = own(LOSSES.replace("nn.LazyLinear(5)", "nn.Linear(64, 10)"))
    tiny.train(t.STEP, epochs=1, **module.allowed(model="five_classes", loss="logs"))
    assert not tiny.of(Alert)


@pytest.mark.says("code.no_module", "code.failed", "code.failed_at", "code.another_module", "code.own_smoothing")
def test_what_cannot_be_loaded_is_said_with_the_line_that_is_at_fault(tiny: TinyRun, own: Own, tmp_path: Path) -> None:
    gone, torn, broken = own(), own("def same(:\n"), own("import math\n\nhalf = 1 / 0\n")
    gone.file.unlink()
    for module, words in {
        gone: f"there is no module {gone.name}, neither in {gone.folder} nor installed",
        torn: "SyntaxError: invalid syntax",
        broken: f"{broken.name}.py:3 in <module>: ZeroDivisionError: division by zero",
        own("import no_such_thing\n"): "No module named 'no_such_thing'",
    }.items():
        with pytest.raises(UserError) as error:
            tiny.train(t.STEP, **module.allowed(loss="same"))
        assert words in str(error.value)
    assert "tui_trainer" not in error.value.lines
    module = own()
    tiny.train(t.STEP, epochs=1, **module.allowed(loss="same"))
    smoothed = "label_smoothing = 0.1\n" + t.STEP
    with pytest.raises(UserError, match="leave one of them out"):
        tiny.train(smoothed, **module.allowed(loss="same"))
    module.folder = tmp_path / "other"
    module.folder.mkdir()
    (module.folder / module.file.name).write_text(LOSSES)
    with pytest.raises(UserError, match="begin a new one"):
        tiny.train(t.STEP, **module.allowed(loss="same"))


def test_an_error_while_it_trains_is_told_with_their_lines_alone(tiny: TinyRun, own: Own) -> None:
    module = own()
    options = module.allowed(loss="fails")
    with pytest.raises(ValueError, match="the moon is full") as error:
        tiny.train(t.STEP, **options)
    from tui_trainer.allowed_code import Code

    code = UserCode((Code("loss", module.of("fails"), str(module.folder)),))
    assert code.blame(error.value) == (
        f"error in your code, {module.name}.py:25 in of_another: ValueError: the moon is full"
    )
    told = code.lines_of(error.value)
    assert told.count("  File ") == 2
    assert told.splitlines()[-1] == "ValueError: the moon is full"
    assert code.blame(RuntimeError("of ours")) == ""


def test_numbers_that_lie_on_a_device_come_with_the_losses_each_to_its_step() -> None:
    events: list[AnyEvent] = []
    metrics = MetricAccumulator(events.append, ALONE, lambda: 1.0)
    outputs, labels = torch.zeros(2, 10), torch.zeros(2, dtype=torch.int64)
    for step in (1, 2, 3):
        on_device = {"x": torch.tensor(step / 4), "y": 0.1} if step != 2 else {"x": torch.tensor(float("nan"))}
        metrics.add_logged(dict(on_device))
        loss = torch.tensor(0.5 if step < 3 else float("inf"))
        added = {"outputs": outputs, "labels": labels, "lr": 0.1, "elapsed": 1.0}
        metrics.add_batch(step, 1, step, loss=loss, **added)  # type: ignore[arg-type]
    with pytest.raises(Diverged):
        metrics.report(wait=True)
    told = [(each.step, each.batch, each.values) for each in events if isinstance(each, MetricsLogged)]
    assert [(step, batch, [*values]) for step, batch, values in told] == [
        (1, 1, ["x", "y"]),
        (2, 2, ["x"]),
        (3, 3, ["x", "y"]),
    ]
    assert (told[0][2], told[2][2]) == ({"x": 0.25, "y": 0.1}, {"x": 0.75, "y": 0.1})
    assert math.isnan(told[1][2]["x"])


def logged(numbers: CodeNumbers, *values: object) -> dict[str, object]:
    with heard_by(numbers.hear):
        for each in values:
            log(each)  # type: ignore[arg-type]
    return dict(numbers.of_step(1))


@pytest.mark.says("code.not_logged", "code.no_number", "code.no_name", "code.no_names", "code.too_many")
def test_what_is_no_number_is_left_out_and_told_of_once() -> None:
    events: list[AnyEvent] = []
    numbers = CodeNumbers(events.append)
    nan, two = float("nan"), torch.ones(2)
    wrong: list[object] = [{"x": two}, {"x": "text"}, {"x": None}, {"": 1.0}, {3: 1.0}, 0.5, {"x" * 501: 1.0}]
    kept = logged(numbers, *wrong, *wrong, {"flag": True, "t": torch.tensor([2.0], requires_grad=True), "n": nan})
    assert (kept["flag"], kept["t"]) == (1.0, 2.0)
    assert math.isnan(kept["n"])  # type: ignore[arg-type]
    told = [event.text for event in events if isinstance(event, Alert)]
    assert len(told) == len(set(told)) == 5
    assert told[0] == "log: x is left out: it is no single number"
    logged(numbers, {f"name {number}": number for number in range(MOST)})
    assert sum(isinstance(event, MetricDeclared) for event in events) == MOST
    assert "more than 1,000 names" in [event.text for event in events if isinstance(event, Alert)][-1]


def test_a_name_of_the_run_itself_stands_beside_it_and_is_not_mixed_with_it() -> None:
    numbers = CodeNumbers(lambda _: None)
    assert logged(numbers, {"val_loss": 1.0, "grad_norm": 2.0, "mine": 3.0}) == {
        "val_loss (logged)": 1.0,
        "grad_norm (logged)": 2.0,
        "mine": 3.0,
    }


def test_where_nothing_trains_log_does_nothing() -> None:
    log({"margin": 1.0})
    log(None)  # type: ignore[arg-type]
