"""Everything that the program claims of a run, a preset, a comparison, a record or the machine: its words in one table.

Each caption says when it is said and when it must not be, and has a test for both (`tests/test_captions.py` sees to
it). Why the LR moved or held is told by `text/reasons.py`, whose words a record keeps: they are among these, too.
"""

from __future__ import annotations

from typing import NamedTuple

from tui_trainer.text.reasons import WORDS


class Caption(NamedTuple):
    """Words, in braces the values that they name; when they are said, and when they would be wrong."""

    words: str
    said: str
    never: str


def say(caption: str, **values: object) -> str:
    """A caption with its values, which are written as they are: bring them into words before.

    Raises:
        KeyError: there is no such caption, or it names another value.
    """
    return CAPTIONS[caption].words.format_map(values)


SECTIONS = {
    "state": "What a run does",
    "plan": "What the plan of the LR is doing",
    "why": "Why the LR moved or held",
    "epoch": "How epochs did, beside the reasons",
    "health": "Whether a run is well: the reasons of its word in the top line",
    "alert": "Rules of alerts, as a person gave them",
    "end": "How a run ended",
    "record": "What is wrong with a record",
    "confusion": "What a network confuses",
    "untold": "What a run does not tell",
    "metric": "Series of a run",
    "comparison": "What came of a comparison",
}
"""What the ids begin with, in the order of the list."""

