"""All that is wrong with a preset at once, each thing on its line, with what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.presets.drawing import Written, with_all_keys
from tui_trainer.presets.checks import check, check_text, parse
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset

SGD = '[optimizer]\nname = "SGD"\nmomentum = 0.9\n'
ONE_CYCLE = SGD + '[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n'


def with_scheduler(name: str, *lines: str) -> str:
    """A preset whose scheduler's name is on line 5, and its arguments from line 6 on."""
    return SGD + "\n".join(["[scheduler]", f'name = "{name}"', *lines])


def said(text: str, run: RunConditions | None = None) -> list[str]:
    """Every problem without the file's name, warnings marked by a question mark."""
    problems = check_text(text, "p", run).problems
    return [f"{'?' if problem.severity == 'warning' else ''}{problem}".replace("p:", "", 1) for problem in problems]


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    assert said(
        """
titel = "x"
description = 3
[training]
epochs = "10"
batch_size = 0
[optimizer]
name = "SGDD"
momentum = 1
nesterov = "yes"
[scheduler]
stepsize = 3
name = "StepLR"
gamma = -0.5
verbose = true
[warmup]
epochs = 2.5
"""
    ) == [
        "2: titel: not known to a preset; did you mean title?",
        "3: description: 3 is not text; put it in quotes",
        '5: training.epochs: "10" is text; write 10 without the quotes',
        "6: training.batch_size: 0 is out of range; at least 1 and at most 10,000,000 is right",
        '8: optimizer.name: "SGDD" is not known; did you mean SGD?',
        "9: optimizer.momentum: 1 is out of range; at least 0 and less than 1 is right",
        '10: optimizer.nesterov: "yes" is neither true nor false; write one of them, without quotes',
        "12: scheduler.stepsize: not known to StepLR; did you mean step_size?",
        "14: scheduler.gamma: -0.5 is out of range; more than 0 is right",
        "15: scheduler.verbose: PyTorch has removed it, and every change of the LR is shown here anyway; leave it out",
        "17: warmup.epochs: 2.5 is not a whole number",
    ]


