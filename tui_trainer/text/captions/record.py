"""What is wrong with a record."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What is wrong with a record"

CAPTIONS = {
    # Lines
    "record.unread": Caption(
        "{lines} of the record could not be read: {numbers}{more}. Damaged, or a later version's.",
        "a whole line is none that was written so, or no event that this version knows",
        "all are; the last one has no end yet",
    ),
    "record.and_more": Caption(
        " and more", "the numbers of the first ones are given, and more follow", "all are given"
    ),
    "record.unread_seen": Caption(
        "{lines} of the record could not be read",
        "the same, as far as a glance at the record sees it",
        "each line that was looked at is sound",
    ),
    "record.ends_in_no_line": Caption(
        "ends in something that is no line",
        "more stands behind the last line than any line has",
        "a torn line of usual length stands there, or nothing",
    ),
    "record.lines_missing": Caption(
        "{lines} of the record {are} missing.", "the numbers that lines carry leave some out", "they follow each other"
    ),
    "record.lines_misplaced": Caption(
        "{lines} of the record {are} not in {place}, behind later ones or there twice; left out.",
        "a line carries the number of an earlier one, or one that was there",
        "each carries a higher one than the one before",
    ),
    # The whole of it
    "record.no_events": Caption(
        "its events.jsonl cannot be read: {why}", "the system refuses it, or it is no plain file", "it can be read"
    ),
    "record.cut_off": Caption(
        "the record is cut off at step {step}",
        "the run went on to its end, and could not be recorded any more",
        "it was recorded to its end",
    ),
    "record.not_recorded": Caption(
        "nothing was recorded after step {step}: {why}",
        "behind the reason of an end: the journal could not be written to, and that end stands in its reserve",
        "it was written; only a part of a line is torn",
    ),
    "record.later_form": Caption(
        "it was written by a later version of tui-trainer: its form is {form}, and this version knows none after "
        "{known}",
        "run.json, or the first event, has a form that is a higher number",
        "this version knows it",
    ),
    "record.unknown_form": Caption(
        "its form is not known: its run.json says schema {form}", "the form is no number, or below 1", "it is a number"
    ),
    "record.may_lack": Caption(
        "{why}. What is shown may lack something", "the same two, in a list of runs", "this version knows the form"
    ),
    # Steps and epochs
    "record.steps_missing": Caption(
        "{steps} {are} missing from the record: {where}.",
        "steps lie between others, or before a step said to be done, and no line tells them",
        "each step up to the last that is said to be done is told",
    ),
    "record.epoch_ends_missing": Caption(
        "the record does not have the end of {epochs}.",
        "an epoch is over by what follows it, and no line tells its end",
        "each epoch that is over has its end; the last one still goes on, or its process crashed in it",
    ),
    "record.too_many_series": Caption(
        "the record has more than {most} series; those that came after them are left out.",
        "more series are logged, or declared, than are kept",
        "all that are logged are kept",
    ),
    "record.left_out": Caption(
        "the record contradicts itself; left out: steps {where}.",
        "a line tells steps where the run cannot have been",
        "lines of steps follow each other, or a resumed run trains steps again",
    ),
    "record.told_twice": Caption(
        "the record contradicts itself; told twice, the first kept: steps {where}.",
        "a process tells a step that it has told",
        "a resumed run tells steps again that the process before it had told",
    ),
    "record.wrong_epoch": Caption(
        "the record contradicts itself; counted to the epoch around them: steps {where}.",
        "steps say that they are of an epoch that they cannot be of",
        "each step is of the epoch that it says",
    ),
    "record.epoch_end_left_out": Caption(
        "the record contradicts itself; left out: the end of {epochs}.",
        "a line tells the end of an epoch that cannot have ended there",
        "epochs end one after the other",
    ),
    "record.beyond_its_end": Caption(
        "the record contradicts itself: it tells of step {step}, and ends at step {last}.",
        "a line tells of a step behind the one that is said to be the last",
        "nothing lies behind the last step",
    ),
    "record.stands_twice": Caption(
        "{lines} of the record {stand} there twice; left out once.",
        "a process wrote an order of calls, a switch or a count of a plateau twice",
        "a resumed run tells again what the process before it had told",
    ),
    "record.out_of_order": Caption(
        "{lines} of the record {stand} behind later ones.",
        "an order of calls, a switch or a count of a plateau stands behind one that came later",
        "events stand in the order of their coming",
    ),
    "record.misnumbered": Caption(
        "{lines} of the record {say} a step or an epoch where the run was not.",
        "an event says that it came at a step or in an epoch where its process cannot have been",
        "each event lies within what was trained",
    ),
    # run.json
    "record.no_facts": Caption("it has no run.json", "a record is to be gone on with that has none", "it has one"),
    "record.facts_unreadable": Caption("its run.json cannot be read: {why}", "the system refuses it", "it can be read"),
    "record.facts_damaged": Caption(
        "its run.json is damaged: {why}", "it is no JSON, or no object", "it is one; it is missing"
    ),
    "record.no_object": Caption("it is not an object", "the same, of JSON that is something else", "it is no JSON"),
    # Why the system refused it
    "record.no_space": Caption("no space is left on the device", "a disk is full", "a quota is used up; another error"),
    "record.no_quota": Caption("the disk quota is used up", "a user's share of a disk is", "the disk is full"),
    # The folder of runs
    "record.not_listed": Caption("{folder} cannot be read: {why}", "the system refuses to look into it", "it may be"),
    "record.no_files": Caption(
        "{folder} cannot be read: its run.json and events.jsonl are no files",
        "one of the two names is there, and of something else than a file",
        "one of them is a file; neither is there",
    ),
    "record.near": Caption(" Near it: {names}.", "no run goes by what was given, and runs have names like it", "none"),
    "record.newest": Caption(
        " The newest is {run}; {command} lists them all.", "none is like it, and there are runs", "one is like it"
    ),
    "record.none_readable": Caption(
        "no run in {folder} can be read: {why}{more}. {elsewhere}",
        "a folder of runs has none but those that cannot be read",
        "one can be read; there is none at all",
    ),
    "record.more_likewise": Caption(" ({folders} more likewise)", "the same, where several cannot be", "one cannot"),
    "record.none_yet": Caption(
        "there are no runs in {folder} yet. `tui-trainer launch` starts one; {elsewhere}",
        "a folder of runs has none, or is not there",
        "there is one, be it that it cannot be read",
    ),
    "record.look_elsewhere": Caption("--runs-dir DIR looks elsewhere.", "behind these two", "a run is found"),
    # Exports
    "record.form_in_doubt": Caption(
        "{why}. What is exported may lack something.",
        "a record of a later, or an unknown, form is exported",
        "this version knows the form",
    ),
    "record.switched": Caption(
        "preset switched from {old} to {new}",
        "why the LR moved, in an export: a switch came before the step",
        "the schedule moved it",
    ),
    "record.needs_tensorboard": Caption(
        "this format needs TensorBoard's package: pip install 'tui-trainer[tensorboard]'",
        "an export to it without the package",
        "it is there; of another format",
    ),
    "record.needs_pyarrow": Caption(
        "this format needs pyarrow: pip install 'tui-trainer[parquet]'",
        "an export to Parquet without pyarrow",
        "it is there; of another format",
    ),
    # The filter of the list
    "record.no_run_has": Caption("no run here has {name}{meant}", "a name in a filter that no run has", "one has it"),
    "record.name_meant": Caption("; did you mean {name}?", "the same, where runs have one like it", "they have none"),
    "record.more_steps": Caption(
        "its record tells of step {step}, and the run has {steps}",
        "a record is to be gone on with that has more steps than its run",
        "it has as many, or fewer; its run has no known end",
    ),
}
