"""What came of a comparison."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What came of a comparison"

CAPTIONS = {
    "comparison.no_epoch": Caption(
        "No run has finished an epoch yet: nothing to compare.",
        "runs are compared by their accuracy, and none has an epoch",
        "one has an epoch; or they are compared by another metric",
    ),
    "comparison.judged_otherwise": Caption(
        "No series that judges is had by all of them: {who}. --metric names one that does; --objective and --rename "
        "say of another tool's which are alike.",
        "nobody has asked for a metric, and a run of another tool lacks the one that the others are compared by",
        "all have it; one was asked for; what lacks it is a run of ours, which may still log it",
    ),
    "comparison.judged_by": Caption(
        "{who} has {series}", "which series it is, of each run that has one", "it has none"
    ),
    "comparison.judged_by_none": Caption(
        "{who} has none that its names tell", "no name of its series says that it judges", "one does"
    ),
    "comparison.not_logged_yet": Caption(
        "No run has logged {metric} yet: nothing to compare.",
        "no run has the metric, and one of them is not over",
        "one has it; or all are over",
    ),
    "comparison.no_such_metric": Caption(
        "No run has {metric}: nothing to compare.",
        "all runs are over, none has the metric, and none has one of a name like it",
        "one has it; or it may still come; or a name is near",
    ),
    "comparison.no_such_metric_but": Caption(
        "No run has {metric}: nothing to compare. Near it: {names}.",
        "the same, where names of series that they have are like it",
        "one has it; or it may still come",
    ),
    "comparison.no_such_column": Caption(
        "{name} is neither a setting nor a series of these runs.",
        "a column of the table was asked for by that name, all runs are over, and none has such a thing",
        "one has it; it may still come",
    ),
    "comparison.only_one": Caption(
        "Only {who} has finished an epoch{at}: nothing to compare it with.",
        "runs are compared by their accuracy, and those of one preset alone have an epoch",
        "those of another one have, too; or of none",
    ),
    "comparison.only_one_has_it": Caption(
        "Only {who} has {metric}{at}: nothing to compare it with.",
        "runs of one preset alone have the metric",
        "those of another one have it, too; or of none",
    ),
    "comparison.one_finished": Caption(
        "{who} alone finished{seeds}{at}: nothing to compare it with.",
        "all runs are over, and those of one preset alone have all finished",
        "two presets have finished; or runs are to come",
    ),
    "comparison.one_finished_yet": Caption(
        "Only {who} has finished{seeds}{at}: nothing to compare it with yet.",
        "one preset has finished, and runs are not over",
        "two have; or all runs are over",
    ),
    "comparison.none_finished": Caption(
        "None finished{seeds}: nothing to compare.",
        "all runs are over, and no preset has finished with all its seeds",
        "one has; or runs are not over",
    ),
    "comparison.none_finished_yet": Caption(
        "None has finished{seeds} yet: nothing to compare.",
        "two presets have an epoch, none has finished with all its seeds, and runs are not over",
        "one has finished; or all runs are over",
    ),
    "comparison.none_reached": Caption(
        "None{among} reached {target}{seeds}.",
        "a target was asked for, and no preset that finished has come to it with all its seeds",
        "one has; or the target was named by the program; or no goal is known",
    ),
    "comparison.first": Caption(
        "{who} reached {target}{seeds} first{among} ({when}).",
        "of the presets that finished one was there in fewer epochs, on average, than each other",
        "two were there in the same epoch; or one of its seeds was not there",
    ),
    "comparison.first_together": Caption(
        "{who} reached {target}{seeds} first{among}, all in {when}.",
        "several, but not all that finished, were there in the same epoch, and none before",
        "one was there before; or all were there together",
    ),
    "comparison.all_reached": Caption(
        "All{among} reached {target} in {when}.",
        "all that finished were there in the same epoch",
        "one was there later, or not at all",
    ),
    "comparison.level": Caption(
        "{who} ended level{how}{among}, at {value}.",
        "the best ends of two or more are the same number",
        "one ended better than each other",
    ),
    "comparison.ended_best": Caption(
        "{who} ended {how}{among} ({value}), ahead of {other} ({others}) by {lead}.",
        "one ended better than each other that finished, by the goal of what they are compared by",
        "two are level; no goal is known; a seed of it has not finished",
    ),
    "comparison.more_than_luck": Caption(
        "{compared} more than luck ({test}, p {p}, {seeds})",
        "Welch's t-test of both presets' seeds has a p below 0.05",
        "p is 0.05 or more; one of them has a single seed",
    ),
    "comparison.could_be_luck": Caption(
        "{compared} it could be luck ({test}, p {p}, {seeds})",
        "Welch's t-test of both presets' seeds has a p of 0.05 or more",
        "p is below it; one of them has a single seed",
    ),
    "comparison.luck_of_a_seed": Caption(
        "which may be luck of {seed}",
        "one of the two that are ahead has a single seed",
        "both have several",
    ),
    "comparison.best_epoch": Caption(
        "The best epoch{among} was {who}'s ({value}).",
        "compared by accuracy, another preset than the one that ended highest had the highest of all",
        "who ended highest had it, or as high a one",
    ),
    "comparison.best_value": Caption(
        "The {extreme} {metric}{among} was {who}'s ({value}).",
        "another preset than the one that ended best had the best value of the metric at any time",
        "who ended best had it, or as good a one; no goal is known",
    ),
    "comparison.no_goal": Caption(
        "Whether less or more {metric} is better is not settled: nothing of it is called best ({metric}:min or "
        "{metric}:max settles it).",
        "two presets have finished, and neither was a goal asked for nor do the runs agree on one",
        "a goal is known",
    ),
    "comparison.without_metric": Caption(
        "{who} {has} no {metric}.",
        "runs have ended without the metric, and others have it",
        "they have it; they have not ended; no run has it; compared by accuracy",
    ),
    "comparison.not_finite": Caption(
        "{who} ended with no finite {metric}.",
        "the last value of the metric, of runs that have ended, is nan or infinite",
        "it is finite; there is none",
    ),
    "comparison.one_diverged": Caption(
        "{who} diverged: its loss was not finite.",
        "of one preset runs have ended as diverged",
        "no run has; runs of two presets have",
    ),
    "comparison.diverged": Caption(
        "{who} diverged: their losses were not finite.",
        "of several presets runs have ended as diverged",
        "of one, or none",
    ),
    "comparison.crashed": Caption("{who} crashed.", "runs have crashed", "no run has"),
    "comparison.one_stopped": Caption(
        "{who} was stopped early.", "of one preset runs were stopped", "of none, or of two, they were"
    ),
    "comparison.stopped": Caption(
        "{who} were stopped early.", "of several presets runs were stopped", "of one, or none, they were"
    ),
    "comparison.one_by_rule": Caption(
        "{who} was stopped by the rule: at the end of an epoch its best was worse than the median of the others.",
        "of one preset runs were stopped by the rule of --stop-worse-than",
        "of none, or of two, they were; a person stopped them",
    ),
    "comparison.by_rule": Caption(
        "{who} were stopped by the rule: at the end of an epoch their best was worse than the median of the others.",
        "of several presets runs were stopped by it",
        "of one, or none; a person stopped them",
    ),
    "comparison.one_gone": Caption(
        "{who} is gone: its record is not there.",
        "of one preset a run has a record by name, and no such folder is there",
        "it is there; the run has not begun; of two they are gone",
    ),
    "comparison.gone": Caption(
        "{who} are gone: their records are not there.",
        "the same of several presets",
        "of one, or none",
    ),
    "comparison.not_reached": Caption(
        "{who} is left out: {address} is not reached: {why}.",
        "a run is compared whose record is on another machine, and it could not be had from there",
        "its copy is here; the connection broke later",
    ),
    "comparison.not_asked": Caption(
        "nobody has asked for it",
        "why, where a comparison is read by what connects to no machine",
        "it was tried",
    ),
    "comparison.a_part": Caption(
        "{counts}: a mean of a part wins nothing.",
        "one preset of several seeds has a mean, and not all of its seeds have finished",
        "all have; none has; of two presets it is so",
    ),
    "comparison.parts": Caption(
        "{counts}: means of a part win nothing.",
        "the same of several presets",
        "of one, or none",
    ),
    "comparison.not_over": Caption(
        "{runs} not over yet.",
        "runs train, or are to come",
        "all are over, or those that are not are another tool's",
    ),
    "comparison.end_unknown": Caption(
        "Of {who} the tool has not said whether it is over.",
        "runs that another tool records have numbers, and no word of an end: they win nothing",
        "the tool said that they are over; the runs are ours",
    ),
    "comparison.rank_correlation": Caption(
        "rank correlation {rho} over {runs}",
        "five finished runs or more differ in a setting that is a number, and in how they ended",
        "the setting is in words; all ended alike; fewer have finished",
    ),
    "comparison.few_runs": Caption(
        "a hint, of few runs",
        "what goes with the outcome is drawn of fewer than ten runs",
        "of ten or more",
    ),
    "comparison.too_few_to_relate": Caption(
        "What goes with {metric} is drawn once five runs have finished that differ in a setting.",
        "fewer have finished, or they differ in none that is known",
        "a setting can be drawn",
    ),
    "comparison.watched": Caption(
        "{who} is a watched program: its settings are its own, and not compared.",
        "one of the runs that are compared is that of a watched program",
        "none is",
    ),
    "comparison.unlike": Caption(
        "Mind that they did not have the same {names}.",
        "what the results depend on differs, and fairness is told elsewhere",
        "nothing of that differs",
    ),
    # Parts of these
    "comparison.of_finished": Caption(
        " of the {count} that finished", "some have not finished with all their seeds", "all have"
    ),
    "comparison.all_seeds": Caption(
        " all its seeds", "behind finished, where a preset that has begun has several seeds", "each has one"
    ),
    "comparison.with_all_seeds": Caption(
        " with all seeds", "behind a target that a preset reached with some of its seeds alone", "none did so"
    ),
    "comparison.beyond_spread": Caption(
        "more than the spread of seeds", "a lead is larger than the larger of both spreads", "it is as large, or less"
    ),
    "comparison.within_spread": Caption("less than the spread of seeds", "it is smaller", "it is as large, or more"),
    "comparison.at_spread": Caption("as much as the spread of seeds", "it is as large", "it is smaller, or larger"),
    "comparison.seed_of": Caption(
        "the one seed of {who}", "of the two that lead one has a single seed", "both have one"
    ),
    "comparison.seeds_tell": Caption(
        "the one seed (--seeds 5 tells)", "both have a single seed, and were trained by this comparison", "by another"
    ),
    "comparison.seeds_of_presets_tell": Caption(
        "the one seed (their presets with --seeds 5 tell)",
        "both have a single seed, and one was trained elsewhere",
        "both were trained by this comparison; one has no preset",
    ),
    "comparison.other_seeds_tell": Caption(
        "the one run each (more of them, with other seeds, tell)",
        "both have a single run, and one is a watched program's or another tool's",
        "both have presets",
    ),
    # Presets
    "comparison.preset_untold": Caption(
        "What preset {who} had cannot be told: {why}.", "a run's record tells no preset that is known", "it tells one"
    ),
    "comparison.not_said": Caption("its record does not say", "why, where it has none", "it has one"),
    "comparison.not_known": Caption(
        "this version does not know it ({where}: {why})", "why, where it has one of a later version", "it is known"
    ),
    "comparison.same_lrs": Caption(
        "{who} come to the same LR in every step of this run{more}.",
        "the planned LRs of two presets are the same on this run",
        "one step's differ; a plan depends on losses",
    ),
    "comparison.one_preset": Caption(
        ": here they are one preset under different names",
        "behind that, where nothing else tells the two apart",
        "an option of the optimizer, the batch size or else does",
    ),
    # On its screen
    "comparison.idle": Caption(
        "{done} of {runs} done, the rest is idle",
        "runs are left, and nobody trains them",
        "somebody does; all are over",
    ),
    "comparison.trains_by_itself": Caption(
        "{done} of {runs} done, {live} training by itself",
        "no process trains for the comparison, and runs that were begun elsewhere train",
        "one does; none of its runs trains",
    ),
    "comparison.queued": Caption(
        "{done} of {runs} done, the rest is in the queue",
        "a cluster's queue holds runs that are left, and none trains",
        "one trains; nothing waits in a queue",
    ),
    "comparison.training": Caption(
        "training {place} of {runs}", "runs are being trained", "none is: what is left waits, or is idle"
    ),
    "comparison.screen": Caption("screen {share} of all cores", "runs train, in much room", "none does"),
    "comparison.nothing_differs": Caption(
        "nothing: their presets are the same", "no setting of theirs differs, and all are known", "one differs"
    ),
    "comparison.as_the_others": Caption(
        "as the others", "of what differs among them, none is set in this one", "one is"
    ),
    "comparison.all_charts": Caption("all charts are shown already", "there is room for all", "one is shown at a time"),
    "comparison.report_begun": Caption("the report is being written", "it was asked for", "nobody asked for it"),
    "comparison.report_written": Caption(
        "the report is written: {file}", "it is there, whole", "it could not be written; it is being written"
    ),
    "comparison.no_other_series": Caption(
        "the runs have no other series in common", "another one is asked for, and there is none", "there is one"
    ),
    "comparison.by_series": Caption(
        "by {series}, {place} of {count} series that the runs have in common",
        "they are compared by another one",
        "by the same",
    ),
    "comparison.not_begun": Caption(
        "{who} has not begun so far", "a run is to be opened that has told nothing", "it has"
    ),
    "comparison.far_not_paused": Caption(
        "what goes on is on another machine: enter opens it, and space pauses it there",
        "a comparison is to be paused of which nothing trains here, and a run of another machine goes on",
        "something trains here, which is paused; nothing goes on",
    ),
    "comparison.loss_both": Caption(
        "validation; training, smoothed, is dotted", "the chart of the loss shows both", "it shows one of them"
    ),
    "comparison.loss_validation": Caption("validation", "it shows the validation loss alone", "the training loss, too"),
    "comparison.loss_training": Caption("training, smoothed", "it shows the training loss alone", "the other, too"),
    "comparison.columns": Caption("Columns, in their order", "its columns are chosen", "they are not"),
    "comparison.columns_keys": Caption(
        "space marks, enter takes them in this order, esc leaves", "the same: which keys do", "on the table itself"
    ),
}
