"""`python -m tests.cli.unprivileged COMMAND...`: `tui-trainer` by somebody whom permissions hold for, be it root."""

import ctypes
import os
import runpy

OVERRIDES = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of linux/capability.h: what lets root pass them over."""


def obey_permissions() -> None:
    """Do without them, from here on."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, of this process
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, of the lower 32 and of the upper
    if libc.capget(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    for each in range(3):
        sets[each] &= ~OVERRIDES
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    if os.geteuid() == 0:
        obey_permissions()
    runpy.run_module("tui_trainer", run_name="__main__", alter_sys=True)
