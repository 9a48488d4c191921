"""The machine that a run trains on, and where the time of a step goes: `ui/machine/`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The machine, and a step"

CAPTIONS = {
    "machine.being_measured": Caption(
        "being measured", "a run has begun, and its first measurement is not back yet", "it is back; it will not come"
    ),
    "machine.not_begun": Caption("measured once the run has begun", "no process has begun the run", "one has"),
    "machine.over": Caption(
        "the run is over: there is nothing to measure", "the run on show has ended", "it goes on; or is elsewhere"
    ),
    "machine.elsewhere": Caption(
        "the run is on {host}, which cannot be measured from here",
        "its host has another name than this one",
        "it is here",
    ),
    "machine.unseen": Caption(
        "the run's process cannot be seen from here",
        "no process has its number and its time of start: it is gone, or in another container",
        "it is seen",
    ),
    "machine.failed": Caption("the machine cannot be measured: {why}", "a measurement broke", "one came"),
    "machine.cores": Caption("{cores} cores: cpu 100 % is all", "shares of the CPU stand below", "none do"),
    "machine.this_run": Caption("this run", "one process trains: its share", "several do"),
    "machine.run": Caption("run", "the same in little room", "several processes train"),
    "machine.first_of": Caption("first of {ranks}", "several processes train: the share of the first", "one trains"),
    "machine.others": Caption("others {share}", "all other processes together, of all cores", "of this run"),
    "machine.rest": Caption("rest {share}", "the same in little room", "of this run"),
    "machine.busy": Caption(
        "cpu {share} of all cores, run {ours}",
        "in one line: all processes, and of them the run",
        "nothing was measured",
    ),
    "machine.memory": Caption("memory {share}, run {ours}", "the same of the memory", "nothing was measured"),
    "machine.gpu": Caption("gpu {share}", "the same of the device that the run computes on", "it computes on the CPU"),
    "machine.slowed_by": Caption(
        "slowed by {reasons}", "the driver says that it holds the device's clocks down, and why", "it does not"
    ),
    "machine.power": Caption("{watts}{allowed} W", "the device tells its power", "it does not"),
    "machine.allowed": Caption(" of {watts}", "it tells how much it may draw, too", "it does not"),
    "machine.heat": Caption("{celsius} °C", "the device tells its temperature", "it does not"),
    # In the line over the keys
    "machine.screen": Caption(
        "screen {share} % of all cores",
        "a run goes on: what the screen itself took of late, of all cores",
        "it has ended",
    ),
    "machine.memory_ours": Caption("memory {memory}", "beside it, the memory of the run", "it was not measured"),
    "machine.cpu_ours": Caption("cpu {share}, {screen}", "the run's share of all cores, too", "it was not measured"),
    # The device, where it does not tell
    "machine.no_package": Caption(
        "not measured: nvidia-ml-py is not installed",
        "a run computes on CUDA, and the package is missing",
        "it is there",
    ),
    "machine.no_driver": Caption("not measured: {why}", "the driver refused", "it answers"),
    "machine.which_device": Caption(
        "not measured: the driver does not report which of its devices this is",
        "several devices could be the run's, and nothing tells which",
        "its UUID, its processes, its name or its number tell",
    ),
    "machine.not_reported": Caption(
        "this device does not report {facts}", "the driver leaves some facts open", "it tells them all"
    ),
    "machine.whose_memory": Caption(
        "whose memory it is cannot be seen from here",
        "the driver names no process, and the run computes there",
        "it does",
    ),
    # A step
    "machine.no_step_yet": Caption("none yet", "a run goes on, and no batch was trained", "one was; it has ended"),
    "machine.step_untold": Caption(
        "not told", "batches were trained, or the run has ended, and no time of a call is known", "times are known"
    ),
    "machine.steps_apart": Caption(
        "{seconds} from one to the next",
        "steps of a watched program's last seconds within an epoch; its calls have their times in the listing",
        "none was taken for a while; of a run of ours, whose calls are told",
    ),
    "machine.on_average": Caption(
        "{seconds} on average",
        "a step of the last seconds, or of the whole run once that stands still",
        "no call was timed",
    ),
    "machine.launched": Caption(
        "launched in {seconds}", "the same of a run on CUDA, whose calls return before their work is done", "on the CPU"
    ),
    "machine.handed_over": Caption(
        "as the cpu hands them to the gpu",
        "shares of a step stand above, of a run on CUDA",
        "on the CPU; without shares",
    ),
    "machine.of_all_cores": Caption(" of all cores", "the share of the screen itself", "of one core"),
    "machine.of_cores": Caption(" of cores", "the same in little room", "of one core"),
    "machine.no_busy": Caption("how busy it is", "the device leaves it open how busy it is", "it tells"),
    "machine.no_memory": Caption("its memory", "it leaves its memory open", "it tells"),
    "machine.no_power": Caption("its power", "it leaves its power open", "it tells"),
    "machine.slow_limit": Caption(
        "its power limit", "its clocks are held down for the limit of its power", "they are not"
    ),
    "machine.slow_hardware": Caption(
        "the hardware, for heat or power",
        "the device itself holds them down, and does not say for which of the two",
        "they are not held down",
    ),
    "machine.slow_heat": Caption("heat", "they are held down for heat", "they are not"),
    "machine.slow_supply": Caption("the power supply", "the supply asks for it", "it does not"),
}
