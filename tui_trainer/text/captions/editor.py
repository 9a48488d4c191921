"""A copy of a preset as it is typed: `ui/presets/editor.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "A copy of a preset as it is typed"

CAPTIONS = {
    "editor.saves": Caption(
        "no errors: ctrl+s saves it",
        "the text can be trained, and its name is free",
        "the text has an error; the name is none, or taken",
    ),
    "editor.no_errors": Caption("no errors", "the text can be trained, and its name is none, or taken", "it is free"),
    "editor.old_curve": Caption(
        "the curve shows the last text without errors", "the text has one, and had none before", "it has none"
    ),
    "editor.taken": Caption("there is a {name} of your own already", "a preset of the person's has the name", "none"),
    "editor.hides": Caption(
        "hides the shipped {name}", "a shipped preset has the name, and none of the person's", "none has it"
    ),
    "editor.saved": Caption("saved as {name}", "it lies on the disk, and somebody typed on meanwhile", "it does not"),
    "editor.not_saved_errors": Caption("not saved: fix the errors first", "the text has one", "it has none"),
    "editor.not_saved_name": Caption(
        "not saved: give it a name of letters, digits, - and _", "its name cannot be that of a file", "it can be"
    ),
    "editor.not_saved_taken": Caption(
        "not saved: there is a {name} of your own already; give it another name", "a file has the name", "none has"
    ),
    "editor.not_saved": Caption("not saved: {why}: {file}", "the system refuses to write it", "it is written"),
}
