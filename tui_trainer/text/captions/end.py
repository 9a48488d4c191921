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
    "end.watched": Caption(
        "{reason}: {done} in {clock}",
        "a watched command ended by itself, with exit code 0",
        "it ended in another way, or goes on; a run of ours",
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
}
