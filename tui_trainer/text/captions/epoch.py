"""How epochs did, beside the reasons."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "How epochs did, beside the reasons"

CAPTIONS = {
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
        "it was, with whatever loss; of a watched program, which may validate unseen",
    ),
    "epoch.not_finite": Caption(
        "val_loss not finite",
        "the validation loss of an epoch is NaN or infinite",
        "it is a number",
    ),
    "epoch.no_number": Caption(
        "not finite",
        "in the table of epochs: an epoch was validated, and its loss is NaN or infinite",
        "it is a number; the epoch was not validated",
    ),
    "epoch.none": Caption(
        "no epoch has ended", "the table of epochs is all that is on show, and none has ended", "one has"
    ),
    "epoch.older": Caption(
        "{count} older",
        "the table of epochs has no room for so many that ended before",
        "all are on show",
    ),
    "epoch.changed": Caption(
        "{new} epochs instead of {old}, by {by}",
        "somebody had the run train another number of epochs",
        "it trains those that it was to; another preset is followed",
    ),
    "epoch.changed_then": Caption(
        "{changed}, then {then}",
        "a run that was over goes on at its last LR, or with another preset",
        "its own schedule goes on for the epochs that were added, or ends earlier",
    ),
    "epoch.switched": Caption(
        "preset {old} → {new} from here on, weights kept",
        "a run follows another preset from this epoch on",
        "a switch is promised and its epoch has not begun",
    ),
}
