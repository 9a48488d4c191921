"""What a command refuses before it begins, and what would be right: `cli/`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a command refuses"

CAPTIONS = {
    "refusal.unknown_command": Caption(
        "this is no command that this version knows: the program on the other machine may be a newer one",
        "over ssh a run is asked something that the program on its machine cannot read",
        "it can; a run is asked by a command of the shell",
    ),
    # Words of the command line
    "refusal.command_meant": Caption(
        "No such command {typed}. Did you mean {meant}?", "a command like it is known", "none is like it, or it is one"
    ),
    "refusal.out_of_reach": Caption(
        "{path} cannot be used: {why}",
        "the system refuses a path that the command has no words of its own for",
        "it has; the disk, or a fault of ours, is the reason",
    ),
    "refusal.preset_meant": Caption(
        "no preset of this name; did you mean {meant}?", "a preset is called like what was given", "none is"
    ),
    "refusal.no_preset": Caption(
        "no preset of this name; name one of {names}, or give a path", "none is called like it", "one is; it is a path"
    ),
    # What is missing
    "refusal.no_torch": Caption(
        "{command} needs PyTorch, which is not installed here: pip install torch",
        "a command trains, and there is no PyTorch",
        "it trains nothing, as `runs` does; PyTorch is there, and broken",
    ),
    "refusal.no_textual_serve": Caption(
        "serve needs textual-serve: pip install 'tui-trainer[serve]'", "`serve` without that package", "it is there"
    ),
    # A terminal
    "refusal.no_terminal": Caption(
        "{command} needs a terminal to draw on; {instead}", "its input or output is none", "both are one"
    ),
    "refusal.dumb_terminal": Caption(
        "{command} needs a terminal that can be drawn on, and TERM says that this one cannot; {instead}",
        "TERM is missing, dumb or unknown",
        "it names a terminal",
    ),
    "refusal.no_shell": Caption(
        "{command} is in the background, and no shell is left that could bring it to the front; {instead}",
        "a screen is asked for in the background, by a shell that has ended",
        "it is in front, or a shell can bring it there",
    ),
    "refusal.run_instead": Caption(
        "`tui-trainer run --preset NAME` trains without a screen", "behind those, of `launch`", "of another command"
    ),
    "refusal.runs_instead": Caption(
        "`tui-trainer runs` lists runs, `tui-trainer export` writes their numbers",
        "behind those, of `attach`",
        "of another command",
    ),
    "refusal.file_instead": Caption(
        "with its output in a file it needs no screen", "behind those, of `compare`", "of another command"
    ),
    # torchrun
    "refusal.one_process": Caption(
        "{command} is for one process; torchrun starts `-m tui_trainer run`, and `tui-trainer attach` shows it",
        "torchrun has started a command that draws a screen",
        "it has not",
    ),
    "refusal.compare_ranks": Caption(
        "compare trains each run in one process: start it without torchrun",
        "torchrun has started `compare`",
        "it has not",
    ),
    "refusal.run_ranks": Caption(
        "torchrun waits for its processes and restarts them (--max-restarts): leave --detach and --retry out",
        "torchrun has started `run` with one of the two",
        "with neither; without torchrun",
    ),
    "refusal.resume_ranks": Caption(
        "torchrun waits for its processes: leave --detach out",
        "torchrun has started `resume --detach`",
        "without one of the two",
    ),
    # run, resume
    "refusal.nobody_reads": Caption(
        "--json needs somebody who reads: leave it out, or --detach", "`run` with both", "with one of them"
    ),
    "refusal.live_in_own_record": Caption(
        "{run} is live and goes on in its own record; leave --new-record out",
        "`resume --new-record` of a run that is live",
        "it has ended",
    ),
    "refusal.then_alone": Caption(
        "--then says what epochs beyond the end follow: give their number in all with --epochs",
        "`resume --then` without --epochs",
        "with both, or neither",
    ),
    "refusal.live_epochs": Caption(
        "{run} is live: `{command} N` has it train N epochs in all; --epochs and --then are for one that has ended",
        "`resume --epochs` of a run that is live",
        "it has ended",
    ),
    "refusal.told_elsewhere": Caption(
        "{run} trains in another process, which alone could tell of it: leave --alert, --notify, --webhook and --bell "
        "out",
        "`resume` of a live run with one of these",
        "it has ended, and is gone on with here",
    ),
    # compare
    "refusal.report_form": Caption(
        "--report {file}: its name must end in {forms}", "a report has another ending", "it has one of these"
    ),
    "refusal.target_not_finite": Caption(
        "--target {target}: a target is a finite number", "it is nan or infinite", "it is a number"
    ),
    "refusal.no_accuracy": Caption(
        "--target {target}: a validation accuracy is a number from 0 to 1",
        "runs are compared by accuracy, and the target lies beyond that",
        "they are compared by another series",
    ),
    "refusal.target_stays": Caption(
        "--target {target}: {session} {has}, which stays; a new comparison can have another",
        "a comparison is opened again with another target than it was begun with",
        "with the same; it is a new one",
    ),
    "refusal.has_target": Caption("has the target {target}", "the same of one that was begun with one", "without"),
    "refusal.has_no_target": Caption("was begun without a target", "the same of one that was not", "with one"),
    "refusal.too_few": Caption(
        "name two presets or runs to compare, or one preset with --seeds N, or use --lesson{known}",
        "fewer than two runs would be compared",
        "two would, be it one preset with two seeds",
    ),
    "refusal.known_session": Caption(
        ", or a session, such as {session}", "the same, where there are sessions", "there is none"
    ),
    "refusal.beyond_last_seed": Caption(
        "--seed {seed}: with --seeds {seeds} they go beyond the largest seed", "the last of them would", "it does not"
    ),
    # rerun, watch
    "refusal.nobody_to_ask": Caption(
        "nobody can be asked here: --yes runs it", "`rerun` without a terminal as its input", "there is one; --yes"
    ),
    "refusal.not_watched": Caption(
        "{run} is no watched command; if it ended early, `{resume}` goes on with it",
        "`rerun` of a run of ours",
        "it is a watched command's",
    ),
    "refusal.anothers": Caption(
        "{run} is another user's: what their record asks to be run is not",
        "`rerun` of a record that another user owns",
        "it is one's own",
    ),
    "refusal.other_machine": Caption(
        "{run} was recorded on {host}: what a record of another machine asks to be run is not",
        "`rerun` of a record whose host has another name than this one",
        "it has the same",
    ),
    "refusal.no_machine": Caption(
        "{run} does not tell on which machine it was recorded: what such a record asks to be run is not",
        "`rerun` of a record without the name of a host",
        "it has one",
    ),
    "refusal.secret_left_out": Caption(
        "{run}: what was secret in its command is not on record, so it has to be typed again: "
        "tui-trainer watch -- {command}",
        "`rerun` of a command in which a word was blanked",
        "none was",
    ),
    "refusal.folder_gone": Caption(
        "{run}: the folder that it ran in is gone: {folder}", "`rerun` where that is no folder any more", "it is there"
    ),
    "refusal.no_command": Caption(
        "there is no command to watch: tui-trainer watch -- python train.py", "`watch` of nothing", "of a command"
    ),
    "refusal.command_not_found": Caption(
        "{program}: command not found", "no program of that name is on PATH, or no file of that path", "one is"
    ),
    "refusal.command_is_folder": Caption("{program}: is a folder", "the path of a folder was given", "of a file"),
    "refusal.command_not_executable": Caption(
        "{program}: permission denied", "a file was given that may not be executed", "it may"
    ),
    "refusal.not_begun": Caption(
        "it could not be begun", "what runs the command is gone without a word", "it has said why not; it began"
    ),
    # runs
    "refusal.no_folder": Caption("{path} is not a folder", "the folder of runs is something else", "it is one"),
    "refusal.folder_unread": Caption("cannot read {path}: {why}", "the system refuses to list it", "it does not"),
    # delete, prune
    "refusal.live_kept": Caption(
        "{run} is {status}: stop it first, `{stop}`", "`delete` of a run that is live", "it has ended"
    ),
    "refusal.prune_which": Caption(
        "prune needs to know which: --older-than, --status, --larger-than or --filter", "none of these", "one of them"
    ),
    "refusal.tests_have_no_status": Caption(
        "an LR range test has no status: leave --status or --range-tests out",
        "`prune` with both",
        "one of them",
    ),
    "refusal.nobody_to_ask_of": Caption(
        "{runs}; nobody can be asked here: --yes deletes for good",
        "`delete` or `prune` without a terminal as its input",
        "there is one; --yes",
    ),
    # serve
    "refusal.exposes": Caption(
        "other machines may reach {host}: serve listens there only with --expose",
        "`serve` is to listen on an address that is not this machine's own loopback",
        "it is the loopback; with --expose",
    ),
    "refusal.not_served": Caption(
        "serve shows {commands}; {command} is none of them",
        "`serve` of another command, be it one with a screen, as `watch`",
        "of one of these",
    ),
    "refusal.cannot_listen": Caption("cannot listen on {where}: {why}", "the system refuses it", "it listens"),
}
