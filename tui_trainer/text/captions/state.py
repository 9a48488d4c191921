"""What a run does."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a run does"

CAPTIONS = {
    "state.starting": Caption(
        "starting",
        "a process has begun and has not told what it does",
        "it has told a phase; or the run has ended",
    ),
    "state.reading": Caption(
        "reading its record",
        "a run was just opened, and there is more of its record than was read",
        "all that there was has been read once; since then it is followed",
    ),
    "state.reading_so_far": Caption(
        "reading its record, {share}",
        "the same, of another tool's record whose size is known",
        "all that there was has been read once; the record is on another machine, or a database",
    ),
    "state.running": Caption(
        "running",
        "a run tells numbers, and has not told what it does",
        "it has told a phase or a recipe; it is paused, stalled or over; no number was told yet",
    ),
    "state.no_end": Caption(
        "no end known",
        "a run goes on that has told no number of epochs to come",
        "it told one; it has ended",
    ),
    "state.best_accuracy": Caption(
        "best {value} at epoch {epoch}",
        "in the top line: the epoch of the highest validation accuracy, one better than guessing",
        "another one is better by the rule of the best; none is better than guessing",
    ),
    "state.best_loss": Caption(
        "lowest val_loss {value} at epoch {epoch}",
        "in the top line: no accuracy is known; the epoch of the lowest validation loss, one better than guessing",
        "an accuracy is known; another one is lower",
    ),
    "state.best_of": Caption(
        "best {name} {value} at step {step}",
        "in the top line: no epoch was validated; what the run is judged by has a goal, and this was its best value",
        "it is a loss of the training; it has no goal; another value is better",
    ),
    "state.no_room": Caption(
        "panels need {lines} lines; here there is room for the charts alone",
        "a panel was asked for in a lower terminal",
        "the terminal has so many lines",
    ),
    "state.frozen": Caption(
        "charts frozen",
        "a part of a run is on show that does not follow its newest step, and the run goes on",
        "the run has ended; the charts follow; all of the run, or all that was trained, is on show",
    ),
    "state.paused": Caption(
        "paused",
        "somebody asked for a pause, or for one batch, and the run stands still",
        "it goes on, has ended, or was resumed by another process",
    ),
    "state.paused_before": Caption(
        "paused before the first batch",
        "a pause was asked for before any batch was trained",
        "a batch was trained, or the run has ended",
    ),
    "state.space_continues": Caption(
        "space continues",
        "a paused run takes commands from here",
        "it takes none: the view is read-only, or the run has ended",
    ),
    "state.paused_in_batch": Caption(
        "Paused. n steps through the next batch, space continues.",
        "calls are followed one by one, the run stands still, and takes commands from here",
        "it takes none: then only that it is paused",
    ),
    "state.stalled": Caption(
        "stalled",
        "a notice says that nothing has happened for much longer than a step, or a validation, takes",
        "anything has happened since; in a pause; after the end",
    ),
    "state.slow_motion": Caption(
        "slow motion",
        "calls are held so that they can be followed by eye",
        "at full speed, in a pause, or after the end",
    ),
    "state.first_batch": Caption(
        "the first batch",
        "the run trains, and its first batch is not told yet",
        "a phase before it goes on, such as the loading of data",
    ),
}
