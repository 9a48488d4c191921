"""What a run computes with, and why."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What a run computes with"

CAPTIONS = {
    "setting.kernels_cpu": Caption(
        "the faster choice where they were measured", "why a run on the CPU has its kernels", "on CUDA"
    ),
    "setting.kernels_cuda": Caption(
        "the usual choice on CUDA, not measured here", "why a run on CUDA has its kernels", "on the CPU"
    ),
    "setting.channels_last": Caption("channels last", "how images lie in memory, of each run of ours", "of a watched"),
    "setting.fused": Caption(
        "fused optimizer where there is one",
        "a run of ours: whichever optimizer it has, torch's fused one is taken if torch has it for the device",
        "of a watched program, which makes its own",
    ),
    "setting.compiled": Caption("compiled", "with --compile", "without"),
    "setting.repeatable": Caption("deterministic", "with --deterministic", "without"),
    "setting.precision_cuda": Caption(
        "what this CUDA device is fast in", "nobody chose a precision, and the device has bf16", "somebody did; fp32"
    ),
    "setting.precision_default": Caption("the default here", "nobody chose one, and it is fp32", "somebody did; bf16"),
    "setting.deterministic": Caption(
        "--deterministic: another run with these versions on such a device gives the same bits; {cost}",
        "a run was asked to be repeatable",
        "it was not",
    ),
    "setting.cpu_repeats": Caption(
        "the CPU repeats itself anyway, with as many threads", "behind that, on the CPU", "on CUDA"
    ),
    "setting.slower": Caption("slower, by how much was not measured here", "behind that, on CUDA", "on the CPU"),
    "setting.as_it_was": Caption(
        "as in the run that this one goes on with",
        "a switch of CUDA was set to what a resumed run had",
        "it stood so already; it cannot be set",
    ),
    "setting.not_as_it_was": Caption(
        "not what the run had: losses may differ in the last digits",
        "a version or the card is another one than a resumed run had on CUDA",
        "it is the same; on the CPU; it could be set back",
    ),
    "setting.steps_skipped": Caption(
        "{steps} skipped up to step {step}: gradients overflowed in fp16",
        "in fp16, since the last report",
        "none was skipped; in another precision",
    ),
    # Threads
    "setting.one_thread": Caption(
        "no more than one may compute here",
        "there is one core, or the environment allows one thread",
        "there may be several; --threads fixes them",
    ),
    "setting.all_threads": Caption(
        "as many as may compute here; a step takes {time}, too long to try others",
        "a step with all of them is so long that others were not timed",
        "others were timed",
    ),
    "setting.timed": Caption("a step takes {times}", "threads were chosen as a run begins", "none others were timed"),
    "setting.timed_now": Caption("{slower}timed now: {times}", "threads were changed in a run", "they stay"),
    "setting.with_threads": Caption("{time} with {threads}", "what a step took with so many threads", "not timed"),
    "setting.became_slower": Caption(
        "steps took {pace}, {best} at best; ", "in front of that, where steps had become slow", "the first look again"
    ),
    # How often the network is looked at
    "setting.norms": Caption("norms of the network", "what is looked at at some steps alone", "with --metrics minimal"),
    "setting.look_takes": Caption(
        "a look takes {look}, a step {step}: {share} {whose}",
        "looks come further apart from here on, for what one takes beside a step; with the share that is left to them",
        "they come as often as before, be it that steps were slow for a while",
    ),
    "setting.of_time": Caption("of the time", "the same on the CPU", "on CUDA"),
    "setting.of_hosts_time": Caption(
        "of the host's time", "the same on CUDA, whose own time is not told here", "on the CPU"
    ),
    # Before the first batch
    "setting.building": Caption("building the model", "the network is made", "it is there"),
    "setting.loading_checkpoint": Caption("loading the checkpoint", "a run goes on from one", "it begins anew"),
    "setting.choosing_threads": Caption(
        "to choose the number of threads", "steps are timed on the CPU before the first", "--threads fixes it; on CUDA"
    ),
}