def test_a_broken_table_does_not_hide_what_the_others_lead_to() -> None:
    assert said(
        "[training]\nepochs = 0\n" + SGD + "nesterov = true\ndampening = 1\n" + "[scheduler]\nname = 'nope'"
    ) == [
        "2: training.epochs: 0 is out of range; at least 1 and at most 1,000,000 is right",
        "7: optimizer.dampening: Nesterov momentum allows none; take one of the two out",
        '9: scheduler.name: "nope" is not known; did you mean none?',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "optimizer: missing; write [optimizer] and, below it, such as name"),
        ("[optimiser]\nname = 'SGD'", "1: optimiser: not known to a preset; did you mean optimizer?"),
        ("optimizer = 3", "1: optimizer: is a table; write [optimizer] on a line above its keys"),
        ("[[optimizer]]\nname = 'SGD'", "1: optimizer: is a table"),
        ("[optimizer]\nlr = 0.1", "1: optimizer.name: missing; one of SGD, Adam,"),
        ("[optimizer]\nname = 3", "2: optimizer.name: 3 is not a name; one of SGD"),
        ("[optimizer]\nname = 'LBFGS'", "2: optimizer.name: LBFGS calls the loss several times a step"),
        ("[optimizer]\nname = 'qqqq'", '2: optimizer.name: "qqqq" is not known; one of SGD, Adam,'),
        (SGD + "lr = nan", "4: optimizer.lr: nan is not a finite number"),
        (SGD + "lr = inf", "4: optimizer.lr: inf is"),
        (SGD + "lr = '0.1'", '4: optimizer.lr: "0.1" is text; write 0.1 without the quotes'),
        ("[training]\nepochs = '0.5'\n" + SGD, '2: training.epochs: "0.5" is not a whole number'),
        (
            with_scheduler("MultiStepLR", f"milestones = {[1] * 1001}"),
            "6: scheduler.milestones: 1,001 numbers are too many",
        ),
        (SGD + "lr = 'fast'", '4: optimizer.lr: "fast" is not a number'),
        (SGD + "lr = true", "4: optimizer.lr: true is not a number"),
        (SGD + "lr = [0.1]", "4: optimizer.lr: a list is not a number"),
        (SGD + "lr = 1e999", "4: optimizer.lr: inf is"),
        (SGD + "lr = 2024-01-01", "4: optimizer.lr: 2024-01-01 is not a number"),
        (SGD + "betas = [0.9, 0.999]", "4: optimizer.betas: not known to SGD; Adam, AdamW, NAdam take it"),
        (SGD + "epochs = 3", "4: optimizer.epochs: not known to SGD; it belongs in [training]"),
        (SGD + "gamma = 3", "4: optimizer.gamma: not known to SGD; it belongs in [scheduler]"),
        (SGD + "learning_rate = 3", "4: optimizer.learning_rate: not known to SGD; did you mean lr?"),
        (SGD + "fused = true", "4: optimizer.fused: changes speed and not results"),
        ("[optimizer]\nname = 'Adam'\nbetas = [0.9]", "3: optimizer.betas: a list is not a pair of numbers"),
        ("[optimizer]\nname = 'Adam'\nbetas = [0.9, 1]", "3: optimizer.betas: item 2, 1 is out of range; at least 0"),
        ("[optimizer]\nname = 'Adam'\nbeta1 = 0.9", "3: optimizer.beta1: not known to Adam; did you mean betas?"),
        (with_scheduler("StepLR"), "4: scheduler.step_size: missing; it says how many steps"),
        (with_scheduler("StepLR", "step_size = 0"), "6: scheduler.step_size: 0 is out of range; at least 1"),
        (with_scheduler("StepLR", "step_size = 5.0"), "6: scheduler.step_size: 5.0 is not written as a whole"),
        (with_scheduler("StepLR", "last_epoch = 5", "step_size = 5"), "6: scheduler.last_epoch: is for resuming"),
        (with_scheduler("steplr", "step_size = 5"), '5: scheduler.name: "steplr" is not known; did you mean'),
        (with_scheduler("MultiplicativeLR"), "5: scheduler.name: MultiplicativeLR takes a function"),
        (with_scheduler("ChainedScheduler"), "5: scheduler.name: ChainedScheduler multiplies several; Seq"),
        (with_scheduler("SequentialLR"), "4: scheduler.stages: is a list of tables; write [[scheduler.stages]]"),
        (with_scheduler("LambdaLR"), "4: scheduler.formula: missing; it says which one"),
        (with_scheduler("none", "interval = 'step'"), "6: scheduler.interval: none: there is no scheduler"),
        (with_scheduler("OneCycleLR"), "4: scheduler.max_lr: missing; it says the learning rate at the peak"),
        (ONE_CYCLE + "total_steps = 5", "7: scheduler.total_steps: follows from the run's length"),
        (ONE_CYCLE + "scale_fn = 'x'", "7: scheduler.scale_fn: is a function"),
        (ONE_CYCLE + "monitor = 'val_loss'", "7: scheduler.monitor: OneCycleLR: only ReduceLROnPlateau watches"),
        (ONE_CYCLE + "pct_start = 1", "7: scheduler.pct_start: 1 is out of range; more than 0 and less than 1"),
        (
            ONE_CYCLE + "anneal_strategy = 'cosine'",
            '7: scheduler.anneal_strategy: "cosine" is not known; did you mean "cos"',
        ),
        (ONE_CYCLE + "interval = 'batch'", '7: scheduler.interval: "batch" is not known; "step" or "epoch" is'),
        (
            with_scheduler("CosineAnnealingLR", "min_lr = 0"),
            "6: scheduler.min_lr: not known to CosineAnnealingLR; did you mean eta_min",
        ),
        (with_scheduler("MultiStepLR", "milestones = [3, 0]"), "6: scheduler.milestones: item 2, 0 is out of range"),
        (with_scheduler("MultiStepLR", "milestones = 3"), "6: scheduler.milestones: 3 is not a list of numbers"),
        (
            with_scheduler("ReduceLROnPlateau", "interval = 'step'"),
            "6: scheduler.interval: there is no validation loss",
        ),
        (f"title = '{'x' * 300}'\n" + SGD, "1: title: 300 characters are too many; at most 200"),
    ],
)
def test_what_is_wrong_and_what_would_be_right(text: str, expected: str) -> None:
    (problem,) = said(text)
    assert problem.removeprefix(" ").startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[optimizer]\nname = 'SGD'\nnesterov = true", ["3: optimizer.nesterov: needs momentum; add momentum = 0.9"]),
        (
            SGD + "lr = 0.1\n" + ONE_CYCLE[len(SGD) :],
            ["?4: optimizer.lr: not used: OneCycleLR starts at max_lr / div_factor, 0.004"],
        ),
        (
            ONE_CYCLE.replace("SGD", "Adagrad").replace("momentum = 0.9\n", ""),
            ["3: scheduler.cycle_momentum: Adagrad has no momentum to cycle; write cycle_momentum = false"],
        ),
        (ONE_CYCLE + "cycle_momentum = false", []),
        (
            ONE_CYCLE + "base_momentum = 0.99",
            ["7: scheduler.base_momentum: the lower end of the cycle is above max_momentum, 0.95"],
        ),
        (
            ONE_CYCLE + "pct_start = 0.1\ninterval = 'epoch'",
            ["7: scheduler.pct_start: of 10 epochs it leaves a phase without a step, and torch divides by zero;"],
        ),
        (
            ONE_CYCLE + "pct_start = 0.0001",
            ["?7: scheduler.pct_start: 0.0001 of 630 batches is less than one, so the LR never climbs; 0.0024 wo"],
        ),
        (
            ONE_CYCLE + "pct_start = 0.6\nthree_phase = true",
            ["7: scheduler.pct_start: with three_phase the way up takes so much"],
        ),
        (
            ONE_CYCLE + "final_div_factor = 0.001",
            ["7: scheduler.final_div_factor: so small that the run would end above max_lr"],
        ),
        (ONE_CYCLE + "[warmup]\nepochs = 1", ["7: warmup: OneCycleLR has a warm-up of its own"]),
        (
            with_scheduler("CyclicLR", "base_lr = 0.1", "max_lr = 0.1", "step_size_up = 50", "[warmup]"),
            ["7: scheduler.max_lr: the top is not above base_lr, 0.1", "9: warmup: CyclicLR begins low"],
        ),
        (
            with_scheduler("CyclicLR", "base_lr = 0.1", "max_lr = 0.2", "gamma = 0.5"),
            [
                "?4: scheduler.step_size_up: the top is never reached: the run has 630 batches",
                '?8: scheduler.gamma: not used by mode "triangular"',
            ],
        ),
        (
            with_scheduler("CosineAnnealingLR", "T_max = 5"),
            ["?6: scheduler.T_max: the LR climbs again before the end: 10 epochs would fill the run"],
        ),
        (
            with_scheduler("CosineAnnealingLR", "T_max = 20"),
            ["?6: scheduler.T_max: the LR never gets down to eta_min: 10 epochs would"],
        ),
        (with_scheduler("CosineAnnealingLR", "T_max = 9", "[warmup]"), []),
        (
            with_scheduler("CosineAnnealingLR", "eta_min = 0.01"),
            ["?6: scheduler.eta_min: above the optimizer's lr, 0.001"],
        ),
        (
            with_scheduler("StepLR", "step_size = 10"),
            ["?6: scheduler.step_size: never reached: the run has 10 epochs; less than 10 would drop the LR"],
        ),
        (
            with_scheduler("StepLR", "step_size = 9", "[warmup]"),
            ["?6: scheduler.step_size: never reached: the warm-up leaves 9 epochs"],
        ),
        (with_scheduler("StepLR", "step_size = 100", "interval = 'step'", "gamma = 0.5"), []),
        (
            with_scheduler("StepLR", "step_size = 10", "interval = 'step'", "gamma = 0.5"),
            ["?8: scheduler.gamma: after 62 drops the LR ends at 2e-19 of its start, where nothing is learned; 0"],
        ),
        (
            with_scheduler("ExponentialLR", "gamma = 0.9", "interval = 'step'"),
            ["?6: scheduler.gamma: after 629 drops the LR ends at 2e-29"],
        ),
        (
            with_scheduler("ExponentialLR", "gamma = 1.1"),
            ["?6: scheduler.gamma: 1.1 makes the LR grow; less than 1 lets it fall"],
        ),
        (
            with_scheduler("ExponentialLR", "gamma = 1e300"),
            ["?6: scheduler.gamma: 1e+300 makes the LR grow", "6: scheduler.gamma: makes the LR grow past all numbers"],
        ),
        (
            with_scheduler("MultiStepLR", "milestones = [7, 3]"),
            ["6: scheduler.milestones: not in rising order; write [3, 7]"],
        ),
        (
            with_scheduler("MultiStepLR", "milestones = [3, 10]"),
            ["?6: scheduler.milestones: 10 is never reached: the run has 10 epochs; less than 10 would be"],
        ),
        (with_scheduler("CosineAnnealingWarmRestarts", "T_0 = 10"), ["?6: scheduler.T_0: no restart comes"]),
        (
            with_scheduler("ReduceLROnPlateau", "monitor = 'val_accuracy'", "mode = 'min'", "patience = 2"),
            ['7: scheduler.mode: "min" takes a val_accuracy that gets worse for better; write "max"'],
        ),
        (with_scheduler("ReduceLROnPlateau", "monitor = 'val_accuracy'", "patience = 2"), []),
        (
            with_scheduler("ReduceLROnPlateau", "mode = 'max'", "patience = 2"),
            ['6: scheduler.mode: "max" takes a val_loss'],
        ),
        (
            with_scheduler("ReduceLROnPlateau"),
            ["?4: scheduler.patience: no drop can come in time: the run has 10 epochs; less than 8 would let one"],
        ),
        (with_scheduler("ReduceLROnPlateau", "patience = 2", "min_lr = 0.01"), ["?7: scheduler.min_lr: not below"]),
        (
            with_scheduler("ConstantLR"),
            ["?4: scheduler.total_iters: the factor holds to the end of the run; less than 10 would lift it"],
        ),
        (
            with_scheduler("ConstantLR", "factor = 1", "total_iters = 3"),
            ["?6: scheduler.factor: 1 leaves the LR as it is"],
        ),
        (with_scheduler("LinearLR", "start_factor = 1.0"), ["?4: scheduler.end_factor: the same as start_factor"]),
        (with_scheduler("PolynomialLR", "total_iters = 5"), ["?6: scheduler.total_iters: the LR is 0 from there on"]),
        (
            with_scheduler("LinearLR", "total_iters = 50"),
            ["?6: scheduler.total_iters: the run ends before the curve does: 10 epochs would fill"],
        ),
        (
            "[training]\nepochs = 2\n" + SGD + "[warmup]\nepochs = 2",
            ["7: warmup.epochs: leaves nothing of 2 epochs; less than 2 would leave some"],
        ),
        ("[training]\nbatch_size = 5000\n" + SGD, ["?2: training.batch_size: more than the 4,000 training images"]),
    ],
)
def test_what_goes_wrong_with_schedulers(text: str, expected: list[str]) -> None:
    problems = said(text)
    assert len(problems) == len(expected), problems
    for problem, words in zip(problems, expected, strict=True):
        assert problem.startswith(words)


