"""Whether the calls of a watched program come in an order that does what was meant; if not, what comes of it, and what
would be right. `text/mistakes.py` puts together what belongs to one code."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The order of calls of a watched program"


def _wrong(code: str, words: str, said: str, never: str, *, why: str, mend: str) -> dict[str, Caption]:
    """What is wrong, what comes of it as a sentence, and what would be right."""
    return {
        f"order.{code}": Caption(words, said, never),
        f"order.{code}_why": Caption(why, "beside that, as what comes of it", "of anything else"),
        f"order.{code}_mend": Caption(mend, "beside that, as what would be right", "of anything else"),
    }


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
    "order.heading": Caption("the order of calls", "over the page of it", "over another page"),
    "order.nothing_yet": Caption(
        "nothing has trained yet, so nothing wrong was seen either",
        "on the page of it, before a step or a number of the program was told",
        "one was",
    ),
    "order.at_work": Caption("shows it at work:", "there is a case of the mistake, and it can be trained", "none"),
    "order.trained_beside": Caption(
        "this order trained beside the right one, on digits, in some seconds", "behind that, in much room", "none"
    ),
    "order.no_case": Caption("there is no case of this mistake to train", "enter is pressed on one", "there is one"),
    "order.unknown": Caption(
        "{code}: this version has no words for it",
        "a record tells of something wrong by a code that a later version knows",
        "the code is one of those below, and its values are there",
    ),
    "order.no_validation": Caption(
        "validation: none seen",
        "a watched program has taken steps, with no pass over a DataLoader without steps and no figure of a validation",
        "either was seen; no call was; within the first epoch, up to 200 steps",
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
    # What is wrong, what harms most first
    **_wrong(
        "no_zero_grad",
        "gradients were not cleared in {steps} steps of {optimizer}",
        "an optimizer was stepped again and again with neither its zero_grad() nor that of a network between",
        "either was called, or gradients were set to None; several backward() of one step: that is accumulation",
        why="backward() adds to the gradients that are there: every step follows the sum of all batches so far.",
        mend="optimizer.zero_grad() once a step, before backward()",
    ),
    **_wrong(
        "no_gradient",
        "{parameters} parameters of {optimizer} got no gradient in {steps} steps",
        "an optimizer was stepped many times, and tensors of it had no gradient in any of them",
        "they had one once; they are frozen on purpose, by requires_grad",
        why="They stay as they began: the loss does not depend on them, or something cuts them off from it.",
        mend="look for detach(), no_grad() or a layer that forward() leaves out; else give the others to the optimizer",
    ),
    **_wrong(
        "not_in_optimizer",
        "{parameters} parameters of {model} are in no optimizer",
        "of a network that trains, parameters that ask for gradients are in no optimizer that steps",
        "they are in one; they ask for no gradient",
        why="They get gradients and are never moved: these layers stay as they began.",
        mend="give the optimizer model.parameters() once all layers are there; requires_grad_(False) where it is meant",
    ),
    **_wrong(
        "once_an_epoch",
        "{scheduler} is made for {steps} steps and is stepped once an epoch",
        "a scheduler whose length is that of the batches of the run is stepped at the ends of epochs alone",
        "it is stepped within a pass; its length is that of the epochs, or is not known; nobody told how many epochs "
        "there are to be, however many were made",
        why="The LR hardly leaves the beginning of its curve.",
        mend="scheduler.step() within the loop over batches, after optimizer.step()",
    ),
    **_wrong(
        "every_batch",
        "{scheduler} counts epochs and is stepped after every batch",
        "a scheduler whose length is that of the epochs of the run is stepped with each batch",
        "it is stepped once an epoch; its length is that of the batches, or is not known",
        why="The LR changes as many times as fast as was meant, and has come to its end within the first epochs.",
        mend="scheduler.step() after the loop over batches, once an epoch",
    ),
    **_wrong(
        "every_micro_batch",
        "{scheduler} is stepped {times} times for each step of {optimizer}",
        "gradients of several batches are added up for a step, and the scheduler is stepped with each of the batches",
        "it is stepped as often as the optimizer; its length is that of all batches; nobody told how long the run is "
        "to be, however long it was",
        why="The schedule counts steps of the optimizer: it comes to its end that many times too early.",
        mend="scheduler.step() where optimizer.step() is called, and nowhere else",
    ),
    **_wrong(
        "no_metric",
        "{scheduler} is stepped without a metric",
        "ReduceLROnPlateau was stepped and given nothing",
        "it was given a number; another scheduler",
        why="It has nothing to watch: PyTorch stops with a TypeError.",
        mend="validate first, then scheduler.step(val_loss)",
    ),
    **_wrong(
        "training_metric",
        "{scheduler} watches {metric}, a loss of the training",
        "ReduceLROnPlateau is given a loss that was computed from batches that train, and a validation was seen",
        "it is given a number of a validation; there is no validation; where the number comes from is not known",
        why="A training loss may fall while that of the validation rises: the LR then comes down too late, or never.",
        mend="give it the loss of the validation: scheduler.step(val_loss)",
    ),
    **_wrong(
        "schedule_ends_early",
        "{scheduler} is at its end after {steps} steps; the training takes {total}",
        "a scheduler has an end, the run's is known, and it comes later, as the scheduler is stepped",
        "they are alike to a step or two; one of them is not known; it has no end",
        why="Behind its end a schedule stays where it is, rises again or stops with an error: none of that was meant.",
        mend="make it for as many steps as are taken: epochs × len(loader), divided by the batches that make one step; "
        "or for as many epochs, and step it once an epoch",
    ),
    **_wrong(
        "schedule_never_ends",
        "{scheduler} is made for {steps} steps; the training takes {total}",
        "the run has ended by itself, behind all its epochs, well before a scheduler, as it is stepped",
        "they are alike to a step or two; the run was stopped, or failed; one of them is not known",
        why="The curve is cut off: the LR is still high in the last steps, in which it should be small.",
        mend="make it for as many steps as are taken: epochs × len(loader), divided by the batches that make one step; "
        "or for as many epochs, and step it once an epoch",
    ),
    **_wrong(
        "scheduled_twice",
        "{one} and {other} both change the LR of {optimizer}",
        "between two steps of an optimizer two hands changed the LR of the same group, each to what it computes alone",
        "one is made of the other, as SequentialLR and ChainedScheduler are; they take turns; groups of their own",
        why="One of them works its LR out alone, each time anew: what the other has done to it is lost.",
        mend="one of the two; or SequentialLR, for one after the other",
    ),
    **_wrong(
        "scheduler_not_loaded",
        "a checkpoint was loaded into network and optimizer, and not into {scheduler}",
        "both were loaded before the first step, and a scheduler that steps was not",
        "the network alone was loaded, as for fine-tuning; the scheduler was loaded, or made with last_epoch",
        why="The schedule begins anew: the LR is high, or warms up, where it had come down already.",
        mend="save scheduler.state_dict() too, and load it",
    ),
    **_wrong(
        "clip_before_unscale",
        "gradients are clipped while they are still multiplied with {scale}",
        "with a GradScaler in use they were clipped with no unscale_() before it in that step",
        "unscale_() came first; the scaler is not enabled",
        why="The limit is held against gradients that many times too long: hardly anything is left of a step.",
        mend="scaler.unscale_(optimizer), then clip, then scaler.step(optimizer)",
    ),
    **_wrong(
        "clip_before_backward",
        "gradients are clipped before backward(), while there are none",
        "in steps in a row zero_grad came, a clip that found a norm of 0, then backward, and no clip behind it",
        "a clip came behind backward; the norm that it found was not 0; there are several optimizers",
        why="The limit never holds: what backward() brings goes into the step as it is.",
        mend="zero_grad(), backward(), then clip, then optimizer.step()",
    ),
    **_wrong(
        "no_scaler_update",
        "scaler.step() is not followed by scaler.update()",
        "a GradScaler stepped, and the next step came without an update between",
        "update() was called; the scaler is not enabled",
        why="PyTorch stops with a RuntimeError as the scaler is to step again.",
        mend="scaler.update() once behind scaler.step()",
    ),
    **_wrong(
        "validation_in_train_mode",
        "{model} is validated in training mode",
        "a pass without steps was made by a network in training mode that has BatchNorm or Dropout",
        "it was in evaluation mode; it has neither, or they do nothing",
        why="Dropout drops, and BatchNorm goes by the batch and learns from it: the figures are not those of the "
        "network as it will be used.",
        mend="model.eval() before the validation, model.train() behind it",
    ),
    **_wrong(
        "not_shuffled",
        "{loader} gives its {samples} samples in the same order in every epoch",
        "a second epoch of training began over a map-style data set with a sampler that does not shuffle",
        "a sampler that shuffles, one of the program's own, an iterable data set; a single epoch; a validation",
        why="The same samples share a batch in every epoch; where the data are sorted, each step leans to one side.",
        mend="DataLoader(…, shuffle=True), or a sampler that shuffles",
    ),
    **_wrong(
        "graph_kept",
        "the graphs of losses are kept: of {looked_at} early ones {kept} are still there after {steps} steps",
        "the graphs of losses that went backward are still held hundreds of steps and two passes later",
        "what is held is a number or detached; they are held for an epoch, or some hundred steps, and then let go",
        why="Each step leaves its graph behind, and all that it leads to: memory grows with every step.",
        mend="keep loss.item() or loss.detach(), not loss",
    ),
    **_wrong(
        "validation_with_gradients",
        "the validation keeps gradients",
        "a pass without steps was made with gradients on, and built graphs",
        "it was under no_grad() or inference_mode(), or its results are used by a backward()",
        why="A graph is built for every batch and thrown away: memory and time for nothing.",
        mend="with torch.no_grad(): around the validation, or torch.inference_mode()",
    ),
    **_wrong(
        "item_each_step",
        "a number is read from the GPU at every step, which waits {wait_s} for it",
        "on CUDA .item(), or the like, is called with each step, and takes a part of its time that matters",
        "on the CPU; now and then; it takes next to no time",
        why="The CPU stands still until the GPU is through, and the GPU then waits for the CPU.",
        mend="add up on the GPU, and read it every some steps or once an epoch",
    ),
    **_wrong(
        "scheduler_before_optimizer",
        "{scheduler} is stepped before the first optimizer.step()",
        "the first step of a scheduler came before the first one of its optimizer",
        "it came behind it; steps of the optimizer cannot be seen",
        why="The first LR of the schedule is never used, and every other one comes a step early.",
        mend="optimizer.step() of a batch first, scheduler.step() behind it",
    ),
    **_wrong(
        "steps_not_seen",
        "{backwards} losses went backward, and no optimizer.step() is seen",
        "losses go backward, and no optimizer of torch's steps: its step is compiled, or weights are moved by hand",
        "one stepped; fewer losses went backward",
        why="Such steps cannot be seen from here: whether the calls around them come in the right order is not told.",
        mend="nothing, if it is meant; else optimizer.step() behind backward()",
    ),
    **_wrong(
        "steps_not_counted",
        "{steps} steps of {optimizer} since the run's own optimizer stepped last are not counted",
        "an optimizer that had stepped in turn with the run's own did so 500 times alone, over the end of a pass; or "
        "the program ended so, with at least half as many steps as the run's",
        "the run's own stepped between, as in a GAN; fewer steps were made; it had not stepped before, and took over",
        why="Of optimizers that step in turn, the run's steps, epochs, loss and LR are those of the first one.",
        mend="nothing, if it is meant; else see that both step to the end",
    ),
    "order.told_with": Caption(
        "It was told with: {values}.", "a mistake that this version does not know was told with values", "with none"
    ),
}
