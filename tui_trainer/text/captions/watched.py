"""What can be asked of a watched program, and what cannot."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What can be asked of a watched program"

CAPTIONS = {
    "watched.no_switch": Caption(
        "not of a watched program: its optimizer and its scheduler are its own, and no preset's",
        "a preset is to be switched to in a run of a watched program",
        "in a run of ours",
    ),
    "watched.no_checkpoint": Caption(
        "not of a watched program: what a checkpoint of it holds, it alone knows",
        "a checkpoint is asked of a watched program",
        "of a run of ours",
    ),
    "watched.no_epochs": Caption(
        "not of a watched program: how long it trains is its own",
        "another number of epochs is asked of a watched program",
        "of a run of ours",
    ),
    "watched.lr_is_tensor": Caption(
        "not of this program: its LR is a tensor, which the dial leaves alone",
        "the LR dial is turned for a watched program, one of whose optimizers has an LR that is a tensor",
        "all of its LRs are plain numbers",
    ),
    "watched.no_keyboard": Caption(
        "nothing can be typed from here: only to a watched command that has a terminal of its own and has not ended",
        "somebody is about to type, to a run of ours, a command that has ended or reads a pipe, or in a view read-only",
        "its command has a terminal, goes on and takes commands",
    ),
    "watched.no_resume": Caption(
        "it is the run of a watched program, which alone knows how to go on: `tui-trainer rerun` begins it once more",
        "a run of a watched program that ended is to be gone on with",
        "of a run of ours",
    ),
    "watched.no_control": Caption(
        "watched with --no-control: nothing but stop can be asked of it",
        "something else than to stop is asked of a program that is watched so",
        "it is watched without that option; of a run of ours",
    ),
}
