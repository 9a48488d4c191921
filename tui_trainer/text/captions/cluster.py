"""A comparison on a cluster."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "A comparison on a cluster"

CAPTIONS = {
    "cluster.no_slurm": Caption(
        "there is no SLURM here: {command} is not on the PATH. Log in to a node of the cluster, or train here with "
        "--executor local",
        "something is asked of SLURM, and the command for it is not there",
        "it is there, whatever it answers; nothing is asked of SLURM",
    ),
    "cluster.refused": Caption(
        "{command} refuses: {said}",
        "a command of SLURM's ended with an error",
        "it did what it was asked for; it is not there",
    ),
    "cluster.no_answer": Caption(
        "{command} gave no answer within {seconds} s",
        "a command of SLURM's has not ended in that time",
        "it has ended, whatever it said",
    ),
    "cluster.not_yours": Caption(
        "{option} is what compare says itself",
        "--slurm-args has an option that says which tasks there are, or what is printed",
        "any other option of sbatch's",
    ),
    "cluster.no_option": Caption(
        "{word!r} is no option: give options of sbatch's, as in '--partition gpu --time 2:00:00'",
        "--slurm-args has a word that is neither an option nor the value of one",
        "each word is either",
    ),
    "cluster.needs_slurm": Caption(
        "--slurm-args are for --executor slurm",
        "options for SLURM were given, and it is not to train",
        "it is",
    ),
    "cluster.submitted": Caption(
        "submitted: {runs} as job {job}; {compare} shows them, {stop} ends them",
        "SLURM has taken the trials of a session",
        "it has not; nothing was left to submit",
    ),
    "cluster.nothing_to_submit": Caption(
        "nothing is left to submit: all that is not trained is in the queue, or trains",
        "SLURM is to train a session that has runs left, each of which is in its queue, or has somebody who trains it",
        "one is not",
    ),
    "cluster.only_shown": Caption(
        "{runs} left, and SLURM has none of them: --executor slurm submits them again, --executor local trains them "
        "here",
        "a session that was given to SLURM is opened, has runs that are not trained, and nothing of it is queued or "
        "trains",
        "all are trained; some are queued or train; whoever opens it says who is to train; it was never given to SLURM",
    ),
    "cluster.queued": Caption(
        "In the queue: {runs}{why}.",
        "SLURM has tasks of the session that have not begun",
        "none waits",
    ),
    "cluster.trains_on": Caption(
        "Training: {where}.",
        "somebody trains trials of this session on another machine or as a job of SLURM's",
        "nobody does; this machine trains all of them by itself",
    ),
    "cluster.failed": Caption(
        "{who}: job {job} is over and has not trained it to the end. Its log ends: {log}",
        "a trial was given to SLURM, which has it no longer, nobody trains it, it has not come to an end, and nobody "
        "has stopped it",
        "it is in the queue; somebody trains it; it was stopped; SLURM does not answer",
    ),
    "cluster.stopped": Caption(
        "{session}: stopped: nothing of it is left in the queue, and what trained has saved a checkpoint; submit it "
        "again: {compare} --executor slurm",
        "a person has stopped a session that was given to SLURM, and nobody trains any of it",
        "somebody still does; it was never given to SLURM; SLURM could not be told",
    ),
    "cluster.left_in_queue": Caption(
        "what waits in the queue could not be cancelled and will end as it begins: {why}",
        "a session was stopped where SLURM is not there, or does not answer",
        "it was cancelled",
    ),
    "cluster.no_task": Caption(
        "this is no task of a job array that compare has submitted",
        "what a task runs was started without SLURM, or with a number that the session does not have",
        "SLURM has started it",
    ),
    "cluster.was_stopped": Caption(
        "the comparison was stopped before this began: nothing is trained",
        "a task begins whose job was cancelled where SLURM could not be told",
        "its job was not cancelled",
    ),
    "cluster.time_is_up": Caption(
        "the time limit of its job is near",
        "SLURM has sent USR1, as it was asked to before the time limit",
        "it has sent TERM",
    ),
    "cluster.job_ends": Caption(
        "SLURM ends its job",
        "SLURM has sent TERM: the job is cancelled, preempted, or its node is drained by force",
        "the time limit is near, of which USR1 tells",
    ),
    "cluster.waits_to_requeue": Caption(
        "SLURM's controller does not answer, and this waits until it has this task begin again: {why}",
        "a task wants to be queued again, and the controller is down",
        "the controller answers, be it with a refusal; the task has ended its training or was cancelled",
    ),
    "cluster.no_time": Caption(
        "the time limit leaves no time to train a single batch: give more with --slurm-args '--time ...'",
        "the time limit came near before any step was trained",
        "a step was trained: it is queued again",
    ),
}
