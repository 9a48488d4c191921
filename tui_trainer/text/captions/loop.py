"""The loop of a run, line by line: what a call is for, and what stands beside it."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The loop of a run"

_OURS = {
    "zero_grad": "Clear the gradients of the previous batch: backward() adds to them.",
    "forward": "The network guesses: for every image, a score for each class.",
    "loss": "How wrong the guesses are, as one number: the mean over the batch.",
    "backward": "Compute the gradients: for every weight, how steeply the loss rises with it.",
    "clip_grad": "Limit the gradients, where they are too large.",
    "optimizer.step": "Move the weights as their gradients say; the LR sets how far.",
    "ema.update": "Move the average of the weights towards them: that is what is validated.",
    "scheduler.step": "Set the LR for what comes next.",
    "swa.update": "Take the weights into the mean of the epochs: that is what is validated.",
    "validate": "Measure on images that are never trained on; no weight changes.",
}
_WATCHED = {
    "data": "Fetch the next batch; on end, the pass is over.",
    "zero_grad": "Clear the gradients from before: backward() adds to them.",
    "forward": "A network computes its outputs.",
    "loss": "How wrong the outputs are.",
    "backward": "Compute the gradients: how steeply the loss rises with the weights.",
    "clip_grad": "Limit the gradients, where they are too large.",
    "optimizer.step": "Move the weights as their gradients say; the LR sets how far.",
    "scheduler.step": "Set the LR for what comes next.",
    "scaler.unscale_": "Divide the gradients by the scale that the loss was multiplied with.",
    "scaler.step": "Step the optimizer, unless a gradient is not finite.",
    "scaler.update": "Choose the scale of the next losses.",
    "item": "Read a number from a tensor; on a GPU this waits until it is computed.",
}

CAPTIONS = {
    "loop.from_weights": Caption(
        "{before} → {now} from the weights",
        "how far the average of the weights was from them, and is, as one vector",
        "of a run without an average",
    ),
    "loop.no_gradients": Caption(
        "no gradients", "zero_grad() was called where no weight has a gradient", "one has, be all of them 0"
    ),
    "loop.rest": Caption(
        "forward, loss and all else",
        "of a watched program's time a part was in none of the calls that are seen",
        "of a loop of ours; all of the time was in calls that are seen; none of them was timed; in slow motion",
    ),
    "loop.not_seen_yet": Caption(
        "none of its calls was seen so far",
        "a program is watched, and no call of its loop was seen",
        "one was",
    ),
    "loop.as_called": Caption(
        "the loop, as called",
        "over the calls of a watched program, in the order in which they came",
        "of a loop of ours",
    ),
    # What the columns are
    "loop.times": Caption("times", "how often each call was made stands below", "calls are followed one by one"),
    "loop.of_time": Caption(
        "share of time", "shares of the time of all calls, or of a watched run's, stand below", "on CUDA"
    ),
    "loop.of_launch_time": Caption(
        "share of launch time",
        "on CUDA, whose calls return as their work is launched: shares of that time",
        "on the CPU; of a watched program, whose shares are of all of its time",
    ),
    "loop.launch_time": Caption("launch time", "the same in little room", "the same"),
    "loop.of_cpu_time": Caption(
        "share of CPU's time",
        "of a watched program on CUDA: shares of its time, which the CPU spent there",
        "on the CPU",
    ),
    "loop.cpu_time": Caption("CPU's time", "the same in little room", "the same"),
    "loop.are_of_launch_time": Caption("of launch time", "the same behind the shares, in one line", "on the CPU"),
    "loop.to_launch": Caption("to launch", "the same in less room", "on the CPU"),
    "loop.are_of_cpu_time": Caption("of CPU's time", "the same of a watched program", "on the CPU"),
    "loop.are_of_cpu": Caption("of CPU", "the same in less room", "on the CPU"),
    "loop.each": Caption(
        "{time} each", "a validation on CUDA, whose time is no launch's: the mean of its times", "its share is told"
    ),
    # In place of figures
    "loop.not_in_loop": Caption(
        "not in this loop", "a call was made where the recipe's loop has none", "it belongs there; of a watched program"
    ),
    "loop.only_in_warmup": Caption(
        "only in the warm-up",
        "a scheduler with a warm-up is stepped once an epoch by now: at the call within the batch",
        "the recipe has no warm-up; the call is made there",
    ),
    "loop.after_warmup": Caption(
        "after the warm-up", "the warm-up goes on: at the call after the epoch", "it is over; there is none"
    ),
    "loop.not_called": Caption(
        "not called here",
        "a record tells that the call is made in a wrong place, and not in this one",
        "it was made here",
    ),
    "loop.paused": Caption(
        "Paused.", "calls are followed, and the run stands still and takes no command", "it takes one"
    ),
    **{
        f"loop.ours.{call}": Caption(words, f"`{call}` of our own loop runs, and is followed", "another call runs")
        for call, words in _OURS.items()
    },
    **{
        f"loop.watched.{call}": Caption(
            words, f"`{call}` of a watched program runs, and is followed", "another call runs; of a loop of ours"
        )
        for call, words in _WATCHED.items()
    },
}
