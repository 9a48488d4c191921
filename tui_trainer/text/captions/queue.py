"""Who trains the runs of a comparison: `compare/queue.py`, `compare/session.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Who trains a comparison"

CAPTIONS = {
    "queue.unheard": Caption("the shell is heard no more: {why}", "what listens for commands broke", "it listens"),
    "queue.elsewhere": Caption(
        "{who}: another process goes on with {run}: compare again once that has ended",
        "a run of the session is live in another process",
        "it has ended; this comparison trains it",
    ),
    "queue.not_trained": Caption("{who} cannot be trained: {why}", "its training could not even begin", "it began"),
    "queue.plan_unwritten": Caption(
        "{file} could not be written, and is tried again: {why}", "the session's file could not be written", "it could"
    ),
    "queue.not_counted": Caption(
        "not counted as done: {why}", "the record of a run of the session cannot be read", "it can"
    ),
}
