"""What `doctor` tells of a machine, where it is more than a figure: `cli/doctor.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "What doctor says of a machine"

CAPTIONS = {
    "doctor.none": Caption("none", "there is no such thing: a package, a device, a terminal", "there is one"),
    "doctor.folder": Caption("{path} ({writable}{there}, {free} GB free)", "a folder can be found", "it cannot"),
    "doctor.writable": Caption(
        "writable", "one may write into the folder, or into what it would be made in", "one may not"
    ),
    "doctor.not_writable": Caption("NOT writable", "one may not", "one may"),
    "doctor.not_there": Caption(", not there yet", "the folder is not there", "it is"),
    "doctor.device": Caption("{name} ({memory} GB){fault}", "a device that torch sees", "of the CPU"),
    "doctor.fault": Caption(", {fault}", "something hinders that device", "nothing does"),
    "doctor.silent": Caption(
        "it did not answer within {seconds} s", "torch was asked what it sees, and took longer", "it answered, or broke"
    ),
    "doctor.ended": Caption(
        "it ended with code {code}", "torch broke as it was loaded, and said nothing", "it said something, or answered"
    ),
}
