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
    "untold.lr_stays": Caption(
        "no scheduler was seen, and the LR is {lr} at every step so far",
        "a watched program's LR was the same at each of its steps, and no scheduler of its stepped or was made",
        "the LR moved, or there is a scheduler; of a run that is not watched",
    ),
    "untold.scheduler_waits": Caption(
        "{scheduler} has not moved the LR so far",
        "a watched program has a scheduler, no plan of it is known yet, and the LR was the same at each of its steps",
        "the LR moved, or no scheduler was seen; of a run that is not watched",
    ),
    "untold.why": Caption(
        "this run does not tell why its LR is what it is",
        "a run has told numbers, and neither a plan, nor a reason, nor how an epoch validated",
        "it told one of them, or a notice came; of a watched program, its LR has not moved",
    ),
}
