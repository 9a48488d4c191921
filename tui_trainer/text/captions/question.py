"""What is asked before the app goes on, and what is said as it is answered: `ui/dialogs.py` and those who ask."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Questions, and what follows from their answers"

CAPTIONS = {
    "question.leave": Caption("Leave?", "somebody leaves while a run goes on that they could end", "nothing goes on"),
    "question.trains": Caption(
        "{run} is still training.", "a run, or a comparison, trains here", "it is paused, or over"
    ),
    "question.paused": Caption("{run} is paused, and not over.", "it stands still until somebody goes on", "it trains"),
    "question.the_run": Caption("the run", "a run is asked about that has not told its preset", "it has told it"),
    "question.run_on_show": Caption("the run on show", "the same, as a preset is taken up", "it has told it"),
    "question.the_comparison": Caption("the comparison", "a comparison is asked about", "a run is"),
    "question.keep": Caption(
        "keep it training in the background", "a run trains, and can outlive its screen", "it is paused; it cannot"
    ),
    "question.keep_paused": Caption(
        "leave it paused in the background", "a run is paused, and can outlive its screen", "it trains; it cannot"
    ),
    "question.found_again": Caption(
        "tui-trainer {shown_by} shows it again, tui-trainer {ended_by} ends it",
        "what is kept in the background can be found by these commands",
        "it ends with its screen",
    ),
    "question.stop": Caption("stop it", "what trains here may be ended", "it trains elsewhere"),
    "question.after_batch": Caption(
        "after the current batch; its record is kept", "a run is to be stopped", "it is not, or its record goes, too"
    ),
    "question.stay": Caption("stay", "whoever leaves may stay", "something else is asked"),
    "question.elsewhere": Caption(
        "The run trains in another process.",
        "the run on show is another process's, and trains",
        "it is paused, or ours",
    ),
    "question.paused_elsewhere": Caption(
        "The run is paused, in another process.",
        "the run on show is another process's, and paused",
        "it trains, or is ours",
    ),
    "question.leave_it": Caption("leave", "a run goes on without its view; or a text is left", "it ends with its view"),
    "question.keeps_training": Caption(
        "it keeps training where it runs", "a run of another process trains", "it is paused, or ours"
    ),
    "question.stays_paused": Caption(
        "it stays paused where it is", "a run of another process is paused", "it trains, or is ours"
    ),
    "question.stop_the_run": Caption("stop the run", "a run of another process takes commands", "it takes none"),
    # A preset is taken up while a run goes on
    "question.train_with": Caption("Train with {preset}?", "a preset is chosen while a run goes on", "none does"),
    "question.as_new": Caption("as a new run from the start", "a run can be started here", "none can"),
    "question.old_stops": Caption(
        "{old} is stopped first; its record is kept", "the same, where a run goes on", "none does"
    ),
    "question.in_this_run": Caption(
        "in this run, from the next epoch on", "the run has a next epoch, and takes commands", "it is in its last one"
    ),
    "question.weights_kept": Caption(
        "the weights are kept; the switch is marked on the charts", "the same", "a new run is begun"
    ),
    "question.stay_with": Caption("stay with {old}", "the same question", "another is asked"),
    # A text, and a run of the list
    "question.unsaved": Caption("Leave without saving?", "a text has changes, and is left", "it was saved as it is"),
    "question.has_changes": Caption("The copy has unsaved changes.", "the same", "it was saved as it is"),
    "question.save_as": Caption("save it as {name}", "the copy has a name", "it has none"),
    "question.save": Caption("save it", "the copy has no name", "it has one"),
    "question.changes_lost": Caption("your changes are lost", "what leaving a changed text costs", "it was saved"),
    "question.keep_editing": Caption("keep editing", "a changed text is left", "it was saved"),
    "question.rename": Caption("Another name for this run", "a run of the list is to be renamed", "it is live"),
    "question.to_rename": Caption(
        "enter takes it, esc leaves it; it may be empty", "how the same is answered", "another question is asked"
    ),
    "question.delete": Caption("Delete this run?", "a run of the list is to be deleted", "it is live"),
    "question.to_delete": Caption("{run}: {done}, {status}.", "which run it is", "of another run"),
    "question.delete_it": Caption("delete it", "the same question", "another is asked"),
    "question.for_good": Caption(
        "its record and checkpoints are deleted for good", "the same question", "anything of it would be kept"
    ),
    "question.delete_test": Caption(
        "Delete this LR range test?", "one of the list of runs is to be deleted", "a run is"
    ),
    "question.test_to_delete": Caption("{test}: {done}.", "which test it is", "of another one"),
    "question.test_for_good": Caption("its record is deleted for good", "the same question", "a run is to be deleted"),
    "question.clicked": Caption(
        "This run was not started here",
        "a click would act on a run that another command trains",
        "the run is this command's own; a key was pressed, which is meant",
    ),
    "question.clicked_on": Caption("{label}: {does}", "the same question", "another is asked"),
    "question.do_it": Caption("do it", "the same question", "another is asked"),
    "question.no": Caption("no", "a plain question", "there are other answers than yes"),
    # As it is answered
    "question.stopping": Caption(
        "stopping after this batch; the screen closes once the record is complete",
        "whoever leaves had the run stopped, which it has taken",
        "it refused; it has ended",
    ),
    "question.stopping_for": Caption(
        "stopping {old}; {preset} starts as soon as it has ended",
        "a new run waits for the end of the one on show",
        "that refused, or has ended: the new one starts at once",
    ),
    "question.starts_none": Caption(
        "no run can be started from here; tui-trainer launch starts one",
        "the app only shows runs",
        "it can start one",
    ),
    "question.resumes_none": Caption(
        "{command} continues it; not from here", "a run is to be gone on with in a view", "it can be"
    ),
}
