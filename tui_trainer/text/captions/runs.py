"""The list of runs, and what is said as one is chosen from it: `ui/runs/`, `ui/filtered_list.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The list of runs"

CAPTIONS = {
    "runs.none_match": Caption("no run matches", "there are runs, and the filter lets none of them pass", "one passes"),
    "runs.none_yet": Caption(
        "there are no runs yet{start}", "all records of the folder were looked for, and none is there", "they are read"
    ),
    "runs.start_one": Caption("; start one from a preset", "the same, where one can be started", "in a view"),
    "runs.reading": Caption("reading the records", "none was read so far, and reading goes on", "one was; all were"),
    "runs.counted": Caption("{runs}, {order}", "so many runs are there, in this order", "others were filtered away"),
    "runs.by_newest": Caption("newest first", "the list is in this order", "it is in another one"),
    "runs.by_accuracy": Caption("best accuracy first", "the same", "the same"),
    "runs.by_preset": Caption("by preset", "the same", "the same"),
    "runs.by_status": Caption("by status", "the same", "the same"),
    "runs.by_groups": Caption("by comparison and seeds", "the same", "the same"),
    "runs.group_comparison": Caption(
        "{name}: {runs} of {of}, {over} over",
        "over runs that were trained for one comparison, in that order",
        "none of them was",
    ),
    "runs.group_seeds": Caption(
        "{what}: {runs} with {seeds} seeds{figures}",
        "over runs for which the same was asked but for the seed, in that order",
        "one more thing differs; the seeds are one; they were trained for a comparison",
    ),
    "runs.group_accuracy": Caption(
        ", best accuracy {mean} ± {spread} over the {count} that finished",
        "the same, where two or more of them finished with an accuracy: mean and sample standard deviation",
        "fewer did",
    ),
    "runs.group_alone": Caption("{runs} alone", "over all that stand in no group, behind groups", "there is no group"),
    "runs.more_below": Caption("↓ {count} more", "a list goes on below the last line", "its last row is shown"),
    "runs.marked": Caption("; {count} marked", "some are marked", "none is"),
    "runs.still_reading": Caption("; reading", "more records are read", "all were"),
    "runs.nothing_marked": Caption("nothing is marked", "the last mark was taken away", "one is marked"),
    "runs.one_marked": Caption("{what}; mark another, then c compares them", "one run or preset is marked", "two are"),
    "runs.two_marked": Caption("{what}; c compares them", "two or more are marked", "one is"),
    "runs.mark_two": Caption(
        "mark two or more with space, then c compares them", "c is pressed, and fewer than two are marked", "two are"
    ),
    "runs.not_resumed": Caption(
        "it {has}: only a run that ended early can be resumed", "r is pressed on a run that was not", "it ended early"
    ),
    "runs.goes_on": Caption("goes on", "the same, of a run that is live", "it has ended"),
    "runs.has_ended": Caption("has {status}", "the same, of one that has finished or diverged", "it is live"),
    "runs.not_ours": Caption(
        "it is a record of {tool}: it is only looked at from here",
        "d, n or r is pressed on a run that another tool has recorded",
        "it is one of ours",
    ),
    "runs.range_test": Caption(
        "it is an LR range test: enter opens it, d deletes it; the rest is for runs",
        "n, r or space is pressed on an LR range test of the list",
        "it is a run",
    ),
    "runs.far": Caption(
        "it is on {host}: enter looks at it, space marks it to be compared; all else is done there",
        "d, n or R is pressed on a run of the list that is on another machine",
        "it is on this one",
    ),
    "runs.connecting": Caption(
        "connecting to {host}", "a run of the list that is on another machine is opened", "it is there; it could not be"
    ),
    "runs.live_not_deleted": Caption(
        "a live run is not deleted: stop it first", "d is pressed on a run that is live", "it has ended"
    ),
    "runs.live_not_renamed": Caption(
        "a live run is not renamed: stop it first", "n is pressed on a run that is live", "it has ended"
    ),
    "runs.renamed": Caption(
        "{run} is called {name} now", "another name was written", "it was refused; it was taken away"
    ),
    "runs.without_name": Caption("{run} has no name now", "its name was taken away", "it was refused; it has one"),
    "runs.deleting": Caption("deleting {run}", "a run's folder is being deleted", "it is gone; it was refused"),
    "runs.deleted": Caption("{run} is deleted", "its folder is gone", "something of it is left"),
    "runs.cut_off": Caption(
        "{status}, record cut off at step {step}",
        "in the list of the shell: a run went on to its end, and could not be recorded any more",
        "it was recorded to its end",
    ),
    "runs.unreadable": Caption("{folder} cannot be read: {why}", "the folder of runs cannot be listed", "it can"),
}
