"""Why the LR moved or held: the words of `text/reasons.py`, which a record keeps."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption
from tui_trainer.text.reasons import WORDS

TITLE = "Why the LR moved or held"

_REASONS: dict[str, tuple[str, str]] = {
    "warmup_over": ("the ramp of [warmup] has reached its top, and a scheduler follows", "without [warmup]; within it"),
    "warmup_over_no_scheduler": ("the same, and no scheduler follows", "without [warmup]; where a scheduler follows"),
    "step_size_reached": ("StepLR multiplied the LR by gamma", "between two multiples of step_size"),
    "next_drop": ("StepLR held the LR, and will drop it in this run", "at a drop; where none is left"),
    "no_drop_left": ("StepLR held the LR, and the run ends before it drops it", "where a drop comes"),
    "milestone_reached": ("MultiStepLR stands at one of its milestones", "between them"),
    "next_milestone": ("MultiStepLR held the LR, and one of its milestones is still to come", "where none is left"),
    "no_milestone_left": ("MultiStepLR held the LR behind its last milestone", "before its last milestone"),
    "gamma": ("ExponentialLR stepped", "of another scheduler"),
    "factor_holds": ("ConstantLR holds the LR down", "from total_iters on"),
    "factor_lifted": ("ConstantLR came to total_iters", "before and after"),
    "factor_over": ("ConstantLR has passed total_iters", "until then"),
    "line": ("LinearLR moves the LR", "behind total_iters"),
    "line_over": ("LinearLR has passed total_iters", "until then"),
    "power_curve": ("PolynomialLR moves the LR", "behind total_iters"),
    "power_curve_over": ("PolynomialLR has passed total_iters", "until then"),
    "cosine": ("CosineAnnealingLR is on its way down", "at its bottom, or on its way up"),
    "cosine_bottom": ("CosineAnnealingLR stands at T_max, or an odd multiple", "elsewhere"),
    "cosine_top": ("CosineAnnealingLR stands at an even multiple of T_max", "elsewhere"),
    "cosine_climbs": ("CosineAnnealingLR goes on past T_max", "on its way down"),
    "cosine_at_eta_min": ("cosine_bottom, where eta_min is above the LR that it begins with", "where it is below"),
    "cosine_begins_again": ("cosine_top, where eta_min is above the LR that it begins with", "where it is below"),
    "cosine_goes_back": ("cosine_climbs, where eta_min is above the LR that it begins with", "where it is below"),
    "restart": ("CosineAnnealingWarmRestarts begins a cycle", "within a cycle"),
    "cosine_to_restart": ("CosineAnnealingWarmRestarts is within a cycle", "as one begins"),
    "cyclic_bottom": ("CyclicLR begins a cycle", "within one"),
    "cyclic_up": ("CyclicLR climbs", "at its ends, or on its way down"),
    "cyclic_top": ("CyclicLR stands at the top of a cycle", "elsewhere"),
    "cyclic_down": ("CyclicLR falls", "at its ends, or on its way up"),
    "one_cycle_up": ("OneCycleLR climbs, stepped once an epoch", "from its peak on"),
    "one_cycle_peak": ("OneCycleLR stands at its highest LR", "before and after"),
    "one_cycle_down": ("OneCycleLR anneals, stepped once an epoch", "until its peak, and at its bottom"),
    "one_cycle_back": ("OneCycleLR with three_phase is back at the LR it began with", "without three_phase"),
    "one_cycle_bottom": ("OneCycleLR stands at its last step", "before"),
    "one_cycle_end": ("the same, where final_div_factor below 1 ends it above its start", "where it ends below"),
    "one_cycle_over": ("OneCycleLR was asked once more than it has steps", "within its steps"),
    "stage_begins": ("a stage of SequentialLR begins", "within one"),
    "stable": ("a stage of SequentialLR without a scheduler has the LR", "in another stage"),
    "formula_up": ("a formula of LambdaLR is on its way up", "from its top on"),
    "formula_top": ("it stands where it begins to fall", "elsewhere; of inverse_time, which has no top"),
    "formula_holds": ("warmup_stable_decay is between the way up and the way down", "on one of them"),
    "formula_falls": ("inverse_sqrt is behind its top; inverse_time stepped", "before; of other formulas"),
    "formula_down": ("triangle or warmup_stable_decay is on its way down", "until its top"),
    "at_point": ("PiecewiseLinear stands at a point", "between two"),
    "to_point": ("PiecewiseLinear is between two points", "at a point; behind the last one"),
    "behind_points": ("PiecewiseLinear is behind its last point", "until then"),
    "best_so_far": ("what ReduceLROnPlateau watches is the best so far", "it is better by less than the threshold"),
    "not_better": ("ReduceLROnPlateau counts an epoch that is no better", "in cooldown; with patience used up"),
    "not_better_by_threshold": ("the same of one that is better by less than the threshold", "it is no better at all"),
    "cooling_down": ("ReduceLROnPlateau counts no epoch, nor will it the next", "in the last epoch of cooldown"),
    "cooled_down": ("ReduceLROnPlateau counts no epoch, and will from the next on", "outside of cooldown"),
    "patience_used_up": ("ReduceLROnPlateau dropped the LR", "the LR is the same after it"),
    "at_min_lr": ("it was to drop, and the LR is at min_lr already", "the LR is above min_lr"),
    "drop_too_small": ("it was to drop, and the drop would be no more than eps", "the LR fell"),
    "written_by": ("a watched program wrote the LR itself, at that line", "a scheduler of its own moved it"),
    "written_falls": ("the same, where it rose with the steps before and falls with this one", "it fell before"),
    "written_rises": ("the same, where it fell with the steps before and rises with this one", "it rose before"),
    "changed_by": ("a scheduler of a watched program moved the LR, and it is none whose curve we know", "it stayed"),
    "changed_falls": ("the same, where it rose with the steps before and falls with this one", "it fell before"),
    "changed_rises": ("the same, where it fell with the steps before and rises with this one", "it rose before"),
    "kept_by": ("such a scheduler stepped at an epoch's end, and the LR is the same", "the LR moved"),
    "next_scheduler": ("SequentialLR of a watched program came to a milestone of its own", "between its milestones"),
    "dial_turned": ("a person turned the LR dial of a run of ours", "the schedule moved the LR; the dial is set to 1"),
    "dial_off": ("a person set the LR dial back to 1", "the dial is at another factor"),
    "dialled": ("a person turned the LR dial of a watched program", "the program moved its LR itself"),
    "dialled_off": ("a person set the LR dial of a watched program back to 1", "the dial is at another factor"),
    "patience_at_its_end": ("under the loop: more epochs without progress than patience", "within patience"),
    "patience_cools_down": ("under the loop: epochs of cooldown are to come", "no cooldown is left"),
    "patience_begins": ("under the loop: the last epoch was the best so far", "an epoch without progress is counted"),
    "patience_begins_low": ("the same, of an epoch that is no better than guessing", "it is better than guessing"),
}
"""Codes of `text/reasons.py`, where their words are: when each is said, and when it must not be."""

CAPTIONS = {
    **{f"why.{code}": Caption(WORDS[code], said, never) for code, (said, never) in _REASONS.items()},
    "why.up_to_cursor": Caption(
        "why, up to the cursor", "the cursor is on the charts: over the reasons up to there", "there is no cursor"
    ),
    "why.unknown_line": Caption(
        "a line that is not known",
        "the LR was written, and no file of the program has one line alone that writes LRs",
        "such a line was found",
    ),
}
