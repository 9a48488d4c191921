"""Python's own modules with private names: built in, or named so that no program has one of that name.

The public ones (`json`, `struct`, `signal`, `weakref`) are not loaded as Python starts. A program that has a `json.py`
beside its script would get the library's instead of its own, were it loaded by the observer before.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_scanner
from _signal import NSIG, default_int_handler, getsignal  # type: ignore[import-not-found]
from _struct import Struct, pack
from _weakref import ref
from sys import _getframe as getframe

__all__ = [
    "NSIG",
    "Struct",
    "default_int_handler",
    "encode_basestring_ascii",
    "getframe",
    "getsignal",
    "make_scanner",
    "pack",
    "ref",
]
