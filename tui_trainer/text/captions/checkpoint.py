"""Checkpoints: what could not be saved, and what is wrong with one."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Checkpoints"

CAPTIONS = {
    # Saving
    "checkpoint.none_saved": Caption(
        "no checkpoint of {of} was saved: {why}", "neither the last nor, where due, the best one could be", "one was"
    ),
    "checkpoint.not_saved": Caption(
        "{file}, of {of}, was not saved: {why}", "one of the two that were due could not be saved", "both were; neither"
    ),
    "checkpoint.lacking": Caption(
        "the {which} checkpoint, of {of}, could not be saved{instead}: {why}",
        "behind the reason of an end: the last or the best one that should be there is not",
        "it was saved later on",
    ),
    "checkpoint.still_of": Caption(
        " ({file} is still of {of})", "an older one lies there instead", "none was saved by this process"
    ),
    # What is wrong with one
    "checkpoint.unreadable": Caption("{file} cannot be read: {why}", "the system refuses it", "it can be read"),
    "checkpoint.unfit": Caption("{file} does not fit: {why}", "it is whole, and not one of this run", "it fits"),
    "checkpoint.no_checksums": Caption("its checksums are missing", "it has none", "it has; an older form has none"),
    "checkpoint.no_last_lr": Caption(
        "its checkpoint is of an earlier version, and does not tell the LRs of its last step",
        "a run is to go on at its last LR that was trained by a version which did not save that",
        "they are saved; it has no scheduler",
    ),
    "checkpoint.missing": Caption("{key} is missing", "a value that a checkpoint must have is not there", "it is"),
    "checkpoint.changed": Caption(
        "{key} is not what was saved", "a value has another checksum than was written, or none", "it has the same"
    ),
    "checkpoint.changed_inside": Caption(
        "{file} in it is not what was saved", "of one of an older form, whose archive tells", "its archive is whole"
    ),
    "checkpoint.not_held": Caption(
        "is not held by this optimizer", "a value is there for a parameter that the optimizer keeps none of", "it does"
    ),
    "checkpoint.value_missing": Caption("is missing", "a value of the optimizer's is not there", "it is"),
    "checkpoint.wrong_kind": Caption("is of a wrong kind", "a value is of another type or precision", "of the same"),
    "checkpoint.other_shape": Caption("has the shape {shape} where {wanted} should be", "its shape is another", "not"),
    "checkpoint.single_number": Caption("of a single number", "one of the two shapes has no dimension", "it has one"),
    "checkpoint.going_on_from": Caption(
        "{why}; going on from {file}, saved after step {step}",
        "a newer one is damaged or does not fit, and an older one does",
        "the newest one fits; none does",
    ),
}
