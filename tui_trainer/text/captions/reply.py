"""What a run answers to a command: `engine/control.py`, and of a watched program `watching/host/steering.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a run answers"

CAPTIONS = {
    # Pauses, pace and the end
    "reply.paused": Caption(
        "paused after step {step}", "the run stands still, or did so already", "it goes on; before the first step"
    ),
    "reply.paused_first": Caption(
        "paused before the first step", "the same of a run that has trained no step", "it has trained one"
    ),
    "reply.going_on": Caption("going on", "the run trains on, or did so already", "it stands still"),
    "reply.one_batch": Caption(
        "one {unit}, then pause",
        "a batch was asked for; of a watched program, or where several batches make a step, a step",
        "more are; none is left",
    ),
    "reply.batches": Caption(
        "{batches}, then pause",
        "one more batch, or step, was asked for before those asked for earlier were trained",
        "one is to be trained; the run has fewer left",
    ),
    "reply.last_batches": Caption(
        "{batches}, then the end: the run has no more",
        "more batches, or steps, were asked for than the run has left",
        "it has as many",
    ),
    "reply.no_batch_left": Caption(
        "no {unit} is left: the run ends", "a batch was asked for behind the last one of the run", "one is left"
    ),
    "reply.held": Caption(
        "each call is held for {seconds} s",
        "slow motion was asked for, be it slower than there is",
        "at full speed; batch by batch",
    ),
    "reply.full_speed": Caption("full speed", "slow motion was ended", "calls are held"),
    "reply.stopping": Caption(
        "stopping after step {step}", "the run was asked to stop, and this step was its last", "before the first step"
    ),
    "reply.stopping_first": Caption(
        "stopping before the first step", "the same of a run that has trained no step", "it has trained one"
    ),
    # The LR dial, epochs, presets and checkpoints of a run of ours
    "reply.lr": Caption(
        "lr {lr} from step {step} on, × {factor} of the schedule{until}",
        "the LR dial was turned",
        "it was turned back to the schedule; no step is left that could use it",
    ),
    "reply.lr_own": Caption(
        "lr {lr} from step {step} on, the schedule's own",
        "the LR dial was turned back to the schedule",
        "it stands elsewhere; no step is left",
    ),
    "reply.lr_unused": Caption(
        "lr {lr}, should it train more epochs: no step is left",
        "the LR dial was turned behind the last step of the run",
        "a step is left",
    ),
    "reply.until_switch": Caption(
        ", until {preset} takes over", "behind the LR, where a switch of presets is planned", "none is"
    ),
    "reply.dial_there": Caption(
        "the LR dial is at × {factor} already", "it was to be turned to where it stands", "it moves"
    ),
    "reply.dial_range": Caption(
        "the LR dial goes from above 0 to below {most} times {whose} LR",
        "it was to be turned to 0, below, or beyond that",
        "it can be turned there",
    ),
    "reply.dial_too_early": Caption(
        "no step is trained yet; turn it after the first one",
        "the LR dial was to be turned before the first step of a run of ours",
        "a step was trained; of a watched program",
    ),
    "reply.lr_zero": Caption(
        "the schedule gives an LR of 0 here, and no factor makes another of it",
        "an LR was asked for where the schedule's is 0",
        "it is above 0; a factor was asked for",
    ),
    "reply.epochs": Caption(
        "{epochs} instead of {old}, until step {step}", "it trains more or fewer epochs in all", "it was refused"
    ),
    "reply.epochs_then": Caption(
        "{epochs} instead of {old}, until step {step}; {then} from epoch {epoch} on",
        "a run that was over goes on at its last LR, or with another preset",
        "its own schedule goes on",
    ),
    "reply.last_lr": Caption(
        "at the LR of its last step, {lr},", "a run that was over goes on at its last LR", "with a preset"
    ),
    "reply.preset": Caption(
        "preset {preset}, weights kept,", "a run that was over goes on with another preset", "at its last LR"
    ),
    "reply.epochs_already": Caption(
        "it trains {epochs} already", "as many epochs were asked for as it trains", "more or fewer were"
    ),
    "reply.epoch_is_trained": Caption(
        "epoch {epoch} is trained already; to end after it, ask for as many",
        "fewer epochs were asked for than were begun",
        "as many or more were",
    ),
    "reply.epochs_end_before_switch": Caption(
        "{preset} takes over in epoch {epoch}; ask for as many",
        "fewer epochs were asked for than there are until a planned switch",
        "none is planned; there are as many",
    ),
    "reply.epochs_do_not_fit": Caption(
        "another number of epochs does not fit: {why}", "the preset allows no such length", "it allows it"
    ),
    "reply.go_on_otherwise": Caption(
        "`--then constant` keeps its last LR, and `--then PRESET` follows another preset",
        "a run that was over was to go on along a schedule that has no more",
        "it has not reached its end; its schedule goes on",
    ),
    "reply.switch": Caption(
        "{preset} from epoch {epoch} on, weights kept{others}", "a switch of presets is planned", "it was refused"
    ),
    "reply.made_for": Caption(
        "made for {meant}; this run keeps {kept}",
        "a preset is switched to that is made for other data, or another model or precision, than the run has",
        "it is made for these, or for none",
    ),
    "reply.last_epoch": Caption(
        "epoch {epoch} is the last one; start a new run with {preset}",
        "a switch was asked for in the last epoch, or behind it",
        "an epoch is left",
    ),
    "reply.preset_does_not_fit": Caption(
        "{preset} does not fit the epochs that are left: {why}",
        "a switch was asked for to a preset that cannot be trained for so long",
        "it can",
    ),
    "reply.saved": Caption(
        "saved after step {step}",
        "a checkpoint was asked for, and lies on the disk; of step 0 before the first",
        "it could not be written",
    ),
    "reply.not_saved": Caption(
        "the checkpoint could not be written; the run goes on", "the same, where it could not", "it could"
    ),
    # Of a watched program
    "reply.program_lr": Caption(
        "from step {step} on each LR is × {factor}", "the LR dial of a watched program was turned", "turned back"
    ),
    "reply.program_lr_own": Caption(
        "from step {step} on the LR is the program's own", "it was turned back", "it stands elsewhere"
    ),
    "reply.program_lr_unknown": Caption(
        "the program's own LR is 0, or not known: no factor makes another of it",
        "an LR was asked for, and the program's is not one that a factor can change",
        "it is above 0; a factor was asked for",
    ),
    "reply.nothing_trains": Caption(
        "nothing that trains is seen (any more): there is no step to hold it at",
        "no process of the run is seen",
        "one is",
    ),
    "reply.ranks_missing": Caption(
        "not all ranks of this run are seen from here: one that stood still would hang the rest",
        "several processes train the run, and some of them are not seen",
        "all are; one trains it",
    ),
    "reply.ended_first": Caption(
        "what trained ended before it could", "the run's processes ended with a command unanswered", "one lives"
    ),
    "reply.stop_first": Caption(
        "it was asked to stop before it could",
        "a command was not answered yet as the run was asked to stop",
        "it was; that command is a stop itself",
    ),
    "reply.stop_again": Caption(
        "asked to stop once more", "a stop was not answered yet as the run was asked again", "it was answered"
    ),
    "reply.others_go_on": Caption(
        "; the command's other runs go on", "a run of several of one command was stopped alone", "no other trains"
    ),
    "reply.takes_long": Caption(
        "its step takes long: {sent}", "a stop was not taken up for so long that a signal was sent", "its step ended"
    ),
    "reply.nothing_to_stop_at": Caption(
        "what trained has ended: {sent}",
        "the run's processes ended before a stop was taken up, and the command was sent a signal",
        "one of them lives",
    ),
    "reply.sent": Caption(
        "sent {signals}", "processes of one run were sent a signal, each named", "the command was, with all of its runs"
    ),
    "reply.to_process": Caption("{signal} to process {pid}", "one of them, that took it", "it was gone"),
    "reply.sent_command": Caption("sent {signal} to the command{how}{more}", "the command was sent a signal", "gone"),
    "reply.as_ctrl_c": Caption(", as ctrl+c does", "the signal is SIGINT", "it is another one"),
    "reply.harder": Caption("; asked again, it is sent {signal}", "a next signal is another one", "SIGKILL was sent"),
    "reply.process_ended": Caption(
        "its process has ended", "a stop was asked for, and no process of the run took a signal", "one did"
    ),
}
