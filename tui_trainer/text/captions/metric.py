"""Series of a run."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Series of a run"

CAPTIONS = {
    "metric.none_yet": Caption(
        "no series yet: they come as the run logs its first numbers",
        "a run goes on, and no number of it was told",
        "a number was told; the run has ended",
    ),
    "metric.none_at_all": Caption(
        "this run told no numbers",
        "a run has ended, and no number of it was told",
        "a number was told; it may still tell one",
    ),
    "metric.none_match": Caption(
        "no series matches {filter}: esc removes the filter",
        "there are series, and the filter lets none of them pass",
        "one passes; there are none at all",
    ),
    "metric.unmoved": Caption(
        "has not moved",
        "a series has two values or more, all of them finite and the same",
        "it has one value; two of them differ; one of them is not finite; some are not read yet",
    ),
    "metric.not_finite": Caption(
        "{count} not finite",
        "of a series so many values are nan or infinite",
        "all are finite; those that are nan were lost with a part of the record; some are not read yet",
    ),
    "metric.lost": Caption(
        "not known",
        "the value at the cursor was lost with a part of the record, or was not to be seen in a watched program",
        "it was logged, as nan too",
    ),
    # Answers
    "metric.mark_another": Caption(
        "mark another one: those marked lie in one chart, the first", "one series is marked", "two are; none is"
    ),
    "metric.chart_full": Caption("one chart has room for {most} series", "one more is to be marked", "there is room"),
    "metric.most_pinned": Caption(
        "{most} are pinned, for more there is no room: * lets go of one", "one more is to be pinned", "there is room"
    ),
    "metric.pinned": Caption("{series}: pinned to the run, and to runs like it", "it was pinned", "it was let go of"),
    "metric.unpinned": Caption("{series}: no longer pinned", "it was let go of", "it was pinned"),
    "metric.over": Caption("x is {series}; again for steps", "a series is the x axis of all charts", "steps are"),
    "metric.from_output": Caption(
        "(read from the output)",
        "behind the name of a number that a watched program printed, and told in no better way",
        "it was seen as a call returned it, or logged it",
    ),
}
