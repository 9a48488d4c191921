"""Notices that a run tells of itself and of its record."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Notices of a run"

CAPTIONS = {
    # Stalls, and who watches for them
    "notice.stalled": Caption(
        "stalled: nothing has happened for {seconds}, at step {step}{usual}",
        "no event came for much longer than a step takes, within an epoch",
        "after the last batch of an epoch; in a pause; it was told, and no step came since",
    ),
    "notice.stalled_after_last_batch": Caption(
        "stalled: nothing has happened for {seconds}, after the last batch of epoch {epoch}{usual}",
        "the same where the last batch of an epoch was told and its end was not",
        "within an epoch; once its end was told",
    ),
    "notice.stalled_after_epoch": Caption(
        "stalled: nothing has happened for {seconds}, after the end of epoch {epoch}{usual}",
        "the same where the end of an epoch was told, and no step since",
        "a step came since",
    ),
    "notice.step_took": Caption(
        "; a step took {seconds} until then", "behind these, where steps were timed", "one step alone was told"
    ),
    "notice.goes_on": Caption(
        "training goes on, after {seconds}",
        "a stall was told, and a step or an epoch's end came",
        "none was told; the run was paused or has ended meanwhile",
    ),
    "notice.woken": Caption(
        "the process stood still for {seconds}, stopped or asleep: none of that counts",
        "the process that trains was stopped, or its machine slept",
        "it waited for something, and could run",
    ),
    "notice.unwatched": Caption(
        "this run is no longer watched for stalls, alerts or figures that go wrong: {why}",
        "what watches a run broke; it trains on",
        "it works; a notification could not be delivered",
    ),
    # The record
    "notice.recording_stopped": Caption(
        "Recording stopped: {why}. Training goes on; recording will when it can.",
        "the journal of a run that goes on could not be written to",
        "the run is over; it was told, and nothing could be written since",
    ),
    "notice.recording_stopped_at_end": Caption(
        "Recording stopped: {why}. The run is over; it is tried once more.",
        "the same as the run ends",
        "the run goes on; it had stopped before",
    ),
    "notice.recording_goes_on": Caption(
        "Recording goes on. {lost}", "the journal takes what waited, and the run goes on", "it had not stopped"
    ),
    "notice.recorded_at_last": Caption(
        "What waited is recorded. {lost}", "the same as the run ends", "the run goes on; it had not stopped"
    ),
    "notice.nothing_lost": Caption(
        "Nothing was lost.", "behind these, where all that waited is recorded", "some of it was given up"
    ),
    "notice.lost": Caption("{count} of its events {are} lost.", "more waited than is kept", "all of it is recorded"),
    "notice.event_unrecorded": Caption(
        "An event of the kind {kind} could not be recorded: {why}", "an event cannot be written down", "it can"
    ),
    "notice.facts_unwritten": Caption(
        "run.json could not be written: {why}. It is tried again when the run ends.",
        "facts of a run that goes on could not be written",
        "the run is over; they could",
    ),
    "notice.facts_lost": Caption("run.json could not be written: {why}.", "the same as the run ends", "it goes on"),
    "notice.inbox_unreadable": Caption(
        "what is asked of this run cannot be read: {why}. Training goes on.",
        "the file of commands cannot be read; once",
        "it can; it was told, and nothing could be read since",
    ),
    "notice.not_understood": Caption(
        "{lines} of control.jsonl could not be understood, and asked for nothing.",
        "somebody wrote what is no command of this version",
        "all are commands; a line has no end yet",
    ),
    # As it begins, and goes on from a checkpoint
    "notice.from_preset": Caption(
        "from the preset: {taken}", "[for] of its preset gave what no option did", "options gave all of it; resumed"
    ),
    "notice.trains_again": Caption(
        "there is no checkpoint: it trains again from the first step; what is recorded stays as it is",
        "a run is gone on with that has steps on record and no checkpoint",
        "there is one; no step is on record",
    ),
    "notice.new_record": Caption(
        "a new record, from the checkpoint of {run} after step {step}",
        "a run goes on from another one's checkpoint",
        "it goes on in its own record",
    ),
    "notice.record_behind": Caption(
        "the record ends at step {recorded}, and the checkpoint is of step {step}: what was trained between them is "
        "not recorded",
        "the record of a run that is gone on with was cut off before its checkpoint",
        "its steps reach the checkpoint",
    ),
    "notice.no_log": Caption(
        "what is printed goes to no log: {why}", "what would take the output to log.txt failed", "it goes there"
    ),
    "notice.rank_lost": Caption(
        "another of the {ranks} processes was lost", "a process of several that train a run is gone", "one trains it"
    ),
    "notice.resumes_with_any": Caption(
        "; resume goes on from the checkpoint after step {step}, with any number of them",
        "behind that, where a checkpoint was saved",
        "none was saved",
    ),
    "notice.unreadable": Caption(
        "the record cannot be read: its events.jsonl: {why}",
        "a viewer of a run, live or not, can read its journal no more; the same trouble once",
        "it can",
    ),
    "notice.cut": Caption(
        "… ({count} more characters are left out)", "behind a text that is too long for a person", "all of it is there"
    ),
    "notice.another_training": Caption(
        "another training has begun: {run}",
        "a process of a watched command trains apart from the first, and has a record of its own",
        "it trains with the first one, or takes its place before that has trained",
    ),
    "notice.in_percent": Caption(
        "{accuracy} is in percent, as {value} shows: those told before, of 1 or less, are 100 times too high",
        "a watched program tells an accuracy above 1 by a name whose numbers were 1 or less, and so taken for shares",
        "the first number by that name, but for 0, is above 1, or none is",
    ),
    "notice.taken_over": Caption(
        "another optimizer took over at step {step}: from there on steps, loss and LR are those of {optimizer}",
        "the optimizer of a watched program that made its steps makes no more, and another one does: another network "
        "is trained, or the next part of a training begins",
        "they step in turn, as in a GAN; one optimizer makes all steps; it was told of 20 already",
    ),
    "notice.cannot_ask": Caption(
        "nothing can be asked of process {pid}: {why}", "the pipe to a process cannot be opened", "it can"
    ),
}
