"""What becomes of a wrong order of calls, and how one sees it: `mistakes/cases.py`, and the page of *break it*."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What comes of a wrong order of calls"

CAPTIONS = {
    "mistake.before_optimizer": Caption(
        "The whole curve moves one batch to the left. With hundreds of small steps that hardly shows in the "
        "loss, which is why it stays unseen for years; with a schedule of a few large steps it costs a whole "
        "one, as the next mistake shows.",
        "the scheduler is stepped before the optimizer, batch by batch, beside the right order",
        "of another order",
    ),
    "mistake.before_optimizer_look": Caption(
        "read PyTorch's warning; print the LR just before the first optimizer.step(): it must be the first one",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.as_epoch_begins": Caption(
        "So it stood in tutorials before PyTorch 1.1. The first epoch already counts as over, so every drop "
        "comes an epoch early, and the network learns at the high LR for one epoch instead of two.",
        "the scheduler is stepped as each epoch begins, beside the right order",
        "of another order",
    ),
    "mistake.as_epoch_begins_look": Caption(
        "read PyTorch's warning; print the LR of each epoch: with step_size=2 the first two must be the same",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.once_an_epoch": Caption(
        "The LR begins at a 25th of max_lr and is to climb over the first third of all batches. Stepped once "
        "an epoch it takes five of those steps, hardly climbs, never anneals: the network learns, but "
        "slowly. No warning tells.",
        "OneCycleLR is stepped once an epoch, beside the right order",
        "of another order",
    ),
    "mistake.once_an_epoch_look": Caption(
        "print the LR after every epoch: it must come near max_lr and end near zero",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.every_batch": Caption(
        "step_size=2 now means two batches. After ten of them the LR is next to nothing, and the loss stands "
        "still where it is then. It looks like a network that has learned all it can.",
        "StepLR is stepped after every batch, beside the right order",
        "of another order",
    ),
    "mistake.every_batch_look": Caption(
        "print optimizer.param_groups[0]['lr'] after every batch of the first epoch: within an epoch it must "
        "not change",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.no_metric": Caption(
        "Every other scheduler is stepped with nothing; this one decides by a number, and wants it. So the "
        "first epoch trains as it should, and at its end the program stops.",
        "ReduceLROnPlateau is stepped with nothing, beside the right order",
        "of another order",
    ),
    "mistake.no_metric_look": Caption(
        "run one short epoch before a long training: errors at an epoch's end show after a minute, not a night",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.no_zero_grad": Caption(
        "The LR is as planned; the gradient is not. It adds up over all batches and points where batches "
        "long past pointed, so the steps are too long and go astray. The smaller the LR, the longer it goes "
        "unseen.",
        "gradients are never cleared, beside the right order",
        "of another order",
    ),
    "mistake.no_zero_grad_look": Caption(
        "print the norm of a weight's grad after backward(): from batch to batch it must not grow and grow",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.late_zero_grad": Caption(
        "The optimizer finds no gradients and leaves every weight alone. The LR goes up and down as planned "
        "and moves nothing: the loss stays near ln 10 = 2.3, that of a guess among ten digits. No warning "
        "tells.",
        "gradients are cleared before they are used, beside the right order",
        "of another order",
    ),
    "mistake.late_zero_grad_look": Caption(
        "look at p.grad just before optimizer.step(): it must not be None; compare a weight before and after",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.no_optimizer_step": Caption(
        "Gradients are computed and never used, and the loss stays near ln 10 = 2.3. PyTorch sees only that "
        "scheduler.step() came first, and its warning points at the order.",
        "the optimizer is never stepped, beside the right order",
        "of another order",
    ),
    "mistake.no_optimizer_step_look": Caption(
        "compare a weight before and after a batch: it must have moved",
        "the same, of one's own code",
        "of another mistake",
    ),
    "mistake.no_scheduler_step": Caption(
        "The scheduler was built and is never asked: the LR stays as high as it begins. The network goes on "
        "jumping about where it should settle, and its last epochs gain nothing. No warning tells.",
        "the scheduler is never stepped, beside the right order",
        "of another order",
    ),
    "mistake.no_scheduler_step_look": Caption(
        "print the LR after every epoch: it must have changed by the end",
        "the same, of one's own code",
        "of another mistake",
    ),
    # The page
    "mistake.purpose": Caption(
        "a wrong order of calls, on purpose, beside the right one", "the page is open, in much room", "in little room"
    ),
    "mistake.to_try": Caption("a mistake to try", "over the list of them", "elsewhere"),
    "mistake.invitation": Caption(
        "enter trains both orders for real: {model} on {dataset}, {epochs}, the same first weights and the same "
        "batches, some seconds.",
        "the mistake under the cursor was not tried yet",
        "it was, or is being trained",
    ),
    "mistake.starting": Caption("starting", "training has begun and told nothing yet", "it has told what it does"),
    "mistake.training": Caption("training   epoch {epoch}/{epochs}", "the right order trains", "both have ended"),
    "mistake.over": Caption(
        "both have ended", "nothing more will happen to either, however it ended", "one trains; it could not begin"
    ),
    "mistake.untrained": Caption("could not be trained", "neither could begin, and why is told", "they began"),
    "mistake.both_shown": Caption(
        "listings and charts are both shown already", "v is pressed where there is room for both", "one hides the other"
    ),
    "mistake.not_trained_yet": Caption(
        "this mistake is not trained yet: enter trains both orders", "v is pressed, and it has no charts", "it has"
    ),
    # What PyTorch told of it
    "mistake.warned": Caption("warned: {text}", "PyTorch warned as the wrong order was trained", "it did not"),
    "mistake.stopped_it": Caption(
        "stopped it: {reason}", "PyTorch raised an error, which ended the wrong order", "no error"
    ),
    "mistake.silent_divergence": Caption(
        "said nothing; {reason}", "the wrong order ended as its loss was not finite, without a warning", "it warned"
    ),
    "mistake.diverged": Caption("went on; {reason}", "the same, where PyTorch had warned", "it had not"),
    "mistake.silent": Caption(
        "said nothing.",
        "the wrong order was trained to its end without a warning or an error",
        "either came; it trains",
    ),
    "mistake.before_optimizer_title": Caption(
        "scheduler.step() before optimizer.step()", "the name of this case", "of another one"
    ),
    "mistake.as_epoch_begins_title": Caption(
        "scheduler.step() as an epoch begins", "the name of this case", "of another one"
    ),
    "mistake.once_an_epoch_title": Caption(
        "OneCycleLR stepped once an epoch", "the name of this case", "of another one"
    ),
    "mistake.every_batch_title": Caption("StepLR stepped after every batch", "the name of this case", "of another one"),
    "mistake.no_metric_title": Caption(
        "ReduceLROnPlateau without its metric", "the name of this case", "of another one"
    ),
    "mistake.no_zero_grad_title": Caption("optimizer.zero_grad() forgotten", "the name of this case", "of another one"),
    "mistake.late_zero_grad_title": Caption("zero_grad() after backward()", "the name of this case", "of another one"),
    "mistake.no_optimizer_step_title": Caption("optimizer.step() forgotten", "the name of this case", "of another one"),
    "mistake.no_scheduler_step_title": Caption("scheduler.step() forgotten", "the name of this case", "of another one"),
}
