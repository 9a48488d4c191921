"""Whether a run is well: the reasons of its word in the top line."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Whether a run is well: the reasons of its word in the top line"

CAPTIONS = {
    "health.well": Caption(
        "nothing seems wrong with this run",
        "h is pressed, and none of the words below stands in the top line",
        "one of them does; before the first batch; the run diverged or crashed; it tells numbers alone",
    ),
    "health.not_judged": Caption(
        "not judged: of a run that tells numbers alone, nobody here knows what they should be",
        "h is pressed on a run that told neither the losses of steps nor how an epoch validated",
        "it told one of them; it told nothing so far",
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
    "health.low_disk": Caption(
        "{free} left on the disk of this record: make room there",
        "low disk: 500 MB are left, or 5 % of a small disk, and no checkpoint was written so far",
        "there is more; it was told, and has not become half as much again; the disk cannot be asked",
    ),
    "health.low_disk_checkpoints": Caption(
        "{free} left on the disk of this record, for checkpoints of {size}: make room there",
        "low disk: the same, or room for three of the largest checkpoint",
        "there is more; it was told, and has not become half as much again; before the first checkpoint",
    ),
    "health.disk_left": Caption(
        "{free} left", "a low disk was told, and there is half as much again as what is low", "none was told"
    ),
    "health.best": Caption(
        "a new best at epoch {epoch}: val_accuracy {accuracy}, before it {before} at epoch {best_epoch}",
        "an epoch is the best one, after one that was not; once a minute at most",
        "in a row of bests; of an epoch that is no better than guessing; once a later one is the best",
    ),
    "health.another_optimizer": Caption(
        "another optimizer has taken over",
        "what was wrong is over, as another optimizer of a watched program makes its steps from here on",
        "the figures got better; one optimizer makes all steps",
    ),
    "health.another_preset": Caption(
        "another preset is followed", "a plateau is over, as a switch of presets took effect", "it got better"
    ),
}
