"""What is said of a command that is watched: how it ended, and what of it cannot be seen."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "A watched command"

CAPTIONS = {
    "command.in_container": Caption(
        "what trains in a container of {name} is not seen from here: begin `tui-trainer watch` inside it, or call "
        "tui_trainer.watch() in the script",
        "the command is that of a container's",
        "the command runs on this system",
    ),
    "command.elsewhere": Caption(
        "what {name} starts elsewhere is not seen from here: put the watch behind it, "
        "`{name} … tui-trainer watch -- COMMAND`",
        "the command hands its work to another machine, or to a batch system",
        "the command runs on this system",
    ),
    "command.environment_emptied": Caption(
        "{name} empties the environment, and nothing is seen without it: put the watch behind it, "
        "`{name} … tui-trainer watch -- COMMAND`",
        "the command empties the environment of what it starts",
        "the command's environment is handed on",
    ),
    "command.python_isolated": Caption(
        "python -{flag} does not load what watches: leave -{flag} out, or call tui_trainer.watch() in the script",
        "the command is python with an option that leaves PYTHONPATH, or sitecustomize, out",
        "python has no such option; the letter is the program's own option",
    ),
    "command.no_training": Caption(
        "no training was seen: no optimizer of PyTorch took a step in a Python process that can be seen from here",
        "the command ended, and no process of it had told of a step or a loss",
        "a process told of one",
    ),
    "command.ended": Caption(
        "the command ended",
        "it ended by itself with exit code 0",
        "its exit code is another one, or a signal ended it",
    ),
    "command.exit_code": Caption(
        "the command ended with exit code {code}",
        "it ended by itself with an exit code that is not 0",
        "its exit code is 0, or a signal ended it",
    ),
    "command.raised": Caption(
        "; its training ended with {error}, which nobody caught",
        "behind that, where Python printed the traceback of an error that ended the process which trained",
        "the error was caught; the exit code is 0; a signal ended it, or somebody asked it to stop; several trained "
        "together",
    ),
    "command.rank_raised": Caption(
        "; rank {rank} ended with {error}, which nobody caught",
        "the same of processes that train together: the one that such an error ended first",
        "it trained alone; no such error ended any of them, be it that one was killed",
    ),
    "command.killed": Caption(
        "the command was ended by {signal}{why}",
        "a signal ended it, or it says by its exit code that one did",
        "it ended by itself",
    ),
    "command.ended_unseen": Caption(
        "the command is gone; with what exit code is not known, as the process that waited for it was killed",
        "who waits for the command is gone, and so is the command",
        "its exit code was told",
    ),
    "command.finished": Caption(
        "the program says that it is done",
        "code that called tui_trainer.watch() said finish(), or left its `with` without an error",
        "it left it with an error, or its process ended without finish()",
    ),
    "command.interrupted": Caption(
        "stopped by ctrl+c",
        "a KeyboardInterrupt ended the `with` of tui_trainer.watch(), and nobody had asked for a stop",
        "another error ended it, or somebody asked for a stop",
    ),
    "command.process_ended": Caption(
        "its process ended; with what exit code is not known: another process has started it",
        "of several trainings of one command, one is over, and its process had taken leave; or code that called "
        "tui_trainer.watch() ended without finish()",
        "it is the only one, or its process is gone without a word",
    ),
    "command.process_raised": Caption(
        "its process ended with {error}, which nobody caught",
        "of several trainings of one command, one is over, and Python printed the traceback of an error that ended it",
        "it ended by itself; the error was caught; somebody asked it to stop; it is the only one",
    ),
    "command.process_interrupted": Caption(
        "its process was interrupted, as by ctrl+c",
        "the same, where the error is KeyboardInterrupt",
        "another error ended it, or somebody asked for a stop from here",
    ),
    "command.process_gone": Caption(
        "its process is gone without a word: it was killed",
        "a training is over that is none of a command, or one of several, and its process had not taken leave",
        "its process took leave, as one does that ends by itself or by an error of its own",
    ),
    "command.signal_passed_on": Caption(
        "{signal} was passed on to the command; the screen closes as that ends",
        "a signal came to the screen of a command that goes on",
        "the command has ended; it is not this process that watches it",
    ),
    "command.loop_unread": Caption(
        "what its loop does is told no more from here on: {error}",
        "our own code failed over what the process told",
        "all that the process told was understood",
    ),
    "command.order_unread": Caption(
        "what is wrong with the order of its calls is told no more from here on: {error}",
        "our own code failed over what the process told, as it looked for mistakes",
        "all that the process told was understood",
    ),
    "command.killed_at_logout": Caption(
        "systemd ends all processes of yours as you log out here (KillUserProcesses=yes). To keep this one: "
        "systemd-run --user --scope tui-trainer watch -- COMMAND, after loginctl enable-linger",
        "logind says that it ends a user's processes, and this one belongs to a session",
        "logind leaves them, this one belongs to no session, or it runs in tmux or screen",
    ),
}
