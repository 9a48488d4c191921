"""What is printed as a screen is left: `cli/exit_summary.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What is said as a screen is left"

CAPTIONS = {
    "exit.again": Caption(
        "open it again", "a run or a comparison is over, or trains on elsewhere", "it can be gone on with"
    ),
    "exit.continue": Caption(
        "continue it",
        "a run has crashed; a comparison has runs to do, and nobody does them; a paused run was left",
        "it is over",
    ),
    "exit.runs_over": Caption(
        "all {runs} are over", "every run of a comparison has ended, and there are several", "one has not; there is one"
    ),
    "exit.run_over": Caption(
        "its run is over", "the only run of a comparison has ended", "it has not; there are several"
    ),
    "exit.some_over": Caption("{over} of {runs} {are} over", "some, or no, runs of it have ended", "all have"),
    "exit.val_accuracy": Caption(
        "best val accuracy", "what the best of a comparison by accuracy is called", "it is compared by another series"
    ),
    "exit.best": Caption(
        "{what} {value}, {who}", "the best of a comparison by what it is compared by", "no run has any of it"
    ),
    "exit.crashed": Caption("{count} crashed", "so many runs of a comparison have crashed", "none has"),
    "exit.trains_on": Caption(
        "{run} keeps training in the background.",
        "the screen is left, and what it showed trains on",
        "it is paused, or over",
    ),
    "exit.waits": Caption(
        "{run} is paused, and waits in the background.", "the screen is left, and its run stands still", "it trains"
    ),
    "exit.unnamed": Caption("The run", "the same of a run that has no record yet", "it has one"),
    "exit.see": Caption("watch it", "how what trains on, or waits, is seen again", "it is over"),
    "exit.end": Caption("end it", "how what trains on, or waits, is ended", "it is over"),
    "exit.killed": Caption(
        "tui-trainer was killed by {signal}{who}", "the process behind the screen was killed", "it ended by itself"
    ),
    "exit.out_of_memory": Caption(
        ", as the system does where memory runs out", "it was killed by SIGKILL", "by another signal"
    ),
    "exit.native": Caption(
        ", an error in native code", "it was killed by SIGSEGV, SIGBUS or SIGABRT", "by another signal"
    ),
    "exit.nothing_recorded": Caption(
        "nothing was recorded yet", "it was killed before there was a record", "there is one"
    ),
    "exit.got_to": Caption(
        "{run}: {status} after {steps}", "a run whose process was killed has a record", "it has none"
    ),
}
