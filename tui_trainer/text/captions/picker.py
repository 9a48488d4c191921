"""The list of presets: `ui/presets/picker.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The list of presets"

CAPTIONS = {
    "picker.steps_each": Caption("steps each {when}", "its scheduler steps so, in much room", "it has none"),
    "picker.batch_then_epoch": Caption(
        "{unit}, then epoch", "a warm-up steps after every batch, the scheduler behind it once an epoch", "one of them"
    ),
    "picker.never_steps": Caption("never steps", "it has no scheduler and no warm-up", "it has one; it cannot be used"),
    "picker.cannot_be_used": Caption("cannot be used", "the file has errors", "it has none"),
    "picker.reading": Caption("reading the presets", "none was read so far", "they are read"),
    "picker.none_match": Caption("no preset matches", "the filter lets none of them pass", "one passes"),
    "picker.unreadable": Caption("the presets cannot be read: {why}", "reading them failed", "they are read"),
    "picker.momentum_stays": Caption(
        "nothing moves the momentum of this preset: OneCycleLR and CyclicLR do",
        "it is asked for over the plan of one whose schedule moves none, or that cannot be used",
        "the schedule moves it",
    ),
    "picker.not_started": Caption(
        "{preset} cannot be started: its errors are told beside it",
        "enter is pressed on one that cannot be used, or with options that do not fit it",
        "it starts",
    ),
    "picker.switch": Caption("switch to another preset", "over the list, beside a run that goes on", "beside none"),
    "picker.choose": Caption("choose a preset to train with", "over it, beside no run that goes on", "beside one"),
}
