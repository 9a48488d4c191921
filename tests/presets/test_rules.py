"""Each caption of a rule: a preset of which it is said, presets of which it would be wrong, and the LRs against which
those are held that claim something of them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.presets.drawing import Written, with_all_keys
from tui_trainer.presets.checks import check, check_text
from tui_trainer.presets.lrs import PlannedLRs
from tui_trainer.presets.problems import Problem
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import CAPTIONS

REHEARSED = "rule.lr_impossible"
"""Said by the rehearsal of the real scheduler, and tested with it."""

IDS = sorted(id for id in CAPTIONS if id.startswith("rule.") and id != REHEARSED)

SGD = '[optimizer]\nname = "SGD"\nmomentum = 0.9\n'
WARMUP = "[warmup]\nepochs = 1\n"
NOTHING = 'start_factor = 0\nmethod = "constant"\n'


def of(scheduler: str, *lines: str, optimizer: str = SGD, epochs: int = 10) -> str:
    table = "\n".join(["[scheduler]", f'name = "{scheduler}"', *lines, ""])
    return f"[training]\nepochs = {epochs}\n{optimizer}{table}"


def one_cycle(*lines: str, optimizer: str = SGD, epochs: int = 10) -> str:
    return of("OneCycleLR", "max_lr = 0.1", *lines, optimizer=optimizer, epochs=epochs)


def cyclic(*lines: str, optimizer: str = SGD, top: float = 0.2) -> str:
    return of("CyclicLR", "base_lr = 0.1", f"max_lr = {top:g}", *lines, optimizer=optimizer)


def with_lr(name: str, lr: float, more: str = "") -> str:
    return f'[optimizer]\nname = "{name}"\nlr = {lr}\n{more}'


def points(points: str, *lines: str) -> str:
    return of("PiecewiseLinear", f"points = {points}", *lines)


def formula(name: str, *lines: str) -> str:
    return of("LambdaLR", f'formula = "{name}"', *lines)


def stages(*stages: str, interval: str = "epoch") -> str:
    """Each the lines of a stage behind its name."""
    tables = [f"[[scheduler.stages]]\nname = {stage.replace('; ', chr(10))}" for stage in stages]
    return of("SequentialLR", f'interval = "{interval}"', *tables)


ADAGRAD = '[optimizer]\nname = "Adagrad"\n'
NESTEROV = '[optimizer]\nname = "SGD"\nnesterov = true\n'
BATCH_NORM = RunConditions(4_000, batchnorm=True)
SEVEN = "[training]\nbatch_size = 7\n" + SGD


def groups(*tables: str, optimizer: str = SGD, scheduler: str = "") -> str:
    """An optimizer with groups, each of keys apart by semicolons."""
    joined = "".join("[[optimizer.groups]]\n" + table.replace("; ", "\n") + "\n" for table in tables)
    return optimizer + "\n" + joined + scheduler


def swa(keys: str, preset: str) -> str:
    """A preset with further keys of `[training]`, apart by semicolons."""
    table, lines = "[training]\n", keys.replace("; ", "\n") + "\n"
    return preset.replace(table, table + lines) if table in preset else table + lines + preset


SWA = "swa_start = 6; swa_lr = 0.05; swa_anneal_epochs = 2"
"""SWALR takes over after six of ten epochs."""


def augmented(transforms: str) -> str:
    return f"[training]\naugmentation = [{transforms}]\n{SGD}"


PEAKS = '[scheduler]\nname = "OneCycleLR"\nmax_lr = {}\n'
BIAS = 'match = "bias"'
MUON = '[[optimizer.groups]]\nmatch = "matrix"\noptimizer = "Muon"\n'

EARLY = "[training]\nearly_stopping = {{{}}}\n" + SGD

SAID: dict[str, tuple[str, str] | tuple[str, str, RunConditions]] = {
    "rule.nesterov_momentum": (NESTEROV, "needs momentum; add momentum = 0.9, or take nesterov out"),
    "rule.nesterov_dampening": (
        NESTEROV + "momentum = 0.9\ndampening = 0.1",
        "Nesterov momentum allows none; take one of the two out",
    ),
    "rule.lr_breaks": (with_lr("SGD", 10), "the LR comes to 10, and nothing is learned: the loss leaps away from it"),
    "rule.sgd_leaps": (with_lr("SGD", 20), "the loss leaps away from it within a few steps; 0.01 to 0.1 is usual"),
    "rule.adam_leaps": (with_lr("AdamW", 1), "AdamW moves every weight by about that much at a step; 0.001 is usual"),
    "rule.usual_sgd": (with_lr("SGD", 10), "; 0.01 to 0.1 is usual"),
    "rule.usual_adam": (with_lr("Adam", 2), "; 0.001 is usual"),
    "rule.no_weight_decay": ('[optimizer]\nname = "Rprop"\nweight_decay_bias = 0\n', "Rprop has no weight decay"),
    "rule.signs_of_batches": (
        '[optimizer]\nname = "Rprop"\n',
        "goes by the signs of gradients of all images; with 63 batches an epoch these turn by chance",
    ),
    "rule.lr_of_first_step": (
        of("StepLR", "step_size = 3", optimizer='[optimizer]\nname = "Rprop"\n'),
        "uses the LR for its first step alone, and finds the sizes of others by itself: a schedule moves nothing",
    ),
    "rule.no_momentum": (one_cycle(optimizer=ADAGRAD), "Adagrad has no momentum to cycle; write cycle_momentum = f"),
    "rule.beside_muon": (
        one_cycle(optimizer='[optimizer]\nname = "AdamW"\n' + MUON),
        "beside a group of Muon it is cycled of an optimizer with momentum alone, as SGD; write cycle_momentum = f",
    ),
    "rule.momentum_upside_down": (one_cycle("base_momentum = 0.99"), "is above max_momentum, 0.95; swap them"),
    "rule.lr_not_used": (
        one_cycle(optimizer=with_lr("SGD", 0.1)),
        "not used: OneCycleLR starts at max_lr / div_factor, 0.004; leave it out",
    ),
    "rule.eta_min_climbs": (
        of("CosineAnnealingLR", "eta_min = 0.01"),
        "above the optimizer's lr, 0.001, so the LR climbs towards it; less would anneal to it",
    ),
    "rule.eta_min_stays": (
        of("CosineAnnealingWarmRestarts", "T_0 = 3", "eta_min = 0.001"),
        "the same as the optimizer's lr, 0.001, so the LR stays; less would anneal to it",
    ),
    "rule.min_lr_stops": (
        of("ReduceLROnPlateau", "patience = 1", "min_lr = 0.001"),
        "not below the optimizer's lr, 0.001, so the LR never falls; less would let it",
    ),
    "rule.cycle_upside_down": (cyclic("step_size_up = 9", top=0.1), "not above base_lr, 0.1; make it larger"),
    "rule.gamma_not_used": (
        cyclic("step_size_up = 9", "gamma = 0.9"),
        'not used by mode "triangular"; only "exp_range" multiplies by it',
    ),
    "rule.ends_above_top": (one_cycle("final_div_factor = 0.01"), "so small that the run would end above max_lr; 1e4"),
    "rule.gamma_keeps": (of("StepLR", "step_size = 3", "gamma = 1"), "1 leaves the LR as it is; less than 1 lets it"),
    "rule.gamma_grows": (of("ExponentialLR", "gamma = 1.1"), "1.1 makes the LR grow; less than 1 lets it fall"),
    "rule.factor_keeps": (of("ConstantLR", "factor = 1", "total_iters = 3"), "1 leaves the LR as it is; less than 1"),
    "rule.line_is_level": (of("LinearLR", "start_factor = 1.0"), "the same as start_factor, so the LR stays"),
    "rule.milestones_unordered": (of("MultiStepLR", "milestones = [7, 3]"), "not in rising order; write [3, 7]"),
    "rule.mode_upside_down": (
        of("ReduceLROnPlateau", "patience = 1", 'mode = "max"'),
        '"max" takes a val_loss that gets worse for better; write "min"',
    ),
    "rule.warmup_of_its_own": (one_cycle() + WARMUP, "OneCycleLR has a warm-up of its own, pct_start of the run; take"),
    "rule.begins_low": (cyclic("step_size_up = 9") + WARMUP, "CyclicLR begins low, at base_lr, and climbs by itself;"),
    "rule.warmup_is_all": (of("none", epochs=1) + WARMUP, "leaves nothing of 1 epoch; a longer run would leave some"),
    "rule.shorter_warmup": (
        of("none", epochs=2) + WARMUP.replace("1", "3"),
        "leaves nothing of 2 epochs; less than 2 would leave some",
    ),
    "rule.begins_at_a_point": (
        points("[[0, 0.1], [10, 0]]") + WARMUP,
        "PiecewiseLinear begins at the LR of its first point; make the ramp a point,",
    ),
    "rule.not_of_formula": (
        formula("triangle", "warmup_iters = 3"),
        "not an argument of triangle, which takes start_factor, peak, end_factor",
    ),
    "rule.points_unordered": (points("[[0, 0.1], [5, 0.2], [5, 0]]"), "the first numbers of points rise: each is"),
    "rule.share_above_one": (
        points("[[0, 0.1], [15, 0]]", 'unit = "share"'),
        '15 is more than the whole run; shares go from 0 to 1, or write unit = "epoch"',
    ),
    "rule.points_at_zero": (points("[[0, 0], [10, 0]]"), "an LR of 0 at all points trains nothing"),
    "rule.points_beyond": (
        points("[[0, 0.1], [15, 0]]"),
        "the last point, at epoch 15, is never reached: the run has 10 epochs",
    ),
    "rule.stage_length_twice": (
        stages('"none"; epochs = 5; share = 0.5', '"none"'),
        "the stage's length is given by epochs already; keep one of them",
    ),
    "rule.stage_in_steps": (
        stages('"none"; steps = 5', '"none"'),
        'a stage of so many batches ends within an epoch; write interval = "step" in [scheduler], or epochs here',
    ),
    "rule.stage_without_length": (
        stages('"none"', '"none"; epochs = 5', '"none"'),
        "how long the stage lasts is missing, and one before it has the rest already;",
    ),
    "rule.stage_without_step": (
        stages('"none"; epochs = 10', '"none"'),
        "stage 2 has no step: the run has 10 epochs",
    ),
    "rule.stage_never_begins": (
        stages('"none"; epochs = 10', '"none"; epochs = 2'),
        "stage 2 never begins: the run has 10 epochs",
    ),
    "rule.stages_too_short": (
        stages('"none"; epochs = 3', '"CosineAnnealingLR"; epochs = 3'),
        "the stages end before the run, and the last one goes on for 4 epochs: the run has 10 epochs; leave",
    ),
    "rule.warmup_twice": (of("none") + WARMUP + "steps = 9\n", "the warm-up's length is given in epochs already; keep"),
    "rule.warmup_of_nothing": (of("none") + WARMUP + NOTHING, "a constant LR of 0 trains nothing; write method"),
    "rule.longer_run": (of("none", epochs=1) + WARMUP, "; a longer run would leave some"),
    "rule.run_has": (of("StepLR", "step_size = 10"), "never reached: the run has 10 epochs; less"),
    "rule.run_has_left": (
        of("StepLR", "step_size = 10"),
        "never reached: the run has 10 epochs left; less",
        RunConditions(epochs_before=5, steps_before=315),
    ),
    "rule.warmup_leaves": (of("StepLR", "step_size = 10") + WARMUP, "never reached: the warm-up leaves 9 epochs; less"),
    "rule.less_drops": (of("StepLR", "step_size = 10"), "; less than 10 would drop the LR"),
    "rule.less_reaches": (of("StepLR", "step_size = 10", "gamma = 2"), "; less than 10 would reach it"),
    "rule.less_is_reached": (of("MultiStepLR", "milestones = [3, 12]"), "12 is never reached: the run has 10 epochs"),
    "rule.less_restarts": (of("CosineAnnealingWarmRestarts", "T_0 = 10"), "; less than 10 would bring one"),
    "rule.less_tops": (cyclic(), "; less than 630 would reach it"),
    "rule.less_lets_one": (of("ReduceLROnPlateau"), "the run has 10 epochs; less than 8 would let one"),
    "rule.less_lifts": (of("ConstantLR"), "; less than 10 would lift it"),
    "rule.never_drops": (of("StepLR", "step_size = 1", epochs=1), "never reached: the run has 1 epoch"),
    "rule.milestone_late": (of("MultiStepLR", "milestones = [10]"), "10 is never reached: the run has 10 epochs; less"),
    "rule.no_restart": (of("CosineAnnealingWarmRestarts", "T_0 = 10"), "no restart comes: the run has 10 epochs"),
    "rule.top_not_reached": (cyclic(), "the top is never reached: the run has 630 batches; less than 630"),
    "rule.no_drop_in_time": (of("ReduceLROnPlateau", "patience = 8"), "no drop can come in time: the run has 10"),
    "rule.fills": (of("CosineAnnealingLR", "T_max = 20"), "10 epochs would fill the run; left out, it does"),
    "rule.turns_back": (of("CosineAnnealingLR", "T_max = 8"), "the LR climbs again before the end: 10 epochs"),
    "rule.bottom_not_reached": (of("CosineAnnealingLR", "T_max = 11"), "the LR never gets down to eta_min: 10 epochs"),
    "rule.factor_stays": (of("ConstantLR", "total_iters = 10"), "the factor holds to the end of the run; less than 10"),
    "rule.curve_cut": (of("LinearLR", "total_iters = 11"), "the run ends before the curve does: 10 epochs would fill"),
    "rule.zero_from_there": (
        of("LinearLR", "end_factor = 0", "total_iters = 9"),
        "the LR is 0 from there on, and nothing is learned: 10 epochs would fill the run",
    ),
    "rule.zero_until_swa": (
        swa(SWA, of("PolynomialLR", "total_iters = 3")),
        "the LR is 0 from there until SWALR takes over, and nothing is learned in between: 5 epochs would fill the run",
    ),
    "rule.decays_to_nothing": (
        of("StepLR", "step_size = 1", "gamma = 0.3"),
        "after 9 drops the LR ends at 2e-5 of its start, where nothing is learned; 0.5995 would end at a hundredth",
    ),
    "rule.grows_past_all": (of("ExponentialLR", "gamma = 1e100"), "makes the LR grow past all numbers; less"),
    "rule.halves_past_all": (
        of("CyclicLR", "base_lr = 0.1", "max_lr = 0.2", "step_size_up = 1", 'mode = "triangular2"', epochs=33),
        "1,039 cycles are too many for triangular2: each halves the LR, and torch fails after 1023; a longer step_size",
    ),
    "rule.never_climbs": (
        one_cycle("pct_start = 0.001"),
        "0.001 of 630 batches is less than one, so the LR never climbs; 0.0024 would do",
    ),
    "rule.more_would_do": (one_cycle("pct_start = 0.001"), "; 0.0024 would do"),
    "rule.longer_run_would_do": (one_cycle('interval = "epoch"', epochs=1), "the LR never climbs; a longer run would"),
    "rule.phase_without_step": (
        one_cycle('interval = "epoch"', "pct_start = 0.1"),
        "of 10 epochs it leaves a phase without a step, and torch divides by zero; 0.15 would do",
    ),
    "rule.way_down_too_long": (
        one_cycle("three_phase = true", "pct_start = 0.6"),
        "with three_phase the way up takes so much of the run, and the way down as much again; less than 0.5 leaves",
    ),
    "rule.group_of_nothing": (groups("lr = 0.1"), 'says not of which parameters; write match = "norm" or match ='),
    "rule.group_no_glob": (groups('name = "a b"; lr = 0.1'), "no name of a parameter is like it; names are of letters"),
    "rule.group_lr_twice": (groups(f"{BIAS}; lr = 0.1; lr_scale = 2"), "the group's LR is given by lr already; keep"),
    "rule.group_changes_nothing": (groups(BIAS), "has no lr, lr_scale or weight_decay, so that its parameters are"),
    "rule.group_lr_not_used": (
        groups(f"{BIAS}; lr = 0.1", scheduler=PEAKS.format(0.1)),
        "not used: OneCycleLR sets the LR of every group itself; write max_lr as a list, first that of the other",
    ),
    "rule.list_for_groups": (
        groups(f"{BIAS}; lr_scale = 2", scheduler=PEAKS.format(0.1)),
        "; write max_lr as a list, first that of the other parameters, then one for each group",
    ),
    "rule.scale_for_groups": (
        groups(f"{BIAS}; lr = 0.1", optimizer=points("[[0, 0.1], [10, 0]]").partition("[scheduler]")[0],
               scheduler="[scheduler]" + points("[[0, 0.1], [10, 0]]").partition("[scheduler]")[2]),
        "not used: PiecewiseLinear sets the LR of every group itself; write lr_scale, by which its points are",
    ),
    "rule.list_of_others": (
        groups(BIAS, scheduler=PEAKS.format([0.1, 0.2, 0.3])),
        "3 in the list, and 2 would be right: one for the parameters that no group matches, then one for each",
    ),
    "rule.never_early": (EARLY.format("patience = 9"), "never ends the run early, which has 10 epochs; 8 at most"),
    "rule.less_ends_it": (EARLY.format("patience = 90"), "; 8 at most would"),
    "rule.clipped_twice": (
        "[training]\nclip_grad_norm = 1\nclip_grad_value = 0.5\n" + SGD,
        "the gradients are clipped by clip_grad_norm already; keep one of them",
    ),
    "rule.accumulates_all": (
        "[training]\nepochs = 3\naccumulate = 64\n" + SGD,
        "more than the 63 batches of an epoch, so that an epoch is one step",
    ),
    "rule.average_stays": (
        "[training]\nema_decay = 0.9999\n" + SGD,
        "too slow for 630 steps: 94% of the average are still the first step's weights in the end; 0.9927 leaves 1%",
    ),
    "rule.averaged_twice": (
        "[training]\nema_decay = 0.9\nswa_start = 5\n" + SGD,
        "the weights are averaged by ema_decay already; keep one of them",
    ),
    "rule.average_never": ("[training]\nswa_start = 11\n" + SGD, "no average is made: the run has 10 epochs"),
    "rule.average_of_one": (
        "[training]\nswa_start = 10\n" + SGD,
        "an average of the weights of a single epoch, for the run has 10 epochs; an earlier start would average",
    ),
    "rule.swa_leaves": (
        swa("swa_start = 4; swa_lr = 0.05", of("StepLR", "step_size = 5")),
        "never reached: until swa_start the scheduler has 3 epochs; less than 3 would drop the LR",
    ),
    "rule.swa_needs_start": (swa("swa_lr = 0.05", SGD), "from when on? swa_start says it"),
    "rule.swa_needs_lr": (swa("swa_start = 4; swa_anneal_epochs = 2", SGD), "to which LR? swa_lr says it"),
    "rule.swa_of_losses": (
        swa("swa_start = 4; swa_lr = 0.05; swa_anneal_epochs = 5", of("ReduceLROnPlateau", "patience = 1")),
        "goes on from a schedule that is known beforehand, and ReduceLROnPlateau's is not; any other scheduler will do",
    ),
    "rule.swa_not_reached": (
        swa("swa_start = 4; swa_lr = 0.05", SGD),
        "behind swa_start the LR has 6 epochs to come to swa_lr; 6 or fewer would get it there",
    ),
    "rule.swa_too_early": (
        swa("swa_start = 2; swa_lr = 0.05; swa_anneal_epochs = 2", of("StepLR", "step_size = 1") + WARMUP),
        "leaves the scheduler and the warm-up nothing before swa_lr; 3 is the first epoch that does",
    ),
    "rule.not_of_network": (SGD + "[model]\nwidth = 8\n", "cnn has no width; it takes dropout"),
    "rule.network_takes": (
        "[for]\nmodel = 'resnet9'\n" + SGD + "[model]\ndropout = 0.1\n",
        "resnet9 has no dropout; it takes width",
    ),
    "rule.network_takes_nothing": (
        "[for]\nmodel = 'resnet18'\n" + SGD + "[model]\nwidth = 8\n",
        "resnet18 has no width; leave it out",
    ),
    "rule.erasing_is_last": (
        augmented('"RandomErasing", "RandomErasing", "RandomHorizontalFlip"'),
        "blots out a part of a normalised image, and RandomHorizontalFlip behind it takes pixels; put it last",
    ),
    "rule.range_upside_down": (
        augmented('{name = "RandomErasing", scale = [0.3, 0.1]}'),
        "from 0.3 to 0.1 there is nothing; swap them",
    ),
    "rule.magnitude_beyond": (
        augmented('{name = "RandAugment", num_magnitude_bins = 9}'),
        "there are 9 strengths, counted from 0; at most 8 is right",
    ),
    "rule.one_batch": (
        "[training]\nbatch_size = 5000\n" + SGD,
        "more than the 4,000 training images, so that an epoch is one batch of them all; 64 would make more steps",
    ),
    "rule.more_steps": (SEVEN, "one batch of them all; 2 would make more steps", RunConditions(5)),
    "rule.last_of_one": (
        SEVEN.replace("7", "3"),
        "a last batch of one image, from which alone BatchNorm then takes its statistics; 5 would not",
        RunConditions(13, batchnorm=True),
    ),
    "rule.batches_of_one": (
        SEVEN.replace("7", "1"),
        "gives BatchNorm one image to take its statistics from; 16 is a start",
        BATCH_NORM,
    ),
    "rule.batches_for_epochs": (
        of("MultiStepLR", 'interval = "step"', "milestones = [30, 60, 90]", epochs=100),
        'all drops come within the first 90 batches: the run has 6,300 batches; interval = "epoch" would count epochs',
    ),
    "rule.cycle_in_an_epoch": (
        of("CosineAnnealingWarmRestarts", 'interval = "step"', "T_0 = 10", epochs=20),
        'a cycle takes 10 batches, and an epoch has 63; interval = "epoch" would count epochs',
    ),
    "rule.over_at_once": (
        of("LinearLR", 'interval = "step"', "start_factor = 0.1", "total_iters = 5", epochs=20),
        'the LR stays from 5 batches on: the run has 1,260 batches; interval = "epoch" would count epochs',
    ),
    "rule.ends_within_a_cycle": (
        of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=25),
        "the run ends within a cycle, at an LR of ",
    ),
    "rule.ends_well": (
        of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=24),
        "; 20 or 30 epochs would end low",
    ),
    "rule.longer_ends_well": (cyclic("step_size_up = 600"), "; 1,200 batches would end low"),
    "rule.drops_within_eps": (
        of("ReduceLROnPlateau", "patience = 1", "eps = 0.0009"),
        "a drop would be 0.0009, which is not more than eps, so the LR never falls",
    ),
    "rule.never_better": (
        of("ReduceLROnPlateau", "patience = 1", "threshold = 1"),
        "no loss is less by 1 times itself, so that each epoch counts as no better",
    ),
}  # fmt: skip

FINE = of("StepLR", "step_size = 3", "gamma = 0.5")
STAGES = stages('"LinearLR"; epochs = 2', '"none"', '"CosineAnnealingLR"; share = 0.3')

NEVER: dict[str, list[str | tuple[str, RunConditions]]] = {
    "rule.nesterov_momentum": [NESTEROV + "momentum = 0.9", SGD],
    "rule.nesterov_dampening": [NESTEROV + "momentum = 0.9", SGD + "dampening = 0.5"],
    "rule.lr_breaks": [
        with_lr("SGD", 9.9),
        with_lr("Adam", 0.9),
        with_lr("Adagrad", 5),
        with_lr("Adam", 1, "eps = 1"),
        swa("swa_start = 10; swa_lr = 20", SGD),  # it begins behind the last epoch
        swa("swa_start = 8; swa_lr = 20; swa_anneal_epochs = 5", SGD),  # it comes to a tenth of the way there
        cyclic("step_size_up = 2000", top=20),  # it comes to a third of the way up
        cyclic(
            "step_size_up = 300", 'mode = "exp_range"', "gamma = 0.9", top=20
        ),  # which shrinks faster than it climbs
    ],
    "rule.sgd_leaps": [with_lr("Adam", 20), with_lr("SGD", 3)],
    "rule.adam_leaps": [with_lr("SGD", 20), with_lr("Adam", 1, "eps = 0.01")],
    "rule.usual_sgd": [with_lr("Adam", 20), SGD],
    "rule.usual_adam": [with_lr("SGD", 20), with_lr("Adam", 0.1)],
    "rule.no_weight_decay": ['[optimizer]\nname = "Rprop"\n', SGD + "weight_decay_bias = 0\n"],
    "rule.signs_of_batches": ['[training]\nbatch_size = 4000\n[optimizer]\nname = "Rprop"\n', SGD],
    "rule.lr_of_first_step": ['[optimizer]\nname = "Rprop"\n', of("StepLR", "step_size = 3")],
    "rule.no_momentum": [
        one_cycle(optimizer='[optimizer]\nname = "Adamax"\n'),
        one_cycle(),
        one_cycle("cycle_momentum = false", optimizer=ADAGRAD),
    ],
    "rule.beside_muon": [
        one_cycle(optimizer=SGD + MUON),
        one_cycle(optimizer='[optimizer]\nname = "AdamW"\n'),
        one_cycle("cycle_momentum = false", optimizer='[optimizer]\nname = "AdamW"\n' + MUON),
    ],
    "rule.momentum_upside_down": [one_cycle(), one_cycle("base_momentum = 0.99", "cycle_momentum = false")],
    "rule.lr_not_used": [one_cycle(), of("StepLR", "step_size = 3", optimizer=with_lr("SGD", 0.1))],
    "rule.eta_min_climbs": [of("CosineAnnealingLR"), of("CosineAnnealingLR", "eta_min = 0.001")],
    "rule.eta_min_stays": [of("CosineAnnealingLR"), of("CosineAnnealingLR", "eta_min = 0.01")],
    "rule.min_lr_stops": [of("ReduceLROnPlateau", "patience = 1", "min_lr = 0.0009")],
    "rule.cycle_upside_down": [cyclic("step_size_up = 9")],
    "rule.gamma_not_used": [cyclic("step_size_up = 9", 'mode = "exp_range"', "gamma = 0.99"), cyclic("gamma = 1")],
    "rule.ends_above_top": [one_cycle("final_div_factor = 0.04")],
    "rule.gamma_keeps": [FINE, of("StepLR", "step_size = 3", "gamma = 1.5")],
    "rule.gamma_grows": [FINE, of("StepLR", "step_size = 3", "gamma = 1")],
    "rule.factor_keeps": [of("ConstantLR", "factor = 0.9", "total_iters = 3")],
    "rule.line_is_level": [of("LinearLR"), of("LinearLR", "start_factor = 0.5", "end_factor = 0.1")],
    "rule.milestones_unordered": [of("MultiStepLR", "milestones = [3, 7]"), of("MultiStepLR", "milestones = [3, 3]")],
    "rule.mode_upside_down": [
        of("ReduceLROnPlateau", "patience = 1"),
        of("ReduceLROnPlateau", "patience = 1", 'monitor = "val_accuracy"'),
        of("ReduceLROnPlateau", "patience = 1", 'monitor = "val_accuracy"', 'mode = "max"'),
    ],
    "rule.warmup_of_its_own": [one_cycle(), FINE + WARMUP],
    "rule.begins_low": [cyclic("step_size_up = 9"), FINE + WARMUP],
    "rule.warmup_is_all": [of("none", epochs=2) + WARMUP, of("none", epochs=1)],
    "rule.shorter_warmup": [of("none", epochs=1) + WARMUP, FINE + WARMUP],
    "rule.begins_at_a_point": [points("[[0, 0.1], [10, 0]]"), FINE + WARMUP],
    "rule.not_of_formula": [
        formula("triangle", "peak = 0.3", "start_factor = 0.2", "end_factor = 0.07"),
        formula("inverse_sqrt", "warmup_iters = 3", "timescale = 9"),
        formula("warmup_stable_decay", 'decay = "1-sqrt"', "decay_iters = 9", "warmup_iters = 3", "end_factor = 0.1"),
        formula("inverse_time", "gamma = 1"),
    ],
    "rule.points_unordered": [points("[[0, 0.1], [5, 0.2], [10, 0]]")],
    "rule.share_above_one": [points("[[0, 0.1], [1, 0]]", 'unit = "share"'), points("[[0, 0.1], [5, 0]]")],
    "rule.points_at_zero": [points("[[0, 0], [10, 0.1]]")],
    "rule.points_beyond": [
        points("[[0, 0.1], [10, 0]]"),
        points("[[0, 0.1], [1, 0]]", 'unit = "share"'),
        swa(SWA, points("[[0, 0.1], [10, 0]]")),
    ],
    "rule.stage_length_twice": [STAGES],
    "rule.stage_in_steps": [STAGES, stages('"none"; steps = 5', '"none"', interval="step")],
    "rule.stage_without_length": [STAGES],
    "rule.stage_without_step": [STAGES, stages('"none"; epochs = 10', '"none"; epochs = 2')],
    "rule.stage_never_begins": [STAGES, stages('"none"; epochs = 10', '"none"')],
    "rule.stages_too_short": [
        STAGES,
        stages('"none"; epochs = 3', '"none"; epochs = 6'),
        stages('"none"; share = 0.1', '"none"; share = 0.9', interval="step"),
    ],
    "rule.warmup_twice": [FINE + WARMUP, FINE + "[warmup]\nsteps = 9\n", FINE + "[warmup]\n"],
    "rule.warmup_of_nothing": [FINE + WARMUP + 'method = "constant"', FINE + WARMUP + "start_factor = 0"],
    "rule.longer_run": [of("none", epochs=2) + WARMUP.replace("1", "2"), FINE + WARMUP],
    "rule.run_has": [FINE, of("StepLR", "step_size = 10") + WARMUP],
    "rule.run_has_left": [of("StepLR", "step_size = 10")],
    "rule.warmup_leaves": [FINE + WARMUP, of("StepLR", "step_size = 10")],
    "rule.less_drops": [of("StepLR", "step_size = 10", "gamma = 2"), of("StepLR", "step_size = 1", epochs=1)],
    "rule.less_reaches": [of("StepLR", "step_size = 10"), of("StepLR", "step_size = 1", "gamma = 2", epochs=1)],
    "rule.less_is_reached": [of("MultiStepLR", "milestones = [1]", epochs=1)],
    "rule.less_restarts": [of("CosineAnnealingWarmRestarts", "T_0 = 1", epochs=1)],
    "rule.less_tops": [cyclic("step_size_up = 629"), cyclic('interval = "epoch"', "step_size_up = 9")],
    "rule.less_lets_one": [of("ReduceLROnPlateau", "patience = 0", epochs=3), of("ReduceLROnPlateau", epochs=2)],
    "rule.less_lifts": [of("ConstantLR", epochs=1), of("ConstantLR", "total_iters = 3")],
    "rule.never_drops": [of("StepLR", "step_size = 9"), of("StepLR", "step_size = 8") + WARMUP],
    "rule.milestone_late": [of("MultiStepLR", "milestones = [9]")],
    "rule.no_restart": [of("CosineAnnealingWarmRestarts", "T_0 = 9")],
    "rule.top_not_reached": [cyclic("step_size_up = 629")],
    "rule.no_drop_in_time": [of("ReduceLROnPlateau", "patience = 7")],
    "rule.fills": [of("CosineAnnealingLR", "T_max = 10"), of("CosineAnnealingLR"), of("LinearLR", "total_iters = 10")],
    "rule.turns_back": [
        of("CosineAnnealingLR", "T_max = 9"),  # its last epoch is at the bottom
        of("CosineAnnealingLR", "T_max = 20"),
        of("CosineAnnealingLR", "T_max = 5", "eta_min = 0.01"),  # it climbs first, and then comes down
    ],
    "rule.bottom_not_reached": [
        of("CosineAnnealingLR", "T_max = 10"),
        of("CosineAnnealingLR", "T_max = 20", "eta_min = 0.01"),
        swa(SWA, of("CosineAnnealingLR", "T_max = 10")),  # as in torch's documentation
    ],
    "rule.factor_stays": [of("ConstantLR", "total_iters = 9"), swa(SWA, of("ConstantLR"))],
    "rule.curve_cut": [
        of("LinearLR", "total_iters = 10"),
        of("PolynomialLR"),
        swa(SWA, of("LinearLR", "total_iters = 10")),
    ],
    "rule.zero_from_there": [
        of("PolynomialLR", "total_iters = 10"),
        of("LinearLR", "end_factor = 0.1", "total_iters = 5"),
        swa(SWA, of("PolynomialLR", "total_iters = 3")),
    ],
    "rule.zero_until_swa": [
        swa(SWA, of("PolynomialLR", "total_iters = 5")),
        swa("swa_start = 10; swa_lr = 0.05", of("LinearLR", "end_factor = 0", "total_iters = 5")),
        of("PolynomialLR", "total_iters = 3"),
    ],
    "rule.decays_to_nothing": [of("StepLR", "step_size = 1", "gamma = 0.4"), of("ExponentialLR", "gamma = 0.4")],
    "rule.grows_past_all": [of("ExponentialLR", "gamma = 1e10"), FINE],
    "rule.halves_past_all": [
        of("CyclicLR", "base_lr = 0.1", "max_lr = 0.2", "step_size_up = 1", 'mode = "triangular2"', epochs=32),
        of("CyclicLR", "base_lr = 0.1", "max_lr = 0.2", "step_size_up = 1", epochs=33),
    ],
    "rule.never_climbs": [one_cycle("pct_start = 0.0016")],
    "rule.more_would_do": [one_cycle('interval = "epoch"', epochs=1), one_cycle()],
    "rule.longer_run_would_do": [one_cycle("pct_start = 0.001")],
    "rule.phase_without_step": [one_cycle('interval = "epoch"', "pct_start = 0.2"), one_cycle()],
    "rule.way_down_too_long": [one_cycle("pct_start = 0.6"), one_cycle("three_phase = true", "pct_start = 0.4")],
    "rule.group_of_nothing": [groups(f"{BIAS}; lr = 0.1"), groups('name = "fc.*"; lr = 0.1')],
    "rule.group_no_glob": [groups('name = "layer[1-4].*"; lr = 0.1'), groups('name = "nothing.?"; lr = 0.1')],
    "rule.group_lr_twice": [groups(f"{BIAS}; lr = 0.1"), groups(f"{BIAS}; lr_scale = 0.1")],
    "rule.group_changes_nothing": [
        groups(f"{BIAS}; weight_decay = 0"),
        groups(BIAS, scheduler=PEAKS.format([0.1, 0.2])),
        groups('name = "fc.*"', f"{BIAS}; weight_decay = 0"),  # the biases of fc are kept out of the second
        groups('name = "fc.*"', optimizer=SGD + "weight_decay_bias = 0"),
    ],
    "rule.group_lr_not_used": [
        groups(f"{BIAS}; lr = 0.1", scheduler='[scheduler]\nname = "StepLR"\nstep_size = 3\n'),
        groups(BIAS, scheduler=PEAKS.format([0.1, 0.2])),
        groups(f"{BIAS}; weight_decay = 0", scheduler=PEAKS.format(0.1)),
    ],
    "rule.list_for_groups": [groups(BIAS, scheduler=PEAKS.format([0.1, 0.2]))],
    "rule.scale_for_groups": [
        groups(f"{BIAS}; lr = 0.1", scheduler=PEAKS.format(0.1)),
        groups(
            f"{BIAS}; lr_scale = 2", scheduler="[scheduler]" + points("[[0, 0.1], [10, 0]]").partition("[scheduler]")[2]
        ),
    ],
    "rule.list_of_others": [
        groups(BIAS, scheduler=PEAKS.format([0.1, 0.2])),
        groups(f"{BIAS}; weight_decay = 0", scheduler=PEAKS.format(0.1)),
        SGD + "\n" + PEAKS.format([0.1]),
    ],
    "rule.never_early": [EARLY.format("patience = 8"), EARLY.format("")],
    "rule.less_ends_it": ["[training]\nepochs = 2\nearly_stopping = {patience = 1}\n" + SGD],
    "rule.clipped_twice": ["[training]\nclip_grad_norm = 1\n" + SGD, "[training]\nclip_grad_value = 1\n" + SGD],
    "rule.accumulates_all": ["[training]\naccumulate = 63\n" + SGD, "[training]\nbatch_size = 5000\n" + SGD],
    "rule.average_stays": ["[training]\nema_decay = 0.996\n" + SGD, SGD],
    "rule.averaged_twice": ["[training]\nema_decay = 0.9\n" + SGD, "[training]\nswa_start = 5\n" + SGD],
    "rule.average_never": ["[training]\nswa_start = 10\n" + SGD, SGD],
    "rule.average_of_one": ["[training]\nswa_start = 9\n" + SGD, "[training]\nswa_start = 11\n" + SGD],
    "rule.swa_leaves": [
        of("StepLR", "step_size = 12"),
        swa("swa_start = 12; swa_lr = 0.05", of("StepLR", "step_size = 12")),
    ],
    "rule.swa_needs_start": [swa("swa_start = 4; swa_lr = 0.05", SGD)],
    "rule.swa_needs_lr": [swa("swa_start = 4", SGD), swa("swa_start = 4; swa_lr = 0.05; swa_anneal_epochs = 2", SGD)],
    "rule.swa_of_losses": [
        swa("swa_start = 4; swa_lr = 0.05", of("CosineAnnealingLR")),
        swa("swa_start = 4", of("ReduceLROnPlateau", "patience = 1")),
    ],
    "rule.swa_not_reached": [
        swa("swa_start = 4; swa_lr = 0.05; swa_anneal_epochs = 6", SGD),
        swa("swa_start = 10; swa_lr = 0.05", SGD),
    ],
    "rule.swa_too_early": [
        swa("swa_start = 3; swa_lr = 0.05", of("StepLR", "step_size = 1") + WARMUP),
        swa("swa_start = 2; swa_lr = 0.05", SGD),
        swa("swa_start = 1", SGD),
        swa("swa_start = 12; swa_lr = 0.05", SGD),
    ],
    "rule.not_of_network": [
        SGD + "[model]\ndropout = 0.1\n",
        "[for]\nmodel = 'wrn-16-4'\n" + SGD + "[model]\ndropout = 0.1\nwidth = 8\n",
        (SGD + "[model]\nwidth = 8\n", RunConditions()),
        SGD,
    ],
    "rule.network_takes": ["[for]\nmodel = 'resnet18'\n" + SGD + "[model]\nwidth = 8\n"],
    "rule.network_takes_nothing": [SGD + "[model]\nwidth = 8\n"],
    "rule.erasing_is_last": [augmented('"RandomHorizontalFlip", "RandomErasing", "RandomErasing"'), augmented("")],
    "rule.range_upside_down": [augmented('{name = "RandomErasing", scale = [0.25, 0.25], ratio = [1, 1]}')],
    "rule.magnitude_beyond": [augmented('{name = "RandAugment", num_magnitude_bins = 10}, "RandAugment"')],
    "rule.one_batch": ["[training]\nbatch_size = 4000\n" + SGD],
    "rule.more_steps": [(SEVEN, RunConditions(1))],
    "rule.last_of_one": [
        (SEVEN, RunConditions(15)),
        (SEVEN, RunConditions(16, batchnorm=True)),
        (SEVEN, RunConditions(1, batchnorm=True)),
    ],
    "rule.batches_for_epochs": [
        of("MultiStepLR", "milestones = [30, 60, 90]", epochs=100),
        of("MultiStepLR", 'interval = "step"', "milestones = [1890, 3780, 5670]", epochs=100),
        of("MultiStepLR", 'interval = "step"', "milestones = [30, 60, 90]", epochs=10),
        of("MultiStepLR", 'interval = "step"', "milestones = [30]", epochs=100),
        FINE,
    ],
    "rule.cycle_in_an_epoch": [
        of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=20),
        of("CosineAnnealingWarmRestarts", 'interval = "step"', "T_0 = 63", epochs=100),
        of("CosineAnnealingWarmRestarts", 'interval = "step"', "T_0 = 10", "T_mult = 2", epochs=20),
        of("CosineAnnealingWarmRestarts", 'interval = "step"', "T_0 = 10", epochs=10),
        cyclic("step_size_up = 32"),
        cyclic("step_size_up = 5", 'interval = "epoch"'),
        cyclic("step_size_up = 10"),
    ],
    "rule.over_at_once": [
        of("LinearLR", "total_iters = 5", epochs=20),
        of("LinearLR", 'interval = "step"', "total_iters = 11", epochs=20),
        of("ConstantLR", 'interval = "step"', "total_iters = 5", epochs=5),
        of("ConstantLR", 'interval = "step"', epochs=20),
        FINE,
    ],
    "rule.ends_within_a_cycle": [
        of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=30),
        of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=29),
        of("CosineAnnealingWarmRestarts", "T_0 = 2", "T_mult = 2", epochs=14),
        of("CosineAnnealingWarmRestarts", "T_0 = 3", epochs=7) + WARMUP,
        of("CosineAnnealingWarmRestarts", "T_0 = 20", epochs=10),
        cyclic("step_size_up = 315"),
        cyclic("step_size_up = 2000"),
        cyclic("step_size_up = 600", 'mode = "exp_range"', "gamma = 0.99"),
        cyclic("step_size_up = 200", 'mode = "triangular2"'),
    ],
    "rule.ends_well": [cyclic("step_size_up = 600"), of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=30)],
    "rule.longer_ends_well": [of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=24)],
    "rule.drops_within_eps": [
        of("ReduceLROnPlateau", "patience = 1", "eps = 0.0008"),
        of("ReduceLROnPlateau", "patience = 1", "min_lr = 0.001"),
    ],
    "rule.never_better": [
        of("ReduceLROnPlateau", "patience = 1", "threshold = 0.9"),
        of("ReduceLROnPlateau", "patience = 1", "threshold = 1", 'threshold_mode = "abs"'),
        of("ReduceLROnPlateau", "patience = 1", "threshold = 1", 'monitor = "val_accuracy"'),
    ],
    "rule.batches_of_one": [(SEVEN, BATCH_NORM), SEVEN.replace("7", "1")],
}


def problems(text: str, run: RunConditions | None = None) -> list[Problem]:
    checked = check_text(text, "p", run)
    assert checked.preset is not None, checked.problems
    return checked.problems


def test_each_caption_of_a_rule_has_its_presets() -> None:
    assert sorted(SAID) == sorted(NEVER) == IDS


@pytest.mark.says("rule.*")
@pytest.mark.parametrize("id", IDS)
def test_what_goes_wrong_is_said(id: str, captions_said: set[str]) -> None:
    text, words, *run = SAID[id]
    told = [problem.message for problem in problems(text, *run)]
    assert any(words in message for message in told), told
    assert id in captions_said


@pytest.mark.never_says("rule.*", in_all_cases=False)
@pytest.mark.parametrize("id", IDS)
def test_and_is_not_said_where_it_would_be_wrong(id: str, captions_said: set[str]) -> None:
    for case in NEVER[id]:
        text, *run = case if isinstance(case, tuple) else (case,)
        told = problems(text, *run)
        assert id not in captions_said, told


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (of("CosineAnnealingWarmRestarts", "T_0 = 10", epochs=24), "; 27 or 37 epochs would end low"),
        (cyclic("step_size_up = 600"), "; 1,641 batches would end low"),
    ],
)
def test_a_length_that_would_end_low_is_the_whole_run_s_after_a_switch_too(text: str, right: str) -> None:
    told = problems(text, RunConditions(epochs_before=7, steps_before=441))
    assert any(problem.message.endswith(right) for problem in told), told


def test_points_of_a_stage_set_the_lrs_of_groups_too() -> None:
    in_stages = stages('"PiecewiseLinear"; points = [[0, 0.1], [5, 0.2]]; share = 0.5', '"none"').partition(
        "[scheduler]"
    )
    own, scaled = (
        groups(f"{BIAS}; {key}", scheduler="[scheduler]" + in_stages[2]) for key in ("lr = 1", "lr_scale = 2")
    )
    assert [problem.key for problem in problems(own, RunConditions())] == ["optimizer.groups.1.lr"]
    assert problems(scaled, RunConditions()) == []


@given(with_all_keys(), st.integers(1, 5_000))
@settings(max_examples=100, deadline=None)
def test_what_is_claimed_of_the_lrs_is_so(case: Written, images: int) -> None:
    preset = Preset.model_validate(case.tables)
    found = check(preset, RunConditions(images))
    planned = PlannedLRs(preset, preset.training.steps_per_epoch(images))
    assume(not any(problem.severity == "error" for problem in found) and planned.steps <= 20_000)
    first = preset.warmup_steps(planned.batches_per_epoch)
    stride = 1 if preset.scheduler.interval == "step" else planned.batches_per_epoch
    try:
        whole = [planned.at(step) for step in range(first, planned.steps, stride)]
        of_groups = {
            f"optimizer.groups.{number}": PlannedLRs(preset.of_group(number), planned.batches_per_epoch)
            for number in preset.groups_with_lr
        }
        highest = {of: max(map(group.at, range(planned.steps))) for of, group in of_groups.items()}
    except OverflowError:
        assume(False)
        return
    scheduled = preset.training.scheduled_epochs(preset.training.epochs) * planned.batches_per_epoch
    lrs = [lr for _, lr in zip(range(first, scheduled, stride), whole, strict=False)]  # those of the scheduler
    start, scheduler = lrs[0], preset.of_group(0).scheduler
    for problem in found:
        message = problem.message
        if lr := re.match(r"the LR comes to (\S+),", message):
            there = highest.get(problem.key, max([*whole, *highest.values()]))
            assert there >= 0.99 * float(lr[1]), message
        elif problem.key == "scheduler.step_size" or "restart comes" in message or "so the LR stays" in message:
            assert scheduler.name == "CosineAnnealingWarmRestarts" or max(lrs) - min(lrs) <= 1e-12 * start, message
            assert all(two <= one or scheduler.eta_min > one for one, two in pairwise(lrs)), message
        elif "the top is never reached" in message:
            assert lrs == sorted(lrs) or scheduler.mode == "exp_range", message
            assert max(lrs) < scheduler.max_lr, message
        elif "the run ends within a cycle" in message:
            low = scheduler.base_lr if scheduler.name == "CyclicLR" else scheduler.eta_min
            assert lrs[-1] > low + 0.2 * (max(lrs) - low), message
        elif "all drops come within" in message:
            assert max(lrs[len(lrs) // 4 :]) == min(lrs[len(lrs) // 4 :]), message
        elif "climbs again before the end" in message:
            assert any(two > one for one, two in pairwise(lrs)), message
        elif "never gets down to eta_min" in message:
            assert min(lrs) > scheduler.eta_min, message
        elif "climbs towards it" in message:
            assert all(lr >= start * (1 - 1e-9) for lr in lrs), message
        elif "the LR is 0 from there on" in message:
            assert lrs[-1] == 0, message
        elif share := re.search(r"ends at (\S+) of its start", message):
            assert lrs[-1] / start == pytest.approx(float(share[1]), rel=0.51, abs=1e-300), message


@pytest.mark.parametrize("images", range(1, 140))
@pytest.mark.parametrize("batchnorm", [False, True])
def test_a_batch_size_that_is_said_to_be_better_is_better(images: int, batchnorm: bool) -> None:
    for size in (2, 3, 5, 7, 12, 64, 139, 200):
        run = RunConditions(images, batchnorm)
        for problem in problems(f"[training]\nbatch_size = {size}\n{SGD}", run):
            if better := re.search(r"; (\d+) would (make more steps|not)$", problem.message):
                other = int(better[1])
                if better[2] == "not":
                    assert images % other != 1
                else:
                    assert images / other > 1
