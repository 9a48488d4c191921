"""How a run ended."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "How a run ended"

CAPTIONS = {
    "end.finished": Caption(
        "finished: {done} in {clock}",
        "all epochs were trained",
        "it ended in another way, or goes on; of a watched program",
    ),
    "end.at_step": Caption(
        "finished at step {step}, after {clock}",
        "the tool that recorded a run says that it is over; how many steps it was to have, nobody knows",
        "it ended in another way, or goes on; a run of ours, or a watched program",
    ),
    "end.watched": Caption(
        "{reason}: {done} in {clock}",
        "a watched command ended by itself, with exit code 0",
        "it ended in another way, or goes on; a run of ours",
    ),
    "end.early": Caption(
        "stopped early: {monitor} not better than {best}{by} for {epochs} (best at epoch {epoch})",
        "the patience of the preset's early_stopping was at its end before the last epoch",
        "it trained all epochs, be the last ones no better; somebody stopped it",
    ),
    "end.early_by": Caption(
        " by more than {delta}", "the same, where early_stopping has a min_delta", "any better value counts as better"
    ),
    "end.diverged": Caption(
        "diverged at step {step}: {reason}",
        "the loss, or a weight, was not finite, which ended the run",
        "it ended in another way, or goes on",
    ),
    "end.stopped": Caption(
        "stopped after step {step}{done}",
        "somebody, or a signal, ended it before its last epoch",
        "it ended in another way, or goes on",
    ),
    "end.crashed": Caption(
        "crashed after step {step}{reason}",
        "an error ended it, or its process is gone and said no goodbye; why, where that does not stand above it",
        "it ended in another way, or goes on",
    ),
    "end.taken_over": Caption(
        "another process has taken this run over: nothing more is written here",
        "a trial's holder gave no sign of life for a minute, another process claimed the trial, and the holder woke up",
        "nobody else has claimed it",
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
    "end.best_of": Caption(
        "best {name} {value} at step {step}",
        "a run has ended that tells of no validated epoch: the best value of what it is judged by, by its goal",
        "an epoch was validated; it is a loss of the training; it has no goal; another value is better",
    ),
    "end.chance": Caption(
        "val accuracy at chance, at most {accuracy}",
        "epochs were validated, and the best of them is no better than guessing",
        "an epoch is better than guessing; the number of classes is not known",
    ),
    "end.before_first_step": Caption(
        "{status} before the first step: {reason}",
        "a run of ours ended and made no step of its optimizer",
        "it made one; it is a watched program, whose training may not be seen",
    ),
    "end.unseen": Caption(
        "{status}: {reason}{more}",
        "a watched program ended, and no step of it is known",
        "a step of it is known; a run of ours",
    ),
    "end.no_step": Caption(
        "; no step of an optimizer was seen",
        "behind that, where the reason does not say it",
        "a step was seen",
    ),
    # The reason that the end of a run of ours gives
    "end.all_epochs": Caption("all epochs done", "the last epoch was trained", "it was stopped before, or failed"),
    "end.not_finite": Caption(
        "the {loss} step {step} was not finite (LR {lr})",
        "a training loss, or that of a validation, was nan or infinite",
        "all were finite",
    ),
    "end.loss_of": Caption("loss of", "in it, where the loss of the step was not", "that of a validation was not"),
    "end.loss_after": Caption("validation loss after", "the same of the one after the step", "that of the step"),
    "end.out_of_memory": Caption(
        "out of memory with batches of {images}; try a smaller {what}",
        "memory was not to be had for a step: with as many images as its batches have, which is all if there are fewer",
        "in validation; another error",
    ),
    "end.out_of_memory_validating": Caption(
        "out of memory in validation, with a single image a batch; try a smaller --model{instead}",
        "memory was not to be had to validate one image",
        "in training",
    ),
    "end.or_cpu": Caption(", or --device cpu", "behind that, on another device", "on the CPU"),
    "end.not_deterministic": Caption(
        "--deterministic: {operation} has no deterministic form here; leave it out",
        "torch refused an operation that cannot be repeated",
        "it has one; without the option",
    ),
    "end.cuda_used_before": Caption(
        "--deterministic: CUDA was used in this process before; start the run in a new one",
        "cuBLAS was set up before it could be told",
        "it was told",
    ),
    "end.gone": Caption(
        "its process is gone and said no goodbye", "a record has no end, and nobody writes it", "it has; somebody does"
    ),
    "end.by_shell": Caption("stopped from the shell", "`tui-trainer stop` ended it", "another did"),
    "end.by_signal": Caption(
        "stopped by a signal", "a signal ended the comparison, as its screen was left", "a person did, by a key"
    ),
    "end.for_new_run": Caption(
        "stopped for a new run with {preset}", "a person starts another run in its place", "it is left to train"
    ),
}
