"""What a key is answered in the line at the bottom of a screen."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a key is answered"

CAPTIONS = {
    "answer.not_begun": Caption(
        "no step is trained yet; ask after the first one",
        "the LR or the epochs are to be changed of a run that has not trained a step",
        "it has",
    ),
    # Asked of a run
    "answer.sent": Caption(
        "sent: the run answers before its next {unit}",
        "a command was sent and not answered yet: a run of ours does before a batch, a watched one before a step",
        "it was not sent; the run has ended",
    ),
    "answer.asked_by": Caption(" (asked by {who})", "somebody else's command was answered", "it was asked from here"),
    "answer.over": Caption(
        "the run has {ended}: there is nothing to control", "something is asked of a run that has ended", "it goes on"
    ),
    "answer.read_only": Caption(
        "this view is read-only: the run cannot be controlled from here",
        "something is asked of a run that takes no commands from this view",
        "it takes them; its record alone is missing",
    ),
    "answer.unreachable": Caption(
        "the run could not be reached: {why}", "its process takes no commands, or they cannot be written", "it took one"
    ),
    "answer.nothing_trained_yet": Caption(
        "nothing is trained yet",
        "h is pressed before a run that goes on has told a number",
        "it told one; it has ended",
    ),
    "answer.nothing_was_trained": Caption(
        "it ended before anything was trained", "h is pressed on a run that ended so", "it trained; it goes on"
    ),
    "answer.own_loop": Caption(
        "the loop of this run is tui-trainer's own: what is wrong with its order stands under its listing",
        "o is pressed on a run of ours",
        "of a watched program, whose order has a page",
    ),
    # Charts
    "answer.frozen": Caption(
        "frozen: f follows the newest steps again",
        "the charts followed a run that goes on, and stand still from here on",
        "it has ended, and no newer step will come; they stood still before",
    ),
    "answer.no_later_mark": Caption(
        "no later mark", "the cursor is to go to a mark behind the last one", "there is one"
    ),
    "answer.no_earlier_mark": Caption("no earlier mark", "the same before the first one", "there is one"),
    "answer.whole_run": Caption(
        "the whole run is shown; + zooms in",
        "what is in sight is to be moved, and the charts show all of the run",
        "they show a part of it",
    ),
    "answer.smoothed": Caption(
        "the loss is smoothed over {window} {unit}",
        "a mean over so many batches, or a watched program's steps, is drawn",
        "it is drawn as it was told",
    ),
    "answer.not_smoothed": Caption("the loss is not smoothed", "it is drawn as it was told", "a mean is drawn"),
    "answer.momentum_shown": Caption(
        "the momentum is drawn over the LR, its values at the right",
        "the LR chart draws a momentum that moves, from now on",
        "it does not; the momentum stays as it is",
    ),
    "answer.momentum_hidden": Caption(
        "the momentum is no longer drawn", "the LR chart did draw it, until now", "it does; it never did"
    ),
    "answer.momentum_stays": Caption(
        "nothing moves the momentum of this run: OneCycleLR and CyclicLR do",
        "it is asked for, and no step told one, nor does a plan",
        "a schedule moves it, moved it before a switch, or is planned to",
    ),
    "answer.values_smoothed": Caption(
        "smoothed over {window} values", "series are drawn as means over so many values", "as they were told"
    ),
    "answer.values_not_smoothed": Caption("not smoothed", "series are drawn as they were told", "as means"),
    # Panels, and what is copied
    "answer.panel_hidden": Caption(
        "{panel}: hidden, {key} shows it again", "a key has hidden a panel", "it is shown, if in a line"
    ),
    "answer.last_panel": Caption(
        "the last panel cannot be hidden", "a key would hide the only panel on show", "another one is on show"
    ),
    "answer.copied": Caption(
        "sent to the terminal's clipboard: {text}",
        "a text was given to the terminal to copy; whether it does, only the terminal knows",
        "the text is empty",
    ),
    "answer.nothing_to_copy": Caption("there is nothing to copy", "what is to be copied has no text", "it has"),
    # Other pages, and what is remembered
    "answer.no_runs_folder": Caption(
        "there is no runs folder to open from here",
        "the list of runs is asked for in a view without one",
        "there is one",
    ),
    "answer.nothing_trained_here": Caption(
        "nothing can be trained from here; in tui-trainer launch, b opens this page",
        "break it is asked for where nothing can be trained",
        "it can; of a watched program where PyTorch is",
    ),
    "answer.compare_elsewhere": Caption(
        "not from here: tui-trainer compare {names}", "a comparison is asked for in a view that opens none", "it opens"
    ),
    "answer.comparison_opens": Caption(
        "looking for presets and runs to compare", "a comparison is asked for, and is being opened", "none opens here"
    ),
    "answer.settings_unread": Caption(
        "your settings cannot be read: {file}: {why}",
        "the system refuses it, or it is damaged",
        "it is not there; it can",
    ),
    "answer.settings_damaged": Caption(
        "it is damaged ({why})", "why, where it is no settings", "the system refuses it"
    ),
    "answer.settings_unsaved": Caption(
        "your settings cannot be saved: {file}: {why}", "the system refuses to write them; once", "they are saved"
    ),
}
