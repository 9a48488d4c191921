"""What goes wrong with a preset on a run: `presets/rules.py` finds it."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What goes wrong with a preset on a run"

CAPTIONS = {
    # The optimizer by itself, and with the scheduler
    "rule.nesterov_momentum": Caption(
        "needs momentum; add momentum = 0.9, or take nesterov out",
        "SGD has nesterov, and no momentum",
        "it has momentum; without nesterov",
    ),
    "rule.nesterov_dampening": Caption(
        "Nesterov momentum allows none; take one of the two out",
        "SGD has nesterov and dampening",
        "it has only one of them",
    ),
    "rule.lr_breaks": Caption(
        "the LR comes to {lr}, and nothing is learned: {why}; {right}",
        "SGD comes to an LR of 10 or more in this run, or an Adam, RMSprop or the like to 1 or more",
        "below that, whatever a longer run would come to, by swa_lr too; of other optimizers; an eps of 0.01 or more",
    ),
    "rule.sgd_leaps": Caption(
        "the loss leaps away from it within a few steps",
        "why nothing is learned, of SGD",
        "of the others",
    ),
    "rule.adam_leaps": Caption(
        "{optimizer} moves every weight by about that much at a step",
        "why nothing is learned, of Adam, AdamW, Adamax, NAdam, RAdam, RMSprop",
        "of SGD; with an eps of 0.01 or more",
    ),
    "rule.usual_sgd": Caption("0.01 to 0.1 is usual", "of SGD's LR", "of another optimizer"),
    "rule.usual_adam": Caption("0.001 is usual", "of the LR of Adam, AdamW, Adamax, NAdam, RAdam, RMSprop", "of SGD"),
    "rule.no_momentum": Caption(
        "{optimizer} has no momentum to cycle; write cycle_momentum = false",
        "OneCycleLR or CyclicLR is to cycle the momentum of one that has none, such as Adadelta",
        "the optimizer has momentum or betas; cycle_momentum is false",
    ),
    "rule.beside_muon": Caption(
        "beside a group of Muon it is cycled of an optimizer with momentum alone, as SGD; write cycle_momentum = false",
        "OneCycleLR or CyclicLR is to cycle the momentum, with Muon beside an optimizer with betas, or one's own",
        "the optimizer has momentum, as Muon; no group is Muon's; cycle_momentum is false",
    ),
    "rule.no_weight_decay": Caption(
        "Rprop has no weight decay", "groups of parameters are to have one of their own, with Rprop", "of others"
    ),
    "rule.signs_of_batches": Caption(
        "Rprop goes by the signs of gradients of all images; with {steps} an epoch these turn by chance",
        "Rprop, and an epoch is more than one step",
        "of others; each step has all images",
    ),
    "rule.lr_of_first_step": Caption(
        "Rprop uses the LR for its first step alone, and finds the sizes of others by itself: a schedule moves nothing",
        "Rprop with a scheduler, a warm-up or swa_lr",
        "of others; Rprop without a schedule",
    ),
    "rule.momentum_upside_down": Caption(
        "the lower end of the cycle is above max_momentum, {top}; swap them",
        "base_momentum is above max_momentum, and is cycled",
        "it is not; cycle_momentum is false",
    ),
    "rule.lr_not_used": Caption(
        "not used: {scheduler} starts at {source}, {start}; leave it out",
        "the optimizer's lr was written, and the scheduler starts at an LR of its own",
        "it was not written; the scheduler starts at it",
    ),
    "rule.eta_min_climbs": Caption(
        "above the optimizer's lr, {lr}, so the LR climbs towards it; less would anneal to it",
        "a cosine goes to an eta_min above the LR that it begins with",
        "eta_min is the same, or less",
    ),
    "rule.eta_min_stays": Caption(
        "the same as the optimizer's lr, {lr}, so the LR stays; less would anneal to it",
        "a cosine goes to an eta_min that is the LR it begins with",
        "eta_min is another",
    ),
    "rule.min_lr_stops": Caption(
        "not below the optimizer's lr, {lr}, so the LR never falls; less would let it",
        "the min_lr of ReduceLROnPlateau is the LR that it begins with, or more",
        "it is less",
    ),
    # The scheduler by itself
    "rule.cycle_upside_down": Caption(
        "the top is not above base_lr, {base}; make it larger",
        "the max_lr of CyclicLR is its base_lr, or less",
        "it is more",
    ),
    "rule.gamma_not_used": Caption(
        'not used by mode "{mode}"; only "exp_range" multiplies by it',
        "CyclicLR has a gamma, and another mode than exp_range",
        "its mode is exp_range; gamma is 1",
    ),
    "rule.ends_above_top": Caption(
        "so small that the run would end above max_lr; 1e4 is torch's own",
        "div_factor times final_div_factor of OneCycleLR is less than 1",
        "it is 1 or more",
    ),
    "rule.gamma_keeps": Caption(
        "{gamma} leaves the LR as it is; less than 1 lets it fall",
        "the gamma of StepLR, MultiStepLR or ExponentialLR is 1",
        "it is another",
    ),
    "rule.gamma_grows": Caption(
        "{gamma} makes the LR grow; less than 1 lets it fall",
        "the gamma of StepLR, MultiStepLR or ExponentialLR is more than 1",
        "it is 1 or less",
    ),
    "rule.factor_keeps": Caption(
        "1 leaves the LR as it is; less than 1 holds it down at first",
        "the factor of ConstantLR is 1",
        "it is less",
    ),
    "rule.line_is_level": Caption(
        "the same as start_factor, so the LR stays; make them differ",
        "both factors of LinearLR are the same",
        "they differ",
    ),
    "rule.milestones_unordered": Caption(
        "not in rising order; write [{milestones}]",
        "a milestone of MultiStepLR stands behind a later one",
        "they stand in order, or one stands twice",
    ),
    "rule.mode_upside_down": Caption(
        '"{mode}" takes a {monitor} that gets worse for better; write "{right}"',
        "ReduceLROnPlateau or early_stopping watches a loss for its highest value, or an accuracy for its lowest",
        "its mode fits what it watches, or follows it",
    ),
    # The warm-up
    "rule.warmup_of_its_own": Caption(
        "OneCycleLR has a warm-up of its own, pct_start of the run; take this table out",
        "[warmup] stands before OneCycleLR",
        "before another scheduler",
    ),
    "rule.begins_low": Caption(
        "CyclicLR begins low, at base_lr, and climbs by itself; take this table out",
        "[warmup] stands before CyclicLR",
        "before another scheduler",
    ),
    "rule.begins_at_a_point": Caption(
        "PiecewiseLinear begins at the LR of its first point; make the ramp a point, and take this table out",
        "[warmup] stands before PiecewiseLinear",
        "before another scheduler",
    ),
    "rule.warmup_twice": Caption(
        "the warm-up's length is given in epochs already; keep one of the two",
        "[warmup] has both epochs and steps",
        "it has one of them, or none",
    ),
    "rule.warmup_of_nothing": Caption(
        'a constant LR of 0 trains nothing; write method = "linear", or more than 0',
        "a constant warm-up has start_factor 0",
        "it has more; a linear one",
    ),
    "rule.warmup_is_all": Caption(
        "leaves nothing of {length}; {right}",
        "the warm-up takes the whole run, or more",
        "a step is left",
    ),
    "rule.shorter_warmup": Caption(
        "less than {length} would leave some", "the same, of a run of several epochs", "of a run of one epoch"
    ),
    "rule.longer_run": Caption(
        "a longer run would leave some", "the same, of a run of one epoch", "of a run of several epochs"
    ),
    # Stages, formulas, points
    "rule.not_of_formula": Caption(
        "not an argument of {formula}, which takes {known}",
        "LambdaLR has an argument of another formula than its own",
        "the formula takes it",
    ),
    "rule.points_unordered": Caption(
        "the first numbers of points rise: each is later than the one before",
        "a point of PiecewiseLinear is not behind the one before",
        "they rise",
    ),
    "rule.share_above_one": Caption(
        '{share} is more than the whole run; shares go from 0 to 1, or write unit = "epoch"',
        "points are in shares of the run, and one is above 1",
        "none is; in epochs",
    ),
    "rule.points_at_zero": Caption(
        "an LR of 0 at all points trains nothing", "all points have an LR of 0", "one has more"
    ),
    "rule.points_beyond": Caption(
        "the last point, at epoch {epoch}, is never reached: {part}",
        "points in epochs go on behind the end of the run",
        "all are reached; in shares; swa_lr takes over",
    ),
    "rule.stage_length_twice": Caption(
        "the stage's length is given by {first} already; keep one of them",
        "a stage has two of epochs, steps and share",
        "it has one, or none",
    ),
    "rule.stage_in_steps": Caption(
        'a stage of so many batches ends within an epoch; write interval = "step" in [scheduler], or epochs here',
        "a stage's length is in steps, and SequentialLR steps after validation",
        "it steps after every batch",
    ),
    "rule.stage_without_length": Caption(
        "how long the stage lasts is missing, and one before it has the rest already; write epochs, steps or share",
        "two stages have no length",
        "one has none",
    ),
    "rule.stage_without_step": Caption(
        "stage {number} has no step: {part}",
        "the stages before it leave nothing of the run, or its share is less than a step",
        "it has one",
    ),
    "rule.stage_never_begins": Caption(
        "stage {number} never begins: {part}", "the stages before it last as long as the run, or longer", "it begins"
    ),
    "rule.stages_too_short": Caption(
        "the stages end before the run, and the last one goes on for {over}: {part}; leave its length out",
        "the lengths of all stages come to less than the run",
        "one has the rest of the run; they come to the run, but for a step",
    ),
    # The scheduler on a run of this length; {part} is one of the next two
    "rule.run_has": Caption("the run has {steps}", "how long a scheduler acts, without [warmup]", "with [warmup]"),
    "rule.run_has_left": Caption(
        "the run has {steps} left", "the same of a preset that a run is switched to", "of one that it begins with"
    ),
    "rule.warmup_leaves": Caption("the warm-up leaves {steps}", "the same with [warmup]", "without [warmup]"),
    "rule.less_drops": Caption(
        "; less than {than} would drop the LR", "of StepLR, where a smaller step_size would", "of a gamma of 1 or more"
    ),
    "rule.less_reaches": Caption(
        "; less than {than} would reach it", "of StepLR with a gamma of 1 or more", "of a gamma below 1"
    ),
    "rule.less_is_reached": Caption(
        "; less than {than} would be", "of a milestone, where an earlier one would", "of a run of one step"
    ),
    "rule.less_restarts": Caption(
        "; less than {than} would bring one", "of a restart, where a smaller T_0 would", "of a run of one step"
    ),
    "rule.less_tops": Caption(
        "; less than {than} would reach it", "of CyclicLR's top, where a shorter way up would", "of a run of one step"
    ),
    "rule.less_lets_one": Caption(
        "; less than {than} would let one",
        "of ReduceLROnPlateau, where less patience would",
        "of a run in which not even a patience of 0 would",
    ),
    "rule.less_lifts": Caption(
        "; less than {than} would lift it", "of ConstantLR, where fewer total_iters would", "of a run of one step"
    ),
    "rule.never_drops": Caption(
        "never reached: {part}{less}",
        "StepLR does not change the LR within the run",
        "it does, be it before the last step alone",
    ),
    "rule.milestone_late": Caption(
        "{milestone} is never reached: {part}{less}",
        "a milestone of MultiStepLR lies behind the last step of the run",
        "each is reached",
    ),
    "rule.no_restart": Caption(
        "no restart comes: {part}{less}",
        "the first cycle of CosineAnnealingWarmRestarts lasts to the end of the run, or longer",
        "a step of the run comes after it",
    ),
    "rule.top_not_reached": Caption(
        "the top is never reached: {part}{less}",
        "the way up of CyclicLR lasts to the end of the run, or longer",
        "a step of the run has the LR at the top",
    ),
    "rule.no_drop_in_time": Caption(
        "no drop can come in time: {part}{less}",
        "with the first epoch as the best one, and none better, ReduceLROnPlateau would drop the LR behind the run",
        "a drop could come before the last epoch",
    ),
    "rule.batches_for_epochs": Caption(
        'all drops come within the first {last}: {part}; interval = "epoch" would count epochs',
        "milestones of MultiStepLR count batches, lie within a quarter of the run, and would be epochs of it",
        'interval is "epoch"; one lies later than that, or behind the number of epochs; a single one',
    ),
    "rule.cycle_in_an_epoch": Caption(
        'a cycle takes {length}, and an epoch has {epoch}; interval = "epoch" would count epochs',
        "a cycle of CyclicLR or CosineAnnealingWarmRestarts is shorter than an epoch, and would fit in epochs",
        'interval is "epoch"; a cycle is an epoch or longer; as many epochs would be longer than the run; cycles grow',
    ),
    "rule.over_at_once": Caption(
        'the LR stays from {last} on: {part}; interval = "epoch" would count epochs',
        "LinearLR or ConstantLR is over after ten batches or fewer, less than a hundredth of a run of more epochs",
        'interval is "epoch"; it takes longer; it is a stage, whose length is said apart',
    ),
    "rule.ends_within_a_cycle": Caption(
        "the run ends within a cycle, at an LR of {lr}; {right}",
        "the last cycle of CosineAnnealingWarmRestarts or CyclicLR is cut off before three quarters of its way down",
        "the last cycle is whole, or nearly down; no restart comes, or no top, which is said; a mode that shrinks",
    ),
    "rule.ends_well": Caption(
        "{before} or {after} would end low", "lengths of the run that would, of a later cycle", "of the first cycle"
    ),
    "rule.longer_ends_well": Caption(
        "{after} would end low", "the length of the run that would, of the first cycle", "of a later cycle"
    ),
    "rule.drops_within_eps": Caption(
        "a drop would be {drop}, which is not more than eps, so the LR never falls; a smaller eps would let it",
        "the first drop of ReduceLROnPlateau is eps or less, and is not made",
        "it is larger; min_lr is not below the LR, which is said",
    ),
    "rule.never_better": Caption(
        "no loss is less by {threshold} times itself, so that each epoch counts as no better; 1e-4 is torch's own",
        "ReduceLROnPlateau watches val_loss with a relative threshold of 1 or more",
        'it is less; threshold_mode is "abs"; it watches val_accuracy',
    ),
    "rule.fills": Caption("{steps} would fill the run; left out, it does", "T_max or total_iters does not", "it does"),
    "rule.turns_back": Caption(
        "the LR climbs again before the end: {fills}",
        "CosineAnnealingLR is past its bottom by the last step of the run",
        "the last step is the bottom, or before it; eta_min is not below the LR",
    ),
    "rule.bottom_not_reached": Caption(
        "the LR never gets down to eta_min: {fills}",
        "T_max of CosineAnnealingLR is longer than the run",
        "it is as long, or shorter; eta_min is not below the LR; swa_lr takes over",
    ),
    "rule.factor_stays": Caption(
        "the factor holds to the end of the run{less}",
        "the total_iters of ConstantLR are the run, or more",
        "the factor is lifted before the last step; swa_lr takes over",
    ),
    "rule.curve_cut": Caption(
        "the run ends before the curve does: {fills}",
        "the total_iters of LinearLR or PolynomialLR are more than the run has",
        "they are as many, or fewer; swa_lr takes over",
    ),
    "rule.zero_from_there": Caption(
        "the LR is 0 from there on, and nothing is learned: {fills}",
        "PolynomialLR, or a LinearLR to 0, has come to its end before the last step",
        "it comes to its end with the run; LinearLR ends above 0; swa_lr takes over",
    ),
    "rule.zero_until_swa": Caption(
        "the LR is 0 from there until SWALR takes over, and nothing is learned in between: {fills}",
        "the same with swa_lr, which brings the LR up again",
        "it comes to its end as SWALR takes over; without swa_lr, or where it is never reached",
    ),
    "rule.decays_to_nothing": Caption(
        "after {drops} the LR ends at {share} of its start, where nothing is learned; {gamma} would end at a hundredth",
        "StepLR or ExponentialLR bring the LR below a ten thousandth of its start",
        "it ends above that",
    ),
    "rule.grows_past_all": Caption(
        "makes the LR grow past all numbers; less than 1 lets it fall",
        "a gamma above 1 brings the LR to more than 1e300 in this run",
        "it does not come that far",
    ),
    "rule.halves_past_all": Caption(
        "{cycles} are too many for triangular2: each halves the LR, and torch fails after {most}; a longer "
        "step_size_up makes fewer",
        "CyclicLR with mode triangular2 has so many cycles in this run",
        "it has fewer; another mode does not halve",
    ),
    "rule.never_climbs": Caption(
        "{share} of {steps} is less than one, so the LR never climbs{right}",
        "pct_start leaves OneCycleLR no step on its way up",
        "it leaves one",
    ),
    "rule.more_would_do": Caption("; {share} would do", "the same, of a run of several steps", "of a run of one step"),
    "rule.longer_run_would_do": Caption("; a longer run would do", "the same, of a run of one step", "of a longer one"),
    "rule.phase_without_step": Caption(
        "of {steps} it leaves a phase without a step, and torch divides by zero; {share} would do",
        "two ends of OneCycleLR's phases are the same",
        "each phase has a length",
    ),
    "rule.way_down_too_long": Caption(
        "with three_phase the way up takes so much of the run, and the way down as much again; less than 0.5 leaves "
        "some for the end",
        "pct_start of a OneCycleLR with three_phase leaves nothing for the last phase",
        "without three_phase; something is left",
    ),
    # The end of the training
    "rule.never_early": Caption(
        "never ends the run early, which has {epochs}{less}",
        "early_stopping has the patience of all epochs but the first and the last, or more",
        "a run that gets no better from its second epoch on would end before its last one",
    ),
    "rule.less_ends_it": Caption(
        "; {most} at most would", "a smaller patience would end it early", "the run has two epochs, or one"
    ),
    # Groups of parameters
    "rule.group_of_nothing": Caption(
        'says not of which parameters; write match = "norm" or match = "bias", or name = "layer4.*"',
        "a group has neither match nor name",
        "it has one of them",
    ),
    "rule.group_no_glob": Caption(
        "no name of a parameter is like it; names are of letters, digits, _ and ., with * and ? for any of them",
        "the glob of a group is empty, or has blanks, quotes or the like",
        "a name might match it, whether one of this network does or not",
    ),
    "rule.group_lr_twice": Caption(
        "the group's LR is given by lr already; keep one of them", "a group has lr and lr_scale", "it has one of them"
    ),
    "rule.group_changes_nothing": Caption(
        "has no lr, lr_scale or weight_decay, so that its parameters are treated as all others",
        "a group says only which parameters",
        "it says more; a list of the scheduler has an LR for it; a later group may want its parameters, too",
    ),
    "rule.group_lr_not_used": Caption(
        "not used: {scheduler} sets the LR of every group itself; {right}",
        "a group has lr or lr_scale, and the scheduler starts at an LR of its own; lr, and it has points",
        "the scheduler starts at the optimizer's LRs; lr_scale with points",
    ),
    "rule.list_for_groups": Caption(
        "write {key} as a list, first that of the other parameters, then one for each group",
        "what would be right, of OneCycleLR and CyclicLR",
        "of PiecewiseLinear",
    ),
    "rule.scale_for_groups": Caption(
        "write lr_scale, by which its points are multiplied",
        "what would be right, of PiecewiseLinear, be it a stage",
        "of another",
    ),
    "rule.list_of_others": Caption(
        "{count} in the list, and {groups} would be right: one for the parameters that no group matches, then one for "
        "each group",
        "a list of the scheduler is not as long as there are groups, and one more",
        "it is; it is no list",
    ),
    # The data
    "rule.clipped_twice": Caption(
        "the gradients are clipped by clip_grad_norm already; keep one of them",
        "[training] has clip_grad_norm and clip_grad_value",
        "it has one of them",
    ),
    "rule.accumulates_all": Caption(
        "more than the {batches} of an epoch, so that an epoch is one step",
        "accumulate is more than the batches that an epoch has",
        "an epoch has as many batches, or more",
    ),
    "rule.average_stays": Caption(
        "too slow for {steps}: {share} of the average are still the first step's weights in the end; {right} leaves 1%",
        "more than a tenth of the average of the weights is, in the end, what the first step left",
        "it is less",
    ),
    "rule.averaged_twice": Caption(
        "the weights are averaged by ema_decay already; keep one of them",
        "[training] has ema_decay and swa_start",
        "it has one of them, or none",
    ),
    "rule.average_never": Caption(
        "no average is made: the run has {epochs}",
        "swa_start is an epoch behind the last one",
        "it is one of the run",
    ),
    "rule.average_of_one": Caption(
        "an average of the weights of a single epoch, for the run has {epochs}; an earlier start would average",
        "swa_start is the last epoch of the run",
        "it is an earlier one, or none of the run",
    ),
    "rule.swa_leaves": Caption(
        "until swa_start the scheduler has {steps}",
        "the same with swa_lr, which ends it",
        "without swa_lr, or never reached",
    ),
    "rule.swa_needs_start": Caption(
        "from when on? swa_start says it", "[training] has swa_lr and no swa_start", "it has both, or no swa_lr"
    ),
    "rule.swa_needs_lr": Caption(
        "to which LR? swa_lr says it",
        "[training] says how an LR is annealed for SWA, and not to what",
        "it has swa_lr; nothing of SWALR is written",
    ),
    "rule.swa_of_losses": Caption(
        "goes on from a schedule that is known beforehand, and ReduceLROnPlateau's is not; any other scheduler will do",
        "[training] has swa_lr, and the scheduler is ReduceLROnPlateau",
        "of other schedulers",
    ),
    "rule.swa_not_reached": Caption(
        "behind swa_start the LR has {left} to come to swa_lr; {most} or fewer would get it there",
        "SWALR begins in the run, and takes longer than is left of it",
        "it has the time; it never begins, or nothing is left at all, of which another rule tells",
    ),
    "rule.swa_too_early": Caption(
        "leaves the scheduler and the warm-up nothing before swa_lr; {first} is the first epoch that does",
        "swa_lr begins in the first epoch, or before the warm-up is over and a step of the scheduler has its LR",
        "some step is left to the scheduler",
    ),
    "rule.not_of_network": Caption(
        "{model} has no {key}{right}",
        "[model] has an option that the network does not take, or the network is a person's own",
        "the network takes it; a preset that a run switches to, which keeps its network",
    ),
    "rule.network_takes": Caption("; it takes {keys}", "behind that, of one that takes something", "it takes nothing"),
    "rule.network_takes_nothing": Caption(
        "; leave it out", "behind that, of one that takes nothing, as resnet18", "it takes something"
    ),
    "rule.erasing_is_last": Caption(
        "blots out a part of a normalised image, and {after} behind it takes pixels; put it last",
        "another transform stands behind RandomErasing",
        "it is the last one, or more of its kind follow",
    ),
    "rule.range_upside_down": Caption(
        "from {low} to {high} there is nothing; swap them",
        "a range of RandomErasing begins above its end",
        "it does not, be it a single number",
    ),
    "rule.magnitude_beyond": Caption(
        "there are {bins} strengths, counted from 0; at most {most} is right",
        "the magnitude of RandAugment is none of num_magnitude_bins",
        "it is one of them",
    ),
    "rule.one_batch": Caption(
        "more than the {images}, so that an epoch is one batch of them all",
        "the batch size is more than all images that train",
        "it is as many, or fewer",
    ),
    "rule.more_steps": Caption(
        "; {size} would make more steps", "the same, where a smaller batch makes more of them", "there is but one image"
    ),
    "rule.last_of_one": Caption(
        "leaves a last batch of one image, from which alone BatchNorm then takes its statistics; {size} would not",
        "a model with BatchNorm gets a last batch of one image",
        "without BatchNorm; the last batch has more, or all have one",
    ),
    "rule.batches_of_one": Caption(
        "gives BatchNorm one image to take its statistics from; 16 is a start",
        "a model with BatchNorm gets batches of one image",
        "without BatchNorm; batches have more",
    ),
    "rule.lr_impossible": Caption(
        "the LR of step {step} would be {lr}; an LR is finite and not negative",
        "a schedule comes to such an LR at a step that a batch uses",
        "behind the last batch; what rounding makes of 0",
    ),
}
