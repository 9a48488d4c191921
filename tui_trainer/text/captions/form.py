"""What is chosen before a run starts: `ui/presets/start_form.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The form that a run is started with"

CAPTIONS = {
    "form.start": Caption("Start {preset} with", "the form is open", "the preset is started as it is"),
    "form.keys": Caption(
        "enter starts it, ↑↓ go from line to line, ←→ choose, esc leaves",
        "all that the form holds can be trained",
        "something in it is wrong",
    ),
    "form.find_lr": Caption(
        "; ctrl+f looks for an LR with it",
        "all that the form holds can be trained, and no run is live here",
        "something in it is wrong; a run is live, beside which no LR is looked for",
    ),
    "form.cost": Caption(
        "{steps} steps, {batches} an epoch{time}", "all that the form holds can be trained", "something in it is wrong"
    ),
    "form.time": Caption(
        "; about {time}, as {run} took for an epoch",
        "a run like it was trained here: data, model, batch size, images and device alike",
        "none was, or the list of runs is not read yet",
    ),
    "form.time_unknown": Caption(
        "; how long that takes is known once one like it was trained",
        "the runs were read, and none was like it",
        "one was; they are not read yet",
    ),
    "form.cannot": Caption(
        "nothing can be started from here; tui-trainer launch can",
        "the form is asked for where no run can be started",
        "one can",
    ),
}
