"""What an LR range test comes to: `lr_suggestions.py` finds it."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What an LR range test suggests"

CAPTIONS = {
    "find_lr.valley": Caption(
        "half-way down the deepest fall of the loss", "the suggestion by the rule *valley*", "by another rule"
    ),
    "find_lr.steepest": Caption("where the loss falls fastest", "the suggestion by the rule *steepest*", "by another"),
    "find_lr.minimum": Caption(
        "a tenth of the LR with the lowest loss", "the suggestion by the rule *minimum/10*", "by another rule"
    ),
    "find_lr.spread": Caption(
        "{low} to {high} over {seeds}", "several seeds were tested, and suggest something", "one was"
    ),
    "find_lr.in_a_list": Caption(
        "the preset has an LR for each group of parameters in max_lr, and none for all; write the list by hand",
        "a suggestion is to be written into a preset whose max_lr is a list",
        "max_lr is one number; the groups have theirs in [[optimizer.groups]]",
    ),
    "find_lr.in_groups": Caption(
        "a group of parameters has an LR of its own, which the test raised along with that of all others; write it as "
        "lr_scale, or both by hand",
        "a suggestion is to be written into a preset with lr in [[optimizer.groups]]",
        "its groups have lr_scale, or no LR",
    ),
    # Why it was over
    "find_lr.all_steps": Caption(
        "all {steps} made, up to LR {lr}", "the test came to its highest LR", "the loss ended it before"
    ),
    "find_lr.leapt": Caption(
        "ended after {steps} at LR {lr}: the loss was four times its lowest",
        "the smoothed loss was so high",
        "it came to its highest LR; a loss was not finite",
    ),
    "find_lr.not_finite": Caption(
        "ended after {steps} at LR {lr}: the loss was not finite",
        "a loss was infinite, or no number",
        "all losses were finite",
    ),
    # Why it suggests nothing
    "find_lr.too_short": Caption(
        "no suggestion: the loss broke before there was a curve; begin lower than --from {lr}",
        "the test was over before it had points enough",
        "it had enough",
    ),
    "find_lr.never_fell": Caption(
        "no suggestion: the loss never fell by more than it differs from batch to batch; "
        "more --steps, a larger --batch-size or a higher --to may show more",
        "the smoothed loss fell by no more than noise, or a hundredth",
        "it fell further",
    ),
    "find_lr.some_seeds": Caption(
        "{count} of {seeds} suggest nothing, and have no say",
        "of several seeds some suggest something and some do not",
        "all do; none does",
    ),
    # What to make of it
    "find_lr.apart": Caption(
        "the three are more than ten times apart: look at the curve before you take one",
        "the largest suggestion is more than ten times the smallest",
        "it is not; there is none",
    ),
    "find_lr.cut_off": Caption(
        "the smoothed loss still fell at LR {lr}, the highest: a higher --to may suggest more",
        "a test made all its steps and suggests something, and of the points that have a say the last one is lowest",
        "the smoothed loss rose before; the loss ended the test; nothing is suggested",
    ),
    "find_lr.where": Caption(
        "{key} has it: --write NAME makes a copy of the preset with it",
        "something is suggested, and nobody asked for a copy",
        "nothing is suggested; a copy is written; the LRs stand in points",
    ),
    "find_lr.written": Caption("written: {path}", "a copy with the suggestion was written", "it was not"),
    "find_lr.recorded": Caption(
        "recorded: {command}", "a test was made, and recorded", "it could not be; none was made; it goes on"
    ),
    "find_lr.none_recorded": Caption(
        "no LR range test is recorded in {folder}",
        "they are to be listed, and none can be read there",
        "one can",
    ),
    "find_lr.drawn": Caption(
        "the curves of {seeds}; the marks are in the middle of what each suggests",
        "a recorded test of several seeds is open, of which one suggests something",
        "one of a single seed is; none suggests anything",
    ),
    "find_lr.no_lr": Caption(
        "no LR", "one stands in a list of runs that suggests nothing, or cannot be read", "it suggests one"
    ),
    "find_lr.position": Caption(
        "step {step}/{steps}  lr {lr}  loss {loss}", "steps are made, on a terminal", "before the first of them"
    ),
    # On the screen
    "find_lr.heading": Caption(
        "which LR? {preset} on {dataset}, {model}", "the page of a range test is open", "another page is"
    ),
    "find_lr.copy": Caption(
        "w writes this into a copy, {name}:",
        "something is suggested, and a copy with it can be written",
        "the test goes on; nothing is suggested; the LRs stand in points, or the checks refuse the copy",
    ),
    "find_lr.not_now": Caption(
        "no LR can be looked for while a run trains here, or where none can be started",
        "f in the list of presets, or ctrl+f in the form, is pressed beside a live run or where none can be started",
        "it can",
    ),
    "find_lr.of_seed": Caption("seed {seed}  {position}", "several seeds are tested, one after the other", "one is"),
}
