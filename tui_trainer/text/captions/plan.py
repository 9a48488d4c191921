"""What the plan of the LR is doing."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What the plan of the LR is doing"

CAPTIONS = {
    "plan.warming_up": Caption(
        "warming up: {start} → {end} by {when}",
        "the ramp of [warmup], or OneCycleLR on its way up; the end is its top",
        "behind the top",
    ),
    "plan.annealing": Caption(
        "annealing: {start} → {end} by {when}",
        "OneCycleLR or a cosine on its way down, as far as this run comes",
        "on a way up; of other schedulers",
    ),
    "plan.to_restart": Caption(
        "annealing: {start} → {end} by {when}, then a restart at {top}",
        "CosineAnnealingWarmRestarts within a cycle that another one follows in this run",
        "in the last cycle of the run",
    ),
    "plan.falling": Caption(
        "falling: {start} → {end} by {when}",
        "a scheduler without a name for it moves the LR down step by step",
        "where the LR stays, or rises",
    ),
    "plan.climbing": Caption(
        "climbing: {start} → {end} by {when}",
        "the LR rises step by step, and it is no warm-up",
        "where the LR stays, or falls",
    ),
    "plan.holds_then": Caption(
        "holds {start} through {when}, then ×{factor}",
        "StepLR, MultiStepLR or ConstantLR between two changes, the last step or epoch with this LR being named",
        "no change is left in this run",
    ),
    "plan.holds_through": Caption(
        "holds {start} through {when}",
        "SequentialLR, LambdaLR or PiecewiseLinear is in a part in which the LR stays, or any scheduler at its end, and"
        " another part, or SWALR, follows",
        "the LR moves; nothing follows in this run; of a plan of too many steps, of which some are known",
    ),
    "plan.to_swa_lr": Caption(
        "SWALR: {start} → {end} by {when}",
        "SWALR brings the LR to swa_lr, or as near to it as this run comes",
        "the scheduler has the LR; swa_lr is reached",
    ),
    "plan.holds": Caption(
        "holds {start} to the end",
        "no change of the LR is left in this run",
        "a change is to come; of ReduceLROnPlateau, which the losses decide",
    ),
    "plan.watches": Caption(
        "holds {lr} until {monitor} stops getting better",
        "ReduceLROnPlateau has not seen an epoch",
        "it has counted one",
    ),
    "plan.has_patience": Caption(
        "holds {lr} until {monitor} is not better for {epochs}",
        "ReduceLROnPlateau counts no epoch against its patience",
        "an epoch is counted; in cooldown; at min_lr",
    ),
    "plan.waits": Caption(
        "waits for {monitor}: not better for {bad} of {patience}",
        "ReduceLROnPlateau counts epochs within its patience",
        "the last epoch was better; it has just dropped the LR",
    ),
    "plan.cools_down": Caption(
        "holds {lr}: cooldown for {epochs} more",
        "ReduceLROnPlateau counts no epoch for a while",
        "its cooldown is over",
    ),
    "plan.at_min_lr": Caption(
        "holds {lr}: min_lr is reached",
        "the LR is at the min_lr that the recipe tells, or that a drop showed which was not made, or was cut short",
        "the LR is above min_lr; a switch came; no recipe tells where min_lr is, and no drop has shown it",
    ),
    "plan.drop_too_small": Caption(
        "holds {lr}: a drop would be no more than eps",
        "since the last switch ReduceLROnPlateau did not make a drop at this LR, as it was too small",
        "the LR is higher than it was then; a switch came; at min_lr",
    ),
    # Beside a planned curve
    "plan.depends_on_losses": Caption(
        "depends on {monitor}: the LR falls when it stops getting better",
        "a plan of ReduceLROnPlateau, which was made as if it got better all the time",
        "of other schedulers",
    ),
    "plan.without_progress": Caption(
        "if {monitor} got no better",
        "a second curve beside that plan: what would come if it did not",
        "of other schedulers; of a plan of too many steps",
    ),
    "plan.sampled": Caption(
        "{steps} steps, sampled at {count} of them",
        "a plan of more steps than are rehearsed one by one",
        "each step was rehearsed",
    ),
    "plan.until_switch": Caption(
        "{doing}; {preset} from epoch {epoch}",
        "a switch to another preset is promised",
        "no switch is to come, or it is made",
    ),
    "plan.constant_from": Caption(
        "{title}; constant from epoch {epoch} on",
        "a run that was over goes on at the LR of its last step",
        "it follows its schedule, or another preset",
    ),
    "plan.dialled": Caption(
        "{doing}; × {factor} by hand",
        "a person has turned the LR dial of a run of ours: the LRs named are those that are used",
        "the dial is at 1 again; another preset took over",
    ),
    "plan.if_each_epoch": Caption(
        "if its scheduler steps once an epoch",
        "a watched program's scheduler, of a kind that mostly steps at an epoch's end, has not stepped yet",
        "it has stepped; it is one that steps after every batch mostly, or somebody's own",
    ),
    "plan.length_unknown": Caption(
        "length unknown: only what is sure is planned",
        "a watched program's scheduler was rehearsed, and nothing tells how long it will run",
        "the scheduler's own arguments, or a person, say how long it runs",
    ),
    "plan.rehearsed_to": Caption(
        "rehearsed to step {step} only",
        "a watched program's scheduler takes too long to be rehearsed to its end",
        "it was, or nothing tells where its end is",
    ),
    "plan.written": Caption(
        "the LR is written beside the scheduler: what that makes of it is not known",
        "the LR of a watched program was planned, and somebody but the scheduler and the dial changes it",
        "the scheduler alone moves it, or the dial",
    ),
    "plan.no_more": Caption(
        "the LR can be planned no more: {why}", "the process that plans for the screen is lost", "one preset failed"
    ),
    "plan.failed": Caption("the LR could not be planned: {why}", "an error that nobody foresaw", "the preset is wrong"),
}
