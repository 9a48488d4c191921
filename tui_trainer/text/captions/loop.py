"""The loop of a watched program."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The loop of a watched program"

CAPTIONS = {
    "loop.rest": Caption(
        "forward, loss and all else",
        "of a watched program's time a part was in none of the calls that are seen",
        "of a loop of ours; all of the time was in calls that are seen; none of them was timed; in slow motion",
    ),
    "loop.not_seen_yet": Caption(
        "none of its calls was seen so far",
        "a program is watched, and no call of its loop was seen",
        "one was",
    ),
}
