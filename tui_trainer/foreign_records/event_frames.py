"""How TensorBoard's files frame an event: its length, a CRC of that, its bytes, a CRC of those.

Here they are walked over one by one, as a glance needs it and without NumPy; `tensorboard_file.py` reads a whole file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from tui_trainer.files.safe_open import Irregular, open_regular
from tui_trainer.foreign_records.crc32c import masked_crc32c

HEAD, FOOT = 12, 4
"""Bytes around an event."""


def size_in(head: bytes) -> int | None:
    """How long an event is, by the bytes before it; None where they are no head."""
    if len(head) < HEAD:
        return None
    size, crc = struct.unpack_from("<QI", head)
    return size if masked_crc32c(head[:8]) == crc else None


def first_events(path: Path, most: int, longest: int) -> Iterator[bytes]:
    """The first events of a file, but for longer ones; none where it cannot be read."""
    try:
        fd = open_regular(path)
    except (Irregular, OSError, ValueError):
        return
    try:
        at = 0
        for _ in range(most):
            if (size := size_in(os.pread(fd, HEAD, at))) is None:
                return
            if size <= longest and len(content := os.pread(fd, size, at + HEAD)) == size:
                yield content
            at += HEAD + size + FOOT
    except (OSError, OverflowError):
        return
    finally:
        os.close(fd)
