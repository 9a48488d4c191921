"""What stands over the charts of loss and LR, and in their place: `ui/charts/`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Over the charts of a run, and in their place"

CAPTIONS = {
    # The LR
    "chart.used_last": Caption(
        "{lr} used last", "a step was trained: its LR", "as the LR now: once the scheduler has stepped, that is another"
    ),
    "chart.used": Caption("{lr} used", "the cursor is at a step that was trained", "the step is still to come"),
    "chart.planned": Caption("{lr} planned", "the cursor is at a step for which there is a plan", "no plan tells it"),
    "chart.peak": Caption(
        "{lr} peak at step {step}",
        "the planned LR climbs above where it begins, and ends below",
        "its highest is an end",
    ),
    "chart.throughout": Caption(
        "{lr} throughout", "the planned LR is the same at every step", "it moves; losses decide"
    ),
    "chart.from": Caption(
        "from {start}",
        "the planned LR has no peak, and moves; how long the run will be is not known",
        "how long it will be is known; the LR has a peak, or stays",
    ),
    "chart.from_to": Caption(
        "from {start} to {end}", "the planned LR has no peak, and moves", "it has a peak, or stays; losses decide"
    ),
    "chart.if_flat": Caption(
        "{condition}: {curve}",
        "what ReduceLROnPlateau would do without progress, beside its plan",
        "of other schedulers",
    ),
    "chart.since": Caption(
        "since step {step}: {words}", "the change that made the LR what it is at the cursor", "it changed there"
    ),
    "chart.plan": Caption(
        "plan",
        "under charts that show a part of a run, or did: all of it, as planned, with the newest step in it",
        "nobody knows how long the run will be; all of it is on show and nothing else was asked for",
    ),
    "chart.follows": Caption(
        "the charts follow the newest step",
        "it was asked for, and the run goes on",
        "the run has ended; the charts stand still",
    ),
    "chart.is_over": Caption(
        "the run has ended: this is its end", "the newest steps were asked for of a run that has ended", "it goes on"
    ),
    "chart.plan_is_made": Caption(
        "the plan is being made", "a preset is looked at, and its plan is on its way", "it is there; none will come"
    ),
    "chart.no_plan_yet": Caption(
        "no plan yet", "a run has not told its plan, nor a step", "it has ended; it tells numbers and no LR"
    ),
    "chart.no_lr": Caption(
        "no LR was used", "a run has ended that trained no batch, and told no plan", "it tells either"
    ),
    "chart.lr_untold": Caption(
        "this run does not tell its LR", "a run has told numbers, and neither a plan nor an LR", "it may still tell one"
    ),
    # The loss
    "chart.no_batch_yet": Caption(
        "no batch yet", "a run goes on that trained no batch", "it has ended; it tells numbers and no training loss"
    ),
    "chart.no_batch": Caption("no batch was trained", "a run has ended that trained none", "it told a number"),
    "chart.loss_untold": Caption(
        "this run does not tell its training loss", "a run has told numbers, and no step's loss", "it told one"
    ),
    "chart.lowest": Caption(
        ", lowest",
        "the epoch whose loss stands there has the lowest of all, better than guessing",
        "another one has it",
    ),
    "chart.highest": Caption(
        ", highest",
        "the epoch whose accuracy stands there has the highest of all",
        "another one has it; it is no better than guessing",
    ),
    "chart.smoothed": Caption("smoothed {window}", "the loss is a mean over so many batches", "it is as it was told"),
    "chart.not_smoothed": Caption("not smoothed", "the loss is as it was told", "it is a mean"),
    "chart.log_scale": Caption("log scale", "the axis of the chart is logarithmic", "it is linear"),
    "chart.at_step": Caption("step {step}", "the cursor stands there", "there is no cursor"),
}
