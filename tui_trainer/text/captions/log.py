"""The log of a run, as its pane shows it: `ui/live/log_pane.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The log of a run"

CAPTIONS = {
    "log.nothing": Caption(
        "nothing was printed to this run's log",
        "the log is empty, or there is none, as of a record that another tool made",
        "a line is in it",
    ),
    "log.newer": Caption(
        "{count} newer below, end follows",
        "the log was scrolled back, and so many lines stand below the last one on show",
        "the newest one is on show",
    ),
    "log.typed": Caption(
        "to the command:", "what is typed goes to the command of a watched run", "keys are those of the screen"
    ),
    "log.passed_over": Caption(
        "… what was printed before was passed over …",
        "more was printed at once than the pane reads",
        "all of it was read",
    ),
    "log.left_out": Caption(
        "… {bytes} bytes are left out here …", "in log.txt, where a long one was shortened", "nothing was"
    ),
    "log.too_fast": Caption(
        "… {count} bytes of output came too fast to be kept …",
        "a watched command printed more than is kept of a second",
        "all of it is kept; the log is shortened for its length",
    ),
}
