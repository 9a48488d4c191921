"""What a network confuses."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a network confuses"

CAPTIONS = {
    "confusion.nothing_yet": Caption(
        "nothing yet: the next validation tells what is taken for what",
        "nothing was counted, and a run goes on that counts, or has not trained yet",
        "a matrix is there; the run has ended, or does not count",
    ),
    "confusion.none_came": Caption(
        "the run ended before its first validation",
        "a run has ended that validated no epoch",
        "an epoch was validated, or may be",
    ),
    "confusion.not_told": Caption(
        "this record does not tell: it was made with --metrics minimal, or by a version that did not count",
        "epochs were validated, or a run goes on that does not count, and nothing was counted",
        "a matrix is there, or may still come; no epoch was validated",
    ),
    "confusion.none_wrong": Caption(
        "nothing is taken for anything else",
        "every image that validated was taken for what it is",
        "one was not",
    ),
    "confusion.no_images": Caption(
        "the images are not kept in this record",
        "one process validated, and none of its images can be read",
        "they are there; or several processes validated",
    ),
    "confusion.images_of_several": Caption(
        "not kept: several processes validated, each a part of the images",
        "more than one process trains",
        "one process trains",
    ),
    "confusion.axes": Caption("is ↓  taken for →", "a matrix stands below, of what is by row", "there is none"),
    "confusion.highest_first": Caption(
        "the highest losses first", "images of the epoch of the matrix stand below", "of another; there are none"
    ),
    "confusion.of_epoch": Caption("of epoch {epoch}", "they are of another epoch than the matrix", "of the same"),
    "confusion.no_room": Caption("more lines are needed to show them", "not even one has room", "one has"),
}
