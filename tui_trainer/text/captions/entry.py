"""What is asked for in a line over the screen: `ui/entry.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "A line that is typed over the screen"

CAPTIONS = {
    "entry.keys": Caption(
        "enter takes it, esc leaves", "what is typed can be taken, or nothing is typed yet", "it cannot be taken"
    ),
    "entry.lr": Caption("LR by hand, from the next step on", "the LR dial is to be turned", "the epochs are asked for"),
    "entry.lr_forms": Caption(
        "now {lr}: type an LR, as 0.01, or a factor of the schedule's, as x0.5; x1 gives the schedule's own again",
        "the LR dial is to be turned",
        "the epochs are asked for",
    ),
    "entry.epochs": Caption(
        "Epochs in all", "it is asked how many epochs the run is to train", "the LR dial is to be turned"
    ),
    "entry.more_epochs": Caption(
        "Train on: epochs in all", "R was pressed on a finished run", "on one that ended early, which is resumed"
    ),
    "entry.more_epochs_forms": Caption(
        "{epochs} are trained: type how many, as {example}, and its schedule goes on; {example} {constant} goes on at "
        "its last LR, {example} cosine with that preset",
        "R was pressed on a finished run",
        "on one that ended early, which is resumed",
    ),
    "entry.epochs_trained": Caption(
        "{epochs} are trained already: give more",
        "a finished run was to train as many epochs in all as it has trained, or fewer",
        "more are asked for",
    ),
    "entry.epochs_forms": Caption(
        "{epochs} now, and epoch {epoch} is under way: type how many, as {example}",
        "it is asked how many epochs the run is to train",
        "the LR dial is to be turned",
    ),
}