def lr_warnings(text: str) -> list[str]:
    return [line for line in said(text) if "nothing is learned:" in line]


@pytest.mark.parametrize(
    "text",
    [
        'name = "SGD"\nlr = 10',
        'name = "SGD"\nlr = 20.0\nmomentum = 0.9',
        *(f'name = "{name}"\nlr = 1.0' for name in ("Adam", "AdamW", "NAdam", "RAdam", "RMSprop")),
        'name = "Adam"\n[scheduler]\nname = "OneCycleLR"\nmax_lr = 1.0',
        'name = "SGD"\n[scheduler]\nname = "CyclicLR"\nbase_lr = 0.1\nmax_lr = 10\nstep_size_up = 300',
        'name = "SGD"\nlr = 10\n[warmup]\nepochs = 1',
        'name = "SGD"\nlr = 10\n[scheduler]\nname = "StepLR"\nstep_size = 1',
        'name = "SGD"\nlr = 20\n[scheduler]\nname = "ConstantLR"\ntotal_iters = 3',
        'name = "SGD"\nlr = 20\n[scheduler]\nname = "LinearLR"\nstart_factor = 0.1\ntotal_iters = 3',
    ],
)
def test_an_lr_that_no_run_survives_is_warned_of(text: str) -> None:
    (warning,) = lr_warnings(f"[optimizer]\n{text}")
    assert warning.startswith("?")
    assert re.search(r"(optimizer\.lr|scheduler\.max_lr): the LR comes to (10|20|1), and", warning)


