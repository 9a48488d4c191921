"""What the screen says of itself, and not of a run."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The screen itself"

CAPTIONS = {
    "screen.too_small": Caption(
        "This screen needs {columns} columns and {lines} lines, the terminal has {width} and {height}: make it larger. "
        "ctrl+c leaves.",
        "the terminal has less room than the screen on show needs; with the key that leaves wherever one is",
        "it has as much; of q, which is a letter while a filter is typed",
    ),
    "screen.goes_back": Caption(
        " esc leads back.",
        "the same, on a page that was opened over another one: pressed once, or once more where something was typed",
        "nothing lies below it",
    ),
    "screen.broke": Caption(
        "the screen broke: {error}", "an error of ours ended the screen; what it showed trains on", "a person left it"
    ),
    "screen.ended_by_itself": Caption(
        "it ended by itself", "the same, where no error tells why", "an error does; its terminal is gone"
    ),
    "screen.hung_up": Caption(
        "the terminal is gone, and the screen with it",
        "in the log: the terminal was closed, or belongs to another",
        "a person left the screen",
    ),
    "screen.task_failed": Caption(
        "this failed, and the log says where: {why}",
        "something that was begun beside the screen broke by a fault of ours",
        "it was refused for a reason that a person can mend, as a file that cannot be read",
    ),
    "screen.without_options": Caption(
        "these start without the options that were given: {why}",
        "runs are started from the list, and the options of the command line are no good",
        "they are good; none was given",
    ),
}
