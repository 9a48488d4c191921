"""The error that is a person's to mend."""

from __future__ import annotations


class UserError(Exception):
    """Something that was asked for cannot be had: a preset, data, a device. Found before the first batch; exit code 2.

    `str()` is the sentence, or the sentences, that say what and what to do.
    """

    lines = ""
    """A traceback of the person's own lines, where the error is in code of theirs."""