CAPTIONS: dict[str, Caption] = {
    # The top line, and before the first batch
    "state.starting": Caption(
        "starting",
        "a process has begun and has not told what it does",
        "it has told a phase; or the run has ended",
    ),
    "state.running": Caption(
        "running",
        "a run tells numbers, and has not told what it does",
        "it has told a phase or a recipe; it is paused, stalled or over; no number was told yet",
    ),
    "state.no_end": Caption(
        "no end known",
        "a run goes on that has told no number of epochs to come",
        "it told one; it has ended",
    ),
    "state.paused": Caption(
        "paused",
        "somebody asked for a pause, or for one batch, and the run stands still",
        "it goes on, has ended, or was resumed by another process",
    ),
    "state.paused_before": Caption(
        "paused before the first batch",
        "a pause was asked for before any batch was trained",
        "a batch was trained, or the run has ended",
    ),
    "state.space_continues": Caption(
        "space continues",
        "a paused run takes commands from here",
        "it takes none: the view is read-only, or the run has ended",
    ),
    "state.paused_in_batch": Caption(
        "Paused. n steps through the next batch, space continues.",
        "calls are followed one by one, the run stands still, and takes commands from here",
        "it takes none: then only that it is paused",
    ),
    "state.stalled": Caption(
        "stalled",
        "a notice says that nothing has happened for much longer than a step, or a validation, takes",
        "anything has happened since; in a pause; after the end",
    ),
    "state.slow_motion": Caption(
        "slow motion",
        "calls are held so that they can be followed by eye",
        "at full speed, in a pause, or after the end",
    ),
    "state.first_batch": Caption(
        "the first batch",
        "the run trains, and its first batch is not told yet",
        "a phase before it goes on, such as the loading of data",
    ),
    # What the plan of the LR is doing, over the reasons
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
        "since the last switch a drop was not made as the LR is at min_lr, or was a smaller one than those before it",
        "the LR is above min_lr; a switch came; no drop has shown where min_lr is",
    ),
    "plan.until_switch": Caption(
        "{doing}; {preset} from epoch {epoch}",
        "a switch to another preset is promised",
        "no switch is to come, or it is made",
    ),
    # How epochs did, beside the reasons
    "epoch.lowest_so_far": Caption(
        "val_loss {value}, lowest so far",
        "an epoch validated with a loss lower than every one before it, and better than guessing in loss and accuracy",
        "an epoch before it had the same or less; its loss is not finite, or no better than guessing",
    ),
    "epoch.lowest_before": Caption(
        "val_loss {value}, lowest {lowest} at epoch {epoch}",
        "an epoch validated no lower than one before it, which is named",
        "it is the lowest so far; no epoch has a finite loss",
    ),
    "epoch.guesses": Caption(
        "val_loss {value}, accuracy no better than guessing",
        "no epoch so far was better than guessing, and this one is not in its accuracy",
        "an epoch was better than guessing, in loss and accuracy; the number of classes is not known",
    ),
    "epoch.loss_of_guessing": Caption(
        "val_loss {value}, no better than guessing",
        "no epoch so far was better than guessing, and this one is not in its loss, whatever its accuracy is",
        "an epoch was better than guessing, in loss and accuracy; the number of classes is not known",
    ),
    "epoch.accuracy_of_guessing": Caption(
        "val_accuracy {value}, no better than guessing",
        "a plateau scheduler that watches the accuracy calls an epoch the best so far, and it is at chance level",
        "its accuracy is above chance; the number of classes is not known",
    ),
    "epoch.not_validated": Caption(
        "not validated",
        "an epoch was trained, and its source says that it was not validated",
        "it was, with whatever loss",
    ),
    "epoch.not_finite": Caption(
        "val_loss not finite",
        "the validation loss of an epoch is NaN or infinite",
        "it is a number",
    ),
    "epoch.switched": Caption(
        "preset {old} → {new} from here on, weights kept",
        "a run follows another preset from this epoch on",
        "a switch is promised and its epoch has not begun",
    ),
    # What is wrong with a run, in figures, behind its word
    "health.well": Caption(
        "nothing seems wrong with this run",
        "h is pressed, and none of the words below stands in the top line",
        "one of them does; before the first batch; the run diverged or crashed",
    ),
    "health.over": Caption(
        "no longer {word}: {figure}",
        "what was wrong is so no more, and nothing else is; as a notice",
        "another word has taken its place; nothing was wrong",
    ),
    "health.rises": Caption(
        "loss {loss} over the last {steps}, epoch {epoch}; it was down to {low}",
        "diverging: the loss has given back much of what was gained, for three windows in a row",
        "a spike, a restart or a cycle of the LR, noise around a small loss; it falls again",
    ),
    "health.far_above": Caption(
        "loss {loss} over the last {steps}, epoch {epoch}; {start}",
        "diverging: the loss is twice that of its start or of guessing, for three windows in a row, and does not fall",
        "the few large losses with which a high LR begins; it began as high, and comes down",
    ),
    "health.above": Caption(
        "{name} {loss} after epoch {epoch}; {start}",
        "diverging: after an epoch the training and the validation loss are a fifth above its start and above guessing",
        "only the validation loss is; within 30 steps; the run began as high",
    ),
    "health.began": Caption(
        "it began at {loss}",
        "diverging, where the first loss was above that of guessing, or the classes are not known",
        "the loss of guessing is the higher one, or the run was below that",
    ),
    "health.guess": Caption(
        "a guess gets {loss}",
        "diverging, where the loss of guessing is what the run should be below",
        "the first loss was above it, and the run never below; the classes are not known",
    ),
    "health.chance": Caption(
        "val_accuracy {accuracy} after epoch {epoch}, a guess gets {share}",
        "chance level: after 50 steps the accuracy in training and validation is that of guessing, but for noise",
        "in a warm-up; the images that train are known better, for less than three epochs; the classes are not known",
    ),
    "health.chance_by_loss": Caption(
        "val_loss {loss} after epoch {epoch}, a guess gets {guess}",
        "chance level: the accuracy is a little above it by luck, and no loss is a hundredth below that of guessing",
        "a loss is; the accuracy is above twice that of guessing; in a warm-up",
    ),
    "health.overfitting": Caption(
        "loss gap {gap}: val {low} → {val}, train {before} → {train} since epoch {epoch}",
        "overfitting: the validation loss is up for some epochs, the training loss down by a fifth and at its lowest",
        "single bad epochs, a rise of a twentieth of the loss of guessing; the training loss rises too",
    ),
    "health.plateaued": Caption(
        "val_loss not below {low} for {epochs}, LR stays at {lr}",
        "plateaued: ten epochs, or a fifth of a long run, brought no better loss or accuracy at an LR that stays",
        "the LR is nearly down, moves, or is planned to fall; the accuracy gets better; at the last epoch",
    ),
    "health.slow": Caption(
        "{speed}, {usual} before",
        "slow: training took much longer than of late, for five windows in a row",
        "in slow motion, batch by batch, in a pause or a validation; after a switch to other batches",
    ),
    "health.best": Caption(
        "a new best at epoch {epoch}: val_accuracy {accuracy}, before it {before} at epoch {best_epoch}",
        "an epoch is the best one, after one that was not; once a minute at most",
        "in a row of bests; of an epoch that is no better than guessing; once a later one is the best",
    ),
    # Rules that a person gave with --alert or in a preset; {rule} stands in their words
    "alert.so": Caption(
        "{rule}: {value} at {place}",
        "a value is as the rule says, and was so in a row for as long as it says; the last one is named",
        "it was not so for that long; it was told and is not over; the value is nan, and the rule compares",
    ),
    "alert.last": Caption(
        "none since {place}",
        "a rule of what is missing: its series had its last value so many steps, epochs or seconds ago",
        "a value came since; within the epoch that goes on",
    ),
    "alert.never": Caption(
        "none so far",
        "a rule of what is missing, and its series had no value from the beginning",
        "it had one",
    ),
    "alert.over": Caption(
        "no longer {rule}: {value} at {place}",
        "a rule was told, and a value is not so; where it came back within a minute, none is so for a minute",
        "nothing was told of it; the value is nan, and the rule compares",
    ),
    "alert.dropped": Caption(
        "no longer watched: {rule}",
        "a rule was told, and the run is gone on with without it",
        "the run is gone on with and has it; it was over",
    ),
    "alert.unknown": Caption(
        "the alert {rule} watches nothing: there is no {series} yet, but {names}",
        "a whole epoch is over and the rule's series had no value; once",
        "it had one; of a rule of what is missing; in the first epoch",
    ),
    # The last line of a run
    "end.finished": Caption(
        "finished: {done} in {clock}",
        "all epochs were trained",
        "it ended in another way, or goes on",
    ),
    "end.diverged": Caption(
        "diverged at step {step}: {reason}",
        "the loss, or a weight, was not finite, which ended the run",
        "it ended in another way, or goes on",
    ),
    "end.stopped": Caption(
        "stopped after step {step}, {done}",
        "somebody, or a signal, ended it before its last epoch",
        "it ended in another way, or goes on",
    ),
    "end.crashed": Caption(
        "crashed after step {step}: {reason}",
        "an error ended it, or its process is gone and said no goodbye",
        "it ended in another way, or goes on",
    ),
    "end.best": Caption(
        "best val accuracy {accuracy} at epoch {epoch}",
        "an epoch was validated: the one of highest accuracy, of equals that of lower loss, of those the first",
        "no epoch was validated; the best of them is no better than guessing",
    ),
    "end.best_loss": Caption(
        "lowest val_loss {value} at epoch {epoch}",
        "a run has ended that measured no accuracy: the epoch of lowest finite validation loss",
        "an epoch measured one; no validation loss is finite",
    ),
    "end.chance": Caption(
        "val accuracy at chance, at most {accuracy}",
        "epochs were validated, and the best of them is no better than guessing",
        "an epoch is better than guessing; the number of classes is not known",
    ),
    "end.before_first_batch": Caption(
        "{status} before the first batch: {reason}",
        "the run ended and trained no batch",
        "a batch was trained",
    ),
    # Records
    "record.steps_missing": Caption(
        "{steps} {are} missing from the record: {where}.",
        "steps lie between others, or before a step said to be done, and no line tells them",
        "each step up to the last that is said to be done is told",
    ),
    "record.epoch_ends_missing": Caption(
        "the record does not have the end of {epochs}.",
        "an epoch is over by what follows it, and no line tells its end",
        "each epoch that is over has its end; the last one still goes on, or its process crashed in it",
    ),
    "record.too_many_series": Caption(
        "the record has more than {most} series; those that came after them are left out.",
        "more series are logged, or declared, than are kept",
        "all that are logged are kept",
    ),
    "record.left_out": Caption(
        "the record contradicts itself; left out: steps {where}.",
        "a line tells steps where the run cannot have been",
        "lines of steps follow each other, or a resumed run trains steps again",
    ),
    "record.told_twice": Caption(
        "the record contradicts itself; told twice, the first kept: steps {where}.",
        "a process tells a step that it has told",
        "a resumed run tells steps again that the process before it had told",
    ),
    "record.wrong_epoch": Caption(
        "the record contradicts itself; counted to the epoch around them: steps {where}.",
        "steps say that they are of an epoch that they cannot be of",
        "each step is of the epoch that it says",
    ),
    "record.epoch_end_left_out": Caption(
        "the record contradicts itself; left out: the end of {epochs}.",
        "a line tells the end of an epoch that cannot have ended there",
        "epochs end one after the other",
    ),
    "record.beyond_its_end": Caption(
        "the record contradicts itself: it tells of step {step}, and ends at step {last}.",
        "a line tells of a step behind the one that is said to be the last",
        "nothing lies behind the last step",
    ),
    "record.stands_twice": Caption(
        "{lines} of the record {stand} there twice; left out once.",
        "a process wrote an order of calls, a switch or a count of a plateau twice",
        "a resumed run tells again what the process before it had told",
    ),
    "record.out_of_order": Caption(
        "{lines} of the record {stand} behind later ones.",
        "an order of calls, a switch or a count of a plateau stands behind one that came later",
        "events stand in the order of their coming",
    ),
    "record.misnumbered": Caption(
        "{lines} of the record {say} a step or an epoch where the run was not.",
        "an event says that it came at a step or in an epoch where its process cannot have been",
        "each event lies within what was trained",
    ),
    # The page of the confusion matrix
    "confusion.nothing_yet": Caption(
        "nothing yet: the next validation tells what is taken for what",
        "nothing was counted, and a run goes on that counts, or has not trained yet",
        "a matrix is there; the run has ended, or does not count",
    ),
    "confusion.none_came": Caption(
        "the run ended before its first validation",
        "a run has ended that validated no epoch",
        "an epoch was validated, or may be",
    ),
    "confusion.not_told": Caption(
        "this record does not tell: it was made with --metrics minimal, or by a version that did not count",
        "epochs were validated, or a run goes on that does not count, and nothing was counted",
        "a matrix is there, or may still come; no epoch was validated",
    ),
    "confusion.none_wrong": Caption(
        "nothing is taken for anything else",
        "every image that validated was taken for what it is",
        "one was not",
    ),
    "confusion.no_images": Caption(
        "the images are not kept in this record",
        "one process validated, and none of its images can be read",
        "they are there; or several processes validated",
    ),
    "confusion.images_of_several": Caption(
        "not kept: several processes validated, each a part of the images",
        "more than one process trains",
        "one process trains",
    ),
    # What a run does not tell
    "untold.calls": Caption(
        "this run does not tell its calls",
        "a run has told numbers, and neither its loop nor a call of it",
        "it told a recipe or a call",
    ),
    "untold.why": Caption(
        "this run does not tell why its LR is what it is",
        "a run has told numbers, and neither a plan, nor a reason, nor an epoch's end",
        "it told one of them, or a notice came",
    ),
    # Series
    "metric.none_yet": Caption(
        "no series yet: they come as the run logs its first numbers",
        "a run goes on, and no number of it was told",
        "a number was told; the run has ended",
    ),
    "metric.none_at_all": Caption(
        "this run told no numbers",
        "a run has ended, and no number of it was told",
        "a number was told; it may still tell one",
    ),
    "metric.none_match": Caption(
        "no series matches {filter}: esc removes the filter",
        "there are series, and the filter lets none of them pass",
        "one passes; there are none at all",
    ),
    "metric.unmoved": Caption(
        "has not moved",
        "a series has two values or more, all of them finite and the same",
        "it has one value; two of them differ; one of them is not finite; some are not read yet",
    ),
    "metric.not_finite": Caption(
        "{count} not finite",
        "of a series so many values are nan or infinite",
        "all are finite; those that are nan were lost with a part of the record; some are not read yet",
    ),
    "metric.lost": Caption(
        "lost",
        "the value at the cursor was lost with a part of the record",
        "it was logged, as nan too",
    ),
    # The verdict of a comparison
    "comparison.no_epoch": Caption(
        "No run has finished an epoch yet: nothing to compare.",
        "runs are compared by their accuracy, and none has an epoch",
        "one has an epoch; or they are compared by another metric",
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
        "{who} reached {target} first{among} ({when}).",
        "of the presets that finished one was there in fewer epochs, on average, than each other",
        "two were there in the same epoch; or one of its seeds was not there",
    ),
    "comparison.first_together": Caption(
        "{who} reached {target} first{among}, all in {when}.",
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
        "all are over",
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
    "comparison.unlike": Caption(
        "Mind that they did not have the same {names}.",
        "what the results depend on differs, and fairness is told elsewhere",
        "nothing of that differs",
    ),
}

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
    "best_so_far": ("what ReduceLROnPlateau watches is the best so far", "it is better by less than the threshold"),
    "not_better": ("ReduceLROnPlateau counts an epoch that is no better", "in cooldown; with patience used up"),
    "not_better_by_threshold": ("the same of one that is better by less than the threshold", "it is no better at all"),
    "cooling_down": ("ReduceLROnPlateau counts no epoch, nor will it the next", "in the last epoch of cooldown"),
    "cooled_down": ("ReduceLROnPlateau counts no epoch, and will from the next on", "outside of cooldown"),
    "patience_used_up": ("ReduceLROnPlateau dropped the LR", "the LR is the same after it"),
    "at_min_lr": ("it was to drop, and the LR is at min_lr already", "the LR is above min_lr"),
    "drop_too_small": ("it was to drop, and the drop would be no more than eps", "the LR fell"),
    "patience_at_its_end": ("under the loop: more epochs without progress than patience", "within patience"),
    "patience_cools_down": ("under the loop: epochs of cooldown are to come", "no cooldown is left"),
    "patience_begins": ("under the loop: the last epoch was the best so far", "an epoch without progress is counted"),
    "patience_begins_low": ("the same, of an epoch that is no better than guessing", "it is better than guessing"),
}
"""Codes of `text/reasons.py`: when each is said, and when it must not be."""

CAPTIONS.update((f"why.{code}", Caption(WORDS[code], said, never)) for code, (said, never) in _REASONS.items())
