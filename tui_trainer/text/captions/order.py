"""Whether the calls of a watched program come in an order that does what was meant."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The order of calls of a watched program"

CAPTIONS = {
    "order.nothing_wrong": Caption(
        "nothing wrong seen in {steps}",
        "of a watched program calls of its loop and steps were seen, and nothing is found to be wrong",
        "something is; no call, or no step, was seen; of a run of ours",
    ),
    "order.not_seen": Caption(
        "its calls are not seen, and so not their order",
        "a watched program has told steps or numbers, and none of its calls",
        "a call was seen; nothing has trained yet",
    ),
    "order.unknown": Caption(
        "{code}: this version has no words for it",
        "a record tells of something wrong by a code that a later version knows",
        "the code is one of those below, and its values are there",
    ),
    "order.no_validation": Caption(
        "validation: none seen",
        "a watched program has taken steps, with no pass over a DataLoader without steps and no figure of a validation",
        "either was seen; no step, or no call at all, was",
    ),
    "order.validation_at": Caption(
        "validation: a pass without steps at {place}",
        "a watched program went over a DataLoader with no backward() and no step within",
        "none of its passes is without steps",
    ),
    "order.validation_untold": Caption(
        "with what loss is not told",
        "such a pass was seen, training went on behind it, and there is no loss of a validation",
        "there is one; the first such pass may still go on",
    ),
    # What is wrong
    "order.scheduler_before_optimizer": Caption(
        "{scheduler} is stepped before the first optimizer.step()",
        "the first step of a scheduler came before the first one of its optimizer",
        "it came behind it; steps of the optimizer cannot be seen",
    ),
    "order.once_an_epoch": Caption(
        "{scheduler} is made for {steps} steps and is stepped once an epoch",
        "a scheduler whose length is that of the batches of the run is stepped at the ends of epochs alone",
        "it is stepped within a pass; its length is that of the epochs, or is not known",
    ),
    "order.every_batch": Caption(
        "{scheduler} counts epochs and is stepped after every batch",
        "a scheduler whose length is that of the epochs of the run is stepped with each batch",
        "it is stepped once an epoch; its length is that of the batches, or is not known",
    ),
    "order.no_metric": Caption(
        "{scheduler} is stepped without a metric",
        "ReduceLROnPlateau was stepped and given nothing",
        "it was given a number; another scheduler",
    ),
    "order.training_metric": Caption(
        "{scheduler} watches {metric}, a loss of the training",
        "ReduceLROnPlateau is given a loss that was computed from batches that train, and a validation was seen",
        "it is given a number of a validation; there is no validation; where the number comes from is not known",
    ),
    "order.no_zero_grad": Caption(
        "gradients were not cleared in {steps} steps of {optimizer}",
        "an optimizer was stepped again and again with neither its zero_grad() nor that of a network between",
        "either was called, or gradients were set to None; several backward() of one step: that is accumulation",
    ),
    "order.no_gradient": Caption(
        "{parameters} parameters of {optimizer} never got a gradient",
        "an optimizer was stepped many times, and tensors of it had no gradient in any of them",
        "they had one once; they are frozen on purpose, by requires_grad",
    ),
    "order.not_in_optimizer": Caption(
        "{parameters} parameters of {model} are in no optimizer",
        "of a network that trains, parameters that ask for gradients are in no optimizer that steps",
        "they are in one; they ask for no gradient",
    ),
    "order.validation_in_train_mode": Caption(
        "{model} is validated in training mode",
        "a pass without steps was made by a network in training mode that has BatchNorm or Dropout",
        "it was in evaluation mode; it has neither, or they do nothing",
    ),
    "order.validation_with_gradients": Caption(
        "the validation keeps gradients",
        "a pass without steps was made with gradients on, and built graphs",
        "it was under no_grad() or inference_mode(), or its results are used by a backward()",
    ),
    "order.item_each_step": Caption(
        "a number is read from the GPU at every step, which waits {wait_s} for it",
        "on CUDA .item(), or the like, is called with each step, and takes a part of its time that matters",
        "on the CPU; now and then; it takes next to no time",
    ),
    "order.graph_kept": Caption(
        "losses are kept with all that their backward() needs: {bytes} more memory in {steps} steps",
        "losses of earlier steps, with their graphs, are still held, and more of them with each step",
        "what is held is a number or detached; their count does not grow",
    ),
    "order.clip_before_unscale": Caption(
        "gradients are clipped while they are still multiplied with {scale}",
        "with a GradScaler in use they were clipped with no unscale_() before it in that step",
        "unscale_() came first; the scaler is not enabled",
    ),
    "order.no_scaler_update": Caption(
        "scaler.step() is not followed by scaler.update()",
        "a GradScaler stepped, and the next step came without an update between",
        "update() was called; the scaler is not enabled",
    ),
    "order.every_micro_batch": Caption(
        "{scheduler} is stepped {times} times for each step of {optimizer}",
        "gradients of several batches are added up for a step, and the scheduler is stepped with each of the batches",
        "it is stepped as often as the optimizer; its length is that of all batches",
    ),
    "order.scheduled_twice": Caption(
        "{one} and {other} both change the LR of {optimizer}",
        "between two steps of an optimizer two hands changed the LR of the same group, each to what it computes alone",
        "one is made of the other, as SequentialLR and ChainedScheduler are; they take turns; groups of their own",
    ),
    "order.schedule_ends_early": Caption(
        "{scheduler} is at its end after {steps} steps; the training takes {total}",
        "a scheduler has an end, the run's is known, and it comes later, as the scheduler is stepped",
        "they are alike to a step or two; one of them is not known; it has no end",
    ),
    "order.schedule_never_ends": Caption(
        "{scheduler} is made for {steps} steps; the training takes {total}",
        "the run has ended, or its end is known, well before that of a scheduler, as it is stepped",
        "they are alike to a step or two; the run was stopped early; one of them is not known",
    ),
    "order.not_shuffled": Caption(
        "{loader} gives its {samples} samples in the same order in every epoch",
        "a second epoch of training began over a map-style data set with a sampler that does not shuffle",
        "a sampler that shuffles, one of the program's own, an iterable data set; a single epoch; a validation",
    ),
    "order.scheduler_not_loaded": Caption(
        "a checkpoint was loaded into network and optimizer, and not into {scheduler}",
        "both were loaded before the first step, and a scheduler that steps was not",
        "the network alone was loaded, as for fine-tuning; the scheduler was loaded, or made with last_epoch",
    ),
}
