"""CRC-32C (Castagnoli), of many records of one length at once, and masked as TensorFlow's record files have it.

Source: RFC 3720, appendix B.4; the mask: tensorflow/core/lib/hash/crc32c.h.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8


@cache
def _bytes_table() -> NDArray[np.uint32]:
    import numpy as np

    return np.array(_plain_table(), np.uint32)


@cache
def _pairs_table() -> NDArray[np.uint32]:
    """What two bytes at a time make of the lower half of the register."""
    import numpy as np

    one, table = _bytes_table(), np.arange(1 << 16, dtype=np.uint32)
    for _ in range(2):
        table = one[table & 0xFF] ^ (table >> np.uint32(8))
    return table


@cache
def _plain_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ (_POLYNOMIAL if value & 1 else 0) for value in table]
    return table


def masked_crc32c(data: bytes) -> int:
    """Of one record, some tenths of a microsecond a byte."""
    table, register = _plain_table(), 0xFFFFFFFF
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    register ^= 0xFFFFFFFF
    return ((register >> 15 | register << 17) + _MASK) & 0xFFFFFFFF


def masked_crc32c_of_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Of records of one length.

    Args:
        rows: (records, bytes), contiguous.

    Returns:
        (records,)
    """
    import numpy as np

    count, length = rows.shape
    register = np.full(count, 0xFFFFFFFF, np.uint32)
    if even := length // 2:
        pairs: NDArray[Any] = np.ascontiguousarray(np.ascontiguousarray(rows[:, : even * 2]).view("<u2").T)
        table = _pairs_table()
        for each in pairs:
            register = table[(register ^ each) & np.uint32(0xFFFF)] ^ (register >> np.uint32(16))
    if length % 2:
        register = _bytes_table()[(register ^ rows[:, -1]) & np.uint32(0xFF)] ^ (register >> np.uint32(8))
    register = ~register
    return (register >> np.uint32(15) | register << np.uint32(17)) + np.uint32(_MASK)


def windows_of_eight(data: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The masked CRC of the eight bytes at each place: (bytes - 7,)."""
    import numpy as np

    count, table = len(data) - 7, _bytes_table()
    register = np.full(count, 0xFFFFFFFF, np.uint32)
    for place in range(8):
        register = table[(register ^ data[place : place + count]) & np.uint32(0xFF)] ^ (register >> np.uint32(8))
    register = ~register
    return (register >> np.uint32(15) | register << np.uint32(17)) + np.uint32(_MASK)
