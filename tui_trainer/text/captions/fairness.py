"""Is a comparison fair? What its runs had in common, and what not: `compare/fairness.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Whether a comparison is fair"

CAPTIONS = {
    "fairness.reading": Caption(
        "Whether it is fair is known once the records are read.",
        "records are being read, and of one preset at the most it is known by now what it trained",
        "of two it is known; all are read",
    ),
    "fairness.nothing_trained": Caption(
        "Is it fair? Nothing has been trained.", "no run has resolved what it trains", "one has"
    ),
    "fairness.others_untold": Caption(
        "Is it fair? On what other tools have trained, their records do not say.",
        "no run of ours has resolved what it trains, and one of another tool's has numbers",
        "nothing has numbers; a run of ours has",
    ),
    "fairness.only_one": Caption(
        "Is it fair? Nothing to set against it: {same} as recorded.",
        "the runs of one preset have",
        "two have, or none",
    ),
    "fairness.not_alike": Caption(
        "Not like for like: {what}.",
        "what the results depend on differs: data, weights, order, epochs",
        "none of it does",
    ),
    "fairness.fair": Caption(
        "Fair: same {names}{proven}.", "nothing that results depend on differs, and all runs tell all of it", "it does"
    ),
    "fairness.fair_as_told": Caption(
        "Fair as far as is told: same {names}{proven}.", "the same, where a run does not tell something", "all tell all"
    ),
    "fairness.same": Caption(
        "Same {names}{proven}.", "what is alike of runs that are not like for like", "all is alike"
    ),
    "fairness.proven": Caption(
        " ({names} by digest, to the bit)",
        "the digests of all runs are the same",
        "a record has none; only words are alike",
    ),
    "fairness.rounding": Caption(
        "Rounding may differ, and training amplifies it: {what}.",
        "kernels or versions of libraries differ",
        "they are the same; what results depend on differs",
    ),
    "fairness.rounding_and_seconds": Caption(
        "Rounding may differ, and seconds cannot be compared: {what}.",
        "devices, or the numbers of threads, differ",
        "they are the same",
    ),
    "fairness.seconds": Caption(
        "Seconds cannot be compared: {what}.", "the machines differ", "all trained on one machine"
    ),
    "fairness.not_told_by": Caption(
        "Not told by {who}: {names}.",
        "records of earlier versions lack something, and the others agree in it",
        "all tell it",
    ),
    "fairness.not_told": Caption("not told", "a record of an earlier version lacks it", "it has it, whatever it is"),
    "fairness.not_known": Caption("not known", "a run has told no number of epochs", "it has told one"),
    # In a line
    "fairness.short_fair": Caption(
        "Fair: nothing but the presets differs.",
        "two presets or more, nothing differs, and all of it is told",
        "something does",
    ),
    "fairness.short_as_told": Caption(
        "Fair as far as is told; not told: {names}.", "nothing differs, and something is not told", "all is told"
    ),
    "fairness.short_but": Caption(
        "Fair but for {names}.", "only rounding, or seconds, can differ by what differs", "results depend on it"
    ),
    "fairness.short_not_alike": Caption(
        "Not like for like: other {names}.", "what the results depend on differs", "it does not"
    ),
    # Beside it
    "fairness.begun_anew": Caption(
        "{who} was begun anew: {record} had no checkpoint to go on from.",
        "a run of a session was lost before its first checkpoint, and begun again",
        "it went on",
    ),
    "fairness.switched": Caption(
        "{who} switched to {preset} in epoch {epoch}.",
        "a run followed another preset from then on",
        "it is only promised",
    ),
    "fairness.epochs": Caption(
        "{who} was given {new} epochs instead of {old} after step {step}.",
        "somebody changed how many epochs a run trains while it did",
        "it trained those that it was begun with",
    ),
    "fairness.dialled": Caption(
        "{who} had its LR set by hand, from step {step} on.",
        "somebody turned the LR dial of a run of ours, the first time that they did",
        "its LR is the schedule's at every step",
    ),
}
