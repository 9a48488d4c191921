"""What is known of why a run crashed, and how one goes on after its end: `run_sources/crash_report.py`,
`ui/live/aftermath.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "After a crash, and how a run goes on"

CAPTIONS = {
    "crash.out_of_memory": Caption(
        "{what} had no memory left: resumed, it needs as much again; a smaller --batch-size, or another --model, less",
        "the error that ended it says that memory could not be had",
        "it ended by another error; the kernel ended it, with no word of its own",
    ),
    "crash.of_gpu": Caption("the GPU", "the same, of a run on CUDA", "it trained on the CPU"),
    "crash.of_cpu": Caption("the machine", "the same, of a run on the CPU", "it trained on CUDA"),
    "crash.killed_for_memory": Caption(
        "the kernel ended it because memory ran out: its log says so of process {pid}",
        "the process said no goodbye, and the kernel's log says that it ended this very process for memory",
        "the log says so of another process, of one of before, or cannot be read",
    ),
    "crash.group_out_of_memory": Caption(
        "since it began the kernel has ended {count} in its control group for want of memory: maybe this one",
        "the process said no goodbye, and the group's count has grown since the run began",
        "the count is as it was, of another boot, or cannot be read; the kernel's log names the process",
    ),
    "crash.xid": Caption(
        "the NVIDIA driver told of Xid {number} at {at}: {text}",
        "the kernel's log has an Xid from while the run trained on CUDA, which it says is of no other process",
        "it trained on the CPU; the Xid is from before or after, or another process's",
    ),
    "crash.resumes": Caption(
        "R resumes it from its checkpoint, after step {step}, in a process of its own",
        "a run crashed or was stopped, has a checkpoint, and can be resumed from here",
        "it finished or diverged; it has no checkpoint; this view is read-only",
    ),
    "crash.resumes_untold": Caption(
        "R resumes it from its checkpoint, in a process of its own",
        "the same of a checkpoint of which the record does not tell after which step it is",
        "it tells that; there is no checkpoint",
    ),
    "crash.begins_again": Caption(
        "R trains it again from the first step: there is no checkpoint",
        "the same of a run that has no checkpoint",
        "it has one",
    ),
    "crash.command_resumes": Caption(
        "{command} goes on with it",
        "a run crashed or was stopped, and cannot be resumed from this screen",
        "it can be; it finished or diverged",
    ),
    "crash.command_reruns": Caption(
        "{command} begins its command anew",
        "a watched command crashed, or was stopped",
        "it is a run of ours; it ended well",
    ),
    "crash.diverged": Caption(
        "resumed, it would diverge again: a lower LR or a warmup may do{key}",
        "the loss, or a weight, was not finite, which ended a run of ours",
        "it ended in another way",
    ),
    "crash.pick": Caption(
        "; p picks a preset, e edits a copy of it", "the same, where runs can be started", "in a view"
    ),
    "crash.make_room": Caption(
        "its record is cut off: make room on the disk of {folder}",
        "a run ended, and its last events could not be recorded",
        "all of it was recorded",
    ),
    "crash.resuming": Caption(
        "{run} is being resumed: PyTorch and its data are loaded first",
        "R was pressed, and the process that goes on with it has not begun to train",
        "it trains; it was refused",
    ),
    "crash.resumed": Caption(
        "{run} trains on, in a process of its own", "the process that was begun for it trains", "it has not begun"
    ),
    "crash.not_begun": Caption(
        "nothing to go on with: the run ended before it had a record", "R is pressed on such a run", "it has a record"
    ),
}
