"""Rules of alerts, as a person gave them."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Rules of alerts, as a person gave them"

CAPTIONS = {
    "alert.so": Caption(
        "{rule}: {value} at {place}",
        "a value is as the rule says, and was so in a row for as long as it says; the last one is named",
        "it was not so for that long; it was told and is not over; the value is nan, and the rule compares",
    ),
    "alert.last": Caption(
        "none since {place}",
        "a rule of what is missing: its series had its last value so many steps, epochs or seconds ago",
        "a value came since; within the epoch that goes on",
    ),
    "alert.never": Caption(
        "none so far",
        "a rule of what is missing, and its series had no value from the beginning",
        "it had one",
    ),
    "alert.over": Caption(
        "no longer {rule}: {value} at {place}",
        "a rule was told, and a value is not so; where it came back within a minute, none is so for a minute",
        "nothing was told of it; the value is nan, and the rule compares",
    ),
    "alert.dropped": Caption(
        "no longer watched: {rule}",
        "a rule was told, and the run is gone on with without it",
        "the run is gone on with and has it; it was over",
    ),
    "alert.unknown": Caption(
        "the alert {rule} watches nothing: there is no {series} yet, but {names}",
        "a whole epoch is over and the rule's series had no value; once",
        "it had one; of a rule of what is missing; in the first epoch",
    ),
}
