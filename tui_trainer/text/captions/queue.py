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
    "queue.cannot_claim": Caption(
        "{folder}: nothing can be claimed there: {why}",
        "the system refuses what tells others that a run of the session is taken",
        "it can be claimed, and its training fails",
    ),
    "queue.unknown_run": Caption(
        "{run} is no run that this version can train: {why}",
        "the session asks for a run that cannot be read as one, as of a later version",
        "it can be read, and its training fails",
    ),
    "queue.process_gone": Caption(
        "{run}: its process {how}; what it said, if anything, is in {log}",
        "a process that was to train a run has ended without saying how the run did",
        "it has said so",
    ),
    "queue.by_signal": Caption("was killed by {signal}", "the same, where a signal killed it", "it ended by itself"),
    "queue.by_itself": Caption("ended with {code}", "the same, of an exit code", "a signal killed it"),
    "queue.misunderstood": Caption(
        "what it was told could not be understood: {why}",
        "a process that trains for a session was told something that is no command",
        "its input ended",
    ),
    "queue.plan_unwritten": Caption(
        "{file} could not be written, and is tried again: {why}", "the session's file could not be written", "it could"
    ),
    "queue.not_counted": Caption(
        "not counted as done: {why}", "the record of a run of the session cannot be read", "it can"
    ),
}
