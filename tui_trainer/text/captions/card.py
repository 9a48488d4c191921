"""What there is to know of a preset before it starts: `ui/presets/preset_card.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "A preset before it starts"

CAPTIONS = {
    "card.no_scheduler": Caption("no scheduler", "the preset has none", "it has one"),
    "card.each_batch": Caption(
        "{scheduler} steps after every {unit}", "the scheduler's interval is a step", "it is an epoch; there is none"
    ),
    "card.each_epoch": Caption(
        "{scheduler} steps after validation, once an epoch{monitor}", "its interval is an epoch", "it is a step"
    ),
    "card.monitor": Caption(
        ", with {monitor}", "it is ReduceLROnPlateau, which is given what it watches", "another one"
    ),
    "card.warmup": Caption(
        "; first a warm-up of {length}, after every {unit}", "the preset has [warmup]", "it has none, be it OneCycleLR"
    ),
    "card.groups": Caption(
        "; parameters with values of their own: {groups}",
        "the preset has groups of parameters, or weight_decay_norm or weight_decay_bias",
        "all parameters have the optimizer's values",
    ),
    "card.accumulate": Caption(
        "; the gradients of {batches} make a step",
        "the preset has accumulate, and more than 1",
        "each batch is a step of its own",
    ),
    "card.clip_norm": Caption(
        "; gradients clipped to a norm of {norm}", "the preset has clip_grad_norm", "it has none, or clip_grad_value"
    ),
    "card.clip_value": Caption(
        "; gradients clipped to ±{value}", "the preset has clip_grad_value", "it has none, or clip_grad_norm"
    ),
    "card.ema": Caption(
        "; an average of the weights is validated (EMA, decay {decay})",
        "the preset has ema_decay",
        "the weights are validated as they are",
    ),
    "card.swa_lr": Caption(
        "; SWALR brings the LR to {lr} from there on, in {epochs}", "the preset has swa_lr", "it has none"
    ),
    "card.swa": Caption(
        "; the mean of the weights after each epoch is validated, from epoch {epoch} on (SWA)",
        "the preset has swa_start",
        "the weights are validated as they are",
    ),
    "card.model_options": Caption(
        "; the network has {options}", "the preset has [model]", "the network is as it is by itself"
    ),
    "card.augmentation": Caption(
        "; every epoch has the images anew, by {transforms}", "the preset has augmentation", "it says nothing of it"
    ),
    "card.no_augmentation": Caption(
        "; every epoch has the images as they are", "its augmentation is an empty list", "it says nothing of it"
    ),
    "card.early_stopping": Caption(
        "; ends early once {monitor} is not better for {epochs}",
        "the preset has early_stopping",
        "it trains all epochs",
    ),
    "card.length": Caption(
        "{steps}: {epochs} of {batches} of {size}{last}, {dataset}",
        "how long the run will be, as it is asked for",
        "of another",
    ),
    "card.last_batch": Caption(
        " (the last {images})",
        "the images of an epoch do not come to whole batches, so that its last one is smaller than those before it",
        "they do; an epoch is one batch, of all images that there are",
    ),
    "card.brings": Caption(
        "brings {what}",
        "the preset says in [for] what it is made for, and that is taken along",
        "options say otherwise",
    ),
    "card.made_for": Caption(
        "made for {meant}; as asked, {asked}", "options say otherwise than [for]", "they do not; it has no [for]"
    ),
    "card.published": Caption(
        "as published by {source}: accuracy {accuracy} on test images",
        "the preset says in [published] whose recipe it is, and which accuracy was published for it",
        "it says no accuracy, or has no [published]",
    ),
    "card.published_without": Caption(
        "as published by {source}, without an accuracy",
        "the preset says in [published] whose recipe it is, and no accuracy",
        "it says one, or has no [published]",
    ),
    "card.differs": Caption(
        "but for this: {what}",
        "[published] says what is otherwise here than it was published",
        "it says nothing of that",
    ),
    "card.preview_comes": Caption(
        "the preview is being made", "its plan is on its way", "it is there; it will not come"
    ),
    "card.no_preview": Caption(
        "no preview of the LR here", "nobody can be asked, or the plan could not be made", "errors say why; it comes"
    ),
    "card.start": Caption("LR  start ", "the first LR of the plan follows", "there is no plan"),
    "card.peak": Caption("   peak ", "the highest LR of the plan follows", "there is no plan"),
    "card.at_step": Caption(" at step {step}", "where the peak is, in much room", "in little room"),
    "card.end": Caption("   end ", "the LR of the plan's last step follows", "there is no plan"),
    "card.shipped": Caption("{file}, shipped", "the preset comes with the program", "it is the user's own"),
}
