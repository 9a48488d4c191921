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
    "shell.preset_unusable": Caption("cannot be used: {why}", "a preset of the list has a fault", "it has none"),
    "shell.preset_fine": Caption("fine", "`presets check` found nothing in a file", "it found something"),
    "shell.preset_warned": Caption(
        "can be used, see the warnings", "`presets check` found warnings, and no fault", "it found a fault, or nothing"
    ),
    "shell.reckoned": Caption(
        "note: reckoned with what it is made for: {taken}",
        "`presets show` warns of a preset that brings a data set or a model along",
        "it warns of nothing; it brings none; options stand in for it",
    ),
    "shell.not_rehearsed": Caption(
        "note: PyTorch is not installed here, so the real scheduler is not tried, and no group of parameters looked "
        "for in a network; all else is checked",
        "`presets check` without PyTorch",
        "with it",
    ),
    "shell.same_name": Caption(
        "another run is called {name} already: the name finds the newest, an id each of them",
        "a run begins by a name that one other has",
        "none has it; several have",
    ),
    "shell.same_names": Caption(
        "{count} other runs are called {name} already: the name finds the newest, an id each of them",
        "the same of a name that several have",
        "one has it",
    ),
    "shell.address_in_list": Caption(
        "--webhook: whoever may list the processes of this machine can read the address there; --webhook-file, or "
        "{variable} in the environment, keeps it yours",
        "an address was given on the command line",
        "it was given in a file, or the environment",
    ),
    # Of a command to a run
    "shell.ended_unanswered": Caption(
        "asked; it ended before it answered", "a run was asked something, and has ended since", "it lives; it answered"
    ),
    "shell.not_answered": Caption(
        "asked; it has not answered within {seconds} s: a run answers between two batches",
        "it lives, and has said nothing in that time, be it in a long batch or standing still",
        "it answered; it has ended",
    ),
    "shell.killed_before_record": Caption(
        "its process was killed before there was a record",
        "what began in the background is gone, and has said nothing",
        "it has said why; it has a record",
    ),
    "shell.in_background": Caption(
        "the screen was left: this run is in the background from here on, without a terminal",
        "in a run's log: its screen was left, and it is not over, be it paused",
        "its screen is on show; it was stopped",
    ),
    # Of a comparison
    "shell.no_comparisons": Caption(
        "there are no comparisons in {folder} yet; `tui-trainer compare --lesson` makes one",
        "`compare --list` finds none",
        "it finds one, or one that cannot be read",
    ),
    "shell.nobody_notified": Caption(
        "nothing trains here, so nobody is notified: --notify and --webhook are for who trains",
        "a comparison is opened with one of these, and is over or trained by another process",
        "this process trains it; without them",
    ),
    "shell.session": Caption("session: {command}", "a comparison without a screen has told its findings", "as JSON"),
    "shell.runs_left": Caption(
        "{runs} of the comparison {are} not trained to the end: {command} continues it",
        "a comparison was followed, or opened, and is left with runs to do that nobody does",
        "none is left; SLURM, or somebody else, does them",
    ),
    "shell.cut_off": Caption(
        "what trains has not ended within {seconds} s: it is cut off, as by a kill",
        "a comparison was told to stop, and a run of it did not in that time",
        "all have ended; it trains on in the background",
    ),
    "shell.session_waits": Caption(
        "{session} is not training: {command} continues it",
        "`stop` of a comparison that has runs to do, and that nobody trains",
        "somebody trains it; all is trained",
    ),
    "shell.session_over": Caption(
        "{session} is over: nothing of it trains, and nothing is left to do",
        "`stop` of a comparison whose runs have all ended; they may have while it was asked",
        "runs are left to do",
    ),
    "shell.session_not_stopped": Caption(
        "{session}: asked; it has not stopped within {seconds} s: its runs stop between two batches",
        "it is still trained after that time",
        "nobody trains it any more",
    ),
    "shell.session_stopped": Caption(
        "{session}: stopped; continue it: {command}",
        "nobody trains it any more, and runs are left to do",
        "it has ended by itself meanwhile; SLURM was told",
    ),
    # Of records
    "shell.nothing_to_prune": Caption(
        "no run that is over is all of that: nothing to delete", "`prune` finds none", "it finds one"
    ),
    "shell.no_tests_to_prune": Caption(
        "no LR range test is all of that: nothing to delete", "`prune --range-tests` finds none", "it finds one"
    ),
    # serve
    "shell.exposed": Caption(
        "other machines may reach this, and nothing is encrypted: whoever reads the address runs the app",
        "`serve --expose` on an address that is not this machine's own loopback",
        "on the loopback",
    ),
    "shell.serving": Caption(
        "{address}\nctrl+c stops serving; runs keep training", "`serve` listens", "it was refused an address"
    ),
    "shell.unwritable": Caption(
        "what it prints cannot be written: {why}",
        "a file or a disk refuses what a command prints",
        "it takes it; nobody reads any more, as behind a pipe",
    ),
}
