"""What commands say in the shell: of the run that is meant, and of one that is gone on with."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "Commands in the shell"

CAPTIONS = {
    "shell.newest_named": Caption(
        "{count} runs are called {name}: {run}, the newest, is meant",
        "several runs bear the name that was given",
        "one does; what was given is an id",
    ),
    "shell.waited_for": Caption(
        "{why} A command that trains has begun: waiting for its record, until ctrl+c",
        "there is no such run yet, and a process of the person's may be making it",
        "there is one; no such process runs",
    ),
    "shell.retry": Caption(
        "{run} crashed: {why}; {number} in {seconds} s, from its checkpoint",
        "a run crashed, and --retry has retries left",
        "it finished, diverged or was stopped; none is left",
    ),
    "shell.retry_number": Caption("retry {number} of {times}", "the same", "none is left"),
    "shell.killed": Caption(
        "its process was killed by {signal}", "a signal killed the process that trained", "it ended by itself"
    ),
    "shell.none_pass": Caption(
        "none of {runs} passes the filter",
        "`runs --filter` lists none of those that there are",
        "one passes",
    ),
    "shell.none_at": Caption(
        "nothing at {paths} is a run in a form that is known",
        "`runs PATH` finds nothing there, or there is no such path",
        "something known lies there; no path was named",
    ),
    "shell.no_root": Caption(
        "{path} is no folder: --add-root names one below which runs lie",
        "--add-root is given something else than a folder that is there",
        "it is one",
    ),
    "shell.unwritable": Caption(
        "what it prints cannot be written: {why}",
        "a file or a disk refuses what a command prints",
        "it takes it; nobody reads any more, as behind a pipe",
    ),
}