@pytest.mark.parametrize(
    "text",
    [
        'name = "SGD"\nlr = 3.0\nmomentum = 0.9',
        *(f'name = "{name}"\nlr = 0.5' for name in ("Adam", "AdamW", "NAdam", "RAdam", "RMSprop")),
        'name = "Adadelta"',
        'name = "Adagrad"\nlr = 1.0',
        'name = "Adam"\nlr = 1.0\neps = 1.0',
        'name = "Adam"\nlr = 1.0\n[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.01',
        'name = "SGD"\nlr = 20\n[scheduler]\nname = "ConstantLR"\nfactor = 0.01',
        'name = "SGD"\nlr = 20\n[scheduler]\nname = "LinearLR"\nstart_factor = 0.1\nend_factor = 0.01',
    ],
)
def test_an_lr_that_some_run_survives_is_not_warned_of(text: str) -> None:
    assert lr_warnings(f"[optimizer]\n{text}") == []


@pytest.mark.parametrize("file", sorted(shipped_folder().glob("*.toml")), ids=lambda file: file.stem)
def test_no_shipped_preset_has_an_lr_that_is_warned_of(file: Path) -> None:
    assert lr_warnings(file.read_text()) == []


def test_a_last_batch_of_one_image_with_batch_norm() -> None:
    text = "[training]\nbatch_size = 31\n" + SGD
    assert said(text, RunConditions(4000, batchnorm=False)) == []
    assert said(text, RunConditions(4000, batchnorm=True))[0].startswith(
        "?2: training.batch_size: leaves a last batch of one image"
    )
    alone = said(text.replace("31", "1"), RunConditions(4000, batchnorm=True))
    assert alone[0].startswith("?2: training.batch_size: gives BatchNorm one image")
    assert said(text, RunConditions(1, batchnorm=True))[0].startswith(
        "?2: training.batch_size: more than the 1 training image,"
    )


