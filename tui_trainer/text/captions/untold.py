"""What a run does not tell."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a run does not tell"

CAPTIONS = {
    "untold.calls": Caption(
        "this run does not tell its calls",
        "a run has told numbers, and neither its loop nor a call of it",
        "it told a recipe or a call",
    ),
    "untold.why": Caption(
        "this run does not tell why its LR is what it is",
        "a run has told numbers, and neither a plan, nor a reason, nor how an epoch validated",
        "it told one of them, or a notice came",
    ),
}
