"""What is said of a key of a preset: in each case that, and nothing else."""

from __future__ import annotations

import pytest

from tests.presets.test_problems import ONE_CYCLE, SGD, with_scheduler
from tui_trainer.presets.checks import check_text
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.presets.wording import UNKNOWN
from tui_trainer.text.captions import CAPTIONS

ADAM = "[optimizer]\nname = 'Adam'\n"
IDS = {id for id in CAPTIONS if id.startswith("key.")}

CASES: dict[str, tuple[str, set[str], str]] = {
    "deep": (SGD + "x = " + "[" * 2000, {"key.too_deep"}, "nested too deeply for a preset, which is tables of plain"),
    "twice": (SGD + "lr = 1\nlr = 2", {"key.twice"}, "given twice, first on line 4; keep one"),
    "no TOML": ("optimizer", {"key.no_toml"}, "not valid TOML: "),
    "a table of nobody's": ("[qqqq]\n" + SGD, {"key.unknown", "key.top_has"}, "not known to a preset; it has title, "),
    "a misspelt table": (
        "[trainin]\n" + SGD,
        {"key.unknown", "key.top_meant"},
        "not known to a preset; did you mean tr",
    ),
    "what options tell": (
        "webhook = 'x'\n" + SGD,
        {"key.unknown", "key.by_options"},
        "not known to a preset; a preset holds no commands and no addresses; give them on the command line",
    ),
    "a data set at the top": (
        "dataset = 'mnist'\n" + SGD,
        {"key.unknown", "key.belongs_in"},
        "not known to a preset; it belongs in [for]",
    ),
    "no optimizer": ("title = 'x'", {"key.no_optimizer"}, 'missing; write [optimizer] and, below it, such as name = "'),
    "no table": ("optimizer = 3", {"key.no_table"}, "is a table; write [optimizer] on a line above its keys"),
    "no rules": ("alerts = 3\n" + SGD, {"key.no_rules"}, 'is a list of rules in quotes; write such as ["val_loss > 2'),
    "no rule": ("alerts = ['loss']\n" + SGD, {"key.rule"}, 'item 1, "loss": '),
    "nameless": ("[optimizer]\nlr = 1", {"key.nameless"}, "missing; one of SGD, "),
    "a nameless stage": (
        with_scheduler("SequentialLR", "[[scheduler.stages]]\nepochs = 2"),
        {"key.nameless"},
        "missing; one of none, ",
    ),
    "a network's option elsewhere": (
        "[training]\ndropout = 0.1\n" + SGD,
        {"key.at_home", "key.belongs_in"},
        "not known to [training]; it belongs in [model]",
    ),
    "a model at the top": ("model = 'mlp'\n" + SGD, {"key.belongs_in"}, "it belongs in [for]"),
    "a nameless transform": (
        "[training]\naugmentation = [{p = 0.5}]\n" + SGD,
        {"key.nameless"},
        "missing; one of RandomCrop, ",
    ),
    "no augmentation": (
        "[training]\naugmentation = 'RandomCrop'\n" + SGD,
        {"key.no_augmentation"},
        'is a list of transforms; write such as [{name = "RandomCrop", padding = 4}, "RandomHorizontalFlip"]',
    ),
    "many transforms": (
        f"[training]\naugmentation = {['RandomErasing'] * 21}\n" + SGD,
        {"key.many_transforms"},
        "21 transforms are too many; at most 20",
    ),
    "the size of images": (
        "[[training.augmentation]]\nname = 'RandomCrop'\npadding = 4\nsize = 32\n" + SGD,
        {"key.size_of_images"},
        "is that of the images; leave it out",
    ),
    "what mixes images": (
        "[training]\naugmentation = ['MixUp']\n" + SGD,
        {"key.left_out", "key.mixes"},
        "MixUp mixes images and their labels, and here each image is changed by itself; one of RandomCrop, ",
    ),
    "what is done anyway": (
        "[training]\naugmentation = [{name = 'Normalize'}]\n" + SGD,
        {"key.left_out", "key.done"},
        "Normalize is done here anyway, with the mean and the deviation of the data set; one of ",
    ),
    "another size": (
        "[training]\naugmentation = ['RandomResizedCrop']\n" + SGD,
        {"key.left_out", "key.other_size"},
        "RandomResizedCrop is for images of other sizes",
    ),
    "a cutout": (
        "[training]\naugmentation = ['Cutout']\n" + SGD,
        {"key.left_out", "key.cutout"},
        "Cutout is RandomErasing here: of a square of 16 in 32×32, with p = 1.0, scale = [0.25, 0.25] and ratio",
    ),
    "a misspelt transform": (
        "[training]\naugmentation = ['TrivialAugment']\n" + SGD,
        {"key.name_meant"},
        '"TrivialAugment" is not known; did you mean TrivialAugmentWide?',
    ),
    "a table for a number": (
        with_scheduler("StepLR", "step_size = {x = 1}"),
        {"key.no_whole_number", "key.a_table"},
        "a table is not a whole number",
    ),
    "an empty list": (
        with_scheduler("StepLR", "step_size = []"),
        {"key.no_whole_number", "key.empty_list"},
        "an empty list is not a whole number",
    ),
    "missing": (with_scheduler("StepLR"), {"key.missing"}, "missing; it says how many steps"),
    "misspelt": (SGD + "learning_rate = 3", {"key.meant"}, "not known to SGD; did you mean lr?"),
    "at home elsewhere": (
        SGD + "epochs = 3",
        {"key.at_home", "key.belongs_in"},
        "not known to SGD; it belongs in [training]",
    ),
    "at home in a table for data": (
        SGD + "dataset = 'mnist'",
        {"key.at_home", "key.belongs_in"},
        "not known to SGD; it belongs in [for]",
    ),
    "called otherwise elsewhere": (
        "[training]\nmax_grad_norm = 1\n" + SGD,
        {"key.meant"},
        "not known to [training]; did you mean clip_grad_norm?",
    ),
    "called otherwise by Lightning": (
        "[training]\naccumulate_grad_batches = 4\n" + SGD,
        {"key.meant"},
        "not known to [training]; did you mean accumulate?",
    ),
    "called otherwise by timm": (
        "[training]\nmodel_ema_decay = 0.99\n" + SGD,
        {"key.meant"},
        "not known to [training]; did you mean ema_decay?",
    ),
    "a setting of the training": (
        SGD + "clip_grad_value = 1",
        {"key.at_home", "key.belongs_in"},
        "not known to SGD; it belongs in [training]",
    ),
    "early stopping that is none": (
        "[training]\nearly_stopping = 3\n" + SGD,
        {"key.no_early_stopping"},
        'is a table; write such as {monitor = "val_loss", patience = 3}',
    ),
    "a key of early stopping": (
        "[training]\nearly_stopping = {patiense = 3}\n" + SGD,
        {"key.meant"},
        "not known to early_stopping; did you mean patience?",
    ),
    "groups that are none": (SGD + "groups = 3", {"key.no_groups"}, "is a list of tables; write [[optimizer.groups]]"),
    "groups without end": (
        SGD + "[[optimizer.groups]]\nmatch = 'bias'\nlr = 1\n" * 51,
        {"key.many_groups"},
        "51 groups are too many; at most 50",
    ),
    "a key of a group": (
        SGD + "[[optimizer.groups]]\nmatch = 'bias'\nlr_scael = 2\n",
        {"key.meant"},
        "not known to [[optimizer.groups]]; did you mean lr_scale?",
    ),
    "a kind of parameters": (
        SGD + "[[optimizer.groups]]\nmatch = 'norms'\nlr = 2\n",
        {"key.choice_meant"},
        '"norms" is not known; did you mean "norm"?',
    ),
    "an LR of a list": (
        with_scheduler("OneCycleLR", "max_lr = [0.1, 'x']"),
        {"key.no_number"},
        'item 2, "x" is not a number',
    ),
    "at home in the scheduler": (
        SGD + "gamma = 3",
        {"key.at_home", "key.belongs_in"},
        "not known to SGD; it belongs in [scheduler]",
    ),
    "known to one": (
        SGD + "rho = 3",
        {"key.at_home", "key.takes_it"},
        "not known to SGD; Adadelta takes it",
    ),
    "known to several": (
        SGD + "betas = [0.9, 0.999]",
        {"key.at_home", "key.take_it"},
        "not known to SGD; Adam, AdamW, NAdam take it",
    ),
    "known to none": (SGD + "qqqq = 3", {"key.takes"}, "not known to SGD, which takes lr, weight_decay"),
    "known to a class without arguments": (
        with_scheduler("none", "qqqq = 3"),
        {"key.takes_none"},
        "none takes no arguments",
    ),
    "for speed": (
        SGD + "fused = true",
        {"key.speed"},
        "changes speed and not results, so the program chooses it; leave",
    ),
    "upwards": (SGD + "maximize = true", {"key.maximize"}, "would climb the loss instead of going down; leave it out"),
    "parameters": (SGD + "params = 3", {"key.params"}, "are the model's own; leave it out"),
    "verbose": (
        with_scheduler("ExponentialLR", "gamma = 0.9", "verbose = true"),
        {"key.verbose"},
        "PyTorch has removed it, and every change of the LR is shown here anyway; leave it out",
    ),
    "the last epoch": (
        with_scheduler("ExponentialLR", "gamma = 0.9", "last_epoch = 3"),
        {"key.last_epoch"},
        "is for resuming, which takes care of itself here; leave it out",
    ),
    "the optimizer": (
        with_scheduler("ExponentialLR", "gamma = 0.9", "optimizer = 3"),
        {"key.optimizer"},
        "is the one of the [optimizer] table; leave it out",
    ),
    "the length": (
        ONE_CYCLE + "total_steps = 3",
        {"key.length"},
        "follows from the run's length and is filled in; leave",
    ),
    "a function": (
        ONE_CYCLE + "scale_fn = 'x'",
        {"key.scale_fn"},
        "is a function, and a preset holds no code; choose a mode instead",
    ),
    "its mode": (
        ONE_CYCLE + "scale_mode = 'x'",
        {"key.scale_mode"},
        "belongs to scale_fn, a function, and a preset holds no code; choose a mode instead",
    ),
    "another function": (ONE_CYCLE + "lr_lambda = 'x'", {"key.lr_lambda"}, "is a function, and a preset holds no code"),
    "a metric": (
        ONE_CYCLE + "monitor = 'val_loss'",
        {"key.monitor"},
        "OneCycleLR: only ReduceLROnPlateau watches a metric; leave it out",
    ),
    "an interval": (
        with_scheduler("none", "interval = 'step'"),
        {"key.interval"},
        "none: there is no scheduler to step; leave it out",
    ),
    "an interval without a loss": (
        with_scheduler("ReduceLROnPlateau", "patience = 1", "interval = 'step'"),
        {"key.no_val_loss"},
        'there is no validation loss after a batch to watch; "epoch" is right, or leave it out',
    ),
    "a name that is none": ("[optimizer]\nname = 3", {"key.not_a_name"}, "3 is not a name; one of SGD, Adam"),
    "a name that is left out": (
        with_scheduler("MultiplicativeLR"),
        {"key.left_out", "key.function"},
        "MultiplicativeLR takes a function, and a preset holds no code; one of none,",
    ),
    "an optimizer of matrices": (
        '[optimizer]\nname = "Muon"',
        {"key.left_out", "key.muon"},
        "Muon takes matrices alone, in a group beside an optimizer for the rest: [[optimizer.groups]] with match =",
    ),
    "what SWA brings": (
        with_scheduler("SWALR"),
        {"key.left_out", "key.swalr"},
        "SWALR is swa_lr in [training], beside swa_start, and goes on from a scheduler; one of none,",
    ),
    "another optimizer in a group": (
        SGD + "[[optimizer.groups]]\nmatch = 'matrix'\noptimizer = 'AdamW'",
        {"key.choice_unknown", "key.only"},
        '"AdamW" is not known; only "Muon" is',
    ),
    "what another optimizer has": (
        SGD + "[[optimizer.groups]]\nmatch = 'matrix'\noptimizer = 'Muon'\namsgrad = true",
        {"key.at_home", "key.take_it"},
        "not known to [[optimizer.groups]] of Muon; Adam, AdamW take it",
    ),
    "several in one": (
        with_scheduler("ChainedScheduler"),
        {"key.left_out", "key.joins"},
        "ChainedScheduler multiplies several; SequentialLR puts them one after the other,",
    ),
    "no stages": (with_scheduler("SequentialLR"), {"key.no_stages"}, "is a list of tables; write [[scheduler.stages]]"),
    "a misspelt key of a stage": (
        with_scheduler("SequentialLR", "[[scheduler.stages]]\nname = 'StepLR'\nstep_size = 2\ngama = 0.5"),
        {"key.meant"},
        "not known to StepLR; did you mean gamma?",
    ),
    "an interval of a stage": (
        with_scheduler("SequentialLR", "[[scheduler.stages]]\nname = 'none'\ninterval = 'step'"),
        {"key.of_all_stages"},
        "belongs in [scheduler], and holds for all stages",
    ),
    "no stage": (
        with_scheduler("SequentialLR", "[[scheduler.stages]]\nname = 'OneCycleLR'\nmax_lr = 0.1"),
        {"key.no_stage"},
        "OneCycleLR cannot be a stage; one of none,",
    ),
    "a list where points are due": (
        with_scheduler("PiecewiseLinear", "points = [1, 2]"),
        {"key.no_points"},
        "is a list of pairs, when and which LR; write such as [[0, 0.01],",
    ),
    "LBFGS": (
        "[optimizer]\nname = 'LBFGS'",
        {"key.left_out", "key.lbfgs"},
        "LBFGS calls the loss several times a step, which this training loop does not; one of SGD",
    ),
    "SparseAdam": (
        "[optimizer]\nname = 'SparseAdam'",
        {"key.left_out", "key.sparse"},
        "SparseAdam is for sparse gradients, which these models have not; one of SGD",
    ),
    "a misspelt name": ("[optimizer]\nname = 'SGDD'", {"key.name_meant"}, '"SGDD" is not known; did you mean SGD?'),
    "no name at all": ("[optimizer]\nname = 'qqqq'", {"key.name_unknown"}, '"qqqq" is not known; one of SGD, Adam'),
    "a switch": (
        SGD + "nesterov = 'yes'",
        {"key.not_bool"},
        '"yes" is neither true nor false; write one of them, without quotes',
    ),
    "a text": ("title = 3\n" + SGD, {"key.not_text"}, "3 is not text; put it in quotes"),
    "a long text": (f"title = '{'x' * 300}'\n" + SGD, {"key.too_long"}, "300 characters are too many; at most 200"),
    "nan": (SGD + "lr = nan", {"key.not_finite"}, "nan is not a finite number"),
    "out of range": (SGD + "lr = -1", {"key.out_of_range"}, "-1 is out of range; more than 0"),
    "out of all ranges": (
        SGD + f"lr = {10**400}",
        {"key.too_large", "key.many_digits"},
        "a number of far too many digits is out of range",
    ),
    "in quotes": (SGD + "lr = '0.1'", {"key.in_quotes"}, '"0.1" is text; write 0.1 without the quotes'),
    "with a point": (
        with_scheduler("StepLR", "step_size = 5.0"),
        {"key.not_whole"},
        "5.0 is not written as a whole number; write 5",
    ),
    "no number": (SGD + "lr = 'fast'", {"key.no_number"}, '"fast" is not a number'),
    "no whole number": (
        with_scheduler("StepLR", "step_size = 2.5"),
        {"key.no_whole_number"},
        "2.5 is not a whole number",
    ),
    "a misspelt choice": (
        ONE_CYCLE + "anneal_strategy = 'cosine'",
        {"key.choice_meant"},
        '"cosine" is not known; did you mean "cos"?',
    ),
    "no choice": (
        ONE_CYCLE + "interval = 'qq'",
        {"key.choice_unknown", "key.either"},
        '"qq" is not known; "step" or "epoch" is',
    ),
    "the only choice": (
        with_scheduler("ReduceLROnPlateau", "patience = 1", "interval = 'qq'"),
        {"key.choice_unknown", "key.only"},
        '"qq" is not known; only "epoch" is',
    ),
    "no pair": (
        ADAM + "betas = [0.9]",
        {"key.no_pair", "key.a_list"},
        "a list is not a pair of numbers; write such as [0.9, 0.999]",
    ),
    "no list": (
        with_scheduler("MultiStepLR", "milestones = 3"),
        {"key.no_list"},
        "3 is not a list of numbers; write such as [3, 7]",
    ),
    "a long list": (
        with_scheduler("MultiStepLR", f"milestones = {[1] * 1001}"),
        {"key.long_list"},
        "1,001 numbers are too many for a list",
    ),
}


@pytest.mark.says("key.*")
@pytest.mark.never_says("key.*")
@pytest.mark.parametrize("case", CASES)
def test_this_is_said_and_nothing_else(case: str, captions_said: set[str]) -> None:
    text, ids, words = CASES[case]
    told = "\n".join(problem.message for problem in check_text(text, "p").problems)
    assert words in told
    assert captions_said & IDS == ids


@pytest.mark.never_says("key.*")
@pytest.mark.parametrize("name", [*OPTIMIZERS, *SCHEDULERS])
def test_of_a_key_that_a_class_knows_none_is_said_to_have_no_place(name: str) -> None:
    for table, kinds in (("optimizer", OPTIMIZERS), ("scheduler", SCHEDULERS)):
        if name in kinds:
            known = kinds[name].model_fields
            assert not {key for key in UNKNOWN[table] if key in known} - {"monitor", "interval"}


def test_each_is_said_in_a_case() -> None:
    assert set().union(*(ids for _, ids, _ in CASES.values())) == IDS