def test_epochs_and_batch_size_from_elsewhere_are_blamed_on_the_option() -> None:
    text = "[training]\nepochs = 10\nbatch_size = 64\n" + SGD + "[warmup]\nepochs = 3"
    assert check_text(text, "p").problems == []
    (problem,) = check_text(text, "p", epochs=3).problems
    assert str(problem) == "p:8: warmup.epochs: leaves nothing of 3 epochs; less than 3 would leave some"
    (problem,) = check_text(text, "p", batch_size=5000).problems
    assert str(problem).startswith("--batch-size: more than")
    with pytest.raises(PresetError, match=r"^--epochs: 0 is out of range"):
        parse(text, "p").with_training(epochs=0)


@given(with_all_keys(), st.integers(1, 10**7), st.booleans())
@settings(max_examples=75, deadline=None)
def test_rules_have_a_word_for_every_preset_and_no_trouble(case: Written, images: int, batchnorm: bool) -> None:
    preset = Preset.model_validate(case.tables)
    for problem in check(preset, RunConditions(images, batchnorm)):
        table, _, key = problem.key.partition(".")
        fields = type(getattr(preset, table)).model_fields
        assert not key or key.partition(".")[0] in fields
        assert problem.message
        assert problem.line is None


# Lines.

TEXTS = {path.stem: path.read_text() for path in sorted(shipped_folder().glob("*.toml"))}
WRONG = ["-1", '"x"', "[]", "nan", "{}", "1e400", "true", "0", "99999999"]


def line_of(text: str, key: str) -> int | None:
    """Where a key stands in a preset written a key a line, else where its table does."""
    table, here, header = "", {}, {}
    for number, line in enumerate(text.split("\n"), 1):
        if match := re.fullmatch(r"\[(\w+)\]", line):
            table = match[1]
            header[table] = number
        elif match := re.match(r"(\w+) = ", line):
            here[f"{table}.{match[1]}".lstrip(".")] = number
    return here.get(key, header.get(key.split(".")[0]))


@given(st.sampled_from(sorted(TEXTS)), st.data())
@settings(max_examples=75, deadline=None)
def test_every_problem_names_the_line_where_its_key_stands(name: str, data: st.DataObject) -> None:
    lines = TEXTS[name].split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[at].partition(" = ")
        change = data.draw(st.sampled_from(["drop", "misspell", "value", "blank", "comment"]))
        if change == "drop":
            del lines[at]
        elif change == "blank":
            lines.insert(at, "")
        elif change == "comment":
            lines.insert(at, "# name = 3")
        elif equals and change == "misspell":
            lines[at] = f"{key}x = 1"
        elif equals:
            lines[at] = f"{key} = {data.draw(st.sampled_from(WRONG))}"
    text = "\n".join(lines)

    for problem in check_text(text, "p").problems:
        if problem.key and "given twice" not in problem.message:
            assert problem.line == line_of(text, problem.key), str(problem)
